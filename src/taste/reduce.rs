//! From a log to one net weight and one decay an item.

use super::decay::TasteOptions;
use super::history::Past;
use crate::ids::Ordinal;
use crate::kind::Kind;

/// What a person's history says of one item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryItem {
    /// The item.
    pub item: Ordinal,
    /// What was last done with it.
    pub kind: Kind,
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// Net weight: what was done with it adds up, to the last opinion stated of it. Not 0.
    pub weight: f64,
    /// How much of that counts, above 0 and at most 1.
    pub decay: f64,
    /// Number of interactions that it was reduced from.
    pub n_interactions: u32,
}

impl HistoryItem {
    /// Its decayed weight.
    #[must_use]
    pub fn mass(&self) -> f64 {
        self.weight * self.decay
    }
}

/// An interaction that counts, with an item of the archive.
#[derive(Clone, Copy)]
pub(super) struct Deed {
    item: Ordinal,
    kind: Kind,
    at_ms: i64,
    weight: f64,
    /// How much of it counts: see [`TasteOptions`].
    pub(super) factor: f64,
    pub(super) age_hours: i64,
}

/// The interactions that count, in canonical order. Those with items that the archive does not
/// have are left out, and those that count for nothing: it is as if they had never been.
pub(super) fn deeds(past: &Past<'_>, options: &TasteOptions) -> Vec<Deed> {
    let mut deeds = Vec::new();
    // A power of two each, but for those of one kind in one hour, which often follow each other.
    let mut last = (Kind::Like, 0, options.fading(Kind::Like, 0));
    for (at_ms, item, interaction) in past.for_taste() {
        let kind = interaction.kind;
        let weight = interaction.weight.or(kind.default_weight()).unwrap_or(0.0);
        let age_hours = options.age_hours(at_ms);
        if (last.0, last.1) != (kind, age_hours) {
            last = (kind, age_hours, options.fading(kind, age_hours));
        }
        let factor = options.factor(interaction, last.2);
        if weight != 0.0 && factor > 0.0 {
            deeds.push(Deed { item, kind, at_ms, weight, factor, age_hours });
        }
    }
    deeds
}

/// The history as one net weight and one decay an item, in the order of each item's first
/// interaction. Items whose weights cancel are left out.
///
/// An item's decay is the largest factor among the interactions that make up its weight, and they
/// weigh by their factors relative to it. So weights are untouched where all factors are equal;
/// an interaction whose factor goes to 0 goes as if it had never been, while the item keeps what
/// the others say; and an item all of whose factors go to 0 goes as a whole.
///
/// Cost: `n`, for a history of any shape.
pub(super) fn reduce(deeds: &[Deed]) -> Vec<HistoryItem> {
    let mut items: Vec<Option<HistoryItem>> = vec![None; deeds.len()];
    let item = |at: &u32| deeds[*at as usize].item;
    let order = by_item(&deeds.iter().map(|d| d.item).collect::<Vec<_>>());
    for run in order.chunk_by(|a, b| item(a) == item(b)) {
        let deeds = || run.iter().map(|at| &deeds[*at as usize]);
        // A statement replaces those before it.
        let said = deeds().rfind(|d| d.kind.is_statement());
        let done = || deeds().filter(|d| !d.kind.is_statement());
        let decay = done().chain(said).fold(0.0, |most: f64, d| most.max(d.factor));
        let weight = done().chain(said).map(|d| d.weight * (d.factor / decay)).sum();
        let (Some(first), Some(last)) = (run.first(), deeds().next_back()) else { continue };
        if weight != 0.0 {
            items[*first as usize] = Some(HistoryItem {
                item: last.item,
                kind: last.kind,
                at_ms: last.at_ms,
                weight,
                decay,
                n_interactions: run.len() as u32,
            });
        }
    }
    items.into_iter().flatten().collect()
}

/// Positions by item, within an item ascending: at most three rounds of a stable radix sort, 11
/// bits of the ordinal each. Costs `n` for a history of any shape.
#[inline(never)]
pub(super) fn by_item(items: &[Ordinal]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..items.len() as u32).collect();
    let mut next = order.clone();
    let all_bits = items.iter().fold(0, |bits, item| bits | item.0);
    for shift in [0, 11, 22].into_iter().take_while(|shift| all_bits >> shift > 0) {
        let digit = |at: u32| (items[at as usize].0 >> shift) as usize % 2048;
        let mut places = [0usize; 2048];
        order.iter().for_each(|at| places[digit(*at)] += 1);
        let mut end = 0;
        for count in &mut places {
            (*count, end) = (end, end + *count);
        }
        for at in &order {
            let place = &mut places[digit(*at)];
            next[*place] = *at;
            *place += 1;
        }
        std::mem::swap(&mut order, &mut next);
    }
    order
}
