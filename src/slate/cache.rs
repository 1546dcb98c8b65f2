//! Bitmaps of conditions that are asked again and again: a page keeps its filters while a person
//! scrolls, likes and types.

use crate::catalog::{Catalog, Expr, Predicate, Scope};
use crate::error::Result;
use crate::item_set::ItemSet;

/// Most bitmaps that are kept. A page has a handful of shelves and menus.
const MAX_SETS: usize = 16;
/// Most bytes of bitmaps that are kept: sixteen for a million items. One set is always kept.
const MAX_BYTES: usize = 2 << 20;

/// Sets of items by the program that selects them, the latest used last.
///
/// The key is the program as it was written, and its parameters as they were: a program in two
/// spellings is kept twice, and in return nothing is parsed to find it again. A set is used as long
/// as compiling the program anew would give the same: until the profile changes, where it asks for
/// history, and for those moments for which its ages and durations come out alike.
#[derive(Default)]
pub(super) struct Cache {
    kept: Vec<Kept>,
}

struct Kept {
    program: String,
    params: Option<String>,
    uses_history: bool,
    holds: (i64, i64),
    set: ItemSet,
}

impl Cache {
    /// The items for which a program is true.
    pub(super) fn select(
        &mut self,
        catalog: Catalog<'_>,
        program: &str,
        scope: &Scope<'_>,
    ) -> Result<&ItemSet> {
        let place = self.kept.iter().position(|kept| {
            kept.program == program
                && kept.params.as_deref() == scope.params
                && scope.now_ms.is_none_or(|now| (kept.holds.0..kept.holds.1).contains(&now))
                // What was made with a moment says nothing about a request without one.
                && (scope.now_ms.is_some() || kept.holds == ALWAYS)
        });
        let kept = match place {
            Some(place) => self.kept.remove(place),
            None => {
                let predicate = Predicate::compile(catalog, &Expr::read(program)?, scope)?;
                Kept {
                    program: program.to_owned(),
                    params: scope.params.map(str::to_owned),
                    uses_history: predicate.uses_history(),
                    holds: predicate.holds_for(),
                    set: predicate.select(catalog)?,
                }
            }
        };
        let bytes = 4 * kept.set.words().len();
        let most = MAX_SETS.min(MAX_BYTES / bytes.max(1)).max(1);
        while self.kept.len() >= most {
            self.kept.remove(0);
        }
        self.kept.push(kept);
        Ok(&self.kept[self.kept.len() - 1].set)
    }

    /// Forgets what depends on the profile, which has changed.
    pub(super) fn profile_changed(&mut self) {
        self.kept.retain(|kept| !kept.uses_history);
    }
}

const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);
