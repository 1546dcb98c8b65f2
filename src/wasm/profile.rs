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

fn selector(value: &JsValue) -> Result<Selector> {
    let members = ["source", "item", "where", "from_ms", "to_ms", "context"];
    let reader = Reader::new(value, "selector", &members)?;
    // Large numbers saturate, and the profile refuses what no calendar has; NaN would become 0.
    let time = |key| match reader.number(key)? {
        Some(ms) if ms.is_nan() => reader.mismatch(key, "a number", &ms.into()),
        ms => Ok(ms.map(|ms| ms as i64)),
    };
    Ok(Selector {
        source: reader.text("source")?,
        item: reader.text("item")?,
        where_: reader.text("where")?,
        from_ms: time("from_ms")?,
        to_ms: time("to_ms")?,
        context: context(&reader)?,
    })
}

/// An object of strings, as pairs.
fn context(reader: &Reader) -> Result<Vec<(String, String)>> {
    let Some(value) = reader.value("context") else { return Ok(Vec::new()) };
    let pairs = value.dyn_ref::<Object>().map(Object::entries).and_then(|pairs| {
        let text = |pair: &JsValue, i| pair.unchecked_ref::<Array>().get(i).as_string();
        pairs.iter().map(|pair| Some((text(&pair, 0)?, text(&pair, 1)?))).collect()
    });
    match pairs {
        Some(pairs) => Ok(pairs),
        None => reader.mismatch("context", "an object of strings", &value),
    }
}

/// The items of a shown slate.
fn placed(reader: &Reader, items: &JsValue) -> Result<Vec<Placed>> {
    let Some(items) = items.dyn_ref::<Array>() else {
        return reader.mismatch("items", "an array", items);
    };
    let placed = |item: JsValue| {
        let reader = Reader::new(&item, "items", &["item", "position", "propensity"])?;
        let position = reader.whole("position")?.and_then(|position| position.try_into().ok());
        let Some(position) = position else {
            let found = reader.value("position").unwrap_or_default();
            return reader.mismatch("position", "a place in the slate, from 0", &found);
        };
        Ok(Placed {
            item: reader.text("item")?.unwrap_or_default(),
            position,
            propensity: reader.number("propensity")?,
        })
    };
    items.iter().map(placed).collect()
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
    put(&object, "type", Some(event.r#type));
    put(&object, "item", event.item);
    put(&object, "kind", event.kind);
    put(&object, "weight", event.weight);
    put(&object, "source", event.source);
    put(&object, "context", pairs_object(&event.context));
    put(&object, "taste", event.taste);
    put(&object, "slate", event.slate);
    put(&object, "policy", event.policy);
    put(&object, "forget_seen", event.forget_seen);
    let items = event.items.map(|items| {
        let array = Array::new();
        for placed in items {
            let item = Object::new();
            put(&item, "item", Some(placed.item));
            put(&item, "position", Some(placed.position));
            put(&item, "propensity", placed.propensity);
            array.push(&item);
        }
        array
    });
    put(&object, "items", items);
    let selector = event.selector.map(|selector| {
        let object = Object::new();
        put(&object, "source", selector.source);
        put(&object, "item", selector.item);
        put(&object, "where", selector.where_);
        put(&object, "from_ms", selector.from_ms.map(|ms| ms as f64));
        put(&object, "to_ms", selector.to_ms.map(|ms| ms as f64));
        put(&object, "context", pairs_object(&selector.context));
        object
    });
    put(&object, "selector", selector);
    object
}

fn put(object: &Object, key: &'static str, value: Option<impl Into<JsValue>>) {
    if let Some(value) = value {
        set(object, key, value);
    }
}

/// Pairs as an object with own members only, whatever their names; nothing where there are none.
fn pairs_object(pairs: &[(String, String)]) -> Option<JsValue> {
    let members = Array::new();
    for (key, value) in pairs {
        members.push(&Array::of2(&key.into(), &value.into()));
    }
    // Cannot fail: these are pairs of strings.
    (!pairs.is_empty()).then(|| Object::from_entries(&members).ok().map(JsValue::from))?
}
