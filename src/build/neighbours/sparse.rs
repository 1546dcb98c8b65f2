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
    pub(super) fn of_rows(rows: Vec<Vec<(u32, f64)>>) -> Self {
        let mut all = Self { starts: vec![0], ..Self::default() };
        for row in rows {
            all.targets.extend(row.iter().map(|(target, _)| *target));
            all.weights.extend(row.iter().map(|(_, weight)| *weight));
            all.starts.push(all.targets.len());
        }
        all
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

    /// Of each row the `m` largest weights by absolute value.
    #[must_use]
    pub fn top(&self, m: usize) -> Self {
        let rows = (0..self.n_items()).into_par_iter();
        Self::of_rows(rows.map(|item| largest(self.row(item).collect(), m)).collect())
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

/// The `m` largest by absolute value, ties by target; in the order of their targets.
pub(super) fn largest(mut row: Vec<(u32, f64)>, m: usize) -> Vec<(u32, f64)> {
    row.retain(|(_, weight)| *weight != 0.0);
    if row.len() > m {
        if m > 0 {
            row.select_nth_unstable_by(m - 1, |a, b| {
                b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0))
            });
        }
        row.truncate(m);
    }
    row.sort_unstable_by_key(|(target, _)| *target);
    row
}

/// Of what each item says the `m` largest weights by absolute value.
///
/// Choosing by item of the history, rather than by target, bounds both the bytes and the time that
/// one item of a history costs. Negative weights stay: they are few among the largest, and at large `m`
/// leaving them out costs more than it saves.
#[must_use]
pub fn top_m(weights: &DenseWeights, m: usize) -> SparseWeights {
    let row = |item: usize| largest((0..).zip(weights.row(item).iter().copied()).collect(), m);
    SparseWeights::of_rows((0..weights.n_items()).into_par_iter().map(row).collect())
}

/// The items that any user has together with `item`, with the number of such users, in no order.
/// `together` holds a 0 for each item, before and after.
pub(super) fn co_occurring(
    matrix: &InteractionMatrix,
    users_of: &InteractionMatrix,
    together: &mut [u32],
    item: usize,
) -> Vec<(u32, u32)> {
    let mut touched = Vec::new();
    for user in users_of.row(item) {
        for other in matrix.row(*user as usize) {
            let count = &mut together[*other as usize];
            if *count == 0 && *other as usize != item {
                touched.push(*other);
            }
            *count += 1;
        }
    }
    together[item] = 0;
    let take = |other: u32| (other, std::mem::take(&mut together[other as usize]));
    touched.into_iter().map(take).collect()
}

/// The cosine of two binary columns, less where few users stand behind it: `sizes` is the product
/// of their numbers of users.
pub(super) fn shrunk_cosine(together: u32, sizes: f64, shrinkage: f64) -> f64 {
    f64::from(together) / (sizes.sqrt() + shrinkage)
}

/// Item-kNN: the cosine of the items' columns with shrinkage, `c / (sqrt(a b) + shrinkage)` for `c`
/// users of both items, `a` of one and `b` of the other. Of each item the `m` most similar are kept.
///
/// Cost: the sum, over users, of the square of the number of their items.
#[must_use]
pub fn item_knn(matrix: &InteractionMatrix, shrinkage: f64, m: usize) -> SparseWeights {
    let users_of = matrix.transposed();
    let count = |item: usize| users_of.row(item).len() as f64;
    let row = |together: &mut Vec<u32>, item: usize| {
        let similarity = |(other, together): (u32, u32)| {
            (other, shrunk_cosine(together, count(item) * count(other as usize), shrinkage))
        };
        let others = co_occurring(matrix, &users_of, together, item);
        largest(others.into_iter().map(similarity).collect(), m)
    };
    let n = matrix.n_items();
    SparseWeights::of_rows((0..n).into_par_iter().map_init(|| vec![0; n], row).collect())
}
