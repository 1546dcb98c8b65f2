//! A query vector, checked, normalised where the metric asks for it, and rotated.

use crate::error::{Error, Number, Result};
use crate::ids::Ordinal;
use crate::load::Index;
use crate::metric::Metric;

/// Largest absolute component of a query from outside. With it, every number in the scan stays
/// finite in f32 (`2^40 * 2^60` per term, 4096 terms, below `2^128`).
const COMPONENT_LIMIT: f64 = (1u64 << 40) as f64;

/// What a search compares the items with.
#[derive(Clone, Debug)]
pub struct Query {
    /// Rotated; of length 1 under cosine.
    vector: Vec<f64>,
    metric: Metric,
}

impl Query {
    /// A query vector in the space of the builder's input.
    ///
    /// # Errors
    /// [`Error::Arg`] where the length is not [`Index::dim`], a component is not finite or beyond
    /// ±2^40, or, under cosine, the vector is zero.
    pub fn new(index: &Index, vector: &[f32]) -> Result<Self> {
        if vector.len() != index.dim() {
            let expected = format!("{} components, as the archive has", index.dim());
            return Err(Error::arg("vector", expected, vector.len()));
        }
        for (j, x) in vector.iter().enumerate() {
            if !(f64::from(x.abs()) <= COMPONENT_LIMIT) {
                let found = Number(f64::from(*x));
                return Err(Error::arg(format!("vector[{j}]"), "a number within ±2^40", found));
            }
        }
        let mut vector: Vec<f64> = vector.iter().map(|x| f64::from(*x)).collect();
        index.rotate(&mut vector);
        Self::in_space(vector, index.metric())
    }

    /// The decoded vector of an item.
    ///
    /// # Errors
    /// [`Error::Arg`] for an ordinal outside the archive.
    pub fn item(index: &Index, ordinal: Ordinal) -> Result<Self> {
        if ordinal.index() >= index.len() {
            return Err(Error::arg("ordinal", format!("0 to {}", index.len()), ordinal.0));
        }
        let mut vector = vec![0.0; index.dim()];
        index.decode(ordinal, &mut vector);
        Self::in_space(vector, index.metric())
    }

    /// A vector that is rotated already and meant for inner products whatever the archive's
    /// metric: a user vector from a fold-in.
    pub(crate) fn taste(vector: Vec<f64>) -> Result<Self> {
        Self::in_space(vector, Metric::InnerProduct)
    }

    /// A vector that is rotated already.
    #[cfg(feature = "build")]
    pub(crate) fn rotated(vector: Vec<f64>, metric: Metric) -> Result<Self> {
        Self::in_space(vector, metric)
    }

    fn in_space(mut vector: Vec<f64>, metric: Metric) -> Result<Self> {
        if metric == Metric::Cosine {
            let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm == 0.0 {
                return Err(Error::arg("vector", "a vector other than zero under cosine", "zero"));
            }
            vector.iter_mut().for_each(|x| *x /= norm);
        }
        Ok(Self { vector, metric })
    }

    /// The components, rotated.
    #[must_use]
    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    pub(super) fn metric(&self) -> Metric {
        self.metric
    }

    /// The inner product with a rotated vector.
    pub(crate) fn dot(&self, vector: &[f64]) -> f64 {
        sum_by_four(&self.vector, vector)
    }

    /// Length of the vector.
    pub(crate) fn length(&self) -> f64 {
        self.dot(&self.vector).sqrt()
    }

    /// The score of an item, in f64 and in one written order.
    ///
    /// `base` is the inner product with the decoded centroid of the item's list, and `centroid`
    /// that centroid, which Euclidean queries need in full.
    pub(super) fn score(
        &self,
        index: &Index,
        ordinal: Ordinal,
        base: f64,
        centroid: &[f64],
    ) -> f64 {
        let mut sums = [0.0; 4];
        // The last group of eight may reach into the padding: there the query ends, and with it
        // each of these loops.
        let mut queries = self.vector.chunks(8);
        if self.metric == Metric::Euclidean {
            let mut centroids = centroid.chunks(8);
            index.for_each_step(ordinal, |steps| {
                let q = queries.next().unwrap_or_default();
                let c = centroids.next().unwrap_or_default();
                for (j, ((q, c), step)) in q.iter().zip(c).zip(steps).enumerate() {
                    let difference = q - (c + step);
                    sums[j % 4] += difference * difference;
                }
            });
            return -((sums[0] + sums[2]) + (sums[1] + sums[3])).sqrt();
        }
        index.for_each_step(ordinal, |steps| match queries.next() {
            Some(&[a, b, c, d, e, f, g, h]) => {
                sums[0] = sums[0] + a * steps[0] + e * steps[4];
                sums[1] = sums[1] + b * steps[1] + f * steps[5];
                sums[2] = sums[2] + c * steps[2] + g * steps[6];
                sums[3] = sums[3] + d * steps[3] + h * steps[7];
            }
            rest => {
                for (j, (q, step)) in rest.unwrap_or_default().iter().zip(steps).enumerate() {
                    sums[j % 4] += q * step;
                }
            }
        });
        let score = base + ((sums[0] + sums[2]) + (sums[1] + sums[3]));
        match self.metric {
            // Decoded vectors have length 1 only nearly; a cosine stays within its bounds.
            Metric::Cosine => score.clamp(-1.0, 1.0),
            _ => score,
        }
    }
}

/// An inner product in the one order that scores are defined by: four running sums, term `j` into
/// sum `j % 4`, then `(s0 + s2) + (s1 + s3)`. Four chains keep the adder busy, and two or four SIMD
/// lanes give the same bits.
fn sum_by_four(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (a, b) in a.iter().zip(b) {
        for (j, sum) in sums.iter_mut().enumerate() {
            *sum += a[j] * b[j];
        }
    }
    for (j, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[j] += a * b;
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
