//! Typed columns to packed arrays.

use std::collections::{BTreeMap, BTreeSet};

use super::{ColumnValues, Table, position};
use crate::error::{Error, Result};
use crate::format::{Columns, FIELD_NONE, Field, FieldKind, Texts};

pub(super) struct Packed {
    pub(super) columns: Columns,
    pub(super) texts: Texts,
}

/// Packs every column of the table.
pub(super) fn columns(table: &Table) -> Result<Packed> {
    let mut columns = Columns { fields: Vec::new(), names: Vec::new(), data: Vec::new() };
    let mut texts = Texts { data: Vec::new() };
    for column in &table.columns {
        let mut field = pack(&column.name, &column.values, &mut columns.data, &mut texts.data)?;
        field.name_start = position(columns.names.len(), "columns")?;
        field.name_len = column.name.len() as u32;
        columns.names.extend_from_slice(column.name.as_bytes());
        columns.fields.push(field);
    }
    position(columns.data.len(), "columns")?;
    position(texts.data.len(), "texts")?;
    Ok(Packed { columns, texts })
}

/// A field without arrays.
fn empty(kind: FieldKind) -> Field {
    Field {
        base: 0,
        top: 0,
        kind: kind as u32,
        name_start: 0,
        name_len: 0,
        width: 0,
        digits: FIELD_NONE,
        n_null: 0,
        present_start: FIELD_NONE,
        values_start: 0,
        values_len: 0,
        starts_start: FIELD_NONE,
        n_distinct: 0,
        dictionary_start: 0,
        dictionary_bytes: 0,
    }
}

fn pack(
    name: &str,
    values: &ColumnValues,
    data: &mut Vec<u8>,
    texts: &mut Vec<u8>,
) -> Result<Field> {
    match values {
        ColumnValues::Flag(v) => {
            let mut field = empty(FieldKind::Flag);
            put_present(&mut field, v, data)?;
            field.values_start = position(data.len(), "columns")?;
            field.values_len = v.len() as u32;
            put_bits(v.iter().map(|x| *x == Some(true)), data);
            Ok(field)
        }
        ColumnValues::Category(v) => {
            let mut field = empty(FieldKind::Category);
            put_present(&mut field, v, data)?;
            let codes = put_dictionary(&mut field, v.iter().flatten(), data)?;
            let code = |x: &Option<String>| x.as_ref().map_or(0, |x| codes[x.as_str()]);
            put_numbers(&mut field, v.iter().map(code), data)?;
            Ok(field)
        }
        ColumnValues::Integer(v) => whole(FieldKind::Integer, v, data),
        ColumnValues::Date(v) => whole(FieldKind::Date, v, data),
        ColumnValues::Real(v) => {
            if let Some(x) = v.iter().flatten().find(|x| !x.is_finite()) {
                return Err(Error::input(format!("column {name:?}"), "finite numbers", x));
            }
            match scaled(v) {
                Some((digits, mantissas)) => {
                    let mut field = whole(FieldKind::Real, &mantissas, data)?;
                    field.digits = digits;
                    Ok(field)
                }
                None => {
                    let mut field = empty(FieldKind::Real);
                    put_present(&mut field, v, data)?;
                    field.width = 8;
                    field.values_start = position(data.len(), "columns")?;
                    field.values_len = v.len() as u32;
                    data.extend(v.iter().flat_map(|x| x.unwrap_or(0.0).to_bits().to_le_bytes()));
                    Ok(field)
                }
            }
        }
        ColumnValues::Tags(v) => {
            let mut field = empty(FieldKind::Tags);
            put_present(&mut field, v, data)?;
            let codes = put_dictionary(&mut field, v.iter().flatten().flatten(), data)?;
            let sets: Vec<BTreeSet<u64>> = v
                .iter()
                .map(|tags| tags.iter().flatten().map(|t| codes[t.as_str()]).collect())
                .collect();
            put_starts(&mut field, sets.iter().map(BTreeSet::len), data)?;
            put_numbers(&mut field, sets.iter().flatten().copied(), data)?;
            Ok(field)
        }
        ColumnValues::Text(v) => {
            let mut field = empty(FieldKind::Text);
            put_present(&mut field, v, data)?;
            let lengths = v.iter().map(|x| x.as_ref().map_or(0, String::len));
            put_starts(&mut field, lengths, texts)?;
            field.values_start = position(texts.len(), "texts")?;
            texts.extend(v.iter().flatten().flat_map(|x| x.as_bytes()));
            field.values_len = position(texts.len(), "texts")? - field.values_start;
            Ok(field)
        }
    }
}

fn put_bits(bits: impl ExactSizeIterator<Item = bool>, data: &mut Vec<u8>) {
    let start = data.len();
    data.resize(start + bits.len().div_ceil(8), 0);
    for (i, bit) in bits.enumerate() {
        data[start + i / 8] |= u8::from(bit) << (i % 8);
    }
}

/// The bitmap of present values, where any is missing.
fn put_present<T>(field: &mut Field, values: &[Option<T>], data: &mut Vec<u8>) -> Result<()> {
    field.n_null = values.iter().filter(|x| x.is_none()).count() as u32;
    if field.n_null > 0 {
        field.present_start = position(data.len(), "columns")?;
        put_bits(values.iter().map(Option::is_some), data);
    }
    Ok(())
}

/// The different strings in byte order; returns the code of each.
fn put_dictionary<'a>(
    field: &mut Field,
    strings: impl Iterator<Item = &'a String>,
    data: &mut Vec<u8>,
) -> Result<BTreeMap<&'a str, u64>> {
    let mut codes: BTreeMap<&str, u64> = strings.map(|s| (s.as_str(), 0)).collect();
    field.n_distinct = codes.len() as u32;
    field.dictionary_start = position(data.len(), "columns")?;
    let mut at = 0u64;
    data.extend(0u32.to_le_bytes());
    for (code, (string, entry)) in codes.iter_mut().enumerate() {
        *entry = code as u64;
        at += string.len() as u64;
        data.extend(position(at as usize, "columns")?.to_le_bytes());
    }
    field.dictionary_bytes = at as u32;
    data.extend(codes.keys().flat_map(|s| s.as_bytes()));
    Ok(codes)
}

/// `n + 1` starts of runs with these lengths.
fn put_starts(
    field: &mut Field,
    lengths: impl Iterator<Item = usize>,
    data: &mut Vec<u8>,
) -> Result<()> {
    field.starts_start = position(data.len(), "columns")?;
    let mut at = 0;
    data.extend(0u32.to_le_bytes());
    for length in lengths {
        at += length;
        data.extend(position(at, "columns")?.to_le_bytes());
    }
    Ok(())
}

/// Numbers in the least of 1, 2, 4 or 8 bytes that holds the largest (4 at most for codes, which
/// are below 2^32 by their number).
fn put_numbers(
    field: &mut Field,
    numbers: impl Iterator<Item = u64> + Clone,
    data: &mut Vec<u8>,
) -> Result<()> {
    let largest = numbers.clone().max().unwrap_or(0);
    let width = match largest {
        0..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x1_0000_0000 => 4,
        _ => 8,
    };
    field.width = width as u32;
    field.values_start = position(data.len(), "columns")?;
    let mut n = 0;
    for number in numbers {
        data.extend(&number.to_le_bytes()[..width]);
        n += 1;
    }
    field.values_len = position(n, "columns")?;
    Ok(())
}

/// Whole numbers as differences to the smallest.
fn whole(kind: FieldKind, values: &[Option<i64>], data: &mut Vec<u8>) -> Result<Field> {
    let mut field = empty(kind);
    put_present(&mut field, values, data)?;
    let base = values.iter().flatten().copied().min().unwrap_or(0);
    field.base = base;
    field.top = values.iter().flatten().copied().max().unwrap_or(0);
    // The difference of two i64 fits u64; wrapping arithmetic gives exactly it.
    let difference = |x: &Option<i64>| x.map_or(0, |x| x.wrapping_sub(base) as u64);
    put_numbers(&mut field, values.iter().map(difference), data)?;
    Ok(field)
}

/// Reals as whole numbers over a power of ten, where that gives each back bit for bit and takes
/// no more than 4 bytes: 7.4 is 74 over 10.
fn scaled(values: &[Option<f64>]) -> Option<(u32, Vec<Option<i64>>)> {
    let mut ten = 1.0;
    for digits in 0..=9 {
        let mantissa = |x: f64| {
            let m = (x * ten).round();
            // -0.0 has no mantissa of its own: 0 would lose its sign.
            (m.abs() < 9e15 && m / ten == x && (m != 0.0 || x.is_sign_positive()))
                .then_some(m as i64)
        };
        let all: Option<Vec<Option<i64>>> =
            values.iter().map(|x| x.map_or(Some(None), |x| mantissa(x).map(Some))).collect();
        if let Some(all) = all {
            let low = all.iter().flatten().min().copied().unwrap_or(0);
            let high = all.iter().flatten().max().copied().unwrap_or(0);
            return (high - low <= i64::from(u32::MAX)).then_some((digits, all));
        }
        ten *= 10.0;
    }
    None
}
