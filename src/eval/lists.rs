//! What a list is beside right: varied, new, after its reader's mix, within its rules.
//!
//! Where RecTools (MobileTeleSystems/RecTools, `rectools/metrics`) has a metric of that name, the
//! definition is its, so that figures compare; each says which. None of these says that a list is
//! good: a random one is varied and new. They are read beside
//! [`recall_at_k`](super::metrics::recall_at_k).

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;

/// The share of the catalog that stands in any of the lists, 0 to 1: RecTools' `CatalogCoverage`
/// with `normalize`.
///
/// It grows with the number of lists, so only runs with equally many compare. 0 for an empty
/// catalog.
///
/// ```
/// use nearfield::eval::lists::catalog_coverage;
///
/// assert_eq!(catalog_coverage([&[1, 2][..], &[2, 3]], 6), 0.5);
/// ```
#[must_use]
pub fn catalog_coverage<'a, T: Eq + Hash + 'a>(
    lists: impl IntoIterator<Item = &'a [T]>,
    n_items: usize,
) -> f64 {
    let shown: HashSet<&T> = lists.into_iter().flatten().collect();
    if n_items == 0 { 0.0 } else { shown.len() as f64 / n_items as f64 }
}

/// How little known the items of a list are: the mean of `-log2(n_users_of(item) / n_users)`, in
/// bits (the self-information of Zhou et al. 2010; RecTools' `MeanInvUserFreq`).
///
/// 0 means that everybody knows everything on it; each further bit halves the audience. An item
/// that nobody knows counts as known to one, as in RecTools. `None` for an empty list, or without
/// users.
///
/// ```
/// use nearfield::eval::lists::novelty;
///
/// // Of 8 users 8 know item 0, 2 know item 1, and nobody item 2: 0, 2 and 3 bits.
/// let n_users_of = |item: &usize| [8, 2, 0][*item];
/// assert_eq!(novelty(&[0, 1, 2], n_users_of, 8), Some(5.0 / 3.0));
/// ```
#[must_use]
pub fn novelty<T>(list: &[T], n_users_of: impl Fn(&T) -> usize, n_users: usize) -> Option<f64> {
    if list.is_empty() || n_users == 0 {
        return None;
    }
    let bits = |item| -libm::log2(n_users_of(item).max(1) as f64 / n_users as f64);
    Some(list.iter().map(bits).sum::<f64>() / list.len() as f64)
}

/// How unlike each other the items of a list are: the mean of `distance` over all its pairs (ILD,
/// Ziegler et al. 2005; RecTools' `IntraListDiversity`).
///
/// `distance` must be symmetric. 0 for a list of fewer than two, as in RecTools. Costs
/// `n (n - 1) / 2` calls of it.
///
/// ```
/// use nearfield::eval::lists::{cosine_distance, intra_list_distance};
///
/// let vectors = [[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]];
/// let distance = |a: &usize, b: &usize| cosine_distance(&vectors[*a], &vectors[*b]);
/// assert_eq!(intra_list_distance(&[0, 1, 2], distance), 2.0 / 3.0);
/// ```
#[must_use]
pub fn intra_list_distance<T>(list: &[T], distance: impl Fn(&T, &T) -> f64) -> f64 {
    let mut sum = 0.0;
    for (i, a) in list.iter().enumerate() {
        for b in &list[i + 1..] {
            sum += distance(a, b);
        }
    }
    let n = list.len() as f64;
    if list.len() < 2 { 0.0 } else { sum / (n * (n - 1.0) / 2.0) }
}

/// 1 minus the cosine of the angle between two vectors: 0 for the same direction, 2 for opposite
/// ones. A vector of length 0 has no direction and counts as at right angles to all.
#[must_use]
pub fn cosine_distance(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let lengths = dot(a, a).sqrt() * dot(b, b).sqrt();
    if lengths > 0.0 { 1.0 - dot(a, b) / lengths } else { 1.0 }
}

/// How much of a person's attention goes to each of `n_categories`: shares that sum to 1.
///
/// `items` gives each item's weight (0 or more) and its categories, below `n_categories`; an item
/// of several is divided equally among them (Steck 2018, formulas 2 and 3). Items without category
/// say nothing. `None` where no weight is left.
///
/// ```
/// use nearfield::eval::lists::mix;
///
/// let items = [(1.0, vec![0]), (1.0, vec![0, 1]), (5.0, vec![])];
/// assert_eq!(mix(items, 2), Some(vec![0.75, 0.25]));
/// ```
#[must_use]
pub fn mix<C: IntoIterator<Item = usize>>(
    items: impl IntoIterator<Item = (f64, C)>,
    n_categories: usize,
) -> Option<Vec<f64>> {
    let mut shares = vec![0.0; n_categories];
    let mut total = 0.0;
    for (weight, categories) in items {
        let categories: Vec<usize> =
            categories.into_iter().filter(|c| *c < n_categories).collect();
        if categories.is_empty() {
            continue;
        }
        total += weight;
        for category in &categories {
            shares[*category] += weight / categories.len() as f64;
        }
    }
    shares.iter_mut().for_each(|share| *share /= total);
    (total > 0.0).then_some(shares)
}

/// Steck's `a`: how much of the wanted mix is added to the found one, so that a category that a
/// list lacks costs much and not infinitely much.
pub const MIX_SMOOTHING: f64 = 0.01;

/// How far a list's mix is from the one wanted (a person's history, as a rule): the
/// Kullback-Leibler divergence of Steck 2018, formula 6, in nats.
///
/// `sum of p ln(p / q')` over categories with `p > 0`, where `q' = (1 - a) q + a p` and `a` is
/// [`MIX_SMOOTHING`]. 0 for equal mixes; at most `ln(1 / a)`, 4.61, where they share nothing, which
/// is also what a list without any category has (`found` all 0). Lower is better.
///
/// # Panics
/// Where the two have different numbers of categories.
///
/// ```
/// use nearfield::eval::lists::calibration_error;
///
/// assert_eq!(calibration_error(&[0.7, 0.3], &[0.7, 0.3]), 0.0);
/// // 70 % of romance and 30 % of action wanted, nothing but romance shown.
/// let kl = 0.7 * libm::log(0.7 / 0.997) + 0.3 * libm::log(0.3 / 0.003);
/// assert!((calibration_error(&[0.7, 0.3], &[1.0, 0.0]) - kl).abs() < 1e-12);
/// ```
#[must_use]
pub fn calibration_error(wanted: &[f64], found: &[f64]) -> f64 {
    assert_eq!(wanted.len(), found.len(), "mixes of the same categories");
    let term = |(p, q): (&f64, &f64)| match *p > 0.0 && p != q {
        true => p * libm::log(p / ((1.0 - MIX_SMOOTHING) * q + MIX_SMOOTHING * p)),
        false => 0.0,
    };
    wanted.iter().zip(found).map(term).sum::<f64>().max(0.0)
}

/// Whether no key occurs more than `most` times in a list: a cap, as at most two items of an
/// artist. An item may have no key or several.
///
/// ```
/// use nearfield::eval::lists::cap_is_kept;
///
/// let artists = |item: &usize| [vec!["Monk"], vec!["Monk", "Coltrane"], vec![]][*item].clone();
/// assert!(cap_is_kept(&[0, 1, 2], artists, 2));
/// assert!(!cap_is_kept(&[0, 1, 2], artists, 1));
/// ```
#[must_use]
pub fn cap_is_kept<T, K: Ord, Keys: IntoIterator<Item = K>>(
    list: &[T],
    keys_of: impl Fn(&T) -> Keys,
    most: usize,
) -> bool {
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    for key in list.iter().flat_map(keys_of) {
        *counts.entry(key).or_default() += 1;
    }
    counts.values().all(|count| *count <= most)
}

/// Whether at least `share` (0 to 1) of a list, in whole items rounded down, belongs to something:
/// a quota, as a fifth of podcasts. Of 7 items a fifth is 1.
///
/// ```
/// use nearfield::eval::lists::quota_is_kept;
///
/// assert!(quota_is_kept(&[1, 2, 3, 4, 5, 6, 7], |item| *item == 7, 0.2));
/// assert!(!quota_is_kept(&[1, 2, 3, 4, 5, 6, 7], |item| *item == 7, 0.3));
/// ```
#[must_use]
pub fn quota_is_kept<T>(list: &[T], belongs: impl Fn(&T) -> bool, share: f64) -> bool {
    let n_belonging = list.iter().filter(|item| belongs(item)).count();
    n_belonging >= super::split::share_of(list.len(), share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_items_once() {
        assert_eq!(catalog_coverage([&[1, 1, 2][..], &[2], &[]], 4), 0.5);
        assert_eq!(catalog_coverage::<u32>([], 4), 0.0);
        assert_eq!(catalog_coverage::<u32>([], 0), 0.0);
    }

    /// The examples in RecTools' documentation of `MeanInvUserFreq`: three users, item 1 known to
    /// all of them, item 2 to one, item 3 to none.
    #[test]
    fn novelty_is_that_of_rectools() {
        let n_users_of = |item: &usize| [0, 3, 1, 0][*item];
        let log2_3 = 1.584_962_500_721_156;
        for (list, expected) in [(&[3][..], log2_3), (&[2, 3], log2_3), (&[1, 2], log2_3 / 2.0)] {
            let found = novelty(list, n_users_of, 3).unwrap();
            assert!((found - expected).abs() < 1e-15, "{list:?}: {found}");
        }
        assert_eq!(novelty(&[], n_users_of, 3), None);
        assert_eq!(novelty(&[1], n_users_of, 0), None);
    }

    /// The example in RecTools' documentation of `IntraListDiversity`: Hamming distances over two
    /// features.
    #[test]
    fn intra_list_distance_is_that_of_rectools() {
        let features = [[0, 0], [0, 0], [0, 1], [1, 1], [0, 0]];
        let hamming = |a: &usize, b: &usize| {
            features[*a].iter().zip(features[*b]).filter(|(x, y)| **x != *y).count() as f64
        };
        assert_eq!(intra_list_distance(&[1], hamming), 0.0);
        assert_eq!(intra_list_distance(&[1, 2], hamming), 1.0);
        assert_eq!(intra_list_distance(&[1, 2, 3], hamming), 4.0 / 3.0);
        assert_eq!(intra_list_distance(&[1, 4], hamming), 0.0);
    }

    #[test]
    fn cosine_distance_knows_no_length() {
        assert!((cosine_distance(&[1.0, 1.0], &[5.0, 5.0])).abs() < 1e-15);
        assert!((cosine_distance(&[1.0, 0.0], &[-3.0, 0.0]) - 2.0).abs() < 1e-15);
        assert_eq!(cosine_distance(&[0.0, 0.0], &[1.0, 0.0]), 1.0);
    }

    #[test]
    fn mixes_are_shares_of_weight() {
        let history = [(3.0, vec![0]), (1.0, vec![1, 2]), (9.0, vec![]), (2.0, vec![7])];
        assert_eq!(mix(history, 3), Some(vec![0.75, 0.125, 0.125]));
        assert_eq!(mix([(0.0, vec![0])], 1), None);
        assert_eq!(mix([(1.0, Vec::new())], 3), None);
    }

    #[test]
    fn calibration_error_by_hand() {
        // p = (1/2, 1/4, 1/4), q = (1/2, 1/2, 0): q' = (0.5, 0.4975, 0.0025).
        let expected = 0.25 * libm::log(0.25 / 0.4975) + 0.25 * libm::log(100.0);
        let found = calibration_error(&[0.5, 0.25, 0.25], &[0.5, 0.5, 0.0]);
        assert!((found - expected).abs() < 1e-15, "{found}");
        let most = libm::log(1.0 / MIX_SMOOTHING);
        for nothing in [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]] {
            let found = calibration_error(&[0.25, 0.75, 0.0], &nothing);
            assert!((found - most).abs() < 1e-12, "{found}");
        }
    }

    #[test]
    fn caps_and_quotas_are_kept_or_not() {
        let of_one = |item: &u32| (*item > 9).then_some(item % 2);
        assert!(cap_is_kept(&[1, 2, 3, 4, 10, 11], of_one, 1));
        assert!(!cap_is_kept(&[10, 12], of_one, 1));
        assert!(cap_is_kept::<u32, u32, _>(&[], of_one, 0));
        assert!(quota_is_kept(&[1, 2, 3, 4, 5], |i| *i == 3, 0.2));
        assert!(!quota_is_kept(&[1, 2, 3, 4, 5], |i| *i == 6, 0.2));
        assert!(quota_is_kept(&[1, 2, 3, 4], |i| *i == 6, 0.2), "a fifth of 4 is no whole item");
    }
}
