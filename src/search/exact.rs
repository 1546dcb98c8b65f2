//! The f64 step: the score that an answer is ordered by.

use std::ops::Range;

use super::query::Query;
use crate::ids::Ordinal;
use crate::kernel::Backend;
use crate::kernel::code::padded_dim;
use crate::load::Index;
use crate::metric::Metric;

/// Working memory of the exact scores of one query. What the best few share is computed once: they
/// lie in a handful of lists.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// The query, padded as codes are.
    query: Vec<f64>,
    /// Lists met so far: their ordinals, and the query's inner products with their centroids.
    lists: Vec<(Range<usize>, f64)>,
    /// Their centroids, one after the other.
    centroids: Vec<f64>,
    /// An item.
    item: Vec<f64>,
}

impl Exact {
    /// For another query.
    pub(super) fn restart(&mut self, index: &Index, query: &Query) {
        self.query.clear();
        self.query.extend_from_slice(query.vector());
        self.query.resize(padded_dim(index.dim()), 0.0);
        self.lists.clear();
        self.centroids.clear();
        self.item.resize(index.dim(), 0.0);
        // Room for as many lists as there are survivors of a usual search, all different.
        let lists = index.lists().len().min(256);
        self.lists.reserve(lists);
        self.centroids.reserve(lists * index.dim());
    }

    /// The score of an item under the query that was given last.
    pub(super) fn score(
        &mut self,
        backend: Backend,
        index: &Index,
        query: &Query,
        ordinal: Ordinal,
    ) -> f64 {
        let dim = index.dim();
        let known = self.lists.iter().position(|(range, _)| range.contains(&ordinal.index()));
        let at = known.unwrap_or_else(|| {
            let list = index.list_of(ordinal);
            let at = self.lists.len();
            self.centroids.resize((at + 1) * dim, 0.0);
            let centroid = &mut self.centroids[at * dim..];
            index.decode_centroid(list, centroid);
            self.lists.push((index.lists().range(list), query.dot(centroid)));
            at
        });
        if query.metric() == Metric::Euclidean {
            let centroid = &self.centroids[at * dim..(at + 1) * dim];
            return query.euclidean(index, ordinal, centroid, &mut self.item);
        }
        let (code, scale) = index.code(ordinal);
        let score = self.lists[at].1 + scale * backend.dot_code(code, &self.query);
        match query.metric() {
            // Decoded vectors have length 1 only nearly; a cosine stays within its bounds.
            Metric::Cosine => score.clamp(-1.0, 1.0),
            _ => score,
        }
    }
}
