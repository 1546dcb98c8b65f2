//! JSON lines: one object a line.
//!
//! Values go from the text straight into typed cells. A tree of JSON values in between would
//! forget the order of the keys, which is the order of the columns, and keys that repeat.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead as _, Read as _};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::rows::{Cell, Rows, RowsBuilder};
use super::shown;
use super::source::Source;
use crate::error::{Error, Result};

/// Longest line. A catalog in one line (a JSON array, most often) fails here, not in memory.
const MAX_LINE_BYTES: u64 = 1 << 24;

pub(super) fn read(source: &mut Source<'_>, id_field: &str) -> Result<Rows> {
    let mut rows = RowsBuilder::new(&source.file, false);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let n = (&mut source.reader)
            .take(MAX_LINE_BYTES + 1)
            .read_until(b'\n', &mut line)
            .map_err(|e| source.failed(number, e))?;
        if n == 0 {
            break;
        }
        let place = || format!("{}:{number}", source.file);
        if n as u64 > MAX_LINE_BYTES {
            let expected = format!("one JSON object a line, at most {MAX_LINE_BYTES} bytes");
            return Err(Error::input(place(), expected, "a longer line"));
        }
        let text = std::str::from_utf8(&line).map_err(|e| {
            let found = format!("another byte at column {}", e.valid_up_to() + 1);
            Error::input(place(), "UTF-8 text", found)
        })?;
        let text = text.trim_ascii();
        if text.is_empty() {
            continue;
        }
        if text.starts_with('[') {
            let expected = "one JSON object a line, without an array around them";
            return Err(Error::input(place(), expected, shown(text)));
        }
        read_line(&mut rows, text, number, id_field)?;
        if u64::is_multiple_of(number, 1024) {
            source.report_progress();
        }
    }
    Ok(rows.finish())
}

fn read_line(rows: &mut RowsBuilder, text: &str, line: u64, id_field: &str) -> Result<()> {
    let mut seed = Line { rows, line, id_field, id: None, wrong: None };
    let mut json = serde_json::Deserializer::from_str(text);
    let result = seed.visit(&mut json).and_then(|()| json.end());
    let (id, wrong) = (seed.id, seed.wrong);
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    if let Err(error) = result {
        // The position is in the message: "... at line 1 column 17".
        let message = error.to_string().replace(" at line 1 column ", " at column ");
        let place = rows.place(line, "the line");
        return Err(Error::input(place, "one JSON object", message));
    }
    rows.end_row(line, id_field, id)
}

/// One line being read. Errors of ours (as opposed to syntax errors) wait in `wrong`, since
/// serde's own carry text only.
struct Line<'a> {
    rows: &'a mut RowsBuilder,
    line: u64,
    id_field: &'a str,
    id: Option<String>,
    wrong: Option<Error>,
}

impl Line<'_> {
    fn visit<'de, D: Deserializer<'de>>(&mut self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }

    /// Takes one member of the object.
    fn member(&mut self, name: &str, value: Raw) -> Result<()> {
        let place = || self.rows.place(self.line, name);
        if name == self.id_field {
            let id = match value {
                Raw::Cell(Cell::String(id)) => id,
                Raw::Cell(Cell::Integer(id)) => id.to_string(),
                Raw::Unsigned(id) => id.to_string(),
                Raw::Null => return Ok(()),
                other => {
                    return Err(Error::input(
                        place(),
                        "a string or a whole number",
                        other.describe(),
                    ));
                }
            };
            if self.id.replace(id).is_some() {
                return Err(Error::input(place(), "each name once", "it a second time"));
            }
            return Ok(());
        }
        let cell = match value {
            Raw::Null => None,
            Raw::Cell(cell) => Some(cell),
            other => {
                let expected = match other {
                    Raw::Unsigned(_) => "a whole number below 2^63 (or a string)",
                    _ => "a string, a number, true, false, null or an array of strings",
                };
                return Err(Error::input(place(), expected, other.describe()));
            }
        };
        let field = self.rows.field(self.line, name)?;
        if !self.rows.set(field, cell) {
            let place = self.rows.place(self.line, name);
            return Err(Error::input(place, "each name once", "it a second time"));
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for &mut Line<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let value = map.next_value_seed(RawSeed)?;
            if self.wrong.is_none()
                && let Err(wrong) = self.member(&name, value)
            {
                self.wrong = Some(wrong);
            }
        }
        Ok(())
    }
}

/// A JSON value, as far as it matters here.
enum Raw {
    Null,
    Cell(Cell),
    /// A whole number of 2^63 or more.
    Unsigned(u64),
    /// Something no column can hold.
    Wrong(&'static str),
}

impl Raw {
    fn describe(&self) -> String {
        match self {
            Self::Null => "null".into(),
            Self::Cell(cell) => cell.describe(),
            Self::Unsigned(x) => x.to_string(),
            Self::Wrong(what) => (*what).into(),
        }
    }
}

struct RawSeed;

impl<'de> DeserializeSeed<'de> for RawSeed {
    type Value = Raw;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Raw, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RawSeed {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, x: bool) -> Result<Raw, E> {
        Ok(Raw::Cell(Cell::Flag(x)))
    }

    fn visit_i64<E>(self, x: i64) -> Result<Raw, E> {
        Ok(Raw::Cell(Cell::Integer(x)))
    }

    fn visit_u64<E>(self, x: u64) -> Result<Raw, E> {
        Ok(i64::try_from(x).map_or(Raw::Unsigned(x), |x| Raw::Cell(Cell::Integer(x))))
    }

    fn visit_f64<E>(self, x: f64) -> Result<Raw, E> {
        Ok(Raw::Cell(Cell::Real(x)))
    }

    fn visit_str<E>(self, x: &str) -> Result<Raw, E> {
        Ok(Raw::Cell(Cell::String(x.to_owned())))
    }

    fn visit_string<E>(self, x: String) -> Result<Raw, E> {
        Ok(Raw::Cell(Cell::String(x)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut tags = Vec::new();
        let mut wrong = None;
        while let Some(value) = seq.next_element_seed(RawSeed)? {
            match value {
                Raw::Cell(Cell::String(tag)) => tags.push(tag),
                _ => wrong = Some("an array of something else than strings"),
            }
        }
        Ok(wrong.map_or(Raw::Cell(Cell::Tags(tags)), Raw::Wrong))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Raw::Wrong("an object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[&str]) -> Result<Rows> {
        let mut rows = RowsBuilder::new("items.jsonl", false);
        for (line, text) in (1..).zip(lines) {
            read_line(&mut rows, text, line, "id")?;
        }
        Ok(rows.finish())
    }

    #[test]
    fn cells_are_typed_and_columns_keep_their_order() {
        let rows = rows(&[
            r#"{"id": "a", "z": 1, "a": [], "f": true}"#,
            r#"{"late": "x\u00e9", "id": 7, "z": 1.5, "a": ["p", "q"], "f": null}"#,
        ])
        .unwrap();
        assert_eq!(rows.ids, ["a", "7"]);
        let names: Vec<&str> = rows.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["z", "a", "f", "late"]);
        assert_eq!(rows.fields[0].cells, [Some(Cell::Integer(1)), Some(Cell::Real(1.5))]);
        assert_eq!(rows.fields[1].cells[1], Some(Cell::Tags(vec!["p".into(), "q".into()])));
        assert_eq!(rows.fields[2].cells, [Some(Cell::Flag(true)), None]);
        assert_eq!(rows.fields[3].cells, [None, Some(Cell::String("xé".into()))]);
    }

    #[test]
    fn errors_name_line_and_field() {
        for (line, message) in [
            (
                r#"{"id": "b", "x": {"y": 1}}"#,
                "items.jsonl:2: x: expected a string, a number, true, false, null or an array of strings, found an object",
            ),
            (
                r#"{"id": "b", "x": [1]}"#,
                "items.jsonl:2: x: expected a string, a number, true, false, null or an array of strings, found an array of something else than strings",
            ),
            (
                r#"{"id": "b", "x": 18446744073709551615}"#,
                "items.jsonl:2: x: expected a whole number below 2^63 (or a string), found 18446744073709551615",
            ),
            (
                r#"{"id": "b", "x": 1, "x": 2}"#,
                "items.jsonl:2: x: expected each name once, found it a second time",
            ),
            (
                r#"{"id": 1.5}"#,
                "items.jsonl:2: id: expected a string or a whole number, found 1.5",
            ),
            (
                r#"{"x": 1}"#,
                "items.jsonl:2: id: expected an id of 1 to 1024 bytes (--id names its field), found no id",
            ),
            (
                r#"{"id": ""}"#,
                "items.jsonl:2: id: expected an id of 1 to 1024 bytes (--id names its field), found an empty string",
            ),
            (
                r#"{"id": "b""#,
                "items.jsonl:2: the line: expected one JSON object, found EOF while parsing an object at column 10",
            ),
            (
                r#"{"id": "b"} 7"#,
                "items.jsonl:2: the line: expected one JSON object, found trailing characters at column 13",
            ),
        ] {
            let error = rows(&[r#"{"id": "a"}"#, line]).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
