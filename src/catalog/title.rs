//! Title lookup by prefix, with small typing errors.
//!
//! The archive holds every position where a word of a title begins, sorted by the text from there
//! on: a prefix is a binary search. With typing errors, the same sorted positions are walked like
//! a trie, one row of the edit distance table a character, and whole ranges are left out where no
//! continuation can come close enough.
//!
//! A finite-state transducer would be smaller, but readers of those trust their bytes and panic
//! on hostile ones; sorted positions can be read with checked access throughout.

use std::ops::Range;

use super::Catalog;
use crate::edit_distance::Row;
use crate::error::{Error, Result};
use crate::folding::fold_title;
use crate::ids::{Ordinal, Scored};
use crate::item_set::ItemSet;
use crate::ordering::sort_best_first;

/// An item whose title matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TitleMatch {
    /// The item.
    pub item: Ordinal,
    /// Typing errors (insertions, deletions, replacements, neighbours swapped): 0 to 2.
    pub n_errors: u32,
}

const DAMAGED: Error = Error::corrupt("titles", "words point into titles of this archive");

/// Longest text that is looked up, in characters: what is longer is no title that somebody types.
const MAX_CHARS: usize = 200;

/// The lookup's arrays.
struct Lookup<'a> {
    starts: &'a [u32],
    words: &'a [u32],
    bytes: &'a [u8],
}

impl Lookup<'_> {
    /// The title's text from a word on, as far as the title goes, with item and position.
    fn word(&self, at: usize) -> Result<(usize, usize, &[u8])> {
        let position = *self.words.get(at).ok_or(DAMAGED)?;
        // The last start at or before the position.
        let item =
            self.starts.partition_point(|s| *s <= position).checked_sub(1).ok_or(DAMAGED)?;
        let end = *self.starts.get(item + 1).ok_or(DAMAGED)? as usize;
        let text = self.bytes.get(position as usize..end).ok_or(DAMAGED)?;
        let start = self.starts[item];
        Ok((item, position.checked_sub(start).ok_or(DAMAGED)? as usize, text))
    }

    /// First index in `low..high` whose word is not `before`.
    fn bisect(
        &self,
        mut low: usize,
        mut high: usize,
        before: impl Fn(&[u8]) -> bool,
    ) -> Result<usize> {
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self.word(middle)?.2) { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }
}

pub(super) fn find(
    catalog: Catalog<'_>,
    text: &str,
    k: usize,
    allowed: &ItemSet,
) -> Result<Vec<TitleMatch>> {
    if catalog.index.title_field()?.is_none() {
        return Err(Error::Unsupported {
            what: "title lookup in an archive without titles".into(),
            remedy: "name the title column when building it".into(),
        });
    }
    let n_chars = text.chars().count();
    if n_chars > MAX_CHARS {
        return Err(Error::arg("text", format!("at most {MAX_CHARS} characters"), n_chars));
    }
    let key = fold_title(text.chars());
    if key.is_empty() || k == 0 {
        return Ok(Vec::new());
    }
    let (starts, words, bytes) = catalog.index.titles()?;
    let lookup = Lookup { starts, words, bytes };
    let prefix = prefix_range(&lookup, key.as_bytes())?;
    let mut found = vec![(prefix, 0)];
    let exact = rank(catalog, &lookup, &found, &key, k, allowed)?;
    let chars: Vec<char> = key.chars().collect();
    let most_errors = match chars.len() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    if most_errors == 0 || exact.len() >= k {
        return Ok(exact);
    }
    let start = Step { depth: 0, before: None, row: Row::first(&chars), best: u32::MAX };
    Walk { lookup: &lookup, key: &chars, allowed: most_errors, found: &mut found }
        .step(0..words.len(), &start)?;
    rank(catalog, &lookup, &found, &key, k, allowed)
}

/// The words that begin with `key`.
fn prefix_range(lookup: &Lookup<'_>, key: &[u8]) -> Result<Range<usize>> {
    let start = lookup.bisect(0, lookup.words.len(), |word| word < key)?;
    let end = lookup.bisect(start, lookup.words.len(), |word| word.starts_with(key))?;
    Ok(start..end)
}

/// A walk over all words that come within `allowed` typing errors of beginning with the key.
struct Walk<'a> {
    lookup: &'a Lookup<'a>,
    key: &'a [char],
    allowed: u32,
    /// Ranges of words with their number of typing errors.
    found: &'a mut Vec<(Range<usize>, u32)>,
}

/// Where the walk stands: behind `depth` bytes that a range of words shares.
struct Step<'a> {
    depth: usize,
    before: Option<&'a Row>,
    row: Row,
    /// The least distance of any beginning of the shared bytes to the key.
    best: u32,
}

impl Walk<'_> {
    fn step(&mut self, range: Range<usize>, step: &Step<'_>) -> Result<()> {
        let best = step.best.min(step.row.distance());
        // A swap reaches back two rows, so the row before may still matter.
        let within =
            |row: &Row, more: u32| row.least() + more <= self.allowed.min(best.max(1) - 1);
        let goes_on = within(&step.row, 0) || step.before.is_some_and(|b| within(b, 1));
        if !goes_on {
            if best <= self.allowed {
                self.found.push((range, best));
            }
            return Ok(());
        }
        // Words that end here come first.
        let mut at =
            self.lookup.bisect(range.start, range.end, |word| word.len() <= step.depth)?;
        if best <= self.allowed && at > range.start {
            self.found.push((range.start..at, best));
        }
        while at < range.end {
            let rest = self.lookup.word(at)?.2.get(step.depth..).filter(|rest| !rest.is_empty());
            let (c, bytes) = first_char(rest.ok_or(DAMAGED)?);
            let shared = step.depth..step.depth + bytes.len();
            let end =
                self.lookup.bisect(at, range.end, |w| w.get(shared.clone()) == Some(bytes))?;
            // In a hostile file the words may not be sorted; each step must still make progress.
            let end = end.max(at + 1);
            let row = step.row.next(step.before, self.key, c);
            let next = Step { depth: shared.end, before: Some(&step.row), row, best };
            self.step(at..end, &next)?;
            at = end;
        }
        Ok(())
    }
}

/// The first character of a text that is not empty, with its bytes. What is no UTF-8 counts byte
/// by byte as a character that nobody types.
fn first_char(text: &[u8]) -> (char, &[u8]) {
    let width = match text.first() {
        Some(0xC0..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..) => 4,
        _ => 1,
    };
    let bytes = text.get(..width).unwrap_or(&text[..1]);
    match std::str::from_utf8(bytes).ok().and_then(|s| s.chars().next()) {
        Some(c) => (c, bytes),
        None => (char::REPLACEMENT_CHARACTER, &text[..1]),
    }
}

/// The best `k` allowed items of the matching words: see [`Catalog::find`] for the order.
fn rank(
    catalog: Catalog<'_>,
    lookup: &Lookup<'_>,
    ranges: &[(Range<usize>, u32)],
    key: &str,
    k: usize,
    allowed: &ItemSet,
) -> Result<Vec<TitleMatch>> {
    let mut matches = Vec::new();
    let mut left = allowed.clone();
    let has_prior = catalog.has_prior();
    for n_errors in 0..=2 {
        for class in [Place::Whole, Place::Beginning, Place::Later] {
            let mut members = Vec::new();
            for at in ranges.iter().filter(|r| r.1 == n_errors).flat_map(|r| r.0.clone()) {
                let (item, position, text) = lookup.word(at)?;
                let ordinal = Ordinal(item as u32);
                let place = match position {
                    0 if text == key.as_bytes() => Place::Whole,
                    0 => Place::Beginning,
                    _ => Place::Later,
                };
                if place != class || !left.contains(ordinal) {
                    continue;
                }
                left.remove(ordinal);
                let score = match has_prior {
                    true => catalog.prior(ordinal)?.unwrap_or(0.0),
                    false => -((position + text.len()) as f64),
                };
                members.push(Scored { ordinal, score });
            }
            sort_best_first(&mut members);
            let items = members.iter().map(|s| TitleMatch { item: s.ordinal, n_errors });
            matches.extend(items.take(k - matches.len()));
        }
    }
    Ok(matches)
}

/// Where in a title the match is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// It is the title.
    Whole,
    Beginning,
    /// A later word begins so.
    Later,
}
