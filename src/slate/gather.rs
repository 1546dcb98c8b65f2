//! Candidates: the items that an answer is made from.
//!
//! What scores best by taste is found by search. Whatever else can lift an item (popularity, a
//! boost, a quota, an editor) brings its own candidates, so that what a request asks for is not
//! limited by what taste alone would have brought up.

use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::load::Index;

/// Candidates as they come in, each once.
pub(super) struct Gathered {
    taken: ItemSet,
    n: usize,
    /// What the searches for interests found.
    finds: Vec<Find>,
}

struct Find {
    item: Ordinal,
    interest: usize,
    score: f64,
}

impl Gathered {
    pub(super) fn new(index: &Index) -> Self {
        Self { taken: ItemSet::empty(index.len()), n: 0, finds: Vec::new() }
    }

    pub(super) fn add(&mut self, items: impl IntoIterator<Item = Ordinal>) {
        for item in items {
            if !self.taken.contains(item) {
                self.taken.insert(item);
                self.n += 1;
            }
        }
    }

    /// Adds what the search for an interest found.
    pub(super) fn add_interest(&mut self, interest: usize, found: &[Scored]) {
        self.add(found.iter().map(|s| s.ordinal));
        let find = |s: &Scored| Find { item: s.ordinal, interest, score: s.score };
        self.finds.extend(found.iter().map(find));
    }

    /// Adds allowed items in the order of the archive until there are `n`: where nothing brings
    /// candidates, an answer comes all the same.
    pub(super) fn fill(&mut self, allowed: &ItemSet, n: usize) {
        for item in allowed.iter() {
            if self.n >= n {
                return;
            }
            self.add([item]);
        }
    }

    pub(super) fn contains(&self, item: Ordinal) -> bool {
        self.taken.contains(item)
    }

    /// All of them, by ordinal.
    pub(super) fn items(&self) -> Vec<Ordinal> {
        self.taken.iter().collect()
    }

    /// For each of `items`, which are by ordinal, the interest that found it with the highest
    /// score; the earlier one of equals.
    pub(super) fn interest_of(&self, items: &[Ordinal]) -> Vec<Option<usize>> {
        let mut best: Vec<Option<(usize, f64)>> = vec![None; items.len()];
        for find in &self.finds {
            if let Ok(at) = items.binary_search(&find.item)
                && best[at].is_none_or(|(_, score)| find.score > score)
            {
                best[at] = Some((find.interest, find.score));
            }
        }
        best.iter().map(|find| find.map(|(interest, _)| interest)).collect()
    }
}
