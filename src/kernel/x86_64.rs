//! x86-64 with AVX2.

#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m256i, _mm256_add_epi16, _mm256_add_epi32, _mm256_and_si256, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_srli_epi16, _mm256_storeu_si256,
};

use super::code::BLOCK;

pub(super) fn dot_centroids(codes: &[u8], query: &[i8]) -> [i32; BLOCK] {
    // SAFETY: `Backend::best` is the only maker of `Avx2` outside of tests, and makes it only
    // where the machine has AVX2; `available` passes on what `best` made.
    unsafe { dot_centroids_avx2(codes, query) }
}

pub(super) fn dot_prefixes(codes: &[u8], query: &[i8], run: usize) -> [i32; BLOCK] {
    // SAFETY: as in `dot_centroids`.
    unsafe { dot_prefixes_avx2(codes, query, run) }
}

/// Four accumulators of eight items each. A byte below 128 times one within ±127, twice, fits 16 bits.
#[target_feature(enable = "avx2")]
fn dot_centroids_avx2(codes: &[u8], query: &[i8]) -> [i32; BLOCK] {
    let mut sums = [_mm256_setzero_si256(); 4];
    let (low, ones) = (_mm256_set1_epi8(127), _mm256_set1_epi16(1));
    for (group, q) in codes.chunks_exact(4 * BLOCK).zip(query.as_chunks::<4>().0) {
        let q = _mm256_set1_epi32(i32::from_le_bytes(q.map(|q| q as u8)));
        for (eight, sum) in group.chunks_exact(32).zip(&mut sums) {
            // SAFETY: `chunks_exact(32)` makes `eight` 32 bytes long; the load is unaligned.
            let x = unsafe { _mm256_loadu_si256(eight.as_ptr().cast::<__m256i>()) };
            let x = _mm256_and_si256(x, low);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_maddubs_epi16(x, q), ones));
        }
    }
    stored(sums)
}

/// Four accumulators of eight items each, in 16 bits for `run` groups of eight dimensions and then in 32.
#[target_feature(enable = "avx2")]
fn dot_prefixes_avx2(codes: &[u8], query: &[i8], run: usize) -> [i32; BLOCK] {
    let mut sums = [_mm256_setzero_si256(); 4];
    let half = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let runs = codes.chunks(4 * BLOCK * run);
    for (part, queries) in runs.zip(query.chunks(8 * run)) {
        let mut short = [_mm256_setzero_si256(); 4];
        for (group, q) in part.chunks_exact(4 * BLOCK).zip(queries.as_chunks::<8>().0) {
            let four = |i: usize| {
                let bytes = [q[i] as u8, q[i + 1] as u8, q[i + 2] as u8, q[i + 3] as u8];
                _mm256_set1_epi32(i32::from_le_bytes(bytes))
            };
            let (low, high) = (four(0), four(4));
            for (eight, sum) in group.chunks_exact(32).zip(&mut short) {
                // SAFETY: `chunks_exact(32)` makes `eight` 32 bytes long; the load is unaligned.
                let x = unsafe { _mm256_loadu_si256(eight.as_ptr().cast::<__m256i>()) };
                let a = _mm256_maddubs_epi16(_mm256_and_si256(x, half), low);
                let b = _mm256_and_si256(_mm256_srli_epi16(x, 4), half);
                let b = _mm256_maddubs_epi16(b, high);
                *sum = _mm256_add_epi16(*sum, _mm256_add_epi16(a, b));
            }
        }
        for (sum, short) in sums.iter_mut().zip(short) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(short, ones));
        }
    }
    stored(sums)
}

#[target_feature(enable = "avx2")]
fn stored(sums: [__m256i; 4]) -> [i32; BLOCK] {
    let mut out = [0; BLOCK];
    for (eight, sum) in out.chunks_exact_mut(8).zip(sums) {
        // SAFETY: `chunks_exact_mut(8)` makes `eight` 32 bytes of i32, and the store is unaligned.
        unsafe { _mm256_storeu_si256(eight.as_mut_ptr().cast::<__m256i>(), sum) };
    }
    out
}
