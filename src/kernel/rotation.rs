//! A seeded random rotation of any dimension in O(d log d).
//!
//! Quantizing works best when no dimension carries more than its share. A random rotation sees
//! to that without looking at the data, and since inner products do not change under it, all
//! arithmetic (Gram matrix, fold-in, search) happens in the rotated space: only vectors that come
//! from outside are ever rotated.
//!
//! A dense random orthogonal matrix would cost d^2; four rounds of random signs, a fast Hadamard
//! transform and a butterfly between the halves mix as well for this purpose (Ailon and Chazelle
//! 2009; the same scheme with Kac's walk stands in the RaBitQ authors' library). The Hadamard
//! transform needs a power of two, so it takes the largest one that fits, at the head and at the
//! tail in turn; the butterfly joins the two ends, so that no dimension stays apart.

/// Four rounds: with fewer, a single large component leaves visible structure at dimensions far
/// from a power of two.
const ROUNDS: usize = 4;

/// Bytes that hold the signs of a rotation: one bit for each round and dimension.
#[must_use]
pub const fn sign_bytes(dim: usize) -> usize {
    (ROUNDS * dim).div_ceil(8)
}

/// An orthogonal map, a function of its dimension and signs alone. The signs are stored in the
/// archive, so that no reader needs the builder's random numbers.
#[derive(Clone, Debug)]
pub struct Rotation {
    dim: usize,
    /// `ROUNDS` runs of `dim` factors, each 1 or -1.
    signs: Vec<f64>,
}

impl Rotation {
    /// The rotation of `dim` dimensions with these signs, [`sign_bytes`] of them: bit `i % 8` of
    /// byte `i / 8` set turns factor `i` to -1.
    #[must_use]
    pub fn new(dim: usize, signs: &[u8]) -> Self {
        debug_assert_eq!(signs.len(), sign_bytes(dim));
        let sign = |i: usize| if signs[i / 8] >> (i % 8) & 1 == 0 { 1.0 } else { -1.0 };
        Self { dim, signs: (0..ROUNDS * dim).map(sign).collect() }
    }

    /// Rotates `x`, of the rotation's dimension, in place.
    pub fn apply(&self, x: &mut [f64]) {
        debug_assert_eq!(x.len(), self.dim);
        if self.dim == 0 {
            return;
        }
        let power = 1 << self.dim.ilog2();
        let norm = 1.0 / (power as f64).sqrt();
        for (round, signs) in self.signs.chunks_exact(self.dim).enumerate() {
            for (x, sign) in x.iter_mut().zip(signs) {
                *x *= sign;
            }
            let start = if round % 2 == 0 { 0 } else { self.dim - power };
            let part = &mut x[start..start + power];
            hadamard(part);
            for x in part {
                *x *= norm;
            }
            let (low, high) = x.split_at_mut(self.dim / 2);
            for (a, b) in low.iter_mut().zip(high) {
                let (u, v) = (*a, *b);
                *a = (u + v) * std::f64::consts::FRAC_1_SQRT_2;
                *b = (u - v) * std::f64::consts::FRAC_1_SQRT_2;
            }
        }
    }
}

/// Elements that are brought through their first steps together.
const AT_ONCE: usize = 8;

/// The unnormalised Walsh-Hadamard transform of a power-of-two length, in place. Each step
/// touches every element once and in no order that matters, so SIMD cannot change its bits.
fn hadamard(x: &mut [f64]) {
    let mut half = 1;
    if x.len() >= AT_ONCE {
        // In registers: written over slices, the first three steps are most of the time.
        for eight in x.as_chunks_mut::<AT_ONCE>().0 {
            step::<1>(eight);
            step::<2>(eight);
            step::<4>(eight);
        }
        half = AT_ONCE;
    }
    while half < x.len() {
        for pair in x.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.iter_mut().zip(high) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

/// Sums and differences of elements that are `HALF` apart.
#[inline(always)]
fn step<const HALF: usize>(x: &mut [f64; AT_ONCE]) {
    for i in (0..AT_ONCE).filter(|i| i & HALF == 0) {
        (x[i], x[i + HALF]) = (x[i] + x[i + HALF], x[i] - x[i + HALF]);
    }
}
