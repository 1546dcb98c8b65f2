//! The lists that the items lie in, and the centroids of lists and blocks.

use std::ops::Range;

use super::AlignedBytes;
use crate::format::{LevelLayout, ListsLayout, NO_REACH, Probes};
use crate::kernel::code::{BLOCK, centroid_block_bytes, n_blocks, scale_from_bits};

/// What a search looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probing {
    /// At most so many lists, those that promise most;
    pub(crate) n_lists: usize,
    /// at most so many of their blocks, those that promise most;
    pub(crate) n_blocks: usize,
    /// of these, none whose items would have to lie more than so many spreads above their centroid's
    /// score to belong to the nearest.
    pub(crate) reach: f32,
}

impl Probing {
    /// Whether the reach leaves out anything.
    pub(crate) fn has_reach(&self) -> bool {
        self.reach < NO_REACH
    }
}

/// A view of the centroids of one level, lists or blocks.
#[derive(Clone, Copy)]
pub(crate) struct Level<'a> {
    pub(crate) codes: &'a [u8],
    pub(crate) scales: &'a [u16],
    norms: &'a [u16],
    spreads: &'a [u16],
    pub(crate) scale_base: u32,
    pub(crate) norm_base: u32,
    spread_base: u32,
    pub(crate) reach: f32,
    pub(crate) optimism: f32,
}

impl<'a> Level<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a AlignedBytes, layout: &'a LevelLayout) -> Self {
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

    /// How far its items lie from a centroid along one direction (root mean square).
    #[inline]
    pub(crate) fn spread(&self, i: usize) -> f32 {
        scale_from_bits(self.spreads[i], self.spread_base)
    }

    /// The same of a block of centroids, as stored, and their base.
    #[inline]
    pub(crate) fn spreads(&self, block: usize) -> (&[u16; BLOCK], u32) {
        (&self.spreads.as_chunks().0[block], self.spread_base)
    }

    /// The squared norm of a decoded centroid; in Euclidean archives only.
    #[inline]
    pub(crate) fn norm(&self, i: usize) -> f32 {
        scale_from_bits(self.norms[i], self.norm_base)
    }
}

/// A view of the archive's inverted lists: each holds a run of blocks around one centroid.
///
/// A small catalog has one list. In a larger one a search looks at the lists whose centroids
/// promise most, and there at the blocks whose centroids do, and at nothing else.
#[derive(Clone, Copy)]
pub struct Lists<'a> {
    pub(crate) level: Level<'a>,
    n_lists: usize,
    /// Binary logarithm of a list's blocks.
    shift: u32,
    n_items: usize,
    probes: &'a [Probes],
    recall: f32,
    code_recall: f32,
    pub(crate) margin: f32,
    pub(crate) filtered_margin: f32,
    pub(crate) radius_share: f32,
}

impl<'a> Lists<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a AlignedBytes, layout: &'a ListsLayout, n_items: usize) -> Self {
        Self {
            level: Level::new(bytes, &layout.level),
            n_lists: layout.n_lists,
            shift: layout.shift,
            n_items,
            probes: &layout.probes,
            recall: layout.recall,
            code_recall: layout.code_recall,
            margin: layout.margin,
            filtered_margin: layout.filtered_margin,
            radius_share: layout.radius_share,
        }
    }

    /// Number of lists, at least 1.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.n_lists
    }

    /// Never: an archive without items has one empty list.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// The ordinals of a list.
    #[inline]
    #[must_use]
    pub fn range(&self, list: usize) -> Range<usize> {
        let blocks = self.blocks(list);
        // Only the last block of all may hold fewer than 32.
        blocks.start * BLOCK..(blocks.end * BLOCK).min(self.n_items)
    }

    /// The blocks of a list.
    #[inline]
    pub(crate) fn blocks(&self, list: usize) -> Range<usize> {
        let n = n_blocks(self.n_items);
        (list << self.shift).min(n)..((list + 1) << self.shift).min(n)
    }

    /// The list that a block lies in.
    #[inline]
    pub(crate) const fn of_block(&self, block: usize) -> usize {
        block >> self.shift
    }

    /// The block of codes that the centroid of a list lies in, at place `list % 32`, and its scale.
    #[inline]
    pub(crate) fn centroid(&self, list: usize, dim: usize) -> (&'a [u8], f64) {
        let bytes = centroid_block_bytes(dim);
        let scale = scale_from_bits(self.level.scales[list], self.level.scale_base);
        (&self.level.codes[list / BLOCK * bytes..][..bytes], f64::from(scale))
    }

    /// How far a list's items lie from its centroid along one direction (root mean square).
    #[inline]
    #[must_use]
    pub fn spread(&self, list: usize) -> f32 {
        self.level.spread(list)
    }

    /// The share of the true 10 nearest that a search finds unless it asks otherwise.
    #[must_use]
    pub const fn recall(&self) -> f32 {
        self.recall
    }

    /// The share that a search of all blocks finds, as the builder measured it on a sample.
    #[must_use]
    pub const fn code_recall(&self) -> f32 {
        self.code_recall
    }

    /// What to look at so that `recall` of the `k` nearest are expected to come back.
    ///
    /// The codes lose some of them whatever is probed; what is probed must hold the more. Between
    /// the builder's measurements the next larger one counts. What is beyond the largest share that
    /// was measured gets as many lists as that; longer answers than were measured get all.
    pub(crate) fn probing(&self, k: usize, recall: f32) -> Probing {
        let largest = self.probes.last().map_or(1.0, |p| p.share);
        let share = (recall / self.code_recall.max(f32::MIN_POSITIVE)).min(largest);
        // Ascending in k, then in share: the first fits best.
        let measured = self.probes.iter().find(|p| p.k as usize >= k && p.share >= share);
        let probing = |p: &Probes| Probing {
            n_lists: (p.n_lists as usize).clamp(1, self.len()),
            n_blocks: (p.n_blocks as usize).clamp(1, self.n_blocks()),
            reach: p.reach,
        };
        measured.map_or(self.all(), probing)
    }

    /// Everything.
    pub(crate) fn all(&self) -> Probing {
        Probing { n_lists: self.len(), n_blocks: self.n_blocks(), reach: NO_REACH }
    }

    /// Blocks of all lists: one at least, as there is one list.
    fn n_blocks(&self) -> usize {
        n_blocks(self.n_items).max(1)
    }
}
