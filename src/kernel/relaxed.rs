//! WebAssembly relaxed SIMD: the byte dot product, within the range where it is defined.
//!
//! `i32x4.relaxed_dot_i8x16_i7x16_add_s` adds four neighbouring products of a signed byte and a byte of
//! 7 bits to a 32-bit sum. With the second within 0 to 127 (prefixes are within 0 to 15) every engine
//! gives the same sum, and nothing saturates on the way. On x86 with AVX-VNNI this is one
//! instruction (and ARM has one for it, SDOT); on older x86 it is three, and the form that adds two
//! products in 16 bits would be 1.4 times as fast there, as this one is here (`DESIGN.md`).

use core::arch::wasm32::{
    i32x4_relaxed_dot_i8x16_i7x16_add, i32x4_splat, u8x16_splat, u16x8_shr, v128, v128_and,
};

use super::code::BLOCK;
use super::simd128::add_to_each;

/// Four components of a query in every 32-bit lane.
#[inline(always)]
fn four(query: &[i8; 4]) -> v128 {
    i32x4_splat(i32::from_le_bytes(query.map(|q| q as u8)))
}

/// Eight accumulators of four items each, in registers over the whole block.
#[inline(always)]
pub(super) fn dot_prefixes(codes: &[u8], query: &[i8]) -> [v128; 8] {
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
#[inline(always)]
pub(super) fn dot_centroids(codes: &[u8], query: &[i8]) -> [v128; 8] {
    let mut sums = [i32x4_splat(0); 8];
    let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
    let (queries, _) = query.as_chunks::<4>();
    for (group, q) in groups.iter().zip(queries) {
        let q = four(q);
        let low = u8x16_splat(127);
        let dot = |sum, x| i32x4_relaxed_dot_i8x16_i7x16_add(q, v128_and(x, low), sum);
        add_to_each(&mut sums, group, dot);
    }
    sums
}
