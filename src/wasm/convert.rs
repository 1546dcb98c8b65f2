//! Requests and answers, between JavaScript's values and this crate's types.

use js_sys::{Array, Float32Array, Float64Array, Object, Uint32Array};
use wasm_bindgen::{JsCast as _, JsValue};

use super::error::set;
use super::read::Reader;
use crate::catalog::Value;
use crate::error::{Error, Result};
use crate::format::{FieldKind, Fold};
use crate::ids::Ordinal;
use crate::search::Effort;
use crate::slate::{Limits, Recommender, Slate};

/// What `similar`, `recommend` and `find` are asked for.
pub(super) struct Request {
    pub(super) id: Option<String>,
    pub(super) vector: Option<Vec<f32>>,
    pub(super) explain: usize,
    pub(super) exclude_seen: bool,
    pub(super) limit: usize,
    k: usize,
    where_: Option<String>,
    params: Option<String>,
    now_ms: Option<f64>,
    exclude: Vec<String>,
    effort: Effort,
}

/// What every request may have that says which items may come back.
pub(super) const FILTER: [&str; 3] = ["where", "params", "now_ms"];

impl Request {
    /// Reads a request that may have the members `known` beside those of [`FILTER`].
    pub(super) fn read(value: &JsValue, known: &[&'static str]) -> Result<Self> {
        let reader = Reader::new(value, "request", &[known, &FILTER].concat())?;
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
        let effort = match reader.value("recall") {
            None => Effort::Usual,
            Some(asked) => match (asked.as_f64(), asked.as_string().as_deref()) {
                (Some(share), _) if share > 0.0 && share < 1.0 => Effort::Recall(share as f32),
                (_, Some("exhaustive")) => Effort::Exhaustive,
                _ => {
                    let expected = "a number between 0 and 1, or \"exhaustive\"";
                    return reader.mismatch("recall", expected, &asked);
                }
            },
        };
        Ok(Self {
            effort,
            id: reader.text("id")?,
            vector,
            explain: reader.whole("explain")?.unwrap_or(0) as usize,
            exclude_seen,
            limit: reader.whole("limit")?.map_or(usize::MAX, |limit| limit as usize),
            k: reader.whole("k")?.map_or(Limits::default().k, |k| k as usize),
            where_: reader.text("where")?,
            params: reader.text("params")?,
            now_ms: reader.number("now_ms")?,
            exclude: reader.texts("exclude")?,
        })
    }

    pub(super) fn limits(&self) -> Limits<'_> {
        Limits {
            k: self.k,
            where_: self.where_.as_deref(),
            params: self.params.as_deref(),
            // Whatever number it is: the conversion saturates.
            now_ms: self.now_ms.map(|now| now as i64),
            exclude: &self.exclude,
            effort: self.effort,
        }
    }
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
    if slate.approximate {
        set(&answer, "approximate", true);
    }
    if !slate.because.is_empty() {
        let because = Array::new();
        for shares in &slate.because {
            let list = Array::new();
            for share in shares {
                let entry = Object::new();
                set(&entry, "item", recommender.index().id(share.item)?);
                set(&entry, "kind", share.kind.as_str());
                set(&entry, "at_ms", share.at_ms as f64);
                set(&entry, "share", share.share);
                list.push(&entry);
            }
            because.push(&list);
        }
        set(&answer, "because", because);
    }
    if !slate.warnings.is_empty() {
        set(&answer, "warnings", strings(&slate.warnings));
    }
    Ok(answer)
}

fn strings(texts: &[impl AsRef<str>]) -> Array {
    let array = Array::new();
    for text in texts {
        array.push(&JsValue::from_str(text.as_ref()));
    }
    array
}

fn value(value: &Value<'_>) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Flag(x) => JsValue::from_bool(*x),
        Value::Integer(x) => JsValue::from_f64(*x as f64),
        Value::Real(x) => JsValue::from_f64(*x),
        Value::Tags(tags) => strings(tags).into(),
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
    request: &Request,
) -> Result<Array> {
    let items = recommender.select(&request.limits())?;
    let counts = Array::new();
    for (value, count) in recommender.catalog().facets(field, &items, request.limit)? {
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
