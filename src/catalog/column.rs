//! One typed column, read in place.
//!
//! The arrays' bounds were validated when the archive was opened. What is stored per item (a
//! code, a start) is checked here at each use.

use std::fmt;

use crate::error::{Error, Result, quoted};
use crate::format::{FIELD_NONE, Field, FieldKind};
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::kernel::Packed;
use crate::load::Index;
use crate::ordering::{keep_best, sort_best_first};

pub(super) const DAMAGED: Error =
    Error::corrupt("columns", "values refer to their dictionary and bounds");

/// A column of an archive.
#[derive(Clone, Copy)]
pub struct Column<'a> {
    index: &'a Index,
    field: &'a Field,
}

/// What a column takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnBytes {
    /// What is stored for each item: its code or number, which of its tags are whose, whether it
    /// has a value.
    pub packed: usize,
    /// The different strings of categories and tags, once each.
    pub dictionary: usize,
    /// Texts, with where each begins.
    pub texts: usize,
}

/// The value of one item in one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// The item has none.
    Null,
    /// Of a flag.
    Flag(bool),
    /// Of a category.
    Category(&'a str),
    /// Of an integer.
    Integer(i64),
    /// Of a real; finite.
    Real(f64),
    /// Days since 1970-01-01.
    Date(i64),
    /// Of a tag set, in the order of the dictionary.
    Tags(Vec<&'a str>),
    /// Of a text.
    Text(&'a str),
}

impl Value<'_> {
    /// An integer, real or date as a number.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(x) | Self::Date(x) => Some(*x as f64),
            Self::Real(x) => Some(*x),
            _ => None,
        }
    }
}

/// As a person reads it: tags separated by commas, dates as `YYYY-MM-DD`, nothing for null.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Flag(x) => write!(f, "{x}"),
            Self::Integer(x) => write!(f, "{x}"),
            Self::Real(x) => write!(f, "{x}"),
            Self::Date(days) => f.write_str(&crate::date::format_days(*days)),
            Self::Tags(tags) => f.write_str(&tags.join(", ")),
            Self::Category(text) | Self::Text(text) => f.write_str(text),
        }
    }
}

impl<'a> Column<'a> {
    pub(super) const fn new(index: &'a Index, field: &'a Field) -> Self {
        Self { index, field }
    }

    /// The column's name.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.index.field_name(self.field)
    }

    /// What it holds.
    #[must_use]
    pub fn kind(self) -> FieldKind {
        // Unknown kinds were refused when the archive was opened.
        FieldKind::from_code(self.field.kind).unwrap_or(FieldKind::Text)
    }

    /// Number of items without a value.
    #[must_use]
    pub const fn n_null(self) -> usize {
        self.field.n_null as usize
    }

    /// Number of different values of a category or tag set; 0 for other kinds.
    #[must_use]
    pub const fn n_distinct(self) -> usize {
        self.field.n_distinct as usize
    }

    /// What it takes in the archive.
    #[must_use]
    pub fn bytes(self) -> ColumnBytes {
        let field = self.field;
        let n = self.index.len();
        let present = if field.present_start == FIELD_NONE { 0 } else { n.div_ceil(8) };
        let starts = 4 * (n + 1);
        let values = field.values_len as usize * field.width as usize;
        let dictionary = 4 * (self.n_distinct() + 1) + field.dictionary_bytes as usize;
        let (packed, dictionary, texts) = match self.kind() {
            FieldKind::Flag => (n.div_ceil(8), 0, 0),
            FieldKind::Category => (values, dictionary, 0),
            FieldKind::Tags => (starts + values, dictionary, 0),
            FieldKind::Text => (0, 0, starts + field.values_len as usize),
            FieldKind::Integer | FieldKind::Real | FieldKind::Date => (values, 0, 0),
        };
        ColumnBytes { packed: present + packed, dictionary, texts }
    }

    /// Smallest and largest value of an integer, a date or a real that is stored as decimals;
    /// `None` for others, and where no item has a value.
    #[must_use]
    pub fn range(self) -> Option<(Value<'static>, Value<'static>)> {
        let numeric =
            matches!(self.kind(), FieldKind::Integer | FieldKind::Date | FieldKind::Real);
        if !numeric
            || self.kind() == FieldKind::Real && self.is_float()
            || self.n_null() == self.index.len()
        {
            return None;
        }
        let top = self.field.top.checked_sub(self.field.base)?;
        Some((self.number(0), self.number(u64::try_from(top).ok()?)))
    }

    fn data(self) -> &'a [u8] {
        self.index.column_data()
    }

    #[inline]
    fn bit(self, start: u32, item: usize) -> bool {
        self.data()[start as usize + item / 8] >> (item % 8) & 1 == 1
    }

    /// Whether the item has a value.
    #[inline]
    #[must_use]
    pub fn is_present(self, item: Ordinal) -> bool {
        self.field.present_start == FIELD_NONE || self.bit(self.field.present_start, item.index())
    }

    /// The items that have a value.
    #[must_use]
    pub fn present(self) -> ItemSet {
        ItemSet::from_fn(self.index.len(), |i| self.is_present(Ordinal(i as u32)))
    }

    /// The bits of present values, of the items from word `first` on; `None` where all have one.
    pub(super) fn present_bits(self, first: usize) -> Option<&'a [u8]> {
        (self.field.present_start != FIELD_NONE)
            .then(|| self.bits(self.field.present_start, first))
    }

    /// The bits of a flag, of the items from word `first` on.
    pub(super) fn flag_bits(self, first: usize) -> Option<&'a [u8]> {
        Some(self.bits(self.field.values_start, first))
    }

    fn bits(self, start: u32, first: usize) -> &'a [u8] {
        let bits = &self.data()[start as usize..][..self.index.len().div_ceil(8)];
        bits.get(4 * first..).unwrap_or(&[])
    }

    /// The flag of an item that has one.
    pub(super) fn flag(self, item: usize) -> bool {
        self.bit(self.field.values_start, item)
    }

    /// The raw number at position `at` of the column's values.
    #[inline]
    pub(super) fn raw(self, at: usize) -> u64 {
        let (bytes, width) = self.packed();
        // Copies of a fixed length are loads; of a length that is not known, calls.
        match width {
            1 => u64::from(bytes[at]),
            2 => u64::from(u16::from_le_bytes(bytes.as_chunks().0[at])),
            4 => u64::from(u32::from_le_bytes(bytes.as_chunks().0[at])),
            _ => u64::from_le_bytes(bytes.as_chunks().0[at]),
        }
    }

    /// The number of an item of a numeric column, a date as its day; NaN for what is no number.
    pub(super) fn as_f64(self, item: usize) -> f64 {
        self.number(self.raw(item)).as_number().unwrap_or(f64::NAN)
    }

    /// The packed values of all items, or of tags the codes of all, and the bytes each takes.
    #[inline]
    pub(super) fn packed(self) -> (&'a [u8], usize) {
        let width = self.field.width as usize;
        let start = self.field.values_start as usize;
        (&self.data()[start..start + self.field.values_len as usize * width], width)
    }

    /// The same for the items from `first` on, as kernels read them: tags as a list an item.
    pub(super) fn packed_from(self, first: usize) -> Packed<'a> {
        let (bytes, width) = self.packed();
        if self.kind() == FieldKind::Tags {
            let starts = self.data()[self.field.starts_start as usize..].as_chunks().0;
            let starts = starts.get(first..=self.index.len()).unwrap_or(&[]);
            return Packed { bytes, width, starts: Some(starts) };
        }
        Packed { bytes: bytes.get(first * width..).unwrap_or(&[]), width, starts: None }
    }

    /// What a raw number of an integer, date or scaled real means. Monotone in `raw`.
    #[inline]
    pub(super) fn number(self, raw: u64) -> Value<'static> {
        let whole = self.field.base.saturating_add_unsigned(raw);
        match self.kind() {
            FieldKind::Date => Value::Date(whole),
            FieldKind::Real if self.is_float() => {
                let x = f64::from_bits(raw);
                if x.is_finite() { Value::Real(x) } else { Value::Null }
            }
            FieldKind::Real => Value::Real(whole as f64 / TENS[self.field.digits as usize % 10]),
            _ => Value::Integer(whole),
        }
    }

    /// Whether a real is stored as f64 bits.
    pub(super) const fn is_float(self) -> bool {
        self.field.kind == FieldKind::Real as u32 && self.field.digits == FIELD_NONE
    }

    /// Positions in the values of an item's tags, or in the bytes of an item's text.
    #[inline]
    pub(super) fn run(self, item: usize) -> Result<std::ops::Range<usize>> {
        let data = self.index.field_data(self.kind())?;
        let start = |i: usize| -> Option<u32> {
            let at = self.field.starts_start as usize + 4 * i;
            Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
        };
        match (start(item), start(item + 1)) {
            (Some(low), Some(high)) if low <= high && high <= self.field.values_len => {
                Ok(low as usize..high as usize)
            }
            _ => Err(DAMAGED),
        }
    }

    /// The string with this code in the dictionary.
    pub(crate) fn entry(self, code: usize) -> Result<&'a str> {
        let data = self.data();
        let n = self.field.n_distinct as usize;
        let start = |i: usize| -> Option<usize> {
            let at = self.field.dictionary_start as usize + 4 * i;
            Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?) as usize)
        };
        let strings = self.field.dictionary_start as usize + 4 * (n + 1);
        let strings = &data[strings..strings + self.field.dictionary_bytes as usize];
        let found = || strings.get(start(code)?..start(code + 1)?);
        if code >= n {
            return Err(DAMAGED);
        }
        found().and_then(|b| std::str::from_utf8(b).ok()).ok_or(DAMAGED)
    }

    /// The code of a string, or `None` where no item has it.
    pub(super) fn code(self, text: &str) -> Result<Option<usize>> {
        let (mut low, mut high) = (0, self.n_distinct());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.entry(middle)?.cmp(text) {
                std::cmp::Ordering::Equal => return Ok(Some(middle)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// The value of an item. `item` must be below the archive's number of items.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the bytes there are no value.
    pub fn value(self, item: Ordinal) -> Result<Value<'a>> {
        if !self.is_present(item) {
            return Ok(Value::Null);
        }
        let i = item.index();
        Ok(match self.kind() {
            FieldKind::Flag => Value::Flag(self.flag(i)),
            FieldKind::Category => Value::Category(self.entry(self.raw(i) as usize)?),
            FieldKind::Integer | FieldKind::Real | FieldKind::Date => self.number(self.raw(i)),
            FieldKind::Tags => {
                let tags = self.run(i)?.map(|at| self.entry(self.raw(at) as usize));
                Value::Tags(tags.collect::<Result<_>>()?)
            }
            FieldKind::Text => {
                let start = self.field.values_start as usize;
                let run = self.run(i)?;
                let bytes =
                    &self.index.field_data(FieldKind::Text)?[start + run.start..start + run.end];
                Value::Text(std::str::from_utf8(bytes).map_err(|_| DAMAGED)?)
            }
        })
    }

    /// How many of `items` have each value of a category or tag set, by code; of a flag, how many
    /// are false and true.
    pub(crate) fn count_codes(self, items: &ItemSet) -> Result<Vec<usize>> {
        let is_flag = self.kind() == FieldKind::Flag;
        let mut counts = vec![0usize; if is_flag { 2 } else { self.n_distinct() }];
        let mut count = |code: u64| match counts.get_mut(code as usize) {
            Some(count) => {
                *count += 1;
                Ok(())
            }
            None => Err(DAMAGED),
        };
        for item in items.iter().filter(|item| self.is_present(*item)) {
            match self.kind() {
                FieldKind::Flag => count(u64::from(self.flag(item.index())))?,
                FieldKind::Category => count(self.raw(item.index()))?,
                FieldKind::Tags => {
                    for at in self.run(item.index())? {
                        count(self.raw(at))?;
                    }
                }
                kind => {
                    return Err(Error::arg(
                        "field",
                        "a column of kind flag, category or tags",
                        format_args!("{} of kind {}", quoted(self.name()), kind.as_str()),
                    ));
                }
            }
        }
        Ok(counts)
    }

    /// How many of `items` have each value: most frequent first, equal counts by value, at most
    /// `limit`.
    pub(super) fn count_values(
        self,
        items: &ItemSet,
        limit: usize,
    ) -> Result<Vec<(&'a str, usize)>> {
        let counts = self.count_codes(items)?;
        let is_flag = self.kind() == FieldKind::Flag;
        let mut order: Vec<Scored> = (0..)
            .zip(&counts)
            .filter(|(_, count)| **count > 0)
            .map(|(code, count)| Scored { ordinal: Ordinal(code), score: *count as f64 })
            .collect();
        // Codes are in the byte order of their strings.
        keep_best(&mut order, limit);
        sort_best_first(&mut order);
        let value = |code: usize| match (is_flag, code) {
            (true, 0) => Ok("false"),
            (true, _) => Ok("true"),
            _ => self.entry(code),
        };
        order.iter().map(|s| Ok((value(s.ordinal.index())?, counts[s.ordinal.index()]))).collect()
    }
}

/// Powers of ten, exact in f64.
const TENS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
