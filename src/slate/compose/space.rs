//! Likeness of candidates: cosines of their vectors.

use super::rules::Candidates;
use crate::error::{Error, Result};
use crate::kernel::{Backend, LANES};

/// The candidates' vectors, brought to length 1.
#[derive(Default)]
pub(super) struct Space {
    /// Row by row, each padded with zeros to a multiple of [`LANES`].
    units: Vec<f64>,
    stride: usize,
}

impl Space {
    /// Takes over the vectors of a request. A vector of zeros is like nothing: its cosines are 0.
    pub(super) fn reset(&mut self, candidates: &Candidates<'_>) -> Result<()> {
        let dim = candidates.dim;
        self.stride = dim.next_multiple_of(LANES);
        self.units.clear();
        self.units.resize(candidates.items.len() * self.stride, 0.0);
        if dim == 0 {
            return Ok(());
        }
        let rows = self.units.chunks_exact_mut(self.stride);
        for (i, (unit, vector)) in rows.zip(candidates.vectors.chunks_exact(dim)).enumerate() {
            unit[..dim].copy_from_slice(vector);
            let length = dot(unit, unit).sqrt();
            if !length.is_finite() {
                let expected = "numbers whose squares have a finite sum";
                return Err(Error::arg(format!("vectors[{i}]"), expected, "others"));
            }
            let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
            for x in unit {
                *x *= scale;
            }
        }
        Ok(())
    }

    #[inline]
    fn unit(&self, i: usize) -> &[f64] {
        &self.units[i * self.stride..(i + 1) * self.stride]
    }

    /// Cosine of two candidates.
    #[inline]
    pub(super) fn cosine(&self, i: usize, j: usize) -> f64 {
        dot(self.unit(i), self.unit(j))
    }
}

/// Inner product of two rows whose length is a multiple of [`LANES`].
#[inline]
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    Backend::best().dot(a, b)
}
