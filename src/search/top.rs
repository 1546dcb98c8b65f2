//! The best few of a long stream, by a threshold: nearly every score of a scan is refused by one
//! comparison, and the rest lands in a buffer that is cut back now and then.

use super::RESERVED;
use crate::ids::Ordinal;
use crate::kernel::code::BLOCK;
use crate::ordering::{FEW, keep_best, select_best};

/// A score and an ordinal as one number, so that comparing is one instruction: a larger score is a
/// larger number, and so is the smaller ordinal under equal scores.
pub(super) fn key(score: f32, ordinal: u32) -> u64 {
    u64::from(rising(score)) << 32 | u64::from(!ordinal)
}

/// A score as a number of the same order, that of [`f32::total_cmp`].
fn rising(score: f32) -> u32 {
    let bits = score.to_bits();
    bits ^ (((bits as i32) >> 31) as u32 | 1 << 31)
}

/// The ordinal of a key.
pub(super) fn ordinal(key: u64) -> Ordinal {
    Ordinal(!key as u32)
}

/// The score of a key.
pub(super) fn score(key: u64) -> f32 {
    let rising = (key >> 32) as u32;
    f32::from_bits(rising ^ (((!rising as i32) >> 31) as u32 | 1 << 31))
}

/// Keeps, of (score, ordinal) pairs, those that may belong to the best `k` when scores are known
/// to within a margin: all that lie at most the margin below the `k`-th best score, and of these
/// the best `cap`.
///
/// Which ones are kept does not depend on when the buffer was cut, since the threshold only rises,
/// and never above its final value; but of equal scores at the cap the first to come stay.
///
/// The scores of a few best are kept in order beside the buffer: then the threshold rises with each block, and
/// blocks that follow are refused by it.
#[derive(Debug, Default)]
pub(super) struct Top {
    k: usize,
    cap: usize,
    margin: f32,
    /// Each as a [`key`].
    found: Vec<u64>,
    /// The best of their scores, if `k` is a [`FEW`].
    best: Best,
    /// Length at which the buffer is cut next.
    full: usize,
    threshold: f32,
    /// The `k`-th best score when it was last looked for, and what was left when the buffer was last cut.
    kth: f32,
    n_cut: usize,
}

/// The best [`FEW`] scores, best first.
#[derive(Debug)]
struct Best([f32; FEW]);

impl Default for Best {
    fn default() -> Self {
        Self([f32::MIN; FEW])
    }
}

impl Best {
    /// Each place keeps what is there, or takes the new score, or what stood before it, whichever is the
    /// median. Nobody could predict where a score belongs, so a loop that ends there costs more than one over
    /// all places, several at a time.
    #[inline]
    fn insert(&mut self, score: f32) {
        let mut before = f32::MAX;
        for kept in &mut self.0 {
            let moved = if before < score { before } else { score };
            before = *kept;
            *kept = if before > moved { before } else { moved };
        }
    }

    /// The `n`-th best, counted from 1.
    #[inline]
    fn nth(&self, n: usize) -> f32 {
        self.0[n - 1]
    }
}

/// Scores collected before the first cut: enough to make the threshold worth something.
const FIRST_CUT: usize = 64;

impl Top {
    /// Empties it, for other numbers. `cap` is at least `k`.
    pub(super) fn restart(&mut self, k: usize, cap: usize, margin: f32) {
        debug_assert!(cap >= k);
        (self.k, self.cap, self.margin) = (k, cap, margin);
        self.found.clear();
        self.found.reserve(2 * (k + RESERVED) + 2 * FIRST_CUT);
        self.best = Best::default();
        self.full = FIRST_CUT.max(2 * k);
        // An ordinary extreme value stands for "anything": relaxed SIMD may fold NaN and
        // infinities away, and every score is far above it.
        self.threshold = if k == 0 { f32::MAX } else { f32::MIN };
        (self.kth, self.n_cut) = (f32::MIN, 0);
    }

    /// Number of pairs that it holds.
    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    /// What a score must exceed to matter.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// The `k`-th best score when it was last looked for; an extreme value before that.
    #[inline]
    pub(super) fn kth_so_far(&self) -> f32 {
        self.kth
    }

    /// The `k`-th best score; an extreme value where fewer were found.
    #[inline]
    pub(super) fn kth(&mut self) -> f32 {
        self.settle();
        self.kth
    }

    /// Takes those of 32 scores whose bits are set in `lanes`, of the item with this ordinal and those that follow
    /// it. All of them exceed the threshold, which rises when all are taken: to look at it after each would keep the
    /// next one waiting.
    #[inline]
    pub(super) fn take(&mut self, scores: &[f32; BLOCK], mut lanes: u32, first: u32) {
        if lanes == 0 {
            return;
        }
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let score = scores[lane as usize];
            self.found.push(key(score, first + lane));
            if self.k <= FEW {
                self.best.insert(score);
            }
        }
        if self.k <= FEW && self.found.len() >= self.k {
            self.raise(self.best.nth(self.k));
        }
        if self.found.len() >= self.full {
            self.settle();
        }
    }

    /// Raises the threshold to what the `k`-th best so far leaves of the rest.
    #[inline]
    fn raise(&mut self, kth: f32) {
        self.kth = kth;
        self.threshold = self.below_margin().max(self.threshold);
    }

    /// What equals it is refused; one step of f32 below the margin, everything within the margin stays.
    #[inline]
    fn below_margin(&self) -> f32 {
        (self.kth - self.margin).next_down()
    }

    /// Cuts the buffer now, to have the threshold of what was found so far.
    #[inline(never)]
    pub(super) fn settle(&mut self) {
        if self.found.len() < self.k || self.found.len() == self.n_cut {
            return;
        }
        if self.k > FEW {
            select_best(&mut self.found, self.k);
            self.raise(score(self.found[self.k - 1]));
        }
        // Not the threshold: of what was the last at the cap, some may equal that.
        let least = rising(self.below_margin());
        let mut n_kept = 0;
        for i in 0..self.found.len() {
            let key = self.found[i];
            self.found[n_kept] = key;
            n_kept += usize::from((key >> 32) as u32 > least);
        }
        self.found.truncate(n_kept);
        if n_kept > self.cap {
            keep_best(&mut self.found, self.cap);
            self.threshold = score(self.found[self.cap - 1]).max(self.threshold);
        }
        self.n_cut = self.found.len();
        self.full = 2 * self.found.len().max(FIRST_CUT / 2);
    }

    /// What was kept, in no order: scores and ordinals.
    pub(super) fn finish(&mut self) -> impl Iterator<Item = (f32, Ordinal)> + Clone {
        self.settle();
        self.found.iter().map(|key| (score(*key), ordinal(*key)))
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    #[test]
    fn keys_have_the_order_of_scores() {
        let rising = [f32::MIN, -1.5, -1.0, -1e-40, -0.0, 0.0, 1e-40, 1.0, 1.5, f32::MAX];
        for (i, a) in rising.into_iter().enumerate() {
            assert_eq!(score(key(a, 7)).to_bits(), a.to_bits());
            assert!(key(a, 7) > key(a, 8), "under equal scores the smaller ordinal is better");
            for b in &rising[i + 1..] {
                assert!(key(a, 0) < key(*b, u32::MAX), "{a} is below {b}");
            }
        }
    }

    #[test]
    fn keeps_what_a_full_sort_keeps() {
        let mut rng = SeededRng::new(11, 0);
        let mut top = Top::default();
        for (n, k, cap, distinct, margin) in [
            (0, 3, 5, 5, 0.0),
            (1, 0, 0, 5, 0.0),
            (5, 10, 20, 3, 1.0),
            (1000, 7, 7, 4, 0.0),
            (1000, 10, 60, 1000, 20.0),
            (1000, 10, 30, 1000, 500.0),
            (1000, 100, 300, 1000, 100.0),
        ] {
            let scores: Vec<f32> = (0..n).map(|_| rng.below(distinct) as f32).collect();
            top.restart(k, cap, margin);
            for (i, block) in scores.chunks(BLOCK).enumerate() {
                let of = |lane: usize| block.get(lane).copied().unwrap_or(f32::MIN);
                let threshold = top.threshold();
                let is_above = |lane: &usize| of(*lane) > threshold;
                let lanes = (0..BLOCK).filter(is_above).fold(0, |word, lane| word | 1 << lane);
                top.take(&std::array::from_fn(of), lanes, (i * BLOCK) as u32);
            }
            let mut found: Vec<u32> = top.finish().map(|(_, ordinal)| ordinal.0).collect();
            found.sort_unstable();
            let mut expected: Vec<_> = scores.iter().zip(0..n as u32).collect();
            expected.sort_by(|a, b| b.0.total_cmp(a.0).then(a.1.cmp(&b.1)));
            if let Some((kth, _)) = expected.get(k.wrapping_sub(1)) {
                let least = **kth - margin;
                expected.retain(|(score, _)| **score >= least);
            }
            expected.truncate(if k == 0 { 0 } else { cap });
            let mut expected: Vec<u32> = expected.iter().map(|e| e.1).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{n} scores, the best {k} of {cap}, margin {margin}");
        }
    }
}
