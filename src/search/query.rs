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

    /// Minus the Euclidean distance from an item, in f64 and in one written order; `centroid` is the
    /// decoded centroid of the item's block, and `item` working memory of the same length.
    pub(super) fn euclidean(
        &self,
        index: &Index,
        ordinal: Ordinal,
        centroid: &[f64],
        item: &mut [f64],
    ) -> f64 {
        item.copy_from_slice(centroid);
        index.add_residual(ordinal, item);
        item.iter_mut().zip(&self.vector).for_each(|(x, q)| *x = q - *x);
        -sum_by_four(item, item).sqrt()
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
