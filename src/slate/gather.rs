//! Candidates: the items that an answer is made from.
//!
//! What scores best by taste is found by search. Whatever else can lift an item (popularity, a
//! boost, a quota, an editor) brings its own candidates, so that what a request asks for is not
//! limited by what taste alone would have brought up.

use crate::error::Result;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;
use crate::search::{Effort, Query, Searcher};

/// Candidates as they come in, each once.
pub(super) struct Gathered {
    /// In the order in which they came in; the best by taste first, where a search found them.
    pub(super) items: Vec<Ordinal>,
    /// For each of them the interest that found it, and the score there.
    pub(super) interest_of: Vec<Option<(usize, f64)>>,
    /// Those in `items`, as a set.
    taken: ItemSet,
}

impl Gathered {
    pub(super) fn new(index: &Index) -> Self {
        Self { items: Vec::new(), interest_of: Vec::new(), taken: ItemSet::empty(index.len()) }
    }

    /// Adds an item, unless it is there. `true` where it is new.
    pub(super) fn add(&mut self, item: Ordinal) -> bool {
        let is_new = !self.taken.contains(item);
        if is_new {
            self.taken.insert(item);
            self.items.push(item);
            self.interest_of.push(None);
        }
        is_new
    }

    pub(super) fn add_all(&mut self, items: impl IntoIterator<Item = Ordinal>) {
        for item in items {
            self.add(item);
        }
    }

    /// Adds what the searches for several interests found; an item belongs to the interest that
    /// scores it highest, the earlier one of equals.
    pub(super) fn add_interest(&mut self, interest: usize, found: &[Scored]) {
        for Scored { ordinal, score } in found {
            let place = match self.add(*ordinal) {
                true => self.items.len() - 1,
                // Rare enough to be looked for: interests overlap little.
                false => match self.items.iter().position(|item| item == ordinal) {
                    Some(place) => place,
                    None => continue,
                },
            };
            let known = &mut self.interest_of[place];
            if known.is_none_or(|(_, best)| *score > best) {
                *known = Some((interest, *score));
            }
        }
    }

    /// Adds the best `n` of a part of the allowed items by taste.
    pub(super) fn add_best_within(
        &mut self,
        index: &Index,
        searcher: &mut Searcher,
        query: &Query,
        (n, within): (usize, &ItemSet),
        effort: Effort,
    ) -> Result<()> {
        let found = searcher.search(index, query, n, within, effort);
        for scored in found {
            self.add(scored.ordinal);
        }
        Ok(())
    }

    /// Adds allowed items in the order of the archive until there are `n`: where nothing brings
    /// candidates, an answer comes all the same.
    pub(super) fn fill(&mut self, allowed: &ItemSet, n: usize) {
        for item in allowed.iter() {
            if self.items.len() >= n {
                return;
            }
            self.add(item);
        }
    }
}
