//! The pass over codes: centroids first, then the prefixes of the lists that promise most.
//!
//! The query is rounded to integers, so that a block's dot products are exact on every backend.
//! What turns them into scores is a handful of f32 operations per item, in one written order and
//! without fused multiply-add: the same bits however a compiler spreads them over lanes. Scores of
//! the scan only choose who is scored again; they are never returned.

use std::cmp::Reverse;

use super::query::Query;
use super::top::Top;
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kernel::code::{
    BLOCK, CENTROID_BITS, PREFIX_BITS, QUERY_LIMIT, centroid_block_bytes, padded_dim,
    prefix_block_bytes,
};
use crate::kernel::{Affine, Backend, Block};
use crate::load::{Index, Lists};
use crate::metric::Metric;

/// Lists that are scanned before the others.
const BEST_LISTS: usize = 4;

/// Every so manieth list is asked first, to know what promises are worth looking at,
const SAMPLED: usize = 8;
/// where there are so many.
const LISTS_TO_SAMPLE: usize = 1024;

/// One query in the form that the kernels take, and what it has found so far.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Rounded to 8 bits with sign, and padded.
    query: Vec<i8>,
    /// Of the scores of prefixes; the base is each list's own.
    affine: Affine,
    has_norms: bool,
    /// Of the query.
    length: f32,
    dim: f32,
    /// The score of each list's centroid, as an inner product.
    bases: Vec<f32>,
    /// What each list promises.
    promises: Vec<f32>,
    /// The lists to look at first: what they hold makes the threshold that refuses the rest.
    pub(super) best_lists: Vec<u32>,
    /// The other lists to look at. In the order in which they lie, for the memory's sake.
    pub(super) lists: ItemSet,
    /// Whether a filter leaves little where the query looks.
    pub(super) is_far: bool,
    /// What was found.
    pub(super) top: Top,
}

/// Rounds a vector to integers within ±[`QUERY_LIMIT`], padded, and returns the step: component =
/// step * integer. Rounding half up, by floor: the same everywhere. A vector so small that the
/// inverse of its largest component overflows counts as zero.
///
/// Written without `clamp`: in a module with relaxed SIMD compilers make a relaxed minimum of it.
fn quantize(vector: &[f64], out: &mut Vec<i8>) -> f64 {
    let limit = f64::from(QUERY_LIMIT);
    let mut largest = 0.0;
    for x in vector {
        if x.abs() > largest {
            largest = x.abs();
        }
    }
    let inverse = if largest > 1e-290 { limit / largest } else { 0.0 };
    out.clear();
    out.extend(vector.iter().map(|x| (x * inverse + 0.5).floor() as i8));
    out.resize(padded_dim(vector.len()), 0);
    largest / limit
}

/// `(2^bits - 1) * sum(q)`: dot(q, v) = 2 dot(q, u) less that, exact in wrapping i32 arithmetic
/// because the true value fits (see `kernel::code`).
fn offset(bits: u32, sum: i32) -> i32 {
    ((1 << bits) - 1) * sum
}

impl Scan {
    /// Takes a query, and scores all centroids.
    pub(super) fn prepare(&mut self, backend: Backend, index: &Index, query: &Query) {
        let step = quantize(query.vector(), &mut self.query);
        let sum = self.query.iter().map(|q| i32::from(*q)).sum();
        (self.length, self.dim) = (query.length() as f32, index.dim() as f32);
        self.has_norms = query.metric() == Metric::Euclidean;
        self.affine = Affine {
            offset: offset(PREFIX_BITS, sum),
            step: (step * f64::from(index.prefix_step())) as f32,
            base: 0.0,
            scale_base: index.scale_base(),
            norm_base: index.norm_base(),
        };

        let lists = index.lists();
        let affine = Affine {
            offset: offset(CENTROID_BITS, sum),
            step: step as f32,
            base: query.dot(index.centre()) as f32,
            scale_base: lists.scale_base,
            norm_base: lists.norm_base,
        };
        let mut scores = [0.0; BLOCK];
        self.bases.clear();
        let blocks = lists.codes.chunks_exact(centroid_block_bytes(index.dim()));
        for (codes, scales) in blocks.zip(lists.scales.as_chunks::<BLOCK>().0) {
            let block = Block { codes, scales, norms: None };
            backend.score_centroids(&block, &self.query, &affine, f32::MIN, &mut scores);
            self.bases.extend_from_slice(&scores);
        }
        self.bases.truncate(lists.len());
    }

    /// The score of items that lie `spreads` spreads above the centroid of their list, in the unit
    /// of the scan.
    #[inline]
    pub(super) fn promise(&self, lists: &Lists<'_>, list: usize, spreads: f32) -> f32 {
        let (base, spread) = (self.bases[list], lists.spread(list));
        if self.has_norms {
            // 2 q.x - |x|^2 = 2 q.c - |c|^2 + 2 (q - c).(x - c) - |x - c|^2.
            let near = 2.0 * base - lists.norm(list);
            let away = self.length * self.length - near;
            let away = if away > 0.0 { away.sqrt() } else { 0.0 };
            near + spread * (2.0 * spreads * away - self.dim * spread)
        } else {
            base + spread * (spreads * self.length)
        }
    }

    /// Chooses the `n_probes` most promising lists among those that hold an allowed item.
    pub(super) fn choose(&mut self, index: &Index, n_probes: usize, allowed: &ItemSet) {
        let lists = index.lists();
        let keep = if n_probes < lists.len() { n_probes } else { BEST_LISTS.min(lists.len()) };
        let mut promises = std::mem::take(&mut self.promises);
        promises.clear();
        promises.extend((0..lists.len()).map(|list| self.promise(&lists, list, lists.optimism)));
        let everything = allowed.count() == index.len();
        let is_candidate = |list: usize| everything || allowed.any_in(lists.range(list));
        for floor in [self.floor(&promises, keep), f32::MIN] {
            self.top.restart(keep, keep, 0.0);
            self.top.raise(floor);
            for (list, promise) in promises.iter().enumerate() {
                if *promise > self.top.threshold() && is_candidate(list) {
                    self.top.push(*promise, list as u32);
                }
            }
            // Where a filter leaves too few above the floor, the floor was wrong.
            if self.top.len() >= keep || floor == f32::MIN {
                break;
            }
        }
        self.promises = promises;
        let chosen = self.top.finish();
        self.lists.reset(lists.len());
        if n_probes >= lists.len() {
            self.lists.fill();
        }
        // The few best by insertion: they are fewer than a selection is made for.
        let mut best = [None; BEST_LISTS];
        for (promise, list) in chosen {
            self.lists.insert(list);
            let mut list = Some((promise, Reverse(list)));
            for place in &mut best {
                if list > *place {
                    std::mem::swap(&mut list, place);
                }
            }
        }
        self.best_lists.clear();
        for (_, Reverse(list)) in best.into_iter().flatten() {
            self.best_lists.push(list.0);
            self.lists.remove(list);
        }
    }

    /// Whether the lists that were chosen hold about as many of the allowed items as lists do on
    /// average: then what is known of all items holds for those.
    pub(super) fn is_typical(&self, index: &Index, allowed: &ItemSet) -> bool {
        let lists = index.lists();
        let (mut n_items, mut n_allowed) = (0u64, 0u64);
        let best = self.best_lists.iter().map(|list| Ordinal(*list));
        for list in self.lists.iter().chain(best) {
            let range = lists.range(list.index());
            n_items += range.len() as u64;
            n_allowed += allowed.count_in(range) as u64;
        }
        2 * n_allowed * index.len() as u64 >= n_items * allowed.count() as u64
    }

    /// What about `keep` of the promises exceed, more rather than fewer, judged by every
    /// [`SAMPLED`]th: with it, most of them are refused by one comparison.
    fn floor(&mut self, promises: &[f32], keep: usize) -> f32 {
        let n_above = keep / SAMPLED;
        let rank = n_above + 2 * n_above.isqrt() + 2;
        if promises.len() < LISTS_TO_SAMPLE || rank > promises.len() / SAMPLED {
            return f32::MIN;
        }
        self.top.restart(rank, rank, 0.0);
        for (list, promise) in promises.iter().enumerate().step_by(SAMPLED) {
            if *promise > self.top.threshold() {
                self.top.push(*promise, list as u32);
            }
        }
        self.top.kth().next_down()
    }

    /// Chooses, after a scan, those of the other lists that may hold better items than were found:
    /// all of them, if fewer than `k` were.
    pub(super) fn choose_more(&mut self, index: &Index, allowed: &ItemSet) {
        let least = self.top.kth();
        let lists = index.lists();
        for list in &self.best_lists {
            self.lists.insert(Ordinal(*list));
        }
        self.best_lists.clear();
        // What was scanned is turned into what may still be.
        self.lists.invert();
        for word in 0..self.lists.words().len() {
            let mut rest = self.lists.words()[word];
            while rest != 0 {
                let list = Ordinal(32 * word as u32 + rest.trailing_zeros());
                rest &= rest - 1;
                if self.promise(&lists, list.index(), lists.reach) <= least
                    || !allowed.any_in(lists.range(list.index()))
                {
                    self.lists.remove(list);
                }
            }
        }
    }

    /// Whether a list that was chosen is to be scanned; else it counts as not chosen.
    ///
    /// Most queries find their nearest items in the first few lists, and what they found then says of
    /// most of the others that they hold nothing better: an end that comes earlier for easy queries,
    /// as in Li et al., *Improving Approximate Nearest Neighbor Search through Learned Adaptive Early
    /// Termination* (SIGMOD 2020), here by one measured number a share of recall.
    #[inline]
    pub(super) fn takes(&mut self, lists: &Lists<'_>, list: Ordinal, reach: f32) -> bool {
        let takes =
            reach == f32::MAX || self.promise(lists, list.index(), reach) > self.top.kth_so_far();
        if !takes {
            self.lists.remove(list);
        }
        takes
    }

    /// Chooses no further list.
    pub(super) fn choose_none(&mut self) {
        self.lists.reset(self.lists.universe());
    }

    /// Takes all allowed items, which must be few, without looking at them.
    pub(super) fn take_all(&mut self, allowed: &ItemSet) {
        let n = allowed.count();
        self.top.restart(n, n, 0.0);
        allowed.iter().for_each(|item| self.top.push(0.0, item.0));
    }

    /// Scans one list.
    pub(super) fn scan_list(
        &mut self,
        backend: Backend,
        index: &Index,
        list: usize,
        allowed: &ItemSet,
    ) {
        let affine = Affine { base: self.bases[list], ..self.affine };
        let range = index.lists().range(list);
        if range.is_empty() {
            return;
        }
        let (first, last) = (range.start / BLOCK, (range.end - 1) / BLOCK);
        let items = first * BLOCK..(last + 1) * BLOCK;
        let bytes = prefix_block_bytes(index.dim());
        let prefixes = index.prefixes()[first * bytes..(last + 1) * bytes].chunks_exact(bytes);
        let (scales, _) = index.scale_bits()[items.clone()].as_chunks::<BLOCK>();
        let mut norms =
            self.has_norms.then(|| index.norm_bits()[items].as_chunks::<BLOCK>().0.iter());
        let words = &allowed.words()[first..=last];
        let mut scores = [0.0f32; BLOCK];
        for (block, ((codes, scales), word)) in (first..).zip(prefixes.zip(scales).zip(words)) {
            let norms = norms.as_mut().and_then(Iterator::next);
            let mut word = *word;
            // The first and the last block may hold items of the neighbouring lists.
            if block == first {
                word &= u32::MAX << (range.start % BLOCK);
            }
            if block == last {
                word &= u32::MAX >> (BLOCK - 1 - (range.end - 1) % BLOCK);
            }
            if word == 0 {
                continue;
            }
            let stored = Block { codes, scales, norms };
            let threshold = self.top.threshold();
            word &= backend.score_prefixes(&stored, &self.query, &affine, threshold, &mut scores);
            while word != 0 {
                let lane = word.trailing_zeros();
                word &= word - 1;
                let score = scores[lane as usize];
                if score > self.top.threshold() {
                    self.top.push(score, (block * BLOCK) as u32 + lane);
                }
            }
        }
    }
}
