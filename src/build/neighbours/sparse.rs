//! Few weights an item, and how they are chosen.

use rayon::prelude::*;

use super::super::interactions::InteractionMatrix;
use super::ease::DenseWeights;

/// The weights of few pairs of items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseWeights {
    /// One more than there are items: row `j` lies at `starts[j]..starts[j + 1]`.
    pub starts: Vec<usize>,
    /// For each row, ascending: the items that item `j` of a history says something for.
    pub targets: Vec<u32>,
    /// What it says, beside each target.
    pub weights: Vec<f64>,
}

impl SparseWeights {
    /// From each *target's* sources with their weights, as chosen by [`best`].
    pub(super) fn of_columns(columns: &[Vec<(u32, f64)>]) -> Self {
        let n = columns.len();
        let mut starts = vec![0; n + 1];
        for (source, _) in columns.iter().flatten() {
            starts[*source as usize + 1] += 1;
        }
        for j in 0..n {
            starts[j + 1] += starts[j];
        }
        let (mut targets, mut weights) = (vec![0; starts[n]], vec![0.0; starts[n]]);
        let mut next = starts.clone();
        // Targets ascend, so each row's do.
        for (target, column) in (0..).zip(columns) {
            for (source, weight) in column {
                let at = &mut next[*source as usize];
                (targets[*at], weights[*at]) = (target, *weight);
                *at += 1;
            }
        }
        Self { starts, targets, weights }
    }

    /// Number of items.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The targets of an item with their weights. `item` is below the number of items.
    pub fn row(&self, item: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
        let range = self.starts[item]..self.starts[item + 1];
        self.targets[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }

    /// The scores of all items for a history: the sum of its items' rows, in their order.
    #[must_use]
    pub fn scores(&self, history: &[u32]) -> Vec<f64> {
        let mut scores = vec![0.0; self.n_items()];
        for item in history {
            self.row(*item as usize)
                .for_each(|(target, weight)| scores[target as usize] += weight);
        }
        scores
    }
}

/// The `m` largest by absolute value, ties by source; in the order of their sources.
pub(super) fn best(mut column: Vec<(u32, f64)>, m: usize) -> Vec<(u32, f64)> {
    column.retain(|(_, weight)| *weight != 0.0);
    if column.len() > m {
        let by_size =
            |a: &(u32, f64), b: &(u32, f64)| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0));
        if m > 0 {
            column.select_nth_unstable_by(m - 1, by_size);
        }
        column.truncate(m);
        column.sort_unstable_by_key(|(source, _)| *source);
    }
    column
}

/// Of each target's weights the `m` largest by absolute value: the sources that decide about it.
#[must_use]
pub fn top_m(weights: &DenseWeights, m: usize) -> SparseWeights {
    let n = weights.n_items();
    let columns: Vec<Vec<(u32, f64)>> = (0..n)
        .into_par_iter()
        .map(|target| best((0..n).map(|j| (j as u32, weights.row(j)[target])).collect(), m))
        .collect();
    SparseWeights::of_columns(&columns)
}

/// Item-kNN: the cosine of the items' columns with shrinkage, `c / (sqrt(a b) + shrinkage)` for `c`
/// users of both items, `a` of one and `b` of the other. Of each target the `m` most similar
/// sources are kept.
///
/// Cost: the sum, over users, of the square of what each interacted with.
#[must_use]
pub fn item_knn(matrix: &InteractionMatrix, shrinkage: f64, m: usize) -> SparseWeights {
    let users_of = matrix.transposed();
    let count = |item: usize| users_of.row(item).len() as f64;
    let columns: Vec<Vec<(u32, f64)>> = (0..matrix.n_items())
        .into_par_iter()
        .map_init(
            || vec![0u32; matrix.n_items()],
            |together, target| {
                let mut touched = Vec::new();
                for user in users_of.row(target) {
                    for item in matrix.row(*user as usize) {
                        let count = &mut together[*item as usize];
                        if *count == 0 {
                            touched.push(*item);
                        }
                        *count += 1;
                    }
                }
                touched.sort_unstable();
                let similarity = |item: u32| {
                    let together = f64::from(together[item as usize]);
                    let cosine = (count(target) * count(item as usize)).sqrt() + shrinkage;
                    (item, together / cosine)
                };
                let others = touched.iter().filter(|item| **item as usize != target);
                let column = others.map(|item| similarity(*item)).collect();
                touched.iter().for_each(|item| together[*item as usize] = 0);
                best(column, m)
            },
        )
        .collect();
    SparseWeights::of_columns(&columns)
}
