//! The best few of a long stream, by a threshold: nearly every score of a scan is refused by one
//! comparison, and the rest lands in a buffer that is cut back to the best when it is full.

use crate::ids::{Ordinal, Scored};
use crate::ordering::select_best;

/// Keeps the `keep` best of (score, ordinal) pairs that arrive in ascending order of ordinals.
#[derive(Debug, Default)]
pub(super) struct Top {
    keep: usize,
    found: Vec<Scored>,
    threshold: Option<f32>,
}

impl Top {
    /// Empties it, to keep the `keep` best from now on.
    pub(super) fn restart(&mut self, keep: usize) {
        self.keep = keep;
        self.found.clear();
        self.found.reserve(2 * keep + 32);
        self.threshold = None;
    }

    /// What a score must exceed to matter. An equal one has the higher ordinal and loses the tie.
    ///
    /// An ordinary extreme value stands for "anything": relaxed SIMD may fold NaN and infinities
    /// away, and every score is far above it.
    pub(super) fn threshold(&self) -> f32 {
        self.threshold.unwrap_or(f32::MIN)
    }

    /// Takes a pair whose score exceeds the threshold.
    pub(super) fn push(&mut self, score: f32, ordinal: u32) {
        if self.keep == 0 {
            return;
        }
        self.found.push(Scored { ordinal: Ordinal(ordinal), score: f64::from(score) });
        if self.found.len() >= 2 * self.keep {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.found.len() > self.keep {
            select_best(&mut self.found, self.keep);
            self.found.truncate(self.keep);
            // Scores came in as f32, so this conversion is exact.
            self.threshold = Some(self.found[self.keep - 1].score as f32);
        }
    }

    /// The best, in no order. (Not sorted: the f64 step orders them anew.)
    pub(super) fn finish(&mut self) -> impl Iterator<Item = Ordinal> + '_ {
        if self.keep > 0 {
            self.cut();
        }
        self.found.iter().map(|s| s.ordinal)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::rng::SeededRng;

    #[test]
    fn keeps_what_a_full_sort_keeps() {
        let mut rng = SeededRng::new(11, 0);
        let mut top = Top::default();
        for (n, keep, distinct) in
            [(0, 3, 5), (1, 0, 5), (5, 10, 3), (1000, 7, 4), (1000, 100, 1000)]
        {
            let scores: Vec<f32> = (0..n).map(|_| rng.below(distinct) as f32).collect();
            top.restart(keep);
            for (i, s) in scores.iter().enumerate() {
                if *s > top.threshold() {
                    top.push(*s, i as u32);
                }
            }
            let mut found: Vec<u32> = top.finish().map(|o| o.0).collect();
            found.sort_unstable();
            let mut expected: Vec<_> = scores.iter().zip(0..n as u32).collect();
            expected.sort_by(|a, b| b.0.total_cmp(a.0).then(a.1.cmp(&b.1)));
            expected.truncate(keep);
            let mut expected: Vec<u32> = expected.iter().map(|e| e.1).collect();
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }
}
