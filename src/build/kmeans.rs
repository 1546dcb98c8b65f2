//! Seeded k-means: what blocks of near items are cut from.
//!
//! Lloyd's iterations on a sample (32 vectors a cluster say enough about its centre), from centroids
//! drawn far apart; then every vector goes to the centroid nearest to it, and clusters that came out
//! too large are cut in two until none is. Distances are squared Euclidean ones for every metric:
//! under inner product too, lists made that way and chosen by inner product need fewer probes than
//! lists assigned by it, which all fight for the few longest centroids.
//!
//! To compare every vector with every centroid of many would cost the square of their number. So many clusters
//! are found in groups: vectors are divided among few groups, and each group among its clusters; then every
//! vector may move, again and again, to the nearest cluster of the groups near its own. (On 340,479 vectors of
//! words a build took 25 seconds so, instead of 125, and left them 1 % farther from the centroids of blocks, squared.)
//!
//! Every sum has one order: the vectors' chunks are of fixed size, and what is summed over chunks
//! is summed in their order. So the same vectors give the same clusters at any number of threads.

use rayon::prelude::*;

use super::rows::{Rows, distance, members};
use crate::rng::SeededRng;

/// Vectors of the sample for each cluster.
const SAMPLE_A_CLUSTER: usize = 32;
/// Lloyd's iterations: afterwards the clusters hardly change any more.
const ITERATIONS: usize = 8;
/// Clusters of a group, about; and how many groups near its own, this among them, a vector may move to.
const A_GROUP: usize = 16;
const NEAR_GROUPS: usize = 16;
/// Times that vectors may move to other clusters.
const MOVES: usize = 6;
/// A cluster may be this many times as large as the mean.
const LARGEST: usize = 4;
/// Vectors of one unit of parallel work.
const CHUNK: usize = 1024;
/// Centroids that are compared with one vector at a time: lanes for the compiler to fill. With those of [`ROWS`]
/// vectors their sums fit the registers of every processor; with twice as many k-means takes five times as
/// long.
const LANES: usize = 8;
/// Vectors that are compared with one set of centroids at a time, to read those less often.
const ROWS: usize = 4;

/// Centroids, and the one each vector belongs to.
pub(super) struct Clusters {
    /// By rows.
    pub(super) centroids: Vec<f32>,
    /// One a vector.
    pub(super) assigned: Vec<u32>,
}

/// Divides vectors among about `n` clusters.
pub(super) fn cluster(rows: &Rows<'_>, n: usize, rng: &mut SeededRng) -> Clusters {
    let mut clusters =
        if n > 2 * A_GROUP { in_groups(rows, n, rng) } else { at_once(rows, n, rng) };
    clusters.split_large(rows, rows.len().div_ceil(n) * LARGEST);
    clusters
}

/// By comparing all vectors with all centroids.
fn at_once(rows: &Rows<'_>, n: usize, rng: &mut SeededRng) -> Clusters {
    let dim = rows.dim;
    let sample = sample(rows, n * SAMPLE_A_CLUSTER, rng);
    let mut centroids = seeds(&Rows { values: &sample, dim }, n, rng);
    for _ in 0..ITERATIONS {
        let assigned = assign(&sample, dim, &centroids);
        move_to_means(&sample, dim, &assigned, &mut centroids);
    }
    Clusters { assigned: assign(rows.values, dim, &centroids), centroids }
}

/// By comparing vectors with centroids of groups, and of clusters of near groups.
fn in_groups(rows: &Rows<'_>, n: usize, rng: &mut SeededRng) -> Clusters {
    let dim = rows.dim;
    let groups = at_once(rows, n.div_ceil(A_GROUP), rng);
    let group_centroids = Rows { values: &groups.centroids, dim };
    let n_groups = group_centroids.len();
    let clusters_of = |(items, seed): (Vec<u32>, u64)| {
        let own = (items.len() * n + rows.len() / 2) / rows.len();
        let own = own.max(usize::from(!items.is_empty()));
        let values = rows.gather(&items);
        at_once(&Rows { values: &values, dim }, own, &mut SeededRng::new(seed, 0)).centroids
    };
    let divided: Vec<(Vec<u32>, u64)> =
        members(&groups.assigned, n_groups).into_iter().map(|items| (items, rng.bits())).collect();
    let parts: Vec<Vec<f32>> = divided.into_par_iter().map(clusters_of).collect();

    // The clusters of a group lie one behind the other.
    let mut firsts = vec![0];
    let mut group_of = Vec::with_capacity(n);
    for (group, part) in parts.iter().enumerate() {
        group_of.resize(group_of.len() + part.len() / dim, group as u32);
        firsts.push(group_of.len() as u32);
    }
    let near: Vec<Vec<u32>> = (0..n_groups as u32)
        .into_par_iter()
        .map(|group| {
            let (own, all) = (group_centroids.row(group), 0..n_groups as u32);
            let near = group_centroids.nearest(own, all, NEAR_GROUPS);
            let clusters = |g: u32| firsts[g as usize]..firsts[g as usize + 1];
            near.into_iter().flat_map(clusters).collect()
        })
        .collect();
    let mut clusters = Clusters { centroids: parts.concat(), assigned: Vec::new() };
    let mut groups = groups.assigned;
    for turn in 0..=MOVES {
        if turn > 0 {
            move_to_means(rows.values, dim, &clusters.assigned, &mut clusters.centroids);
        }
        clusters.assigned = assign_near(rows, &groups, &clusters.centroids, &near);
        groups = clusters.assigned.iter().map(|cluster| group_of[*cluster as usize]).collect();
    }
    clusters
}

/// The nearest centroid of each vector among those near its group.
fn assign_near(rows: &Rows<'_>, groups: &[u32], centroids: &[f32], near: &[Vec<u32>]) -> Vec<u32> {
    let centroids = Rows { values: centroids, dim: rows.dim };
    let of_group = |(items, near): (Vec<u32>, &Vec<u32>)| {
        let lanes = Lanes::new(&centroids.gather(near), rows.dim);
        let mut nearest = Vec::with_capacity(items.len());
        items.chunks(ROWS).for_each(|part| lanes.nearest(&rows.gather(part), &mut nearest));
        items.into_iter().zip(nearest.into_iter().map(|i| near[i as usize])).collect::<Vec<_>>()
    };
    let found: Vec<Vec<(u32, u32)>> =
        members(groups, near.len()).into_par_iter().zip(near).map(of_group).collect();
    let mut assigned = vec![0; groups.len()];
    found.into_iter().flatten().for_each(|(item, cluster)| assigned[item as usize] = cluster);
    assigned
}

/// `n` different vectors in random order, or all of them if there are fewer (a partial
/// Fisher-Yates shuffle).
fn sample(rows: &Rows<'_>, n: usize, rng: &mut SeededRng) -> Vec<f32> {
    let total = rows.len();
    let mut order: Vec<u32> = (0..total as u32).collect();
    let n = n.min(total);
    for i in 0..n {
        order.swap(i, i + rng.below(total - i));
    }
    rows.gather(&order[..n])
}

/// Up to `n` of the vectors, each drawn with a chance that grows with its squared distance from those drawn before:
/// so clusters far apart do not share one (Arthur and Vassilvitskii, *k-means++* (SODA 2007)).
fn seeds(rows: &Rows<'_>, n: usize, rng: &mut SeededRng) -> Vec<f32> {
    let n = n.min(rows.len());
    let mut seeds = Vec::with_capacity(n * rows.dim);
    let mut distances = vec![f32::MAX; rows.len()];
    for _ in 0..n {
        // Before the first, and where all that is left equals one of those drawn, any will do.
        let total: f64 = distances.iter().map(|d| f64::from(*d)).sum();
        let mut rest = rng.uniform() * total;
        let reached = |d: &f32| {
            rest -= f64::from(*d);
            rest < 0.0
        };
        let at = distances.iter().position(reached).unwrap_or(0);
        let seed = rows.row(at as u32);
        seeds.extend_from_slice(seed);
        let each = distances.par_iter_mut().with_min_len(CHUNK).enumerate();
        each.for_each(|(i, d)| *d = d.min(distance(rows.row(i as u32), seed)));
    }
    seeds
}

/// The nearest centroid of each vector; the first of equally near ones.
fn assign(values: &[f32], dim: usize, centroids: &[f32]) -> Vec<u32> {
    let lanes = Lanes::new(centroids, dim);
    let chunks = values.par_chunks(CHUNK * dim).map(|chunk| {
        let mut nearest = Vec::with_capacity(CHUNK);
        for rows in chunk.chunks(ROWS * dim) {
            lanes.nearest(rows, &mut nearest);
        }
        nearest
    });
    chunks.collect::<Vec<_>>().concat()
}

/// Centroids, [`LANES`] side by side for each dimension.
struct Lanes {
    dim: usize,
    values: Vec<[f32; LANES]>,
    /// Half the squared norms: the nearest centroid is the one with the largest inner product
    /// less this.
    halves: Vec<[f32; LANES]>,
}

impl Lanes {
    fn new(centroids: &[f32], dim: usize) -> Self {
        let rows: Vec<&[f32]> = centroids.chunks_exact(dim).collect();
        let mut values = Vec::with_capacity(rows.len().div_ceil(LANES) * dim);
        let mut halves = Vec::new();
        for rows in rows.chunks(LANES) {
            let mut half = [f32::MAX; LANES];
            for (half, row) in half.iter_mut().zip(rows) {
                *half = row.iter().map(|x| x * x).sum::<f32>() / 2.0;
            }
            halves.push(half);
            for j in 0..dim {
                let mut lane = [0.0; LANES];
                lane.iter_mut().zip(rows).for_each(|(lane, row)| *lane = row[j]);
                values.push(lane);
            }
        }
        Self { dim, values, halves }
    }

    /// Appends the nearest centroid of each of up to [`ROWS`] vectors.
    fn nearest(&self, rows: &[f32], out: &mut Vec<u32>) {
        let n_rows = rows.len() / self.dim;
        // A missing row repeats the first.
        let row = |i: usize| {
            let i = if i < n_rows { i } else { 0 };
            &rows[i * self.dim..(i + 1) * self.dim]
        };
        let rows = [row(0), row(1), row(2), row(3)];
        let mut best = [(f32::NEG_INFINITY, 0u32); ROWS];
        let blocks = self.values.chunks_exact(self.dim);
        for (block, (lanes, halves)) in blocks.zip(&self.halves).enumerate() {
            let mut sums = [[0.0f32; LANES]; ROWS];
            for (j, lane) in lanes.iter().enumerate() {
                for (sums, row) in sums.iter_mut().zip(rows) {
                    for (sum, c) in sums.iter_mut().zip(lane) {
                        *sum += row[j] * c;
                    }
                }
            }
            for (best, sums) in best.iter_mut().zip(&sums) {
                for (lane, (sum, half)) in sums.iter().zip(halves).enumerate() {
                    if sum - half > best.0 {
                        *best = (sum - half, (block * LANES + lane) as u32);
                    }
                }
            }
        }
        out.extend(best[..n_rows].iter().map(|b| b.1));
    }
}

/// Moves each centroid to the mean of its vectors. One without vectors goes to a vector of the
/// largest cluster, to share it.
fn move_to_means(values: &[f32], dim: usize, assigned: &[u32], centroids: &mut [f32]) {
    let n = centroids.len() / dim;
    let mut sums = vec![0.0f64; centroids.len()];
    let mut counts = vec![0usize; n];
    for (row, cluster) in values.chunks_exact(dim).zip(assigned) {
        let cluster = *cluster as usize;
        counts[cluster] += 1;
        let sum = &mut sums[cluster * dim..(cluster + 1) * dim];
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x));
    }
    let largest = (0..n).max_by_key(|c| (counts[*c], n - c)).unwrap_or(0) as u32;
    let mut of_largest = values.chunks_exact(dim).zip(assigned).filter(|(_, c)| **c == largest);
    for (c, centroid) in centroids.chunks_exact_mut(dim).enumerate() {
        if counts[c] > 0 {
            let sum = &sums[c * dim..(c + 1) * dim];
            let count = counts[c] as f64;
            centroid.iter_mut().zip(sum).for_each(|(x, s)| *x = (s / count) as f32);
        } else if let Some((row, _)) = of_largest.next() {
            centroid.copy_from_slice(row);
        }
    }
}

impl Clusters {
    /// Cuts clusters of more than `most` vectors in two (2-means), again and again.
    fn split_large(&mut self, rows: &Rows<'_>, most: usize) {
        let dim = rows.dim;
        let n_clusters = self.centroids.len() / dim;
        let mut members = members(&self.assigned, n_clusters);
        let mut large: Vec<usize> = (0..n_clusters).filter(|c| members[*c].len() > most).collect();
        while let Some(cluster) = large.pop() {
            let (centroids, mut halves) = two_means(&rows.gather(&members[cluster]), dim);
            if halves.iter().all(|h| *h == 0) || halves.iter().all(|h| *h == 1) {
                // All vectors are the same: any division is as good.
                (0..halves.len()).for_each(|i| halves[i] = u32::from(2 * i >= halves.len()));
            }
            let new = self.centroids.len() / dim;
            self.centroids[cluster * dim..(cluster + 1) * dim].copy_from_slice(&centroids[..dim]);
            self.centroids.extend_from_slice(&centroids[dim..]);
            let all = std::mem::take(&mut members[cluster]);
            members.push(Vec::new());
            for (i, half) in all.into_iter().zip(&halves) {
                let to = if *half == 0 { cluster } else { new };
                members[to].push(i);
                self.assigned[i as usize] = to as u32;
            }
            large.extend([cluster, new].iter().filter(|c| members[**c].len() > most));
        }
    }
}

/// Two centroids, and which of them each vector is nearer to.
fn two_means(rows: &[f32], dim: usize) -> (Vec<f32>, Vec<u32>) {
    // From the first vector and the one farthest from it.
    let first = &rows[..dim];
    let distance =
        |row: &[f32]| -> f32 { row.iter().zip(first).map(|(x, y)| (x - y) * (x - y)).sum() };
    let farthest = rows.chunks_exact(dim).max_by(|a, b| distance(a).total_cmp(&distance(b)));
    let mut centroids = [first, farthest.unwrap_or(first)].concat();
    for _ in 0..ITERATIONS {
        let halves = assign(rows, dim, &centroids);
        move_to_means(rows, dim, &halves, &mut centroids);
    }
    let halves = assign(rows, dim, &centroids);
    (centroids, halves)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::synthetic::Generator;

    #[test]
    fn lists_are_balanced_and_vectors_near_their_centroids() {
        for (generator, n) in [(Generator::ClusteredV1, 6000), (Generator::LongtailV1, 6000)] {
            let dim = 16;
            let values = generator.base(n, dim, 3);
            let rows = Rows { values: &values, dim };
            let clusters = cluster(&rows, 40, &mut SeededRng::new(5, 0));
            let n_lists = clusters.centroids.len() / dim;
            assert!((36..120).contains(&n_lists), "{n_lists} lists");
            let mut counts = vec![0; n_lists];
            clusters.assigned.iter().for_each(|c| counts[*c as usize] += 1);
            assert!(counts.iter().all(|c| *c <= LARGEST * n / 40));
            assert_eq!(clusters.assigned.len(), n);
        }
        // Nothing tells equal vectors apart, and still no list may hold them all.
        let clusters =
            cluster(&Rows { values: &[1.0; 3000], dim: 3 }, 10, &mut SeededRng::new(5, 0));
        let mut counts = vec![0; clusters.centroids.len() / 3];
        clusters.assigned.iter().for_each(|c| counts[*c as usize] += 1);
        assert!(counts.iter().all(|c| *c <= LARGEST * 100));
    }
}
