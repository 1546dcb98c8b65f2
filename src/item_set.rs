//! A set of items of one archive: what a predicate selects, what a search may return.

use std::ops::Range;

use crate::ids::Ordinal;

/// A bitmap over the ordinals of one archive, 32 items a word: one word for one block of codes,
/// so that a search skips a whole block by looking at one word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemSet {
    words: Vec<u32>,
    len: usize,
    /// Number of bits that are set.
    count: usize,
}

impl ItemSet {
    /// No item of an archive with `len` items.
    #[must_use]
    pub fn empty(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(32)], len, count: 0 }
    }

    /// Every item of an archive with `len` items.
    #[must_use]
    pub fn full(len: usize) -> Self {
        let mut set = Self::empty(len);
        set.fill();
        set
    }

    /// Takes every item out, and makes it a set over `len` items.
    pub fn reset(&mut self, len: usize) {
        self.words.clear();
        self.words.resize(len.div_ceil(32), 0);
        (self.len, self.count) = (len, 0);
    }

    /// Makes it the set of every item of an archive with `len` items. Costs nothing where it is that
    /// already, as it is for most requests.
    pub fn refill(&mut self, len: usize) {
        if (self.len, self.count) != (len, len) {
            self.reset(len);
            self.fill();
        }
    }

    /// Puts every item in.
    pub fn fill(&mut self) {
        self.words.fill(u32::MAX);
        self.clear_tail();
        self.count = self.len;
    }

    /// The items for which `contains` is true, asked once each in ascending order.
    #[must_use]
    pub fn from_fn(len: usize, mut contains: impl FnMut(usize) -> bool) -> Self {
        let mut set = Self::empty(len);
        for (w, word) in set.words.iter_mut().enumerate() {
            for bit in 0..32.min(len - 32 * w) {
                *word |= u32::from(contains(32 * w + bit)) << bit;
            }
        }
        set.recount();
        set
    }

    /// Bits behind the last item stay zero, so that counts and scans need no special case.
    fn clear_tail(&mut self) {
        if let (Some(last), tail @ 1..) = (self.words.last_mut(), self.len % 32) {
            *last &= (1 << tail) - 1;
        }
    }

    /// Adds an item; one outside the archive is ignored.
    #[inline]
    pub fn insert(&mut self, item: Ordinal) {
        if item.index() < self.len {
            let word = &mut self.words[item.index() / 32];
            self.count += (!*word >> (item.0 % 32) & 1) as usize;
            *word |= 1 << (item.0 % 32);
        }
    }

    /// Takes an item out; one outside the archive is ignored.
    #[inline]
    pub fn remove(&mut self, item: Ordinal) {
        if item.index() < self.len {
            let word = &mut self.words[item.index() / 32];
            self.count -= (*word >> (item.0 % 32) & 1) as usize;
            *word &= !(1 << (item.0 % 32));
        }
    }

    /// Whether the item is in the set.
    #[inline]
    #[must_use]
    pub fn contains(&self, item: Ordinal) -> bool {
        item.index() < self.len && self.words[item.index() / 32] >> (item.0 % 32) & 1 == 1
    }

    /// Exchanges a word of the bitmap; bits behind the last item are ignored.
    #[inline]
    pub(crate) fn set_word(&mut self, at: usize, word: u32) {
        let tail = (32 * at + 32).saturating_sub(self.len).min(32) as u32;
        let word = word & u32::MAX.checked_shr(tail).unwrap_or(0);
        let old = std::mem::replace(&mut self.words[at], word);
        self.count = self.count - old.count_ones() as usize + word.count_ones() as usize;
    }

    /// Keeps only what is in `other` too, a set over the same archive.
    pub fn intersect(&mut self, other: &Self) {
        debug_assert_eq!(self.len, other.len);
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a &= b;
        }
        self.recount();
    }

    /// Adds all of `other`, a set over the same archive.
    pub fn union(&mut self, other: &Self) {
        debug_assert_eq!(self.len, other.len);
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a |= b;
        }
        self.recount();
    }

    /// Turns the set into its complement.
    pub fn invert(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        self.clear_tail();
        self.count = self.len - self.count;
    }

    /// The words of a range of ordinals that lies inside the archive, without bits of other items.
    #[inline]
    fn words_in(&self, range: Range<usize>) -> impl Iterator<Item = u32> {
        let words = range.start / 32..range.end.div_ceil(32).max(range.start / 32);
        words.clone().zip(&self.words[words]).map(move |(at, word)| {
            let low = u32::MAX << range.start.saturating_sub(32 * at);
            let n_above = (32 * at + 32).saturating_sub(range.end);
            if range.is_empty() { 0 } else { word & low & u32::MAX >> n_above }
        })
    }

    /// Whether the set holds an item of this range of ordinals, which lies inside the archive.
    #[inline]
    #[must_use]
    pub fn any_in(&self, range: Range<usize>) -> bool {
        self.words_in(range).any(|word| word != 0)
    }

    /// How many items of this range of ordinals, which lies inside the archive, the set holds.
    #[inline]
    #[must_use]
    pub fn count_in(&self, range: Range<usize>) -> usize {
        self.words_in(range).map(|word| word.count_ones() as usize).sum()
    }

    fn recount(&mut self) {
        self.count = self.words.iter().map(|w| w.count_ones() as usize).sum();
    }

    /// Number of items in the set. Kept, not counted.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Number of items of the archive that the set is over.
    #[must_use]
    pub const fn universe(&self) -> usize {
        self.len
    }

    /// The bitmap: bit `i % 32` of word `i / 32` is item `i`.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// Lets `change` take items out of the bitmap word by word. Bits may be cleared only.
    pub(crate) fn change_words<E>(
        &mut self,
        change: impl FnOnce(&mut [u32]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let result = change(&mut self.words);
        self.recount();
        result
    }

    /// Becomes a copy of `other`, in the memory it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.words.clone_from(&other.words);
        (self.len, self.count) = (other.len, other.count);
    }

    /// The items in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Ordinal> + '_ {
        self.words.iter().enumerate().flat_map(|(w, word)| {
            std::iter::successors((*word != 0).then_some(*word), |word| {
                let rest = word & (word - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |word| Ordinal(32 * w as u32 + word.trailing_zeros()))
        })
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn agrees_with_a_plain_list_at_ugly_sizes() {
        for len in [0, 1, 31, 32, 33, 64, 100] {
            let set = ItemSet::from_fn(len, |i| i % 3 == 0);
            let expected: Vec<usize> = (0..len).filter(|i| i % 3 == 0).collect();
            assert_eq!(set.iter().map(Ordinal::index).collect::<Vec<_>>(), expected);
            assert_eq!(set.count(), expected.len());
            for (start, end) in
                [(0, 0), (0, len), (len / 3, len / 2), (len / 2, len), (len / 3, 2 * len / 3)]
            {
                let inside = expected.iter().filter(|i| (start..end).contains(*i)).count();
                assert_eq!(set.count_in(start..end), inside, "{start} to {end} of {len}");
                assert_eq!(set.any_in(start..end), inside > 0);
            }
            let mut rest = set.clone();
            rest.invert();
            assert_eq!(rest.count() + set.count(), len);
            rest.union(&set);
            assert_eq!(rest, ItemSet::full(len));
            for mut other in [ItemSet::empty(len), ItemSet::full(len), ItemSet::full(len + 40)] {
                other.refill(len);
                assert_eq!(other, ItemSet::full(len));
            }
            rest.intersect(&set);
            assert_eq!(rest, set);
            rest.insert(Ordinal(len as u32));
            assert!(!rest.contains(Ordinal(len as u32)));
        }
    }
}
