//! Weights as the archive stores them.

use super::sparse::SparseWeights;
use crate::error::Result;
use crate::format::{Neighbours, NeighboursKind};
use crate::kernel::code::{scale_base, scale_from_bits, scale_to_bits};

use super::super::position;

/// The largest weight of an item is this many of its steps.
const STEPS: f64 = 127.0;

/// Weights in 8 bits each, an item's in steps of its own; what rounds to 0 is left out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Packed {
    starts: Vec<usize>,
    targets: Vec<u32>,
    codes: Vec<i8>,
    scales: Vec<u16>,
    base: u32,
}

impl Packed {
    pub(super) fn new(weights: &SparseWeights) -> Self {
        let n = weights.n_items();
        let step = |item| weights.row(item).fold(0.0f64, |m, (_, w)| m.max(w.abs())) / STEPS;
        let steps: Vec<f64> = (0..n).map(step).collect();
        let base = scale_base(steps.iter().fold(0.0f64, |m, s| m.max(*s)));
        let scales: Vec<u16> = steps.iter().map(|s| scale_to_bits(*s, base)).collect();
        let mut packed =
            Self { starts: vec![0], targets: Vec::new(), codes: Vec::new(), scales, base };
        for item in 0..n {
            let scale = packed.scale(item);
            for (target, weight) in weights.row(item) {
                let code = (weight / scale).round().clamp(-STEPS, STEPS) as i8;
                if scale > 0.0 && code != 0 {
                    packed.targets.push(target);
                    packed.codes.push(code);
                }
            }
            packed.starts.push(packed.targets.len());
        }
        packed
    }

    fn scale(&self, item: usize) -> f64 {
        f64::from(scale_from_bits(self.scales[item], self.base))
    }

    /// The weights that a reader decodes.
    pub(super) fn decoded(&self) -> SparseWeights {
        let rows = (0..self.scales.len()).map(|item| {
            let range = self.starts[item]..self.starts[item + 1];
            let codes = self.codes[range.clone()].iter();
            let weights = codes.map(|code| self.scale(item) * f64::from(*code));
            self.targets[range].iter().copied().zip(weights).collect()
        });
        SparseWeights::of_rows(rows.collect())
    }

    /// Bytes of an ordinal.
    fn width(&self) -> usize {
        match self.scales.len() {
            0..0x1_0001 => 2,
            0x1_0001..0x100_0001 => 3,
            _ => 4,
        }
    }

    /// Bytes an item in the archive.
    pub(super) fn bytes_per_item(&self) -> f64 {
        let n = self.scales.len();
        (self.codes.len() * (self.width() + 1) + 6 * n) as f64 / n.max(1) as f64
    }

    /// As a section.
    pub(super) fn section(
        self,
        kind: NeighboursKind,
        regularisation: f64,
        m: usize,
        beta: f64,
    ) -> Result<Neighbours> {
        let width = self.width();
        let targets = self.targets.iter().flat_map(|t| t.to_le_bytes().into_iter().take(width));
        let starts =
            self.starts.iter().map(|s| position(s * width, "neighbours").map(|_| *s as u32));
        Ok(Neighbours {
            beta,
            regularisation,
            kind: kind as u32,
            m: m as u32,
            width: width as u32,
            scale_base: self.base,
            starts: starts.collect::<Result<_>>()?,
            targets: targets.collect(),
            weights: self.codes,
            scales: self.scales,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bits_lose_less_than_a_step_and_zeros_are_not_stored() {
        let weights = SparseWeights::of_rows(vec![
            vec![(1, 0.5), (2, -0.25), (3, 1e-4)],
            vec![],
            vec![(0, -3e-5), (3, 2e-5)],
            vec![(0, 1e3)],
        ]);
        let packed = Packed::new(&weights);
        let decoded = packed.decoded();
        assert_eq!(packed.bytes_per_item(), (5.0 * 3.0 + 4.0 * 6.0) / 4.0);
        for item in 0..4 {
            let largest = weights.row(item).fold(0.0f64, |m, (_, w)| m.max(w.abs()));
            for (target, weight) in weights.row(item) {
                let found = decoded.row(item).find(|(t, _)| *t == target).map_or(0.0, |(_, w)| w);
                // Half a step, and the scale's own rounding to 11 bits of fraction.
                assert!((found - weight).abs() <= largest * (0.5 / 127.0 + 1.0 / 2048.0));
            }
        }
        // 1e-4 beside 0.5 is nothing in 8 bits.
        assert_eq!(decoded.row(0).count(), 2);
    }
}
