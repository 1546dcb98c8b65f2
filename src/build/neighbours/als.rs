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

/// How rows are solved for while factors of the other side are fixed: the equations of
/// `taste::convention`, for interactions of weight 1 that do not fade.
#[derive(Clone, Copy, Debug)]
pub(super) struct Convention {
    pub(super) fold: Fold,
    pub(super) alpha: f64,
    pub(super) lambda: f64,
    pub(super) nu: f64,
}

impl Convention {
    /// How far an interaction adds its vector's square to the matrix.
    fn spread(&self) -> f64 {
        match self.fold {
            Fold::Ridge | Fold::SparkImplicit => self.alpha,
            Fold::Implicit => self.alpha - 1.0,
            Fold::SparkExplicit | Fold::Ials => 1.0,
        }
    }

    /// How far it adds its vector to the right-hand side.
    fn pull(&self) -> f64 {
        match self.fold {
            Fold::Ridge | Fold::Implicit | Fold::SparkExplicit => self.alpha,
            Fold::SparkImplicit => 1.0 + self.alpha,
            Fold::Ials => 1.0,
        }
    }

    /// How far the Gram matrix of all rows counts.
    fn unobserved(&self) -> f64 {
        match self.fold {
            Fold::Ridge | Fold::SparkExplicit => 0.0,
            Fold::Implicit | Fold::SparkImplicit => 1.0,
            Fold::Ials => self.alpha,
        }
    }

    /// What stands on the diagonal for `n` interactions with some of `n_rows`.
    fn regularisation(&self, n: usize, n_rows: usize) -> f64 {
        let n = n as f64;
        match self.fold {
            Fold::Ridge | Fold::Implicit => self.lambda,
            Fold::SparkImplicit | Fold::SparkExplicit => self.lambda * n,
            Fold::Ials => self.lambda * libm::pow(n + self.alpha * n_rows as f64, self.nu),
        }
    }
}

/// Vectors by rows, with their Gram matrix as far as it counts (by rows, whole).
pub(super) struct Fixed<'a> {
    rows: &'a [f64],
    dim: usize,
    matrix: Vec<f64>,
    convention: Convention,
}

impl<'a> Fixed<'a> {
    pub(super) fn new(rows: &'a [f64], dim: usize, convention: Convention) -> Self {
        let mut matrix = vec![0.0; dim * dim];
        if convention.unobserved() != 0.0 {
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
                let unobserved = convention.unobserved();
                matrix.iter_mut().zip(&part).for_each(|(m, p)| *m += unobserved * p);
            }
        }
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
        let n_rows = self.rows.len() / self.dim;
        let diagonal = self.convention.regularisation(history.len(), n_rows);
        for ((out, row), x) in out.iter_mut().zip(self.matrix.chunks_exact(self.dim)).zip(v) {
            *out = dot(row, v) + diagonal * x;
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
                .for_each(|(b, y)| *b += self.convention.pull() * y);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_in_solves_the_equations_of_its_convention() {
        let (dim, n_rows, history) = (4, 9, [1u32, 4, 7]);
        let mut rng = SeededRng::new(3, 0);
        let rows: Vec<f64> = (0..n_rows * dim).map(|_| rng.normal()).collect();
        let row = |i: usize| &rows[i * dim..(i + 1) * dim];
        let (alpha, lambda, nu) = (2.5, 0.7, 0.6);
        let count = libm::pow(3.0 + alpha * n_rows as f64, nu);
        for (fold, gram, spread, pull, diagonal) in [
            (Fold::Ridge, 0.0, 2.5, 2.5, 0.7),
            (Fold::Implicit, 1.0, 1.5, 2.5, 0.7),
            (Fold::SparkImplicit, 1.0, 2.5, 3.5, 2.1),
            (Fold::SparkExplicit, 0.0, 1.0, 2.5, 2.1),
            (Fold::Ials, 2.5, 1.0, 1.0, 0.7 * count),
        ] {
            let convention = Convention { fold, alpha, lambda, nu };
            let u = Fixed::new(&rows, dim, convention).fold_in(&history);
            for j in 0..dim {
                let all = (0..n_rows).map(|i| gram * dot(row(i), &u) * row(i)[j]).sum::<f64>();
                let known = history.iter().map(|i| row(*i as usize));
                let known = known.map(|y| (spread * dot(y, &u) - pull) * y[j]).sum::<f64>();
                let residual = all + known + diagonal * u[j];
                assert!(residual.abs() < 1e-7, "{fold:?}: {residual}");
            }
        }
    }
}
