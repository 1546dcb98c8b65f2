//! Reading catalogs: item tables from JSON lines or CSV, vectors from `.npy`.
//!
//! A catalog is made by other people's programs, and its mistakes are found by whoever runs the
//! builder. So the readers accept nothing silently: what is wrong is an error that names file,
//! line and field and says what to do, and what a policy lets pass ([`Duplicates`],
//! [`BadVectors`]) is counted and comes back with the result.
//!
//! Tables are read as a stream, one line at a time; what is kept is their values, never their
//! text. Kinds of columns are decided when all lines are there ([`infer`](self#kinds)).
//!
//! # Kinds
//! What a column's present values are decides its kind, unless a [`Schema`] names it:
//!
//! | values | kind |
//! |---|---|
//! | all `true` or `false` | flag |
//! | all whole numbers | integer |
//! | all numbers | real |
//! | all dates, `YYYY-MM-DD` | date |
//! | all arrays of strings (CSV: any value has a `\|`) | tags |
//! | strings, each value twice on average, at most 65,536 different, none over 64 bytes | category |
//! | other strings, and the title | text |
//!
//! In CSV every value is text first: an empty one is absent, and numbers have to look like
//! numbers (`007` does not: it is somebody's code). In JSON lines a column that mixes kinds is an
//! error, since one of the two is a mistake; a schema settles which.

pub(super) mod csv;
mod infer;
mod jsonl;
mod npy;
mod rows;
mod schema;
pub(super) mod source;

use std::collections::HashMap;
use std::path::Path;

pub use npy::{BadVectors, Vectors, read_vectors};
pub use schema::Schema;

use self::rows::Rows;
use self::source::{Encoding, Source};
use super::{ColumnValues, NamedColumn, Table};
use crate::edit_distance::edit_distance;
use crate::error::{Error, Result};
use crate::format::FieldKind;

/// What to do with an id that comes again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Refuse the catalog, naming both lines.
    #[default]
    Error,
    /// Keep the first line, count the others.
    First,
    /// Keep the last line, count the others.
    Last,
}

/// How items are read.
#[derive(Clone, Debug)]
pub struct ItemOptions {
    /// The field that holds the id.
    pub id_field: String,
    /// The field that holds the title: it is text, however often its values repeat. `None` means
    /// the field `title`, where there is one.
    pub title_field: Option<String>,
    /// Kinds that are not to be inferred.
    pub schema: Option<Schema>,
    /// What to do with an id that comes again.
    pub duplicates: Duplicates,
}

impl Default for ItemOptions {
    fn default() -> Self {
        Self {
            id_field: "id".into(),
            title_field: None,
            schema: None,
            duplicates: Duplicates::Error,
        }
    }
}

/// A catalog's items, and how they were found.
#[derive(Clone, Debug, Default)]
pub struct Items {
    /// Ids and typed columns.
    pub table: Table,
    /// The column that holds the title, where there is one.
    pub title: Option<String>,
    /// Things worth telling: columns whose kind may not be the one that was meant.
    pub notes: Vec<String>,
    /// Lines that were left out because their id comes again.
    pub n_duplicates: usize,
    /// The file, as errors name it.
    file: String,
    /// Number of item lines in the file.
    n_rows: usize,
    /// For each item of the table its row among the item lines, ascending.
    rows: Vec<usize>,
    /// For each item of the table its line in the file, from 1.
    lines: Vec<u64>,
}

/// Reads items from `.jsonl` (or `.ndjson`), `.csv` or `.tsv`, plain or gzipped (`.gz`).
///
/// `progress` is called now and then with the number of bytes of the file read so far. Blank
/// lines of JSON lines are no items. Whole-number ids become their decimal strings.
///
/// ```
/// use nearfield::build::input::{ItemOptions, read_items};
///
/// let path = std::path::Path::new("tests/fixtures/small.jsonl");
/// let items = read_items(path, &ItemOptions::default(), &mut |_| {})?;
/// assert_eq!(items.table.ids.len(), 300);
/// # Ok::<(), nearfield::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`] where the file cannot be read; [`Error::Input`] naming file, line and field for
/// everything that is wrong in it.
pub fn read_items(
    path: &Path,
    options: &ItemOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<Items> {
    let mut source = Source::open(path, progress)?;
    let rows = match source.encoding {
        Encoding::JsonLines => jsonl::read(&mut source, &options.id_field)?,
        Encoding::Separated(delimiter) => csv::read(source, delimiter, &options.id_field)?,
    };
    finish(rows, options)
}

/// Kinds, schema and duplicates: from what stood in the file to a table.
fn finish(rows: Rows, options: &ItemOptions) -> Result<Items> {
    let names: Vec<&str> = rows.fields.iter().map(|f| f.name.as_str()).collect();
    if let Some(schema) = &options.schema {
        schema.check_names(&names)?;
    }
    if let Some(title) = &options.title_field
        && !rows.lines.is_empty()
        && !names.contains(&title.as_str())
    {
        let expected = expected_name("a field of the items", title, &names);
        return Err(Error::input(format!("{}: title", rows.file), expected, format!("{title:?}")));
    }
    let title = options.title_field.clone().or_else(|| {
        let default = "title";
        names.contains(&default).then(|| default.to_owned())
    });
    let kept = rows.keep(options.duplicates)?;
    let n_rows = rows.lines.len();
    let Rows { file, is_untyped, lines, ids, fields } = rows;
    let mut notes = Vec::new();
    let mut columns = Vec::new();
    for field in fields {
        let kind = match options.schema.as_ref().and_then(|s| s.kind(&field.name)) {
            Some(schema::Declared::Skip) => continue,
            Some(schema::Declared::Kind(kind)) => kind,
            None if title.as_ref() == Some(&field.name) => FieldKind::Text,
            None => {
                let inferred = infer::infer(&file, &lines, &field, is_untyped)?;
                notes.extend(inferred.note);
                inferred.kind
            }
        };
        let values = infer::convert(&file, &lines, &field, kind, is_untyped)?;
        columns.push(NamedColumn { name: field.name, values });
    }
    let title = title.filter(|t| columns.iter().any(|c| c.name == *t));
    let mut items = Items {
        table: Table { ids, columns },
        title,
        notes,
        n_duplicates: n_rows - kept.len(),
        file,
        n_rows,
        rows: (0..n_rows).collect(),
        lines,
    };
    if items.n_duplicates > 0 {
        items.retain_positions(&kept);
    }
    Ok(items)
}

impl Items {
    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.ids.len()
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.ids.is_empty()
    }

    /// Where the item at this position of the table comes from, for messages: file and line.
    #[must_use]
    pub fn place(&self, position: usize) -> String {
        match self.lines.get(position) {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }

    /// Leaves out the items at these positions of the table, ascending.
    pub fn remove(&mut self, positions: &[usize]) {
        if positions.is_empty() {
            return;
        }
        let mut removed = positions.iter().copied().peekable();
        let kept: Vec<usize> =
            (0..self.len()).filter(|i| removed.next_if(|r| r == i).is_none()).collect();
        self.retain_positions(&kept);
    }

    fn retain_positions(&mut self, kept: &[usize]) {
        pick(&mut self.table.ids, kept);
        pick(&mut self.rows, kept);
        pick(&mut self.lines, kept);
        for column in &mut self.table.columns {
            match &mut column.values {
                ColumnValues::Flag(v) => pick(v, kept),
                ColumnValues::Category(v) | ColumnValues::Text(v) => pick(v, kept),
                ColumnValues::Integer(v) | ColumnValues::Date(v) => pick(v, kept),
                ColumnValues::Real(v) => pick(v, kept),
                ColumnValues::Tags(v) => pick(v, kept),
            }
        }
    }
}

/// Keeps the elements at these ascending positions.
fn pick<T: Default>(values: &mut Vec<T>, kept: &[usize]) {
    *values = kept.iter().map(|i| std::mem::take(&mut values[*i])).collect();
}

/// One column as a report shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: FieldKind,
    /// Number of items without a value.
    pub n_null: usize,
    /// Number of different values; of different tags in a tag set.
    pub n_distinct: usize,
}

/// What the columns of a table hold.
#[must_use]
pub fn summarise(table: &Table) -> Vec<ColumnSummary> {
    fn count<T, K: std::hash::Hash + Eq>(
        values: &[Option<T>],
        key: impl Fn(&T) -> K,
    ) -> (usize, usize) {
        let distinct: std::collections::HashSet<K> = values.iter().flatten().map(key).collect();
        (values.iter().filter(|v| v.is_none()).count(), distinct.len())
    }
    let summary = |column: &NamedColumn| {
        let (kind, (n_null, n_distinct)) = match &column.values {
            ColumnValues::Flag(v) => (FieldKind::Flag, count(v, |x| *x)),
            ColumnValues::Category(v) => (FieldKind::Category, count(v, Clone::clone)),
            ColumnValues::Integer(v) => (FieldKind::Integer, count(v, |x| *x)),
            ColumnValues::Real(v) => (FieldKind::Real, count(v, |x| x.to_bits())),
            ColumnValues::Date(v) => (FieldKind::Date, count(v, |x| *x)),
            ColumnValues::Text(v) => (FieldKind::Text, count(v, Clone::clone)),
            ColumnValues::Tags(v) => {
                let tags: HashMap<&String, ()> =
                    v.iter().flatten().flatten().map(|t| (t, ())).collect();
                (FieldKind::Tags, (v.iter().filter(|x| x.is_none()).count(), tags.len()))
            }
        };
        ColumnSummary { name: column.name.clone(), kind, n_null, n_distinct }
    };
    table.columns.iter().map(summary).collect()
}

/// What an unknown name should have been: the nearest of the known ones, or the list of all.
pub(super) fn expected_name(what: &str, name: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|k| (edit_distance(name, k) as usize, *k))
        .filter(|(distance, nearest)| *distance <= nearest.chars().count() / 2)
        .min();
    match nearest {
        Some((_, nearest)) => format!("{what} (did you mean {nearest:?}?)"),
        None => format!("{what}, one of: {}", known.join(", ")),
    }
}

/// A value as an error shows it: quoted, and cut where it is long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
