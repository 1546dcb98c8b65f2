//! Which blocks a scan looks at: those whose centroids promise most, in the lists whose do.
//!
//! Two steps of the same kind. All lists' centroids are compared with the query, and the most promising
//! lists are kept; then the centroids of those lists' blocks, and the most promising blocks are. A
//! promise is the score of items that lie a measured number of spreads above the centroid.

use std::ops::Range;

use super::scan::Scan;
use super::top::{key, ordinal, score};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kernel::Backend;
use crate::kernel::code::BLOCK;
use crate::load::{Index, Probing};
use crate::ordering::select_best;

/// Blocks that are scanned before the others.
const BEST_BLOCKS: usize = 16;
/// Every so manieth promise is asked first, to know which are worth looking at,
const SAMPLED: usize = 8;
/// where there are so many.
const PROMISES_TO_SAMPLE: usize = 1024;

/// What was chosen, and the working memory of choosing.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// The blocks to look at first: what they hold makes the threshold that refuses the rest.
    pub(super) best: Vec<u32>,
    /// The other blocks to look at. In the order in which they lie, for the memory's sake.
    pub(super) blocks: ItemSet,
    /// The lists whose blocks' centroids were scored.
    pub(super) lists: ItemSet,
    /// Lists or blocks, and what they promise.
    candidates: Vec<u32>,
    promises: Vec<f32>,
    /// Of those that were selected.
    keys: Vec<u64>,
}

impl Choice {
    /// Room for `n` candidates.
    fn restart(&mut self, n: usize) {
        self.candidates.clear();
        self.promises.clear();
        self.candidates.reserve(n);
        self.promises.reserve(n);
        self.keys.reserve(n.saturating_sub(self.keys.len()));
    }

    /// Takes out candidates.
    fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut n = 0;
        for i in 0..self.candidates.len() {
            let candidate = self.candidates[i];
            (self.candidates[n], self.promises[n]) = (candidate, self.promises[i]);
            n += usize::from(keep(candidate as usize));
        }
        self.candidates.truncate(n);
        self.promises.truncate(n);
    }

    /// Leaves in `keys` the `keep` candidates that promise most, in no order.
    fn select(&mut self, keep: usize) {
        let n = self.candidates.len();
        let keep = keep.min(n);
        let mut n_above = 0;
        for floor in [self.floor(keep), f32::MIN] {
            self.keys.resize(n, 0);
            n_above = 0;
            // Without branches: which promise is high enough cannot be foreseen.
            for (promise, candidate) in self.promises.iter().zip(&self.candidates) {
                self.keys[n_above] = key(*promise, *candidate);
                n_above += usize::from(*promise > floor);
            }
            // Where the sample was unlike the rest, the floor was wrong.
            if n_above >= keep {
                break;
            }
        }
        self.keys.truncate(n_above);
        if 0 < keep && keep < n_above {
            select_best(&mut self.keys, keep);
        }
        self.keys.truncate(keep);
    }

    /// What about `keep` of the promises exceed, more rather than fewer, judged by every [`SAMPLED`]th:
    /// with it, most of them are refused by one comparison.
    fn floor(&mut self, keep: usize) -> f32 {
        let n_above = keep / SAMPLED;
        let rank = n_above + 2 * n_above.isqrt() + 2;
        if self.promises.len() < PROMISES_TO_SAMPLE || rank > self.promises.len() / SAMPLED {
            return f32::MIN;
        }
        self.keys.clear();
        self.keys.extend(self.promises.iter().step_by(SAMPLED).map(|promise| key(*promise, 0)));
        select_best(&mut self.keys, rank);
        score(self.keys[rank - 1]).next_down()
    }
}

impl Scan {
    /// Chooses the most promising lists, and of their blocks the most promising, among those that hold
    /// an allowed item.
    pub(super) fn choose(
        &mut self,
        backend: Backend,
        index: &Index,
        probing: Probing,
        allowed: &ItemSet,
    ) {
        let mut choice = std::mem::take(&mut self.choice);
        choice.best.clear();
        choice.best.reserve(BEST_BLOCKS);
        choice.lists.reset(index.lists().len());
        choice.blocks.reset(self.bases.len());
        if probing.n_lists >= index.lists().len() && probing.n_blocks >= self.bases.len() {
            self.choose_all(&mut choice, backend, index, allowed);
        } else {
            self.choose_lists(&mut choice, index, probing.n_lists, allowed);
            self.score_blocks(backend, index, choice.lists.iter().map(Ordinal::index));
            self.choose_blocks(&mut choice, index, probing.n_blocks, allowed);
        }
        for block in &choice.best {
            choice.blocks.remove(Ordinal(*block));
        }
        self.choice = choice;
    }

    /// Everything, the blocks of the most promising list first.
    fn choose_all(
        &mut self,
        choice: &mut Choice,
        backend: Backend,
        index: &Index,
        allowed: &ItemSet,
    ) {
        let lists = index.lists();
        choice.lists.fill();
        self.score_blocks(backend, index, 0..lists.len());
        choice.blocks.fill();
        if allowed.count() < index.len() {
            for (block, word) in allowed.words().iter().enumerate() {
                if *word == 0 {
                    choice.blocks.remove(Ordinal(block as u32));
                }
            }
        }
        let promise = |list: &usize| self.list_promise(&lists, *list, lists.optimism);
        let best = (0..lists.len()).max_by(|a, b| promise(a).total_cmp(&promise(b)));
        let first = best.map_or(0..0, |list| lists.blocks(list)).take(BEST_BLOCKS);
        choice.best.extend(first.map(|block| block as u32));
    }

    fn choose_lists(&self, choice: &mut Choice, index: &Index, n_lists: usize, allowed: &ItemSet) {
        let lists = index.lists();
        if n_lists >= lists.len() {
            choice.lists.fill();
            return;
        }
        choice.restart(lists.len());
        choice.candidates.extend(0..lists.len() as u32);
        self.list_promises(&lists, &mut choice.promises);
        if allowed.count() < index.len() {
            choice.retain(|list| allowed.any_in(lists.range(list)));
        }
        choice.select(n_lists);
        for key in &choice.keys {
            choice.lists.insert(ordinal(*key));
        }
    }

    /// Of the blocks of the chosen lists, whose centroids were scored.
    fn choose_blocks(
        &self,
        choice: &mut Choice,
        index: &Index,
        n_blocks: usize,
        allowed: &ItemSet,
    ) {
        let (lists, blocks) = (index.lists(), index.blocks());
        choice.restart(self.bases.len());
        for list in choice.lists.iter() {
            let range = lists.blocks(list.index());
            choice.candidates.extend(range.start as u32..range.end as u32);
            self.block_promises(&blocks, range, &mut choice.promises);
        }
        if allowed.count() < index.len() {
            choice.retain(|block| allowed.words()[block] != 0);
        }
        choice.select(n_blocks);
        for key in &choice.keys {
            choice.blocks.insert(ordinal(*key));
        }
        if choice.keys.len() > BEST_BLOCKS {
            select_best(&mut choice.keys, BEST_BLOCKS);
        }
        choice.best.extend(choice.keys.iter().take(BEST_BLOCKS).map(|key| ordinal(*key).0));
    }

    /// Whether the lists that were chosen, and the blocks, hold about as many of the allowed items as they
    /// do on average: then what is known of all items holds for those. Both, since a block is only chosen
    /// if it holds an allowed item, which is much for a block and little for a list where few qualify.
    /// (Where all lists were chosen, they say nothing of where the allowed items lie.)
    pub(super) fn is_typical(&self, index: &Index, allowed: &ItemSet) -> bool {
        let (lists, Choice { best, blocks, lists: chosen, .. }) = (index.lists(), &self.choice);
        if chosen.count() == lists.len() {
            return false;
        }
        let of_lists = chosen.iter().map(|list| lists.range(list.index()));
        let of_blocks = blocks.iter().map(|block| block.index());
        let of_blocks = of_blocks.chain(best.iter().map(|block| *block as usize));
        let of_block = |block: usize| block * BLOCK..((block + 1) * BLOCK).min(index.len());
        is_share(index, allowed, of_lists) && is_share(index, allowed, of_blocks.map(of_block))
    }

    /// Chooses, after a scan, those of the other blocks that may hold better items than were found: all
    /// of them, if fewer than `k` were.
    pub(super) fn choose_more(&mut self, backend: Backend, index: &Index, allowed: &ItemSet) {
        let least = self.top.kth();
        let (lists, blocks) = (index.lists(), index.blocks());
        let mut choice = std::mem::take(&mut self.choice);
        // What was looked at first was looked at too.
        for block in choice.best.drain(..) {
            choice.blocks.insert(Ordinal(block));
        }
        let Choice { blocks: scanned, lists: scored, candidates, .. } = &mut choice;
        candidates.clear();
        candidates.reserve(self.bases.len());
        for list in 0..lists.len() {
            let is_scored = scored.contains(Ordinal(list as u32));
            if self.list_promise(&lists, list, lists.reach) > least
                && allowed.any_in(lists.range(list))
            {
                if !is_scored {
                    self.score_blocks(backend, index, std::iter::once(list));
                }
                for block in lists.blocks(list) {
                    if allowed.words()[block] != 0
                        && !scanned.contains(Ordinal(block as u32))
                        && self.block_promise(&blocks, block, blocks.reach) > least
                    {
                        candidates.push(block as u32);
                    }
                }
            }
        }
        scanned.reset(self.bases.len());
        for block in &*candidates {
            scanned.insert(Ordinal(*block));
        }
        self.choice = choice;
    }

    /// Chooses no further block.
    pub(super) fn choose_none(&mut self) {
        self.choice.blocks.reset(self.bases.len());
    }
}

/// Whether runs of items hold at least half as many of the allowed ones as they would on average.
fn is_share(index: &Index, allowed: &ItemSet, runs: impl Iterator<Item = Range<usize>>) -> bool {
    let (mut n_items, mut n_allowed) = (0u64, 0u64);
    for run in runs {
        n_items += run.len() as u64;
        n_allowed += allowed.count_in(run) as u64;
    }
    2 * n_allowed * index.len() as u64 >= n_items * allowed.count() as u64
}
