//! The Cholesky factorisation that every fold-in is solved by, and sums of products in one written
//! order.
//!
//! nalgebra factorises: without `matrixmultiply` its sums have one order too, on every target.
//! Matrices lie column by column; of a symmetric one only the lower half is kept and read. All
//! sums run down columns, over independent elements, so that two SIMD lanes compute the very bits
//! that one would; no product is fused with a sum.

use nalgebra::{Cholesky, DMatrix};

/// `A = L LT`.
pub(super) struct Factor {
    dim: usize,
    /// `dim` columns of `dim` numbers; those above the diagonal mean nothing.
    lower: Vec<f64>,
}

impl Factor {
    /// Factorises a symmetric matrix. `None` where it is not positive definite, or not finite.
    /// Cost: `dim^3 / 3`.
    pub(super) fn of(a: Vec<f64>, dim: usize) -> Option<Self> {
        let factor = Cholesky::new(DMatrix::from_vec(dim, dim, a))?;
        let lower: Vec<f64> = factor.unpack_dirty().data.into();
        lower.iter().step_by(dim + 1).all(|pivot| pivot.is_finite()).then_some(Self { dim, lower })
    }

    /// A lower bound of the condition number, from the diagonal alone: the square of its largest
    /// number over its smallest (Higham 2002, section 8.3: cheap, and in practice of the right
    /// order without pivoting where it matters, at matrices that are nearly singular).
    pub(super) fn condition(&self) -> f64 {
        let diagonal = || (0..self.dim).map(|j| self.lower[j * self.dim + j]);
        let ratio = diagonal().fold(0.0, f64::max) / diagonal().fold(f64::INFINITY, f64::min);
        ratio * ratio
    }

    /// `L^-1 x` in place.
    pub(super) fn solve_lower(&self, x: &mut [f64]) {
        for (j, column) in self.lower.chunks_exact(self.dim).enumerate() {
            let (head, tail) = x[j..].split_at_mut(1);
            head[0] /= column[j];
            add(tail, -head[0], &column[j + 1..]);
        }
    }

    /// `L^-T x` in place.
    pub(super) fn solve_upper(&self, x: &mut [f64]) {
        for (j, column) in self.lower.chunks_exact(self.dim).enumerate().rev() {
            let (head, tail) = x[j..].split_at_mut(1);
            head[0] = (head[0] - dot(&column[j + 1..], tail)) / column[j];
        }
    }

    /// `A^-1 x` in place.
    pub(super) fn solve(&self, x: &mut [f64]) {
        self.solve_lower(x);
        self.solve_upper(x);
    }

    /// `xT A^-1 x`. Cost: `dim^2 / 2`.
    pub(super) fn variance(&self, x: &[f64]) -> f64 {
        let mut x = x.to_vec();
        self.solve_lower(&mut x);
        dot(&x, &x)
    }
}

/// `target + factor * x`, elementwise.
pub(super) fn add(target: &mut [f64], factor: f64, x: &[f64]) {
    target.iter_mut().zip(x).for_each(|(t, x)| *t += factor * x);
}

/// What [`add`] does eight times in a row, to the bit, with an eighth of the reading and writing
/// of `target`.
pub(super) fn add_eight(target: &mut [f64], factors: [f64; 8], x: [&[f64]; 8]) {
    // Slices of one length: the loop needs no checks. Spelled out, it is one that compilers
    // make SIMD of.
    let [a, b, c, d, e, f, g, h] = x.map(|x| &x[..target.len()]);
    let [p, q, r, s, t, u, v, w] = factors;
    for (j, sum) in target.iter_mut().enumerate() {
        let half = (((*sum + p * a[j]) + q * b[j]) + r * c[j]) + s * d[j];
        *sum = (((half + t * e[j]) + u * f[j]) + v * g[j]) + w * h[j];
    }
}

/// In order, one sum.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    #[test]
    fn factors_solve_and_multiply_back() {
        for dim in [1, 2, 3, 4, 5, 7, 8, 13, 32] {
            let mut rng = SeededRng::new(dim as u64, 0);
            let mut a = vec![0.0; dim * dim];
            for _ in 0..2 * dim {
                let x: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
                (0..dim).for_each(|c| add(&mut a[c * dim..(c + 1) * dim], x[c], &x));
            }
            let b: Vec<f64> = (0..dim).map(|_| rng.normal()).collect();
            let factor = Factor::of(a.clone(), dim).unwrap();
            assert!(factor.condition() >= 1.0);
            let mut x = b.clone();
            factor.solve(&mut x);
            for r in 0..dim {
                let row: Vec<f64> = (0..dim).map(|c| a[c * dim + r]).collect();
                assert!((dot(&row, &x) - b[r]).abs() < 1e-8, "{dim}");
            }
            assert!((factor.variance(&b) - dot(&x, &b)).abs() < 1e-8);
        }
        assert!(Factor::of(vec![1.0, 2.0, 2.0, 1.0], 2).is_none(), "not definite");
        assert!(Factor::of(vec![f64::NAN], 1).is_none());
        assert!(Factor::of(vec![f64::INFINITY], 1).is_none());
        assert!(Factor::of(vec![0.0], 1).is_none());
    }
}
