//! What of a person's log is shown to a method, and what it has to find.
//!
//! Every person is cut for themselves: some of their items are the *history* that is folded in,
//! the others are *held out*. Nothing of a measured person is seen in training (strong
//! generalisation, Marlin 2004): that is the situation of somebody whose history stays on their
//! device.

use crate::rng::SeededRng;

/// Positions of a person's items, cut in two. Both parts have at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Those that are folded in; in the order drawn, or in order of time.
    pub history: Vec<usize>,
    /// Those to be found; in the same order.
    pub held_out: Vec<usize>,
}

/// `share` of `n` in whole items, rounded down; a share that rounding has put a hair below a
/// whole number still is that number (0.29 of 100 are 29).
#[must_use]
pub fn share_of(n: usize, share: f64) -> usize {
    (n as f64 * share + 1e-9) as usize
}

/// How many of `n` items are held out: their `share`, rounded down, but at least one and not all.
fn n_held_out(n: usize, share: f64) -> usize {
    share_of(n, share).max(1).min(n - 1)
}

/// Holds out a random `share` (0 to 1) of `n` items: in the order of a random permutation the last
/// `max(1, share * n)`, rounded down. `None` for fewer than two, which cannot be cut.
///
/// ```
/// use nearfield::{SeededRng, eval::split::by_share};
///
/// let cut = by_share(12, 0.2, &mut SeededRng::new(7, 0)).unwrap();
/// assert_eq!((cut.history.len(), cut.held_out.len()), (10, 2));
/// ```
#[must_use]
pub fn by_share(n: usize, share: f64, rng: &mut SeededRng) -> Option<Cut> {
    (n >= 2).then(|| cut_behind(permutation(n, rng), share))
}

/// Holds out the latest `share` (0 to 1) of the items, by their times: as many as [`by_share`]
/// would. Equal times keep the order given. `None` for fewer than two.
///
/// ```
/// use nearfield::eval::split::by_time;
///
/// let cut = by_time(&[30, 10, 20], 0.2).unwrap();
/// assert_eq!((cut.history, cut.held_out), (vec![1, 2], vec![0]));
/// ```
#[must_use]
pub fn by_time(times: &[i64], share: f64) -> Option<Cut> {
    let mut order: Vec<usize> = (0..times.len()).collect();
    order.sort_by_key(|i| times[*i]);
    (times.len() >= 2).then(|| cut_behind(order, share))
}

fn cut_behind(mut order: Vec<usize>, share: f64) -> Cut {
    let held_out = order.split_off(order.len() - n_held_out(order.len(), share));
    Cut { history: order, held_out }
}

/// `0..n` in random order, every order alike (Fisher and Yates; Durstenfeld 1964).
#[must_use]
pub fn permutation(n: usize, rng: &mut SeededRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, rng.below(i + 1));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_held_out_and_both_parts_have_something() {
        let sizes = |n: usize, share: f64| {
            let cut = by_share(n, share, &mut SeededRng::new(1, n as u64)).unwrap();
            let mut all = [&cut.history[..], &cut.held_out].concat();
            all.sort_unstable();
            assert_eq!(all, (0..n).collect::<Vec<_>>(), "each item is on one side");
            (cut.history.len(), cut.held_out.len())
        };
        assert_eq!(sizes(5, 0.2), (4, 1));
        assert_eq!(sizes(9, 0.2), (8, 1));
        assert_eq!(sizes(10, 0.2), (8, 2));
        assert_eq!(sizes(100, 0.29), (71, 29));
        assert_eq!(sizes(2, 0.01), (1, 1));
        assert_eq!(sizes(3, 0.99), (1, 2));
        assert_eq!(sizes(3, 1.0), (1, 2));
        for n in [0, 1] {
            assert_eq!(by_share(n, 0.2, &mut SeededRng::new(1, 0)), None);
            assert_eq!(by_time(&[5, 6][..n], 0.2), None);
        }
    }

    #[test]
    fn the_latest_are_held_out() {
        let cut = by_time(&[5, 1, 9, 5, 9, 0], 0.5).unwrap();
        assert_eq!(cut.history, [5, 1, 0]);
        assert_eq!(cut.held_out, [3, 2, 4]);
    }

    /// Each of 24 orders has probability 1/24: 1,000 expected of 24,000, standard error 31.
    #[test]
    fn all_permutations_are_alike() {
        let mut rng = SeededRng::new(3, 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            *counts.entry(permutation(4, &mut rng)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(counts.values().all(|n| (840..1160).contains(n)), "{counts:?}");
    }
}
