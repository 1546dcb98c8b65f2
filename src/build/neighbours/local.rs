//! EASE for catalogs whose whole matrix is too large to invert.

use rayon::prelude::*;

use super::super::interactions::InteractionMatrix;
use super::inverse::solve;
use super::sparse::{SparseWeights, co_occurring, largest, shrunk_cosine};

/// Sources that are considered for each target.
const SUPPORT: usize = 256;
/// Shrinkage of the cosine that chooses them: pairs that two users make are not yet similar.
const SUPPORT_SHRINKAGE: f64 = 5.0;

/// EASE with each target's sources limited to the 256 that are most similar to it: ridge
/// regression on these alone. Of what each item says the `m` largest weights are kept.
///
/// The weights that EASE gives to other sources are small, and those that remain are fitted without
/// them, so little is lost: the idea is that of Steck's sparse Markov random fields (NeurIPS 2019).
/// Cost: `256^3 / 3` operations an item, and 8 bytes for each pair of items that a user has.
#[must_use]
pub fn local_ease(matrix: &InteractionMatrix, lambda: f64, m: usize) -> SparseWeights {
    let users_of = matrix.transposed();
    let n = matrix.n_items();
    let count = |item: u32| users_of.row(item as usize).len() as f64;
    let gram: Vec<Vec<(u32, u32)>> = (0..n)
        .into_par_iter()
        .map_init(|| vec![0; n], |scratch, item| co_occurring(matrix, &users_of, scratch, item))
        .collect();
    let column = |place: &mut Vec<u32>, target: usize| -> Vec<(u32, f64)> {
        let similar = gram[target].iter().map(|(item, together)| {
            let sizes = count(*item) * count(target as u32);
            (*item, shrunk_cosine(*together, sizes, SUPPORT_SHRINKAGE))
        });
        let support: Vec<u32> =
            largest(similar.collect(), SUPPORT).into_iter().map(|(item, _)| item).collect();
        let s = support.len();
        (1..).zip(&support).for_each(|(at, item)| place[*item as usize] = at);
        let (mut a, mut b) = (vec![0.0; s * s], vec![0.0; s]);
        for (i, item) in support.iter().enumerate() {
            a[i * s + i] = count(*item) + lambda;
            for (other, together) in &gram[*item as usize] {
                match place[*other as usize] {
                    0 if *other as usize == target => b[i] = f64::from(*together),
                    0 => {}
                    at => a[i * s + at as usize - 1] = f64::from(*together),
                }
            }
        }
        support.iter().for_each(|item| place[*item as usize] = 0);
        // `lambda` is above 0 and the rest a Gram matrix, so there is a solution.
        let weights = solve(a, b).unwrap_or_default();
        support.into_iter().zip(weights).collect()
    };
    let columns: Vec<Vec<(u32, f64)>> =
        (0..n).into_par_iter().map_init(|| vec![0; n], column).collect();
    let mut rows = vec![Vec::new(); n];
    for (target, column) in (0..).zip(columns) {
        for (source, weight) in column {
            rows[source as usize].push((target, weight));
        }
    }
    SparseWeights::of_rows(rows.into_iter().map(|row| largest(row, m)).collect())
}
