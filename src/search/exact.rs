//! The f64 step: the score that an answer is ordered by.

use super::query::Query;
use crate::ids::Ordinal;
use crate::kernel::Backend;
use crate::kernel::code::{BLOCK, padded_dim};
use crate::load::{Centroids, Index};
use crate::metric::Metric;

/// Working memory of the exact scores of one query. What items of one block, or of one list, share is
/// computed once for those that are asked for one after the other.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// The query, padded as codes are.
    query: Vec<f64>,
    /// The list and the block that were met last, and the query's inner products with their centroids.
    list: Option<(usize, f64)>,
    block: Option<(usize, f64)>,
    /// A list's centroid.
    centroid: Vec<f64>,
    /// For distances, which need whole vectors.
    centroids: Centroids,
    item: Vec<f64>,
}

impl Exact {
    /// For another query.
    pub(super) fn restart(&mut self, index: &Index, query: &Query) {
        self.query.clear();
        self.query.extend_from_slice(query.vector());
        self.query.resize(padded_dim(index.dim()), 0.0);
        (self.list, self.block) = (None, None);
        self.centroid.resize(index.dim(), 0.0);
        self.centroids.restart(index);
        self.item.resize(index.dim(), 0.0);
    }

    /// The score of an item under the query that was given last.
    pub(super) fn score(
        &mut self,
        backend: Backend,
        index: &Index,
        query: &Query,
        ordinal: Ordinal,
    ) -> f64 {
        if query.metric() == Metric::Euclidean {
            let centroid = self.centroids.of(index, ordinal);
            return query.euclidean(index, ordinal, centroid, &mut self.item);
        }
        let (code, scale) = index.code(ordinal);
        let base = self.base(backend, index, query, ordinal.index() / BLOCK);
        let score = base + scale * backend.dot_code(code, &self.query);
        match query.metric() {
            // Decoded vectors have length 1 only nearly; a cosine stays within its bounds.
            Metric::Cosine => score.clamp(-1.0, 1.0),
            _ => score,
        }
    }

    /// The query's inner product with the centroid of a block.
    fn base(&mut self, backend: Backend, index: &Index, query: &Query, block: usize) -> f64 {
        if let Some((last, base)) = self.block
            && last == block
        {
            return base;
        }
        let list = index.list_of(block);
        let of_list = match self.list {
            Some((last, base)) if last == list => base,
            _ => {
                index.decode_centroid(list, &mut self.centroid);
                query.dot(&self.centroid)
            }
        };
        let (code, scale) = index.block_code(block);
        let base = of_list + scale * backend.dot_code(code, &self.query);
        (self.list, self.block) = (Some((list, of_list)), Some((block, base)));
        base
    }
}
