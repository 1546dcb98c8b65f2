//! Items of like length, together.
//!
//! Under inner product the nearest items of nearly every query are among the longest. Clusters, and halves of
//! one size even more, mix them with short ones, so that every other list holds something worth looking at. Kept
//! apart by length, as in Yan et al., *Norm-Ranging LSH for Maximum Inner Product Search* (NeurIPS 2018), the
//! long ones have lists of their own, and what lists of short ones promise rules them out.

/// A shell has at least so many items: it is divided among lists of its own, and few lists divide badly.
const LEAST: usize = 4096;
/// The longest item of a shell is at most so many times as long as its shortest, or it has [`LEAST`] items.
/// (Tried on vectors of words as they are, whose lengths differ little: with 1.5 a search looks at 1,127 blocks,
/// with 2 at 1,499, with 1.2 at 1,069, without shells at 1,857.)
const RATIO: f64 = 1.5;

/// Divides items, given by their lengths, into shells: the longest items first, and in each shell the order
/// that they came in. All but the last consist of whole `unit`s of items.
pub(super) fn by_length(lengths: &[f64], unit: usize) -> Vec<Vec<u32>> {
    let mut longest: Vec<u32> = (0..lengths.len() as u32).collect();
    let length = |i: u32| lengths[i as usize];
    longest.sort_by(|a, b| length(*b).total_cmp(&length(*a)));
    let mut shells = Vec::new();
    let mut rest = &longest[..];
    while let Some(first) = rest.first() {
        let like = rest.partition_point(|i| length(*i) * RATIO >= length(*first));
        let n = like.max(LEAST).next_multiple_of(unit);
        // What is left must make a shell.
        let n = if n + LEAST > rest.len() { rest.len() } else { n };
        let (shell, others) = rest.split_at(n);
        let mut shell = shell.to_vec();
        shell.sort_unstable();
        shells.push(shell);
        rest = others;
    }
    shells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_hold_items_of_like_length_and_whole_units() {
        let unit = 1024;
        // From 1 to e^2.5, in no order.
        let lengths: Vec<f64> =
            (0..50_000).map(|i| libm::exp(f64::from(i * 7919 % 50_000) / 20_000.0)).collect();
        let shells = by_length(&lengths, unit);
        assert_eq!(shells.len(), 6);
        let mut all: Vec<u32> = shells.concat();
        let longest_of =
            |shell: &[u32]| shell.iter().map(|i| lengths[*i as usize]).fold(0.0, f64::max);
        for (i, shell) in shells.iter().enumerate() {
            assert!(shell.is_sorted());
            assert!(shell.len() >= LEAST, "{}", shell.len());
            assert!(i + 1 == shells.len() || shell.len().is_multiple_of(unit), "{}", shell.len());
            // Rounding up takes some of the next.
            let n_like =
                shell.iter().filter(|j| lengths[**j as usize] * RATIO >= longest_of(shell));
            assert!(n_like.count() + unit > shell.len());
        }
        assert!(shells.windows(2).all(|two| longest_of(&two[0]) >= longest_of(&two[1])));
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..50_000));
    }

    #[test]
    fn items_of_one_length_are_one_shell() {
        assert_eq!(by_length(&[3.0; 20_000], 1024).len(), 1);
        assert_eq!(by_length(&[0.0; 20_000], 1024).len(), 1);
        // So few that two shells would be too small.
        let lengths: Vec<f64> = (0..6000).map(|i| libm::exp2(f64::from(i)).min(1e9)).collect();
        assert_eq!(by_length(&lengths, 1024).len(), 1);
        assert!(by_length(&[], 1024).is_empty());
    }
}
