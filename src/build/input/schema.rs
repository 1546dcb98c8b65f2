//! The schema: kinds that the user names.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::expected_name;
use crate::error::{Error, Result};
use crate::format::FieldKind;

/// Kinds of fields that are not to be inferred.
///
/// As a file: `{"fields": {"year": "integer", "plot": "text", "internal": "skip"}}`, where a kind
/// is `flag`, `category`, `integer`, `real`, `date`, `tags`, `text`, or `skip` for a field that
/// the archive shall not have. Fields it does not name are inferred.
///
/// ```
/// use nearfield::build::input::Schema;
///
/// assert!(Schema::parse("schema.json", r#"{"fields": {"year": "integer"}}"#).is_ok());
/// let error = Schema::parse("schema.json", r#"{"fields": {"year": "integr"}}"#).unwrap_err();
/// assert!(error.to_string().contains(r#"did you mean "integer"?"#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    file: String,
    fields: BTreeMap<String, Declared>,
}

/// What a schema says of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    Kind(FieldKind),
    Skip,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fields: BTreeMap<String, String>,
}

impl Schema {
    /// Reads a schema file.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be read, else as [`Schema::parse`].
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Io { path: file.clone(), source })?;
        Self::parse(&file, &text)
    }

    /// A schema from its text. `file` is the name that errors give it.
    ///
    /// # Errors
    /// [`Error::Input`] for what is no schema, naming the nearest kind for one that is unknown.
    pub fn parse(file: &str, text: &str) -> Result<Self> {
        let parsed: File = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|e| Error::input(file, r#"{"fields": {"NAME": "KIND"}}"#, e))?;
        let mut fields = BTreeMap::new();
        for (name, kind) in parsed.fields {
            fields.insert(name.clone(), declared(file, &name, &kind)?);
        }
        Ok(Self { file: file.to_owned(), fields })
    }

    /// Refuses a schema that names a field which no item has.
    pub(super) fn check_names(&self, names: &[&str]) -> Result<()> {
        match self.fields.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(_) if names.is_empty() => Ok(()),
            Some(unknown) => Err(Error::input(
                format!("{}: fields", self.file),
                expected_name("a field of the items", unknown, names),
                format!("{unknown:?}"),
            )),
        }
    }

    pub(super) fn kind(&self, name: &str) -> Option<Declared> {
        self.fields.get(name).copied()
    }
}

fn declared(file: &str, name: &str, kind: &str) -> Result<Declared> {
    if kind == "skip" {
        return Ok(Declared::Skip);
    }
    if let Some(kind) = FieldKind::ALL.into_iter().find(|k| k.as_str() == kind) {
        return Ok(Declared::Kind(kind));
    }
    let mut known: Vec<&str> = FieldKind::ALL.iter().map(|k| k.as_str()).collect();
    known.push("skip");
    let place = format!("{file}: fields: {name}");
    Err(Error::input(place, expected_name("a kind", kind, &known), format!("{kind:?}")))
}
