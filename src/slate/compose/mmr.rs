//! Maximal marginal relevance: the most similar item of the window.

use super::space::Space;

/// For each candidate its highest cosine to the last items.
///
/// Cosines are computed when they are asked for ([`Mmr::compare`]). Until then
/// [`Mmr::nearest`] is that to fewer items, and so too low, never too high.
#[derive(Default)]
pub(super) struct Mmr {
    window: usize,
    /// All items so far.
    items: Vec<usize>,
    /// For each candidate how many of `items` it was compared with.
    n_seen: Vec<usize>,
    /// Candidate by candidate the cosines to the last `window` items, a ring each.
    cosines: Vec<f64>,
    nearest: Vec<f64>,
}

impl Mmr {
    /// For `n` candidates, each compared with the last `window` items.
    pub(super) fn reset(&mut self, n: usize, window: usize) {
        self.window = window;
        self.items.clear();
        self.n_seen.clear();
        self.n_seen.resize(n, 0);
        self.cosines.resize(n * window, 0.0);
        self.nearest.clear();
        self.nearest.resize(n, 0.0);
    }

    /// The highest cosine, or less where items are new; 0 where there is nothing to compare with.
    #[inline]
    pub(super) fn nearest(&self, i: usize) -> f64 {
        self.nearest[i]
    }

    /// Compares a candidate with the first item that is new to it; false where none is.
    #[inline(never)]
    pub(super) fn compare(&mut self, i: usize, space: &Space) -> bool {
        let t = self.n_seen[i];
        let Some(&item) = self.items.get(t) else { return false };
        let cosine = space.cosine(i, item);
        self.cosines[i * self.window + t % self.window] = cosine;
        self.nearest[i] = self.nearest[i].max(cosine);
        self.n_seen[i] = t + 1;
        true
    }

    /// Adds an item; the oldest leaves a full window.
    pub(super) fn add(&mut self, item: usize, space: &Space) {
        if self.window == 0 {
            return;
        }
        if self.items.len() >= self.window {
            // Maxima may fall now, so they are made anew, of all but the ring's oldest entry.
            let oldest = self.items.len() % self.window;
            for i in 0..self.n_seen.len() {
                while self.compare(i, space) {}
                let ring = &mut self.cosines[i * self.window..(i + 1) * self.window];
                ring[oldest] = f64::NEG_INFINITY;
                self.nearest[i] = ring.iter().fold(f64::NEG_INFINITY, |most, &c| most.max(c));
            }
        }
        if self.items.is_empty() {
            self.nearest.fill(f64::NEG_INFINITY);
        }
        self.items.push(item);
    }
}
