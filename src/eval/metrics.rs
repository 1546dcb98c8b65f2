//! How much of what a person was going to like a ranking finds.
//!
//! All metrics look at the first `k` of a ranking, lie between 0 and 1, and are higher for better
//! rankings. Items may be anything that can be told apart: ids, ordinals.

use std::collections::HashSet;
use std::hash::Hash;

/// How much of the exact answer an approximate search found: the items that are among the first
/// `k` of both, divided by `min(k, exact.len())`.
///
/// It says nothing of whether anybody likes the answer; that is [`recall_at_k`]. 0 where `k` is 0
/// or `exact` is empty.
///
/// ```
/// use nearfield::eval::metrics::ann_recall_at_k;
///
/// assert_eq!(ann_recall_at_k(&[4, 1, 9], &[1, 4, 7], 3), 2.0 / 3.0);
/// assert_eq!(ann_recall_at_k(&[4, 1, 9], &[1, 4, 7], 2), 1.0, "order does not count");
/// ```
#[must_use]
pub fn ann_recall_at_k<T: Eq + Hash>(found: &[T], exact: &[T], k: usize) -> f64 {
    recall_at_k(found, &exact[..k.min(exact.len())], k)
}

/// How many of the relevant items stand among the first `k`, divided by `min(k, relevant)`: with
/// more relevant items than places, a full house is 1 and not less.
///
/// Items that `relevant` repeats count once. 0 where `k` is 0 or nothing is relevant; users of
/// whom nothing is held out are best left out of a mean.
///
/// ```
/// use nearfield::eval::metrics::recall_at_k;
///
/// assert_eq!(recall_at_k(&["a", "b", "c"], &["c", "x"], 3), 0.5);
/// assert_eq!(recall_at_k(&["a", "b", "c"], &["a", "x", "y"], 1), 1.0);
/// ```
#[must_use]
pub fn recall_at_k<T: Eq + Hash>(ranked: &[T], relevant: &[T], k: usize) -> f64 {
    let mut wanted: HashSet<&T> = relevant.iter().collect();
    let most = k.min(wanted.len());
    let n_found = ranked.iter().take(k).filter(|item| wanted.remove(item)).count();
    if most == 0 { 0.0 } else { n_found as f64 / most as f64 }
}

/// Whether any relevant item stands among the first `k`: 1 or 0, so that its mean over users is the
/// hit rate.
///
/// ```
/// use nearfield::eval::metrics::hit_at_k;
///
/// assert_eq!(hit_at_k(&["a", "b"], &["b", "x"], 2), 1.0);
/// assert_eq!(hit_at_k(&["a", "b"], &["b", "x"], 1), 0.0);
/// ```
#[must_use]
pub fn hit_at_k<T: Eq>(ranked: &[T], relevant: &[T], k: usize) -> f64 {
    f64::from(ranked.iter().take(k).any(|item| relevant.contains(item)))
}

/// Normalised discounted cumulative gain with gains of 0 and 1 (Järvelin and Kekäläinen 2002):
/// relevant items found at rank `r` (from 1) count `1 / log2(r + 1)`; the sum is divided by that of
/// the best ranking possible, which has `min(k, relevant)` relevant items in front.
///
/// Items that `relevant` repeats count once, as does an item that `ranked` repeats. 0 where `k` is
/// 0 or nothing is relevant.
///
/// ```
/// use nearfield::eval::metrics::ndcg_at_k;
///
/// assert_eq!(ndcg_at_k(&[7, 8, 9], &[8, 7], 3), 1.0);
/// // The one relevant item at rank 3: 1 / log2(4), of at best 1 / log2(2).
/// assert_eq!(ndcg_at_k(&[7, 8, 9], &[9], 3), 0.5);
/// ```
#[must_use]
pub fn ndcg_at_k<T: Eq + Hash>(ranked: &[T], relevant: &[T], k: usize) -> f64 {
    let mut wanted: HashSet<&T> = relevant.iter().collect();
    let discount = |place: usize| 1.0 / libm::log2((place + 2) as f64);
    let ideal: f64 = (0..k.min(wanted.len())).map(discount).sum();
    let gain: f64 = ranked
        .iter()
        .take(k)
        .enumerate()
        .filter(|(_, item)| wanted.remove(item))
        .map(|(place, _)| discount(place))
        .sum();
    if ideal == 0.0 { 0.0 } else { gain / ideal }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_divides_by_what_could_be_found() {
        assert_eq!(recall_at_k(&[1, 2, 3, 4], &[2, 4, 6], 4), 2.0 / 3.0);
        assert_eq!(recall_at_k(&[1, 2, 3, 4], &[2, 4, 6], 2), 0.5);
        assert_eq!(recall_at_k(&[2, 2, 2], &[2, 6], 3), 0.5, "once found is found");
        assert_eq!(recall_at_k(&[1], &[1, 1], 5), 1.0, "once relevant is relevant");
        assert_eq!(recall_at_k(&[1, 2], &[], 2), 0.0);
        assert_eq!(recall_at_k(&[1, 2], &[1], 0), 0.0);
    }

    #[test]
    fn ndcg_by_hand() {
        // Ranks 1 and 4 of k = 4, three relevant: (1 + 1/log2 5) / (1 + 1/log2 3 + 1/log2 4).
        let expected = (1.0 + 0.430_676_558_073_393) / (1.0 + 0.630_929_753_571_457_4 + 0.5);
        assert!((ndcg_at_k(&[5, 0, 1, 6], &[5, 6, 7], 4) - expected).abs() < 1e-15);
        // Two places, three relevant: the ideal has two only.
        assert_eq!(ndcg_at_k(&[5, 6], &[5, 6, 7], 2), 1.0);
        assert_eq!(ndcg_at_k(&[1, 2], &[3], 2), 0.0);
        assert_eq!(ndcg_at_k::<u32>(&[], &[], 2), 0.0);
    }

    #[test]
    fn ann_recall_compares_equally_many() {
        assert_eq!(ann_recall_at_k(&[1, 2, 3], &[1, 9, 2], 2), 0.5);
        assert_eq!(ann_recall_at_k(&[1, 2, 3], &[1], 3), 1.0, "fewer than k exist");
    }
}
