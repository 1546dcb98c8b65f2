//! The most promising of many, by a threshold; and what was chosen.

use crate::item_set::ItemSet;
use crate::kernel::Backend;
use crate::kernel::code::BLOCK;

/// What a centroid promises that must not be chosen: less than any other.
const NOTHING: f32 = f32::MIN;
/// Thresholds that are tried at most.
const TRIALS: usize = 20;

/// Groups of lists or blocks, and what they promise.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    groups: Vec<u32>,
    promises: Vec<[f32; BLOCK]>,
}

impl Candidates {
    pub(super) fn restart(&mut self, n_groups: usize) {
        self.groups.clear();
        self.promises.clear();
        self.groups.reserve(n_groups);
        self.promises.reserve(n_groups);
    }

    /// Adds a group, of which only the lanes in `wanted` can be chosen.
    pub(super) fn push(
        &mut self,
        group: usize,
        wanted: u32,
        promise: impl FnOnce(&mut [f32; BLOCK]),
    ) {
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
    pub(super) fn above(
        &self,
        backend: Backend,
        threshold: f32,
    ) -> impl Iterator<Item = (usize, u32)> {
        let groups = self.groups.iter().zip(&self.promises);
        groups.map(move |(group, promises)| (*group as usize, backend.above(promises, threshold)))
    }

    /// The range of what promises anything.
    pub(super) fn range(&self, backend: Backend) -> Bracket {
        let (low, high) = backend.extremes_above(&self.promises, NOTHING);
        let n_low = backend.count_above(&self.promises, NOTHING);
        Bracket { low: low.next_down(), n_low, high }
    }

    /// A range at whose lower end a threshold lies that `keep` of the promises exceed, or a few more: all
    /// that promise anything, where there are no more than `keep`.
    ///
    /// The logarithm of how many lie above is nearly a straight line, far out. So the next trial is where
    /// the line through both ends meets what is wanted; the end that stays counts half from then on, or
    /// it would stay for ever (false position, the Illinois way: Dowell and Jarratt 1971).
    pub(super) fn threshold(&self, backend: Backend, range: Bracket, keep: usize) -> Bracket {
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
            let n = backend.count_above(&self.promises, at);
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

/// What was chosen, and the working memory of choosing.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// The blocks to look at next: the most promising first, since what they hold makes the threshold that
    /// refuses the rest. In the order in which they lie, for the memory's sake.
    pub(super) blocks: ItemSet,
    /// Those to look at after them; then those that were looked at before.
    pub(super) others: ItemSet,
    /// The lists whose blocks' centroids were scored.
    pub(super) lists: ItemSet,
    /// The blocks that are looked at in addition.
    pub(super) more: ItemSet,
    pub(super) candidates: Candidates,
}

impl Choice {
    /// From the most promising blocks to the others.
    pub(super) fn proceed(&mut self) {
        std::mem::swap(&mut self.blocks, &mut self.others);
    }
}

/// A range of thresholds.
#[derive(Clone, Copy)]
pub(super) struct Bracket {
    pub(super) low: f32,
    /// How many promises lie above its lower end; above the upper end lies none.
    n_low: usize,
    high: f32,
}

/// The binary logarithm of a positive number, by straight lines between powers of two, in units that do
/// not matter: the same on every machine.
fn logarithm(x: f32) -> f32 {
    x.to_bits() as f32
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
                    let backend = Backend::best();
                    let range = candidates.range(backend);
                    assert_eq!(range.n_low, n);
                    let found = candidates.threshold(backend, range, keep);
                    let above = promises.iter().filter(|p| **p > found.low).count();
                    assert_eq!(above, found.n_low);
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
