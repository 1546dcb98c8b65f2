//! WebAssembly 128-bit SIMD.

#![allow(unsafe_code)]

use core::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_gt, f32x4_mul, f32x4_splat, f32x4_sub,
    i16x8_extend_high_u8x16, i16x8_extend_low_u8x16, i32x4_add, i32x4_dot_i16x8, i32x4_eq,
    i32x4_shl, i32x4_splat, i32x4_sub, u32x4_extend_low_u16x8, u32x4_splat, v128, v128_andnot,
    v128_any_true, v128_load, v128_load64_zero, v128_or, v128_store,
};

use super::Affine;
use super::code::BLOCK;

/// Sixteen bytes at any address.
#[inline(always)]
fn load(bytes: &[u8; 16]) -> v128 {
    // SAFETY: the reference covers the 16 bytes, and v128_load has no alignment requirement.
    unsafe { v128_load(bytes.as_ptr().cast::<v128>()) }
}

/// Eight accumulators of four items each stay in registers over the whole block; no horizontal
/// addition is needed, since a lane belongs to one item. Written out, and over arrays of fixed
/// length: in a loop over slices the accumulators would live in memory.
#[inline]
pub(super) fn dot_block(codes: &[u8], query: &[i16], out: &mut [i32; BLOCK]) {
    let mut sums = [i32x4_splat(0); 8];
    let (pair_codes, _) = codes.as_chunks::<{ 2 * BLOCK }>();
    let (pairs, _) = query.as_chunks::<2>();
    for (pair_codes, pair) in pair_codes.iter().zip(pairs) {
        // Both components of the pair in every 32-bit lane, low one first, as the codes lie.
        let q = i32x4_splat(i32::from(pair[0]) & 0xFFFF | i32::from(pair[1]) << 16);
        let (quarters, _) = pair_codes.as_chunks::<16>();
        let low = |i: usize| i32x4_dot_i16x8(i16x8_extend_low_u8x16(load(&quarters[i])), q);
        let high = |i: usize| i32x4_dot_i16x8(i16x8_extend_high_u8x16(load(&quarters[i])), q);
        sums[0] = i32x4_add(sums[0], low(0));
        sums[1] = i32x4_add(sums[1], high(0));
        sums[2] = i32x4_add(sums[2], low(1));
        sums[3] = i32x4_add(sums[3], high(1));
        sums[4] = i32x4_add(sums[4], low(2));
        sums[5] = i32x4_add(sums[5], high(2));
        sums[6] = i32x4_add(sums[6], low(3));
        sums[7] = i32x4_add(sums[7], high(3));
    }
    let (fours, _) = out.as_chunks_mut::<4>();
    for (four, sum) in fours.iter_mut().zip(sums) {
        // SAFETY: `four` is 16 bytes of i32, and v128_store has no alignment requirement.
        unsafe { v128_store(four.as_mut_ptr().cast::<v128>(), sum) };
    }
}

/// Four 16-bit scales as f32: the arithmetic of `code::scale_from_bits`.
#[inline]
fn scales_from_bits(four: &[u16], base: v128) -> v128 {
    debug_assert_eq!(four.len(), 4);
    // SAFETY: the callers pass four u16, 8 bytes, cut to that length; the load is unaligned.
    let bits = u32x4_extend_low_u16x8(unsafe { v128_load64_zero(four.as_ptr().cast::<u64>()) });
    let is_zero = i32x4_eq(bits, i32x4_splat(0));
    v128_andnot(i32x4_add(base, i32x4_shl(bits, 12)), is_zero)
}

#[inline]
pub(super) fn score_block(
    dots: &[i32; BLOCK],
    scales: &[u16],
    norms: Option<&[u16]>,
    affine: &Affine,
    threshold: f32,
    out: &mut [f32; BLOCK],
) -> bool {
    let offset = i32x4_splat(affine.offset);
    let (step, base) = (f32x4_splat(affine.step), f32x4_splat(affine.base));
    let scale_base = u32x4_splat(affine.scale_base << 23);
    let norm_base = u32x4_splat(affine.norm_base << 23);
    let threshold = f32x4_splat(threshold);
    let mut any = i32x4_splat(0);
    for (i, (four_dots, four_out)) in dots.chunks_exact(4).zip(out.chunks_exact_mut(4)).enumerate()
    {
        // SAFETY: `chunks_exact(4)` makes `four_dots` 16 bytes of i32; the load is unaligned.
        let dot = unsafe { v128_load(four_dots.as_ptr().cast::<v128>()) };
        let dot = f32x4_convert_i32x4(i32x4_sub(i32x4_shl(dot, 1), offset));
        let four = 4 * i..4 * i + 4;
        let scale = scales_from_bits(&scales[four.clone()], scale_base);
        let mut score = f32x4_add(base, f32x4_mul(scale, f32x4_mul(dot, step)));
        if let Some(norms) = norms {
            let norm = scales_from_bits(&norms[four], norm_base);
            score = f32x4_sub(f32x4_mul(f32x4_splat(2.0), score), norm);
        }
        any = v128_or(any, f32x4_gt(score, threshold));
        // SAFETY: `chunks_exact_mut(4)` makes `four_out` 16 bytes of f32; the store is unaligned.
        unsafe { v128_store(four_out.as_mut_ptr().cast::<v128>(), score) };
    }
    v128_any_true(any)
}
