//! Numeric inner loops: the only room with intrinsics.
//!
//! | kernel | scalar | wasm32 simd128 | x86-64 |
//! |---|---|---|---|
//! | [`Backend::dot_block`] | [`scalar`] | `i32x4.dot_i16x8` | AVX2 `vpmaddwd` |
//! | [`Backend::score_block`] | [`scalar`] | four lanes | [`scalar`], which compilers vectorise |
//!
//! [`scalar`] is the definition. A backend is an optimisation of it: its results are equal to the
//! last bit, on every input, which one test over [`Backend::available`] shows. Code above this
//! room therefore never asks which backend it runs on.
//!
//! In WebAssembly the choice is made at compile time, since a module that holds an instruction
//! the engine lacks does not load at all. Natively it is made at run time.

pub mod code;
pub mod rotation;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use code::{BLOCK, QUERY_LIMIT};

/// What turns a block's integer dot products into scores: one number each for the whole scan.
#[derive(Clone, Copy, Debug)]
pub struct Affine {
    /// Taken from twice the dot product: `255 * sum(q)`, which makes codes odd integers.
    pub offset: i32,
    /// Step of the quantized query.
    pub step: f32,
    /// Added to every score: query times centroid.
    pub base: f32,
    /// Base of the 16-bit scales.
    pub scale_base: u32,
    /// Base of the 16-bit squared norms.
    pub norm_base: u32,
}

/// One implementation of the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// The definition, in plain Rust.
    Scalar,
    /// WebAssembly's 128-bit SIMD.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
    /// x86-64 with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Backend {
    /// The fastest backend of this machine.
    #[must_use]
    pub fn best() -> Self {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Self::Simd128;
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        Self::Scalar
    }

    /// Every backend that runs on this machine, the definition first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::Scalar];
        if Self::best() != Self::Scalar {
            all.push(Self::best());
        }
        all
    }

    /// For each of the block's 32 items, the sum over dimensions of query times code.
    ///
    /// `codes` is one block in the layout of [`code`]: `BLOCK * query.len()` bytes. `query` has an
    /// even length of at most [`code::MAX_DIM`], each component within ±[`QUERY_LIMIT`]; then
    /// `255 * 2047 * 4096 < 2^31` and no sum overflows.
    ///
    /// # Panics
    /// If the lengths do not fit together: a bug of the caller, never of the data.
    #[inline]
    pub fn dot_block(self, codes: &[u8], query: &[i16], out: &mut [i32; BLOCK]) {
        assert!(codes.len() == BLOCK * query.len(), "block and query lengths must agree");
        assert!(query.len().is_multiple_of(2), "the padded dimension is even");
        debug_assert!(query.iter().all(|q| q.unsigned_abs() <= QUERY_LIMIT as u16));
        match self {
            Self::Scalar => scalar::dot_block(codes, query, out),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => simd128::dot_block(codes, query, out),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86_64::dot_block(codes, query, out),
        }
    }

    /// The score of each of a block's items from its dot product and 16-bit scale:
    /// `base + scale * ((2 dot - offset) * step)`. With squared norms (Euclidean archives)
    /// `2 score - norm`, which orders like minus the distance. Returns whether any score exceeds
    /// `threshold`.
    ///
    /// Every operation is rounded on its own, in this order, so that SIMD cannot change a bit.
    ///
    /// # Panics
    /// If scales or norms are not those of one block.
    #[inline]
    pub fn score_block(
        self,
        dots: &[i32; BLOCK],
        scales: &[u16],
        norms: Option<&[u16]>,
        affine: &Affine,
        threshold: f32,
        out: &mut [f32; BLOCK],
    ) -> bool {
        assert!(scales.len() == BLOCK, "one scale an item");
        assert!(norms.is_none_or(|n| n.len() == BLOCK), "one norm an item");
        match self {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => simd128::score_block(dots, scales, norms, affine, threshold, out),
            _ => scalar::score_block(dots, scales, norms, affine, threshold, out),
        }
    }
}

#[cfg(test)]
mod tests;
