//! Numeric inner loops: the only room with intrinsics, and so the one that grows WebAssembly's memory.
//!
//! | kernel | scalar | wasm32 simd128 | wasm32 relaxed | x86-64 |
//! |---|---|---|---|---|
//! | [`Backend::first_above`], [`Backend::dot_centroids`] | [`scalar`] | `i32x4.dot_i16x8` | `i32x4.relaxed_dot_i8x16_i7x16_add`, or the same in `i16x8` | AVX2 `vpmaddubsw` |
//! | [`Backend::score`], [`Backend::above`], [`Backend::count_above`], [`Backend::extremes_above`] | [`scalar`] | four at a time | the same | [`scalar`] |
//! | [`Backend::dot_code`], [`Backend::dot_centroid`], [`Backend::add_code`] | [`scalar`] | two f64 at a time | the same | [`scalar`] |
//! | [`Backend::dot`] | [`scalar`] | two f64 at a time | the same | [`scalar`] |
//! | [`Backend::keep_in_range`] | [`scalar`] | 16, 8 or 4 lanes, then `i8x16.bitmask` | the same | [`scalar`] |
//!
//! [`scalar`] is the definition. A backend is an optimisation of it: its results are equal to the
//! last bit, on every input, which one test over [`Backend::available`] shows. Code above this
//! room therefore never asks which backend it runs on.
//!
//! In WebAssembly the choice is made at compile time, since a module that holds an instruction
//! the engine lacks does not load at all; but a module with relaxed instructions has two, and finds out which
//! one its engine is good at. Natively the choice is made at run time.

pub mod code;
#[cfg(target_arch = "wasm32")]
pub mod pages;
mod range;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
use relaxed::pairs;
pub mod rotation;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod x86_64;

use code::{BLOCK, ItemCode, QUERY_LIMIT, padded_dim};
pub use range::Packed;

/// Sums that run beside each other in inner products of f64.
pub const LANES: usize = 8;

/// What turns a block's integer dot products into scores: one number each for a whole list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Affine {
    /// Taken from twice the dot product: `(2^b - 1) * sum(q)`, which makes codes odd integers.
    pub offset: i32,
    /// Step of the quantized query (times that of a prefix).
    pub step: f32,
    /// Added to every score: query times what the codes are residuals to.
    pub base: f32,
    /// Base of the 16-bit scales.
    pub scale_base: u32,
    /// Base of the 16-bit squared norms.
    pub norm_base: u32,
}

/// What turns the dot products of a block into scores, item by item.
#[derive(Clone, Copy, Debug)]
pub struct Lengths<'a> {
    /// Scales of the codes, in 16 bits.
    pub scales: &'a [u16; BLOCK],
    /// Squared norms of the decoded vectors, in 16 bits, where the metric needs them.
    pub norms: Option<&'a [u16; BLOCK]>,
}

/// A query rounded to integers, as kernels take it: a multiple of eight of them, each within
/// ±[`code::QUERY_LIMIT`] (and never -128).
#[derive(Debug, Default)]
pub struct Rounded {
    components: Vec<i8>,
    /// Groups of eight dimensions that are added up in 16 bits.
    run: usize,
}

/// Groups of eight dimensions that 16 bits hold whatever the query: those of four are at most `4 * 4 * 15 * 127`.
const LEAST_RUN: usize = 4;

impl Rounded {
    /// Rounds a vector, pads it, and returns the step: component = step * integer. Rounding half up, by floor:
    /// the same everywhere. A vector so small that the inverse of its largest component overflows counts as
    /// zero.
    ///
    /// Written without `clamp`: in a module with relaxed SIMD compilers make a relaxed minimum of it.
    pub fn round(&mut self, vector: &[f64]) -> f64 {
        let limit = f64::from(QUERY_LIMIT);
        let mut largest = 0.0;
        for x in vector {
            if x.abs() > largest {
                largest = x.abs();
            }
        }
        let inverse = if largest > 1e-290 { limit / largest } else { 0.0 };
        self.components.clear();
        self.components.extend(vector.iter().map(|x| (x * inverse + 0.5).floor() as i8));
        self.components.resize(padded_dim(vector.len()), 0);
        self.run = longest_run(&self.components);
        largest / limit
    }

    /// The integers.
    #[inline]
    #[must_use]
    pub fn components(&self) -> &[i8] {
        &self.components
    }
}

/// How many groups of eight dimensions 16 bits hold together: all, or half of them, a quarter and so on. Most
/// components lie far below the largest, so that it is nearly always all up to some 128 dimensions.
fn longest_run(query: &[i8]) -> usize {
    let mut run = query.len() / 8;
    while run > LEAST_RUN && !query.chunks(8 * run).all(fits) {
        run = run.div_ceil(2);
    }
    run.max(LEAST_RUN)
}

/// Whether 16 bits hold the products with any prefixes, as kernels add them: those of components 0, 1, 4 and 5
/// of each group, and those of the others.
fn fits(run: &[i8]) -> bool {
    let (mut positive, mut negative) = ([0; 2], [0; 2]);
    for (j, q) in run.iter().enumerate() {
        let (lane, product) = (j % 4 / 2, 15 * i32::from(*q));
        if product > 0 { positive[lane] += product } else { negative[lane] += product }
    }
    // Whatever was added so far lies between what all of one sign come to.
    positive.iter().all(|sum| *sum <= i32::from(i16::MAX))
        && negative.iter().all(|sum| *sum >= i32::from(i16::MIN))
}

/// Blocks of prefixes, and what decides whether one of them may hold a score above a threshold.
#[derive(Clone, Copy, Debug)]
pub struct Blocks<'a> {
    /// The codes, in the layout of [`code`]: 16 bytes a dimension for each block.
    pub prefixes: &'a [u8],
    /// What turns dot products into scores; but the base is that of each block.
    pub affine: Affine,
    /// Added to every score of a block.
    pub bases: &'a [f32],
    /// The largest scale of every fourth item of each block.
    pub scales: &'a [[u16; 4]],
    /// The least squared norm of every fourth item, or nothing where the metric needs no norms.
    pub norms: &'a [[u16; 4]],
}

impl Blocks<'_> {
    /// The place of the first wanted block for which `may` says so, of its codes and its bound.
    #[inline(always)]
    fn first(
        &self,
        wanted: &[usize],
        dim: usize,
        threshold: f32,
        mut may: impl FnMut(&[u8], &Bound<'_>) -> bool,
    ) -> Option<usize> {
        let bytes = BLOCK / 2 * dim;
        wanted.iter().position(|block| {
            let codes = &self.prefixes[block * bytes..][..bytes];
            let affine = Affine { base: self.bases[*block], ..self.affine };
            let (scales, norms) = (&self.scales[*block], self.norms.get(*block));
            may(codes, &Bound { affine, scales, norms, threshold })
        })
    }
}

/// What decides about one block.
#[derive(Clone, Copy, Debug)]
struct Bound<'a> {
    affine: Affine,
    scales: &'a [u16; 4],
    norms: Option<&'a [u16; 4]>,
    /// What a score must exceed.
    threshold: f32,
}

#[inline(always)]
fn check(codes: &[u8], query: &[i8]) {
    // One message for all callers.
    #[inline(never)]
    fn fail() {
        unreachable!("block and query lengths agree");
    }
    if codes.len() != BLOCK * query.len() || !query.len().is_multiple_of(8) {
        fail();
    }
    debug_assert!(query.iter().all(|q| *q != i8::MIN));
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
    /// The same with relaxed SIMD's byte dot product of two products in 16 bits.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    RelaxedPairs,
    /// The same with relaxed SIMD's byte dot product of four products in 32 bits.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    Relaxed,
    /// x86-64 with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Backend {
    /// What this build holds: the definition first, the fastest last.
    const BUILT: &[Self] = &[
        Self::Scalar,
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Self::Simd128,
        #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
        Self::RelaxedPairs,
        #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
        Self::Relaxed,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
    ];

    /// The fastest backend of this machine for the block scores of a scan. It finds out how the engine goes
    /// about them: ask once, and keep the answer.
    #[must_use]
    pub fn best_for_scans() -> Self {
        #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
        if relaxed::adds_pairs_first() {
            return Self::RelaxedPairs;
        }
        Self::best()
    }

    /// The fastest backend of this machine for everything else. In WebAssembly a constant.
    #[inline]
    #[must_use]
    pub fn best() -> Self {
        Self::BUILT.iter().rfind(|backend| backend.runs_here()).copied().unwrap_or(Self::Scalar)
    }

    /// Every backend that runs on this machine, the definition first and the fastest last.
    #[must_use]
    pub fn available() -> Vec<Self> {
        Self::BUILT.iter().copied().filter(|backend| backend.runs_here()).collect()
    }

    /// The backend that computes what this one is asked for: in a module with one backend, that one.
    /// Results are equal, so nobody is told.
    #[inline(always)]
    const fn held(self) -> Self {
        #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
        if matches!(self, Self::RelaxedPairs) {
            return self;
        }
        if cfg!(all(target_arch = "wasm32", feature = "one-backend")) {
            Self::BUILT[Self::BUILT.len() - 1]
        } else {
            self
        }
    }

    #[inline]
    fn runs_here(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::is_x86_feature_detected!("avx2"),
            _ => true,
        }
    }

    /// The first of the wanted blocks, in their order, that may hold a score above a threshold: its place in
    /// `wanted`, and the dot products of the query with its 32 prefixes in `dots`. Where none may, `dots` means
    /// nothing.
    ///
    /// Nearly every block of a scan is refused here. What decides is the score that an item would have with
    /// the largest dot product, the largest scale and the least norm of every fourth item: rounding never
    /// turns an order round, so no score of the block lies above it.
    ///
    /// The query has at most [`code::MAX_DIM`] components.
    ///
    /// # Panics
    /// If a wanted block is not there, or what is told of the blocks does not fit together: a bug of the
    /// caller, never of the data.
    #[inline(never)]
    pub fn first_above(
        self,
        blocks: &Blocks<'_>,
        wanted: &[usize],
        query: &Rounded,
        threshold: f32,
        dots: &mut [i32; BLOCK],
    ) -> Option<usize> {
        let Rounded { components, .. } = query;
        match self.held() {
            Self::Scalar => blocks.first(wanted, components.len(), threshold, |codes, bound| {
                scalar::finish(scalar::dot_prefixes(codes, components), bound, dots)
            }),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => simd128::first_above(blocks, wanted, components, threshold, dots),
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::RelaxedPairs => pairs::first_above(blocks, wanted, query, threshold, dots),
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::Relaxed => relaxed::first_above(blocks, wanted, components, threshold, dots),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => blocks.first(wanted, components.len(), threshold, |codes, bound| {
                scalar::finish(x86_64::dot_prefixes(codes, components, query.run), bound, dots)
            }),
        }
    }

    /// The dot products of a query with the centroids of 32 lists: 32 bytes a dimension, whose highest bits are
    /// not read.
    ///
    /// # Panics
    /// If the lengths do not fit together: a bug of the caller, never of the data.
    #[inline(always)]
    pub fn dot_centroids(self, codes: &[u8], query: &Rounded, dots: &mut [i32; BLOCK]) {
        let Rounded { components: query, .. } = query;
        check(codes, query);
        match self.held() {
            Self::Scalar => *dots = scalar::dot_centroids(codes, query),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => simd128::dot_centroids(codes, query, dots),
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::RelaxedPairs => pairs::dot_centroids(codes, query, dots),
            #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
            Self::Relaxed => relaxed::dot_centroids(codes, query, dots),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => *dots = x86_64::dot_centroids(codes, query),
        }
    }

    /// Scores from a block's dot products: `base + scale * ((2 dot - offset) * step)`. With squared norms
    /// (Euclidean archives) `2 score - norm`, which orders like minus the distance.
    ///
    /// Every operation is rounded on its own, in this order, so that SIMD cannot change a bit. The step is
    /// not negative.
    #[inline(always)]
    pub fn score(
        self,
        dots: &[i32; BLOCK],
        lengths: Lengths<'_>,
        affine: &Affine,
        out: &mut [f32; BLOCK],
    ) {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::score(dots, lengths, affine, out),
            _ => scalar::score(dots, lengths, affine, out),
        }
    }

    /// Which of 32 numbers lie above a threshold, a bit each.
    #[inline]
    #[must_use]
    pub fn above(self, numbers: &[f32; BLOCK], threshold: f32) -> u32 {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::above(numbers, threshold),
            _ => scalar::above(numbers, threshold),
        }
    }

    /// How many numbers lie above a threshold.
    #[inline]
    #[must_use]
    pub fn count_above(self, numbers: &[[f32; BLOCK]], threshold: f32) -> usize {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::count_above(numbers, threshold),
            _ => scalar::count_above(numbers, threshold),
        }
    }

    /// The least and the largest of the numbers that lie above a floor: [`f32::MAX`] and the floor, where none
    /// does. (Of two zeros any may be returned.)
    #[inline]
    #[must_use]
    pub fn extremes_above(self, numbers: &[[f32; BLOCK]], floor: f32) -> (f32, f32) {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::extremes_above(numbers, floor),
            _ => scalar::extremes_above(numbers, floor),
        }
    }

    /// The inner product of a vector with the integers of a code, in the order of [`Backend::dot`].
    ///
    /// `query` is padded with zeros to the dimension as stored; of what is longer, the shorter counts.
    #[inline]
    #[must_use]
    pub fn dot_code(self, code: ItemCode<'_>, query: &[f64]) -> f64 {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::dot_code(code, query),
            _ => scalar::dot_code(code, query),
        }
    }

    /// The inner product of a vector with the integers of the centroid of a list, given as the block of
    /// codes that it lies in and its place there: in the order of [`Backend::dot`], `query` as there.
    #[inline]
    #[must_use]
    pub fn dot_centroid(self, codes: &[u8], lane: usize, query: &[f64]) -> f64 {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::dot_centroid(codes, lane, query),
            _ => scalar::dot_centroid(codes, lane, query),
        }
    }

    /// Adds `scale` times the integers of a code to a vector, which may end before the padding does.
    #[inline]
    pub fn add_code(self, code: ItemCode<'_>, scale: f64, out: &mut [f64]) {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::add_code(code, scale, out),
            _ => scalar::add_code(code, scale, out),
        }
    }

    /// The inner product of two rows, in one order: component `j` is added to sum `j % 8`; then sums
    /// that are four apart are brought together, then two, then one.
    ///
    /// Rows have a length that is a multiple of [`LANES`]; of what is longer, the shorter counts.
    #[inline]
    #[must_use]
    pub fn dot(self, a: &[f64], b: &[f64]) -> f64 {
        match self.held() {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            it if it != Self::Scalar => simd128::dot(a, b),
            _ => scalar::dot(a, b),
        }
    }

    /// Takes out of `live`, a bit an item, the items whose number does not lie in `low..=high`;
    /// with lists, the items none of whose numbers do. Bit `i % 32` of word `i / 32` is item `i`;
    /// bits of items that are not there must not be set.
    ///
    /// Returns whether all lists that were looked at lie within the numbers, one behind the other:
    /// what stands in `live` means nothing where they do not.
    #[inline]
    #[must_use]
    pub fn keep_in_range(
        self,
        numbers: Packed<'_>,
        low: u64,
        high: u64,
        live: &mut [u32],
    ) -> bool {
        let largest = u64::MAX >> (64 - 8 * numbers.width.clamp(1, 8));
        if low > largest || high < low {
            live.fill(0);
            return true;
        }
        let high = high.min(largest);
        match (self.held(), numbers.width) {
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            (it, 1) if it != Self::Scalar => {
                range::keep(numbers, live, simd128::in_range_1(low, high))
            }
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            (it, 2) if it != Self::Scalar => {
                range::keep(numbers, live, simd128::in_range_2(low, high))
            }
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            (it, 4) if it != Self::Scalar => {
                range::keep(numbers, live, simd128::in_range_4(low, high))
            }
            (_, 1) => range::keep(numbers, live, scalar::in_range::<1>(low, high)),
            (_, 2) => range::keep(numbers, live, scalar::in_range::<2>(low, high)),
            (_, 4) => range::keep(numbers, live, scalar::in_range::<4>(low, high)),
            _ => range::keep(numbers, live, scalar::in_range::<8>(low, high)),
        }
    }
}

#[cfg(test)]
mod tests;
