//! Requests and answers, between JavaScript's values and this crate's types.

use js_sys::{Array, Float32Array, Float64Array, Object, Uint32Array};
use wasm_bindgen::{JsCast as _, JsValue};

use super::JsResult;
use super::error::set;
use super::read::Reader;
use crate::catalog::{Catalog, Value};
use crate::error::{Error, Result};
use crate::format::{FieldKind, Fold};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::slate::{Limits, Recommender, Slate};
use crate::taste::{Entry, FlatEvent, Profile, Selector};

/// What `similar`, `recommend` and `find` are asked for.
pub(super) struct Request {
    pub(super) id: Option<String>,
    pub(super) vector: Option<Vec<f32>>,
    pub(super) explain: usize,
    pub(super) exclude_seen: bool,
    k: usize,
    where_: Option<String>,
    exclude: Vec<String>,
}

impl Request {
    /// Reads a request that may have the members `known`.
    pub(super) fn read(value: &JsValue, known: &[&str]) -> Result<Self> {
        let reader = Reader::new(value, "request", known)?;
        let vector = match reader.value("vector") {
            None => None,
            // Copied at once, not element by element.
            Some(vector) => match vector.dyn_ref::<Float32Array>() {
                Some(vector) => Some(vector.to_vec()),
                None => return reader.mismatch("vector", "a Float32Array", &vector),
            },
        };
        let exclude_seen = match reader.text("seen")?.as_deref() {
            None | Some("exclude") => true,
            Some("include") => false,
            Some(other) => {
                return reader.mismatch("seen", "\"exclude\" or \"include\"", &other.into());
            }
        };
        Ok(Self {
            id: reader.text("id")?,
            vector,
            explain: reader.whole("explain")?.unwrap_or(0) as usize,
            exclude_seen,
            k: reader.whole("k")?.map_or(Limits::default().k, |k| k as usize),
            where_: reader.text("where")?,
            exclude: reader.texts("exclude")?,
        })
    }

    pub(super) fn limits(&self) -> Limits<'_> {
        Limits { k: self.k, where_: self.where_.as_deref(), exclude: &self.exclude }
    }
}

/// Reads one entry of a profile log.
pub(super) fn entry(value: &JsValue) -> Result<Entry> {
    let reader = Reader::new(value, "entry", &["device", "sequence", "at_ms", "event"])?;
    let missing = |key: &'static str| {
        move || Error::arg(format!("entry.{key}"), "a value", "nothing")
    };
    let event = reader.value("event").ok_or_else(missing("event"))?;
    Ok(Entry {
        device: reader.text("device")?.ok_or_else(missing("device"))?,
        sequence: reader.whole("sequence")?.ok_or_else(missing("sequence"))?,
        at_ms: reader.number("at_ms")?.ok_or_else(missing("at_ms"))?,
        event: self::event(&event)?.try_into()?,
    })
}

fn event(value: &JsValue) -> Result<FlatEvent> {
    let members =
        ["type", "item", "kind", "weight", "source", "taste", "selector", "forget_seen"];
    let reader = Reader::new(value, "event", &members)?;
    let selector = match reader.value("selector") {
        None => None,
        Some(selector) => {
            let reader = Reader::new(&selector, "selector", &["source", "item"])?;
            Some(Selector { source: reader.text("source")?, item: reader.text("item")? })
        }
    };
    Ok(FlatEvent {
        r#type: reader.text("type")?.unwrap_or_default(),
        item: reader.text("item")?,
        kind: reader.text("kind")?,
        weight: reader.number("weight")?,
        source: reader.text("source")?,
        taste: reader.flag("taste")?,
        selector,
        forget_seen: reader.flag("forget_seen")?,
    })
}

/// An answer: ordinals and scores as typed arrays, the rest as a small object.
pub(super) fn slate(recommender: &Recommender, slate: &Slate) -> Result<Object> {
    let ordinals: Vec<u32> = slate.items.iter().map(|i| i.ordinal.0).collect();
    let scores: Vec<f64> = slate.items.iter().map(|i| i.score).collect();
    let answer = Object::new();
    set(&answer, "ordinals", Uint32Array::from(ordinals.as_slice()));
    set(&answer, "scores", Float64Array::from(scores.as_slice()));
    set(&answer, "qualifying", slate.n_qualifying as f64);
    set(&answer, "basis", slate.basis.as_str());
    if !slate.because.is_empty() {
        let because: Array = slate
            .because
            .iter()
            .map(|shares| {
                let shares = shares.iter().map(|share| {
                    let entry = Object::new();
                    set(&entry, "item", recommender.index().id(share.item)?);
                    set(&entry, "kind", share.kind.as_str());
                    set(&entry, "at_ms", share.at_ms as f64);
                    set(&entry, "share", share.share);
                    Ok(entry)
                });
                shares.collect::<Result<Array>>()
            })
            .collect::<Result<Array>>()?;
        set(&answer, "because", because);
    }
    if !slate.warnings.is_empty() {
        let warnings: Array = slate.warnings.iter().map(|w| JsValue::from_str(w)).collect();
        set(&answer, "warnings", warnings);
    }
    Ok(answer)
}

fn value(value: &Value<'_>) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Flag(x) => JsValue::from_bool(*x),
        Value::Integer(x) => JsValue::from_f64(*x as f64),
        Value::Real(x) => JsValue::from_f64(*x),
        Value::Tags(tags) => tags.iter().map(|t| JsValue::from_str(t)).collect::<Array>().into(),
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
    let columns: Vec<_> = fields.iter().map(|f| catalog.column(f)).collect::<Result<_>>()?;
    let card = |ordinal: &u32| {
        // An ordinal outside the archive is refused with the archive's size.
        recommender.index().id(Ordinal(*ordinal))?;
        let entries: Array = columns
            .iter()
            .map(|c| Ok(Array::of2(&c.name().into(), &value(&c.value(Ordinal(*ordinal))?))))
            .collect::<Result<Array>>()?;
        // Defines own properties whatever their name, `__proto__` included.
        Object::from_entries(&entries)
            .map_err(|_| Error::corrupt("columns", "cards are made of names and values"))
    };
    ordinals.iter().map(card).collect()
}

/// Values with their counts.
pub(super) fn facets(
    recommender: &Recommender,
    field: &str,
    where_: Option<&str>,
) -> Result<Array> {
    let catalog: Catalog<'_> = recommender.catalog();
    let items = match where_ {
        Some(expression) => catalog.select(expression)?,
        None => ItemSet::full(recommender.index().len()),
    };
    let counts = catalog.facets(field, &items)?;
    Ok(counts
        .iter()
        .map(|(value, count)| {
            let entry = Object::new();
            set(&entry, "value", value.as_str());
            set(&entry, "count", *count as f64);
            entry
        })
        .collect())
}

/// What the archive holds.
pub(super) fn info(recommender: &Recommender) -> Result<Object> {
    let index = recommender.index();
    let info = Object::new();
    set(&info, "n_items", index.len() as f64);
    set(&info, "dim", index.dim() as f64);
    set(&info, "metric", index.metric().as_str());
    set(&info, "format_version", index.format_version());
    set(&info, "total_bytes", index.total_bytes() as f64);
    set(&info, "foldin", index.fold().as_str());
    set(&info, "foldin_exact", index.fold() != Fold::Ridge);
    let sections: Array = index
        .sections()
        .map(|(name, bytes)| {
            let section = Object::new();
            set(&section, "name", name);
            set(&section, "bytes", bytes as f64);
            section
        })
        .collect();
    set(&info, "sections", sections);
    let columns: Array = recommender
        .catalog()
        .columns()
        .map(|column| {
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
            entry
        })
        .collect();
    set(&info, "columns", columns);
    Ok(info)
}

/// The profile's entries, as they were given.
pub(super) fn entries(profile: &Profile) -> JsResult<JsValue> {
    let entries: Vec<_> = profile.entries().collect();
    // Entries are plain data; the serializer makes maps of tagged enums unless told otherwise.
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    serde::Serialize::serialize(&entries, &serializer).map_err(JsValue::from)
}
