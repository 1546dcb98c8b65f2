//! Score terms: what a candidate's score is the sum of.

use super::answer::Parts;
use super::cache::Cache;
use super::prior::Prior;
use super::request::{Boost, Freshness, Request};
use crate::catalog::{Catalog, Expr, FieldKind, Formula, Scope};
use crate::error::{Error, Number, Result, quoted};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::ordering::keep_best;

const DAY_MS: f64 = 86_400_000.0;
/// Older than any date, in days.
const OLD_DAYS: f64 = 1e9;

/// The terms of a request beside taste, ready to be asked for any item.
pub(super) struct Terms<'a> {
    catalog: Catalog<'a>,
    prior: Option<(&'a Prior, f64)>,
    freshness: Option<(&'a Freshness, i64)>,
    boosts: Vec<(&'a Boost, Value)>,
}

/// What a boost multiplies.
enum Value {
    /// 1 for the items of a set, else 0.
    Set(ItemSet),
    Formula(Formula),
}

impl<'a> Terms<'a> {
    /// Compiles what the request says. `prior_weight` is what popularity counts in this answer.
    pub(super) fn new(
        catalog: Catalog<'a>,
        request: &'a Request,
        prior: Option<&'a Prior>,
        prior_weight: f64,
        scope: &Scope<'_>,
        cache: &mut Cache,
    ) -> Result<Self> {
        let freshness = match (&request.freshness, request.now_ms) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(Error::arg(
                    "now",
                    "a moment, since freshness is asked for",
                    "nothing",
                ));
            }
            (Some(freshness), Some(now_ms)) => {
                let column = catalog.column(&freshness.field)?;
                if column.kind() != FieldKind::Date {
                    let found =
                        format!("{} of kind {}", quoted(column.name()), column.kind().as_str());
                    return Err(Error::arg("freshness.field", "a column of dates", found));
                }
                Some((freshness, now_ms))
            }
        };
        let boost = |(i, boost): (usize, &'a Boost)| {
            let value = if boost.is_condition {
                cache.select(catalog, &boost.program, scope).cloned().map(Value::Set)
            } else {
                Expr::read(&boost.program)
                    .and_then(|expr| Formula::compile(catalog, &expr, scope))
                    .map(Value::Formula)
            };
            Ok((boost, value.map_err(|error| error.within(&format!("boosts[{i}]")))?))
        };
        let boosts = request.boosts.iter().enumerate().map(boost).collect::<Result<_>>()?;
        let prior = prior.filter(|_| prior_weight != 0.0).map(|prior| (prior, prior_weight));
        Ok(Self { catalog, prior, freshness, boosts })
    }

    /// The sets of items that boosts lift, each with whether it is the set itself or all others:
    /// where to look for candidates that taste alone would not bring.
    pub(super) fn lifted(&self) -> impl Iterator<Item = (&ItemSet, bool)> {
        self.boosts.iter().filter_map(|(boost, value)| match value {
            Value::Set(set) if boost.weight != 0.0 => Some((set, boost.weight > 0.0)),
            _ => None,
        })
    }

    /// For each term that differs from item to item of the whole catalog, newness and formulas,
    /// the `n` of the allowed items that it lifts most, or lowers least. Cost: a pass over the
    /// items a term.
    pub(super) fn leaders(&self, allowed: &ItemSet, n: usize) -> Result<Vec<Ordinal>> {
        let mut out = Vec::new();
        let mut take = |worth: &dyn Fn(Ordinal) -> Result<f64>| {
            let mut scored = Vec::with_capacity(allowed.count());
            for ordinal in allowed.iter() {
                scored.push(Scored { ordinal, score: worth(ordinal)? });
            }
            keep_best(&mut scored, n);
            out.extend(scored.iter().map(|s| s.ordinal));
            Ok(())
        };
        if let Some((freshness, _)) = self.freshness.filter(|(f, _)| f.weight != 0.0) {
            let column = self.catalog.column(&freshness.field)?;
            let sign = freshness.weight.signum();
            // By the day itself, whose order is that of its worth; without one an item is old.
            take(&|item| Ok(sign * column.value(item)?.as_number().unwrap_or(-OLD_DAYS)))?;
        }
        for (boost, value) in &self.boosts {
            if let Value::Formula(formula) = value
                && boost.weight != 0.0
            {
                let values = formula.values(self.catalog)?;
                take(&|item| Ok(boost.part(values[item.index()])))?;
            }
        }
        Ok(out)
    }

    /// Whether there is none: taste alone decides.
    pub(super) fn are_none(&self) -> bool {
        !self.have_prior() && self.freshness.is_none() && self.boosts.is_empty()
    }

    /// Whether popularity counts.
    pub(super) fn have_prior(&self) -> bool {
        self.prior.is_some()
    }

    /// Whether it counts against an item to be popular.
    pub(super) fn lower_the_popular(&self) -> bool {
        self.prior.is_some_and(|(_, weight)| weight < 0.0)
    }

    /// The parts of some items, `taste` first, in the order in which they are added up.
    pub(super) fn parts(&self, items: &[Ordinal], taste: Option<&[f64]>) -> Result<Parts> {
        let mut names = Vec::new();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut add = |name: &str, values: Vec<f64>| {
            names.push(name.to_owned());
            columns.push(values);
        };
        if let Some(taste) = taste {
            add("taste", taste.to_vec());
        }
        if let Some((prior, weight)) = self.prior {
            let term = |item: &Ordinal| Ok(weight * prior.term(self.catalog, *item)?);
            add("prior", items.iter().map(term).collect::<Result<_>>()?);
        }
        if let Some((freshness, now_ms)) = self.freshness {
            let column = self.catalog.column(&freshness.field)?;
            let today = (now_ms as f64 / DAY_MS).floor();
            let term = |item: &Ordinal| {
                let day = column.value(*item)?.as_number();
                // An item of tomorrow is as fresh as one of today; one without a date is old.
                let worth = |day: f64| libm::exp2(-(today - day).max(0.0) / freshness.days);
                Ok(freshness.weight * day.map_or(0.0, worth))
            };
            add("freshness", items.iter().map(term).collect::<Result<_>>()?);
        }
        for (boost, value) in &self.boosts {
            let mut values = match value {
                Value::Set(set) => {
                    items.iter().map(|item| f64::from(u8::from(set.contains(*item)))).collect()
                }
                Value::Formula(formula) => formula.values_of(self.catalog, items)?,
            };
            values.iter_mut().for_each(|x| *x = boost.part(*x));
            add(&boost.name, values);
        }
        let n = names.len();
        let mut values = Vec::with_capacity(items.len() * n);
        for i in 0..items.len() {
            values.extend(columns.iter().map(|column| column[i]));
        }
        let parts = Parts { names, values };
        match (0..items.len()).map(|i| parts.score(i)).find(|score| !score.is_finite()) {
            None => Ok(parts),
            Some(score) => {
                let expected = "weights and formulas whose sum is finite for every item";
                Err(Error::arg("boosts", expected, Number(score)))
            }
        }
    }
}

impl Boost {
    /// Its part of a score, where it multiplies `value`. An item for which a formula has no value
    /// is neither lifted nor lowered.
    fn part(&self, value: f64) -> f64 {
        if value.is_nan() { 0.0 } else { self.weight * value }
    }
}

impl Parts {
    /// The score of item `i`: its parts, added up in their order.
    pub(super) fn score(&self, i: usize) -> f64 {
        let n = self.names.len();
        self.values[i * n..(i + 1) * n].iter().fold(0.0, |sum, part| sum + part)
    }

    /// The rows of some items.
    pub(super) fn rows(&self, items: impl Iterator<Item = usize>) -> Self {
        let n = self.names.len();
        let values = items.flat_map(|i| &self.values[i * n..(i + 1) * n]).copied().collect();
        Self { names: self.names.clone(), values }
    }
}
