//! What the catalog holds, as JavaScript's values.

use js_sys::{Array, Object};
use wasm_bindgen::JsValue;

use super::error::set;
use super::text::texts;
use crate::catalog::Value;
use crate::error::{Error, Result};
use crate::format::{FieldKind, Fold};
use crate::ids::Ordinal;
use crate::slate::{Recommender, Request};

fn value(value: &Value<'_>) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Flag(x) => JsValue::from_bool(*x),
        Value::Integer(x) => JsValue::from_f64(*x as f64),
        Value::Real(x) => JsValue::from_f64(*x),
        Value::Tags(tags) => texts(tags).into(),
        Value::Category(text) | Value::Text(text) => JsValue::from_str(text),
        Value::Date(days) => JsValue::from_str(&crate::date::format_days(*days)),
    }
}

/// One object an item; an item without a value has `null`.
pub(super) fn cards(
    recommender: &Recommender,
    ordinals: &[u32],
    fields: &[String],
) -> Result<Array> {
    let catalog = recommender.catalog();
    let cards = Array::new();
    for ordinal in ordinals {
        // An ordinal outside the archive is refused with the archive's size.
        recommender.index().id(Ordinal(*ordinal))?;
        let members = Array::new();
        for field in fields {
            let column = catalog.column(field)?;
            let value = value(&column.value(Ordinal(*ordinal))?);
            members.push(&Array::of2(&column.name().into(), &value));
        }
        // Defines own properties whatever their name, `__proto__` included.
        let card = Object::from_entries(&members)
            .map_err(|_| Error::corrupt("columns", "cards are made of names and values"))?;
        cards.push(&card);
    }
    Ok(cards)
}

/// Values with their counts.
pub(super) fn facets(
    recommender: &mut Recommender,
    field: &str,
    limit: usize,
    request: &Request,
) -> Result<Array> {
    let items = recommender.select(&request.limits())?;
    let counts = Array::new();
    for (value, count) in recommender.catalog().facets(field, &items, limit)? {
        let entry = Object::new();
        set(&entry, "value", value);
        set(&entry, "count", count as f64);
        counts.push(&entry);
    }
    Ok(counts)
}

/// What the archive holds.
pub(super) fn info(recommender: &Recommender) -> Result<Object> {
    let index = recommender.index();
    let info = Object::new();
    set(&info, "n_items", index.len() as f64);
    set(&info, "dim", index.dim() as f64);
    set(&info, "metric", index.metric().as_str());
    set(&info, "code_bits", index.code_bits());
    set(&info, "n_lists", index.lists().len() as f64);
    set(&info, "format_version", index.format_version());
    set(&info, "total_bytes", index.total_bytes() as f64);
    set(&info, "foldin", index.fold().as_str());
    set(&info, "foldin_exact", index.fold() != Fold::Ridge);
    let sections = Array::new();
    for (name, bytes) in index.sections() {
        let section = Object::new();
        set(&section, "name", name);
        set(&section, "bytes", bytes as f64);
        sections.push(&section);
    }
    set(&info, "sections", sections);
    let columns = Array::new();
    for column in recommender.catalog().columns() {
        let entry = Object::new();
        set(&entry, "name", column.name());
        set(&entry, "kind", column.kind().as_str());
        set(&entry, "n_null", column.n_null() as f64);
        if matches!(column.kind(), FieldKind::Category | FieldKind::Tags) {
            set(&entry, "n_distinct", column.n_distinct() as f64);
        }
        if let Some((min, max)) = column.range() {
            set(&entry, "min", value(&min));
            set(&entry, "max", value(&max));
        }
        columns.push(&entry);
    }
    set(&info, "columns", columns);
    Ok(info)
}
