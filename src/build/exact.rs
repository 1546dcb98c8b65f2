//! Exact nearest neighbours of a few queries: what the tuning step compares with.

use rayon::prelude::*;

use super::space::Space;
use crate::ids::{Ordinal, Scored};
use crate::metric::Metric;
use crate::ordering::keep_best;

/// Queries that are compared with one row at a time: lanes for the compiler to fill.
const LANES: usize = 16;

/// For each query, an ordinal, the `k` items nearest to it (itself left out), best first.
///
/// Scores are those of the uncoded vectors in f32.
pub(super) fn neighbours(space: &Space, queries: &[u32], k: usize) -> Vec<Vec<Scored>> {
    let groups = queries.par_chunks(LANES).map(|group| neighbours_of(space, group, k));
    groups.collect::<Vec<_>>().concat()
}

fn neighbours_of(space: &Space, queries: &[u32], k: usize) -> Vec<Vec<Scored>> {
    let row = |lane: usize| space.row(queries[lane.min(queries.len() - 1)] as usize);
    let lanes: Vec<[f32; LANES]> =
        (0..space.dim).map(|j| std::array::from_fn(|lane| row(lane)[j])).collect();
    let mut found = vec![Vec::with_capacity(2 * k + 1); queries.len()];
    let mut thresholds = vec![f64::NEG_INFINITY; queries.len()];
    for ordinal in 0..space.len() {
        let x = space.row(ordinal);
        let mut dots = [0.0f32; LANES];
        for (x, lane) in x.iter().zip(&lanes) {
            dots.iter_mut().zip(lane).for_each(|(dot, q)| *dot += x * q);
        }
        // -|q - x|^2 orders like 2 q.x - |x|^2.
        let norm = match space.metric {
            Metric::Euclidean => x.iter().map(|x| x * x).sum::<f32>(),
            _ => 0.0,
        };
        for (lane, found) in found.iter_mut().enumerate() {
            let score = match space.metric {
                Metric::Euclidean => f64::from(2.0 * dots[lane] - norm),
                _ => f64::from(dots[lane]),
            };
            if score > thresholds[lane] && ordinal != queries[lane] as usize {
                found.push(Scored { ordinal: Ordinal(ordinal as u32), score });
                if found.len() > 2 * k {
                    keep_best(found, k);
                    thresholds[lane] = found[k - 1].score;
                }
            }
        }
    }
    for found in &mut found {
        found.sort_by(Scored::cmp_best_first);
        found.truncate(k);
    }
    found
}
