//! WebAssembly relaxed SIMD: the byte dot product, within the range where it is defined.
//!
//! `i16x8.relaxed_dot_i8x16_i7x16_s` adds two neighbouring products of a signed byte and a byte
//! of 7 bits. With the second within 0 to 127 (prefixes are within 0 to 15) every engine gives the
//! same sum. The form that adds four products in 32 bits would save a few instructions, but needs
//! VNNI to be fast, and a baseline compiler has been seen to return it doubled.

use core::arch::wasm32::{
    i16x8_add, i16x8_relaxed_dot_i8x16_i7x16, i16x8_splat, i32x4_add, i32x4_extadd_pairwise_i16x8,
    i32x4_splat, u8x16_splat, u16x8_shr, v128, v128_and,
};

use super::code::BLOCK;
use super::simd128::{load, store_sums};

/// Groups of eight dimensions whose products 16 bits hold: each adds at most `2 * 2 * 15 * 127`
/// to a lane.
const GROUPS_IN_16_BITS: usize = 4;

/// Eight accumulators of four items each, in 16 bits for a while and then in 32.
#[inline(always)]
pub(super) fn dot_prefixes(codes: &[u8], query: &[i8], out: &mut [i32; BLOCK]) {
    let mut sums = [i32x4_splat(0); 8];
    let half = u8x16_splat(15);
    let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
    let (queries, _) = query.as_chunks::<8>();
    for (groups, queries) in
        groups.chunks(GROUPS_IN_16_BITS).zip(queries.chunks(GROUPS_IN_16_BITS))
    {
        let mut short = [i16x8_splat(0); 8];
        for (group, q) in groups.iter().zip(queries) {
            let four = |i: usize| {
                let bytes = [q[i] as u8, q[i + 1] as u8, q[i + 2] as u8, q[i + 3] as u8];
                i32x4_splat(i32::from_le_bytes(bytes))
            };
            let (low, high) = (four(0), four(4));
            let (fours, _) = group.as_chunks::<16>();
            let dot = |sum: v128, four: &[u8; 16]| {
                let x = load(four);
                let a = i16x8_relaxed_dot_i8x16_i7x16(low, v128_and(x, half));
                let b = i16x8_relaxed_dot_i8x16_i7x16(high, v128_and(u16x8_shr(x, 4), half));
                i16x8_add(i16x8_add(sum, a), b)
            };
            short[0] = dot(short[0], &fours[0]);
            short[1] = dot(short[1], &fours[1]);
            short[2] = dot(short[2], &fours[2]);
            short[3] = dot(short[3], &fours[3]);
            short[4] = dot(short[4], &fours[4]);
            short[5] = dot(short[5], &fours[5]);
            short[6] = dot(short[6], &fours[6]);
            short[7] = dot(short[7], &fours[7]);
        }
        for (sum, short) in sums.iter_mut().zip(short) {
            *sum = i32x4_add(*sum, i32x4_extadd_pairwise_i16x8(short));
        }
    }
    store_sums(sums, out);
}
