//! Which blocks a scan looks at: those whose centroids promise most, in the lists whose do.
//!
//! Two steps of the same kind. All lists' centroids are compared with the query, and the most promising
//! lists are kept; then the centroids of those lists' blocks, and the most promising blocks are. A
//! promise is the score of items that lie a measured number of spreads above the centroid.
//!
//! Centroids come in groups of 32, whose codes are scanned together and which are one word of a set. So
//! what is kept is a threshold, found by counting, and a comparison of every promise with it.

use super::scan::{Centroids, Scan};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kernel::Backend;
use crate::kernel::code::BLOCK;
use crate::load::{Index, Probing};

/// Blocks that are scanned before the others.
const BEST_BLOCKS: usize = 16;
/// What a centroid promises that must not be chosen: less than any other.
const NOTHING: f32 = f32::MIN;
/// Thresholds that are tried at most.
const TRIALS: usize = 20;

/// What was chosen, and the working memory of choosing.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// The blocks to look at first: what they hold makes the threshold that refuses the rest.
    pub(super) best: Vec<u32>,
    /// The other blocks to look at. In the order in which they lie, for the memory's sake.
    pub(super) blocks: ItemSet,
    /// The lists whose blocks' centroids were scored.
    pub(super) lists: ItemSet,
    /// The blocks that are looked at in addition.
    more: ItemSet,
    candidates: Candidates,
}

/// Groups of lists or blocks, and what they promise.
#[derive(Debug, Default)]
struct Candidates {
    groups: Vec<u32>,
    promises: Vec<[f32; BLOCK]>,
}

impl Candidates {
    fn restart(&mut self, n_groups: usize) {
        self.groups.clear();
        self.promises.clear();
        self.groups.reserve(n_groups);
        self.promises.reserve(n_groups);
    }

    /// Adds a group, of which only the lanes in `wanted` can be chosen.
    fn push(&mut self, group: usize, wanted: u32, promise: impl FnOnce(&mut [f32; BLOCK])) {
        self.groups.push(group as u32);
        let promises = self.promises.push_mut([NOTHING; BLOCK]);
        promise(promises);
        if wanted != u32::MAX {
            for (lane, promise) in promises.iter_mut().enumerate() {
                if wanted >> lane & 1 == 0 {
                    *promise = NOTHING;
                }
            }
        }
    }

    /// Each group, and which of its promises lie above a threshold.
    fn above(&self, backend: Backend, threshold: f32) -> impl Iterator<Item = (usize, u32)> {
        let groups = self.groups.iter().zip(&self.promises);
        groups.map(move |(group, promises)| (*group as usize, backend.above(promises, threshold)))
    }

    /// How many promises lie above a threshold.
    fn n_above(&self, threshold: f32) -> usize {
        // As wide as a group: compilers make SIMD of this, and not of fewer lanes.
        let mut sums = [0u32; BLOCK];
        for promises in &self.promises {
            sums.iter_mut().zip(promises).for_each(|(n, p)| *n += u32::from(*p > threshold));
        }
        sums.iter().sum::<u32>() as usize
    }

    /// The range of what promises anything.
    fn range(&self) -> Bracket {
        let (mut low, mut high) = ([f32::MAX; BLOCK], [NOTHING; BLOCK]);
        for promises in &self.promises {
            for (high, promise) in high.iter_mut().zip(promises) {
                *high = if *promise > *high { *promise } else { *high };
            }
            for (low, promise) in low.iter_mut().zip(promises) {
                let promise = if *promise > NOTHING { *promise } else { f32::MAX };
                *low = if promise < *low { promise } else { *low };
            }
        }
        let low = low.into_iter().fold(f32::MAX, |a, b| if b < a { b } else { a });
        let high = high.into_iter().fold(NOTHING, |a, b| if b > a { b } else { a });
        Bracket { low: low.next_down(), n_low: self.n_above(NOTHING), high }
    }

    /// A range at whose lower end a threshold lies that `keep` of the promises exceed, or a few more: all
    /// that promise anything, where there are no more than `keep`.
    ///
    /// The logarithm of how many lie above is nearly a straight line, far out. So the next trial is where
    /// the line through both ends meets what is wanted; the end that stays counts half from then on, or
    /// it would stay for ever (false position, the Illinois way: Dowell and Jarratt 1971).
    fn threshold(&self, range: Bracket, keep: usize) -> Bracket {
        let Bracket { mut low, mut n_low, mut high } = range;
        let most = keep + keep / 32 + 1;
        let wanted = logarithm(keep as f32 + 0.5);
        // How far off both ends are; above the upper one lies nothing, which counts as a half.
        let (mut off_low, mut off_high) =
            (logarithm(n_low as f32) - wanted, logarithm(0.5) - wanted);
        let mut side = 0;
        for _ in 0..TRIALS {
            if n_low <= most {
                break;
            }
            let mut at = low + (high - low) * (off_low / (off_low - off_high));
            if !(low < at && at < high) {
                at = low + 0.5 * (high - low);
            }
            // What is left promises the same.
            if at <= low || at >= high {
                break;
            }
            let n = self.n_above(at);
            let off = logarithm(if n > 0 { n as f32 } else { 0.5 }) - wanted;
            if n >= keep {
                (low, n_low, off_low) = (at, n, off);
                off_high *= if side == 1 { 0.5 } else { 1.0 };
                side = 1;
            } else {
                (high, off_high) = (at, off);
                off_low *= if side == -1 { 0.5 } else { 1.0 };
                side = -1;
            }
        }
        Bracket { low, n_low, ..range }
    }
}

/// A range of thresholds.
#[derive(Clone, Copy)]
struct Bracket {
    low: f32,
    /// How many promises lie above its lower end; above the upper end lies none.
    n_low: usize,
    high: f32,
}

/// The binary logarithm of a positive number, by straight lines between powers of two, in units that do
/// not matter: the same on every machine.
fn logarithm(x: f32) -> f32 {
    x.to_bits() as f32
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
        choice.best.reserve(2 * BEST_BLOCKS);
        let n_blocks = index.len().div_ceil(BLOCK);
        // Room for it now: a search that needs it must not be the first to allocate.
        choice.more.reset(n_blocks);
        if probing.n_lists >= index.lists().len() && probing.n_blocks >= n_blocks {
            self.choose_all(&mut choice, backend, index, allowed);
        } else {
            self.choose_lists(&mut choice, backend, index, probing.n_lists, allowed);
            self.choose_blocks(&mut choice, backend, index, probing.n_blocks, allowed);
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
        choice.lists.reset(lists.len());
        choice.lists.fill();
        self.score_all(backend, index);
        choice.blocks.reset(index.len().div_ceil(BLOCK));
        choice.blocks.fill();
        if allowed.count() < index.len() {
            for (block, word) in allowed.words().iter().enumerate() {
                if *word == 0 {
                    choice.blocks.remove(Ordinal(block as u32));
                }
            }
        }
        let promise = |list: &usize| self.list_promise(&lists, *list, lists.level.optimism);
        let best = (0..lists.len()).max_by(|a, b| promise(a).total_cmp(&promise(b)));
        let first = best.map_or(0..0, |list| lists.blocks(list)).take(BEST_BLOCKS);
        choice.best.extend(first.map(|block| block as u32));
    }

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
        let Bracket { low, .. } = candidates.threshold(candidates.range(), n_lists);
        for (group, word) in candidates.above(backend, low) {
            choice.lists.set_word(group, word);
        }
    }

    /// Of the blocks of the chosen lists.
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
                    let words = &allowed.words()[first..n.min(end)];
                    wanted &= word(|lane| words.get(lane).is_some_and(|items| *items != 0));
                }
                if wanted != 0 {
                    self.score_group(backend, &centroids, group);
                    let promise = |out: &mut _| self.block_promises(&centroids.blocks, group, out);
                    choice.candidates.push(group, wanted, promise);
                }
            }
        }
        let candidates = &choice.candidates;
        let least = candidates.threshold(candidates.range(), n_blocks);
        let best = candidates.threshold(least, BEST_BLOCKS.min(n_blocks));
        choice.blocks.reset(n);
        for (group, word) in candidates.above(backend, least.low) {
            choice.blocks.set_word(group, word);
        }
        for (group, mut word) in candidates.above(backend, best.low) {
            while word != 0 && choice.best.len() < 2 * BEST_BLOCKS {
                choice.best.push((group * BLOCK) as u32 + word.trailing_zeros());
                word &= word - 1;
            }
        }
    }

    /// Whether the lists that were chosen hold no fewer of the allowed items than chance leaves them: then the
    /// filter leaves as much there as elsewhere.
    pub(super) fn is_typical(&self, index: &Index, allowed: &ItemSet) -> bool {
        let (lists, chosen) = (index.lists(), &self.choice.lists);
        let ranges = || chosen.iter().map(|list| lists.range(list.index()));
        let n_items = ranges().map(|range| range.len()).sum();
        let n_allowed = ranges().map(|range| allowed.count_in(range)).sum();
        is_share(n_allowed, n_items, share_of(index, allowed))
    }

    /// Whether the items that scored as high as what was found, allowed or not, hold no fewer of the allowed
    /// ones than chance leaves them. Else the filter follows the query, and takes away what is near.
    pub(super) fn is_typical_above(&self, index: &Index, allowed: &ItemSet) -> bool {
        let share = share_of(index, allowed);
        // Only blocks were looked at that hold one of them: a few less would have held none by chance.
        let of_32 = (0..BLOCK.ilog2()).fold(1.0 - share, |none, _| none * none);
        is_share(self.n_above_allowed, self.n_above, share / (1.0 - of_32))
    }

    /// Chooses, after a scan, those of the other blocks that may hold better items than `least`; to scan
    /// `again`, those that were scanned too.
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
        for block in choice.best.drain(..) {
            choice.blocks.insert(Ordinal(block));
        }
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

/// The lanes of a group in which `wanted` says so.
fn word(wanted: impl Fn(usize) -> bool) -> u32 {
    (0..BLOCK).fold(0, |word, lane| word | u32::from(wanted(lane)) << lane)
}

/// The lanes of a group that are not padding, where there are `n` lists or blocks.
fn lanes(group: usize, n: usize) -> u32 {
    u32::MAX >> (((group + 1) * BLOCK).saturating_sub(n)).min(31)
}

fn share_of(index: &Index, allowed: &ItemSet) -> f64 {
    allowed.count() as f64 / index.len() as f64
}

/// Whether so many of some items are no fewer than chance leaves of them where it leaves this share of all,
/// but for one case in a thousand.
fn is_share(n_allowed: usize, n_items: usize, share: f64) -> bool {
    let expected = n_items as f64 * share;
    n_allowed as f64 >= expected - 3.0 * (expected * (1.0 - share)).sqrt()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    #[test]
    fn a_threshold_leaves_as_many_as_are_wanted_or_a_few_more() {
        let mut rng = SeededRng::new(4, 0);
        for shape in 0..5 {
            for n_groups in [1, 3, 100] {
                let mut candidates = Candidates::default();
                for group in 0..n_groups {
                    candidates.push(group, rng.bits() as u32 | 1, |promises| {
                        for promise in promises {
                            let x = rng.normal();
                            *promise = match shape {
                                0 => x,
                                // Far outliers, few values, one value, any size.
                                1 => x * x * x * 1e9,
                                2 => rng.below(3) as f64,
                                3 => 0.25,
                                _ => f64::from(f32::from_bits(rng.bits() as u32 & 0x7F00_0000)),
                            } as f32;
                        }
                    });
                }
                let mut promises: Vec<f32> = candidates.promises.concat();
                promises.retain(|promise| *promise > NOTHING);
                promises.sort_unstable_by(|a, b| b.total_cmp(a));
                let n = promises.len();
                for keep in [0, 1, 2, 16, 100, 1000, 5000] {
                    let range = candidates.range();
                    assert_eq!(range.n_low, n);
                    let found = candidates.threshold(range, keep);
                    let above = promises.iter().filter(|p| **p > found.low).count();
                    assert_eq!((above, candidates.n_above(found.low)), (found.n_low, above));
                    assert!(above >= keep.min(n), "{shape} {n} {keep}: {above}");
                    // All that promise the same come together, and no trial may part sizes far apart.
                    if shape < 2 {
                        assert!(above <= keep + keep / 32 + 1, "{shape} {n} {keep}: {above}");
                    }
                }
            }
        }
    }
}
