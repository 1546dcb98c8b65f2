//! Codes, one by one.

use super::{AlignedBytes, Level, Lists};
use crate::format::Layout;
use crate::kernel::code::{
    BLOCK, ItemCode, PREFIX_BITS, prefix_block_bytes, refining_bytes, scale_from_bits,
};

/// A view of codes that lie in blocks: those of the items, or of the centroids of blocks.
#[derive(Clone, Copy)]
pub(crate) struct Codes<'a> {
    prefixes: &'a [u8],
    /// Of 32 prefixes.
    block_bytes: usize,
    /// Empty until they have arrived, and where there are none.
    refining: &'a [u8],
    /// Of one code's refining bits.
    refining_bytes: usize,
    bits: u32,
    scales: &'a [u16],
    scale_base: u32,
}

impl<'a> Codes<'a> {
    #[inline]
    pub(super) fn of_items(bytes: &'a AlignedBytes, layout: &'a Layout, dim: usize) -> Self {
        let refining = layout.refining.as_ref().map(|span| bytes.view(span)).unwrap_or_default();
        Self {
            prefixes: bytes.view(&layout.prefixes),
            block_bytes: prefix_block_bytes(dim),
            refining,
            refining_bytes: if refining.is_empty() {
                0
            } else {
                refining_bytes(dim, layout.code_bits)
            },
            bits: layout.code_bits,
            scales: bytes.view(&layout.scales),
            scale_base: layout.scale_base,
        }
    }

    #[inline]
    pub(super) fn of_blocks(level: Level<'a>, dim: usize) -> Self {
        Self {
            prefixes: level.codes,
            block_bytes: prefix_block_bytes(dim),
            refining: &[],
            refining_bytes: 0,
            bits: PREFIX_BITS,
            scales: level.scales,
            scale_base: level.scale_base,
        }
    }

    /// A code, and its scale.
    #[inline]
    pub(crate) fn get(&self, i: usize) -> (ItemCode<'a>, f64) {
        let block = &self.prefixes[i / BLOCK * self.block_bytes..][..self.block_bytes];
        let refining = &self.refining[i * self.refining_bytes..];
        let scale = scale_from_bits(self.scales[i], self.scale_base);
        (ItemCode { block, lane: i % BLOCK, refining, bits: self.bits }, f64::from(scale))
    }
}

/// What holds of all items of each block: bounds of what a search may find there.
#[derive(Clone, Copy)]
pub(crate) struct Extents<'a> {
    /// A block's largest scale of every fourth item.
    pub(crate) largest_scales: &'a [[u16; 4]],
    /// The same of least squared norms; empty where the metric needs none.
    pub(crate) least_norms: &'a [[u16; 4]],
    /// How far from its centroid its prefixes lie at most, as scales in units of
    /// [`RADIUS_UNIT`](crate::kernel::code::RADIUS_UNIT), in groups of 32 blocks.
    pub(crate) radii: &'a [[u16; BLOCK]],
}

/// The codes of all three levels, found once for many items.
#[derive(Clone, Copy)]
pub(crate) struct Levels<'a> {
    pub(crate) items: Codes<'a>,
    pub(crate) blocks: Codes<'a>,
    pub(crate) lists: Lists<'a>,
}
