//! WebAssembly relaxed SIMD: byte dot products, within the range where they are defined.
//!
//! There are two. `i32x4.relaxed_dot_i8x16_i7x16_add_s` adds four neighbouring products of a signed byte
//! and a byte of 7 bits to a 32-bit sum; `i16x8.relaxed_dot_i8x16_i7x16_s` adds two of them in 16 bits.
//! With the second operand within 0 to 127 (prefixes are within 0 to 15) every engine gives the same sums, and
//! nothing saturates on the way. Where the former is one instruction (x86 with AVX-VNNI, ARM with SDOT) it
//! is the faster one; on other x86 it is several, and [`pairs`] is faster. [`adds_pairs_first`] says which.

use core::arch::wasm32::{
    i16x8_relaxed_dot_i8x16_i7x16, i32x4_all_true, i32x4_eq, i32x4_extadd_pairwise_i16x8,
    i32x4_extract_lane, i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, u8x16_splat, u16x8_shr,
    u64x2, v128, v128_and,
};
use std::hint::black_box;

use super::code::BLOCK;
use super::simd128::{add_to_each, finish, store_dots};
use super::{Blocks, Bound};

/// Whether the engine adds two products in 16 bits first, and does so rightly.
///
/// 255 is no number of 7 bits, so that what comes of it is the engine's choice, and tells how it goes about
/// it: such sums saturate. (A page loads this module only where the sums of four are right.)
pub(super) fn adds_pairs_first() -> bool {
    let bytes = black_box(u64x2(0x7F7F_7F7F_81FE_0381, 0x7F01_7F7F_7F7F_7F7F));
    let (short, outside) =
        (black_box(u64x2(0x7F11_0703_7F2A_0F01, 0x7F00_3C7F_7F7F_7F7F)), u8x16_splat(255));
    let zero = i32x4_splat(0);
    let four = |bytes, short| i32x4_relaxed_dot_i8x16_i7x16_add(bytes, short, zero);
    let pairs = i32x4_extadd_pairwise_i16x8(i16x8_relaxed_dot_i8x16_i7x16(bytes, short));
    i32x4_extract_lane::<2>(four(bytes, outside)) == 2 * i32::from(i16::MAX)
        && i32x4_all_true(i32x4_eq(pairs, four(bytes, short)))
}

/// Four components of a query in every 32-bit lane.
#[inline(always)]
fn four(query: &[i8; 4]) -> v128 {
    i32x4_splat(i32::from_le_bytes(query.map(|q| q as u8)))
}

/// As in `simd128`. Engines compile what is called, and only one of the two forms is.
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

/// Eight accumulators of four items each, in registers over the whole block.
#[inline(always)]
fn dot_prefixes(codes: &[u8], query: &[i8]) -> [v128; 8] {
    let mut sums = [i32x4_splat(0); 8];
    let half = u8x16_splat(15);
    let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
    let (queries, _) = query.as_chunks::<4>();
    let (queries, _) = queries.as_chunks::<2>();
    for (group, [low, high]) in groups.iter().zip(queries) {
        let (low, high) = (four(low), four(high));
        let dot = |sum: v128, x: v128| {
            let sum = i32x4_relaxed_dot_i8x16_i7x16_add(low, v128_and(x, half), sum);
            i32x4_relaxed_dot_i8x16_i7x16_add(high, v128_and(u16x8_shr(x, 4), half), sum)
        };
        add_to_each(&mut sums, group, dot);
    }
    sums
}

/// The same for centroids, whose bytes are the operand as they lie (but for their highest bits).
#[inline(never)]
pub(super) fn dot_centroids(codes: &[u8], query: &[i8], dots: &mut [i32; BLOCK]) {
    let dot = |sum, q, x| i32x4_relaxed_dot_i8x16_i7x16_add(q, x, sum);
    centroids_by(dot, codes, query, dots);
}

/// By a form of dot product of query and centroids, which brings a sum up to date.
#[inline(always)]
fn centroids_by(
    dot: impl Fn(v128, v128, v128) -> v128,
    codes: &[u8],
    query: &[i8],
    dots: &mut [i32; BLOCK],
) {
    let mut sums = [i32x4_splat(0); 8];
    let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
    let (queries, _) = query.as_chunks::<4>();
    for (group, q) in groups.iter().zip(queries) {
        let (q, low) = (four(q), u8x16_splat(127));
        add_to_each(&mut sums, group, |sum, x| dot(sum, q, v128_and(x, low)));
    }
    store_dots(sums, dots);
}

/// By sums of two products in 16 bits.
pub(super) mod pairs {
    use core::arch::wasm32::{
        i16x8_add, i16x8_relaxed_dot_i8x16_i7x16, i32x4_add, i32x4_extadd_pairwise_i16x8,
        i32x4_splat, u8x16_splat, u16x8_shr, v128, v128_and,
    };

    use super::super::code::BLOCK;
    use super::super::simd128::{add_to_each, finish};
    use super::super::{Blocks, Bound, Rounded};
    use super::{centroids_by, four};

    #[inline(never)]
    pub(crate) fn first_above(
        blocks: &Blocks<'_>,
        wanted: &[usize],
        query: &Rounded,
        threshold: f32,
        dots: &mut [i32; BLOCK],
    ) -> Option<usize> {
        let Rounded { components, run } = query;
        let sums = |codes: &[u8]| dot_prefixes(codes, components, *run);
        let may = |codes: &[u8], bound: &Bound<'_>| finish(sums(codes), bound, dots);
        blocks.first(wanted, components.len(), threshold, may)
    }

    /// `run` groups of eight dimensions are added up in 16 bits before they are widened.
    #[inline(always)]
    fn dot_prefixes(codes: &[u8], query: &[i8], run: usize) -> [v128; 8] {
        let mut sums = [i32x4_splat(0); 8];
        let half = u8x16_splat(15);
        let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
        let (queries, _) = query.as_chunks::<4>();
        let (queries, _) = queries.as_chunks::<2>();
        for (i, (groups, queries)) in groups.chunks(run).zip(queries.chunks(run)).enumerate() {
            let mut pairs = [i32x4_splat(0); 8];
            for (group, [low, high]) in groups.iter().zip(queries) {
                let (low, high) = (four(low), four(high));
                let dot = |sum: v128, x: v128| {
                    let high_of = v128_and(u16x8_shr(x, 4), half);
                    let low = i16x8_relaxed_dot_i8x16_i7x16(low, v128_and(x, half));
                    let high = i16x8_relaxed_dot_i8x16_i7x16(high, high_of);
                    i16x8_add(i16x8_add(sum, low), high)
                };
                add_to_each(&mut pairs, group, dot);
            }
            let wide = pairs.map(|pairs| i32x4_extadd_pairwise_i16x8(pairs));
            // Of few dimensions it is nearly always the only one: then there is nothing to keep beside its sums.
            if i == 0 {
                sums = wide;
            } else {
                for (sum, wide) in sums.iter_mut().zip(wide) {
                    *sum = i32x4_add(*sum, wide);
                }
            }
        }
        sums
    }

    #[inline(never)]
    pub(crate) fn dot_centroids(codes: &[u8], query: &[i8], dots: &mut [i32; BLOCK]) {
        let dot = |sum, q, x| {
            let pairs = i16x8_relaxed_dot_i8x16_i7x16(q, x);
            i32x4_add(sum, i32x4_extadd_pairwise_i16x8(pairs))
        };
        centroids_by(dot, codes, query, dots);
    }
}
