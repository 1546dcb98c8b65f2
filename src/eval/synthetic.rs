//! Synthetic vectors for benches and tests of scale: functions of name, size and seed alone.
//!
//! How well any index does depends strongly on the data: white noise is far harder, and tight
//! clusters are far easier or (for coarse codes) far harder, than what real models make. So the
//! generators have fixed parameters under a versioned name, and a digest says that two machines
//! have the same data. A generator whose parameters change gets a new name.
//!
//! | name | vectors |
//! |---|---|
//! | `clustered-v1` | `n / 200` clusters (at least one) with centres `c ~ N(0, I)`; a vector is `c + s * z` with `z ~ N(0, I)` and the cluster's own spread along each axis, `s_j = 0.4 exp(0.5 g_j)`, `g_j ~ N(0, 1)` |
//! | `isotropic-v1` | `N(0, I)`: white noise, where neighbours are hardly nearer than the rest |
//! | `longtail-v1` | directions of `clustered-v1`, lengths `exp(1.15 g)`: log-normal, a thousandfold between the 0.1 and the 99.9 per cent quantile, as popularity makes the lengths of factors |
//!
//! # Why these numbers
//! The spread of `clustered-v1` decides how far apart the cosines of neighbours lie, and with that
//! what 8-bit codes can tell apart. With 0.4, a nearest neighbour has a cosine near 0.89 and the
//! hundredth near 0.80, where another cluster begins below 0.3; rounding every vector to 8 bits
//! with one scale (the plainest code there is) then finds 0.973 of the exact ten nearest at
//! 50,000 x 64 (seeds 0 to 3; an archive finds 0.986). At a spread of 0.2 it is 0.93, at 0.8 it is
//! 0.99: there, the choice of a generator would say more than that of an index. The log-normal factors on the axes make the clusters
//! ellipsoids whose shortest and longest axes differ by about ten.

use rayon::prelude::*;

use crate::rng::SeededRng;

/// Rows drawn from one stream: fixed, so that the data do not depend on the number of threads.
const CHUNK: usize = 4096;
/// Vectors of one cluster, on average.
const CLUSTER_SIZE: usize = 200;
/// Median spread of a cluster along one axis, where centres have spread 1.
const SPREAD: f64 = 0.4;
/// Standard deviation of the logarithm of the spreads.
const ANISOTROPY: f64 = 0.5;
/// Standard deviation of the logarithm of lengths: 6.18 of it (from the 0.1 to the 99.9 per cent
/// quantile) are `ln(1000)` and a little.
const LENGTH_SPREAD: f64 = 1.15;

/// First stream numbers of what is drawn; each has room for 2^32 chunks.
const CENTRES: u64 = 1 << 32;
const BASE: u64 = 2 << 32;
const QUERIES: u64 = 3 << 32;

/// A generator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generator {
    /// Anisotropic clusters, for cosine and Euclidean search.
    ClusteredV1,
    /// White noise.
    IsotropicV1,
    /// Clustered directions with lengths over three orders of magnitude, for inner products.
    LongtailV1,
}

impl Generator {
    /// All generators.
    pub const ALL: [Self; 3] = [Self::ClusteredV1, Self::IsotropicV1, Self::LongtailV1];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClusteredV1 => "clustered-v1",
            Self::IsotropicV1 => "isotropic-v1",
            Self::LongtailV1 => "longtail-v1",
        }
    }

    /// `n` vectors of `dim` components, by rows. A million of 64 take two seconds on two cores.
    ///
    /// ```
    /// use nearfield::eval::synthetic::Generator;
    ///
    /// let vectors = Generator::ClusteredV1.base(1000, 8, 7);
    /// assert_eq!(vectors.len(), 1000 * 8);
    /// assert_eq!(vectors, Generator::ClusteredV1.base(1000, 8, 7));
    /// ```
    #[must_use]
    pub fn base(self, n: usize, dim: usize, seed: u64) -> Vec<f32> {
        self.draw(n, n, dim, seed, BASE)
    }

    /// `n_queries` more vectors of the same distribution (the same clusters) as the base of size
    /// `n`, none of which is in it. Under `longtail-v1` they have length 1, since the length of a
    /// query does not change an order by inner products.
    #[must_use]
    pub fn queries(self, n: usize, n_queries: usize, dim: usize, seed: u64) -> Vec<f32> {
        self.draw(n_queries, n, dim, seed, QUERIES)
    }

    fn draw(self, n_drawn: usize, n_base: usize, dim: usize, seed: u64, stream: u64) -> Vec<f32> {
        let clusters = match self {
            Self::IsotropicV1 => None,
            _ => Some(Clusters::draw((n_base / CLUSTER_SIZE).max(1), dim, seed)),
        };
        let mut values = vec![0.0; n_drawn * dim];
        let chunks = values.par_chunks_mut(CHUNK * dim.max(1)).enumerate();
        chunks.for_each(|(chunk, values)| {
            let mut rng = SeededRng::new(seed, stream + chunk as u64);
            let mut row = vec![0.0; dim];
            for out in values.chunks_exact_mut(dim.max(1)) {
                match &clusters {
                    None => row.iter_mut().for_each(|x| *x = rng.normal()),
                    Some(clusters) => clusters.vector(&mut rng, &mut row),
                }
                if self == Self::LongtailV1 {
                    let length = libm::exp(LENGTH_SPREAD * rng.normal());
                    scale_to(&mut row, if stream == BASE { length } else { 1.0 });
                }
                out.iter_mut().zip(&row).for_each(|(o, x)| *o = *x as f32);
            }
        });
        values
    }
}

struct Clusters {
    n: usize,
    dim: usize,
    centres: Vec<f64>,
    spreads: Vec<f64>,
}

impl Clusters {
    fn draw(n: usize, dim: usize, seed: u64) -> Self {
        let mut rng = SeededRng::new(seed, CENTRES);
        let centres = (0..n * dim).map(|_| rng.normal()).collect();
        let spread = |_| SPREAD * libm::exp(ANISOTROPY * rng.normal());
        Self { n, dim, centres, spreads: (0..n * dim).map(spread).collect() }
    }

    fn vector(&self, rng: &mut SeededRng, row: &mut [f64]) {
        let start = rng.below(self.n) * self.dim;
        let centre = &self.centres[start..start + self.dim];
        let spread = &self.spreads[start..start + self.dim];
        for ((x, c), s) in row.iter_mut().zip(centre).zip(spread) {
            *x = c + s * rng.normal();
        }
    }
}

fn scale_to(row: &mut [f64], length: f64) {
    let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm > 0.0 {
        row.iter_mut().for_each(|x| *x *= length / norm);
    }
}

/// The xxh3 of the vectors' bytes (f32, little-endian): what pins a data set.
#[must_use]
pub fn digest(vectors: &[f32]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytemuck::cast_slice(vectors))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change here changes every published measurement: make a new version instead.
    #[test]
    fn data_are_pinned() {
        let digests = Generator::ALL.map(|generator| {
            let base = generator.base(5000, 16, 42);
            let queries = generator.queries(5000, 10, 16, 42);
            format!("{} {:016x} {:016x}", generator.as_str(), digest(&base), digest(&queries))
        });
        let expected = [
            "clustered-v1 8dfb867ff892b381 e33835fb63b98e76",
            "isotropic-v1 12acbeb4c2b55395 df55442aa29bb17e",
            "longtail-v1 86a93a3d108d8efd 1072815fb508217a",
        ];
        assert_eq!(digests, expected);
    }

    #[test]
    fn queries_belong_to_the_base_but_are_not_in_it() {
        let (n, dim) = (2000, 8);
        let base = Generator::ClusteredV1.base(n, dim, 1);
        let queries = Generator::ClusteredV1.queries(n, 50, dim, 1);
        let nearest = |q: &[f32]| {
            let distance =
                |x: &[f32]| x.iter().zip(q).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
            base.chunks_exact(dim).map(distance).fold(f32::INFINITY, f32::min)
        };
        let distances: Vec<f32> = queries.chunks_exact(dim).map(nearest).collect();
        assert!(distances.iter().all(|d| *d > 0.0));
        // Two random centres are 2 dim = 16 apart (squared); inside a cluster it is about 3.
        let near = distances.iter().filter(|d| **d < 4.0).count();
        assert!(near >= 45, "{near} of 50 queries have a neighbour of their own cluster");
    }

    #[test]
    fn lengths_span_three_orders_of_magnitude() {
        let (n, dim) = (10_000, 4);
        let base = Generator::LongtailV1.base(n, dim, 3);
        let mut lengths: Vec<f32> =
            base.chunks_exact(dim).map(|x| x.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
        lengths.sort_unstable_by(f32::total_cmp);
        let ratio = lengths[n - 10] / lengths[10];
        assert!((300.0..4000.0).contains(&ratio), "{ratio}");
        let queries = Generator::LongtailV1.queries(n, 5, dim, 3);
        for q in queries.chunks_exact(dim) {
            assert!((q.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        for generator in Generator::ALL {
            assert!(generator.base(0, 8, 0).is_empty());
        }
    }
}
