//! Events as they stand in logs and come from JavaScript: one flat record.
//!
//! A flat record with optional members reads straight into its place; serde's tagged enums would
//! buffer every value first, with code several times the size.

use serde::{Deserialize, Serialize};

use super::profile::{Entry, Event, Interaction, Placed, Shown};
use super::selector::{Selector, pairs};
use crate::error::{Error, Result, quoted};
use crate::kind::Kind;

/// An event with a `type`, and the members that this type has.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlatEvent {
    pub(crate) r#type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) item: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weight: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    #[serde(default, with = "pairs", skip_serializing_if = "Vec::is_empty")]
    pub(crate) context: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) taste: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) slate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) items: Option<Vec<Placed>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) selector: Option<Selector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forget_seen: Option<bool>,
}

impl TryFrom<FlatEvent> for Event {
    type Error = Error;

    fn try_from(flat: FlatEvent) -> Result<Self> {
        // What is missing reads as empty: the profile refuses empty items, slates and selectors,
        // and names them.
        let selector = flat.selector.unwrap_or_default();
        match flat.r#type.as_str() {
            "interaction" => {
                let kind = flat.kind.unwrap_or_default();
                let Some(kind) = Kind::from_name(&kind) else {
                    let names = Kind::ALL.map(Kind::as_str).join(", ");
                    return Err(Error::arg("kind", format!("one of: {names}"), quoted(&kind)));
                };
                Ok(Self::Interaction(Interaction {
                    item: flat.item.unwrap_or_default(),
                    kind,
                    weight: flat.weight,
                    source: flat.source,
                    context: flat.context,
                    taste: flat.taste.unwrap_or(true),
                }))
            }
            "shown" => Ok(Self::Shown(Shown {
                slate: flat.slate.unwrap_or_default(),
                policy: flat.policy,
                context: flat.context,
                items: flat.items.unwrap_or_default(),
            })),
            "exclude" => {
                Ok(Self::Exclude { selector, forget_seen: flat.forget_seen.unwrap_or(false) })
            }
            "include" => Ok(Self::Include { selector }),
            other => {
                let expected = "interaction, shown, exclude or include";
                Err(Error::arg("type", expected, quoted(other)))
            }
        }
    }
}

impl From<Event> for FlatEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Interaction(i) => Self {
                r#type: "interaction".into(),
                item: Some(i.item),
                kind: Some(i.kind.as_str().into()),
                weight: i.weight,
                source: i.source,
                context: i.context,
                taste: (!i.taste).then_some(false),
                ..Self::default()
            },
            Event::Shown(shown) => Self {
                r#type: "shown".into(),
                slate: Some(shown.slate),
                policy: shown.policy,
                context: shown.context,
                items: Some(shown.items),
                ..Self::default()
            },
            Event::Exclude { selector, forget_seen } => Self {
                r#type: "exclude".into(),
                selector: Some(selector),
                forget_seen: Some(forget_seen),
                ..Self::default()
            },
            Event::Include { selector } => {
                Self { r#type: "include".into(), selector: Some(selector), ..Self::default() }
            }
        }
    }
}

/// What an entry says, as bytes: equal for equal entries, different for different ones.
///
/// Numbers and lengths have a fixed width and every text comes behind its length, so that no two
/// entries run together into the same bytes.
pub(super) fn content(entry: &Entry) -> Vec<u8> {
    let mut bytes = Bytes(Vec::new());
    bytes.number(Some(entry.at_ms));
    match &entry.event {
        Event::Interaction(i) => {
            bytes.number(Some(f64::from(u8::from(i.taste))));
            bytes.text(Some(&i.item));
            bytes.text(Some(i.kind.as_str()));
            bytes.number(i.weight);
            bytes.text(i.source.as_deref());
            bytes.context(&i.context);
        }
        Event::Shown(shown) => {
            bytes.number(Some(2.0));
            bytes.text(Some(&shown.slate));
            bytes.text(shown.policy.as_deref());
            bytes.context(&shown.context);
            for placed in &shown.items {
                bytes.text(Some(&placed.item));
                bytes.number(Some(placed.position.into()));
                bytes.number(placed.propensity);
            }
        }
        Event::Include { selector: s } | Event::Exclude { selector: s, .. } => {
            bytes.number(Some(match entry.event {
                Event::Exclude { forget_seen, .. } => 4.0 + f64::from(u8::from(forget_seen)),
                _ => 3.0,
            }));
            bytes.text(s.source.as_deref());
            bytes.text(s.item.as_deref());
            bytes.text(s.where_.as_deref());
            bytes.number(s.from_ms.map(|ms| ms as f64));
            bytes.number(s.to_ms.map(|ms| ms as f64));
            bytes.context(&s.context);
        }
    }
    bytes.0
}

/// Grows by one call a member, each compiled once: this is needed too rarely to be fast.
struct Bytes(Vec<u8>);

impl Bytes {
    #[inline(never)]
    fn number(&mut self, number: Option<f64>) {
        // NaN, which no entry has, is nothing.
        self.0.extend(number.unwrap_or(f64::NAN).to_bits().to_be_bytes());
    }

    #[inline(never)]
    fn text(&mut self, text: Option<&str>) {
        self.number(text.map(|text| text.len() as f64));
        self.0.extend_from_slice(text.unwrap_or_default().as_bytes());
    }

    #[inline(never)]
    fn context(&mut self, context: &[(String, String)]) {
        self.number(Some(context.len() as f64));
        for (key, value) in context {
            self.text(Some(key));
            self.text(Some(value));
        }
    }
}
