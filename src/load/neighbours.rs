//! The weights between items.

use super::AlignedBytes;
use crate::error::{Error, Result};
use crate::format::{NeighboursKind, NeighboursLayout};
use crate::ids::Ordinal;
use crate::kernel::code::scale_from_bits;

/// A view of an archive's weights between items: what each item of a history says for others.
///
/// Ordinals and positions inside are as hostile as the file: they are checked where they are read.
#[derive(Clone, Copy)]
pub struct Neighbours<'a> {
    kind: NeighboursKind,
    beta: f64,
    regularisation: f64,
    m: u32,
    width: usize,
    scale_base: u32,
    starts: &'a [u32],
    targets: &'a [u8],
    weights: &'a [i8],
    scales: &'a [u16],
}

impl<'a> Neighbours<'a> {
    /// `None` where the archive carries none.
    pub(super) fn new(bytes: &'a AlignedBytes, layout: &NeighboursLayout) -> Option<Self> {
        Some(Self {
            kind: layout.kind?,
            beta: layout.beta,
            regularisation: layout.regularisation,
            m: layout.m,
            width: layout.width,
            scale_base: layout.scale_base,
            starts: bytes.view(&layout.starts),
            targets: bytes.view(&layout.targets),
            weights: bytes.view(&layout.weights),
            scales: bytes.view(&layout.scales),
        })
    }

    /// How the weights were trained.
    #[must_use]
    pub fn kind(&self) -> NeighboursKind {
        self.kind
    }

    /// What a sum of weights is multiplied by where it is added to a taste score; not negative.
    #[must_use]
    pub fn beta(&self) -> f64 {
        self.beta
    }

    /// EASE's lambda or item-kNN's shrinkage.
    #[must_use]
    pub fn regularisation(&self) -> f64 {
        self.regularisation
    }

    /// The most weights that an item has.
    #[must_use]
    pub fn m(&self) -> u32 {
        self.m
    }

    /// Number of items.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.scales.len()
    }

    /// Number of weights.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are no weights.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// What an item of a history says: weights of other items, in ascending order of these.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the item's weights do not lie inside the section; for an item that
    /// does not exist too.
    pub fn row(&self, item: Ordinal) -> Result<NeighboursRow<'a>> {
        let i = item.index();
        let range = self.starts.get(i).zip(self.starts.get(i + 1));
        let row = range.and_then(|(from, to)| {
            let (from, to) = (*from as usize, *to as usize);
            Some((
                self.targets.get(from * self.width..to * self.width)?,
                self.weights.get(from..to)?,
                *self.scales.get(i)?,
            ))
        });
        let (targets, weights, scale) =
            row.ok_or(Error::corrupt("neighbours", "an item's weights lie inside the section"))?;
        Ok(NeighboursRow {
            targets,
            weights,
            width: self.width,
            scale: f64::from(scale_from_bits(scale, self.scale_base)),
            n_items: self.n_items(),
        })
    }
}

/// What one item of a history says for others.
#[derive(Clone, Copy)]
pub struct NeighboursRow<'a> {
    targets: &'a [u8],
    weights: &'a [i8],
    width: usize,
    scale: f64,
    n_items: usize,
}

impl NeighboursRow<'_> {
    /// Number of weights.
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    fn target(&self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes[..self.width].copy_from_slice(&self.targets[at * self.width..][..self.width]);
        u32::from_le_bytes(bytes)
    }

    /// The weights with their targets, ascending. Every weight is finite.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for an ordinal that the archive does not have.
    pub fn iter(&self) -> impl Iterator<Item = Result<(Ordinal, f64)>> + '_ {
        (0..self.len()).map(|at| {
            let target = self.target(at);
            if target as usize >= self.n_items {
                let check = "targets are ordinals of this archive";
                return Err(Error::corrupt("neighbours", check));
            }
            Ok((Ordinal(target), self.scale * f64::from(self.weights[at])))
        })
    }

    /// The weight for one item, 0 where there is none. Cost: a binary search.
    #[must_use]
    pub fn weight(&self, target: Ordinal) -> f64 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.target(middle) < target.0 { low = middle + 1 } else { high = middle }
        }
        let is_there = low < self.len() && self.target(low) == target.0;
        if is_there { self.scale * f64::from(self.weights[low]) } else { 0.0 }
    }
}
