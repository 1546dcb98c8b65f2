//! A profile seen from one archive: which interactions count, now that the items are known.

use super::profile::{Interaction, Profile, Selector};
use crate::catalog::{Catalog, Deed, History};
use crate::error::{Error, Result};
use crate::item_set::ItemSet;
use crate::load::Index;

/// The interactions of a profile, with its exclusions applied to the items of an archive.
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
    exclusions: Vec<Exclusion<'a>>,
}

/// An exclusion in force.
struct Exclusion<'a> {
    selector: &'a Selector,
    forgets: bool,
    /// The items for which the selector's condition is true, if it has one.
    items: Option<ItemSet>,
}

impl<'a> Past<'a> {
    /// The past that a profile records, for an archive. Cost: one evaluation of each condition
    /// that is excluded by.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for damaged columns. A condition that does not compile for this archive
    /// (another one had the column) selects nothing.
    pub fn of(profile: &'a Profile, index: &'a Index) -> Result<Self> {
        let catalog = Catalog::new(index);
        let exclusion = |(selector, forgets): (&'a Selector, bool)| {
            let items = match selector.where_.as_deref().map(|program| catalog.select(program)) {
                Some(Err(Error::Filter { .. })) => Some(ItemSet::empty(index.len())),
                other => other.transpose()?,
            };
            Ok(Exclusion { selector, forgets, items })
        };
        let exclusions = profile.exclusions().into_iter().map(exclusion).collect::<Result<_>>()?;
        Ok(Self { profile, index, exclusions })
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

    /// Interactions of a sort, less those that exclusions of a sort select.
    fn interactions(
        &self,
        is_wanted: fn(&Interaction) -> bool,
        is_heeded: fn(&Exclusion<'_>) -> bool,
    ) -> impl Iterator<Item = (i64, &'a Interaction)> {
        self.profile.interactions().filter(move |(_, i)| {
            is_wanted(i) && !self.exclusions.iter().any(|e| is_heeded(e) && self.selects(e, i))
        })
    }

    fn selects(&self, exclusion: &Exclusion<'_>, interaction: &Interaction) -> bool {
        let is_among = exclusion.items.as_ref().is_some_and(|items| {
            // A damaged id finds nothing here and is reported where the item is used.
            self.index.ordinal(&interaction.item).ok().flatten().is_some_and(|o| items.contains(o))
        });
        exclusion.selector.selects(interaction, is_among)
    }
}

impl History for Past<'_> {
    fn each(&self, visit: &mut dyn FnMut(Deed)) -> Result<()> {
        for (at_ms, interaction) in self.interactions(|_| true, |e| e.forgets) {
            if let Some(item) = self.index.ordinal(&interaction.item)? {
                let kind = interaction.kind;
                let weight = interaction.weight.or(kind.default_weight()).unwrap_or(0.0);
                visit(Deed { item, kind, at_ms, weight });
            }
        }
        Ok(())
    }
}
