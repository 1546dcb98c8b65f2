//! Events as they stand in logs and come from JavaScript: one flat record.
//!
//! A flat record with optional members reads straight into its place; serde's tagged enums would
//! buffer every value first, with code several times the size.

use serde::{Deserialize, Serialize};

use super::profile::{Event, Interaction, Selector};
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) taste: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) selector: Option<Selector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forget_seen: Option<bool>,
}

impl TryFrom<FlatEvent> for Event {
    type Error = Error;

    fn try_from(flat: FlatEvent) -> Result<Self> {
        // What is missing reads as empty: the profile refuses empty items and selectors, and names
        // them.
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
                    taste: flat.taste.unwrap_or(true),
                    context: Vec::new(),
                }))
            }
            "exclude" => {
                Ok(Self::Exclude { selector, forget_seen: flat.forget_seen.unwrap_or(false) })
            }
            "include" => Ok(Self::Include { selector }),
            other => Err(Error::arg("type", "interaction, exclude or include", quoted(other))),
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
                taste: (!i.taste).then_some(false),
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
