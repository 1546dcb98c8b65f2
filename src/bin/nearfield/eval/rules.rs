//! Rules that lists may or may not keep (caps and quotas), and the categories their mix is over.

use std::collections::BTreeMap;

use nearfield::eval::lists::{cap_is_kept, quota_is_kept};
use nearfield::{Catalog, Error, FieldKind, Index, ItemSet, Ordinal, Result, Value};

/// The values of a column as numbers: those of each item, none where it has no value.
pub struct Categories {
    pub field: String,
    pub n: usize,
    of: Vec<Vec<usize>>,
}

impl Categories {
    /// Of a category, flag or tag column; of another kind, its values as they are printed.
    fn of_column(index: &Index, field: &str) -> Result<Self> {
        let column = Catalog::new(index).column(field)?;
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut place = |value: String| {
            let next = places.len();
            *places.entry(value).or_insert(next)
        };
        let mut of = Vec::with_capacity(index.len());
        for i in 0..index.len() as u32 {
            of.push(match column.value(Ordinal(i))? {
                Value::Null => Vec::new(),
                Value::Tags(tags) => tags.iter().map(|tag| place((*tag).to_owned())).collect(),
                value => vec![place(value.to_string())],
            });
        }
        Ok(Self { field: field.to_owned(), n: places.len(), of })
    }

    /// What a mix is measured over.
    ///
    /// # Errors
    /// Where there is no such column, or it is none of few values.
    pub fn for_mix(index: &Index, argument: &str, field: &str) -> Result<Self> {
        let kind = Catalog::new(index).column(field)?.kind();
        if !matches!(kind, FieldKind::Tags | FieldKind::Category | FieldKind::Flag) {
            let expected = "a column of kind tags, category or flag";
            return Err(Error::arg(
                argument,
                expected,
                format_args!("{field:?} of kind {}", kind.as_str()),
            ));
        }
        Self::of_column(index, field)
    }

    pub fn of(&self, item: Ordinal) -> &[usize] {
        &self.of[item.index()]
    }
}

/// A rule, as it was asked for and in words.
pub struct Rule {
    pub label: String,
    pub about: String,
    check: Check,
}

enum Check {
    Cap { values: Categories, most: usize },
    Quota { items: ItemSet, share: f64 },
}

impl Rule {
    /// `FIELD=N`: at most N items of each value of the column.
    pub fn cap(index: &Index, text: &str) -> Result<Self> {
        let parts = text.rsplit_once('=').and_then(|(f, n)| Some((f, n.trim().parse().ok()?)));
        let Some((field, most)) = parts else {
            return Err(Error::arg("--cap", "FIELD=N, as artist=2", format_args!("{text:?}")));
        };
        let values = Categories::of_column(index, field.trim())?;
        let about = format!("at most {most} items with the same value of {}", values.field);
        Ok(Self { label: format!("cap {text}"), about, check: Check::Cap { values, most } })
    }

    /// `SHARE=CONDITION`: at least this share of a list fulfils the condition.
    pub fn quota(index: &Index, text: &str) -> Result<Self> {
        let parts = text.split_once('=').and_then(|(share, condition)| {
            Some((super::sample::share(share.trim()).ok()?, condition.trim()))
        });
        let Some((share, condition)) = parts else {
            let expected = "SHARE=CONDITION, as '0.2=type = \"podcast\"'";
            return Err(Error::arg("--quota", expected, format_args!("{text:?}")));
        };
        let items = Catalog::new(index).select(condition)?;
        let about = format!("at least {share} of the list, in whole items, with {condition}");
        Ok(Self { label: format!("quota {text}"), about, check: Check::Quota { items, share } })
    }

    pub fn is_kept(&self, list: &[Ordinal]) -> bool {
        match &self.check {
            Check::Cap { values, most } => {
                cap_is_kept(list, |item| values.of(*item).iter().copied(), *most)
            }
            Check::Quota { items, share } => {
                quota_is_kept(list, |item| items.contains(*item), *share)
            }
        }
    }
}
