//! The 8-bit code of a vector: its layout in blocks, its integer meaning, its 16-bit scale.
//!
//! A rotated residual `r` (vector less centroid) is stored as one byte per dimension and one
//! scale `s`: the byte `u` stands for the odd integer `v = 2u - 255`, and the item's vector is
//! *defined* from then on as `c + s * v` (its *decoded vector*). Odd integers make the grid
//! symmetric around zero, as in (extended) RaBitQ: Gao and Long, arXiv 2405.12497; Gao et al.,
//! arXiv 2409.09913.
//!
//! Blocks hold [`BLOCK`] items. Inside one, dimensions are taken in pairs, and each pair lies as
//! `item 0 low, item 0 high, item 1 low, ...`: 64 bytes that a SIMD kernel widens and multiplies
//! without any shuffle or horizontal sum. An odd dimension is padded with code 0 against query 0.

/// Items in one block.
pub const BLOCK: usize = 32;
/// Largest dimension of an archive. Integer sums in the kernels rely on it.
pub const MAX_DIM: usize = 4096;
/// Largest absolute component of a quantized query: 12 bits with sign.
pub const QUERY_LIMIT: i32 = 2047;
/// Largest biased exponent of a scale's base: keeps every f32 in the scan finite, since
/// `2^(150 + 31 - 127) * 2^31 * 2^23` is far below the f32 limit of `2^128`.
pub const MAX_SCALE_BASE: u32 = 150;

/// The dimension as stored: even, so that dimensions pair up.
#[must_use]
pub const fn padded_dim(dim: usize) -> usize {
    dim.next_multiple_of(2)
}

/// Blocks needed for `n` items.
#[must_use]
pub const fn n_blocks(n_items: usize) -> usize {
    n_items.div_ceil(BLOCK)
}

/// Where, inside its block, dimension `j` of the item in `lane` lies.
#[inline]
#[must_use]
pub const fn byte_in_block(lane: usize, j: usize) -> usize {
    (j / 2) * (2 * BLOCK) + 2 * lane + (j & 1)
}

/// The odd integer that a code byte stands for.
#[inline]
#[must_use]
pub const fn code_value(byte: u8) -> i32 {
    2 * byte as i32 - 255
}

/// Quantizes a residual: writes one byte per dimension and returns the scale.
///
/// Among 24 step sizes the one whose code points most nearly in the residual's direction wins
/// (largest cosine; the smaller step on a tie). The scale is then `|r|^2 / (v . r)`, the unbiased
/// one of RaBitQ: the decoded residual has exactly the true component along `r`, and its error is
/// orthogonal to it. A residual of zero has scale 0.
///
/// `residual` and `bytes` have one length. Cost: 24 passes over the vector.
#[cfg(any(test, feature = "build"))]
pub fn quantize(residual: &[f64], bytes: &mut [u8]) -> f64 {
    let largest = residual.iter().fold(0.0f64, |m, r| m.max(r.abs()));
    if largest == 0.0 {
        bytes.fill(128);
        return 0.0;
    }
    // Below 0.4 of the full range the clipped tail always costs more than the finer step gains
    // (the largest of 4096 Gaussian components is near 3.7 sigma, the best clip near 4 sigma).
    let step = |i: u32| largest / 127.5 * (0.4 + 0.6 * f64::from(i) / 23.0);
    let mut best = (f64::NEG_INFINITY, 0.0);
    for i in 0..24 {
        let inverse = 1.0 / step(i);
        let (mut along, mut norm) = (0.0, 0.0);
        for r in residual {
            let v = f64::from(code_value(round_to_code(r * inverse)));
            along += v * r;
            norm += v * v;
        }
        let cosine = along / norm.sqrt();
        if cosine > best.0 {
            best = (cosine, inverse);
        }
    }
    let (mut along, mut norm) = (0.0, 0.0);
    for (r, byte) in residual.iter().zip(bytes) {
        *byte = round_to_code(r * best.1);
        along += f64::from(code_value(*byte)) * r;
        norm += r * r;
    }
    norm / along
}

/// The nearest code to a residual component in units of the step (two units of `v`).
#[cfg(any(test, feature = "build"))]
fn round_to_code(r: f64) -> u8 {
    (r + 128.0).floor().clamp(0.0, 255.0) as u8
}

/// A positive f32 in 16 bits: 5 bits of exponent above a base that the whole archive shares, and
/// 11 bits of fraction; 0 is zero. The relative error is at most 2^-12, over nine decades.
///
/// Every 16-bit pattern decodes to a finite, non-negative number, so damaged scales can make
/// wrong scores but never a NaN.
#[inline]
#[must_use]
pub fn scale_from_bits(bits: u16, base: u32) -> f32 {
    if bits == 0 { 0.0 } else { f32::from_bits((base << 23) + (u32::from(bits) << 12)) }
}

/// The nearest 16-bit pattern of a scale (see [`scale_from_bits`]). What is smaller than the
/// smallest pattern becomes zero.
#[must_use]
#[cfg(any(test, feature = "build"))]
pub fn scale_to_bits(scale: f64, base: u32) -> u16 {
    let bits = (scale as f32).to_bits();
    let above = (bits + (1 << 11)).saturating_sub(base << 23) >> 12;
    u16::try_from(above).unwrap_or(u16::MAX)
}

/// The base under which `largest`, the largest scale of an archive, and everything down to
/// 2^-29 of it can be written.
#[must_use]
#[cfg(any(test, feature = "build"))]
pub fn scale_base(largest: f64) -> u32 {
    // Rounding up may carry into the next exponent: one step of head room above the 31.
    ((largest as f32).to_bits() >> 23).saturating_sub(30).clamp(1, MAX_SCALE_BASE)
}
