//! Tall dense matrices: many rows, as many columns as a vector has components.
//!
//! Only the small square matrices between them are nalgebra's.

use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

/// Rows whose products are summed by one thread: fixed, so that sums do not depend on how many
/// threads there are.
const CHUNK: usize = 1024;
/// Partial sums that are held at once.
const SUMS_AT_ONCE: usize = 64;
/// Eigenvalues below this share of the largest belong to directions that are not there. Rounding
/// leaves about 1e-16 of them; above 1e-12 enough digits are right for the second pass of
/// [`Rows::orthonormalise`] to mend the rest.
const RANK_TOLERANCE: f64 = 1e-12;

/// A dense matrix by rows.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    n: usize,
    width: usize,
    values: Vec<f64>,
}

impl Rows {
    pub(super) fn zeros(n: usize, width: usize) -> Self {
        Self { n, width, values: vec![0.0; n * width] }
    }

    pub(super) fn from_values(n: usize, width: usize, values: Vec<f64>) -> Self {
        debug_assert_eq!(values.len(), n * width);
        Self { n, width, values }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.width..(i + 1) * self.width]
    }

    pub(super) fn par_rows_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [f64]> {
        // A width of 0 has no chunks; there is nothing to fill then.
        self.values.par_chunks_mut(self.width.max(1))
    }

    /// The inner products of all pairs of columns.
    pub(super) fn gram(&self) -> DMatrix<f64> {
        let width = self.width;
        let mut gram = vec![0.0; width * width];
        let chunks: Vec<&[f64]> = self.values.chunks(CHUNK * width.max(1)).collect();
        for group in chunks.chunks(SUMS_AT_ONCE) {
            let sums: Vec<Vec<f64>> = group.par_iter().map(|c| gram_of(c, width)).collect();
            for sum in sums {
                gram.iter_mut().zip(&sum).for_each(|(g, s)| *g += s);
            }
        }
        DMatrix::from_fn(width, width, |i, j| gram[i.max(j) * width + i.min(j)])
    }

    /// The product with a small matrix.
    pub(super) fn times(&self, small: &DMatrix<f64>) -> Self {
        // By rows, as everything here is read; nalgebra's own order is by columns.
        let small_rows = small.transpose();
        let small_rows = small_rows.as_slice();
        let width = small.ncols();
        let mut product = Self::zeros(self.n, width);
        product.values.par_chunks_mut(width.max(1)).enumerate().for_each(|(i, sum)| {
            // A row of the small matrix at a time: the innermost loop is then free of sums that
            // depend on each other.
            for (x, row) in self.row(i).iter().zip(small_rows.chunks_exact(width.max(1))) {
                for (s, m) in sum.iter_mut().zip(row) {
                    *s += x * m;
                }
            }
        });
        product
    }

    /// Orthonormal columns that span the same space; fewer, where some depend on others.
    ///
    /// By the eigenvectors of the Gram matrix, twice: one pass loses half of the digits (it works
    /// with squares), the second finds columns that are nearly orthonormal already and loses
    /// none. Unlike Gram-Schmidt it reads the tall matrix in rows, which threads can share.
    pub(super) fn orthonormalise(&self) -> Self {
        let first = self.times(&whitening(self.gram()));
        let second = whitening(first.gram());
        first.times(&second)
    }
}

/// The lower triangle of the inner products of the columns of some rows.
fn gram_of(rows: &[f64], width: usize) -> Vec<f64> {
    let mut gram = vec![0.0; width * width];
    for row in rows.chunks_exact(width.max(1)) {
        for (i, x) in row.iter().enumerate() {
            for (g, y) in gram[i * width..].iter_mut().zip(&row[..=i]) {
                *g += x * y;
            }
        }
    }
    gram
}

/// The matrix that makes columns with this Gram matrix orthonormal.
fn whitening(gram: DMatrix<f64>) -> DMatrix<f64> {
    let (values, vectors) = descending_eigen(gram);
    let kept = values.iter().take_while(|v| **v > RANK_TOLERANCE * values[0]).count();
    DMatrix::from_fn(vectors.nrows(), kept, |i, j| vectors[(i, j)] / values[j].sqrt())
}

/// Eigenvalues of a symmetric matrix, largest first, and their vectors as columns.
pub(super) fn descending_eigen(matrix: DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let n = matrix.nrows();
    if n == 0 {
        return (Vec::new(), matrix);
    }
    let eigen = SymmetricEigen::new(matrix);
    let mut order: Vec<usize> = (0..n).collect();
    // A stable sort: equal values stay in the order in which the algorithm gives them.
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    let values = order.iter().map(|i| eigen.eigenvalues[*i]).collect();
    (values, DMatrix::from_fn(n, n, |i, j| eigen.eigenvectors[(i, order[j])]))
}

/// One sum, in order.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SeededRng;

    #[test]
    fn columns_become_orthonormal_and_dependent_ones_go() {
        let mut rng = SeededRng::new(3, 0);
        let n = 3000;
        let mut values = Vec::new();
        for _ in 0..n {
            let (a, b) = (rng.normal(), 1e-5 * rng.normal());
            values.extend([a, a + b, 2.0 * a - b]);
        }
        let q = Rows::from_values(n, 3, values).orthonormalise();
        assert_eq!(q.width(), 2);
        let identity = q.gram() - DMatrix::identity(2, 2);
        assert!(identity.amax() < 1e-12, "{identity}");
    }
}
