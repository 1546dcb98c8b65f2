//! Calibration: how far the mix of classes in a list is from the wanted one (Steck, "Calibrated
//! recommendations", RecSys 2018).
//!
//! With the wanted shares `p` and the list's shares `q`, the distance is
//! `KL(p || q~) = sum of p log(p / q~)` for `q~ = (1 - alpha) q + alpha p`; the mixed-in `alpha`
//! keeps it finite where the list lacks a class. Shares are of all items of the list, so that one
//! without a class takes its place in the mix and adds to none.

use super::rules::Calibration;

/// As in the paper.
const ALPHA: f64 = 0.01;

/// The mix of the list so far, and what each candidate would make of it.
///
/// An item changes the terms of its own classes only. What it changes there depends on the class
/// and on the share `1 / number of its classes`, and few such pairs exist: logarithms are taken
/// once a pair and step, not once a candidate. Terms that no candidate changes are left out.
#[derive(Default)]
pub(super) struct Calibrator {
    /// Wanted shares; their sum is 1.
    target: Vec<f64>,
    /// Sum of the shares of the list's items, by class.
    mass: Vec<f64>,
    n_items: f64,
    pairs: Vec<Pair>,
    /// Candidate by candidate the pairs it consists of.
    starts: Vec<usize>,
    of: Vec<usize>,
}

struct Pair {
    class: usize,
    share: f64,
    /// How much nearer the wanted mix it brings the list than an item without classes would.
    gain: f64,
}

impl Calibrator {
    pub(super) fn reset(&mut self, calibration: &Calibration<'_>, n: usize) {
        let sum: f64 = calibration.target.iter().sum();
        self.target.clear();
        self.target.extend(calibration.target.iter().map(|p| p / sum));
        self.mass.clear();
        self.mass.resize(self.target.len(), 0.0);
        self.n_items = 0.0;
        self.pairs.clear();
        self.starts.clear();
        self.starts.push(0);
        self.of.clear();
        // Where the pair of a class and a number of classes stands, plus 1.
        let mut sizes: Vec<usize> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        for i in 0..n {
            let classes = calibration.classes.of(i);
            let size = sizes.iter().position(|&s| s == classes.len()).unwrap_or_else(|| {
                sizes.push(classes.len());
                places.resize(sizes.len() * self.target.len(), 0);
                sizes.len() - 1
            });
            for &class in classes {
                let class = class as usize;
                if self.target.get(class).is_none_or(|&p| p == 0.0) {
                    continue;
                }
                let place = &mut places[size * self.target.len() + class];
                if *place == 0 {
                    let share = 1.0 / classes.len() as f64;
                    self.pairs.push(Pair { class, share, gain: 0.0 });
                    *place = self.pairs.len();
                }
                self.of.push(*place - 1);
            }
            self.starts.push(self.of.len());
        }
        self.prepare();
    }

    fn pairs_of(&self, i: usize) -> &[usize] {
        &self.of[self.starts[i]..self.starts[i + 1]]
    }

    /// How much nearer the wanted mix candidate `i` brings the list than an item without classes
    /// would: minus its distance, but for a term that all candidates share.
    #[inline]
    pub(super) fn gain(&self, i: usize) -> f64 {
        self.pairs_of(i).iter().map(|&pair| self.pairs[pair].gain).sum()
    }

    /// Adds candidate `i` to the list.
    pub(super) fn add(&mut self, i: usize) {
        for at in self.starts[i]..self.starts[i + 1] {
            let pair = &self.pairs[self.of[at]];
            self.mass[pair.class] += pair.share;
        }
        self.n_items += 1.0;
        self.prepare();
    }

    /// Computes what the next item would change.
    fn prepare(&mut self) {
        let n = self.n_items + 1.0;
        for pair in &mut self.pairs {
            let p = self.target[pair.class];
            let mixed = |mass: f64| (1.0 - ALPHA) * mass / n + ALPHA * p;
            let mass = self.mass[pair.class];
            pair.gain = p * libm::log(mixed(mass + pair.share) / mixed(mass));
        }
    }
}
