//! The pass over codes: a query against the prefixes of the blocks that were chosen.
//!
//! The query is rounded to integers, so that a block's dot products are exact on every backend.
//! What turns them into scores is a handful of f32 operations per item, in one written order and
//! without fused multiply-add: the same bits however a compiler spreads them over lanes. Scores of
//! the scan only choose who is scored again; they are never returned.

use super::choose::Choice;
use super::query::Query;
use super::top::Top;
use crate::item_set::ItemSet;
use crate::kernel::code::{
    BLOCK, CENTROID_BITS, PREFIX_BITS, QUERY_LIMIT, centroid_block_bytes, padded_dim,
    prefix_block_bytes, scale_from_bits,
};
use crate::kernel::{Affine, Backend, Block, Coded};
use crate::load::{Index, Level, Lists};
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
    list_bases: Vec<[f32; BLOCK]>,
    /// The same of each block's, where it was asked for.
    bases: Vec<[f32; BLOCK]>,
    /// What to look at.
    pub(super) choice: Choice,
    /// Whether a filter leaves little where the query looks.
    pub(super) is_far: bool,
    /// Whether these are counted: items that scored higher than what was found before, and how many of them
    /// are allowed.
    pub(super) is_counting: bool,
    pub(super) n_above: usize,
    pub(super) n_above_allowed: usize,
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
    #[inline(never)]
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
            scale_base: lists.level.scale_base,
            norm_base: lists.level.norm_base,
        };
        self.list_bases.clear();
        let blocks = lists.level.codes.chunks_exact(centroid_block_bytes(index.dim()));
        for (codes, scales) in blocks.zip(lists.level.scales.as_chunks::<BLOCK>().0) {
            let block = Block { codes, scales, norms: None };
            let mut scores = [0.0; BLOCK];
            backend.score_all(Coded::Centroids, &block, &self.query, &affine, &mut scores);
            self.list_bases.push(scores);
        }
        self.bases.resize(index.len().div_ceil(BLOCK).div_ceil(BLOCK), [0.0; BLOCK]);
    }

    /// Scores the centroids of a group of 32 blocks, as inner products.
    #[inline]
    pub(super) fn score_group(
        &mut self,
        backend: Backend,
        centroids: &Centroids<'_>,
        group: usize,
    ) {
        let Centroids { lists, blocks, bytes } = centroids;
        let affine = Affine {
            offset: self.offset,
            step: self.step,
            base: 0.0,
            scale_base: blocks.scale_base,
            norm_base: 1,
        };
        let codes = &blocks.codes[group * bytes..][..*bytes];
        let scales = &blocks.scales.as_chunks::<BLOCK>().0[group];
        let block = Block { codes, scales, norms: None };
        let bases = &mut self.bases[group];
        backend.score_all(Coded::Prefixes, &block, &self.query, &affine, bases);
        // Lists are powers of two: a group is one list, part of one, or several.
        let first = lists.of_block(group * BLOCK);
        let a_list = lists.blocks(first).len().clamp(1, BLOCK);
        let of_lists = self.list_bases.as_flattened()[first..].iter();
        for (bases, of_list) in bases.chunks_mut(a_list).zip(of_lists) {
            bases.iter_mut().for_each(|base| *base += of_list);
        }
    }

    /// Scores the centroids of all blocks.
    pub(super) fn score_all(&mut self, backend: Backend, index: &Index) {
        let centroids = Centroids::of(index);
        (0..self.bases.len()).for_each(|group| self.score_group(backend, &centroids, group));
    }

    /// The score of items of a list that lie `spreads` spreads above its centroid, in the unit of the
    /// scan.
    #[inline]
    pub(super) fn list_promise(&self, lists: &Lists<'_>, list: usize, spreads: f32) -> f32 {
        let base = self.list_bases[list / BLOCK][list % BLOCK];
        self.promise(&lists.level, list, base, spreads)
    }

    /// The same of a block whose centroid was scored.
    #[inline]
    pub(super) fn block_promise(&self, blocks: &Level<'_>, block: usize, spreads: f32) -> f32 {
        self.promise(blocks, block, self.bases[block / BLOCK][block % BLOCK], spreads)
    }

    /// What 32 lists promise.
    #[inline]
    pub(super) fn list_promises(&self, lists: &Lists<'_>, group: usize, out: &mut [f32; BLOCK]) {
        let (level, bases) = (&lists.level, &self.list_bases[group]);
        self.promises(level, group, bases, level.optimism, out);
    }

    /// What 32 blocks promise whose centroids were scored.
    #[inline]
    pub(super) fn block_promises(&self, blocks: &Level<'_>, group: usize, out: &mut [f32; BLOCK]) {
        self.promises(blocks, group, &self.bases[group], blocks.optimism, out);
    }

    #[inline(never)]
    fn promises(
        &self,
        level: &Level<'_>,
        group: usize,
        bases: &[f32; BLOCK],
        spreads: f32,
        out: &mut [f32; BLOCK],
    ) {
        if self.has_norms {
            for (lane, (promise, base)) in out.iter_mut().zip(bases).enumerate() {
                *promise = self.promise(level, group * BLOCK + lane, *base, spreads);
            }
            return;
        }
        let factor = spreads * self.length;
        let (spreads, base) = level.spreads(group);
        for ((promise, score), bits) in out.iter_mut().zip(bases).zip(spreads) {
            *promise = score + scale_from_bits(*bits, base) * factor;
        }
    }

    /// The score of items that lie `spreads` spreads above a centroid with this score.
    #[inline]
    fn promise(&self, level: &Level<'_>, i: usize, base: f32, spreads: f32) -> f32 {
        let spread = level.spread(i);
        if self.has_norms {
            // 2 q.x - |x|^2 = 2 q.c - |c|^2 + 2 (q - c).(x - c) - |x - c|^2.
            let near = 2.0 * base - level.norm(i);
            let away = self.length * self.length - near;
            let away = if away > 0.0 { away.sqrt() } else { 0.0 };
            near + spread * (2.0 * spreads * away - self.dim * spread)
        } else {
            base + spread * (spreads * self.length)
        }
    }

    /// The chosen blocks of a group, but for those that hold nothing better than was found, unless it lies
    /// more than `reach` spreads above their centroid: they count as not chosen from now on.
    ///
    /// Most queries find their nearest items in the first few blocks, and what they found then says of
    /// most of the others that they hold nothing better: an end that comes earlier for easy queries,
    /// as in Li et al., *Improving Approximate Nearest Neighbor Search through Learned Adaptive Early
    /// Termination* (SIGMOD 2020), here by one measured number a share of recall.
    #[inline]
    pub(super) fn promising(&mut self, blocks: &Level<'_>, group: usize, reach: f32) -> u32 {
        let chosen = self.choice.blocks.words()[group];
        if chosen == 0 || reach == f32::MAX {
            return chosen;
        }
        let least = self.top.kth_so_far();
        let (mut kept, mut left) = (chosen, chosen);
        while left != 0 {
            let lane = left.trailing_zeros();
            left &= left - 1;
            if self.block_promise(blocks, group * BLOCK + lane as usize, reach) <= least {
                kept &= !(1 << lane);
            }
        }
        self.choice.blocks.set_word(group, kept);
        kept
    }

    /// Takes all allowed items, which must be few, without looking at them.
    pub(super) fn take_all(&mut self, allowed: &ItemSet) {
        let n = allowed.count();
        self.top.restart(n, n, 0.0);
        allowed.iter().for_each(|item| self.top.push(0.0, item.0));
    }

    /// Scans a block whose centroid was scored.
    ///
    /// Not inlined: within a loop, compilers keep what its rounds share in registers that the kernel needs.
    #[inline(never)]
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
            base: self.bases[block / BLOCK][block % BLOCK],
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
        let above = backend.score_above(&stored, &self.query, &affine, threshold, &mut scores);
        if self.is_counting && above != 0 {
            let high = backend.above(&scores, self.top.kth_so_far());
            self.n_above += high.count_ones() as usize;
            self.n_above_allowed += (high & word).count_ones() as usize;
        }
        word &= above;
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

/// What is stored of lists and blocks for a choice, found once for many groups.
pub(super) struct Centroids<'a> {
    pub(super) lists: Lists<'a>,
    pub(super) blocks: Level<'a>,
    /// Of the codes of 32 blocks' centroids.
    bytes: usize,
}

impl<'a> Centroids<'a> {
    pub(super) fn of(index: &'a Index) -> Self {
        let bytes = prefix_block_bytes(index.dim());
        Self { lists: index.lists(), blocks: index.blocks(), bytes }
    }
}

/// Prefixes of so many bytes do not stay in a cache near the core.
const LARGE: usize = 4 << 20;

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

    /// Has these blocks brought into the cache, all at once, where they are not expected to be there.
    ///
    /// In a large archive, a scan of blocks here and there waits for memory more than half of its time: a
    /// block's arithmetic is some 500 instructions, about as many as a processor keeps in flight, so that it
    /// hardly asks for bytes further on. Here it does nothing but ask, for every line of 64 bytes.
    #[inline]
    pub(super) fn fetch(&self, blocks: &[usize]) {
        if self.prefixes.len() < LARGE {
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
