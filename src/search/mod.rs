//! Nearest-neighbour search: user-blind, and therefore testable against brute force.
//!
//! A query passes four steps. [`Query`] checks and rotates it. Its inner products with the centroids of
//! lists, and of their blocks, choose the blocks to look at. The scan compares it with the prefixes
//! of those blocks' codes by exact integer arithmetic, and keeps every item that may belong to the best `k` given
//! how far prefixes are known to be off. Those few are decoded in full and scored in f64: that
//! score orders the answer and is the one returned. Items that are not allowed are left out of all
//! four, so `k` items come back whenever `k` qualify.

mod candidates;
mod choose;
mod exact;
mod query;
mod scan;
mod stored;
mod top;

pub use query::Query;

use exact::Exact;
use scan::{Leave, Scan};
use stored::Items;

use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::kernel::Backend;
use crate::kernel::code::BLOCK;
use crate::load::{Index, Probing};
use crate::ordering::{FEW, insert_best, keep_best, sort_best_first};

/// Items beyond `k` that are decoded and scored at most, whatever the margin says.
const MOST_BEYOND_K: usize = 190;
/// Items beyond `k` that there is room for from the start, for filters that leave little near the query:
/// very many may then lie at about one distance, none of which can be left out.
const RESERVED: usize = 2000;

/// Blocks that are fetched together before they are scanned: see [`Items::fetch`].
const AHEAD: usize = 16;

/// How much of the archive a search looks at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effort {
    /// As much as the archive's builder asked for.
    Usual,
    /// So much that this share (0 to 1) of the exact answer is expected to come back.
    Recall(f32),
    /// Everything that may belong to the answer: no list is left out, and a block of 32 items only where, as far
    /// as the builder measured, nothing in it lies near enough (some 1 in 2,000 of the nearest are lost so; none
    /// behind a filter, where a block is left out only for sure).
    Exhaustive,
}

/// Promises at a centroid, and how much more a spread above it.
#[cfg(feature = "build")]
pub(crate) type Lines = Vec<(f32, f32)>;

/// Working memory of searches. Make one and keep it: after the first search of each size no
/// search allocates.
#[derive(Debug)]
pub struct Searcher {
    backend: Backend,
    scans: Vec<Scan>,
    exact: Exact,
    scored: Vec<Scored>,
}

impl Default for Searcher {
    fn default() -> Self {
        Self::with_backend(Backend::best_for_scans())
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
        Self { backend, scans: Vec::new(), exact: Exact::default(), scored: Vec::new() }
    }

    /// The best `min(k, allowed.count())` of the allowed items: higher score first, ties by
    /// ordinal.
    ///
    /// `allowed` must be a set over this index. Cost: a pass over the codes of the blocks that the
    /// effort asks for, blocks without an allowed item left out; `benches/record/` holds the times.
    ///
    /// ```
    /// # let archive = &std::fs::read("tests/fixtures/small-v1.nf")?;
    /// use nearfield::{AlignedBytes, Effort, Index, ItemSet, Query, Searcher};
    ///
    /// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
    /// let item = index.ordinal("17")?.expect("the catalog has item 17");
    /// let mut allowed = ItemSet::full(index.len());
    /// allowed.remove(item);
    /// let mut searcher = Searcher::new();
    /// let query = Query::item(&index, item)?;
    /// let neighbours = searcher.search(&index, &query, 5, &allowed, Effort::Usual);
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
        effort: Effort,
    ) -> &[Scored] {
        self.pass(index, std::slice::from_ref(query), k, allowed, effort);
        self.finish(index, query, 0, k);
        &self.scored
    }

    /// What [`Searcher::search`] gives for each of several queries, in their order, at less cost:
    /// they share one pass over the codes. `found` is called with each query's position and answer.
    ///
    /// # Panics
    /// As [`Searcher::search`].
    pub fn search_many(
        &mut self,
        index: &Index,
        queries: &[Query],
        k: usize,
        allowed: &ItemSet,
        effort: Effort,
        mut found: impl FnMut(usize, &[Scored]),
    ) {
        self.pass(index, queries, k, allowed, effort);
        for (i, query) in queries.iter().enumerate() {
            self.finish(index, query, i, k);
            found(i, &self.scored);
        }
    }

    /// The scores of some items, in their order: those that [`Searcher::search`] gives them.
    ///
    /// # Panics
    /// If `query` was made for an archive of another dimension, or an ordinal is not below
    /// [`Index::len`].
    pub fn score(&mut self, index: &Index, query: &Query, items: &[Ordinal]) -> Vec<f64> {
        self.exact.restart(index, query);
        let levels = index.levels();
        let mut score = |item| self.exact.score(self.backend, index, &levels, query, item);
        items.iter().map(|item| score(*item)).collect()
    }

    /// The best `n` of the allowed items by the scores of their prefixes, each as (score of the
    /// prefix, score), in no order. For measuring how far the two are apart; looks at all blocks.
    #[cfg(feature = "build")]
    pub(crate) fn candidates(
        &mut self,
        index: &Index,
        query: &Query,
        allowed: &ItemSet,
        n: usize,
    ) -> Vec<(f64, f64)> {
        let n = n.min(allowed.count());
        let mut scan = Scan::default();
        scan.prepare(self.backend, index, query);
        scan.top.restart(n, n, 0.0);
        scan.score_all(self.backend, index);
        let items = Items::of(index);
        let blocks: Vec<usize> = (0..allowed.words().len()).collect();
        scan.scan_blocks(self.backend, &items, &blocks, allowed);
        let (prefixes, items): (Vec<f32>, Vec<Ordinal>) = scan.top.finish().unzip();
        let scores = self.score(index, query, &items);
        prefixes.into_iter().map(f64::from).zip(scores).collect()
    }

    /// What each list and each block promises a query at its centroid, and how much more for each spread
    /// above it; and what each block's prefixes can score at its centroid, and how much more a radius away.
    #[cfg(feature = "build")]
    pub(crate) fn promises(&mut self, index: &Index, query: &Query) -> [Lines; 3] {
        let mut scan = Scan::default();
        scan.prepare(self.backend, index, query);
        let (lists, blocks) = (index.lists(), index.blocks());
        scan.score_all(self.backend, index);
        // Promises are linear in the number of spreads.
        let line = |promise: &dyn Fn(f32) -> f32| (promise(0.0), promise(1.0) - promise(0.0));
        let of_lists =
            (0..lists.len()).map(|list| line(&|s| scan.list_promise(&lists, list, s))).collect();
        let of_blocks = (0..index.len().div_ceil(BLOCK))
            .map(|block| line(&|s| scan.block_promise(&blocks, block, s)))
            .collect();
        [of_lists, of_blocks, scan.limit_lines(&Items::of(index))]
    }

    /// Finds, for each query, the items that may belong to its best `k`.
    fn pass(
        &mut self,
        index: &Index,
        queries: &[Query],
        k: usize,
        allowed: &ItemSet,
        effort: Effort,
    ) {
        assert!(allowed.universe() == index.len(), "the set must be over this index");
        let fits = queries.iter().all(|q| q.vector().len() == index.dim());
        assert!(fits, "the query must be for this index");
        if self.scans.len() < queries.len() {
            self.scans.resize_with(queries.len(), Scan::default);
        }
        let scans = &mut self.scans[..queries.len()];
        if allowed.count() <= k + MOST_BEYOND_K {
            // So few that each of them is scored.
            for scan in scans {
                scan.take_all(allowed);
            }
            return;
        }
        let lists = index.lists();
        let probing = Self::probing(index, k, allowed.count(), effort);
        let is_filtered = allowed.count() < index.len();
        // What is far lies at about one distance, and none of it can be left out.
        let restart = |scan: &mut Scan| {
            let (cap, margin) = match scan.is_far {
                true => (allowed.count(), lists.filtered_margin),
                false => (k + MOST_BEYOND_K, lists.margin),
            };
            scan.top.restart(k, cap, margin * scan.length);
        };
        for (scan, query) in scans.iter_mut().zip(queries) {
            scan.prepare(self.backend, index, query);
            scan.choose(self.backend, index, probing, allowed);
            scan.is_counting = is_filtered;
            (scan.n_above, scan.n_above_allowed) = (0, 0);
            scan.is_far = is_filtered && !scan.is_typical(index, allowed, k);
            restart(scan);
        }
        self.scan_chosen(index, allowed, queries.len(), None);
        for scan in &mut self.scans[..queries.len()] {
            scan.top.settle();
            scan.choice.proceed();
            if scan.choice.blocks.count() > 0 {
                // Of what was scanned first, whatever came first counted as high.
                (scan.n_above, scan.n_above_allowed) = (0, 0);
            }
        }
        // What was measured was measured without a filter.
        let leave = match (probing.has_reach(), lists.radius_share) {
            (true, _) => Leave::Beyond(probing.reach),
            (false, share) if share < 1.0 && !is_filtered => Leave::Outside(share),
            _ => Leave::Hopeless,
        };
        self.scan_chosen(index, allowed, queries.len(), Some(leave));
        // What qualifies may all lie far away, where a centroid says little about its best items.
        // Blocks that may hold better ones than were found are looked at too.
        for scan in &mut self.scans[..queries.len()] {
            let is_exhaustive = effort == Effort::Exhaustive;
            // Only now it shows: what was scanned is scanned again, with the wider margin.
            let again = is_filtered && !scan.is_far && !scan.is_typical_above(index, allowed, k);
            if again || !is_exhaustive && (scan.is_far || scan.top.len() < k) {
                let least = if is_exhaustive { f32::MIN } else { scan.top.kth() };
                if again {
                    scan.is_far = true;
                    restart(scan);
                }
                scan.choose_more(self.backend, index, allowed, least, again);
            } else {
                scan.choose_none();
            }
        }
        self.scan_chosen(index, allowed, queries.len(), Some(Leave::Hopeless));
    }

    /// Scans the blocks that the first `n` scans have chosen, but for those to leave out.
    fn scan_chosen(&mut self, index: &Index, allowed: &ItemSet, n: usize, leave: Option<Leave>) {
        let Self { backend, scans, .. } = self;
        let scans = &mut scans[..n];
        if scans.iter().all(|scan| scan.choice.blocks.count() == 0) {
            return;
        }
        let (blocks, items) = (index.blocks(), Items::of(index));
        let (mut ahead, mut n_ahead) = ([0; AHEAD], 0);
        for group in 0..allowed.words().len().div_ceil(BLOCK) {
            let promising =
                |scan: &mut Scan| scan.promising(*backend, &blocks, &items, group, leave);
            let mut union = scans.iter_mut().map(promising).fold(0, |a, b| a | b);
            while union != 0 {
                ahead[n_ahead] = group * BLOCK + union.trailing_zeros() as usize;
                n_ahead += 1;
                union &= union - 1;
                if n_ahead == AHEAD {
                    scan_blocks(scans, *backend, &items, &ahead, allowed);
                    n_ahead = 0;
                }
            }
        }
        scan_blocks(scans, *backend, &items, &ahead[..n_ahead], allowed);
    }

    /// Scores what was found for a query and brings the best `k` to order.
    fn finish(&mut self, index: &Index, query: &Query, i: usize, k: usize) {
        let top = &mut self.scans[i].top;
        // Not for as many as there are, but as there may be: the next query must not allocate.
        self.exact.restart(index, query);
        self.scored.clear();
        self.scored.reserve(k + RESERVED);
        let (levels, items) = (index.levels(), top.finish().map(|(_, ordinal)| ordinal));
        Exact::fetch(&levels, items.clone());
        for ordinal in items {
            let score = self.exact.score(self.backend, index, &levels, query, ordinal);
            let item = Scored { ordinal, score };
            if k <= FEW { insert_best(&mut self.scored, item, k) } else { self.scored.push(item) }
        }
        if k > FEW {
            keep_best(&mut self.scored, k);
            sort_best_first(&mut self.scored);
        }
    }

    /// How many blocks of 32 items a search for `k` items looks at, at most, when `n_allowed` qualify and
    /// lie where the query looks.
    ///
    /// Among all items the best `k` that qualify lie about as deep as the best `k / selectivity`
    /// do, if the filter has nothing to do with the query.
    #[must_use]
    pub fn n_blocks(index: &Index, k: usize, n_allowed: usize, effort: Effort) -> usize {
        Self::probing(index, k, n_allowed, effort).n_blocks
    }

    fn probing(index: &Index, k: usize, n_allowed: usize, effort: Effort) -> Probing {
        let lists = index.lists();
        let recall = match effort {
            Effort::Exhaustive => return lists.all(),
            Effort::Usual => lists.recall(),
            Effort::Recall(recall) => recall,
        };
        let depth = (k as u64 * index.len() as u64).div_ceil(n_allowed.max(1) as u64);
        lists.probing(depth as usize, recall)
    }
}

/// Scans some blocks, each for all scans that chose it, so that what one brought into the cache serves the
/// others.
#[inline(never)]
fn scan_blocks(
    scans: &mut [Scan],
    backend: Backend,
    items: &Items<'_>,
    blocks: &[usize],
    allowed: &ItemSet,
) {
    items.fetch(blocks);
    // Nearly always: then they are its own, and it need not be asked, which costs a hundredth of a search.
    if let [scan] = scans {
        scan.scan_blocks(backend, items, blocks, allowed);
        return;
    }
    for scan in scans {
        let (mut own, mut n) = ([0; AHEAD], 0);
        for block in blocks {
            own[n] = *block;
            n += usize::from(scan.choice.blocks.contains(Ordinal(*block as u32)));
        }
        scan.scan_blocks(backend, items, &own[..n], allowed);
    }
}
