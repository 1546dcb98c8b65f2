//! The f64 step: the score that an answer is ordered by.

use super::query::Query;
use crate::ids::Ordinal;
use crate::load::Index;

/// Working memory of the exact scores of one query. What the best few share is computed once: they
/// lie in a handful of lists.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// Lists met so far, and the query's inner products with their centroids.
    bases: Vec<(u32, f64)>,
    /// Their centroids, one after the other.
    centroids: Vec<f64>,
}

impl Exact {
    /// For another query.
    pub(super) fn restart(&mut self, index: &Index) {
        self.bases.clear();
        self.centroids.clear();
        // Room for as many lists as there are survivors of a usual search, all different.
        let lists = index.lists().len().min(256);
        self.bases.reserve(lists);
        self.centroids.reserve(lists * index.dim());
    }

    pub(super) fn score(&mut self, index: &Index, query: &Query, ordinal: Ordinal) -> f64 {
        let dim = index.dim();
        let list = index.list_of(ordinal) as u32;
        let at = match self.bases.iter().position(|(l, _)| *l == list) {
            Some(at) => at,
            None => {
                let at = self.bases.len();
                self.centroids.resize((at + 1) * dim, 0.0);
                let centroid = &mut self.centroids[at * dim..];
                index.decode_centroid(list as usize, centroid);
                self.bases.push((list, query.dot(centroid)));
                at
            }
        };
        let centroid = &self.centroids[at * dim..(at + 1) * dim];
        query.score(index, ordinal, self.bases[at].1, centroid)
    }
}
