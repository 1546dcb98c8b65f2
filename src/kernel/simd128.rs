//! WebAssembly 128-bit SIMD.

#![allow(unsafe_code)]

use core::arch::wasm32::{
    i16x8_extend_high_u8x16, i16x8_extend_low_u8x16, i32x4_add, i32x4_dot_i16x8, i32x4_splat,
    v128, v128_load, v128_store,
};

use super::code::BLOCK;

/// Eight accumulators of four items each stay in registers over the whole block; no horizontal
/// addition is needed, since a lane belongs to one item.
#[inline]
pub(super) fn dot_block(codes: &[u8], query: &[i16], out: &mut [i32; BLOCK]) {
    let mut sums = [i32x4_splat(0); 8];
    for (pair_codes, pair) in codes.chunks_exact(2 * BLOCK).zip(query.chunks_exact(2)) {
        // Both components of the pair in every 32-bit lane, low one first, as the codes lie.
        let q = i32x4_splat(i32::from(pair[0]) & 0xFFFF | i32::from(pair[1]) << 16);
        for (quarter, sums) in pair_codes.chunks_exact(16).zip(sums.chunks_exact_mut(2)) {
            // SAFETY: `chunks_exact(16)` makes `quarter` 16 bytes long, and v128_load has no
            // alignment requirement.
            let bytes = unsafe { v128_load(quarter.as_ptr().cast::<v128>()) };
            sums[0] = i32x4_add(sums[0], i32x4_dot_i16x8(i16x8_extend_low_u8x16(bytes), q));
            sums[1] = i32x4_add(sums[1], i32x4_dot_i16x8(i16x8_extend_high_u8x16(bytes), q));
        }
    }
    for (four, sum) in out.chunks_exact_mut(4).zip(sums) {
        // SAFETY: `chunks_exact_mut(4)` makes `four` 16 bytes of i32, and v128_store has no
        // alignment requirement.
        unsafe { v128_store(four.as_mut_ptr().cast::<v128>(), sum) };
    }
}
