//! Logs in CSV, TSV and `.inter`, with a first line of names.

use std::io::BufRead as _;

use super::super::input::csv::{Lines, wrong};
use super::super::input::expected_name;
use super::super::input::source::Source;
use super::{InteractionOptions, Interactions, Log, Role, USUAL};
use crate::error::{Error, Result};

/// What RecBole writes behind a name: `user_id:token`.
const KINDS: [&str; 4] = ["token", "token_seq", "float", "float_seq"];

pub(super) fn read(
    mut source: Source<'_>,
    mut log: Log,
    delimiter: u8,
    options: &InteractionOptions,
) -> Result<Interactions> {
    let mut input = std::mem::replace(&mut source.reader, Box::new(std::io::empty()));
    let lines = Lines::of(input.fill_buf().map_err(|e| source.failed(1, e))?);
    let mut reader =
        ::csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(input);
    let mut record = ::csv::StringRecord::new();
    let mut columns: Option<[Option<Column>; 4]> = None;
    while reader.read_record(&mut record).map_err(|e| wrong(&source, &lines, e))? {
        let line = lines.line(&record, reader.position().line());
        let Some([user, item, weight, time]) = &columns else {
            columns = Some(header(&log, &record, options)?);
            continue;
        };
        let text = |column: &Option<Column>| match column {
            Some(column) => (column.name.clone(), record.get(column.at).unwrap_or("")),
            None => (String::new(), ""),
        };
        // An absent number is as bad as a wrong one; an absent column is not.
        let number = |column: &Option<Column>| match column {
            Some(_) => {
                let (name, text) = text(column);
                log.number(line, &name, text).map(Some)
            }
            None => Ok(None),
        };
        let (weight, time) = (number(weight)?.unwrap_or(1.0), number(time)?);
        let ((user_field, user), (item_field, item)) = (text(user), text(item));
        log.push(line, [(&user_field, user), (&item_field, item)], weight, time)?;
    }
    let Some([_, _, _, time]) = columns else {
        let place = format!("{}:1", log.file);
        return Err(Error::input(place, "a line of column names", "an empty file"));
    };
    log.finish(time.as_ref().map_or("time", |t| &t.name))
}

/// One of the columns that are read.
struct Column {
    at: usize,
    name: String,
}

fn header(
    log: &Log,
    record: &::csv::StringRecord,
    options: &InteractionOptions,
) -> Result<[Option<Column>; 4]> {
    let names: Vec<&str> = record
        .iter()
        .map(|name| match name.rsplit_once(':') {
            Some((name, kind)) if KINDS.contains(&kind) => name,
            _ => name,
        })
        .collect();
    let mut columns = [None, None, None, None];
    for role in Role::ALL {
        let named = options.named(role);
        let usual = USUAL[role as usize];
        let found = match &named {
            Some(name) => names.iter().position(|n| n == name),
            None => usual.iter().find_map(|name| names.iter().position(|n| n == name)),
        };
        let is_needed = named.is_some() || matches!(role, Role::User | Role::Item);
        columns[role as usize] = match found {
            Some(at) => Some(Column { at, name: names[at].to_owned() }),
            None if !is_needed => None,
            None => {
                let name = named.unwrap_or(usual[0]);
                let expected = expected_name(role.wanted(), name, &names);
                return Err(Error::input(
                    format!("{}:1", log.file),
                    expected,
                    "none of this name",
                ));
            }
        };
    }
    Ok(columns)
}
