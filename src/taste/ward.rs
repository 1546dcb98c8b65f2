//! Ward's clustering: which groups join in which order, so that squared distances within groups
//! grow least (Ward 1963).
//!
//! Distances between groups follow from those before a merge (Lance and Williams 1967), and pairs
//! that are each other's nearest are found along chains of nearest neighbours, which gives the
//! same tree as looking for the nearest pair each time (Murtagh 1983; Müllner, arXiv 1109.2378).
//! Time and memory are `O(n^2)`.

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

/// The squared distances of all pairs, row by row: both halves, since a row that lies in one piece
/// is searched and joined faster than one in many.
pub(super) struct Distances {
    n: usize,
    /// Odd: at one of 1024 bytes, the numbers of a column would share a few lines of the cache.
    stride: usize,
    squared: Vec<f64>,
}

impl Distances {
    /// Of `n` points, from the squared distance of each pair.
    pub(super) fn of(n: usize, squared: impl Fn(usize, usize) -> f64) -> Self {
        let stride = n | 1;
        let mut all = vec![0.0; n * stride];
        for (a, row) in all.chunks_exact_mut(stride).enumerate() {
            row[..n].iter_mut().enumerate().for_each(|(b, x)| *x = squared(a, b));
        }
        Self { n, stride, squared: all }
    }

    fn row(&self, a: usize) -> &[f64] {
        &self.squared[a * self.stride..][..self.n]
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
    // A group goes by one of its points; `groups` are those, in ascending order.
    let mut sizes = vec![1.0; n];
    let mut groups: Vec<usize> = (0..n).collect();
    let mut merges = Vec::with_capacity(n.saturating_sub(1));
    let mut chain: Vec<usize> = Vec::new();
    while groups.len() > 1 {
        if chain.is_empty() {
            chain.push(groups[0]);
        }
        let last = chain[chain.len() - 1];
        let before = chain.len().checked_sub(2).map(|at| chain[at]);
        let row = distances.row(last);
        // Of equally near groups the one before in the chain: chains must end.
        let mut nearest = before.map_or((last, f64::INFINITY), |b| (b, row[b]));
        for other in &groups {
            if row[*other] < nearest.1 && *other != last {
                nearest = (*other, row[*other]);
            }
        }
        let (other, squared) = nearest;
        if other == last {
            // Nothing is nearer than infinity, which finite points never are.
            break;
        }
        if before != Some(other) {
            chain.push(other);
            continue;
        }
        chain.truncate(chain.len() - 2);
        merges.push(Merge { points: [last, other], height: squared.max(0.0).sqrt() });
        groups.retain(|group| *group != last);
        join(&mut distances, &mut sizes, &groups, last, other);
    }
    sorted(&merges)
}

/// Group `b`, one of `groups`, takes in group `a`, which is none of them any more.
fn join(distances: &mut Distances, sizes: &mut [f64], groups: &[usize], a: usize, b: usize) {
    let (n_a, n_b, stride) = (sizes[a], sizes[b], distances.stride);
    let between = distances.squared[a * stride + b];
    for i in groups.iter().copied().filter(|i| *i != b) {
        let n_i = sizes[i];
        let [of_a, of_b] = [a, b].map(|group| distances.squared[group * stride + i]);
        let sum = (n_i + n_a) * of_a + (n_i + n_b) * of_b - n_i * between;
        let squared = sum / (n_a + n_b + n_i);
        distances.squared[b * stride + i] = squared;
        distances.squared[i * stride + b] = squared;
    }
    sizes[b] += n_a;
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
