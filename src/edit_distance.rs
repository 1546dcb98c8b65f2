//! Typing errors between two texts: the optimal string alignment distance, in which an insertion,
//! a deletion, a replacement and a swap of neighbours count one each (Damerau 1964).
//!
//! It is computed a row at a time, so that a walk over sorted words can share the rows of their
//! common prefixes. (A Levenshtein automaton from a library does the same with several times
//! the code, which every page would have to download.)

/// One row of the table: entry `j` is the distance between the text read so far and the first
/// `j` characters of the key.
#[derive(Clone, Debug)]
pub struct Row {
    distances: Vec<u32>,
    last: Option<char>,
}

impl Row {
    /// The row of the empty text.
    #[must_use]
    pub fn first(key: &[char]) -> Self {
        Self { distances: (0..=key.len() as u32).collect(), last: None }
    }

    /// The row after one more character. `before` is the row before `self`, if there is one.
    #[must_use]
    pub fn next(&self, before: Option<&Self>, key: &[char], c: char) -> Self {
        let mut distances = Vec::with_capacity(key.len() + 1);
        distances.push(self.distances[0] + 1);
        for (j, k) in key.iter().enumerate() {
            let replaced = self.distances[j] + u32::from(*k != c);
            let mut least = replaced.min(self.distances[j + 1] + 1).min(distances[j] + 1);
            if let Some(before) = before
                && j > 0
                && self.last == Some(*k)
                && key[j - 1] == c
            {
                least = least.min(before.distances[j - 1] + 1);
            }
            distances.push(least);
        }
        Self { distances, last: Some(c) }
    }

    /// The distance of the text read so far to the whole key.
    #[must_use]
    pub fn distance(&self) -> u32 {
        self.distances[self.distances.len() - 1]
    }

    /// The least distance to any beginning of the key: no longer text comes closer than this, but
    /// for a swap that the row before may still begin.
    #[must_use]
    pub fn least(&self) -> u32 {
        self.distances.iter().copied().min().unwrap_or(0)
    }
}

/// The distance between two texts. Cost: product of their lengths.
#[must_use]
pub fn edit_distance(text: &str, key: &str) -> u32 {
    let key: Vec<char> = key.chars().collect();
    let mut before = None;
    let mut row = Row::first(&key);
    for c in text.chars() {
        let next = row.next(before.as_ref(), &key, c);
        before = Some(std::mem::replace(&mut row, next));
    }
    row.distance()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn counts_typing_errors() {
        for (a, b, n) in [
            ("", "", 0),
            ("", "abc", 3),
            ("genre", "genres", 1),
            ("yaer", "year", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
            ("七人", "七入", 1),
        ] {
            assert_eq!(edit_distance(a, b), n, "{a} {b}");
            assert_eq!(edit_distance(b, a), n, "{b} {a}");
        }
    }
}
