//! WebAssembly 128-bit SIMD.

#![allow(unsafe_code)]

use core::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_extract_lane, f32x4_gt, f32x4_mul, f32x4_pmax,
    f32x4_pmin, f32x4_splat, f32x4_sub, f64x2_add, f64x2_convert_low_i32x4, f64x2_extract_lane,
    f64x2_mul, f64x2_splat, i8x16_bitmask, i8x16_narrow_i16x8, i8x16_swizzle, i16x8, i16x8_add,
    i16x8_mul, i16x8_narrow_i32x4, i16x8_splat, i16x8_sub, i32x4_add, i32x4_bitmask,
    i32x4_dot_i16x8, i32x4_eq, i32x4_extend_high_i16x8, i32x4_extend_low_i16x8,
    i32x4_extract_lane, i32x4_max, i32x4_shl, i32x4_shuffle, i32x4_splat, i32x4_sub, u8x16_le,
    u8x16_splat, u8x16_sub, u16x8_extend_low_u8x16, u16x8_le, u16x8_shr, u16x8_splat, u16x8_sub,
    u32x4_extend_high_u16x8, u32x4_extend_low_u16x8, u32x4_le, u32x4_load_extend_u16x4,
    u32x4_splat, u32x4_sub, v128, v128_and, v128_andnot, v128_any_true, v128_bitselect, v128_load,
    v128_store,
};

use super::code::{BLOCK, ItemCode, centroid_bytes};
use super::{Affine, Blocks, Bound, LANES, Lengths};

/// Sixteen bytes at any address.
#[inline(always)]
fn load(bytes: &[u8; 16]) -> v128 {
    // SAFETY: the reference covers the 16 bytes, and v128_load has no alignment requirement.
    unsafe { v128_load(bytes.as_ptr().cast::<v128>()) }
}

/// Eight numbers at any address.
#[inline(always)]
fn load_eight(numbers: &[u16; 8]) -> v128 {
    // SAFETY: the reference covers the 16 bytes, and the load is unaligned.
    unsafe { v128_load(numbers.as_ptr().cast::<v128>()) }
}

/// Four numbers to any address.
#[inline(always)]
fn store(four: &mut [f32; 4], numbers: v128) {
    // SAFETY: the reference covers the 16 bytes, and the store is unaligned.
    unsafe { v128_store(four.as_mut_ptr().cast::<v128>(), numbers) };
}

/// Four numbers at any address.
#[inline(always)]
fn load_four(numbers: &[i32; 4]) -> v128 {
    // SAFETY: the reference covers the 16 bytes, and the load is unaligned.
    unsafe { v128_load(numbers.as_ptr().cast::<v128>()) }
}

/// The same of f32.
#[inline(always)]
fn load_four_floats(numbers: &[f32; 4]) -> v128 {
    // SAFETY: the reference covers the 16 bytes, and the load is unaligned.
    unsafe { v128_load(numbers.as_ptr().cast::<v128>()) }
}

/// The end of a block's sums: see [`super::Backend::first_above`].
#[inline(always)]
pub(super) fn finish(sums: [v128; 8], bound: &Bound<'_>, dots: &mut [i32; BLOCK]) -> bool {
    let arithmetic = Arithmetic::new(&bound.affine);
    let pairs: [v128; 4] = std::array::from_fn(|i| i32x4_max(sums[i], sums[i + 4]));
    let largest = i32x4_max(i32x4_max(pairs[0], pairs[1]), i32x4_max(pairs[2], pairs[3]));
    // Not below zero: a negative product is largest with the smallest scale.
    let largest = i32x4_max(arithmetic.odd(largest), i32x4_splat(0));
    let score =
        arithmetic.score(largest, load_four_short(bound.scales), bound.norms.map(load_four_short));
    let may = v128_any_true(f32x4_gt(score, f32x4_splat(bound.threshold)));
    if may {
        store_dots(sums, dots);
    }
    may
}

/// Four numbers of 16 bits at any address, widened.
#[inline(always)]
fn load_four_short(numbers: &[u16; 4]) -> v128 {
    // SAFETY: the reference covers the eight bytes, and the load is unaligned.
    unsafe { u32x4_load_extend_u16x4(numbers.as_ptr()) }
}

/// Eight sums of four items each as the numbers that they are.
#[inline(always)]
pub(super) fn store_dots(sums: [v128; 8], dots: &mut [i32; BLOCK]) {
    for (four, sum) in dots.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
        // SAFETY: the reference covers the 16 bytes, and the store is unaligned.
        unsafe { v128_store(four.as_mut_ptr().cast::<v128>(), sum) };
    }
}

/// Brings each of a block's eight sums, of four items each, up to date with one group of its codes,
/// four bytes an item.
///
/// Written out, and over arrays of fixed length: in a loop over slices the sums would live in memory
/// and not in registers.
#[inline(always)]
pub(super) fn add_to_each(
    sums: &mut [v128; 8],
    group: &[u8; 4 * BLOCK],
    add: impl Fn(v128, v128) -> v128,
) {
    let (fours, _) = group.as_chunks::<16>();
    sums[0] = add(sums[0], load(&fours[0]));
    sums[1] = add(sums[1], load(&fours[1]));
    sums[2] = add(sums[2], load(&fours[2]));
    sums[3] = add(sums[3], load(&fours[3]));
    sums[4] = add(sums[4], load(&fours[4]));
    sums[5] = add(sums[5], load(&fours[5]));
    sums[6] = add(sums[6], load(&fours[6]));
    sums[7] = add(sums[7], load(&fours[7]));
}

/// A 16-bit lane holds four prefixes of one item. Masking leaves one of them in each lane, and the
/// 16-bit dot product adds those of two neighbouring lanes: dimensions 0 and 2 of the group, then
/// 4 and 6, 1 and 3, 5 and 7. Nothing is widened or shuffled.
///
#[inline(always)]
fn dot_prefixes(codes: &[u8], query: &[i8]) -> [v128; 8] {
    let mut sums = [i32x4_splat(0); 8];
    let half = u16x8_splat(15);
    let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
    let (queries, _) = query.as_chunks::<8>();
    for (group, q) in groups.iter().zip(queries) {
        let pair = |a: usize| i32x4_splat(i32::from(q[a]) & 0xFFFF | i32::from(q[a + 2]) << 16);
        let (q02, q46, q13, q57) = (pair(0), pair(4), pair(1), pair(5));
        let dot = |sum: v128, x: v128| {
            let low = i32x4_add(
                i32x4_dot_i16x8(v128_and(x, half), q02),
                i32x4_dot_i16x8(v128_and(u16x8_shr(x, 4), half), q46),
            );
            let high = i32x4_add(
                i32x4_dot_i16x8(v128_and(u16x8_shr(x, 8), half), q13),
                i32x4_dot_i16x8(u16x8_shr(x, 12), q57),
            );
            i32x4_add(sum, i32x4_add(low, high))
        };
        add_to_each(&mut sums, group, dot);
    }
    sums
}

/// See [`super::Backend::first_above`].
///
/// Not inlined: within what calls it, compilers would keep other things in the registers that it needs. But the
/// blocks follow each other in here, since a call for each took a tenth of their time.
#[inline(never)]
pub(super) fn first_above(
    blocks: &Blocks<'_>,
    wanted: &[usize],
    query: &[i8],
    threshold: f32,
    dots: &mut [i32; BLOCK],
) -> Option<usize> {
    let may = |codes: &[u8], bound: &Bound<'_>| finish(dot_prefixes(codes, query), bound, dots);
    blocks.first(wanted, query.len(), threshold, may)
}

/// The same for bytes: even and odd dimensions of a group of four, in one 16-bit lane each.
#[inline(never)]
pub(super) fn dot_centroids(codes: &[u8], query: &[i8], dots: &mut [i32; BLOCK]) {
    let mut sums = [i32x4_splat(0); 8];
    let low = u16x8_splat(127);
    let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
    let (queries, _) = query.as_chunks::<4>();
    for (group, q) in groups.iter().zip(queries) {
        let pair = |a: usize| i32x4_splat(i32::from(q[a]) & 0xFFFF | i32::from(q[a + 2]) << 16);
        let (q02, q13) = (pair(0), pair(1));
        let dot = |sum: v128, x: v128| {
            let even = i32x4_dot_i16x8(v128_and(x, low), q02);
            i32x4_add(sum, i32x4_add(even, i32x4_dot_i16x8(v128_and(u16x8_shr(x, 8), low), q13)))
        };
        add_to_each(&mut sums, group, dot);
    }
    store_dots(sums, dots);
}

/// Eight numbers of 16 bits, from the `i`-th eight of a block's 32.
#[inline(always)]
fn eight(numbers: &[u16; BLOCK], i: usize) -> v128 {
    load_eight(&numbers.as_chunks::<8>().0[i])
}

/// The lower or, for an odd `i`, the upper four of them, widened.
#[inline(always)]
fn half(eight: v128, i: usize) -> v128 {
    if i.is_multiple_of(2) {
        u32x4_extend_low_u16x8(eight)
    } else {
        u32x4_extend_high_u16x8(eight)
    }
}

/// Four of them, widened, as f32: the arithmetic of `code::scale_from_bits`.
#[inline(always)]
fn scales_from_bits(bits: v128, base: v128) -> v128 {
    let is_zero = i32x4_eq(bits, i32x4_splat(0));
    v128_andnot(i32x4_add(base, i32x4_shl(bits, 12)), is_zero)
}

/// What turns dot products into scores, in every lane.
struct Arithmetic {
    offset: v128,
    step: v128,
    base: v128,
    scale_base: v128,
    norm_base: v128,
}

impl Arithmetic {
    #[inline(always)]
    fn new(affine: &Affine) -> Self {
        Self {
            offset: i32x4_splat(affine.offset),
            step: f32x4_splat(affine.step),
            base: f32x4_splat(affine.base),
            scale_base: u32x4_splat(affine.scale_base << 23),
            norm_base: u32x4_splat(affine.norm_base << 23),
        }
    }

    /// The odd integers that dot products stand for.
    #[inline(always)]
    fn odd(&self, dots: v128) -> v128 {
        i32x4_sub(i32x4_shl(dots, 1), self.offset)
    }

    /// `super::scalar::score`, of four items.
    #[inline(always)]
    fn score(&self, odd: v128, scale: v128, norm: Option<v128>) -> v128 {
        let scale = scales_from_bits(scale, self.scale_base);
        let product = f32x4_mul(scale, f32x4_mul(f32x4_convert_i32x4(odd), self.step));
        let score = f32x4_add(self.base, product);
        match norm {
            Some(norm) => {
                let norm = scales_from_bits(norm, self.norm_base);
                f32x4_sub(f32x4_mul(f32x4_splat(2.0), score), norm)
            }
            None => score,
        }
    }
}

/// See [`super::Backend::score`].
///
/// A function of its own: engines compile it before they give their first answer, once for items and all kinds
/// of centroids.
#[inline(never)]
pub(super) fn score(
    dots: &[i32; BLOCK],
    lengths: Lengths<'_>,
    affine: &Affine,
    out: &mut [f32; BLOCK],
) {
    let arithmetic = Arithmetic::new(affine);
    let (fours, _) = out.as_chunks_mut::<4>();
    for (i, (four, dots)) in fours.iter_mut().zip(dots.as_chunks::<4>().0).enumerate() {
        let norm = lengths.norms.map(|norms| half(eight(norms, i / 2), i));
        let scale = half(eight(lengths.scales, i / 2), i);
        store(four, arithmetic.score(arithmetic.odd(load_four(dots)), scale, norm));
    }
}

#[inline(always)]
pub(super) fn above(numbers: &[f32; BLOCK], threshold: f32) -> u32 {
    let threshold = f32x4_splat(threshold);
    let (fours, _) = numbers.as_chunks::<4>();
    let bits =
        |four: &[f32; 4]| u32::from(i32x4_bitmask(f32x4_gt(load_four_floats(four), threshold)));
    fours.iter().rev().fold(0, |word, four| word << 4 | bits(four))
}

pub(super) fn count_above(numbers: &[[f32; BLOCK]], threshold: f32) -> usize {
    let threshold = f32x4_splat(threshold);
    let mut counts = i32x4_splat(0);
    for four in numbers.as_flattened().as_chunks::<4>().0 {
        // All ones are minus one.
        counts = i32x4_sub(counts, f32x4_gt(load_four_floats(four), threshold));
    }
    let counts = i32x4_add(counts, i32x4_shuffle::<2, 3, 0, 1>(counts, counts));
    (i32x4_extract_lane::<0>(counts) + i32x4_extract_lane::<1>(counts)) as usize
}

pub(super) fn extremes_above(numbers: &[[f32; BLOCK]], floor: f32) -> (f32, f32) {
    let (floor, most) = (f32x4_splat(floor), f32x4_splat(f32::MAX));
    let (mut low, mut high) = (most, floor);
    for four in numbers.as_flattened().as_chunks::<4>().0 {
        let four = load_four_floats(four);
        high = f32x4_pmax(high, four);
        low = f32x4_pmin(low, v128_bitselect(four, most, f32x4_gt(four, floor)));
    }
    // Of four, of two, of one.
    let low = f32x4_pmin(low, i32x4_shuffle::<2, 3, 0, 1>(low, low));
    let low = f32x4_pmin(low, i32x4_shuffle::<1, 0, 3, 2>(low, low));
    let high = f32x4_pmax(high, i32x4_shuffle::<2, 3, 0, 1>(high, high));
    let high = f32x4_pmax(high, i32x4_shuffle::<1, 0, 3, 2>(high, high));
    (f32x4_extract_lane::<0>(low), f32x4_extract_lane::<0>(high))
}

/// How the refining bits of eight dimensions come into one 16-bit lane each, by their width: which two
/// bytes of a group hold a dimension's, and the factor that brings them to the top of the lane. (Lanes
/// cannot be shifted by different numbers of bits; products with powers of two can.)
struct Spread {
    bytes: [u8; 16],
    factors: [u16; 8],
}

const SPREADS: [Spread; 5] = {
    let mut spreads = [const { Spread { bytes: [0; 16], factors: [0; 8] } }; 5];
    let mut width = 1;
    while width < spreads.len() {
        let mut j = 0;
        while j < 8 {
            let at = j * width;
            spreads[width].bytes[2 * j] = (at / 8) as u8;
            // Behind the last byte lies none that is needed.
            spreads[width].bytes[2 * j + 1] = (at / 8 + 1) as u8;
            spreads[width].factors[j] = 1 << (16 - width - at % 8);
            j += 1;
        }
        width += 1;
    }
    spreads
};

/// The odd integers of a code as f64, eight dimensions at a time: see `code::values`.
#[inline(always)]
fn values(code: ItemCode<'_>) -> impl Iterator<Item = [v128; 4]> {
    let width = code.width();
    let offset = i16x8_splat(code.offset() as i16);
    let Spread { bytes, factors } = &SPREADS[width as usize];
    let (bytes, factors) = (load(bytes), load_eight(factors));
    // Low and high halves of bytes come to lie above the refining bits, and twice as high.
    let (low, high) = (1 << (width + 5), 1 << (width + 1));
    let prefix_factors = i16x8(low, low, low, low, high, high, high, high);
    code.groups().map(move |(prefixes, refining)| {
        let twice = u16x8_extend_low_u8x16(i32x4_splat(i32::from_le_bytes(prefixes)));
        let halves = v128_and(twice, i16x8(15, 15, 15, 15, 240, 240, 240, 240));
        let prefixes = u16x8_shr(i16x8_mul(halves, prefix_factors), 4);
        let refining = i8x16_swizzle(i32x4_splat(refining as i32), bytes);
        let refining = u16x8_shr(i16x8_mul(refining, factors), 15 - width);
        let refining = v128_and(refining, i16x8_splat(!1));
        let odd = i16x8_sub(i16x8_add(prefixes, refining), offset);
        let (first, last) = (i32x4_extend_low_i16x8(odd), i32x4_extend_high_i16x8(odd));
        [f64x2_convert_low_i32x4(first), upper(first), f64x2_convert_low_i32x4(last), upper(last)]
    })
}

/// The last two of four integers as f64.
#[inline(always)]
fn upper(four: v128) -> v128 {
    f64x2_convert_low_i32x4(i32x4_shuffle::<2, 3, 2, 3>(four, four))
}

/// Two numbers at any address.
#[inline(always)]
fn pair(numbers: &[f64; 2]) -> v128 {
    // SAFETY: the reference covers the 16 bytes, and the load is unaligned.
    unsafe { v128_load(numbers.as_ptr().cast::<v128>()) }
}

/// Two of the eight running sums of an inner product in each register.
struct Sums([v128; LANES / 2]);

impl Sums {
    #[inline(always)]
    fn new() -> Self {
        Self([f64x2_splat(0.0); LANES / 2])
    }

    /// Adds two products to sums `2 i` and `2 i + 1`.
    #[inline(always)]
    fn add(&mut self, i: usize, a: v128, b: v128) {
        self.0[i] = f64x2_add(self.0[i], f64x2_mul(a, b));
    }

    #[inline(always)]
    fn total(self) -> f64 {
        let Self(sums) = self;
        let halves = f64x2_add(f64x2_add(sums[0], sums[2]), f64x2_add(sums[1], sums[3]));
        f64x2_extract_lane::<0>(halves) + f64x2_extract_lane::<1>(halves)
    }
}

pub(super) fn dot_code(code: ItemCode<'_>, query: &[f64]) -> f64 {
    let mut sums = Sums::new();
    for (values, query) in values(code).zip(query.as_chunks::<LANES>().0) {
        let (pairs, _) = query.as_chunks::<2>();
        sums.add(0, pair(&pairs[0]), values[0]);
        sums.add(1, pair(&pairs[1]), values[1]);
        sums.add(2, pair(&pairs[2]), values[2]);
        sums.add(3, pair(&pairs[3]), values[3]);
    }
    sums.total()
}

pub(super) fn dot_centroid(codes: &[u8], lane: usize, query: &[f64]) -> f64 {
    let mut sums = Sums::new();
    let offset = i32x4_splat(127);
    let four = |bytes: [u8; 4]| {
        let bytes = v128_and(i32x4_splat(i32::from_le_bytes(bytes)), u8x16_splat(127));
        let codes = u32x4_extend_low_u16x8(u16x8_extend_low_u8x16(bytes));
        i32x4_sub(i32x4_shl(codes, 1), offset)
    };
    let (queries, _) = query.as_chunks::<4>();
    for (i, (bytes, query)) in centroid_bytes(codes, lane).zip(queries).enumerate() {
        let (values, (pairs, _)) = (four(bytes), query.as_chunks::<2>());
        sums.add(i % 2 * 2, pair(&pairs[0]), f64x2_convert_low_i32x4(values));
        sums.add(i % 2 * 2 + 1, pair(&pairs[1]), upper(values));
    }
    sums.total()
}

#[inline]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = Sums::new();
    for (x, y) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        let (x, y) = (x.as_chunks::<2>().0, y.as_chunks::<2>().0);
        sums.add(0, pair(&x[0]), pair(&y[0]));
        sums.add(1, pair(&x[1]), pair(&y[1]));
        sums.add(2, pair(&x[2]), pair(&y[2]));
        sums.add(3, pair(&x[3]), pair(&y[3]));
    }
    sums.total()
}

pub(super) fn add_code(code: ItemCode<'_>, scale: f64, out: &mut [f64]) {
    let scale = f64x2_splat(scale);
    for (values, out) in values(code).zip(out.chunks_mut(8)) {
        let (pairs, rest) = out.as_chunks_mut::<2>();
        for (two, value) in pairs.iter_mut().zip(values) {
            let sum = f64x2_add(pair(two), f64x2_mul(scale, value));
            // SAFETY: `two` is 16 bytes of f64, and the store is unaligned.
            unsafe { v128_store(two.as_mut_ptr().cast::<v128>(), sum) };
        }
        if let ([x], Some(value)) = (rest, values.get(pairs.len())) {
            *x += f64x2_extract_lane::<0>(f64x2_mul(scale, *value));
        }
    }
}

/// Which of sixteen numbers lie in a range. `x - low <= high - low`, without sign, is both
/// comparisons in one. What a comparison leaves is all ones or zero in a lane, which narrowing
/// with sign keeps as it is.
#[inline(always)]
pub(super) fn in_range_1(low: u64, high: u64) -> impl Fn(&[[u8; 1]; 16]) -> u32 {
    let (low, span) = (u8x16_splat(low as u8), u8x16_splat((high - low) as u8));
    move |numbers| {
        let x = load(&numbers.map(|[byte]| byte));
        u32::from(i8x16_bitmask(u8x16_le(u8x16_sub(x, low), span)))
    }
}

#[inline(always)]
pub(super) fn in_range_2(low: u64, high: u64) -> impl Fn(&[[u8; 2]; 16]) -> u32 {
    let (low, span) = (u16x8_splat(low as u16), u16x8_splat((high - low) as u16));
    move |numbers| {
        let (eights, _) = numbers.as_flattened().as_chunks::<16>();
        let inside = |i: usize| u16x8_le(u16x8_sub(load(&eights[i]), low), span);
        u32::from(i8x16_bitmask(i8x16_narrow_i16x8(inside(0), inside(1))))
    }
}

#[inline(always)]
pub(super) fn in_range_4(low: u64, high: u64) -> impl Fn(&[[u8; 4]; 16]) -> u32 {
    let (low, span) = (u32x4_splat(low as u32), u32x4_splat((high - low) as u32));
    move |numbers| {
        let (fours, _) = numbers.as_flattened().as_chunks::<16>();
        let inside = |i: usize| u32x4_le(u32x4_sub(load(&fours[i]), low), span);
        let eight = |i: usize| i16x8_narrow_i32x4(inside(i), inside(i + 1));
        u32::from(i8x16_bitmask(i8x16_narrow_i16x8(eight(0), eight(2))))
    }
}
