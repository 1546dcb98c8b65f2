//! What is stored for a scan, as views found once for many blocks.

use crate::kernel::code::{BLOCK, prefix_block_bytes};
use crate::load::{Extents, Index, Level, Lists};

/// What is stored of lists and blocks for a choice, found once for many groups.
pub(super) struct Centroids<'a> {
    pub(super) lists: Lists<'a>,
    pub(super) blocks: Level<'a>,
    /// Of the codes of 32 blocks' centroids.
    pub(super) bytes: usize,
}

impl<'a> Centroids<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        let bytes = prefix_block_bytes(index.dim());
        Self { lists: index.lists(), blocks: index.blocks(), bytes }
    }
}

/// Prefixes of so many bytes do not stay in a cache near the core.
const LARGE: usize = 1 << 20;

/// What is stored of all items for a scan, found once for many blocks.
pub(super) struct Items<'a> {
    pub(super) prefixes: &'a [u8],
    /// Of one block.
    bytes: usize,
    pub(super) scales: &'a [[u16; BLOCK]],
    pub(super) norms: &'a [[u16; BLOCK]],
    pub(super) extents: Extents<'a>,
    pub(super) prefix_step: f32,
    pub(super) scale_base: u32,
    pub(super) norm_base: u32,
}

impl<'a> Items<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        Self {
            prefixes: index.prefixes(),
            bytes: prefix_block_bytes(index.dim()),
            scales: index.scale_bits().as_chunks().0,
            norms: index.norm_bits().as_chunks().0,
            extents: index.extents(),
            prefix_step: index.prefix_step() as f32,
            scale_base: index.scale_base(),
            norm_base: index.norm_base(),
        }
    }

    /// Has these blocks brought into the cache, all at once, where they are not expected to be there.
    ///
    /// In a large archive, a scan of blocks here and there waits for memory more than half of its time: a
    /// block's arithmetic is some 500 instructions, about as many as a processor keeps in flight, so that it
    /// hardly asks for bytes further on. Here it does nothing but ask, for every line of 64 bytes. Of blocks one
    /// behind the other the processor sees what comes next; a search of everything took a third longer with this.
    #[inline]
    pub(super) fn fetch(&self, blocks: &[usize]) {
        let is_run = blocks.last().zip(blocks.first()).is_some_and(|(l, f)| l - f < blocks.len());
        if self.prefixes.len() < LARGE || is_run {
            return;
        }
        let mut sum = 0;
        for block in blocks {
            let codes = &self.prefixes[*block * self.bytes..][..self.bytes];
            codes.as_chunks::<64>().0.iter().for_each(|line| sum += u32::from(line[0]));
            sum += u32::from(self.scales[*block][0]);
        }
        // As if somebody wanted it: WebAssembly has no instruction that only asks.
        std::hint::black_box(sum);
    }
}
