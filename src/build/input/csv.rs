//! CSV and TSV, with a first line of names.

use std::io::BufRead as _;

use super::rows::{Cell, Rows, RowsBuilder};
use super::source::Source;
use super::{expected_name, shown};
use crate::error::{Error, Result};

pub(super) fn read(mut source: Source<'_>, delimiter: u8, id_field: &str) -> Result<Rows> {
    let file = source.file.clone();
    let mut rows = RowsBuilder::new(&file, true);
    let mut input = std::mem::replace(&mut source.reader, Box::new(std::io::empty()));
    let lines = Lines::of(input.fill_buf().map_err(|e| source.failed(1, e))?);
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(input);
    let mut record = ::csv::StringRecord::new();
    // For each column its field; `None` is the id.
    let mut columns: Option<Vec<Option<usize>>> = None;
    let mut n_read = 0u64;
    loop {
        let more = reader.read_record(&mut record).map_err(|e| wrong(&source, &lines, e))?;
        if !more {
            break;
        }
        let line = lines.line(&record, reader.position().line());
        let Some(columns) = &columns else {
            columns = Some(header(&mut rows, &record, &file, id_field)?);
            continue;
        };
        let mut id = None;
        for (column, value) in columns.iter().zip(&record) {
            match column {
                None => id = Some(value.to_owned()),
                Some(field) => {
                    let cell = (!value.is_empty()).then(|| Cell::String(value.to_owned()));
                    rows.set(*field, cell);
                }
            }
        }
        rows.end_row(line, id_field, id)?;
        n_read += 1;
        if n_read.is_multiple_of(1024) {
            source.report_progress();
        }
    }
    if columns.is_none() {
        return Err(Error::input(format!("{file}:1"), "a line of column names", "an empty file"));
    }
    Ok(rows.finish())
}

fn header(
    rows: &mut RowsBuilder,
    record: &::csv::StringRecord,
    file: &str,
    id_field: &str,
) -> Result<Vec<Option<usize>>> {
    let names: Vec<&str> = record.iter().collect();
    if !names.contains(&id_field) {
        let expected =
            expected_name(&format!("a column {id_field:?} (--id names it)"), id_field, &names);
        return Err(Error::input(format!("{file}:1"), expected, "none of this name"));
    }
    let mut columns = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        if names[..i].contains(name) {
            return Err(Error::input(rows.place(1, name), "each name once", "it a second time"));
        }
        columns.push(if *name == id_field { None } else { Some(rows.field(1, name)?) });
    }
    Ok(columns)
}

/// The CSV reader counts line feeds, and takes the one of a CR LF, as those of blank lines, for the
/// beginning of the next record. This makes the numbers those that an editor shows.
pub(in crate::build) struct Lines {
    has_cr: bool,
}

impl Lines {
    /// By the first line end of the file.
    pub(in crate::build) fn of(start: &[u8]) -> Self {
        let end = start.iter().position(|b| *b == b'\n').unwrap_or(0);
        Self { has_cr: end > 0 && start[end - 1] == b'\r' }
    }

    /// The line of a record that has been read, given the number at which the next one begins.
    pub(in crate::build) fn line(&self, record: &::csv::StringRecord, next: u64) -> u64 {
        let inside: usize = record.iter().map(|f| f.matches('\n').count()).sum();
        let by_end = next.saturating_sub(inside as u64 + u64::from(!self.has_cr));
        // A last line without line end counts none: there the record's own start is right.
        by_end.max(self.start(record.position()))
    }

    /// The line of a record's start; behind blank lines, the first of these.
    fn start(&self, position: Option<&::csv::Position>) -> u64 {
        let line = position.map_or(1, ::csv::Position::line);
        line + u64::from(self.has_cr && position.is_some_and(|p| p.byte() > 0))
    }
}

/// An error of the CSV reader in our words.
pub(in crate::build) fn wrong(source: &Source<'_>, lines: &Lines, error: ::csv::Error) -> Error {
    let line = lines.start(error.position());
    let place = format!("{}:{line}", source.file);
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => source.failed(line, error),
        ::csv::ErrorKind::Utf8 { err, .. } => {
            Error::input(place, "UTF-8 text", format!("another byte in field {}", err.field() + 1))
        }
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            let expected = format!("{expected_len} fields, as on the first line");
            Error::input(place, expected, format!("{len}"))
        }
        other => Error::input(place, "a CSV record", shown(&format!("{other:?}"))),
    }
}
