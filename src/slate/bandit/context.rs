//! From the key-value pairs of a context to the positions of a feature vector.

use crate::ids::{Ordinal, Scored};
use crate::ordering::sort_best_first;

/// Most features, with the one that is always on.
pub const MAX_FEATURES: usize = 64;

/// What is told of the moment: pairs like `("hour", "17")`, `("device", "phone")`.
pub type Context = [(String, String)];

/// Quarters of a day: 6 hours each, from midnight.
const QUARTERS: [&str; 4] = ["night", "morning", "afternoon", "evening"];

/// The value that a feature stands for: an hour of 0 to 23 counts as its quarter of the day, since
/// what was learned at 8 should serve at 9; every other value stands for itself.
fn bucket<'a>(key: &str, value: &'a str) -> &'a str {
    match value.parse::<usize>() {
        Ok(hour) if key == "hour" && hour < 24 => QUARTERS[hour / 6],
        _ => value,
    }
}

/// The pairs of a log, one feature each. Position 0 is always on.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// In order, each with the number of rounds it occurred in and its feature: that is `None`
    /// for pairs beyond [`MAX_FEATURES`], which are known but say nothing.
    pairs: Vec<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    key: String,
    value: String,
    n_rounds: u32,
    feature: Option<usize>,
}

/// A context as its features that are on, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encoded {
    pub features: Vec<usize>,
    /// How many of its pairs no round ever had.
    pub n_unknown: usize,
}

impl Vocabulary {
    /// Of these contexts. Their order makes no difference: features are numbered by key and
    /// value, and of too many pairs those of most rounds are kept, equal ones by key and value.
    pub fn of<'a>(contexts: impl Iterator<Item = &'a Context>) -> Self {
        let mut vocabulary = Self::default();
        for context in contexts {
            for_each_pair(context, |key, value| match vocabulary.find(key, value) {
                Ok(at) => vocabulary.pairs[at].n_rounds += 1,
                Err(at) => {
                    let (key, value) = (key.to_owned(), value.to_owned());
                    vocabulary.pairs.insert(at, Known { key, value, n_rounds: 1, feature: None });
                }
            });
        }
        let mut order: Vec<Scored> = (0..)
            .zip(&vocabulary.pairs)
            .map(|(i, p)| Scored { ordinal: Ordinal(i), score: f64::from(p.n_rounds) })
            .collect();
        sort_best_first(&mut order);
        for kept in order.iter().take(MAX_FEATURES - 1) {
            vocabulary.pairs[kept.ordinal.index()].feature = Some(0);
        }
        let kept = vocabulary.pairs.iter_mut().filter_map(|p| p.feature.as_mut());
        (1..).zip(kept).for_each(|(feature, kept)| *kept = feature);
        vocabulary
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        1 + self.pairs.len().min(MAX_FEATURES - 1)
    }

    fn find(&self, key: &str, value: &str) -> Result<usize, usize> {
        self.pairs.binary_search_by(|p| {
            p.key.as_str().cmp(key).then_with(|| p.value.as_str().cmp(value))
        })
    }

    pub fn encode(&self, context: &Context) -> Encoded {
        let mut encoded = Encoded { features: vec![0], n_unknown: 0 };
        for_each_pair(context, |key, value| match self.find(key, value) {
            Err(_) => encoded.n_unknown += 1,
            Ok(at) => {
                if let Some(feature) = self.pairs[at].feature {
                    let place = encoded.features.partition_point(|f| *f < feature);
                    encoded.features.insert(place, feature);
                }
            }
        });
        encoded
    }
}

/// Each pair of a context once, as its feature means it.
fn for_each_pair(context: &Context, mut visit: impl FnMut(&str, &str)) {
    let pair = |i: usize| (context[i].0.as_str(), bucket(&context[i].0, &context[i].1));
    for i in 0..context.len() {
        if (0..i).all(|earlier| pair(earlier) != pair(i)) {
            let (key, value) = pair(i);
            visit(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn context(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn hours_are_quarters_of_a_day() {
        let of = |hour: &str| bucket("hour", hour).to_owned();
        assert_eq!([of("0"), of("5"), of("6")], ["night", "night", "morning"]);
        assert_eq!([of("17"), of("18"), of("23")], ["afternoon", "evening", "evening"]);
        assert_eq!([of("24"), of("late"), of("")], ["24", "late", ""]);
        assert_eq!(bucket("weekday", "3"), "3");
    }

    #[test]
    fn pairs_have_places_whatever_their_order() {
        let a = context(&[("device", "phone"), ("hour", "8"), ("hour", "9")]);
        let b = context(&[("hour", "20"), ("device", "tv")]);
        let forth = Vocabulary::of([&a[..], &b[..]].into_iter());
        let back = Vocabulary::of([&b[..], &a[..]].into_iter());
        assert_eq!(forth.len(), 5, "always, phone, tv, evening, morning");
        for vocabulary in [forth, back] {
            let expected = Encoded { features: vec![0, 1, 4], n_unknown: 0 };
            assert_eq!(vocabulary.encode(&a), expected);
            let strange = context(&[("hour", "19"), ("mood", "blue"), ("mood", "blue")]);
            let expected = Encoded { features: vec![0, 3], n_unknown: 1 };
            assert_eq!(vocabulary.encode(&strange), expected);
        }
    }

    #[test]
    fn of_too_many_pairs_the_frequent_ones_count() {
        let often = context(&[("device", "phone")]);
        let mut log: Vec<Vec<(String, String)>> =
            (0..200).map(|i| context(&[("session", &format!("{i:03}"))])).collect();
        log.extend([often.clone(), often.clone()]);
        let vocabulary = Vocabulary::of(log.iter().map(Vec::as_slice));
        assert_eq!(vocabulary.len(), MAX_FEATURES);
        assert_eq!(vocabulary.encode(&often).features, [0, 1]);
        assert_eq!(vocabulary.encode(&log[61]).features, [0, 63]);
        let beyond = Encoded { features: vec![0], n_unknown: 0 };
        assert_eq!(vocabulary.encode(&log[62]), beyond, "seen, but without a place");
    }
}
