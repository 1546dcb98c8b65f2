//! The pass over codes: a query against the prefixes of the blocks that were chosen.
//!
//! The query is rounded to integers, so that a block's dot products are exact on every backend.
//! What turns them into scores is a handful of f32 operations per item, in one written order and
//! without fused multiply-add: the same bits however a compiler spreads them over lanes. Scores of
//! the scan only choose who is scored again; they are never returned.

use super::candidates::Choice;
use super::query::Query;
use super::stored::{Centroids, Items};
use super::top::Top;
use crate::item_set::ItemSet;
use crate::kernel::code::{
    BLOCK, CENTROID_BITS, PREFIX_BITS, RADIUS_UNIT, centroid_block_bytes, scale_from_bits,
};
use crate::kernel::{Affine, Backend, Blocks, Lengths, Rounded};
use crate::load::{Index, Level, Lists};
use crate::metric::Metric;

/// One query in the form that the kernels take, and what it has found so far.
#[derive(Debug, Default)]
pub(super) struct Scan {
    query: Rounded,
    /// `15 * sum(q)`: what makes prefixes odd integers.
    offset: i32,
    /// Step of the rounded query.
    step: f32,
    has_norms: bool,
    /// Of the query.
    pub(super) length: f32,
    /// How much a score can gain by a radius, at most: the length of the rounded query, in the unit of radii.
    gain: f32,
    /// Dot products of the block at hand.
    dots: [i32; BLOCK],
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

/// More than the roundings behind a score of the scan can amount to.
const ROUND_UP: f64 = 1.0 + 1e-5;

/// Which of the chosen blocks are left out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leave {
    /// Those that hold nothing better than was found unless it lies more than so many spreads above their
    /// centroid: as far as was measured.
    Beyond(f32),
    /// Those that hold nothing better than was found unless it lies farther from their centroid, towards the
    /// query, than this share of their radius: as far as was measured.
    Outside(f32),
    /// Those that are sure to hold nothing better. Answers are as if all were looked at.
    Hopeless,
}

fn sum_of(integers: &[i8]) -> i32 {
    integers.iter().map(|q| i32::from(*q)).sum()
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
        let step = self.query.round(query.vector());
        let sum = sum_of(self.query.components());
        let squared: i32 =
            self.query.components().iter().map(|q| i32::from(*q) * i32::from(*q)).sum();
        self.gain = (f64::from(squared).sqrt() * step * ROUND_UP) as f32 * RADIUS_UNIT;
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
            let mut scores = [0.0; BLOCK];
            backend.dot_centroids(codes, &self.query, &mut self.dots);
            let lengths = Lengths { scales, norms: None };
            backend.score(&self.dots, lengths, &affine, &mut scores);
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
        let bases = &mut self.bases[group];
        let all = Blocks { prefixes: codes, affine, bases: &[0.0], scales: &[[0; 4]], norms: &[] };
        backend.first_above(&all, &[0], &self.query, f32::MIN, &mut self.dots);
        backend.score(&self.dots, Lengths { scales, norms: None }, &affine, bases);
        // Lists are powers of two: a group is one list, part of one, or several.
        let first = lists.of_block(group * BLOCK);
        let a_list = lists.blocks(first).len().clamp(1, BLOCK);
        let of_lists = self.list_bases.as_flattened()[first..].iter();
        for (bases, of_list) in bases.chunks_mut(a_list).zip(of_lists) {
            bases.iter_mut().for_each(|base| *base += of_list);
        }
    }

    /// [`Scan::limits`] of each block, which are linear in the share: by none of a radius, and how much more by all
    /// of it.
    #[cfg(feature = "build")]
    pub(super) fn limit_lines(&self, items: &Items<'_>) -> Vec<(f32, f32)> {
        let lines = (0..self.bases.len()).flat_map(|group| {
            let (mut at_centroid, mut at_most) = ([0.0; BLOCK], [0.0; BLOCK]);
            self.limits(items, group, 0.0, &mut at_centroid);
            self.limits(items, group, 1.0, &mut at_most);
            at_centroid.into_iter().zip(at_most).map(|(low, high)| (low, high - low))
        });
        lines.collect()
    }

    /// Scores the centroids of all blocks.
    #[cfg(any(test, feature = "build"))]
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
        let (above, base) = level.spreads(group);
        add_each(bases, above, base, spreads * self.length, out);
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

    /// The chosen blocks of a group, but for those to leave out. (Those out of reach count as not chosen from
    /// now on.)
    ///
    /// Most queries find their nearest items in the first few blocks, and what they found then says of
    /// most of the others that they hold nothing better: an end that comes earlier for easy queries,
    /// as in Li et al., *Improving Approximate Nearest Neighbor Search through Learned Adaptive Early
    /// Termination* (SIGMOD 2020), here by one measured number a share of recall.
    #[inline]
    pub(super) fn promising(
        &mut self,
        backend: Backend,
        blocks: &Level<'_>,
        items: &Items<'_>,
        group: usize,
        leave: Option<Leave>,
    ) -> u32 {
        let chosen = self.choice.blocks.words()[group];
        match leave {
            // Of most groups nothing is chosen: not worth a call.
            Some(leave) if chosen != 0 => self.kept(backend, blocks, items, group, leave),
            _ => chosen,
        }
    }

    #[inline(never)]
    fn kept(
        &mut self,
        backend: Backend,
        blocks: &Level<'_>,
        items: &Items<'_>,
        group: usize,
        leave: Leave,
    ) -> u32 {
        let chosen = self.choice.blocks.words()[group];
        let mut most = [0.0; BLOCK];
        let least = match leave {
            Leave::Beyond(reach) => {
                self.promises(blocks, group, &self.bases[group], reach, &mut most);
                self.top.kth_so_far()
            }
            Leave::Outside(share) => {
                self.limits(items, group, share, &mut most);
                self.top.kth_so_far()
            }
            Leave::Hopeless => {
                self.limits(items, group, 1.0, &mut most);
                self.top.threshold()
            }
        };
        let kept = chosen & backend.above(&most, least);
        // What holds nothing for sure counts as looked at.
        if !matches!(leave, Leave::Hopeless) {
            self.choice.blocks.set_word(group, kept);
        }
        kept
    }

    /// What no prefix score of a group's blocks exceeds unless an item lies farther from its block's centroid,
    /// towards the query, than this share of the block's radius. None does by a share of 1: the inner product of
    /// query and residual is at most that of their lengths (Cauchy and Schwarz).
    fn limits(&self, items: &Items<'_>, group: usize, share: f32, out: &mut [f32; BLOCK]) {
        let radii = &items.extents.radii[group];
        add_each(&self.bases[group], radii, items.scale_base, self.gain * share, out);
        if self.has_norms {
            let norms = items.extents.least_norms[group * BLOCK..].iter();
            for (limit, [a, b, c, d]) in out.iter_mut().zip(norms) {
                let least = scale_from_bits(*a.min(b).min(c).min(d), items.norm_base);
                *limit = 2.0 * *limit - least;
            }
        }
    }

    /// Takes all allowed items, which must be few, without looking at them.
    pub(super) fn take_all(&mut self, allowed: &ItemSet) {
        let n = allowed.count();
        self.top.restart(n, n, 0.0);
        allowed.iter().for_each(|item| self.top.take(&[0.0; BLOCK], 1, item.0));
    }

    /// Scans blocks whose centroids were scored, and which hold an allowed item.
    #[inline(never)]
    pub(super) fn scan_blocks(
        &mut self,
        backend: Backend,
        items: &Items<'_>,
        blocks: &[usize],
        allowed: &ItemSet,
    ) {
        let (bases, has_norms) = (self.bases.as_flattened(), self.has_norms);
        let affine = Affine {
            offset: self.offset,
            step: self.step * items.prefix_step,
            base: 0.0,
            scale_base: items.scale_base,
            norm_base: items.norm_base,
        };
        let all = Blocks {
            prefixes: items.prefixes,
            affine,
            bases,
            scales: items.extents.largest_scales,
            norms: if has_norms { items.extents.least_norms } else { &[] },
        };
        let (mut rest, dots) = (blocks, &mut self.dots);
        // Nearly every block is refused.
        while let Some(i) =
            backend.first_above(&all, rest, &self.query, self.top.threshold(), dots)
        {
            let block = rest[i];
            rest = &rest[i + 1..];
            let norms = has_norms.then(|| &items.norms[block]);
            let lengths = Lengths { scales: &items.scales[block], norms };
            let mut scores = [0.0; BLOCK];
            let affine = Affine { base: bases[block], ..affine };
            backend.score(dots, lengths, &affine, &mut scores);
            let above = backend.above(&scores, self.top.threshold());
            let allowed = allowed.words()[block];
            if self.is_counting && above != 0 {
                let high = backend.above(&scores, self.top.kth_so_far());
                self.n_above += high.count_ones() as usize;
                self.n_above_allowed += (high & allowed).count_ones() as usize;
            }
            self.top.take(&scores, above & allowed, (block * BLOCK) as u32);
        }
    }
}

/// Adds to each score as many times its 16-bit number, read by `base`, as `factor` says.
#[inline(never)]
fn add_each(
    scores: &[f32; BLOCK],
    numbers: &[u16; BLOCK],
    base: u32,
    factor: f32,
    out: &mut [f32; BLOCK],
) {
    for ((sum, score), bits) in out.iter_mut().zip(scores).zip(numbers) {
        *sum = score + scale_from_bits(*bits, base) * factor;
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::load::AlignedBytes;
    use crate::rng::SeededRng;

    /// Of no item does the prefix score more than its block's radius allows, and it says more than nothing.
    #[test]
    fn radii_limit_the_scores_of_prefixes() {
        for archive in [
            &include_bytes!("../../tests/fixtures/small-v1.nf")[..],
            include_bytes!("../../tests/fixtures/small-ip-v1.nf"),
            include_bytes!("../../tests/fixtures/small-euclid-v1.nf"),
        ] {
            let index = Index::open(AlignedBytes::copy_of(archive).unwrap()).unwrap();
            let (items, backend) = (Items::of(&index), Backend::best_for_scans());
            let all = ItemSet::full(index.len());
            let mut rng = SeededRng::new(3, 0);
            let (mut scan, mut n_close) = (Scan::default(), 0);
            for _ in 0..200 {
                let vector: Vec<f32> = (0..index.dim()).map(|_| rng.normal() as f32).collect();
                scan.prepare(backend, &index, &Query::new(&index, &vector).unwrap());
                scan.score_all(backend, &index);
                let mut limits = [0.0; BLOCK];
                scan.limits(&items, 0, 1.0, &mut limits);
                for (block, limit) in limits.iter().take(index.len().div_ceil(BLOCK)).enumerate() {
                    scan.top.restart(BLOCK, BLOCK, 0.0);
                    scan.scan_blocks(backend, &items, &[block], &all);
                    let best = scan.top.finish().map(|(score, _)| score).fold(f32::MIN, f32::max);
                    assert!(best <= *limit, "{best} {limit}");
                    // Somewhere above the centroid, on the scale of inner products.
                    let base = match scan.has_norms {
                        true => 2.0 * scan.bases[0][block] - index.blocks().norm(block),
                        false => scan.bases[0][block],
                    };
                    n_close += usize::from(best - base > 0.3 * (limit - base));
                }
            }
            assert!(n_close > 100, "{n_close}");
        }
    }
}
