//! The popularity prior as a score term, and the items that lead by it.

use crate::catalog::Catalog;
use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::ordering::{keep_best, sort_best_first};

/// How many of the most popular items are kept in order. Where a request's conditions leave fewer
/// of them than it wants, all items are looked at.
const N_LEADERS: usize = 2048;

/// What is known of an archive's prior. Made once, at a pass over the items.
pub(super) struct Prior {
    low: f64,
    /// `ln(1 + high - low)`; 1 where all items are alike.
    span: f64,
    leaders: Vec<Scored>,
}

impl Prior {
    /// `None` where the archive has no prior, or no item has one.
    pub(super) fn of(index: &Index) -> Result<Option<Self>> {
        let catalog = Catalog::new(index);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut leaders = Vec::new();
        for ordinal in (0..index.len() as u32).map(Ordinal) {
            let Some(score) = catalog.prior(ordinal)? else { continue };
            (low, high) = (low.min(score), high.max(score));
            leaders.push(Scored { ordinal, score });
            if leaders.len() == 4 * N_LEADERS {
                keep_best(&mut leaders, N_LEADERS);
            }
        }
        if leaders.is_empty() {
            return Ok(None);
        }
        keep_best(&mut leaders, N_LEADERS);
        sort_best_first(&mut leaders);
        let span = libm::log1p(high - low);
        let span = if span > 0.0 { span } else { 1.0 };
        Ok(Some(Self { low, span, leaders }))
    }

    /// An item's term: 0 for the least popular item and for one of which nothing is known, 1 for
    /// the most popular, and between them by the logarithm, since popularity spans orders of
    /// magnitude. It is monotone, so that by itself it orders items as the prior does.
    pub(super) fn term(&self, catalog: Catalog<'_>, item: Ordinal) -> Result<f64> {
        let above = catalog.prior(item)?.map_or(0.0, |prior| prior - self.low);
        Ok(libm::log1p(above) / self.span)
    }

    /// The best `k` of the allowed items by prior, in no order. Items without one come behind all
    /// that have one, in the order of the archive.
    pub(super) fn best(
        &self,
        catalog: Catalog<'_>,
        allowed: &ItemSet,
        k: usize,
    ) -> Result<Vec<Ordinal>> {
        let leaders = self.leaders.iter().map(|s| s.ordinal).filter(|o| allowed.contains(*o));
        let best: Vec<Ordinal> = leaders.take(k).collect();
        if best.len() == k {
            return Ok(best);
        }
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for ordinal in allowed.iter() {
            match catalog.prior(ordinal)? {
                Some(score) => known.push(Scored { ordinal, score }),
                None if unknown.len() < k => unknown.push(ordinal),
                None => {}
            }
        }
        keep_best(&mut known, k);
        unknown.truncate(k - known.len());
        Ok(known.iter().map(|s| s.ordinal).chain(unknown).collect())
    }
    /// The `k` of the allowed items with the lowest terms, in no order. Cost: a pass over them.
    pub(super) fn least(
        &self,
        catalog: Catalog<'_>,
        allowed: &ItemSet,
        k: usize,
    ) -> Result<Vec<Ordinal>> {
        let mut scored = Vec::with_capacity(allowed.count());
        for ordinal in allowed.iter() {
            let score = -catalog.prior(ordinal)?.unwrap_or(self.low);
            scored.push(Scored { ordinal, score });
        }
        keep_best(&mut scored, k);
        Ok(scored.iter().map(|s| s.ordinal).collect())
    }
}
