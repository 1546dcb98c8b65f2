//! Ward's clustering: which groups join in which order, so that squared distances within groups
//! grow least (Ward 1963).
//!
//! Distances between groups follow from those before a merge (Lance and Williams 1967), and pairs
//! that are each other's nearest are found along chains of nearest neighbours, which gives the
//! same tree as looking for the nearest pair each time (Murtagh 1983; Müllner, arXiv 1109.2378).
//! Time is `O(n^2)`, memory half a matrix of distances.

use crate::ids::{Ordinal, Scored};
use crate::ordering::sort_best_first;

/// Two groups become one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merge {
    /// A point of each.
    pub(super) points: [usize; 2],
    /// Their distance: of single points the Euclidean one; of groups of `a` and `b` points
    /// `sqrt(2 a b / (a + b))` times that of their means.
    pub(super) height: f64,
}

/// The squared distances of all pairs, a triangle without its diagonal.
#[derive(Clone, Debug, Default)]
pub(super) struct Distances {
    n: usize,
    squared: Vec<f64>,
}

impl Distances {
    /// Of `n` points, from the squared distance of each pair.
    pub(super) fn of(n: usize, mut squared: impl FnMut(usize, usize) -> f64) -> Self {
        let mut all = Vec::with_capacity(n * n.saturating_sub(1) / 2);
        for a in 0..n {
            all.extend((a + 1..n).map(|b| squared(a, b)));
        }
        Self { n, squared: all }
    }

    fn at(&self, a: usize, b: usize) -> usize {
        let (a, b) = (a.min(b), a.max(b));
        a * (2 * self.n - a - 1) / 2 + (b - a - 1)
    }

    /// Of two different points.
    pub(super) fn get(&self, a: usize, b: usize) -> f64 {
        self.squared[self.at(a, b)]
    }
}

/// In four running sums: one would wait for itself at every term.
pub(super) fn distance_squared(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (a, b) in a.iter().zip(b) {
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum += (a[j] - b[j]) * (a[j] - b[j]);
        }
    }
    for (j, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[j] += (a - b) * (a - b);
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}

/// The merges of all points to one group, lowest first.
pub(super) fn ward(mut distances: Distances) -> Vec<Merge> {
    let n = distances.n;
    // A group goes by one of its points; `sizes` is 0 for points that no longer stand for one.
    let mut sizes = vec![1usize; n];
    let mut merges = Vec::with_capacity(n.saturating_sub(1));
    let mut chain: Vec<usize> = Vec::new();
    for first in 0..n {
        // All but the last group lie in merges when its turn comes.
        while sizes[first] > 0 && merges.len() + 1 < n {
            if chain.is_empty() {
                chain.push(first);
            }
            let last = chain[chain.len() - 1];
            let before = chain.len().checked_sub(2).map(|at| chain[at]);
            // Of equally near groups the one before in the chain: chains must end.
            let mut nearest = before.map(|b| (b, distances.get(last, b)));
            for (other, _) in sizes.iter().enumerate().filter(|(o, s)| **s > 0 && *o != last) {
                let squared = distances.get(last, other);
                if nearest.is_none_or(|(_, least)| squared < least) {
                    nearest = Some((other, squared));
                }
            }
            let Some((other, squared)) = nearest else { break };
            if before != Some(other) {
                chain.push(other);
                continue;
            }
            chain.truncate(chain.len() - 2);
            merges.push(Merge { points: [last, other], height: squared.max(0.0).sqrt() });
            join(&mut distances, &mut sizes, last, other);
        }
    }
    sorted(&merges)
}

/// Group `b` takes in group `a`.
fn join(distances: &mut Distances, sizes: &mut [usize], a: usize, b: usize) {
    let (n_a, n_b) = (sizes[a] as f64, sizes[b] as f64);
    let between = distances.get(a, b);
    for i in (0..sizes.len()).filter(|i| *i != a && *i != b && sizes[*i] > 0) {
        let n_i = sizes[i] as f64;
        let sum =
            (n_i + n_a) * distances.get(a, i) + (n_i + n_b) * distances.get(b, i) - n_i * between;
        let at = distances.at(b, i);
        distances.squared[at] = sum / (n_a + n_b + n_i);
    }
    (sizes[b], sizes[a]) = (sizes[a] + sizes[b], 0);
}

/// By height; merges of one height in the order in which they were found.
fn sorted(merges: &[Merge]) -> Vec<Merge> {
    let scored = |(at, m): (u32, &Merge)| Scored { ordinal: Ordinal(at), score: -m.height };
    let mut order: Vec<Scored> = (0..).zip(merges).map(scored).collect();
    sort_best_first(&mut order);
    order.iter().map(|s| merges[s.ordinal.index()]).collect()
}

/// The groups of `n` points when `n_groups` are left, each in ascending order, in the order of
/// their first points.
pub(super) fn cut(merges: &[Merge], n: usize, n_groups: usize) -> Vec<Vec<usize>> {
    let mut parents: Vec<usize> = (0..n).collect();
    fn root(parents: &[usize], mut point: usize) -> usize {
        while parents[point] != point {
            point = parents[point];
        }
        point
    }
    for merge in &merges[..n.saturating_sub(n_groups).min(merges.len())] {
        let [a, b] = merge.points.map(|p| root(&parents, p));
        // The lower point stands for both: a root is the first of its group.
        parents[a.max(b)] = a.min(b);
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); n];
    for point in 0..n {
        groups[root(&parents, point)].push(point);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn ward_of(points: &[f64], dim: usize) -> Vec<Merge> {
        let row = |i: usize| &points[i * dim..(i + 1) * dim];
        ward(Distances::of(points.len() / dim, |a, b| distance_squared(row(a), row(b))))
    }

    #[test]
    fn heights_and_groups_are_those_of_scipy() {
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("../../tests/fixtures/ward.json")).unwrap();
        for case in fixture["cases"].as_array().unwrap() {
            let rows = case["points"].as_array().unwrap();
            let numbers = |json: &serde_json::Value| -> Vec<f64> {
                json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
            };
            let points: Vec<f64> = rows.iter().flat_map(&numbers).collect();
            let merges = ward_of(&points, points.len() / rows.len());
            let heights = numbers(&case["heights"]);
            assert_eq!(merges.len(), heights.len());
            for (merge, height) in merges.iter().zip(&heights) {
                assert!((merge.height - height).abs() <= 1e-9 * height, "{merge:?} {height}");
            }
            let labels = numbers(&case["labels"]);
            let n_groups = case["n_clusters"].as_u64().unwrap() as usize;
            let groups = cut(&merges, rows.len(), n_groups);
            assert_eq!(groups.len(), n_groups);
            for group in &groups {
                let label = labels[group[0]];
                let expected: Vec<usize> =
                    (0..rows.len()).filter(|p| labels[*p] == label).collect();
                assert_eq!(*group, expected);
            }
        }
    }

    #[test]
    fn few_and_equal_points() {
        assert!(ward_of(&[], 3).is_empty());
        assert!(ward_of(&[1.0, 2.0], 2).is_empty());
        let merges = ward_of(&[1.0; 40], 4);
        assert_eq!(merges.len(), 9);
        assert!(merges.iter().all(|m| m.height == 0.0));
        assert_eq!(cut(&merges, 10, 1), [(0..10).collect::<Vec<_>>()]);
        assert_eq!(cut(&merges, 10, 10).len(), 10);
        assert_eq!(cut(&[], 1, 1), [[0]]);
    }
}
