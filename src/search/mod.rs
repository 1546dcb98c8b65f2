//! Nearest-neighbour search: user-blind, and therefore testable against brute force.
//!
//! A query passes three steps. [`Query`] checks and rotates it. The scan compares it with every
//! block of codes by exact integer arithmetic and keeps the best few hundred. Those are scored once
//! more in f64 against their decoded vectors: that score orders the answer and is the one
//! returned. Items that are not allowed are skipped inside the scan, so `k` items come back
//! whenever `k` qualify.

mod query;
mod scan;
mod top;

pub use query::Query;

use crate::ids::Scored;
use crate::item_set::ItemSet;
use crate::kernel::Backend;
use crate::load::Index;
use crate::ordering::sort_best_first;

/// Items beyond `k` that the scan hands to the f64 step.
///
/// With 8-bit codes and 12-bit queries the scan's order differs from the final one only among
/// neighbours whose scores agree to about 1 part in 2000. What is right at the `k`-th place must
/// be among the survivors, whatever `k` is; 200 more leave room for catalogs with many
/// near-duplicates.
const MARGIN: usize = 200;

/// Working memory of searches. Make one and keep it: after the first search of each size no
/// search allocates.
#[derive(Debug)]
pub struct Searcher {
    backend: Backend,
    quantized: Vec<i16>,
    top: top::Top,
    scored: Vec<Scored>,
}

impl Default for Searcher {
    fn default() -> Self {
        Self::with_backend(Backend::best())
    }
}

impl Searcher {
    /// Working memory with the fastest backend of this machine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Working memory with a given backend. Answers do not depend on it; tests show that.
    #[must_use]
    pub fn with_backend(backend: Backend) -> Self {
        Self { backend, quantized: Vec::new(), top: top::Top::default(), scored: Vec::new() }
    }

    /// The best `min(k, allowed.count())` of the allowed items: higher score first, ties by
    /// ordinal.
    ///
    /// `allowed` must be a set over this index. Cost: one pass over the codes of all blocks that
    /// hold an allowed item; `benches/record/` holds the times.
    ///
    /// ```
    /// # let archive = &std::fs::read("tests/fixtures/small-v1.nf")?;
    /// use nearfield::{AlignedBytes, Index, ItemSet, Query, Searcher};
    ///
    /// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
    /// let item = index.ordinal("17")?.expect("the catalog has item 17");
    /// let mut allowed = ItemSet::full(index.len());
    /// allowed.remove(item);
    /// let mut searcher = Searcher::new();
    /// let neighbours = searcher.search(&index, &Query::item(&index, item)?, 5, &allowed);
    /// assert_eq!(neighbours.len(), 5);
    /// assert!(neighbours[0].score >= neighbours[1].score);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If `allowed` or `query` was made for an archive of another size or dimension.
    pub fn search(
        &mut self,
        index: &Index,
        query: &Query,
        k: usize,
        allowed: &ItemSet,
    ) -> &[Scored] {
        assert!(allowed.universe() == index.len(), "the set must be over this index");
        assert!(query.vector().len() == index.dim(), "the query must be for this index");
        self.top.restart((k + MARGIN).min(index.len()));
        scan::scan(self.backend, index, query, allowed, &mut self.quantized, &mut self.top);
        self.scored.clear();
        for ordinal in self.top.finish() {
            self.scored.push(Scored { ordinal, score: query.score(index, ordinal) });
        }
        sort_best_first(&mut self.scored);
        self.scored.truncate(k);
        &self.scored
    }
}
