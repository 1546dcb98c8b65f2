//! The second scorer: what the items of a history say for others, by weights between items.
//!
//! A person's score of item `i` is the fold-in's `u . x_i` plus `beta` times the sum, over the
//! items `j` of the history, of [`presence`] of `j`'s net weight times the archive's weight from
//! `j` to `i`. Both parts are on the scale of a preference (0 for nothing known, 1 for liked), so one `beta`,
//! tuned on validation users by the builder, serves short and long histories; and both are sums
//! over the history, so what explains the one explains their sum.

use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Neighbours;
use crate::ordering::keep_best;

/// How present an item with this net weight is in a history: the weight, cut to -1 to 1. The
/// weights between items were trained on who had what at all, where having an item counts 1.
#[must_use]
pub fn presence(weight: f64) -> f64 {
    weight.clamp(-1.0, 1.0)
}

/// Sums of weights between items for one history.
///
/// Keeps one number an item of the archive, and which of them are in use: a query allocates
/// nothing once the memory is there, and clears what it used.
///
/// ```
/// # let archive = &std::fs::read("tests/fixtures/small-neighbours-v1.nf")?;
/// use nearfield::{AlignedBytes, Index, NeighbourScores};
///
/// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
/// let weights = index.neighbours().expect("this archive carries weights");
/// let liked = index.ordinal("17")?.expect("the catalog has item 17");
/// let mut scores = NeighbourScores::default();
/// scores.score(&weights, [(liked, 1.0)])?;
/// for item in scores.touched() {
///     assert_eq!(scores.of(*item), weights.row(liked)?.weight(*item));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct NeighbourScores {
    sums: Vec<f64>,
    is_touched: Vec<bool>,
    touched: Vec<Ordinal>,
}

impl NeighbourScores {
    /// Sums up a history: items with their [`presence`], in canonical order (each item's first
    /// interaction that counts). What was summed before is forgotten.
    ///
    /// Cost: one addition for each weight of the history's items. Memory: 13 bytes an item of the
    /// archive, once.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) for damaged weights; nothing is summed then.
    pub fn score(
        &mut self,
        weights: &Neighbours<'_>,
        history: impl IntoIterator<Item = (Ordinal, f64)>,
    ) -> Result<()> {
        self.clear(weights.n_items());
        let result = self.add(weights, history);
        if result.is_err() {
            self.clear(weights.n_items());
        }
        result
    }

    fn add(
        &mut self,
        weights: &Neighbours<'_>,
        history: impl IntoIterator<Item = (Ordinal, f64)>,
    ) -> Result<()> {
        for (item, presence) in history {
            for entry in weights.row(item)?.iter() {
                let (target, weight) = entry?;
                let at = target.index();
                if !self.is_touched[at] {
                    self.is_touched[at] = true;
                    self.touched.push(target);
                }
                self.sums[at] += presence * weight;
            }
        }
        Ok(())
    }

    /// Forgets all sums.
    fn clear(&mut self, n_items: usize) {
        for item in self.touched.drain(..) {
            self.sums[item.index()] = 0.0;
            self.is_touched[item.index()] = false;
        }
        self.sums.resize(n_items, 0.0);
        self.is_touched.resize(n_items, false);
    }

    /// The items for which the history says anything, in the order in which they first came up.
    #[must_use]
    pub fn touched(&self) -> &[Ordinal] {
        &self.touched
    }

    /// The `n` of the allowed items with the highest sums above 0, in no order.
    #[must_use]
    pub fn best(&self, allowed: &ItemSet, n: usize) -> Vec<Ordinal> {
        let of = |item: &Ordinal| Scored { ordinal: *item, score: self.of(*item) };
        let mut best: Vec<Scored> = (self.touched.iter().filter(|item| allowed.contains(**item)))
            .map(of)
            .filter(|scored| scored.score > 0.0)
            .collect();
        keep_best(&mut best, n);
        best.iter().map(|scored| scored.ordinal).collect()
    }

    /// The sum of an item; 0 for one that was not touched.
    #[must_use]
    pub fn of(&self, item: Ordinal) -> f64 {
        self.sums.get(item.index()).copied().unwrap_or(0.0)
    }
}

/// What each item of a history adds to the sum of one item, in the order of the history: these
/// parts, added up in this order, are the sum of [`NeighbourScores::of`], to the last bit.
///
/// # Errors
/// [`Error::Corrupt`](crate::Error::Corrupt) for damaged weights.
pub fn neighbour_shares(
    weights: &Neighbours<'_>,
    history: impl IntoIterator<Item = (Ordinal, f64)>,
    item: Ordinal,
) -> Result<Vec<f64>> {
    let share = |(from, presence)| Ok(presence * weights.row(from)?.weight(item));
    history.into_iter().map(share).collect()
}
