//! The profile: a log of interactions, never a vector.
//!
//! Entries refer to items by the caller's ids. So the log survives a new catalog and a new
//! embedding space, can be corrected after the fact, and two logs merge by taking the union:
//! each entry has a unique key (device, sequence).

use serde::{Deserialize, Serialize};

use super::wire::FlatEvent;
use crate::catalog::Expr;
use crate::error::{Error, Number, Result};
use crate::kind::Kind;

/// Something a person did with an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// The caller's id. Ids the archive does not know are kept: another archive may.
    pub item: String,
    /// What it was.
    pub kind: Kind,
    /// Signed weight, instead of the kind's own.
    pub weight: Option<f64>,
    /// Where it came from: a playlist, a shelf, a page.
    pub source: Option<String>,
    /// Whether it says anything about taste; if not, it only makes the item known.
    pub taste: bool,
    /// Under which circumstances: keys with values, ascending by key.
    pub context: Vec<(String, String)>,
}

/// Which interactions an exclusion is about: all conditions that are there must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    /// Interactions from this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Interactions with this item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Interactions with items for which this condition is true, in either spelling of the
    /// language. It is about columns alone: with ages, history or parameters in it, what counts
    /// for a taste would change without a word of the person. In an archive for which it does not
    /// compile it selects nothing.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub where_: Option<String>,
}

impl Selector {
    /// Whether it selects an interaction with an item that is, or is not, among those of its
    /// condition.
    pub(super) fn selects(&self, interaction: &Interaction, is_among: bool) -> bool {
        self.source.as_ref().is_none_or(|s| interaction.source.as_ref() == Some(s))
            && self.item.as_ref().is_none_or(|i| *i == interaction.item)
            && (self.where_.is_none() || is_among)
    }
}

/// What an entry of the log says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FlatEvent", into = "FlatEvent")]
pub enum Event {
    /// Something happened.
    Interaction(Interaction),
    /// Leave these interactions, past and future, out of the taste.
    Exclude {
        /// Which.
        selector: Selector,
        /// Forget too that the items were seen.
        forget_seen: bool,
    },
    /// Take back an exclusion with the same selector.
    Include {
        /// Which.
        selector: Selector,
    },
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The device that wrote it.
    pub device: String,
    /// Its number among the entries of that device.
    pub sequence: u64,
    /// When it happened: milliseconds since 1970, UTC.
    pub at_ms: f64,
    /// What it says.
    pub event: Event,
}

impl Entry {
    fn order(&self) -> (i64, &str, u64) {
        (self.at_ms as i64, &self.device, self.sequence)
    }
}

/// The log of one person, in canonical order: by time, then device, then sequence.
///
/// ```
/// use nearfield::{Entry, Event, Interaction, Kind, Profile};
///
/// let mut profile = Profile::default();
/// let like = Interaction {
///     item: "17".into(), kind: Kind::Like, weight: None, source: None, taste: true,
///     context: Vec::new(),
/// };
/// let entry = Entry {
///     device: "phone".into(), sequence: 0, at_ms: 1.7e12, event: Event::Interaction(like),
/// };
/// assert!(profile.append(entry.clone())?);
/// assert!(!profile.append(entry)?, "merging the same entry again changes nothing");
/// # Ok::<(), nearfield::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// In canonical order.
    entries: Vec<Entry>,
    /// Device and sequence of every entry, in order.
    keys: Vec<(String, u64)>,
}

/// Times that a calendar can show: years 1 to 9999. What lies outside is a clock or unit error.
const TIMES_MS: std::ops::RangeInclusive<f64> = -62_135_596_800_000.0..=253_402_300_799_999.0;
/// Weights beyond this are refused: they could drown every other interaction.
const MAX_WEIGHT: f64 = 1e6;
/// Longest id, source or device name, in bytes.
const MAX_TEXT: usize = 1024;

impl Profile {
    /// Adds an entry. `Ok(false)` where an entry with its device and sequence is there already:
    /// so appending another device's entries merges, in any order and any number of times.
    ///
    /// # Errors
    /// [`Error::Arg`] for a weight or time that is not finite or out of range, a rating without
    /// weight, or texts that are empty or longer than 1024 bytes; [`Error::Filter`] for a selector's
    /// condition that is no program.
    pub fn append(&mut self, entry: Entry) -> Result<bool> {
        check_text("device", &entry.device)?;
        if !TIMES_MS.contains(&entry.at_ms) {
            let expected = "milliseconds since 1970, in the years 1 to 9999";
            return Err(Error::arg("at", expected, Number(entry.at_ms)));
        }
        match &entry.event {
            Event::Interaction(interaction) => check_interaction(interaction)?,
            Event::Exclude { selector, .. } | Event::Include { selector } => {
                if *selector == Selector::default() {
                    return Err(Error::arg(
                        "selector",
                        "a source, an item or a condition",
                        "none",
                    ));
                }
                if let Some(program) = &selector.where_ {
                    Expr::read(program)?;
                }
            }
        }
        let key = (entry.device.clone(), entry.sequence);
        let Err(place) = self.keys.binary_search(&key) else { return Ok(false) };
        self.keys.insert(place, key);
        let place = self.entries.partition_point(|e| e.order() < entry.order());
        self.entries.insert(place, entry);
        Ok(true)
    }

    /// All entries in canonical order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was ever recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn interactions(&self) -> impl Iterator<Item = (i64, &Interaction)> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::Interaction(interaction) => Some((entry.at_ms as i64, interaction)),
            _ => None,
        })
    }

    /// The exclusions in force, each with whether it also forgets. The latest word on a selector
    /// counts.
    pub(super) fn exclusions(&self) -> Vec<(&Selector, bool)> {
        let mut excluded: Vec<(&Selector, bool)> = Vec::new();
        for entry in &self.entries {
            let (Event::Exclude { selector, .. } | Event::Include { selector }) = &entry.event
            else {
                continue;
            };
            excluded.retain(|(other, _)| *other != selector);
            if let Event::Exclude { forget_seen, .. } = entry.event {
                excluded.push((selector, forget_seen));
            }
        }
        excluded
    }
}

fn check_text(path: &str, text: &str) -> Result<()> {
    if text.is_empty() || text.len() > MAX_TEXT {
        let found = format!("{} bytes", text.len());
        return Err(Error::arg(path, format!("1 to {MAX_TEXT} bytes"), found));
    }
    Ok(())
}

fn check_interaction(interaction: &Interaction) -> Result<()> {
    check_text("item", &interaction.item)?;
    if let Some(source) = &interaction.source {
        check_text("source", source)?;
    }
    match interaction.weight {
        Some(weight) if weight.abs() <= MAX_WEIGHT => Ok(()),
        Some(weight) => Err(Error::arg("weight", "a finite number within ±1e6", Number(weight))),
        None if interaction.kind == Kind::Rating => {
            Err(Error::arg("weight", "the rating, which has no default", "nothing"))
        }
        None => Ok(()),
    }
}
