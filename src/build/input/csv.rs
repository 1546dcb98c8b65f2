//! CSV and TSV, with a first line of names.

use super::rows::{Cell, Rows, RowsBuilder};
use super::source::Source;
use super::{expected_name, shown};
use crate::error::{Error, Result};

pub(super) fn read(mut source: Source<'_>, delimiter: u8, id_field: &str) -> Result<Rows> {
    let file = source.file.clone();
    let mut rows = RowsBuilder::new(&file, true);
    let input = std::mem::replace(&mut source.reader, Box::new(std::io::empty()));
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .from_reader(input);
    let mut record = ::csv::StringRecord::new();
    // For each column its field; `None` is the id.
    let mut columns: Option<Vec<Option<usize>>> = None;
    let mut n_read = 0u64;
    loop {
        let more = reader.read_record(&mut record).map_err(|e| wrong(&source, e))?;
        if !more {
            break;
        }
        let line = record.position().map_or(0, ::csv::Position::line);
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
        if n_read % 1024 == 0 {
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
        let expected = expected_name(&format!("a column {id_field:?} (--id names it)"), id_field, &names);
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

/// An error of the CSV reader in our words.
fn wrong(source: &Source<'_>, error: ::csv::Error) -> Error {
    let line = error.position().map_or(1, ::csv::Position::line);
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
