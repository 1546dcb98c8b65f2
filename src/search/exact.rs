//! The f64 step: the score that an answer is ordered by.

use super::query::Query;
use crate::ids::Ordinal;
use crate::kernel::Backend;
use crate::kernel::code::{BLOCK, padded_dim};
use crate::load::{Centroids, Index};
use crate::metric::Metric;

/// Working memory of the exact scores of one query. What the items of a block, or of a list, share is
/// computed once: the best few lie in a handful of them.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// The query, padded as codes are.
    query: Vec<f64>,
    /// Lists and blocks met so far, and the query's inner products with their centroids.
    lists: Vec<(usize, f64)>,
    blocks: Vec<(usize, f64)>,
    /// A list's centroid.
    centroid: Vec<f64>,
    /// For distances, which need whole vectors.
    centroids: Centroids,
    item: Vec<f64>,
}

impl Exact {
    /// For another query, and the scores of at most `n` items.
    pub(super) fn restart(&mut self, index: &Index, query: &Query, n: usize) {
        self.query.clear();
        self.query.extend_from_slice(query.vector());
        self.query.resize(padded_dim(index.dim()), 0.0);
        self.lists.clear();
        self.blocks.clear();
        self.lists.reserve(n.min(index.lists().len()));
        self.blocks.reserve(n.min(index.len().div_ceil(BLOCK)));
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
        if let Some((_, base)) = self.blocks.iter().find(|met| met.0 == block) {
            return *base;
        }
        let list = index.list_of(block);
        let known = self.lists.iter().find(|met| met.0 == list).map(|met| met.1);
        let of_list = known.unwrap_or_else(|| {
            index.decode_centroid(list, &mut self.centroid);
            let base = query.dot(&self.centroid);
            self.lists.push((list, base));
            base
        });
        let (code, scale) = index.block_code(block);
        let base = of_list + scale * backend.dot_code(code, &self.query);
        self.blocks.push((block, base));
        base
    }
}
