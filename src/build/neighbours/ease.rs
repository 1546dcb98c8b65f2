//! EASE: weights between items from one matrix inverse.

use super::super::interactions::InteractionMatrix;
use super::inverse::invert;
use crate::error::{Error, Result};

/// Most items of a catalog for which [`ease`] is computed: its cost grows with the cube of their
/// number, two matrices of this size take 2.3 GB.
pub const MAX_EASE_ITEMS: usize = 12_000;

/// Weights from every item to every other.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseWeights {
    n_items: usize,
    /// By rows: row `j`, column `i` is what item `j` in a history says for item `i`.
    values: Vec<f64>,
}

impl DenseWeights {
    /// Number of items.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// What an item of a history says for each item. `item` is below the number of items.
    #[must_use]
    pub fn row(&self, item: usize) -> &[f64] {
        &self.values[item * self.n_items..(item + 1) * self.n_items]
    }

    /// The scores of all items for a history: the sum of its items' rows, in their order.
    #[must_use]
    pub fn scores(&self, history: &[u32]) -> Vec<f64> {
        let mut scores = vec![0.0; self.n_items];
        for item in history {
            scores.iter_mut().zip(self.row(*item as usize)).for_each(|(s, w)| *s += w);
        }
        scores
    }
}

/// EASE (Steck, WWW 2019): with `P = (XT X + lambda I)^-1` for the matrix `X` of users by items,
/// item `j` says `-P[j][i] / P[i][i]` for item `i`, and nothing for itself. That is the linear
/// model which predicts each column of `X` best from the others, with `lambda` for the squares of
/// its weights.
///
/// Cost: `n^3` operations and `16 n^2` bytes for `n` items.
///
/// # Errors
/// [`Error::Input`] for more than [`MAX_EASE_ITEMS`] items, and a lambda that is not above 0.
pub fn ease(matrix: &InteractionMatrix, lambda: f64) -> Result<DenseWeights> {
    let n = matrix.n_items();
    if n > MAX_EASE_ITEMS {
        let expected = format!("at most {MAX_EASE_ITEMS} items for EASE: use item-knn");
        return Err(Error::input("interactions", expected, n));
    }
    if !(lambda > 0.0 && lambda <= 1e12) {
        return Err(Error::input("EASE's lambda", "a number above 0, at most 1e12", lambda));
    }
    let mut gram = vec![0.0; n * n];
    for row in matrix.rows() {
        for i in row {
            for j in row {
                gram[*i as usize * n + *j as usize] += 1.0;
            }
        }
    }
    for i in 0..n {
        gram[i * n + i] += lambda;
    }
    let Some(mut values) = invert(gram, n) else {
        // XT X has no negative eigenvalue, so only rounding can bring this about.
        return Err(Error::input("EASE's lambda", "a larger one for this log", lambda));
    };
    let diagonal: Vec<f64> = (0..n).map(|i| values[i * n + i]).collect();
    for (j, row) in values.chunks_exact_mut(n.max(1)).enumerate() {
        row.iter_mut().zip(&diagonal).for_each(|(p, d)| *p /= -d);
        row[j] = 0.0;
    }
    Ok(DenseWeights { n_items: n, values })
}
