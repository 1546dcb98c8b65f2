//! The profile's log, between JavaScript's values and this crate's types.

use js_sys::{Array, Object};
use wasm_bindgen::{JsCast as _, JsValue};

use super::error::set;
use super::read::Reader;
use crate::error::{Error, Result};
use crate::taste::{Entry, FlatEvent, Placed, Profile, Selector};

/// Reads one entry of a profile log.
pub(super) fn entry(value: &JsValue) -> Result<Entry> {
    let reader = Reader::new(value, "entry", &["device", "sequence", "at_ms", "event"])?;
    let event = reader.value("event").unwrap_or_default();
    let (Some(device), Some(sequence), Some(at_ms)) =
        (reader.text("device")?, reader.whole("sequence")?, reader.number("at_ms")?)
    else {
        return Err(Error::arg("entry", "device, sequence and at_ms", "fewer members"));
    };
    Ok(Entry { device, sequence, at_ms, event: self::event(&event)?.try_into()? })
}

fn event(value: &JsValue) -> Result<FlatEvent> {
    let members = [
        "type",
        "item",
        "kind",
        "weight",
        "source",
        "context",
        "taste",
        "slate",
        "policy",
        "items",
        "selector",
        "forget_seen",
    ];
    let reader = Reader::new(value, "event", &members)?;
    Ok(FlatEvent {
        r#type: reader.text("type")?.unwrap_or_default(),
        item: reader.text("item")?,
        kind: reader.text("kind")?,
        weight: reader.number("weight")?,
        source: reader.text("source")?,
        context: context(&reader)?,
        taste: reader.flag("taste")?,
        slate: reader.text("slate")?,
        policy: reader.text("policy")?,
        items: reader.value("items").map(|items| placed(&reader, &items)).transpose()?,
        selector: reader.value("selector").as_ref().map(selector).transpose()?,
        forget_seen: reader.flag("forget_seen")?,
    })
}

#[inline(never)]
fn selector(value: &JsValue) -> Result<Selector> {
    let members = ["source", "item", "where", "from_ms", "to_ms", "context"];
    let reader = Reader::new(value, "selector", &members)?;
    Ok(Selector {
        source: reader.text("source")?,
        item: reader.text("item")?,
        where_: reader.text("where")?,
        // Large numbers saturate, and the profile refuses what no calendar has.
        from_ms: reader.number("from_ms")?.map(|ms| ms as i64),
        to_ms: reader.number("to_ms")?.map(|ms| ms as i64),
        context: context(&reader)?,
    })
}

/// An object of strings, as pairs.
#[inline(never)]
fn context(reader: &Reader) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let Some(value) = reader.value("context") else { return Ok(pairs) };
    let entries = value.dyn_ref::<Object>().map(Object::entries).unwrap_or_default();
    for entry in entries.iter() {
        let entry: &Array = entry.unchecked_ref();
        if let (Some(key), Some(value)) = (entry.get(0).as_string(), entry.get(1).as_string()) {
            pairs.push((key, value));
        }
    }
    if pairs.len() < entries.length() as usize || !value.is_object() {
        return reader.mismatch("context", "an object of strings", &value);
    }
    Ok(pairs)
}

/// The items of a shown slate.
fn placed(reader: &Reader, items: &JsValue) -> Result<Vec<Placed>> {
    let Some(items) = items.dyn_ref::<Array>() else {
        return reader.mismatch("items", "an array", items);
    };
    let mut all = Vec::new();
    for item in items.iter() {
        let reader = Reader::new(&item, "items", &["item", "position", "propensity"])?;
        let position = reader.whole("position")?.and_then(|position| position.try_into().ok());
        let Some(position) = position else {
            let found = reader.value("position").unwrap_or_default();
            return reader.mismatch("position", "a place in the slate, from 0", &found);
        };
        all.push(Placed {
            item: reader.text("item")?.unwrap_or_default(),
            position,
            propensity: reader.number("propensity")?,
        });
    }
    Ok(all)
}

/// The profile's entries, as they were given.
pub(super) fn entries(profile: &Profile) -> Array {
    let entries = Array::new();
    for entry in profile.entries() {
        let object = Object::new();
        set(&object, "device", entry.device.as_str());
        set(&object, "sequence", entry.sequence as f64);
        set(&object, "at_ms", entry.at_ms);
        set(&object, "event", event_object(entry.event.clone().into()));
        entries.push(&object);
    }
    entries
}

fn event_object(event: FlatEvent) -> Object {
    let object = Object::new();
    put_text(&object, "type", Some(event.r#type));
    put_text(&object, "item", event.item);
    put_text(&object, "kind", event.kind);
    put_number(&object, "weight", event.weight);
    put_text(&object, "source", event.source);
    put_context(&object, &event.context);
    put(&object, "taste", event.taste.map(JsValue::from));
    put_text(&object, "slate", event.slate);
    put_text(&object, "policy", event.policy);
    put(&object, "forget_seen", event.forget_seen.map(JsValue::from));
    if let Some(items) = event.items {
        let array = Array::new();
        for placed in items {
            let item = Object::new();
            put_text(&item, "item", Some(placed.item));
            put_number(&item, "position", Some(placed.position.into()));
            put_number(&item, "propensity", placed.propensity);
            array.push(&item);
        }
        set(&object, "items", array);
    }
    if let Some(selector) = event.selector {
        let inner = Object::new();
        put_text(&inner, "source", selector.source);
        put_text(&inner, "item", selector.item);
        put_text(&inner, "where", selector.where_);
        put_number(&inner, "from_ms", selector.from_ms.map(|ms| ms as f64));
        put_number(&inner, "to_ms", selector.to_ms.map(|ms| ms as f64));
        put_context(&inner, &selector.context);
        set(&object, "selector", inner);
    }
    object
}

#[inline(never)]
fn put(object: &Object, key: &'static str, value: Option<JsValue>) {
    if let Some(value) = value {
        set(object, key, value);
    }
}

#[inline(never)]
fn put_text(object: &Object, key: &'static str, value: Option<String>) {
    put(object, key, value.map(JsValue::from));
}

#[inline(never)]
fn put_number(object: &Object, key: &'static str, value: Option<f64>) {
    put(object, key, value.map(JsValue::from));
}

/// Pairs as an object with own members only, whatever their names; nothing where there are none.
#[inline(never)]
fn put_context(object: &Object, pairs: &[(String, String)]) {
    let members = Array::new();
    for (key, value) in pairs {
        members.push(&Array::of2(&key.into(), &value.into()));
    }
    if !pairs.is_empty() {
        // Cannot fail: these are pairs of strings.
        put(object, "context", Object::from_entries(&members).ok().map(JsValue::from));
    }
}
