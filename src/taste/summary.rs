//! What a "your taste" page shows: computed from the history and nothing else, each number with
//! what it was computed from.

use super::decode::decoded;
use super::interests::{Interest, comparable, interests};
use super::reduce::HistoryItem;
use crate::catalog::{Catalog, Column, Value};
use crate::error::{Error, Result, quoted};
use crate::format::FieldKind;
use crate::ids::{Ordinal, Scored};
use crate::load::Index;
use crate::ordering::sort_best_first;

/// Fewest items to tell the recent from the rest.
const FEWEST_TO_COMPARE: usize = 4;

/// The columns that a [`TasteSummary`] is made from. What is left out is not told.
#[derive(Clone, Copy, Debug, Default)]
pub struct SummaryColumns<'a> {
    /// Content types: a category, tags or a flag.
    pub mix: Option<&'a str>,
    /// When items are from: a date, a year, a number that grows with time.
    pub age: Option<&'a str>,
    /// What interests are labelled by; see [`interests`].
    pub labels: &'a [&'a str],
}

/// A place between two ends, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Where the person stands.
    pub value: f64,
    /// The mean that the value was computed from; see the axis.
    pub measured: f64,
    /// Number of items that it was measured on.
    pub n_items: usize,
}

/// What a history says of a taste. Items count by decayed weight, and only those liked: of
/// positive net weight.
#[derive(Clone, Debug, PartialEq)]
pub struct TasteSummary {
    /// The interests, most important first.
    pub interests: Vec<Interest>,
    /// Share of each content type, largest first, ties by name; together 1. An item of several
    /// counts for each in equal parts; items without a type are left out.
    pub mix: Vec<(String, f64)>,
    /// 0 familiar, 1 exploring: 1 less `measured`, the mean cosine (at least 0) between the
    /// latest quarter of the items and the mean direction of those before. From four items on.
    pub exploring: Option<Axis>,
    /// 0 popular, 1 niche: the mean share of the catalog's items with a higher prior (of those with
    /// the same, half). `measured` is the mean prior. Needs a prior.
    pub niche: Option<Axis>,
    /// 0 old, 1 new: the mean share of the catalog's items that are older (of those as old, half).
    /// `measured` is the mean of the column, dates in days since 1970. Needs [`SummaryColumns::age`].
    pub new: Option<Axis>,
    /// 0 loyal, 1 varied: 1 less `measured`, the mean cosine (at least 0) of two different items.
    /// From two items on.
    pub varied: Option<Axis>,
}

/// Sums up a history, such as [`Taste::history`](crate::Taste::history).
///
/// Cost: that of [`interests`], and one pass over the catalog each for prior and age.
///
/// # Errors
/// As [`interests`]; [`Error::Arg`] for a column that does not exist or is of another kind.
pub fn summary(
    index: &Index,
    history: &[HistoryItem],
    columns: &SummaryColumns<'_>,
) -> Result<TasteSummary> {
    let catalog = Catalog::new(index);
    let liked: Vec<HistoryItem> = history.iter().filter(|h| h.mass() > 0.0).copied().collect();
    let points = Points::of(index, &liked);
    let mix = match columns.mix {
        Some(name) => mix(catalog.column(name)?, &liked)?,
        None => Vec::new(),
    };
    let new = match columns.age {
        Some(name) => {
            let column = catalog.column(name)?;
            if !matches!(column.kind(), FieldKind::Integer | FieldKind::Real | FieldKind::Date) {
                return Err(wrong_kind("age", "a date, integer or real column", column));
            }
            rank(index, &liked, |item| Ok(column.value(item)?.as_number()))?
        }
        None => None,
    };
    let popular =
        if catalog.has_prior() { rank(index, &liked, |item| catalog.prior(item))? } else { None };
    Ok(TasteSummary {
        interests: interests(index, history, None, columns.labels)?,
        mix,
        exploring: points.exploring(),
        niche: popular.map(|axis| Axis { value: 1.0 - axis.value, ..axis }),
        new,
        varied: points.varied(),
    })
}

fn wrong_kind(path: &str, expected: &str, column: Column<'_>) -> Error {
    let found = format_args!("{} of kind {}", quoted(column.name()), column.kind().as_str());
    Error::arg(path, expected, found)
}

/// Shares of decayed weight by value.
fn mix(column: Column<'_>, liked: &[HistoryItem]) -> Result<Vec<(String, f64)>> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    let mut total = 0.0;
    for item in liked {
        let values = match column.value(item.item)? {
            Value::Category(value) => vec![value],
            Value::Tags(values) => values,
            Value::Flag(is) => vec![if is { "true" } else { "false" }],
            Value::Null => continue,
            _ => return Err(wrong_kind("mix", "a category, tags or a flag", column)),
        };
        for value in &values {
            let part = item.mass() / values.len() as f64;
            total += part;
            match sums.iter_mut().find(|(v, _)| v == value) {
                Some((_, sum)) => *sum += part,
                None => sums.push((value, part)),
            }
        }
    }
    let mut order: Vec<Scored> = (0..)
        .zip(&sums)
        .map(|(i, (_, sum))| Scored { ordinal: Ordinal(i), score: *sum })
        .collect();
    sort_best_first(&mut order);
    let share = |s: &Scored| (sums[s.ordinal.index()].0.to_owned(), s.score / total);
    let mut mix: Vec<(String, f64)> = order.iter().map(share).collect();
    // Ties by name: neighbours with one share, brought in order by exchange.
    for i in 1..mix.len() {
        let mut at = i;
        while at > 0 && mix[at - 1].1 == mix[at].1 && mix[at - 1].0 > mix[at].0 {
            mix.swap(at - 1, at);
            at -= 1;
        }
    }
    Ok(mix)
}

/// The weighted mean over liked items of the share of the catalog that lies lower, and of the
/// number itself. `None` where no liked item has one.
fn rank(
    index: &Index,
    liked: &[HistoryItem],
    number: impl Fn(Ordinal) -> Result<Option<f64>>,
) -> Result<Option<Axis>> {
    let mut own: Vec<(f64, f64)> = Vec::new();
    for item in liked {
        if let Some(x) = number(item.item)? {
            own.push((x, item.mass()));
        }
    }
    // Ascending, so that each item of the catalog finds its place among them by bisection.
    let scored = |(i, (x, _)): (u32, &(f64, f64))| Scored { ordinal: Ordinal(i), score: -x };
    let mut order: Vec<Scored> = (0..).zip(&own).map(scored).collect();
    sort_best_first(&mut order);
    let own: Vec<(f64, f64)> = order.iter().map(|s| own[s.ordinal.index()]).collect();
    // How many items of the catalog lie before each of them: above those up to it, by halves.
    let mut halves = vec![0u64; own.len() + 1];
    let mut n = 0u64;
    for i in 0..index.len() as u32 {
        if let Some(x) = number(Ordinal(i))? {
            n += 1;
            halves[own.partition_point(|(y, _)| *y < x)] += 1;
            halves[own.partition_point(|(y, _)| *y <= x)] += 1;
        }
    }
    let (mut below, mut shares, mut sum, mut total) = (0u64, 0.0, 0.0, 0.0);
    for ((x, weight), halves) in own.iter().zip(&halves) {
        below += halves;
        shares += weight * (below as f64 / (2 * n) as f64);
        sum += weight * x;
        total += weight;
    }
    let axis = || Axis { value: shares / total, measured: sum / total, n_items: own.len() };
    Ok((total > 0.0).then(axis))
}

/// The liked items as directions, with how much each counts.
struct Points {
    dim: usize,
    rows: Vec<f64>,
    masses: Vec<f64>,
    /// Positions, latest first.
    latest: Vec<usize>,
}

impl Points {
    fn of(index: &Index, liked: &[HistoryItem]) -> Self {
        let mut rows = comparable(index, decoded(index, liked.iter().map(|h| h.item)));
        let dim = index.dim();
        rows.chunks_exact_mut(dim).for_each(normalise);
        let scored =
            |(i, h): (u32, &HistoryItem)| Scored { ordinal: Ordinal(i), score: h.at_ms as f64 };
        let mut order: Vec<Scored> = (0..).zip(liked).map(scored).collect();
        sort_best_first(&mut order);
        let latest = order.iter().map(|s| s.ordinal.index()).collect();
        Self { dim, rows, masses: liked.iter().map(HistoryItem::mass).collect(), latest }
    }

    fn row(&self, at: usize) -> &[f64] {
        &self.rows[at * self.dim..(at + 1) * self.dim]
    }

    /// The weighted mean direction of some items.
    fn mean(&self, items: &[usize]) -> Vec<f64> {
        let mut mean = vec![0.0; self.dim];
        let total: f64 = items.iter().map(|at| self.masses[*at]).sum();
        for at in items {
            let share = self.masses[*at] / total;
            mean.iter_mut().zip(self.row(*at)).for_each(|(m, x)| *m += share * x);
        }
        mean
    }

    fn exploring(&self) -> Option<Axis> {
        let n = self.latest.len();
        if n < FEWEST_TO_COMPARE {
            return None;
        }
        let (recent, rest) = self.latest.split_at(n / 4);
        let mut before = self.mean(rest);
        normalise(&mut before);
        let recent_mean = self.mean(recent);
        let cosine: f64 = recent_mean.iter().zip(&before).map(|(a, b)| a * b).sum();
        Some(opposite(cosine, n))
    }

    fn varied(&self) -> Option<Axis> {
        let all = &self.latest;
        if all.len() < 2 {
            return None;
        }
        // The squared length of the mean is the mean over all pairs, those of an item with itself
        // among them.
        let total: f64 = all.iter().map(|at| self.masses[*at]).sum();
        let squares = |at: &usize| (self.masses[*at] / total) * (self.masses[*at] / total);
        let selves: f64 = all.iter().map(squares).sum();
        let pairs: f64 = self.mean(all).iter().map(|x| x * x).sum();
        // Where one item weighs as good as everything, there are no pairs to speak of.
        (selves < 1.0 - 1e-9).then(|| opposite((pairs - selves) / (1.0 - selves), all.len()))
    }
}

fn normalise(row: &mut [f64]) {
    let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x /= length);
    }
}

/// The axis whose far end is unlikeness.
fn opposite(cosine: f64, n_items: usize) -> Axis {
    Axis { value: 1.0 - cosine.clamp(0.0, 1.0), measured: cosine, n_items }
}
