//! Logs in JSON lines: one object an interaction.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufRead as _, Read as _};

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::Value;

use super::super::input::shown;
use super::super::input::source::Source;
use super::{InteractionOptions, Interactions, Log, Role, USUAL};
use crate::error::{Error, Result};

/// Longest line. A log in one line (a JSON array, most often) fails here, not in memory.
const MAX_LINE_BYTES: u64 = 1 << 20;

pub(super) fn read(
    mut source: Source<'_>,
    mut log: Log,
    options: &InteractionOptions,
) -> Result<Interactions> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let n = (&mut source.reader)
            .take(MAX_LINE_BYTES + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|e| source.failed(line, e))?;
        if n == 0 {
            break;
        }
        let place = || format!("{}:{line}", source.file);
        if n as u64 > MAX_LINE_BYTES {
            let expected = format!("one JSON object a line, at most {MAX_LINE_BYTES} bytes");
            return Err(Error::input(place(), expected, "a longer line"));
        }
        let text = std::str::from_utf8(&bytes).map_err(|e| {
            let found = format!("another byte at column {}", e.valid_up_to() + 1);
            Error::input(place(), "UTF-8 text", found)
        })?;
        let text = text.trim_ascii();
        if !text.is_empty() {
            let members = members(text).map_err(|error| {
                let found = error.to_string().replace(" at line 1 column ", " at column ");
                Error::input(place(), "one JSON object", found)
            })?;
            take(&mut log, line, &members, options)?;
        }
    }
    log.finish(options.named(Role::Time).unwrap_or("time"))
}

type Members<'a> = Vec<(Cow<'a, str>, Value)>;

/// The members of an object, in their order.
fn members(text: &str) -> serde_json::Result<Members<'_>> {
    struct Object;
    impl<'de> Visitor<'de> for Object {
        type Value = Members<'de>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Object)?;
    json.end()?;
    Ok(members)
}

fn take(
    log: &mut Log,
    line: u64,
    members: &Members<'_>,
    options: &InteractionOptions,
) -> Result<()> {
    let find = |role: Role| -> Result<Option<(String, &Value)>> {
        let named = options.named(role);
        let name = match named {
            Some(name) => Some(name),
            None => USUAL[role as usize]
                .iter()
                .copied()
                .find(|usual| members.iter().any(|(name, _)| name == usual)),
        };
        let mut found = members.iter().filter(|(n, v)| Some(n.as_ref()) == name && !v.is_null());
        let is_needed = named.is_some() || matches!(role, Role::User | Role::Item);
        match (found.next(), found.next()) {
            (_, Some((name, _))) => {
                let place = log.place(line, name);
                Err(Error::input(place, "each name once", "it a second time"))
            }
            (Some((name, value)), None) => Ok(Some((name.to_string(), value))),
            (None, None) if is_needed => {
                let place = log.place(line, name.unwrap_or(USUAL[role as usize][0]));
                Err(Error::input(place, role.wanted(), "nothing"))
            }
            (None, None) => Ok(None),
        }
    };
    let number = |role: Role| match find(role)? {
        Some((_, Value::Number(x))) => Ok(x.as_f64()),
        Some((name, other)) => {
            let found = shown(&other.to_string());
            Err(Error::input(log.place(line, &name), "a finite number", found))
        }
        None => Ok(None),
    };
    let id = |role: Role| match find(role)? {
        Some((name, Value::String(id))) => Ok((name, id.clone())),
        Some((name, Value::Number(id))) if !id.is_f64() => Ok((name, id.to_string())),
        Some((name, other)) => {
            let found = shown(&other.to_string());
            Err(Error::input(log.place(line, &name), "a string or a whole number", found))
        }
        None => Ok((String::new(), String::new())),
    };
    let (weight, time) = (number(Role::Weight)?.unwrap_or(1.0), number(Role::Time)?);
    let ((user_field, user), (item_field, item)) = (id(Role::User)?, id(Role::Item)?);
    log.push(line, [(&user_field, &user), (&item_field, &item)], weight, time)
}
