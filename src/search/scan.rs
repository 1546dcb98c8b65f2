//! The pass over codes: a query against the prefixes of the blocks that were chosen.
//!
//! The query is rounded to integers, so that a block's dot products are exact on every backend.
//! What turns them into scores is a handful of f32 operations per item, in one written order and
//! without fused multiply-add: the same bits however a compiler spreads them over lanes. Scores of
//! the scan only choose who is scored again; they are never returned.

use std::ops::Range;

use super::choose::Choice;
use super::query::Query;
use super::top::Top;
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kernel::code::{
    BLOCK, CENTROID_BITS, PREFIX_BITS, QUERY_LIMIT, centroid_block_bytes, padded_dim,
    prefix_block_bytes, scale_from_bits,
};
use crate::kernel::{Affine, Backend, Block};
use crate::load::{Blocks, Index, Lists};
use crate::metric::Metric;

/// One query in the form that the kernels take, and what it has found so far.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Rounded to 8 bits with sign, and padded.
    query: Vec<i8>,
    /// `15 * sum(q)`: what makes prefixes odd integers.
    offset: i32,
    /// Step of the rounded query.
    step: f32,
    has_norms: bool,
    /// Of the query.
    length: f32,
    dim: f32,
    /// The score of each list's centroid, as an inner product.
    list_bases: Vec<f32>,
    /// The same of each block's, where it was asked for.
    pub(super) bases: Vec<f32>,
    /// What to look at.
    pub(super) choice: Choice,
    /// Whether a filter leaves little where the query looks.
    pub(super) is_far: bool,
    /// What was found.
    pub(super) top: Top,
}

/// Rounds a vector to integers within ±[`QUERY_LIMIT`], padded, and returns the step: component =
/// step * integer. Rounding half up, by floor: the same everywhere. A vector so small that the
/// inverse of its largest component overflows counts as zero.
///
/// Written without `clamp`: in a module with relaxed SIMD compilers make a relaxed minimum of it.
fn quantize(vector: &[f64], out: &mut Vec<i8>) -> f64 {
    let limit = f64::from(QUERY_LIMIT);
    let mut largest = 0.0;
    for x in vector {
        if x.abs() > largest {
            largest = x.abs();
        }
    }
    let inverse = if largest > 1e-290 { limit / largest } else { 0.0 };
    out.clear();
    out.extend(vector.iter().map(|x| (x * inverse + 0.5).floor() as i8));
    out.resize(padded_dim(vector.len()), 0);
    largest / limit
}

/// `(2^bits - 1) * sum(q)`: dot(q, v) = 2 dot(q, u) less that, exact in wrapping i32 arithmetic
/// because the true value fits (see `kernel::code`).
fn offset(bits: u32, sum: i32) -> i32 {
    ((1 << bits) - 1) * sum
}

impl Scan {
    /// Takes a query, and scores the centroids of all lists.
    pub(super) fn prepare(&mut self, backend: Backend, index: &Index, query: &Query) {
        let step = quantize(query.vector(), &mut self.query);
        let sum = self.query.iter().map(|q| i32::from(*q)).sum();
        (self.length, self.dim) = (query.length() as f32, index.dim() as f32);
        self.has_norms = query.metric() == Metric::Euclidean;
        (self.offset, self.step) = (offset(PREFIX_BITS, sum), step as f32);

        let lists = index.lists();
        let affine = Affine {
            offset: offset(CENTROID_BITS, sum),
            step: self.step,
            base: query.dot(index.centre()) as f32,
            scale_base: lists.scale_base,
            norm_base: lists.norm_base,
        };
        let mut scores = [0.0; BLOCK];
        self.list_bases.clear();
        let blocks = lists.codes.chunks_exact(centroid_block_bytes(index.dim()));
        for (codes, scales) in blocks.zip(lists.scales.as_chunks::<BLOCK>().0) {
            let block = Block { codes, scales, norms: None };
            backend.score_centroids(&block, &self.query, &affine, f32::MIN, &mut scores);
            self.list_bases.extend_from_slice(&scores);
        }
        self.list_bases.truncate(lists.len());
        self.bases.resize(index.len().div_ceil(BLOCK), 0.0);
    }

    /// Scores the centroids of the blocks of some lists, given in ascending order, as inner products.
    pub(super) fn score_blocks(
        &mut self,
        backend: Backend,
        index: &Index,
        chosen: impl Iterator<Item = usize>,
    ) {
        let (lists, blocks) = (index.lists(), index.blocks());
        let bytes = prefix_block_bytes(index.dim());
        let affine = Affine {
            offset: self.offset,
            step: self.step,
            base: 0.0,
            scale_base: blocks.scale_base,
            norm_base: 1,
        };
        let (scales, _) = blocks.scales.as_chunks::<BLOCK>();
        // Lists share blocks of centroids with those beside them.
        let (mut scored, mut scores) = (usize::MAX, [0.0f32; BLOCK]);
        for list in chosen {
            let range = lists.blocks(list);
            let base = self.list_bases[list];
            let mut first = range.start;
            while first < range.end {
                let at = first / BLOCK;
                if at != scored {
                    let codes = &blocks.codes[at * bytes..][..bytes];
                    let block = Block { codes, scales: &scales[at], norms: None };
                    backend.score_prefixes(&block, &self.query, &affine, f32::MIN, &mut scores);
                    scored = at;
                }
                let end = range.end.min((at + 1) * BLOCK);
                let from = &scores[first % BLOCK..][..end - first];
                self.bases[first..end].iter_mut().zip(from).for_each(|(to, s)| *to = base + s);
                first = end;
            }
        }
    }

    /// The score of items of a list that lie `spreads` spreads above its centroid, in the unit of the
    /// scan.
    #[inline]
    pub(super) fn list_promise(&self, lists: &Lists<'_>, list: usize, spreads: f32) -> f32 {
        let norm = || lists.norm(list);
        self.promise(self.list_bases[list], lists.spread(list), norm, spreads)
    }

    /// The same of a block whose centroid was scored.
    #[inline]
    pub(super) fn block_promise(&self, blocks: &Blocks<'_>, block: usize, spreads: f32) -> f32 {
        let norm = || blocks.norm(block);
        self.promise(self.bases[block], blocks.spread(block), norm, spreads)
    }

    /// Appends what all lists promise.
    pub(super) fn list_promises(&self, lists: &Lists<'_>, out: &mut Vec<f32>) {
        out.extend((0..lists.len()).map(|list| self.list_promise(lists, list, lists.optimism)));
    }

    /// Appends what a run of blocks promises.
    #[inline]
    pub(super) fn block_promises(
        &self,
        blocks: &Blocks<'_>,
        run: Range<usize>,
        out: &mut Vec<f32>,
    ) {
        if self.has_norms {
            out.extend(run.map(|block| self.block_promise(blocks, block, blocks.optimism)));
            return;
        }
        // In a form that compilers turn into SIMD.
        let factor = blocks.optimism * self.length;
        let pairs = self.bases[run.clone()].iter().zip(&blocks.spreads[run]);
        let spread = |bits: &u16| scale_from_bits(*bits, blocks.spread_base);
        out.extend(pairs.map(|(base, bits)| base + spread(bits) * factor));
    }

    /// The score of items that lie `spreads` spreads above a centroid with this score.
    #[inline]
    fn promise(&self, base: f32, spread: f32, norm: impl Fn() -> f32, spreads: f32) -> f32 {
        if self.has_norms {
            // 2 q.x - |x|^2 = 2 q.c - |c|^2 + 2 (q - c).(x - c) - |x - c|^2.
            let near = 2.0 * base - norm();
            let away = self.length * self.length - near;
            let away = if away > 0.0 { away.sqrt() } else { 0.0 };
            near + spread * (2.0 * spreads * away - self.dim * spread)
        } else {
            base + spread * (spreads * self.length)
        }
    }

    /// Whether a block that was chosen is to be scanned; else it counts as not chosen.
    ///
    /// Most queries find their nearest items in the first few blocks, and what they found then says of
    /// most of the others that they hold nothing better: an end that comes earlier for easy queries,
    /// as in Li et al., *Improving Approximate Nearest Neighbor Search through Learned Adaptive Early
    /// Termination* (SIGMOD 2020), here by one measured number a share of recall.
    #[inline]
    pub(super) fn takes(&mut self, blocks: &Blocks<'_>, block: usize, reach: f32) -> bool {
        let at = Ordinal(block as u32);
        if !self.choice.blocks.contains(at) {
            return false;
        }
        let takes =
            reach == f32::MAX || self.block_promise(blocks, block, reach) > self.top.kth_so_far();
        if !takes {
            self.choice.blocks.remove(at);
        }
        takes
    }

    /// Takes all allowed items, which must be few, without looking at them.
    pub(super) fn take_all(&mut self, allowed: &ItemSet) {
        let n = allowed.count();
        self.top.restart(n, n, 0.0);
        allowed.iter().for_each(|item| self.top.push(0.0, item.0));
    }

    /// Scans a block whose centroid was scored.
    #[inline]
    pub(super) fn scan_block(
        &mut self,
        backend: Backend,
        items: &Items<'_>,
        block: usize,
        allowed: &ItemSet,
    ) {
        let mut word = allowed.words()[block];
        if word == 0 {
            return;
        }
        let affine = Affine {
            offset: self.offset,
            step: self.step * items.prefix_step,
            base: self.bases[block],
            scale_base: items.scale_base,
            norm_base: items.norm_base,
        };
        let stored = Block {
            codes: &items.prefixes[block * items.bytes..][..items.bytes],
            scales: &items.scales[block],
            norms: self.has_norms.then(|| &items.norms[block]),
        };
        let mut scores = [0.0f32; BLOCK];
        let threshold = self.top.threshold();
        word &= backend.score_prefixes(&stored, &self.query, &affine, threshold, &mut scores);
        while word != 0 {
            let lane = word.trailing_zeros();
            word &= word - 1;
            let score = scores[lane as usize];
            if score > self.top.threshold() {
                self.top.push(score, (block * BLOCK) as u32 + lane);
            }
        }
    }
}

/// What is stored of all items for a scan, found once for many blocks.
pub(super) struct Items<'a> {
    prefixes: &'a [u8],
    /// Of one block.
    bytes: usize,
    scales: &'a [[u16; BLOCK]],
    norms: &'a [[u16; BLOCK]],
    prefix_step: f32,
    scale_base: u32,
    norm_base: u32,
}

impl<'a> Items<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        Self {
            prefixes: index.prefixes(),
            bytes: prefix_block_bytes(index.dim()),
            scales: index.scale_bits().as_chunks().0,
            norms: index.norm_bits().as_chunks().0,
            prefix_step: index.prefix_step() as f32,
            scale_base: index.scale_base(),
            norm_base: index.norm_base(),
        }
    }
}
