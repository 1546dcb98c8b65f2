//! What stands in a catalog's file, line by line, before kinds are known.

use std::collections::HashMap;

use super::{Duplicates, shown};
use crate::error::{Error, Result};

/// Most fields of one catalog. A file with more has data in the place of names, as JSON objects
/// keyed by user or date do.
const MAX_FIELDS: usize = 1000;
/// Longest id, in bytes: what archives and profiles hold.
const MAX_ID_BYTES: usize = 1024;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Flag(bool),
    Integer(i64),
    Real(f64),
    String(String),
    Tags(Vec<String>),
}

impl Cell {
    /// What it is, as errors say it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Flag(x) => x.to_string(),
            Self::Integer(x) => x.to_string(),
            Self::Real(x) => x.to_string(),
            Self::String(x) => format!("the string {}", shown(x)),
            Self::Tags(tags) => format!("an array of {} strings", tags.len()),
        }
    }
}

/// One field of all items so far.
#[derive(Debug)]
pub(super) struct RawField {
    pub(super) name: String,
    /// At most one cell a row; rows at the end may be missing until [`RowsBuilder::finish`].
    pub(super) cells: Vec<Option<Cell>>,
}

/// All items.
#[derive(Debug)]
pub(super) struct Rows {
    /// The file, as errors name it.
    pub(super) file: String,
    /// Whether every cell is a string that may mean something else (CSV).
    pub(super) is_untyped: bool,
    /// The line of each row, from 1.
    pub(super) lines: Vec<u64>,
    pub(super) ids: Vec<String>,
    /// In the order of their first appearance.
    pub(super) fields: Vec<RawField>,
}

/// [`Rows`] in the making.
pub(super) struct RowsBuilder {
    rows: Rows,
    by_name: HashMap<String, usize>,
}

impl RowsBuilder {
    pub(super) fn new(file: &str, is_untyped: bool) -> Self {
        let (lines, ids, fields) = (Vec::new(), Vec::new(), Vec::new());
        let rows = Rows { file: file.to_owned(), is_untyped, lines, ids, fields };
        Self { rows, by_name: HashMap::new() }
    }

    /// Place of a field in an error.
    pub(super) fn place(&self, line: u64, field: &str) -> String {
        format!("{}:{line}: {field}", self.rows.file)
    }

    /// The position of a field, which is made where it is new.
    pub(super) fn field(&mut self, line: u64, name: &str) -> Result<usize> {
        if let Some(at) = self.by_name.get(name) {
            return Ok(*at);
        }
        if name.is_empty() {
            return Err(Error::input(self.place(line, "a field"), "a name", "an empty one"));
        }
        let at = self.rows.fields.len();
        if at == MAX_FIELDS {
            let expected =
                format!("at most {MAX_FIELDS} fields: names are not the place for data");
            return Err(Error::input(self.place(line, &shown(name)), expected, "one more"));
        }
        self.rows.fields.push(RawField { name: name.to_owned(), cells: Vec::new() });
        self.by_name.insert(name.to_owned(), at);
        Ok(at)
    }

    /// Sets a value of the row that the next [`RowsBuilder::end_row`] ends. `Ok(false)` where
    /// the row has one for this field already.
    pub(super) fn set(&mut self, field: usize, cell: Option<Cell>) -> bool {
        let row = self.rows.lines.len();
        let cells = &mut self.rows.fields[field].cells;
        if cells.len() > row {
            return false;
        }
        cells.resize(row, None);
        cells.push(cell);
        true
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self, line: u64, id_field: &str, id: Option<String>) -> Result<()> {
        let wrong = |found: String| {
            let expected = format!("an id of 1 to {MAX_ID_BYTES} bytes (--id names its field)");
            Err(Error::input(self.place(line, id_field), expected, found))
        };
        match id {
            None => wrong("no id".into()),
            Some(id) if id.is_empty() => wrong("an empty string".into()),
            Some(id) if id.len() > MAX_ID_BYTES => wrong(format!("{} bytes", id.len())),
            Some(id) => {
                self.rows.lines.push(line);
                self.rows.ids.push(id);
                Ok(())
            }
        }
    }

    pub(super) fn finish(mut self) -> Rows {
        let n = self.rows.lines.len();
        for field in &mut self.rows.fields {
            field.cells.resize(n, None);
        }
        self.rows
    }
}

impl Rows {
    /// The rows that a policy keeps, ascending.
    pub(super) fn keep(&self, duplicates: Duplicates) -> Result<Vec<usize>> {
        let mut kept: HashMap<&str, usize> = HashMap::with_capacity(self.ids.len());
        for (row, id) in self.ids.iter().enumerate() {
            match (kept.get(id.as_str()), duplicates) {
                (Some(first), Duplicates::Error) => {
                    let place = format!("{}:{}: id", self.file, self.lines[row]);
                    let expected = "an id of its own (or --duplicates first or last)";
                    let found = format!("{}, as on line {}", shown(id), self.lines[*first]);
                    return Err(Error::input(place, expected, found));
                }
                (Some(_), Duplicates::First) => {}
                _ => {
                    kept.insert(id, row);
                }
            }
        }
        let mut rows: Vec<usize> = kept.into_values().collect();
        rows.sort_unstable();
        Ok(rows)
    }
}
