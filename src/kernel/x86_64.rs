//! x86-64 with AVX2.

#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_cvtepu8_epi16, _mm256_madd_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::code::BLOCK;

pub(super) fn dot_block(codes: &[u8], query: &[i16], out: &mut [i32; BLOCK]) {
    // SAFETY: `Backend::best` is the only maker of `Avx2` outside of tests, and makes it only
    // where the machine has AVX2; `available` passes on what `best` made.
    unsafe { dot_block_avx2(codes, query, out) }
}

/// Four accumulators of eight items each.
#[target_feature(enable = "avx2")]
fn dot_block_avx2(codes: &[u8], query: &[i16], out: &mut [i32; BLOCK]) {
    let mut sums = [_mm256_setzero_si256(); 4];
    for (pair_codes, pair) in codes.chunks_exact(2 * BLOCK).zip(query.chunks_exact(2)) {
        let q = _mm256_set1_epi32(i32::from(pair[0]) & 0xFFFF | i32::from(pair[1]) << 16);
        for (quarter, sum) in pair_codes.chunks_exact(16).zip(&mut sums) {
            // SAFETY: `chunks_exact(16)` makes `quarter` 16 bytes long, and the load is unaligned.
            let bytes = unsafe { _mm_loadu_si128(quarter.as_ptr().cast::<__m128i>()) };
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_cvtepu8_epi16(bytes), q));
        }
    }
    for (eight, sum) in out.chunks_exact_mut(8).zip(sums) {
        // SAFETY: `chunks_exact_mut(8)` makes `eight` 32 bytes of i32, and the store is unaligned.
        unsafe { _mm256_storeu_si256(eight.as_mut_ptr().cast::<__m256i>(), sum) };
    }
}
