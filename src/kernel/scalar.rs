//! The definition of every kernel, in the most obvious code.

use super::Affine;
use super::code::{BLOCK, byte_in_block, scale_from_bits};

pub(super) fn dot_block(codes: &[u8], query: &[i16], out: &mut [i32; BLOCK]) {
    for (lane, sum) in out.iter_mut().enumerate() {
        *sum = (0..query.len())
            .map(|j| i32::from(query[j]) * i32::from(codes[byte_in_block(lane, j)]))
            .sum();
    }
}

pub(super) fn score_block(
    dots: &[i32; BLOCK],
    scales: &[u16],
    norms: Option<&[u16]>,
    affine: &Affine,
    threshold: f32,
    out: &mut [f32; BLOCK],
) -> bool {
    for ((score, dot), bits) in out.iter_mut().zip(dots).zip(scales) {
        // Wrapping gives the true value, which fits (see `code`).
        let dot = dot.wrapping_mul(2).wrapping_sub(affine.offset) as f32;
        *score = affine.base + scale_from_bits(*bits, affine.scale_base) * (dot * affine.step);
    }
    if let Some(norms) = norms {
        for (score, bits) in out.iter_mut().zip(norms) {
            *score = 2.0 * *score - scale_from_bits(*bits, affine.norm_base);
        }
    }
    out.iter().fold(false, |any, score| any | (*score > threshold))
}
