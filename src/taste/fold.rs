//! Fold-in: the user vector of a history, in closed form, with item vectors held fixed.
//!
//! With confidence `c_j = alpha * w_j` for the net weight `w_j` of item `j`, decoded vectors `x_j`
//! and the Gram matrix `G` of all decoded vectors, the user vector solves `A u = b`:
//!
//! | convention | A | b |
//! |---|---|---|
//! | implicit | `G + lambda I + sum (abs(c_j) - 1) x_j x_jT` | `sum of c_j x_j over c_j > 0` |
//! | ridge | `lambda I + sum abs(c_j) x_j x_jT` | `sum of c_j x_j` |
//!
//! The first is Hu, Koren and Volinsky (ICDM 2008) as the Python package implicit spells it: a
//! negative confidence means "preference 0, held firmly". It is exact for that package's models.
//! The second is ridge regression onto preferences +1 and -1, an approximation for embeddings
//! that no factor model made.
//!
//! `b` is a sum over the history, so a score `u . x_i = sum_j b_j (x_i . A^-1 x_j)` is one too:
//! those addends are the shares that explain it (same paper, section 5).

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::history::Past;
use super::profile::Profile;
use crate::error::{Error, Result};
use crate::format::Fold;
use crate::ids::{Ordinal, Scored};
use crate::kind::Kind;
use crate::load::Index;
use crate::ordering::sort_best_first;

/// A person's user vector in the space of one archive, with what it was made from.
pub struct Taste {
    vector: Vec<f64>,
    cholesky: Cholesky<f64, Dyn>,
    history: Vec<Member>,
}

/// One item of the history.
struct Member {
    item: Ordinal,
    /// The last interaction with it that counts, for citing.
    kind: Kind,
    at_ms: i64,
    /// Its factor in `b`.
    pull: f64,
    vector: DVector<f64>,
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

/// What is known of one item after reducing the log: net weight, last kind and time.
struct Net {
    item: Ordinal,
    weight: f64,
    kind: Kind,
    at_ms: i64,
}

impl Taste {
    /// Folds a profile into an archive. `None` where the profile says nothing about taste: no
    /// interaction that counts has an item of this archive and a weight other than zero.
    ///
    /// Each item's interactions are reduced to one net weight first: the sum of what was done with
    /// it plus the last opinion stated of it ([`Kind::is_statement`]). Then items are accumulated
    /// in the order of their first interaction, in f64: the same log gives the same bits everywhere.
    /// Cost: `n * dim^2` for the history and `dim^3 / 3` for the factorisation.
    ///
    /// # Errors
    /// [`Error::Engine`] where the matrix is not positive definite or the solution not finite,
    /// [`Error::Corrupt`] for damaged ids.
    pub fn fold_in(index: &Index, profile: &Profile) -> Result<Option<Self>> {
        let nets = reduce(index, profile)?;
        if nets.is_empty() { Ok(None) } else { Self::solve(index, &nets).map(Some) }
    }

    fn solve(index: &Index, nets: &[Net]) -> Result<Self> {
        let dim = index.dim();
        let mut a = DMatrix::zeros(dim, dim);
        if index.fold() == Fold::Implicit {
            let mut upper = index.gram().iter();
            for row in 0..dim {
                for column in row..dim {
                    // Lengths were validated: the triangle has exactly these entries. Only the
                    // lower half is read by the factorisation.
                    a[(column, row)] = *upper.next().unwrap_or(&0.0);
                }
            }
        }
        for j in 0..dim {
            a[(j, j)] += index.lambda();
        }
        let mut b = DVector::zeros(dim);
        let mut history = Vec::with_capacity(nets.len());
        for net in nets {
            let confidence = index.alpha() * net.weight;
            let mut vector = DVector::zeros(dim);
            index.decode(net.item, vector.as_mut_slice());
            let (spread, pull) = match index.fold() {
                Fold::Implicit => (confidence.abs() - 1.0, confidence.max(0.0)),
                Fold::Ridge => (confidence.abs(), confidence),
            };
            for row in 0..dim {
                b[row] += pull * vector[row];
                let scaled = spread * vector[row];
                for column in 0..=row {
                    a[(row, column)] += scaled * vector[column];
                }
            }
            history.push(Member {
                item: net.item,
                kind: net.kind,
                at_ms: net.at_ms,
                pull,
                vector,
            });
        }
        let failed = |reason| Error::Engine {
            operation: "fold-in",
            reason,
            remedy: "build the archive with a larger lambda, or check the weights",
        };
        let cholesky =
            Cholesky::new(a).ok_or_else(|| failed("the matrix is not positive definite"))?;
        let vector = cholesky.solve(&b);
        // 2^60 is the bound under which every later sum stays finite.
        if !vector.iter().all(|x| x.abs() <= (1u64 << 60) as f64) {
            return Err(failed("the user vector is not finite"));
        }
        Ok(Self { vector: vector.as_slice().to_vec(), cholesky, history })
    }

    /// The user vector, rotated, of the archive's dimension. Its inner product with a decoded
    /// vector is the taste score.
    #[must_use]
    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    /// How an item's taste score adds up over the history: the `n` largest parts by absolute
    /// value, larger first, ties in the order of the history. With `n` at least the number of items in the
    /// history, the parts add up to the score (to about 1e-12 of the largest).
    ///
    /// Cost: one solve, `dim^2`, plus `dim` for each item of the history.
    #[must_use]
    pub fn because(&self, index: &Index, item: Ordinal, n: usize) -> Vec<Share> {
        let mut target = DVector::zeros(index.dim());
        index.decode(item, target.as_mut_slice());
        let weighed = self.cholesky.solve(&target);
        let shares: Vec<Share> = self
            .history
            .iter()
            .map(|m| Share {
                item: m.item,
                kind: m.kind,
                at_ms: m.at_ms,
                share: m.pull * dot(weighed.as_slice(), m.vector.as_slice()),
            })
            .collect();
        let mut order: Vec<Scored> = (0..)
            .zip(&shares)
            .map(|(i, s)| Scored { ordinal: Ordinal(i), score: s.share.abs() })
            .collect();
        sort_best_first(&mut order);
        order.truncate(n);
        order.iter().map(|s| shares[s.ordinal.index()]).collect()
    }
}

/// The history as one net weight an item, in the order of each item's first interaction that
/// counts. Items that the archive does not have, and weights that cancel, are left out.
fn reduce(index: &Index, profile: &Profile) -> Result<Vec<Net>> {
    let mut events = Vec::new();
    for (at_ms, interaction) in Past::of(profile, index)?.for_taste() {
        let weight = interaction.weight.or(interaction.kind.default_weight()).unwrap_or(0.0);
        if weight != 0.0
            && let Some(item) = index.ordinal(&interaction.item)?
        {
            events.push(Net { item, weight, kind: interaction.kind, at_ms });
        }
    }
    // Positions in the log, brought together by item: the crate's one sort, by "score" (here the
    // item, exact in f64) and then by position. It costs n log n for a history of any shape.
    let mut by_item: Vec<Scored> = (0..)
        .zip(&events)
        .map(|(at, e)| Scored { ordinal: Ordinal(at), score: f64::from(e.item.0) })
        .collect();
    sort_best_first(&mut by_item);
    let mut is_first = vec![false; events.len()];
    for run in by_item.chunk_by(|a, b| a.score == b.score) {
        let first = run[0].ordinal.index();
        let (mut done, mut stated) = (0.0, 0.0);
        for event in run.iter().map(|s| &events[s.ordinal.index()]) {
            if event.kind.is_statement() { stated = event.weight } else { done += event.weight }
        }
        let last = &events[run[run.len() - 1].ordinal.index()];
        events[first] = Net { weight: done + stated, ..*last };
        is_first[first] = true;
    }
    let firsts = events.into_iter().zip(is_first).filter(|(_, is_first)| *is_first);
    Ok(firsts.map(|(net, _)| net).filter(|net| net.weight != 0.0).collect())
}

/// In order, one sum: the order that fold-in is defined by.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
