//! The one order of results, as a sort and a selection.
//!
//! Every list in the engine (candidates, titles, facets, shares) is brought to the order of
//! [`Scored::cmp_best_first`], so one small routine each serves all of them (and the scan, whose
//! scores and ordinals make one number). The standard library's are faster on large inputs, but weigh
//! 6 kB of WebAssembly for each type they sort; here inputs are a few hundred items, or are selected
//! first.

use crate::ids::Scored;

/// Gaps of Shell's sort by Ciura (2001), continued by the factor 2.25: no quadratic inputs at the
/// sizes that occur.
const GAPS: [usize; 20] = [
    8_000_000, 3_500_000, 1_500_000, 700_000, 300_000, 130_000, 59_000, 26_000, 11_700, 5_200,
    2_300, 1_050, 701, 301, 132, 57, 23, 10, 4, 1,
];

/// What is brought to an order that is total: no two are equal.
pub trait Ranked: Copy {
    /// Whether it comes before another. Without branches: in a selection every second one would be
    /// predicted wrongly, and that is most of what it costs.
    fn is_before(self, other: Self) -> bool;
}

impl Ranked for Scored {
    #[inline(always)]
    fn is_before(self, other: Self) -> bool {
        let (own, others) = (rising(self.score), rising(other.score));
        own > others || own == others && self.ordinal < other.ordinal
    }
}

/// Larger numbers first.
impl Ranked for u64 {
    #[inline(always)]
    fn is_before(self, other: Self) -> bool {
        self > other
    }
}

/// A score as an integer of the same order, that of [`f64::total_cmp`].
#[inline(always)]
fn rising(score: f64) -> i64 {
    let bits = score.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// Sorts: best first.
pub fn sort_best_first<T: Ranked>(items: &mut [T]) {
    for gap in GAPS {
        for i in gap..items.len() {
            let item = items[i];
            let mut at = i;
            while at >= gap && item.is_before(items[at - gap]) {
                items[at] = items[at - gap];
                at -= gap;
            }
            items[at] = item;
        }
    }
}

/// Brings the `keep` best to the front, in no order, with the last of them at `keep - 1`
/// (quickselect, Hoare 1961). `keep` is from 1 to the number of items.
pub fn select_best<T: Ranked>(items: &mut [T], keep: usize) {
    let (mut low, mut high) = (0, items.len());
    // Each round halves what is left unless pivots are unlucky; then sorting takes over, so that
    // no input costs more than a small factor.
    for _ in 0..2 * items.len().max(2).ilog2() {
        if high - low <= 16 {
            break;
        }
        let pivot = take_median(&mut items[low..high]);
        // What comes before the pivot goes to the front, by Lomuto's scheme, since that needs no branch.
        let mut end = low;
        for i in low..high - 1 {
            let item = items[i];
            items.swap(i, end);
            end += usize::from(item.is_before(pivot));
        }
        items.swap(end, high - 1);
        if end == keep - 1 {
            return;
        }
        if keep - 1 < end { high = end } else { low = end + 1 }
    }
    sort_best_first(&mut items[low..high]);
}

/// Leaves the best `keep`, in no order.
#[inline(never)]
pub fn keep_best<T: Ranked>(items: &mut Vec<T>, keep: usize) {
    if (1..items.len()).contains(&keep) {
        select_best(items, keep);
    }
    items.truncate(keep);
}

/// Up to so many, the best are kept in order as they come, by [`insert_best`]. Each that is better moves half of
/// them, so larger answers are selected.
pub const FEW: usize = 32;

/// Puts an item in its place among the best `keep` that have come, best first, if it is one of them.
#[inline(never)]
pub fn insert_best(best: &mut Vec<Scored>, item: Scored, keep: usize) {
    if best.len() < keep {
        best.push(item);
    } else if !best.last().is_some_and(|last| item.is_before(*last)) {
        return;
    }
    let mut at = best.len() - 1;
    while at > 0 && item.is_before(best[at - 1]) {
        best[at] = best[at - 1];
        at -= 1;
    }
    best[at] = item;
}

/// Puts the median of the first, the middle and the last item last.
fn take_median<T: Ranked>(items: &mut [T]) -> T {
    let (middle, last) = (items.len() / 2, items.len() - 1);
    if items[middle].is_before(items[0]) {
        items.swap(0, middle);
    }
    if items[last].is_before(items[0]) {
        items.swap(0, last);
    }
    if items[middle].is_before(items[last]) {
        items.swap(middle, last);
    }
    items[last]
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::ids::Ordinal;
    use crate::rng::SeededRng;

    /// Shapes that hurt naive sorts: random, few values, sorted, reversed, organ pipe.
    fn inputs() -> impl Iterator<Item = Vec<Scored>> {
        [0usize, 1, 2, 3, 16, 17, 18, 50, 420, 3000].into_iter().flat_map(|n| {
            (0..5).map(move |shape| {
                let mut rng = SeededRng::new(n as u64, shape);
                (0..n)
                    .map(|i| Scored {
                        ordinal: Ordinal(i as u32),
                        score: match shape {
                            0 => rng.normal(),
                            1 => rng.below(3) as f64,
                            2 => i as f64,
                            3 => -(i as f64),
                            _ => i.min(n - i) as f64,
                        },
                    })
                    .collect()
            })
        })
    }

    #[test]
    fn sorts_as_the_standard_library_does() {
        for input in inputs() {
            let (mut found, mut expected) = (input.clone(), input);
            sort_best_first(&mut found);
            expected.sort_by(Scored::cmp_best_first);
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn of_nothing_to_keep_nothing_is_kept() {
        let mut none = Vec::new();
        insert_best(&mut none, Scored { ordinal: Ordinal(7), score: 1.0 }, 0);
        assert!(none.is_empty());
        let mut some = vec![7u64, 8];
        keep_best(&mut some, 0);
        assert!(some.is_empty());
    }

    #[test]
    fn selects_what_sorting_puts_first() {
        for input in inputs().filter(|i| !i.is_empty()) {
            let mut expected = input.clone();
            expected.sort_by(Scored::cmp_best_first);
            for keep in [1, input.len() / 3 + 1, input.len() / 2 + 1, input.len()] {
                let keep = keep.min(input.len());
                let mut inserted = Vec::new();
                input.iter().for_each(|item| insert_best(&mut inserted, *item, keep));
                assert_eq!(inserted, expected[..keep]);
                let mut found = input.clone();
                select_best(&mut found, keep);
                assert_eq!(found[keep - 1], expected[keep - 1]);
                keep_best(&mut found, keep);
                found.sort_by(Scored::cmp_best_first);
                assert_eq!(found, expected[..keep]);
            }
        }
    }
}
