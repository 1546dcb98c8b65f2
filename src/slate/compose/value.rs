//! What the next place is given for: one number a candidate, from relevance, diversity and
//! calibration.

use super::calibrate::Calibrator;
use super::dpp::Dpp;
use super::mmr::Mmr;
use super::rules::{Candidates, Diversity, Rules};
use super::space::Space;
use super::trace::Why;
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::ordering::sort_best_first;

/// The value of each candidate for the next place, given the places before it.
#[derive(Default)]
pub(super) struct Objective {
    /// Scores brought to 0 (worst) to 1 (best) over the ranked candidates.
    relevance: Vec<f64>,
    /// The same after rotation.
    rotated: Vec<f64>,
    /// `exp(2 log q)` of each candidate for [`Diversity::Dpp`].
    qualities: Vec<f64>,
    diversity: Diversity,
    window: usize,
    /// Weight of calibration; 0 where there is none.
    strength: f64,
    space: Space,
    mmr: Mmr,
    dpp: Dpp,
    calibrator: Calibrator,
    /// Items placed so far, those of earlier pages before them.
    placed: Vec<usize>,
    /// Candidates by rotated relevance, where nothing else decides.
    sorted: Vec<Scored>,
    /// All candidates of `sorted` before this one are placed or refused for good.
    n_gone: usize,
}

impl Objective {
    pub(super) fn reset(&mut self, candidates: &Candidates<'_>, rules: &Rules<'_>) -> Result<()> {
        let n = candidates.items.len();
        self.set_relevance(candidates);
        self.rotated.clone_from(&self.relevance);
        if let Some(rotation) = &rules.rotation {
            for (x, staleness) in self.rotated.iter_mut().zip(rotation.staleness) {
                *x *= 1.0 - rotation.rate * staleness;
            }
        }
        // At their ends both kinds of diversity are the order by score, which needs no vectors.
        self.diversity = match rules.diversity {
            Diversity::Mmr { lambda: 1.0 } | Diversity::Dpp { strength: 0.0 } => Diversity::None,
            other => other,
        };
        self.window = rules.window;
        self.placed.clear();
        match self.diversity {
            Diversity::None => {}
            Diversity::Mmr { .. } => self.mmr.reset(n, rules.window - 1),
            Diversity::Dpp { strength } => {
                self.dpp.reset(n, rules.window - 1);
                // Multiplied by the residual, this orders as `(1 - strength) relevance + strength
                // log r` does and spares a logarithm for each candidate and step. Relevance is
                // counted from 1, so that small strengths underflow, harmlessly, and do not
                // overflow.
                let steepness = (1.0 - strength) / strength;
                self.qualities.clear();
                let quality = |x: &f64| libm::exp(steepness * (x - 1.0));
                self.qualities.extend(self.rotated.iter().map(quality));
            }
        }
        if self.diversity != Diversity::None {
            self.space.reset(candidates)?;
        }
        self.strength = 0.0;
        if let Some(calibration) = rules.calibration.as_ref().filter(|c| c.strength > 0.0) {
            self.strength = calibration.strength;
            self.calibrator.reset(calibration, n);
        }
        if self.is_static() {
            self.n_gone = 0;
            self.sorted.clear();
            let rotated = self.rotated.iter().enumerate();
            let by_index = |(i, &score)| Scored { ordinal: Ordinal(i as u32), score };
            self.sorted.extend(rotated.map(by_index));
            sort_best_first(&mut self.sorted);
        }
        Ok(())
    }

    fn set_relevance(&mut self, candidates: &Candidates<'_>) {
        let ranked = match candidates.n_ranked {
            0 => candidates.items,
            n => &candidates.items[..n],
        };
        let worst = ranked.iter().fold(f64::INFINITY, |low, item| low.min(item.score));
        let best = ranked.iter().fold(f64::NEG_INFINITY, |high, item| high.max(item.score));
        // Half of it, lest the difference of two huge scores be infinite.
        let half_span = 0.5 * best - 0.5 * worst;
        let relevance = |item: &Scored| match half_span > 0.0 {
            true => (0.5 * item.score - 0.5 * worst) / half_span,
            false => 1.0,
        };
        self.relevance.clear();
        self.relevance.extend(candidates.items.iter().map(relevance));
    }

    pub(super) fn relevance(&self) -> &[f64] {
        &self.relevance
    }

    /// Whether values never change while the list grows.
    fn is_static(&self) -> bool {
        self.diversity == Diversity::None && self.strength == 0.0
    }

    /// The candidate of highest value among those that are allowed; equal values go by rotated
    /// relevance, then by position. `is_gone` says who can never be allowed again.
    pub(super) fn best(
        &mut self,
        is_allowed: &dyn Fn(usize) -> bool,
        is_gone: &dyn Fn(usize) -> bool,
    ) -> Option<usize> {
        if self.is_static() {
            let sorted = self.sorted.iter().map(|s| s.ordinal.index());
            self.n_gone += sorted.clone().skip(self.n_gone).take_while(|&i| is_gone(i)).count();
            return sorted.skip(self.n_gone).find(|&i| is_allowed(i));
        }
        let mut best: Option<(f64, usize)> = None;
        for i in 0..self.rotated.len() {
            // What was last known of it bounds its value from above: no more is asked of it than
            // whether it may win.
            if !self.is_better(i, best) || is_gone(i) || !is_allowed(i) {
                continue;
            }
            let may_win = loop {
                if !self.compare(i) {
                    break true;
                }
                if !self.is_better(i, best) {
                    break false;
                }
            };
            if may_win {
                best = Some((self.value(i), i));
            }
        }
        best.map(|(_, i)| i)
    }

    #[inline]
    fn is_better(&self, i: usize, best: Option<(f64, usize)>) -> bool {
        let Some((most, at)) = best else { return true };
        let value = self.value(i);
        value > most || value == most && self.rotated[i] > self.rotated[at]
    }

    /// Compares a candidate with the first item that it was not compared with yet; false where
    /// there is none. Until then its value may be too high, never too low.
    #[inline]
    fn compare(&mut self, i: usize) -> bool {
        match self.diversity {
            Diversity::None => false,
            Diversity::Mmr { .. } => self.mmr.compare(i, &self.space),
            Diversity::Dpp { .. } => self.dpp.compare(i, &self.space),
        }
    }

    #[inline]
    fn value(&self, i: usize) -> f64 {
        if self.strength == 0.0
            && let Diversity::Dpp { .. } = self.diversity
        {
            return self.qualities[i] * self.dpp.residual(i);
        }
        let calm = match self.diversity {
            Diversity::None => self.rotated[i],
            Diversity::Mmr { lambda } => lambda * self.rotated[i] - self.likeness(i),
            Diversity::Dpp { strength } => (1.0 - strength) * self.rotated[i] - self.likeness(i),
        };
        if self.strength == 0.0 {
            return calm;
        }
        (1.0 - self.strength) * calm + self.strength * self.calibrator.gain(i)
    }

    /// What diversity takes from a candidate, in units of relevance.
    #[inline]
    fn likeness(&self, i: usize) -> f64 {
        match self.diversity {
            Diversity::None => 0.0,
            Diversity::Mmr { lambda } => (1.0 - lambda) * self.mmr.nearest(i),
            Diversity::Dpp { strength } => -strength * libm::log(self.dpp.residual(i)),
        }
    }

    /// Goes on to the next place after a candidate was placed.
    pub(super) fn add(&mut self, i: usize) {
        self.placed.push(i);
        if self.strength > 0.0 {
            self.calibrator.add(i);
        }
        match self.diversity {
            Diversity::None => {}
            Diversity::Mmr { .. } => self.mmr.add(i, &self.space),
            Diversity::Dpp { .. } => self.dpp.add(i, &self.space),
        }
    }

    /// Starts where earlier pages ended.
    pub(super) fn add_earlier(&mut self, before: &[usize]) {
        let older = before.len().saturating_sub(self.window - 1);
        if self.strength > 0.0 {
            for &i in &before[..older] {
                self.calibrator.add(i);
            }
        }
        for &i in &before[older..] {
            self.add(i);
        }
    }

    /// Why `i`, whose score is better, has the lower value: what takes most from it against
    /// `chosen`.
    pub(super) fn why(&mut self, i: usize, chosen: usize) -> Why {
        while self.compare(i) {}
        let weight = match self.diversity {
            Diversity::None => 1.0,
            Diversity::Mmr { lambda } => lambda,
            Diversity::Dpp { strength } => 1.0 - strength,
        };
        let lost = |i: usize| weight * (self.relevance[i] - self.rotated[i]);
        let rotation = (1.0 - self.strength) * (lost(i) - lost(chosen));
        let alike = (1.0 - self.strength) * (self.likeness(i) - self.likeness(chosen));
        let mix = match self.strength > 0.0 {
            true => self.strength * (self.calibrator.gain(chosen) - self.calibrator.gain(i)),
            false => f64::NEG_INFINITY,
        };
        match self.most_similar(i) {
            Some((to, similarity)) if alike >= rotation && alike >= mix => {
                Why::Similar { to, similarity }
            }
            _ if mix > rotation => Why::Calibration,
            _ => Why::Rotation,
        }
    }

    /// The item of the window that is nearest to a candidate, with the cosine.
    fn most_similar(&self, i: usize) -> Option<(usize, f64)> {
        if self.diversity == Diversity::None {
            return None;
        }
        let oldest = self.placed.len().saturating_sub(self.window - 1);
        let mut most: Option<(usize, f64)> = None;
        for &to in &self.placed[oldest..] {
            let similarity = self.space.cosine(i, to);
            if most.is_none_or(|(_, s)| similarity > s) {
                most = Some((to, similarity));
            }
        }
        most
    }
}
