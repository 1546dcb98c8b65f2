//! Fold-in: the user vector of a history, in closed form, with item vectors held fixed.
//!
//! The equations are the producer's (`convention`); what enters them is one net weight and one
//! decay an item (`reduce`, `decay`). Each window of the past is folded in by itself, and the user
//! vector is the weighted mean of the windows'.
//!
//! `b` is a sum over the history, so a score `u . x_i = sum_j b_j (x_i . A^-1 x_j)` is one too:
//! those addends are the shares that explain it (Hu, Koren and Volinsky 2008, section 5). With
//! several windows, an item's share is the weighted sum of its shares in each.
//!
//! Read as statistics, `A` is the precision of a normal posterior around `u` whose observations
//! have variance 1 over their confidence: hence uncertainty, and draws for Thompson sampling.

use super::cholesky::{add, dot};
use super::convention::{Convention, Solution};
use super::decay::{TasteOptions, Window};
use super::decode::decoded;
use super::history::Past;
use super::neighbours::presence;
use super::reduce::{Deed, HistoryItem, by_item, deeds, reduce};
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::kind::Kind;
use crate::load::Index;
use crate::ordering::{keep_best, sort_best_first};
use crate::rng::SeededRng;

/// A person's user vector in the space of one archive, with what it was made from.
pub struct Taste {
    vector: Vec<f64>,
    history: Vec<HistoryItem>,
    parts: Vec<Part>,
}

/// The fold-in of one window.
struct Part {
    /// Of all windows together 1.
    weight: f64,
    solution: Solution,
    history: Vec<HistoryItem>,
    /// One row an item of its history.
    vectors: Vec<f64>,
}

/// What one item of the history contributes to a taste score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The item of the history.
    pub item: Ordinal,
    /// What was last done with it.
    pub kind: Kind,
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// Its part of the score; negative where it speaks against the item.
    pub share: f64,
}

impl Taste {
    /// Folds a past into an archive. `None` where it says nothing about taste: no interaction
    /// that counts has an item of this archive and a weight other than zero.
    ///
    /// Each item's interactions are reduced to one net weight first: the sum of what was done with
    /// it plus the last opinion stated of it ([`Kind::is_statement`]). Then items are accumulated
    /// in the order of their first interaction, in f64: the same log gives the same bits everywhere.
    /// Cost, for each window that has a history: `n dim^2 / 2` products for it and `dim^3 / 6` for
    /// the factorisation.
    ///
    /// # Errors
    /// [`Error::Arg`](crate::Error::Arg) for options out of range,
    /// [`Error::Engine`](crate::Error::Engine) where the matrix is not positive definite or the
    /// solution not finite.
    pub fn fold_in(
        index: &Index,
        past: &Past<'_>,
        options: &TasteOptions,
    ) -> Result<Option<Self>> {
        Self::fold_in_after(index, past, options, None)
    }

    /// The same, with what was folded in before: decoded vectors of items that both have are taken
    /// over, since histories mostly begin as they did.
    pub(crate) fn fold_in_after(
        index: &Index,
        past: &Past<'_>,
        options: &TasteOptions,
        before: Option<Self>,
    ) -> Result<Option<Self>> {
        options.check()?;
        let mut deeds = deeds(past, options);
        let mut histories: Vec<(&Window, Vec<HistoryItem>)> = Vec::new();
        for window in options.windows.iter().filter(|w| w.weight > 0.0) {
            let held: Vec<Deed> =
                deeds.iter().filter(|d| window.holds(d.age_hours)).copied().collect();
            let history = reduce(&held);
            if !history.is_empty() {
                histories.push((window, history));
            }
        }
        let total: f64 = histories.iter().map(|(w, _)| w.weight).sum();
        let history = if let [(_, history)] = &histories[..] {
            history.clone()
        } else {
            // Over all windows, an interaction counts as much as the windows that hold it.
            for deed in &mut deeds {
                let holding = histories.iter().filter(|(w, _)| w.holds(deed.age_hours));
                deed.factor *= holding.map(|(w, _)| w.weight / total).sum::<f64>().min(1.0);
            }
            deeds.retain(|d| d.factor > 0.0);
            reduce(&deeds)
        };
        let mut parts = Vec::with_capacity(histories.len());
        let mut before = before.map_or_else(Vec::new, |taste| taste.parts).into_iter();
        for (window, history) in histories {
            let vectors = vectors_of(index, &history, before.next());
            let solution = solve(index, &vectors, &history)?;
            parts.push(Part { weight: window.weight / total, solution, history, vectors });
        }
        let mut mixed = parts.iter().map(|p| (p.weight, &p.solution.vector));
        let Some((weight, first)) = mixed.next() else { return Ok(None) };
        let mut vector: Vec<f64> = first.iter().map(|x| weight * x).collect();
        mixed.for_each(|(weight, x)| add(&mut vector, weight, x));
        Ok(Some(Self { vector, history, parts }))
    }

    /// The user vector, rotated, of the archive's dimension. Its inner product with a decoded
    /// vector is the taste score.
    #[must_use]
    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    /// What it was made from, in the order of each item's first interaction that counts.
    ///
    /// With several windows, an interaction's decay here includes the weights of those that hold
    /// it.
    #[must_use]
    pub fn history(&self) -> &[HistoryItem] {
        &self.history
    }

    /// The items of the history, in its order, with how present each of them is: what weights
    /// between items are summed up over.
    pub(crate) fn presences(&self) -> impl Iterator<Item = (Ordinal, f64)> {
        self.history.iter().map(|h| (h.item, presence(h.weight) * h.decay))
    }

    /// The part of the user vector that comes from some items of the history: all of them together
    /// give the vector, since `A u = b` is linear in `b`, which is a sum over them.
    pub(crate) fn part_of(&self, is_member: impl Fn(Ordinal) -> bool) -> Vec<f64> {
        let mut vector = vec![0.0; self.vector.len()];
        for part in &self.parts {
            let mut b = vec![0.0; vector.len()];
            let rows = part.vectors.chunks_exact(b.len());
            for ((h, pull), x) in part.history.iter().zip(&part.solution.pulls).zip(rows) {
                if is_member(h.item) {
                    add(&mut b, *pull, x);
                }
            }
            part.solution.factor.solve(&mut b);
            add(&mut vector, part.weight, &b);
        }
        vector
    }

    /// What had to be added to the diagonal of a matrix that was nearly singular (its condition
    /// number above 1e12), at most 1e-6 of the diagonal's mean; 0 otherwise. An answer made with
    /// it is to be taken with care: the archive's lambda is too small.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        self.parts.iter().map(|p| p.solution.jitter).fold(0.0, f64::max)
    }

    /// How an item's taste score adds up over the history: the `n` largest parts by absolute
    /// value, larger first, ties in the order of the history. With `n` at least the number of items in the
    /// history, the parts add up to the score (to about 1e-12 of the largest).
    ///
    /// Cost, for each window: one solve, `dim^2`, plus `dim` for each item of the history.
    #[must_use]
    pub fn because(&self, index: &Index, item: Ordinal, n: usize) -> Vec<Share> {
        let mut target = vec![0.0; index.dim()];
        index.decode(item, &mut target);
        let mut shares = Vec::new();
        for part in &self.parts {
            let mut weighed = target.clone();
            part.solution.factor.solve(&mut weighed);
            let rows = part.vectors.chunks_exact(target.len());
            for ((h, pull), x) in part.history.iter().zip(&part.solution.pulls).zip(rows) {
                let share = part.weight * (pull * dot(&weighed, x));
                shares.push(Share { item: h.item, kind: h.kind, at_ms: h.at_ms, share });
            }
        }
        if self.parts.len() > 1 {
            shares = summed(&shares);
        }
        if let Some(weights) = index.neighbours() {
            let row = self.presences().map(|(from, presence)| {
                // A damaged row was reported when the item was scored by it.
                weights.row(from).map_or(0.0, |row| presence * row.weight(item))
            });
            for (said, h) in row.zip(&self.history) {
                if let Some(share) = shares.iter_mut().find(|s| s.item == h.item) {
                    share.share += weights.beta() * said;
                }
            }
        }
        let mut order: Vec<Scored> = (0..)
            .zip(&shares)
            .map(|(i, s)| Scored { ordinal: Ordinal(i), score: s.share.abs() })
            .collect();
        // A few of hundreds: selected before they are sorted.
        keep_best(&mut order, n);
        sort_best_first(&mut order);
        order.iter().map(|s| shares[s.ordinal.index()]).collect()
    }

    /// Posterior variance of the taste score of a decoded vector: `xT A^-1 x`, in units where an
    /// observation of confidence 1 has variance 1. Above 0, and smaller where more is known.
    ///
    /// With several windows, the weighted mean of their variances: windows overlap, so that of the
    /// mean lies at or below it, and this errs on the side of doubt.
    #[must_use]
    pub fn uncertainty(&self, vector: &[f64]) -> f64 {
        self.parts.iter().map(|p| p.weight * p.solution.factor.variance(vector)).sum()
    }

    /// `A^-1 x`: how the scores of items are correlated with that of a decoded vector.
    pub(super) fn covariance(&self, vector: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; vector.len()];
        for part in &self.parts {
            let mut x = vector.to_vec();
            part.solution.factor.solve(&mut x);
            add(&mut sum, part.weight, &x);
        }
        sum
    }

    /// A draw from the posterior: the user vector plus `scale` times `L^-T z`, with `z` of standard
    /// normal numbers and `A = L LT`. With scale 1 this is Thompson sampling (Thompson 1933; Agrawal and
    /// Goyal, ICML 2013); 0 gives the user vector itself. All windows share one `z`.
    pub fn sample(&self, rng: &mut SeededRng, scale: f64) -> Vec<f64> {
        let z: Vec<f64> = self.vector.iter().map(|_| rng.normal()).collect();
        let mut drawn = self.vector.clone();
        for part in &self.parts {
            let mut x = z.clone();
            part.solution.factor.solve_upper(&mut x);
            add(&mut drawn, scale * part.weight, &x);
        }
        drawn
    }
}

/// The decoded vectors of a history, one row an item: those of its beginning from the part of an
/// earlier one, as far as the two agree.
fn vectors_of(index: &Index, history: &[HistoryItem], before: Option<Part>) -> Vec<f64> {
    let (known, mut vectors) = before.map(|part| (part.history, part.vectors)).unwrap_or_default();
    let n_known = history.iter().zip(&known).take_while(|(h, k)| h.item == k.item).count();
    vectors.truncate(n_known * index.dim());
    vectors.extend(decoded(index, history[n_known..].iter().map(|h| h.item)));
    vectors
}

/// The shares of each item brought together, in the order of their first.
fn summed(shares: &[Share]) -> Vec<Share> {
    let mut sums: Vec<Option<Share>> = vec![None; shares.len()];
    let of = |at: &u32| shares[*at as usize];
    let order = by_item(&shares.iter().map(|s| s.item).collect::<Vec<_>>());
    for run in order.chunk_by(|a, b| of(a).item == of(b).item) {
        let share = run.iter().map(|at| of(at).share).sum();
        sums[run[0] as usize] = Some(Share { share, ..of(&run[0]) });
    }
    sums.into_iter().flatten().collect()
}

/// The fold-in of items with these decoded vectors.
pub(super) fn solve(index: &Index, vectors: &[f64], history: &[HistoryItem]) -> Result<Solution> {
    let members: Vec<(f64, f64)> = history.iter().map(|h| (h.weight, h.decay)).collect();
    Convention::of(index).solve(vectors, &members)
}
