//! The profile: a log of interactions, never a vector.
//!
//! Entries refer to items by the caller's ids. So the log survives a new catalog and a new
//! embedding space, can be corrected after the fact, and two logs merge by taking the union:
//! each entry has a unique key (device, sequence).

use serde::{Deserialize, Serialize};

use super::selector::{Selector, check_context, check_text, check_time};
use super::wire::{FlatEvent, content};
use crate::catalog::Expr;
use crate::error::{Error, Number, Result};
use crate::kind::Kind;

/// Something a person did with an item.
///
/// ```
/// use nearfield::{Interaction, Kind};
///
/// let play = Interaction {
///     source: Some("dinner".into()),
///     context: vec![("device".into(), "tv".into()), ("hour".into(), "evening".into())],
///     ..Interaction::new("17", Kind::Play)
/// };
/// assert!(play.taste);
/// ```
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
    /// What else was so at that moment, as pairs of key and value: hour, weekday, device, anything.
    /// At most 16, keys unique; kept sorted by key.
    pub context: Vec<(String, String)>,
    /// Whether it says anything about taste; if not, it only makes the item known.
    pub taste: bool,
}

impl Interaction {
    /// One that counts towards taste with the weight of its kind, without source or context.
    #[must_use]
    pub fn new(item: impl Into<String>, kind: Kind) -> Self {
        Self {
            item: item.into(),
            kind,
            weight: None,
            source: None,
            context: Vec::new(),
            taste: true,
        }
    }
}

/// A slate that was shown: which items stood where, and how they came to stand there.
///
/// One entry for the whole slate, because that is what learning from it needs: the policy that
/// composed it, and what was shown beside what. Its items are impressions: they carry no taste and
/// make nothing known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// The slate's id, unique among the slates of this profile.
    pub slate: String,
    /// The name of the policy that composed it.
    pub policy: Option<String>,
    /// The context it was composed for; see [`Interaction::context`].
    pub context: Vec<(String, String)>,
    /// What was shown, at most 1000 items.
    pub items: Vec<Placed>,
}

/// One item of a slate that was shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The caller's id.
    pub item: String,
    /// Its place in the slate, from 0.
    pub position: u32,
    /// The probability with which the policy put this item here, in (0, 1]. `None` where the slot
    /// did not explore: nothing can be estimated from such a slot, and 1 would pretend otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
}

/// What an entry of the log says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FlatEvent", into = "FlatEvent")]
pub enum Event {
    /// Something happened.
    Interaction(Interaction),
    /// A slate was shown.
    Shown(Shown),
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

impl Event {
    /// The selector of an exclusion, or of the word that takes it back.
    const fn selector(&self) -> Option<&Selector> {
        match self {
            Self::Exclude { selector, .. } | Self::Include { selector } => Some(selector),
            Self::Interaction(_) | Self::Shown(_) => None,
        }
    }
}

/// One entry of the log.
///
/// Who writes entries gives `device` a name that no other writer has, and `sequence` numbers that
/// never come twice: a random name for each start of the program will do, with numbers from 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The device that wrote it.
    pub device: String,
    /// Its number among the entries of that device.
    pub sequence: u64,
    /// When it happened: milliseconds since 1970, UTC, in the years 1 to 9999. A time later than
    /// the request's present is kept as it is (clocks differ between devices, and a log is not
    /// rewritten); for decay it counts as the present.
    pub at_ms: f64,
    /// What it says.
    pub event: Event,
}

impl Entry {
    pub(super) const fn time(&self) -> i64 {
        self.at_ms as i64
    }

    fn order(&self) -> (i64, &str, u64) {
        (self.time(), &self.device, self.sequence)
    }

    /// Refuses what must not stand in a log, and brings contexts into their order.
    pub(super) fn check(&mut self) -> Result<()> {
        check_text("device", &self.device)?;
        check_time("at", self.at_ms)?;
        match &mut self.event {
            Event::Interaction(interaction) => check_interaction(interaction),
            Event::Shown(shown) => check_shown(shown),
            Event::Exclude { selector, .. } | Event::Include { selector } => selector.check(),
        }
    }

    /// Which of two entries under one key a merge keeps: the one of higher rank.
    ///
    /// Honest devices never write two, so which it is matters less than that every device finds
    /// the same, whatever came first. Words about exclusion rank above everything else, since they
    /// are what a person asked for; then later times; then the content, byte by byte.
    fn rank(&self) -> (bool, i64, Vec<u8>) {
        (self.event.selector().is_some(), self.time(), content(self))
    }
}

/// The log of one person, in canonical order: by time, then device, then sequence.
///
/// ```
/// use nearfield::{Entry, Event, Interaction, Kind, Profile};
///
/// let mut profile = Profile::default();
/// let like = Interaction::new("17", Kind::Like);
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
    /// Every entry's key and time, in the order of the keys.
    keys: Vec<Key>,
    /// What is older has been dropped and stays away.
    oldest_ms: Option<i64>,
}

/// What an entry is known by, and where in canonical order it stands.
#[derive(Clone, Debug)]
struct Key {
    device: String,
    sequence: u64,
    at_ms: i64,
}

/// Weights beyond this are refused: they could drown every other interaction.
const MAX_WEIGHT: f64 = 1e6;
/// Most items of one slate in the log: more than any screen shows.
const MAX_SHOWN: usize = 1000;

/// The latest word on a selector.
struct Word<'a> {
    /// Where it stands in the log.
    at: usize,
    selector: &'a Selector,
    program: Option<Expr>,
    /// Whether it excludes, and then whether it forgets too.
    excludes: Option<bool>,
}

impl Profile {
    /// Adds an entry. `Ok(false)` where it changes nothing: an entry with its device and sequence is
    /// there already, or it is older than a [compacted](Profile::compact) profile keeps. So
    /// appending another device's entries merges, in any order and any number of times.
    ///
    /// Where two different entries come under one key (a device restored from a backup, or a hostile
    /// one), one of them is kept, the same one in whatever order they come: a word about exclusion
    /// rather than anything else, then the later one, then the one whose content is greater byte by
    /// byte.
    ///
    /// # Errors
    /// [`Error::Arg`] for a weight, propensity or time that is not finite or out of range, a rating
    /// without weight, texts that are empty or longer than 1024 bytes, contexts of more than 16
    /// pairs or with a key twice, slates of more than 1000 items, and selectors without a
    /// condition; [`Error::Filter`] for a selector's condition that is no program. The profile is
    /// as it was then.
    pub fn append(&mut self, entry: Entry) -> Result<bool> {
        Ok(self.insert(entry)?.is_some())
    }

    /// The same, and where the log is another one now: the entries before that place are still
    /// where they were. `None` where nothing has changed.
    pub(crate) fn insert(&mut self, mut entry: Entry) -> Result<Option<usize>> {
        entry.check()?;
        if self.is_too_old(&entry) {
            return Ok(None);
        }
        let mut changed = self.entries.len();
        let wanted = (entry.device.as_str(), entry.sequence);
        let found = self.keys.binary_search_by(|key| (&*key.device, key.sequence).cmp(&wanted));
        match found {
            Err(place) => {
                let (device, sequence) = (entry.device.clone(), entry.sequence);
                self.keys.insert(place, Key { device, sequence, at_ms: entry.time() });
            }
            Ok(place) => {
                let key = &mut self.keys[place];
                let order = (key.at_ms, &*key.device, key.sequence);
                let at = self.entries.partition_point(|e| e.order() < order);
                if self.entries[at].rank() >= entry.rank() {
                    return Ok(None);
                }
                self.entries.remove(at);
                changed = at;
                key.at_ms = entry.time();
            }
        }
        let place = self.entries.partition_point(|e| e.order() < entry.order());
        self.entries.insert(place, entry);
        Ok(Some(changed.min(place)))
    }

    /// Drops what no longer counts, and sets a maximum age: interactions and shown slates older
    /// than `max_age_ms` before `now_ms` go, and stay away when a merge brings them back. Returns
    /// how many entries were dropped.
    ///
    /// What is lost is exactly that: every answer is, bit for bit, that of a profile in which those
    /// interactions and slates had never been recorded. Words about exclusion have no age, since
    /// they speak about the future too; of several on one selector only the latest is kept, as
    /// only the latest counts. The limit never goes back: a later call with a greater age does
    /// not bring older entries in again.
    pub fn compact(&mut self, now_ms: i64, max_age_ms: u64) -> usize {
        let oldest = now_ms.saturating_sub_unsigned(max_age_ms);
        self.oldest_ms = Some(self.oldest_ms.map_or(oldest, |before| before.max(oldest)));
        let words: Vec<usize> = self.words().iter().map(|word| word.at).collect();
        let n_before = self.entries.len();
        for (at, entry) in std::mem::take(&mut self.entries).into_iter().enumerate() {
            let is_word = entry.event.selector().is_some();
            let stays =
                if is_word { words.binary_search(&at).is_ok() } else { !self.is_too_old(&entry) };
            if stays {
                self.entries.push(entry);
            }
        }
        let entries = &self.entries;
        self.keys.retain(|key| {
            let order = (key.at_ms, &*key.device, key.sequence);
            entries.binary_search_by(|e| e.order().cmp(&order)).is_ok()
        });
        n_before - self.entries.len()
    }

    fn is_too_old(&self, entry: &Entry) -> bool {
        entry.event.selector().is_none()
            && self.oldest_ms.is_some_and(|oldest| entry.time() < oldest)
    }

    /// All entries in canonical order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The slates that were shown, in canonical order, with their times: what learning from
    /// impressions is replayed from. [`Past::shown`](super::Past::shown) leaves out what is
    /// excluded.
    pub fn shown(&self) -> impl Iterator<Item = (i64, &Shown)> {
        self.entries.iter().filter_map(|entry| match &entry.event {
            Event::Shown(shown) => Some((entry.time(), shown)),
            _ => None,
        })
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

    /// The latest word on each selector, in canonical order.
    fn words(&self) -> Vec<Word<'_>> {
        let mut words: Vec<Word<'_>> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let Some(selector) = entry.event.selector() else { continue };
            // No program gets into the log that cannot be read.
            let program = selector.where_.as_deref().and_then(|text| Expr::read(text).ok());
            words.retain(|word| !(word.selector.agrees(selector) && word.program == program));
            let excludes = match entry.event {
                Event::Exclude { forget_seen, .. } => Some(forget_seen),
                _ => None,
            };
            words.push(Word { at, selector, program, excludes });
        }
        words
    }

    /// The exclusions in force, each with whether it also forgets. The latest word on a selector
    /// counts.
    pub(super) fn exclusions(&self) -> impl Iterator<Item = (&Selector, bool)> {
        self.words().into_iter().filter_map(|word| Some((word.selector, word.excludes?)))
    }
}

fn check_interaction(interaction: &mut Interaction) -> Result<()> {
    check_text("item", &interaction.item)?;
    if let Some(source) = &interaction.source {
        check_text("source", source)?;
    }
    check_context("context", &mut interaction.context)?;
    match interaction.weight {
        Some(weight) if weight.abs() <= MAX_WEIGHT => Ok(()),
        Some(weight) => Err(Error::arg("weight", "a finite number within ±1e6", Number(weight))),
        None if interaction.kind == Kind::Rating => {
            Err(Error::arg("weight", "the rating, which has no default", "nothing"))
        }
        None => Ok(()),
    }
}

fn check_shown(shown: &mut Shown) -> Result<()> {
    check_text("slate", &shown.slate)?;
    if let Some(policy) = &shown.policy {
        check_text("policy", policy)?;
    }
    check_context("context", &mut shown.context)?;
    if shown.items.len() > MAX_SHOWN {
        let expected = format!("at most {MAX_SHOWN} items");
        return Err(Error::arg("items", expected, shown.items.len()));
    }
    for placed in &shown.items {
        check_text("items.item", &placed.item)?;
        if let Some(propensity) = placed.propensity
            && !(propensity > 0.0 && propensity <= 1.0)
        {
            let expected = "more than 0 and at most 1";
            return Err(Error::arg("items.propensity", expected, Number(propensity)));
        }
    }
    Ok(())
}
