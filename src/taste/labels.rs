//! What to call a group of items: the values that its members have far more often than the
//! catalog.

use crate::catalog::{Catalog, Column, Value};
use crate::error::{Error, Result, quoted};
use crate::format::FieldKind;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::ordering::sort_best_first;

/// Members that are added to each group in thought, with the catalog's shares: one jazz record
/// among two is no jazz lover.
const SMOOTHING: f64 = 2.0;
/// Years 0 to 9999.
const DECADES: usize = 1000;

/// A value that describes a group of items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The column it is of.
    pub column: String,
    /// The value.
    pub value: LabelValue,
}

/// What a [`Label`] says. The app makes the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelValue {
    /// A category or a tag.
    Text(String),
    /// The first year of a decade, such as 1970.
    Decade(i64),
}

/// Columns that labels come from, counted over the catalog.
pub(super) struct Labels<'a> {
    index: &'a Index,
    columns: Vec<(Column<'a>, Vec<usize>)>,
}

impl<'a> Labels<'a> {
    /// Cost: one pass over each column.
    pub(super) fn new(index: &'a Index, names: &[&str]) -> Result<Self> {
        let all = ItemSet::full(index.len());
        let counted = |name: &&str| {
            let column = Catalog::new(index).column(name)?;
            Ok((column, counts(column, &all)?))
        };
        Ok(Self { index, columns: names.iter().map(counted).collect::<Result<_>>()? })
    }

    /// The labels of a group: at most `n` categories and tags, strongest first, then at most one
    /// decade a column.
    ///
    /// A value's strength is `q ln(q / p)`: with `p` the share of the catalog that has it, and `q`
    /// that of the group, smoothed by two members like the catalog. That is what the value adds to the
    /// divergence of the group from the catalog, so neither what all items have nor what one odd
    /// member has is a label. A third of the members have it at least.
    pub(super) fn of(&self, items: &[Ordinal], n: usize) -> Result<Vec<Label>> {
        let mut group = ItemSet::empty(self.index.len());
        items.iter().for_each(|item| group.insert(*item));
        let (mut texts, mut decades) = (Vec::new(), Vec::new());
        for (column, catalog) in &self.columns {
            let mut strengths = self.strengths(&counts(*column, &group)?, catalog, items.len());
            sort_best_first(&mut strengths);
            let label = |value| Label { column: column.name().to_owned(), value };
            if is_text(*column) {
                for s in strengths.iter().take(n) {
                    let text = column.entry(s.ordinal.index())?.to_owned();
                    texts.push((s.score, label(LabelValue::Text(text))));
                }
            } else if let Some(best) = strengths.first() {
                decades.push(label(LabelValue::Decade(10 * i64::from(best.ordinal.0))));
            }
        }
        let mut order: Vec<Scored> = (0..)
            .zip(&texts)
            .map(|(i, (score, _))| Scored { ordinal: Ordinal(i), score: *score })
            .collect();
        sort_best_first(&mut order);
        order.truncate(n);
        let texts = order.iter().map(|s| texts[s.ordinal.index()].1.clone());
        Ok(texts.chain(decades).collect())
    }

    /// The values that describe a group of `n` items, by code.
    fn strengths(&self, group: &[usize], catalog: &[usize], n: usize) -> Vec<Scored> {
        let mut strengths = Vec::new();
        for ((code, a), all) in (0..).zip(group).zip(catalog) {
            if 3 * a < n || *a == 0 {
                continue;
            }
            let p = (*all).max(1) as f64 / self.index.len() as f64;
            let q = (*a as f64 + SMOOTHING * p) / (n as f64 + SMOOTHING);
            let score = q * libm::log(q / p);
            if score > 0.0 {
                strengths.push(Scored { ordinal: Ordinal(code), score });
            }
        }
        strengths
    }
}

fn is_text(column: Column<'_>) -> bool {
    matches!(column.kind(), FieldKind::Category | FieldKind::Tags)
}

/// How many of `items` have each value: by code, or by decade.
fn counts(column: Column<'_>, items: &ItemSet) -> Result<Vec<usize>> {
    if is_text(column) {
        return column.count_codes(items);
    }
    if !matches!(column.kind(), FieldKind::Integer | FieldKind::Date) {
        let found = format_args!("{} of kind {}", quoted(column.name()), column.kind().as_str());
        return Err(Error::arg("labels", "a category, tags, a year or a date", found));
    }
    let mut decades = vec![0; DECADES];
    for item in items.iter() {
        let year = match column.value(item)? {
            Value::Integer(year) => year,
            Value::Date(day) => crate::date::year_of(day),
            _ => continue,
        };
        if let Some(count) = usize::try_from(year / 10).ok().and_then(|d| decades.get_mut(d)) {
            *count += 1;
        }
    }
    Ok(decades)
}
