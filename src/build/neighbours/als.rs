//! Factors for the tuning step, and fold-in to factors that are at hand as a plain matrix.
//!
//! Whether weights between items help is asked on users whom neither side has seen. Vectors that
//! were trained on a log have seen all of its users: their fold-in finds what such a user liked far
//! too well (MovieLens 100K: recall at 20 of 0.54 where it is 0.35 for others), and tuning on it would
//! switch the weights off. So where nobody brings users of their own, factors of the archive's
//! dimension and convention are trained once more without the held-out ones, for the tuning alone.

use rayon::prelude::*;

use super::super::interactions::InteractionMatrix;
use crate::format::Fold;
use crate::rng::SeededRng;

/// Sweeps over users and items, as many as the Python package implicit takes by default.
const SWEEPS: usize = 15;
/// Steps of conjugate gradients per row and sweep, the same (Takacs, Pilaszy and Tikk 2011).
const STEPS: usize = 3;
/// Rows of a partial Gram matrix.
const CHUNK: usize = 2048;
/// Steps and relative residual at which a fold-in is exact for this purpose.
const EXACT: (usize, f64) = (300, 1e-9);
/// The stream of the archive's seed that the first factors are drawn from.
const FACTORS_STREAM: u64 = 5;

/// How rows are solved for while factors of the other side are fixed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Convention {
    pub(super) fold: Fold,
    pub(super) alpha: f64,
    pub(super) lambda: f64,
}

impl Convention {
    /// How far an interaction of weight 1 adds its vector's square to the matrix: see `taste::fold`.
    fn spread(&self) -> f64 {
        if self.fold == Fold::Ridge { self.alpha } else { self.alpha - 1.0 }
    }
}

/// Vectors by rows, with their Gram matrix plus `lambda` (by rows, whole).
pub(super) struct Fixed<'a> {
    rows: &'a [f64],
    dim: usize,
    matrix: Vec<f64>,
    convention: Convention,
}

impl<'a> Fixed<'a> {
    pub(super) fn new(rows: &'a [f64], dim: usize, convention: Convention) -> Self {
        let mut matrix = vec![0.0; dim * dim];
        if convention.fold != Fold::Ridge {
            let parts: Vec<Vec<f64>> = rows
                .par_chunks(CHUNK * dim)
                .map(|rows| {
                    let mut part = vec![0.0; dim * dim];
                    for row in rows.chunks_exact(dim) {
                        for (x, part) in row.iter().zip(part.chunks_exact_mut(dim)) {
                            part.iter_mut().zip(row).for_each(|(p, y)| *p += x * y);
                        }
                    }
                    part
                })
                .collect();
            for part in parts {
                matrix.iter_mut().zip(&part).for_each(|(m, p)| *m += p);
            }
        }
        (0..dim).for_each(|j| matrix[j * dim + j] += convention.lambda);
        Self { rows, dim, matrix, convention }
    }

    fn row(&self, i: u32) -> &[f64] {
        &self.rows[i as usize * self.dim..][..self.dim]
    }

    /// The vector of a history whose items all have weight 1.
    pub(super) fn fold_in(&self, history: &[u32]) -> Vec<f64> {
        let mut x = vec![0.0; self.dim];
        self.solve(history, &mut x, EXACT);
        x
    }

    /// `A v` for the matrix of a history.
    fn times(&self, history: &[u32], v: &[f64], out: &mut [f64]) {
        for (out, row) in out.iter_mut().zip(self.matrix.chunks_exact(self.dim)) {
            *out = dot(row, v);
        }
        for item in history {
            let row = self.row(*item);
            let along = self.convention.spread() * dot(row, v);
            out.iter_mut().zip(row).for_each(|(o, y)| *o += along * y);
        }
    }

    /// Conjugate gradients from `x` on: so many steps, or until the residual is this much shorter
    /// than the right-hand side.
    fn solve(&self, history: &[u32], x: &mut [f64], (steps, tolerance): (usize, f64)) {
        let mut right = vec![0.0; self.dim];
        for item in history {
            right
                .iter_mut()
                .zip(self.row(*item))
                .for_each(|(b, y)| *b += self.convention.alpha * y);
        }
        let enough = tolerance * tolerance * dot(&right, &right);
        let mut product = vec![0.0; self.dim];
        self.times(history, x, &mut product);
        let mut residual: Vec<f64> = right.iter().zip(&product).map(|(b, p)| b - p).collect();
        let mut direction = residual.clone();
        let mut squared = dot(&residual, &residual);
        for _ in 0..steps {
            if !(squared > enough) {
                break;
            }
            self.times(history, &direction, &mut product);
            let step = squared / dot(&direction, &product);
            x.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d);
            residual.iter_mut().zip(&product).for_each(|(r, p)| *r -= step * p);
            let next = dot(&residual, &residual);
            let keep = next / squared;
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + keep * *d);
            squared = next;
        }
    }
}

/// Item factors of alternating least squares for implicit feedback (Hu, Koren and Volinsky 2008),
/// by rows. Cost: `n dim^2` operations a sweep for all users and items together.
pub(super) fn train(
    matrix: &InteractionMatrix,
    dim: usize,
    convention: Convention,
    seed: u64,
) -> Vec<f64> {
    let mut rng = SeededRng::new(seed, FACTORS_STREAM);
    let mut draw = |n: usize| (0..n * dim).map(|_| 0.01 * rng.normal()).collect::<Vec<f64>>();
    let (mut users, mut items) = (draw(matrix.n_users()), draw(matrix.n_items()));
    let by_item = matrix.transposed();
    for _ in 0..SWEEPS {
        half_sweep(matrix, &mut users, &Fixed::new(&items, dim, convention));
        half_sweep(&by_item, &mut items, &Fixed::new(&users, dim, convention));
    }
    items
}

fn half_sweep(rows: &InteractionMatrix, solved: &mut [f64], fixed: &Fixed<'_>) {
    solved.par_chunks_exact_mut(fixed.dim).enumerate().for_each(|(i, x)| {
        let row = rows.row(i);
        if row.is_empty() {
            x.fill(0.0);
        } else {
            fixed.solve(row, x, (STEPS, 0.0));
        }
    });
}

/// Four sums side by side, added at the end.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (a_groups, b_groups) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 =
        a_groups.remainder().iter().zip(b_groups.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a_groups.zip(b_groups) {
        for i in 0..4 {
            sums[i] += x[i] * y[i];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}
