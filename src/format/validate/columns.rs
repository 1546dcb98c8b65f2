//! Section *columns*.

use super::ensure;
use crate::error::{Error, Result};
use crate::format::sections::{ArchivedField, FIELD_NONE, Field, FieldKind, SectionKind};

const COLUMNS: SectionKind = SectionKind::Columns;

/// What a section says of one column.
pub(super) fn field(f: &ArchivedField) -> Field {
    Field {
        base: f.base.to_native(),
        top: f.top.to_native(),
        kind: f.kind.to_native(),
        name_start: f.name_start.to_native(),
        name_len: f.name_len.to_native(),
        width: f.width.to_native(),
        digits: f.digits.to_native(),
        n_null: f.n_null.to_native(),
        present_start: f.present_start.to_native(),
        values_start: f.values_start.to_native(),
        values_len: f.values_len.to_native(),
        starts_start: f.starts_start.to_native(),
        n_distinct: f.n_distinct.to_native(),
        dictionary_start: f.dictionary_start.to_native(),
        dictionary_bytes: f.dictionary_bytes.to_native(),
    }
}

/// Every array of a column lies inside its section, and its kind and width make sense together.
/// What lies in section *texts* is checked once that has arrived.
pub(super) fn check_field(
    f: &Field,
    n: usize,
    names: usize,
    data: usize,
    texts: Option<usize>,
) -> Result<()> {
    let inside = |start: u32, bytes: u64, within: usize| {
        ensure(
            u64::from(start) + bytes <= within as u64,
            COLUMNS,
            "a column's arrays lie inside the section",
        )
    };
    let Some(kind) = FieldKind::from_code(f.kind) else {
        return Err(Error::corrupt(COLUMNS.as_str(), "a column's kind is a known one"));
    };
    inside(f.name_start, u64::from(f.name_len), names)?;
    ensure(f.n_null as usize <= n, COLUMNS, "at most n values are null")?;
    if f.present_start != FIELD_NONE {
        inside(f.present_start, n.div_ceil(8) as u64, data)?;
    }
    let widths: &[u32] = match kind {
        FieldKind::Flag | FieldKind::Text => &[0],
        FieldKind::Category | FieldKind::Tags => &[1, 2, 4],
        FieldKind::Integer | FieldKind::Real | FieldKind::Date => &[1, 2, 4, 8],
    };
    ensure(widths.contains(&f.width), COLUMNS, "a value's width fits its kind")?;
    let (values, starts_in) = match kind {
        FieldKind::Flag => (n.div_ceil(8) as u64, data),
        FieldKind::Text => (u64::from(f.values_len), texts.unwrap_or(usize::MAX)),
        FieldKind::Tags => (u64::from(f.values_len) * u64::from(f.width), data),
        _ => {
            ensure(f.values_len as usize == n, COLUMNS, "a column has n values")?;
            (n as u64 * u64::from(f.width), data)
        }
    };
    inside(f.values_start, values, starts_in)?;
    if matches!(kind, FieldKind::Tags | FieldKind::Text) {
        inside(f.starts_start, 4 * (n as u64 + 1), starts_in)?;
    }
    if matches!(kind, FieldKind::Category | FieldKind::Tags) {
        let dictionary = 4 * (u64::from(f.n_distinct) + 1) + u64::from(f.dictionary_bytes);
        inside(f.dictionary_start, dictionary, data)?;
    } else {
        ensure(f.n_distinct == 0, COLUMNS, "only categories and tags have a dictionary")?;
    }
    if kind == FieldKind::Real {
        let scaled = f.digits <= 9;
        let float = f.digits == FIELD_NONE && f.width == 8;
        ensure(scaled || float, COLUMNS, "a real is an f64 or has at most 9 digits")?;
    }
    Ok(())
}
