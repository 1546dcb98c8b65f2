//! The f64 step: the score that an answer is ordered by.

use super::query::Query;
use crate::ids::Ordinal;
use crate::kernel::Backend;
use crate::kernel::code::{BLOCK, padded_dim};
use crate::load::{Centroids, Index, Levels};
use crate::metric::Metric;

/// Lists and blocks whose part of a score is remembered, by their last bits.
const MET: usize = 64;
const NOT_MET: (usize, f64) = (usize::MAX, 0.0);

/// Working memory of the exact scores of one query. What the items of a block, or of a list, share is
/// remembered: the best few lie in a handful of them.
#[derive(Debug)]
pub(super) struct Exact {
    /// The query, padded as codes are.
    query: Vec<f64>,
    /// Its inner products with the centre, and with the centroids of lists and blocks met last.
    centre: f64,
    lists: [(usize, f64); MET],
    blocks: [(usize, f64); MET],
    /// For distances, which need whole vectors.
    centroids: Centroids,
    item: Vec<f64>,
}

impl Default for Exact {
    fn default() -> Self {
        Self {
            query: Vec::new(),
            centre: 0.0,
            lists: [NOT_MET; MET],
            blocks: [NOT_MET; MET],
            centroids: Centroids::default(),
            item: Vec::new(),
        }
    }
}

impl Exact {
    /// For another query.
    pub(super) fn restart(&mut self, index: &Index, query: &Query) {
        self.query.clear();
        self.query.extend_from_slice(query.vector());
        self.query.resize(padded_dim(index.dim()), 0.0);
        self.centre = query.dot(index.centre());
        self.lists = [NOT_MET; MET];
        self.blocks = [NOT_MET; MET];
        if query.metric() == Metric::Euclidean {
            self.centroids.restart(index);
            self.item.resize(index.dim(), 0.0);
        }
    }

    /// Has the refining bits of some items brought into the cache: they lie anywhere, and asked for one after
    /// the other each waits for memory.
    pub(super) fn fetch(levels: &Levels<'_>, items: impl Iterator<Item = Ordinal>) {
        let first = |item: Ordinal| levels.items.get(item.index()).0.refining.first().copied();
        std::hint::black_box(items.filter_map(first).map(u32::from).sum::<u32>());
    }

    /// The score of an item under the query that was given last.
    #[inline(never)]
    pub(super) fn score(
        &mut self,
        backend: Backend,
        index: &Index,
        levels: &Levels<'_>,
        query: &Query,
        item: Ordinal,
    ) -> f64 {
        if query.metric() == Metric::Euclidean {
            let centroid = self.centroids.of(index, item);
            return query.euclidean(index, item, centroid, &mut self.item);
        }
        let (code, scale) = levels.items.get(item.index());
        let base = self.base(backend, levels, item.index() / BLOCK);
        let score = base + scale * backend.dot_code(code, &self.query);
        match query.metric() {
            // Decoded vectors have length 1 only nearly; a cosine stays within its bounds.
            Metric::Cosine => score.clamp(-1.0, 1.0),
            _ => score,
        }
    }

    /// The query's inner product with the centroid of a block.
    fn base(&mut self, backend: Backend, levels: &Levels<'_>, block: usize) -> f64 {
        let (met, base) = self.blocks[block % MET];
        if met == block {
            return base;
        }
        let list = levels.lists.of_block(block);
        let (met, mut of_list) = self.lists[list % MET];
        if met != list {
            let (codes, scale) = levels.lists.centroid(list, self.query.len());
            let dot = backend.dot_centroid(codes, list % BLOCK, &self.query);
            of_list = self.centre + scale * dot;
            self.lists[list % MET] = (list, of_list);
        }
        let (code, scale) = levels.blocks.get(block);
        let base = of_list + scale * backend.dot_code(code, &self.query);
        self.blocks[block % MET] = (block, base);
        base
    }
}
