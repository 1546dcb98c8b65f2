//! A query vector, checked, normalised where the metric asks for it, and rotated.

use crate::error::{Error, Number, Result};
use crate::ids::Ordinal;
use crate::kernel::code::{BLOCK, byte_in_block, code_value, scale_from_bits};
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
    /// `vector . centroid`, the part of an inner product that all items share.
    base: f64,
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
        Self::in_space(index, vector, index.metric())
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
        Self::in_space(index, vector, index.metric())
    }

    /// A vector that is rotated already and meant for inner products whatever the archive's
    /// metric: a user vector from a fold-in.
    pub(crate) fn taste(index: &Index, vector: Vec<f64>) -> Result<Self> {
        Self::in_space(index, vector, Metric::InnerProduct)
    }

    fn in_space(index: &Index, mut vector: Vec<f64>, metric: Metric) -> Result<Self> {
        if metric == Metric::Cosine {
            let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
            if norm == 0.0 {
                return Err(Error::arg("vector", "a vector other than zero under cosine", "zero"));
            }
            vector.iter_mut().for_each(|x| *x /= norm);
        }
        let base = sum_by_four(vector.iter().zip(index.centroid()).map(|(q, c)| q * c));
        Ok(Self { vector, metric, base })
    }

    /// The components, rotated.
    #[must_use]
    pub fn vector(&self) -> &[f64] {
        &self.vector
    }

    pub(super) fn metric(&self) -> Metric {
        self.metric
    }

    pub(super) fn base(&self) -> f64 {
        self.base
    }

    /// The score of one item against its decoded vector, in f64 and in one written order.
    pub(super) fn score(&self, index: &Index, ordinal: Ordinal) -> f64 {
        let (block, lane) = (ordinal.index() / BLOCK, ordinal.index() % BLOCK);
        let codes = index.block_codes(block);
        let scale = scale_from_bits(index.scale_bits()[ordinal.index()], index.scale_base());
        let scale = f64::from(scale);
        let value = |j: usize| f64::from(code_value(codes[byte_in_block(lane, j)]));
        let dot = || {
            let along = self.vector.iter().enumerate().map(|(j, q)| q * value(j));
            self.base + scale * sum_by_four(along)
        };
        match self.metric {
            Metric::InnerProduct => dot(),
            // Decoded vectors have length 1 only nearly; a cosine stays within its bounds.
            Metric::Cosine => dot().clamp(-1.0, 1.0),
            Metric::Euclidean => {
                let differences = self.vector.iter().zip(index.centroid()).enumerate();
                -sum_by_four(differences.map(|(j, (q, c))| {
                    let d = q - (c + scale * value(j));
                    d * d
                }))
                .sqrt()
            }
        }
    }
}

/// A sum in the one order that scores are defined by: four running sums, term `j` into sum
/// `j % 4`, then `(s0 + s2) + (s1 + s3)`. Four chains keep the adder busy, and two or four SIMD
/// lanes give the same bits.
fn sum_by_four(terms: impl Iterator<Item = f64>) -> f64 {
    let mut sums = [0.0; 4];
    for (j, term) in terms.enumerate() {
        sums[j % 4] += term;
    }
    (sums[0] + sums[2]) + (sums[1] + sums[3])
}
