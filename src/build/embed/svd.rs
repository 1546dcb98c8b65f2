//! Truncated singular value decomposition of sparse rows, by random projection.
//!
//! Halko, Martinsson and Tropp, "Finding structure with randomness" (SIAM Review 2011), algorithms
//! 4.4 and 5.1: a Gaussian sketch finds a subspace that holds most of the matrix's action; power
//! iterations, made orthonormal at each half step, turn it towards the leading singular vectors;
//! in that subspace the decomposition is a small one.

use nalgebra::DMatrix;

use super::dense::{Rows, descending_eigen};
use super::sparse::Csr;
use crate::rng::SeededRng;

/// Columns of the sketch beyond those that are wanted.
const OVERSAMPLING: usize = 10;
/// Three, and not until it converges: the singular values of token matrices fall slowly, and each
/// iteration moves weight from rare tokens (whom a film is by) to common ones (its genre). What is
/// left of the sketch's random mixture after three keeps some of both. Measured on the film
/// catalog at 64 components, of the ten nearest neighbours of a film: 2 iterations find 0.92 of
/// those by its director and have 0.48 of the genres in common; 3 find 0.78 with 0.56, 4 find
/// 0.64 with 0.62, 10 find 0.34 with 0.74. Comparing the sparse rows themselves finds 0.92 with 0.36.
const POWER_ITERATIONS: usize = 3;
/// The stream of the seed that the sketch is drawn from.
const STREAM: u64 = 2;

/// The rows projected onto the leading right singular vectors: `U S`, at most `dim` wide.
pub(super) fn project(matrix: &Csr, dim: usize, seed: u64) -> Rows {
    let transposed = matrix.transposed();
    let width = (dim + OVERSAMPLING).min(matrix.n_rows()).min(matrix.n_columns());
    let mut rng = SeededRng::new(seed, STREAM);
    let sketch: Vec<f64> = (0..matrix.n_columns() * width).map(|_| rng.normal()).collect();
    let mut range = matrix.times(&Rows::from_values(matrix.n_columns(), width, sketch));
    for _ in 0..POWER_ITERATIONS {
        let rows = transposed.times(&range.orthonormalise());
        range = matrix.times(&rows.orthonormalise());
    }
    let basis = range.orthonormalise();
    // B = basisT A is small and wide. Its left singular vectors and singular values are the
    // eigenvectors and roots of the eigenvalues of B BT.
    let (values, vectors) = descending_eigen(transposed.times(&basis).gram());
    let n_kept = dim.min(values.iter().take_while(|v| **v > 1e-12 * values[0]).count());
    let scaled =
        DMatrix::from_fn(vectors.nrows(), n_kept, |i, j| vectors[(i, j)] * values[j].sqrt());
    basis.times(&scaled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::embed::dense::dot;

    /// 60 x 40 with singular values 1, 1/2, 1/3, 1/4 and nothing more.
    fn low_rank() -> Csr {
        let mut rng = SeededRng::new(5, 0);
        let mut random = |n| {
            let values = (0..n * 4).map(|_| rng.normal()).collect();
            Rows::from_values(n, 4, values).orthonormalise()
        };
        let (left, right) = (random(60), random(40));
        let mut matrix = Csr::new(40);
        for i in 0..60 {
            let entry = |j: usize| {
                let terms = left.row(i).iter().zip(right.row(j)).enumerate();
                terms.map(|(k, (l, r))| l * r / (k + 1) as f64).sum::<f64>()
            };
            let row: Vec<(u32, f64)> = (0..40).map(|j| (j as u32, entry(j))).collect();
            matrix.push_row(&row);
        }
        matrix
    }

    #[test]
    fn singular_values_and_inner_products_come_back() {
        let matrix = low_rank();
        let projected = project(&matrix, 4, 0);
        assert_eq!(projected.width(), 4);
        let gram = projected.gram();
        for k in 0..4 {
            let expected = 1.0 / (k + 1) as f64;
            // Entries were rounded to f32 when they were stored.
            assert!((gram[(k, k)].sqrt() - expected).abs() < 1e-6, "{gram}");
        }
        for (a, b) in [(0, 0), (0, 1), (17, 42)] {
            let exact: f64 = matrix.row(a).zip(matrix.row(b)).map(|(x, y)| x.1 * y.1).sum();
            assert!((dot(projected.row(a), projected.row(b)) - exact).abs() < 1e-6);
        }
    }

    #[test]
    fn a_lower_rank_or_no_matrix_gives_fewer_components() {
        let mut matrix = Csr::new(2);
        matrix.push_row(&[(0, 1.0)]);
        matrix.push_row(&[(0, 1.0)]);
        matrix.push_row(&[]);
        assert_eq!(project(&matrix, 64, 0).width(), 1);
        assert_eq!(project(&Csr::new(0), 64, 0).width(), 0);
    }
}
