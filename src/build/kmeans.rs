//! Seeded k-means: where inverted lists come from.
//!
//! Lloyd's iterations on a sample (32 vectors a list say enough about its centre), from centroids
//! drawn at random; then every vector goes to the centroid nearest to it, and lists that came out
//! too large are cut in two until none is. Distances are squared Euclidean ones for every metric:
//! under inner product too, lists made that way and chosen by inner product need fewer probes than
//! lists assigned by it, which all fight for the few longest centroids.
//!
//! Every sum has one order: the vectors' chunks are of fixed size, and what is summed over chunks
//! is summed in their order. So the same vectors give the same lists at any number of threads.

use rayon::prelude::*;

use crate::rng::SeededRng;

/// Vectors of the sample for each list.
const SAMPLE_A_LIST: usize = 32;
/// Lloyd's iterations: afterwards the lists hardly change any more.
const ITERATIONS: usize = 8;
/// A list may be this many times as large as the mean.
const LARGEST: usize = 4;
/// Vectors of one unit of parallel work.
const CHUNK: usize = 1024;
/// Centroids that are compared with one vector at a time: lanes for the compiler to fill.
const LANES: usize = 16;
/// Vectors that are compared with one set of centroids at a time, to read those less often.
const ROWS: usize = 4;

/// Centroids, and the one each vector belongs to.
pub(super) struct Clusters {
    /// By rows.
    pub(super) centroids: Vec<f32>,
    /// One a vector.
    pub(super) assigned: Vec<u32>,
}

/// Divides vectors (by rows, `dim` components each) among about `n_lists` lists.
pub(super) fn cluster(
    values: &[f32],
    dim: usize,
    n_lists: usize,
    rng: &mut SeededRng,
) -> Clusters {
    let n = values.len() / dim;
    let sample = sample(values, dim, n_lists * SAMPLE_A_LIST, rng);
    let mut centroids: Vec<f32> = sample[..n_lists.min(sample.len() / dim) * dim].to_vec();
    for _ in 0..ITERATIONS {
        let assigned = assign(&sample, dim, &centroids);
        move_to_means(&sample, dim, &assigned, &mut centroids);
    }
    let mut clusters = Clusters { assigned: assign(values, dim, &centroids), centroids };
    clusters.split_large(values, dim, n.div_ceil(n_lists) * LARGEST);
    clusters
}

/// `n` different vectors in random order, or all of them if there are fewer (a partial
/// Fisher-Yates shuffle).
fn sample(values: &[f32], dim: usize, n: usize, rng: &mut SeededRng) -> Vec<f32> {
    let total = values.len() / dim;
    let mut order: Vec<usize> = (0..total).collect();
    let n = n.min(total);
    for i in 0..n {
        order.swap(i, i + rng.below(total - i));
    }
    order[..n].iter().flat_map(|i| &values[i * dim..(i + 1) * dim]).copied().collect()
}

/// The nearest centroid of each vector; the first of equally near ones.
pub(super) fn assign(values: &[f32], dim: usize, centroids: &[f32]) -> Vec<u32> {
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

/// Centroids, sixteen side by side for each dimension.
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
    fn split_large(&mut self, values: &[f32], dim: usize, most: usize) {
        let n_clusters = self.centroids.len() / dim;
        let mut members = vec![Vec::new(); n_clusters];
        for (i, cluster) in self.assigned.iter().enumerate() {
            members[*cluster as usize].push(i);
        }
        let mut large: Vec<usize> = (0..n_clusters).filter(|c| members[*c].len() > most).collect();
        while let Some(cluster) = large.pop() {
            let rows: Vec<f32> = members[cluster]
                .iter()
                .flat_map(|i| &values[i * dim..(i + 1) * dim])
                .copied()
                .collect();
            let (centroids, mut halves) = two_means(&rows, dim);
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
                self.assigned[i] = to as u32;
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
            let clusters = cluster(&values, dim, 40, &mut SeededRng::new(5, 0));
            let n_lists = clusters.centroids.len() / dim;
            assert!((40..120).contains(&n_lists), "{n_lists} lists");
            let mut counts = vec![0; n_lists];
            clusters.assigned.iter().for_each(|c| counts[*c as usize] += 1);
            assert!(counts.iter().all(|c| *c <= LARGEST * n / 40));
            assert_eq!(clusters.assigned.len(), n);
        }
        // Nothing tells equal vectors apart, and still no list may hold them all.
        let clusters = cluster(&[1.0; 3000], 3, 10, &mut SeededRng::new(5, 0));
        let mut counts = vec![0; clusters.centroids.len() / 3];
        clusters.assigned.iter().for_each(|c| counts[*c as usize] += 1);
        assert!(counts.iter().all(|c| *c <= LARGEST * 100));
    }
}
