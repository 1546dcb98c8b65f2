//! Which blocks a scan looks at: those whose centroids promise most, in the lists whose do.
//!
//! Two steps of the same kind. All lists' centroids are compared with the query, and the most promising
//! lists are kept; then the centroids of those lists' blocks, and the most promising blocks are. A
//! promise is the score of items that lie a measured number of spreads above the centroid.
//!
//! Centroids come in groups of 32, whose codes are scanned together and which are one word of a set. So
//! what is kept is a threshold, found by counting, and a comparison of every promise with it.
//!
//! Steps are not inlined: an engine compiles a function when it is first called, and what a usual search
//! does not call should not delay its first answer.

use super::candidates::{Bracket, Choice};
use super::scan::Scan;
use super::stored::Centroids;
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kernel::Backend;
use crate::kernel::code::BLOCK;
use crate::load::{Index, Probing};

/// Blocks that are scanned before the others.
const BEST_BLOCKS: usize = 8;

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
        // Room for it now: a search that needs it must not be the first to allocate.
        choice.more.reset(index.len().div_ceil(BLOCK));
        self.choose_lists(&mut choice, backend, index, probing.n_lists, allowed);
        self.choose_blocks(&mut choice, backend, index, probing.n_blocks, allowed);
        self.choice = choice;
    }

    #[inline(never)]
    fn choose_lists(
        &self,
        choice: &mut Choice,
        backend: Backend,
        index: &Index,
        n_lists: usize,
        allowed: &ItemSet,
    ) {
        let lists = index.lists();
        choice.lists.reset(lists.len());
        if n_lists >= lists.len() {
            choice.lists.fill();
            return;
        }
        let n_groups = lists.len().div_ceil(BLOCK);
        choice.candidates.restart(n_groups);
        let is_filtered = allowed.count() < index.len();
        for group in 0..n_groups {
            let mut wanted = lanes(group, lists.len());
            if is_filtered {
                wanted &= word(|lane| {
                    let list = group * BLOCK + lane;
                    list < lists.len() && allowed.any_in(lists.range(list))
                });
            }
            choice.candidates.push(group, wanted, |out| self.list_promises(&lists, group, out));
        }
        let candidates = &choice.candidates;
        let Bracket { low, .. } =
            candidates.threshold(backend, candidates.range(backend), n_lists);
        for (group, word) in candidates.above(backend, low) {
            choice.lists.set_word(group, word);
        }
    }

    /// Of the blocks of the chosen lists.
    #[inline(never)]
    fn choose_blocks(
        &mut self,
        choice: &mut Choice,
        backend: Backend,
        index: &Index,
        n_blocks: usize,
        allowed: &ItemSet,
    ) {
        let centroids = Centroids::of(index);
        let lists = &centroids.lists;
        let n = index.len().div_ceil(BLOCK);
        let is_filtered = allowed.count() < index.len();
        choice.candidates.restart(n.div_ceil(BLOCK));
        let mut last = None;
        for list in choice.lists.iter() {
            let range = lists.blocks(list.index());
            for group in range.start / BLOCK..range.end.div_ceil(BLOCK) {
                if last == Some(group) {
                    continue;
                }
                last = Some(group);
                let (first, end) = (group * BLOCK, (group + 1) * BLOCK);
                let mut wanted = lanes(group, n);
                // Else all of the group lies in this list.
                if lists.of_block(first) != lists.of_block(end - 1) {
                    let list = |lane| Ordinal(lists.of_block(first + lane) as u32);
                    wanted &= word(|lane| choice.lists.contains(list(lane)));
                }
                if is_filtered {
                    wanted &= with_allowed(allowed, group);
                }
                if wanted != 0 {
                    self.score_group(backend, &centroids, group);
                    let promise = |out: &mut _| self.block_promises(&centroids.blocks, group, out);
                    choice.candidates.push(group, wanted, promise);
                }
            }
        }
        let Choice { candidates, blocks, others, .. } = choice;
        let least = candidates.threshold(backend, candidates.range(backend), n_blocks);
        let best = candidates.threshold(backend, least, BEST_BLOCKS.min(n_blocks));
        blocks.reset(n);
        others.reset(n);
        for (group, word) in candidates.above(backend, least.low) {
            others.set_word(group, word);
        }
        for (group, word) in candidates.above(backend, best.low) {
            put_first(blocks, others, group, word);
        }
    }

    /// Whether the lists that were chosen hold no fewer of the allowed items than chance leaves them: then the
    /// filter leaves as much there as elsewhere.
    #[inline(never)]
    pub(super) fn is_typical(&self, index: &Index, allowed: &ItemSet, k: usize) -> bool {
        let (lists, chosen) = (index.lists(), &self.choice.lists);
        let ranges = || chosen.iter().map(|list| lists.range(list.index()));
        let n_items = ranges().map(|range| range.len()).sum();
        let n_allowed: usize = ranges().map(|range| allowed.count_in(range)).sum();
        is_share(n_allowed + spare(k), n_items, share_of(index, allowed))
    }

    /// Whether the items that scored as high as what was found, allowed or not, hold no fewer of the allowed
    /// ones than chance leaves them. Else the filter follows the query, and takes away what is near.
    #[inline(never)]
    pub(super) fn is_typical_above(&self, index: &Index, allowed: &ItemSet, k: usize) -> bool {
        let share = share_of(index, allowed);
        // Only blocks were looked at that hold one of them: a few less would have held none by chance.
        let of_32 = (0..BLOCK.ilog2()).fold(1.0 - share, |none, _| none * none);
        is_share(self.n_above_allowed + spare(k), self.n_above, share / (1.0 - of_32))
    }

    /// Chooses, after a scan, those of the other blocks that may hold better items than `least`; to scan
    /// `again`, those that were scanned too.
    #[inline(never)]
    pub(super) fn choose_more(
        &mut self,
        backend: Backend,
        index: &Index,
        allowed: &ItemSet,
        least: f32,
        again: bool,
    ) {
        let centroids = Centroids::of(index);
        let Centroids { lists, blocks, .. } = &centroids;
        let mut choice = std::mem::take(&mut self.choice);
        // What was looked at first was looked at too.
        choice.blocks.union(&choice.others);
        let Choice { blocks: scanned, lists: scored, more, .. } = &mut choice;
        more.reset(index.len().div_ceil(BLOCK));
        for list in 0..lists.len() {
            if self.list_promise(lists, list, lists.level.reach) <= least
                || !allowed.any_in(lists.range(list))
            {
                continue;
            }
            let range = lists.blocks(list);
            if !scored.contains(Ordinal(list as u32)) {
                for group in range.start / BLOCK..range.end.div_ceil(BLOCK) {
                    self.score_group(backend, &centroids, group);
                }
            }
            for block in range {
                if allowed.words()[block] != 0
                    && self.block_promise(blocks, block, blocks.reach) > least
                {
                    more.insert(Ordinal(block as u32));
                }
            }
        }
        if again {
            more.union(scanned);
        } else {
            scanned.invert();
            more.intersect(scanned);
        }
        std::mem::swap(scanned, more);
        self.choice = choice;
    }

    /// Chooses no further block.
    pub(super) fn choose_none(&mut self) {
        let n = self.choice.blocks.universe();
        self.choice.blocks.reset(n);
    }
}

/// So many of the nearest may be missing without a word: for want of them an answer of `k` is hardly
/// deeper. (An item whose neighbours are asked for is excluded itself, and always the nearest.)
fn spare(k: usize) -> usize {
    k / 2
}

/// The lanes of a group in which `wanted` says so.
fn word(wanted: impl Fn(usize) -> bool) -> u32 {
    (0..BLOCK).fold(0, |word, lane| word | u32::from(wanted(lane)) << lane)
}

/// Moves these blocks of a group from the others to those that come first.
fn put_first(first: &mut ItemSet, others: &mut ItemSet, group: usize, word: u32) {
    let chosen = others.words()[group];
    first.set_word(group, chosen & word);
    others.set_word(group, chosen & !word);
}

/// The blocks of a group that hold an allowed item.
#[inline(never)]
fn with_allowed(allowed: &ItemSet, group: usize) -> u32 {
    let words = &allowed.words()[group * BLOCK..];
    word(|lane| words.get(lane).is_some_and(|items| *items != 0))
}

/// The lanes of a group that are not padding, where there are `n` lists or blocks.
fn lanes(group: usize, n: usize) -> u32 {
    u32::MAX >> (((group + 1) * BLOCK).saturating_sub(n)).min(31)
}

fn share_of(index: &Index, allowed: &ItemSet) -> f64 {
    allowed.count() as f64 / index.len() as f64
}

/// Whether so many of some items are no fewer than chance leaves of them where it leaves this share of all,
/// but for two cases in a hundred. (Three standard deviations, one case in a thousand, let filters pass that take away
/// half of what is near.)
fn is_share(n_allowed: usize, n_items: usize, share: f64) -> bool {
    let expected = n_items as f64 * share;
    n_allowed as f64 >= expected - 2.0 * (expected * (1.0 - share)).sqrt()
}
