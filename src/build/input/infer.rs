//! From cells to typed columns: which kind a column has, and its values as that kind.

use std::collections::HashSet;

use super::rows::{Cell, RawField};
use super::shown;
use crate::build::ColumnValues;
use crate::date::parse_days;
use crate::error::{Error, Result};
use crate::format::FieldKind;

/// Separates the tags of one CSV value.
const TAG_SEPARATOR: char = '|';
/// Most different values of a category: its codes then take two bytes.
const MAX_CATEGORIES: usize = 1 << 16;
/// Longest value of a category, in bytes. What is longer is prose, even where it repeats.
const LONGEST_CATEGORY: usize = 64;
/// A column of strings gets a note where this share of its values would make a tighter kind: the
/// rest may be a mistake (`N/A` among years).
const NOTEWORTHY: f64 = 0.9;

/// An inferred kind, and what to tell about it.
#[derive(Debug)]
pub(super) struct Inferred {
    pub(super) kind: FieldKind,
    pub(super) note: Option<String>,
}

/// The kind of a field, by the rules in the documentation of the parent module.
pub(super) fn infer(
    file: &str,
    lines: &[u64],
    field: &RawField,
    is_untyped: bool,
) -> Result<Inferred> {
    let plain = |kind| Ok(Inferred { kind, note: None });
    let mut first: Option<(Shape, usize)> = None;
    for (row, cell) in field.cells.iter().enumerate() {
        let Some(cell) = cell else { continue };
        let shape = Shape::of(cell);
        match first {
            None => first = Some((shape, row)),
            Some((before, _)) if before == shape => {}
            Some((before, at)) => {
                let place = format!("{file}:{}: {}", lines[row], field.name);
                let expected = format!(
                    "{}, as on line {} (or name a kind for this field in --schema)",
                    before.as_str(),
                    lines[at],
                );
                return Err(Error::input(place, expected, cell.describe()));
            }
        }
    }
    match first.map(|(shape, _)| shape) {
        None => plain(FieldKind::Text),
        Some(Shape::Flag) => plain(FieldKind::Flag),
        Some(Shape::Tags) => plain(FieldKind::Tags),
        Some(Shape::Number) => {
            let is_whole = |cell: &Cell| matches!(cell, Cell::Integer(_));
            let all = field.cells.iter().flatten().all(is_whole);
            plain(if all { FieldKind::Integer } else { FieldKind::Real })
        }
        Some(Shape::String) => Ok(infer_strings(lines, field, is_untyped)),
    }
}

/// What JSON distinguishes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Flag,
    Number,
    String,
    Tags,
}

impl Shape {
    fn of(cell: &Cell) -> Self {
        match cell {
            Cell::Flag(_) => Self::Flag,
            Cell::Integer(_) | Cell::Real(_) => Self::Number,
            Cell::String(_) => Self::String,
            Cell::Tags(_) => Self::Tags,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Tags => "an array of strings",
        }
    }
}

/// The kind of a column of strings, of which at least one is present.
fn infer_strings(lines: &[u64], field: &RawField, is_untyped: bool) -> Inferred {
    let strings = || {
        field.cells.iter().enumerate().filter_map(|(row, cell)| match cell {
            Some(Cell::String(text)) => Some((row, text.as_str())),
            _ => None,
        })
    };
    let n = strings().count();
    let tighter: &[FieldKind] = if is_untyped {
        &[FieldKind::Flag, FieldKind::Integer, FieldKind::Real, FieldKind::Date]
    } else {
        &[FieldKind::Date]
    };
    let mut note = None;
    for kind in tighter {
        let n_fit = strings().filter(|(_, text)| fits(*kind, text)).count();
        if n_fit == n {
            return Inferred { kind: *kind, note: None };
        }
        if n_fit as f64 >= NOTEWORTHY * n as f64 {
            let odd = strings().find(|(_, text)| !fits(*kind, text));
            note = odd.map(|(row, text)| {
                format!(
                    "{}: {n_fit} of {n} values are of kind {}, but line {} has {}; \
                     name a kind in --schema if that is a mistake",
                    field.name,
                    kind.as_str(),
                    lines[row],
                    shown(text),
                )
            });
        }
    }
    if is_untyped && strings().any(|(_, text)| text.contains(TAG_SEPARATOR)) {
        return Inferred { kind: FieldKind::Tags, note };
    }
    let longest = strings().map(|(_, text)| text.len()).max().unwrap_or(0);
    let distinct: HashSet<&str> = strings().map(|(_, text)| text).collect();
    let is_category =
        longest <= LONGEST_CATEGORY && distinct.len() <= MAX_CATEGORIES && 2 * distinct.len() <= n;
    Inferred { kind: if is_category { FieldKind::Category } else { FieldKind::Text }, note }
}

/// Whether a CSV value reads as this kind.
fn fits(kind: FieldKind, text: &str) -> bool {
    match kind {
        FieldKind::Flag => parse_flag(text).is_some(),
        FieldKind::Integer => parse_integer(text).is_some(),
        FieldKind::Real => parse_real(text).is_some(),
        FieldKind::Date => parse_days(text).is_some(),
        FieldKind::Category | FieldKind::Tags | FieldKind::Text => true,
    }
}

fn parse_flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// A whole number as a number is written: a leading zero marks a code.
fn parse_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_code = digits.len() > 1 && digits.starts_with('0');
    (!is_code && digits.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A finite decimal number. Rust reads `inf` and `nan` too: those are no values of a column.
fn parse_real(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split(['.', 'e', 'E']).next().unwrap_or("");
    let is_code = whole.len() > 1 && whole.starts_with('0');
    let is_plain = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (!is_code && is_plain).then(|| text.parse().ok())?.filter(|x: &f64| x.is_finite())
}

/// The values of a field as a kind.
pub(super) fn convert(
    file: &str,
    lines: &[u64],
    field: &RawField,
    kind: FieldKind,
    is_untyped: bool,
) -> Result<ColumnValues> {
    let each = Each { file, lines, field };
    Ok(match kind {
        FieldKind::Flag => ColumnValues::Flag(each.map("true or false", |cell| match cell {
            Cell::Flag(x) => Some(*x),
            Cell::Integer(0) => Some(false),
            Cell::Integer(1) => Some(true),
            Cell::String(text) => parse_flag(text).or(match text.as_str() {
                "0" => Some(false),
                "1" => Some(true),
                _ => None,
            }),
            _ => None,
        })?),
        FieldKind::Integer => {
            ColumnValues::Integer(each.map("a whole number", |cell| match cell {
                Cell::Integer(x) => Some(*x),
                // Below 2^53 every whole f64 is that number; beyond, its last digits are made up.
                Cell::Real(x) => (x.fract() == 0.0 && x.abs() <= 9e15).then_some(*x as i64),
                Cell::String(text) => parse_integer(text),
                _ => None,
            })?)
        }
        FieldKind::Real => ColumnValues::Real(each.map("a finite number", |cell| match cell {
            Cell::Integer(x) => Some(*x as f64),
            Cell::Real(x) => x.is_finite().then_some(*x),
            Cell::String(text) => parse_real(text),
            _ => None,
        })?),
        FieldKind::Date => ColumnValues::Date(each.map(
            "a date of the calendar, YYYY-MM-DD",
            |cell| match cell {
                Cell::String(text) => parse_days(text),
                _ => None,
            },
        )?),
        FieldKind::Category => ColumnValues::Category(each.map("a string", text_of)?),
        FieldKind::Text => ColumnValues::Text(each.map("a string", text_of)?),
        FieldKind::Tags => {
            ColumnValues::Tags(each.map("an array of strings", |cell| match cell {
                Cell::Tags(tags) => Some(tags.clone()),
                Cell::String(text) if is_untyped => Some(split_tags(text)),
                Cell::String(text) => Some(vec![text.clone()]),
                _ => None,
            })?)
        }
    })
}

fn text_of(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Flag(x) => Some(x.to_string()),
        Cell::Integer(x) => Some(x.to_string()),
        Cell::Real(x) => Some(x.to_string()),
        Cell::String(text) => Some(text.clone()),
        Cell::Tags(_) => None,
    }
}

fn split_tags(text: &str) -> Vec<String> {
    let tags = text.split(TAG_SEPARATOR).map(str::trim);
    tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

struct Each<'a> {
    file: &'a str,
    lines: &'a [u64],
    field: &'a RawField,
}

impl Each<'_> {
    fn map<T>(
        &self,
        expected: &str,
        value: impl Fn(&Cell) -> Option<T>,
    ) -> Result<Vec<Option<T>>> {
        let one = |(row, cell): (usize, &Option<Cell>)| match cell {
            None => Ok(None),
            Some(cell) => value(cell).map(Some).ok_or_else(|| {
                let place = format!("{}:{}: {}", self.file, self.lines[row], self.field.name);
                Error::input(place, expected, cell.describe())
            }),
        };
        self.field.cells.iter().enumerate().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(values: &[&str]) -> RawField {
        let cell = |v: &&str| (!v.is_empty()).then(|| Cell::String((*v).to_owned()));
        RawField { name: "x".into(), cells: values.iter().map(cell).collect() }
    }

    fn kind(field: &RawField, is_untyped: bool) -> FieldKind {
        let lines: Vec<u64> = (1..=field.cells.len() as u64).collect();
        infer("items", &lines, field, is_untyped).unwrap().kind
    }

    #[test]
    fn csv_values_are_typed_by_what_all_of_them_are() {
        for (values, expected) in [
            (&["true", "False", ""][..], FieldKind::Flag),
            (&["1", "-20", "", "0"], FieldKind::Integer),
            (&["1", "2.5", "1e3", ".5"], FieldKind::Real),
            (&["1999-12-31", "2000-02-29"], FieldKind::Date),
            (&["1999-02-29", "1999-02-29"], FieldKind::Category),
            (&["a|b", "c"], FieldKind::Tags),
            (&["a", "b", "a", "b"], FieldKind::Category),
            (&["a", "b", "a"], FieldKind::Text),
            (&["007", "008", "007", "008"], FieldKind::Category),
            (&["nan", "1.0", "inf"], FieldKind::Text),
            (&["", ""], FieldKind::Text),
            (&["9223372036854775808", "1"], FieldKind::Real),
        ] {
            assert_eq!(kind(&strings(values), true), expected, "{values:?}");
        }
    }

    #[test]
    fn long_strings_are_text_however_often_they_repeat() {
        let long = "x".repeat(65);
        assert_eq!(kind(&strings(&[&long, &long]), false), FieldKind::Text);
        assert_eq!(kind(&strings(&[&long[1..], &long[1..]]), false), FieldKind::Category);
    }

    #[test]
    fn json_values_keep_their_kind_and_do_not_mix() {
        let field = |cells: Vec<Cell>| RawField {
            name: "x".into(),
            cells: cells.into_iter().map(Some).collect(),
        };
        let number = field(vec![Cell::Integer(1), Cell::Real(0.5)]);
        assert_eq!(kind(&number, false), FieldKind::Real);
        assert_eq!(kind(&strings(&["1", "2", "3"]), false), FieldKind::Text);
        let mixed = field(vec![Cell::Integer(1), Cell::String("two".into())]);
        let error = infer("items.jsonl", &[1, 3], &mixed, false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "items.jsonl:3: x: expected a number, as on line 1 (or name a kind for this field in \
             --schema), found the string \"two\""
        );
    }

    #[test]
    fn a_near_miss_is_told() {
        let mut values = vec!["7"; 19];
        values.push("N/A");
        let lines: Vec<u64> = (2..22).collect();
        let inferred = infer("items.csv", &lines, &strings(&values), true).unwrap();
        assert_eq!(inferred.kind, FieldKind::Category);
        assert!(inferred.note.unwrap().contains("line 21 has \"N/A\""));
    }

    #[test]
    fn a_declared_kind_is_kept_to() {
        let field = strings(&["7", "x"]);
        let error = convert("items.csv", &[2, 3], &field, FieldKind::Integer, true).unwrap_err();
        assert_eq!(
            error.to_string(),
            "items.csv:3: x: expected a whole number, found the string \"x\""
        );
        let tags = convert("items.csv", &[2, 3], &field, FieldKind::Tags, true).unwrap();
        let one = |tag: &str| Some(vec![tag.to_owned()]);
        assert_eq!(tags, ColumnValues::Tags(vec![one("7"), one("x")]));
    }
}
