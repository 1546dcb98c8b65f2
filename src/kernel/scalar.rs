//! The definition of every kernel, in the most obvious code.

use super::code::{
    BLOCK, CENTROID_BITS, ItemCode, centroid_bytes, centroid_code, code_value, prefix,
    scale_from_bits, values,
};
use super::{Affine, Bound, LANES, Lengths};

pub(super) fn dot_centroids(codes: &[u8], query: &[i8]) -> [i32; BLOCK] {
    std::array::from_fn(|lane| {
        (0..query.len())
            .map(|j| i32::from(query[j]) * i32::from(centroid_code(codes, lane, j)))
            .sum()
    })
}

pub(super) fn dot_prefixes(codes: &[u8], query: &[i8]) -> [i32; BLOCK] {
    std::array::from_fn(|lane| {
        (0..query.len()).map(|j| i32::from(query[j]) * i32::from(prefix(codes, lane, j))).sum()
    })
}

/// Whether a block with these dot products may hold a score above the threshold: see
/// [`super::Backend::first_above`].
pub(super) fn finish(found: [i32; BLOCK], bound: &Bound<'_>, dots: &mut [i32; BLOCK]) -> bool {
    *dots = found;
    let affine = &bound.affine;
    (0..4).any(|i| {
        let largest = dots.iter().skip(i).step_by(4).fold(i32::MIN, |most, dot| most.max(*dot));
        // Not below zero: a negative product is largest with the smallest scale.
        let odd = largest.wrapping_mul(2).wrapping_sub(affine.offset).max(0);
        let scale = scale_from_bits(bound.scales[i], affine.scale_base);
        let score = affine.base + scale * (odd as f32 * affine.step);
        let score = match bound.norms {
            Some(norms) => 2.0 * score - scale_from_bits(norms[i], affine.norm_base),
            None => score,
        };
        score > bound.threshold
    })
}

/// See [`super::Backend::score`].
#[inline(always)]
pub(super) fn score(
    dots: &[i32; BLOCK],
    lengths: Lengths<'_>,
    affine: &Affine,
    out: &mut [f32; BLOCK],
) {
    for ((score, dot), bits) in out.iter_mut().zip(dots).zip(lengths.scales) {
        // Wrapping gives the true value, which fits (see `code`).
        let dot = dot.wrapping_mul(2).wrapping_sub(affine.offset) as f32;
        *score = affine.base + scale_from_bits(*bits, affine.scale_base) * (dot * affine.step);
    }
    if let Some(norms) = lengths.norms {
        for (score, bits) in out.iter_mut().zip(norms) {
            *score = 2.0 * *score - scale_from_bits(*bits, affine.norm_base);
        }
    }
}

#[inline(always)]
pub(super) fn above(numbers: &[f32; BLOCK], threshold: f32) -> u32 {
    let bit = |(lane, number): (u32, &f32)| u32::from(*number > threshold) << lane;
    (0..).zip(numbers).map(bit).sum()
}

pub(super) fn count_above(numbers: &[[f32; BLOCK]], threshold: f32) -> usize {
    numbers.as_flattened().iter().filter(|number| **number > threshold).count()
}

pub(super) fn extremes_above(numbers: &[[f32; BLOCK]], floor: f32) -> (f32, f32) {
    let above = numbers.as_flattened().iter().filter(|number| **number > floor);
    above.fold((f32::MAX, floor), |(low, high), number| {
        (if *number < low { *number } else { low }, if *number > high { *number } else { high })
    })
}

/// Brings the eight running sums of an inner product together.
#[inline(always)]
fn total(sums: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = sums;
    let quarters = [a + e, b + f, c + g, d + h];
    let halves = [quarters[0] + quarters[2], quarters[1] + quarters[3]];
    halves[0] + halves[1]
}

pub(super) fn dot_code(code: ItemCode<'_>, query: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    for (values, query) in values(code).zip(query.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += query[lane] * f64::from(values[lane]);
        }
    }
    total(sums)
}

pub(super) fn dot_centroid(codes: &[u8], lane: usize, query: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let fours = centroid_bytes(codes, lane).zip(query.as_chunks::<4>().0);
    for (i, (bytes, query)) in fours.enumerate() {
        for (j, (byte, q)) in bytes.into_iter().zip(query).enumerate() {
            sums[i % 2 * 4 + j] += q * f64::from(code_value(byte & 127, CENTROID_BITS));
        }
    }
    total(sums)
}

#[inline]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    for (x, y) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    total(sums)
}

pub(super) fn add_code(code: ItemCode<'_>, scale: f64, out: &mut [f64]) {
    for (values, out) in values(code).zip(out.chunks_mut(8)) {
        for (x, value) in out.iter_mut().zip(values) {
            *x += scale * f64::from(value);
        }
    }
}

pub(super) fn in_range<const W: usize>(low: u64, high: u64) -> impl Fn(&[[u8; W]; 16]) -> u32 {
    // A function over a slice, not copied to where it is called: a module that has faster ones for the
    // common widths would carry it, and unrolled, all the same.
    #[inline(never)]
    fn bits<const W: usize>(numbers: &[[u8; W]], low: u64, high: u64) -> u32 {
        let is_inside = |number: &[u8; W]| {
            let mut wide = [0; 8];
            wide[..W].copy_from_slice(number);
            (low..=high).contains(&u64::from_le_bytes(wide))
        };
        (0..).zip(numbers).map(|(lane, number)| u32::from(is_inside(number)) << lane).sum()
    }
    move |numbers| bits(numbers, low, high)
}
