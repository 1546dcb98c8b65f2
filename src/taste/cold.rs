//! The way from knowing nothing of a person to knowing them: how far to trust the taste, and what
//! to ask first.

use super::cholesky::{Factor, add, dot};
use super::convention::Convention;
use super::decode::decoded;
use super::fold::Taste;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::ordering::{keep_best, sort_best_first};
use crate::rng::SeededRng;

/// Most items among which the informative ones are looked for.
const MOST_CANDIDATES: usize = 2000;

/// What an archive expects of a person of whom nothing is known: the posterior of an empty
/// history, which every other is compared with.
pub struct ColdStart {
    factor: Factor,
}

impl ColdStart {
    /// For an archive. Cost: one factorisation, `dim^3 / 6`; keep it.
    ///
    /// # Errors
    /// [`Error::Engine`](crate::Error::Engine) where the archive's Gram matrix and lambda make no
    /// positive definite matrix.
    pub fn new(index: &Index) -> Result<Self> {
        Ok(Self { factor: Convention::of(index).prior()? })
    }

    /// How far the taste goes against the prior, from 0 (nothing known) to 1: 1 less the
    /// posterior variance of the candidates' scores relative to that of an empty history, both
    /// summed over the candidates.
    ///
    /// It rises with every interaction that says something about these candidates, and stays low
    /// for candidates in a direction of which the history is silent. A blend of prior and taste
    /// by this weight has no moment at which it switches.
    ///
    /// Candidates are what is about to be ranked. Cost: `dim^2` for each.
    #[must_use]
    pub fn crossing(&self, index: &Index, taste: Option<&Taste>, candidates: &[Ordinal]) -> f64 {
        let Some(taste) = taste else { return 0.0 };
        let (mut before, mut after) = (0.0, 0.0);
        let mut x = vec![0.0; index.dim()];
        for item in candidates {
            index.decode(*item, &mut x);
            before += self.factor.variance(&x);
            after += taste.uncertainty(&x);
        }
        if before > 0.0 { (1.0 - after / before).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Items to ask a person about, most informative first: at most `n`, of those allowed.
    ///
    /// Greedy D-optimal design: each is the item whose score is least certain given the history
    /// and the answers to those before it, which is the one that shrinks the determinant of the
    /// posterior most (Rubens et al., Recommender Systems Handbook, 2015, chapter 24). Nobody can
    /// answer about what they do not know, so the variance is divided by `log2(1 + place)`, its
    /// place in the order of the popularity prior counted from 1: slowly, as knowledge falls with
    /// rank. Candidates are the 2,000 first in that order; without a prior, 2,000 by chance, the
    /// same for the same seed.
    ///
    /// Cost: `dim^2` for each candidate, and `dim` for each candidate and item chosen.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) for damaged columns.
    pub fn informative(
        &self,
        index: &Index,
        taste: Option<&Taste>,
        allowed: &ItemSet,
        n: usize,
        seed: u64,
    ) -> Result<Vec<Ordinal>> {
        let candidates = candidates(index, allowed, seed)?;
        let has_prior = Catalog::new(index).has_prior();
        let dim = index.dim();
        let vectors = decoded(index, candidates.iter().copied());
        let row = |i: usize| &vectors[i * dim..(i + 1) * dim];
        let variance = |x: &[f64]| match taste {
            Some(taste) => taste.uncertainty(x),
            None => self.factor.variance(x),
        };
        let mut variances: Vec<f64> = vectors.chunks_exact(dim).map(variance).collect();
        let spread = Convention::of(index).spread_of_a_like();
        // After an answer about p the inverse loses g gT, with g = A^-1 p sqrt(s / (1 + s v_p))
        // (Sherman and Morrison 1950).
        let mut losses: Vec<Vec<f64>> = Vec::new();
        let mut chosen: Vec<usize> = Vec::new();
        for _ in 0..n.min(candidates.len()) {
            let mut best: Option<(usize, f64)> = None;
            for (i, v) in variances.iter().enumerate().filter(|(i, _)| !chosen.contains(i)) {
                let place = if has_prior { 1.0 + i as f64 } else { 1.0 };
                let worth = v / libm::log2(1.0 + place);
                if best.is_none_or(|(_, most)| worth > most) {
                    best = Some((i, worth));
                }
            }
            let Some((p, _)) = best else { break };
            chosen.push(p);
            let mut loss = match taste {
                Some(taste) => taste.covariance(row(p)),
                None => {
                    let mut x = row(p).to_vec();
                    self.factor.solve(&mut x);
                    x
                }
            };
            for before in &losses {
                add(&mut loss, -dot(before, row(p)), before);
            }
            let scale = (spread / (1.0 + spread * variances[p].max(0.0))).sqrt();
            loss.iter_mut().for_each(|x| *x *= scale);
            for (i, v) in variances.iter_mut().enumerate() {
                let known = dot(&loss, row(i));
                *v = (*v - known * known).max(0.0);
            }
            losses.push(loss);
        }
        Ok(chosen.into_iter().map(|i| candidates[i]).collect())
    }
}

/// The allowed items that may be asked about, best known first.
fn candidates(index: &Index, allowed: &ItemSet, seed: u64) -> Result<Vec<Ordinal>> {
    let catalog = Catalog::new(index);
    let mut rng = SeededRng::new(seed, 0);
    let mut scored = Vec::with_capacity(allowed.count());
    for ordinal in allowed.iter() {
        let score =
            if catalog.has_prior() { catalog.prior(ordinal)? } else { Some(rng.uniform()) };
        // Of an item without a prior nobody is known to know it.
        if let Some(score) = score {
            scored.push(Scored { ordinal, score });
        }
    }
    keep_best(&mut scored, MOST_CANDIDATES);
    sort_best_first(&mut scored);
    Ok(scored.iter().map(|s| s.ordinal).collect())
}
