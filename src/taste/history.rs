//! A profile seen from one archive: which interactions count, now that the items are known.

use std::borrow::Cow;

use super::profile::{Event, Interaction, Placed, Profile, Shown};
use super::selector::{Selector, Subject};
use crate::catalog::{Catalog, Deed, History};
use crate::error::{Error, Result};
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
    exclusions: Cow<'a, Exclusions>,
}

/// The exclusions of a profile, their conditions evaluated for the items of an archive.
///
/// Worth keeping between requests where a profile excludes by conditions: they change only with a
/// word about exclusion. They hold for the profile and the archive that they were made of.
#[derive(Clone, Default)]
pub struct Exclusions {
    all: Vec<Exclusion>,
}

/// An exclusion in force.
#[derive(Clone)]
struct Exclusion {
    selector: Selector,
    forgets: bool,
    /// The items for which the selector's condition is true, if it has one.
    items: Option<ItemSet>,
}

impl Exclusions {
    /// The exclusions in force. Cost: a walk over the profile, and one evaluation of each
    /// condition.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns. A condition that does not compile for this archive
    /// (another one had the column) selects nothing.
    pub fn of(profile: &Profile, index: &Index) -> Result<Self> {
        let catalog = Catalog::new(index);
        let exclusion = |(selector, forgets): (&Selector, bool)| {
            let items = match selector.where_.as_deref().map(|program| catalog.select(program)) {
                Some(Err(Error::Filter { .. })) => Some(ItemSet::empty(index.len())),
                other => other.transpose()?,
            };
            Ok(Exclusion { selector: selector.clone(), forgets, items })
        };
        Ok(Self { all: profile.exclusions().map(exclusion).collect::<Result<_>>()? })
    }
}

impl<'a> Past<'a> {
    /// The past that a profile records, for an archive. Cost and errors: those of
    /// [`Exclusions::of`].
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns.
    pub fn of(profile: &'a Profile, index: &'a Index) -> Result<Self> {
        let exclusions = Cow::Owned(Exclusions::of(profile, index)?);
        Ok(Self { profile, index, exclusions })
    }

    /// The same with exclusions that were made before, of this profile and this archive.
    #[must_use]
    pub const fn with(profile: &'a Profile, index: &'a Index, exclusions: &'a Exclusions) -> Self {
        Self { profile, index, exclusions: Cow::Borrowed(exclusions) }
    }

    /// Interactions that count towards taste, in canonical order, with their times.
    pub fn for_taste(&self) -> impl Iterator<Item = (i64, &'a Interaction)> {
        self.interactions(|i| i.taste, |_| true)
    }

    /// Ids of the items that the person knows. Exclusion from taste leaves them known, unless it
    /// was asked to forget.
    pub fn seen(&self) -> impl Iterator<Item = &'a str> {
        self.interactions(|i| i.kind.is_seen(), |e| e.forgets).map(|(_, i)| i.item.as_str())
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
                    !self.is_excluded(impression(at_ms, shown, placed), |_| true)
                })
                .map(move |placed| (at_ms, shown, placed))
        })
    }

    /// Interactions of a sort, less those that exclusions of a sort select.
    fn interactions(
        &self,
        is_wanted: fn(&Interaction) -> bool,
        is_heeded: fn(&Exclusion) -> bool,
    ) -> impl Iterator<Item = (i64, &'a Interaction)> {
        self.profile.entries().filter_map(move |entry| match &entry.event {
            Event::Interaction(i)
                if is_wanted(i) && !self.is_excluded(deed(entry.time(), i), is_heeded) =>
            {
                Some((entry.time(), i))
            }
            _ => None,
        })
    }

    fn is_excluded(&self, subject: Subject<'_>, is_heeded: fn(&Exclusion) -> bool) -> bool {
        self.exclusions.all.iter().any(|exclusion| {
            is_heeded(exclusion)
                && exclusion.selector.selects(subject, || {
                    // A damaged id finds nothing here and is reported where the item is used.
                    exclusion.items.as_ref().is_some_and(|items| {
                        let item = self.index.ordinal(subject.item).ok().flatten();
                        item.is_some_and(|item| items.contains(item))
                    })
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
        let mut pass = |subject: Subject<'_>, kind: Kind, weight: f64| {
            if !self.is_excluded(subject, |e| e.forgets)
                && let Some(item) = self.index.ordinal(subject.item)?
            {
                visit(Deed { item, kind, at_ms: subject.at_ms, weight });
            }
            Ok(())
        };
        for entry in self.profile.entries() {
            let at_ms = entry.time();
            match &entry.event {
                Event::Interaction(i) => {
                    let weight = i.weight.or(i.kind.default_weight()).unwrap_or(0.0);
                    pass(deed(at_ms, i), i.kind, weight)?;
                }
                Event::Shown(shown) => {
                    for placed in &shown.items {
                        pass(impression(at_ms, shown, placed), Kind::Impression, 0.0)?;
                    }
                }
                Event::Exclude { .. } | Event::Include { .. } => {}
            }
        }
        Ok(())
    }
}
