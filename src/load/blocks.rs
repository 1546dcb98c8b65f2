//! The blocks that lists consist of.

use super::{AlignedBytes, Index};
use crate::format::BlocksLayout;
use crate::ids::Ordinal;
use crate::kernel::code::{BLOCK, scale_from_bits};

/// A view of the centroids of the archive's blocks of 32 items.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a> {
    pub(crate) codes: &'a [u8],
    pub(crate) scales: &'a [u16],
    norms: &'a [u16],
    pub(crate) spreads: &'a [u16],
    pub(crate) scale_base: u32,
    norm_base: u32,
    pub(crate) spread_base: u32,
    pub(crate) reach: f32,
    pub(crate) optimism: f32,
}

impl<'a> Blocks<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a AlignedBytes, layout: &'a BlocksLayout) -> Self {
        Self {
            codes: bytes.view(&layout.codes),
            scales: bytes.view(&layout.scales),
            norms: bytes.view(&layout.norms),
            spreads: bytes.view(&layout.spreads),
            scale_base: layout.scale_base,
            norm_base: layout.norm_base,
            spread_base: layout.spread_base,
            reach: layout.reach,
            optimism: layout.optimism,
        }
    }

    /// How far a block's items lie from its centroid along one direction (root mean square).
    #[inline]
    pub(crate) fn spread(&self, block: usize) -> f32 {
        scale_from_bits(self.spreads[block], self.spread_base)
    }

    /// Squared norm of a block's decoded centroid; in Euclidean archives only.
    #[inline]
    pub(crate) fn norm(&self, block: usize) -> f32 {
        scale_from_bits(self.norms[block], self.norm_base)
    }
}

/// The decoded centroids that were asked for last. Whoever asks in the order of the archive has each
/// list's and each block's decoded once.
#[derive(Debug)]
pub(crate) struct Centroids {
    list: usize,
    block: usize,
    of_list: Vec<f64>,
    of_block: Vec<f64>,
}

impl Default for Centroids {
    fn default() -> Self {
        Self { list: usize::MAX, block: usize::MAX, of_list: Vec::new(), of_block: Vec::new() }
    }
}

impl Centroids {
    /// Forgets what was decoded: for another archive.
    pub(crate) fn restart(&mut self, index: &Index) {
        (self.list, self.block) = (usize::MAX, usize::MAX);
        self.of_list.resize(index.dim(), 0.0);
        self.of_block.resize(index.dim(), 0.0);
    }

    /// The centroid of the block that an item lies in.
    pub(crate) fn of(&mut self, index: &Index, ordinal: Ordinal) -> &[f64] {
        let block = ordinal.index() / BLOCK;
        if block != self.block {
            let list = index.list_of(block);
            if list != self.list {
                index.decode_centroid(list, &mut self.of_list);
                self.list = list;
            }
            self.of_block.copy_from_slice(&self.of_list);
            index.add_block_residual(block, &mut self.of_block);
            self.block = block;
        }
        &self.of_block
    }
}
