//! A profile seen from one archive: which interactions count, now that the items are known.

use std::borrow::Cow;

use super::profile::{Entry, Event, Interaction, Placed, Profile, Shown};
use super::selector::{Selector, Subject};
use crate::catalog::{Catalog, Deed, History};
use crate::error::{Error, Result};
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kind::Kind;
use crate::load::Index;

/// The interactions of a profile, with its exclusions applied to the items of an archive.
///
/// What a selector says about interactions it says about the items of shown slates too, as far as
/// they have what it asks for: they have no source.
///
/// ```
/// # let archive = &std::fs::read("tests/fixtures/small-v1.nf")?;
/// use nearfield::{AlignedBytes, Index, Past, Profile};
///
/// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
/// let profile = Profile::default();
/// assert_eq!(Past::of(&profile, &index)?.seen().count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Past<'a> {
    profile: &'a Profile,
    index: &'a Index,
    reading: Cow<'a, Reading>,
}

/// What an archive makes of a profile: the items that its entries are about, and its exclusions,
/// their conditions evaluated.
///
/// Kept between requests, so that none looks an id up again that one before it looked up. It
/// stands beside the profile, which knows of no archive, and holds for the profile and the archive
/// that it was made of; who changes the profile says from where on.
#[derive(Clone, Default)]
pub(crate) struct Reading {
    /// For each of the first entries the item of its interaction; `None` for other events, and
    /// where the archive does not have it.
    items: Vec<Option<Ordinal>>,
    /// Those in force, once they were asked for.
    exclusions: Option<Vec<Exclusion>>,
}

/// An exclusion in force.
#[derive(Clone)]
struct Exclusion {
    selector: Selector,
    forgets: bool,
    /// The items for which the selector's condition is true, if it has one.
    items: Option<ItemSet>,
}

impl Reading {
    /// The past that the profile records, for the archive. Cost: a look-up of each entry that is
    /// not known yet; where exclusions are not known, what [`Past::of`] says of them.
    ///
    /// # Errors
    /// As [`Past::of`].
    pub(crate) fn past<'a>(
        &'a mut self,
        profile: &'a Profile,
        index: &'a Index,
    ) -> Result<Past<'a>> {
        self.go_on(profile, index)?;
        Ok(Past { profile, index, reading: Cow::Borrowed(self) })
    }

    #[inline(never)]
    fn go_on(&mut self, profile: &Profile, index: &Index) -> Result<()> {
        for entry in profile.entries().skip(self.items.len()) {
            self.items.push(match &entry.event {
                Event::Interaction(interaction) => index.ordinal(&interaction.item)?,
                _ => None,
            });
        }
        if self.exclusions.is_none() {
            self.exclusions = Some(Exclusion::all(profile, index)?);
        }
        Ok(())
    }

    /// Takes notice that the profile is as it was only before its entry at `place`.
    pub(crate) fn forget_from(&mut self, place: usize) {
        self.items.truncate(place);
    }

    /// Takes notice of a word about exclusion.
    pub(crate) fn forget_exclusions(&mut self) {
        self.exclusions = None;
    }
}

impl Exclusion {
    /// Those in force.
    fn all(profile: &Profile, index: &Index) -> Result<Vec<Self>> {
        let catalog = Catalog::new(index);
        let exclusion = |(selector, forgets): (&Selector, bool)| {
            let items = match selector.where_.as_deref().map(|program| catalog.select(program)) {
                Some(Err(Error::Filter { .. })) => Some(ItemSet::empty(index.len())),
                other => other.transpose()?,
            };
            Ok(Self { selector: selector.clone(), forgets, items })
        };
        profile.exclusions().map(exclusion).collect()
    }
}

impl<'a> Past<'a> {
    /// The past that a profile records, for an archive. Cost: a look-up of each entry, and one
    /// evaluation of each exclusion's condition.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged ids and columns. A condition that does not compile for this
    /// archive (another one had the column) selects nothing.
    pub fn of(profile: &'a Profile, index: &'a Index) -> Result<Self> {
        let mut reading = Reading::default();
        reading.go_on(profile, index)?;
        Ok(Self { profile, index, reading: Cow::Owned(reading) })
    }

    /// Interactions with items of the archive that count towards taste, in canonical order: the
    /// time, the item, and the interaction.
    pub fn for_taste(&self) -> impl Iterator<Item = (i64, Ordinal, &'a Interaction)> {
        let all = self.interactions(|i| i.taste, |_| true);
        all.filter_map(|(at_ms, item, interaction)| Some((at_ms, item?, interaction)))
    }

    /// Ids of the items that the person knows. Exclusion from taste leaves them known, unless it
    /// was asked to forget.
    pub fn seen(&self) -> impl Iterator<Item = &'a str> {
        self.interactions(|i| i.kind.is_seen(), |e| e.forgets).map(|(_, _, i)| i.item.as_str())
    }

    /// The same as items, as far as the archive has them.
    pub(crate) fn seen_items(&self) -> impl Iterator<Item = Ordinal> {
        self.interactions(|i| i.kind.is_seen(), |e| e.forgets).filter_map(|(_, item, _)| item)
    }

    /// Impressions that count, in canonical order and in the order of each slate: the time, the
    /// slate, and one of its items. Left out is what any exclusion selects: who learns from
    /// impressions and interactions must leave out the same of both, or what was excluded would
    /// look like something that was shown in vain.
    pub fn shown(&self) -> impl Iterator<Item = (i64, &'a Shown, &'a Placed)> {
        self.profile.shown().flat_map(move |(at_ms, shown)| {
            shown
                .items
                .iter()
                .filter(move |placed| {
                    // A damaged id finds nothing here and is reported where the item is used.
                    let item = || self.index.ordinal(&placed.item).ok().flatten();
                    !self.is_excluded(impression(at_ms, shown, placed), &item, |_| true)
                })
                .map(move |placed| (at_ms, shown, placed))
        })
    }

    /// Interactions of a sort, less those that exclusions of a sort select.
    fn interactions(
        &self,
        is_wanted: fn(&Interaction) -> bool,
        is_heeded: fn(&Exclusion) -> bool,
    ) -> impl Iterator<Item = (i64, Option<Ordinal>, &'a Interaction)> {
        self.entries().filter_map(move |(entry, item)| match &entry.event {
            Event::Interaction(i)
                if is_wanted(i)
                    && !self.is_excluded(deed(entry.time(), i), &|| item, is_heeded) =>
            {
                Some((entry.time(), item, i))
            }
            _ => None,
        })
    }

    /// All entries, those of interactions with the archive's items.
    fn entries(&self) -> impl Iterator<Item = (&'a Entry, Option<Ordinal>)> {
        self.profile.entries().zip(self.reading.items.iter().copied())
    }

    #[inline(never)]
    fn is_excluded(
        &self,
        subject: Subject<'_>,
        item: &dyn Fn() -> Option<Ordinal>,
        is_heeded: fn(&Exclusion) -> bool,
    ) -> bool {
        self.reading.exclusions.iter().flatten().any(|exclusion| {
            is_heeded(exclusion)
                && exclusion.selector.selects(subject, || {
                    exclusion.items.as_ref().zip(item()).is_some_and(|(set, i)| set.contains(i))
                })
        })
    }
}

/// An interaction, as selectors look at it.
fn deed(at_ms: i64, i: &Interaction) -> Subject<'_> {
    Subject { item: &i.item, source: i.source.as_deref(), at_ms, context: &i.context }
}

/// An item of a shown slate, as selectors look at it.
fn impression<'a>(at_ms: i64, shown: &'a Shown, placed: &'a Placed) -> Subject<'a> {
    Subject { item: &placed.item, source: None, at_ms, context: &shown.context }
}

impl History for Past<'_> {
    fn each(&self, visit: &mut dyn FnMut(Deed)) -> Result<()> {
        let mut pass = |subject: Subject<'_>, item: Option<Ordinal>, kind: Kind, weight: f64| {
            if let Some(item) = item
                && !self.is_excluded(subject, &|| Some(item), |e| e.forgets)
            {
                visit(Deed { item, kind, at_ms: subject.at_ms, weight });
            }
        };
        for (entry, item) in self.entries() {
            let at_ms = entry.time();
            match &entry.event {
                Event::Interaction(i) => {
                    let weight = i.weight.or(i.kind.default_weight()).unwrap_or(0.0);
                    pass(deed(at_ms, i), item, i.kind, weight);
                }
                Event::Shown(shown) => {
                    for placed in &shown.items {
                        let item = self.index.ordinal(&placed.item)?;
                        pass(impression(at_ms, shown, placed), item, Kind::Impression, 0.0);
                    }
                }
                Event::Exclude { .. } | Event::Include { .. } => {}
            }
        }
        Ok(())
    }
}
