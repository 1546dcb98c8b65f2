//! The vectors as the archive sees them: rotated, in lists, in blocks, in its order.

use rayon::prelude::*;

use super::encode::CHUNK;
use super::rows::Rows;
use super::{BuildOptions, Embeddings, partition, shells};
use crate::error::{Error, Result};
use crate::format::{Level, Lists};
use crate::kernel::code::{
    BLOCK, CENTROID_BITS, PREFIX_BITS, centroid_block_bytes, centroid_byte, code_value, n_blocks,
    prefix_block_bytes, put_prefix, quantize, scale_base, scale_from_bits, scale_to_bits,
};
use crate::kernel::rotation::{Rotation, sign_bytes};
use crate::metric::Metric;
use crate::rng::SeededRng;

/// The streams of the archive's seed.
const ROTATION_STREAM: u64 = 1;
const LISTS_STREAM: u64 = 2;
/// Components beyond this are refused: scales could not hold them (see `kernel::code`).
const MAX_COMPONENT: f32 = 1e15;
/// Catalogs below this are scanned in a few microseconds: one list.
const FEW: usize = 4096;
/// The vectors as the archive sees them.
pub(super) struct Space {
    pub(super) dim: usize,
    pub(super) metric: Metric,
    pub(super) signs: Vec<u8>,
    /// Mean of all vectors.
    pub(super) centre: Vec<f64>,
    /// By rows, in the order of ordinals.
    pub(super) rows: Vec<f32>,
    /// Row of the input that each ordinal comes from.
    pub(super) order: Vec<u32>,
    /// Lists and blocks, without what is measured on them.
    pub(super) lists: Lists,
    pub(super) blocks: Level,
    /// The centroids of blocks that readers decode, by rows.
    centroids: Vec<f64>,
}

fn check_row(i: usize, row: &[f32], unit: bool) -> Result<()> {
    let wrong = |expected: &str, found: String| {
        Err(Error::input(format!("vector of item {i}"), expected, found))
    };
    // Written so that NaN fails it too.
    if let Some(x) = row.iter().find(|x| !(x.abs() <= MAX_COMPONENT)) {
        return wrong("finite numbers within ±1e15", x.to_string());
    }
    if unit && length(row) < 1e-18 {
        return wrong("a direction, since the metric is cosine", "zero".into());
    }
    Ok(())
}

pub(super) fn length(row: &[f32]) -> f64 {
    row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt()
}

/// The mean row, chunks summed in order.
fn mean(rows: &[f32], dim: usize) -> Vec<f64> {
    let sums: Vec<Vec<f64>> = rows
        .par_chunks(CHUNK * dim)
        .map(|rows| {
            let mut sum = vec![0.0; dim];
            for row in rows.chunks_exact(dim) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x));
            }
            sum
        })
        .collect();
    let mut mean = vec![0.0; dim];
    for sum in sums {
        mean.iter_mut().zip(&sum).for_each(|(m, s)| *m += s);
    }
    mean.iter_mut().for_each(|m| *m /= (rows.len() / dim).max(1) as f64);
    mean
}

/// Blocks of each list. As many as have their centroids scanned together, so that none is scanned for
/// nothing; a small catalog is one list.
fn blocks_a_list(n: usize, lists: Option<usize>) -> usize {
    let n_blocks = n_blocks(n).max(1);
    match lists {
        Some(lists) if lists > 1 => 1 << (n_blocks / lists).max(1).ilog2(),
        None if n >= FEW => BLOCK,
        _ => n_blocks.next_power_of_two(),
    }
}

impl Space {
    /// Rotates the vectors, divides them among lists and blocks, and brings them to their order.
    pub(super) fn new(vectors: &Embeddings, options: &BuildOptions) -> Result<Self> {
        let dim = vectors.dim;
        let mut rng = SeededRng::new(options.seed, ROTATION_STREAM);
        let signs: Vec<u8> = (0..sign_bytes(dim)).map(|_| rng.bits() as u8).collect();
        let rotation = Rotation::new(dim, &signs);
        let unit = options.metric == Metric::Cosine;
        let input: Vec<&[f32]> = vectors.values.chunks_exact(dim).collect();
        input.par_iter().enumerate().try_for_each(|(i, row)| check_row(i, row, unit))?;
        let rotate = |row: &&[f32]| {
            let factor = if unit { 1.0 / length(row) } else { 1.0 };
            let mut x: Vec<f64> = row.iter().map(|x| f64::from(*x) * factor).collect();
            rotation.apply(&mut x);
            x.into_iter().map(|x| x as f32)
        };
        let rows: Vec<f32> = input.par_iter().flat_map_iter(rotate).collect();
        let centre = mean(&rows, dim);

        let blocks_a_list = blocks_a_list(input.len(), options.lists);
        let n = input.len();
        let has_lists = n_blocks(n) > blocks_a_list;
        let shells = if has_lists && options.metric == Metric::InnerProduct {
            let lengths: Vec<f64> = rows.par_chunks(dim).map(length).collect();
            shells::by_length(&lengths, blocks_a_list * BLOCK)
        } else {
            vec![(0..n as u32).collect()]
        };
        let all = Rows { values: &rows, dim };
        let mut rng = SeededRng::new(options.seed, LISTS_STREAM);
        let mut order = Vec::with_capacity(n);
        for shell in shells {
            let own = all.gather(&shell);
            let own = Rows { values: &own, dim };
            let places = partition::in_order(&own, blocks_a_list, &mut rng);
            order.extend(places.iter().map(|i| shell[*i as usize]));
        }
        let rows = all.gather(&order);
        let (lists, blocks, centroids) =
            Levels { rows: &rows, dim, metric: options.metric, centre: &centre }
                .code(blocks_a_list);
        let metric = options.metric;
        Ok(Self { dim, metric, signs, centre, rows, order, lists, blocks, centroids })
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn row(&self, i: usize) -> &[f32] {
        &self.rows[i * self.dim..(i + 1) * self.dim]
    }

    pub(super) fn n_lists(&self) -> usize {
        n_blocks(self.len()).div_ceil(self.lists.blocks_a_list as usize).max(1)
    }

    /// The decoded centroid of the block that an ordinal lies in.
    pub(super) fn centroid(&self, ordinal: usize) -> &[f64] {
        let block = ordinal / BLOCK;
        &self.centroids[block * self.dim..(block + 1) * self.dim]
    }
}

/// What the centroids of lists and of blocks are made from.
struct Levels<'a> {
    rows: &'a [f32],
    dim: usize,
    metric: Metric,
    centre: &'a [f64],
}

/// Codes of the centroids of one level, and what readers decode from them.
struct Coded {
    codes: Vec<u8>,
    scales: Vec<u16>,
    scale_base: u32,
    decoded: Vec<f64>,
}

impl Levels<'_> {
    /// Codes the centroids of lists around the centre, and those of blocks around their list's. What a
    /// reader decodes *is* the centroid: the level below is coded around that, so nothing is lost by
    /// rounding it.
    fn code(&self, blocks_a_list: usize) -> (Lists, Level, Vec<f64>) {
        let (n, dim) = (self.rows.len() / self.dim, self.dim);
        let n_lists = n_blocks(n).div_ceil(blocks_a_list).max(1);
        let items_of = |i: usize, n_blocks: usize| {
            (i * n_blocks * BLOCK).min(n)..((i + 1) * n_blocks * BLOCK).min(n)
        };
        let items_of_list = |list| items_of(list, blocks_a_list);
        let items_of_block = |block| items_of(block, 1);
        let centre = |_| self.centre;
        // A catalog of one list has its centroid at the centre, but for rounding.
        let mean_of_list = |list| match n_lists {
            1 => self.centre.to_vec(),
            _ => mean(&self.rows[in_rows(items_of_list(list), dim)], dim),
        };
        let lists = self.code_level(n_lists, mean_of_list, centre, CENTROID_BITS);
        let of_list = |block| {
            let list = block / blocks_a_list;
            &lists.decoded[list * dim..(list + 1) * dim]
        };
        let mean_of_block = |block| mean(&self.rows[in_rows(items_of_block(block), dim)], dim);
        let blocks = self.code_level(n_blocks(n), mean_of_block, of_list, PREFIX_BITS);
        let lists = Lists {
            level: self.level(&lists, items_of_list),
            probes: Vec::new(),
            blocks_a_list: blocks_a_list as u32,
            recall: 1.0,
            code_recall: 1.0,
            margin: 0.0,
            filtered_margin: 0.0,
            radius_share: 1.0,
        };
        (lists, self.level(&blocks, items_of_block), blocks.decoded)
    }

    /// A level as it is stored.
    fn level(
        &self,
        coded: &Coded,
        items: impl Fn(usize) -> std::ops::Range<usize> + Sync,
    ) -> Level {
        let (norms, norm_base) = self.norms(coded);
        let (spreads, spread_base) = self.spreads(coded, items);
        Level {
            codes: coded.codes.clone(),
            scales: coded.scales.clone(),
            norms,
            spreads,
            scale_base: coded.scale_base,
            norm_base,
            spread_base,
            reach: 0.0,
            optimism: 0.0,
        }
    }

    /// Codes `n` centroids as residuals to `from`, in 7 bits (laid out as lists' are) or 4 (as prefixes).
    fn code_level<'a>(
        &self,
        n: usize,
        mean: impl Fn(usize) -> Vec<f64> + Sync,
        from: impl Fn(usize) -> &'a [f64] + Sync,
        bits: u32,
    ) -> Coded {
        let dim = self.dim;
        let even = vec![0.0; dim];
        let coded: Vec<(Vec<u8>, f64)> = (0..n)
            .into_par_iter()
            .map(|i| {
                let mean = mean(i);
                let residual: Vec<f64> = mean.iter().zip(from(i)).map(|(x, c)| x - c).collect();
                let mut code = vec![0; dim];
                let scale = quantize(&residual, &even, bits, &mut code);
                (code, scale)
            })
            .collect();
        let block_bytes =
            if bits == PREFIX_BITS { prefix_block_bytes(dim) } else { centroid_block_bytes(dim) };
        let scale_base = scale_base(coded.iter().fold(0.0f64, |m, (_, scale)| m.max(*scale)));
        let mut level = Coded {
            codes: vec![0; n_blocks(n) * block_bytes],
            scales: vec![0; n_blocks(n) * BLOCK],
            scale_base,
            decoded: Vec::with_capacity(n * dim),
        };
        for (i, (code, scale)) in coded.iter().enumerate() {
            let block = &mut level.codes[i / BLOCK * block_bytes..][..block_bytes];
            for (j, code) in code.iter().enumerate() {
                match bits {
                    PREFIX_BITS => put_prefix(*code, i % BLOCK, j, block),
                    _ => block[centroid_byte(i % BLOCK, j)] = *code,
                }
            }
            level.scales[i] = scale_to_bits(*scale, scale_base);
            let scale = f64::from(scale_from_bits(level.scales[i], scale_base));
            let decoded = code.iter().zip(from(i));
            level
                .decoded
                .extend(decoded.map(|(code, c)| c + scale * f64::from(code_value(*code, bits))));
        }
        level
    }

    /// Squared norms of decoded centroids, where the metric needs them.
    fn norms(&self, level: &Coded) -> (Vec<u16>, u32) {
        let squared = |c: &[f64]| c.iter().map(|x| x * x).sum::<f64>();
        let norms: Vec<f64> = level.decoded.chunks_exact(self.dim).map(squared).collect();
        let (bits, base) = to_bits(&norms);
        (if self.metric == Metric::Euclidean { bits } else { Vec::new() }, base)
    }

    /// How far items lie from their centroid along one direction.
    fn spreads(
        &self,
        level: &Coded,
        items: impl Fn(usize) -> std::ops::Range<usize> + Sync,
    ) -> (Vec<u16>, u32) {
        let dim = self.dim;
        let spreads: Vec<f64> = (0..level.decoded.len() / dim)
            .into_par_iter()
            .map(|i| {
                let centroid = &level.decoded[i * dim..(i + 1) * dim];
                let squared = |row: &[f32]| {
                    let residual = row.iter().zip(centroid).map(|(x, c)| f64::from(*x) - c);
                    residual.map(|r| r * r).sum::<f64>()
                };
                let rows = &self.rows[in_rows(items(i), dim)];
                let sum: f64 = rows.chunks_exact(dim).map(squared).sum();
                (sum / rows.len().max(1) as f64).sqrt()
            })
            .collect();
        to_bits(&spreads)
    }
}

/// Where the components of these items lie among all.
fn in_rows(items: std::ops::Range<usize>, dim: usize) -> std::ops::Range<usize> {
    items.start * dim..items.end * dim
}

/// 16 bits each, padded to whole blocks, and their base.
fn to_bits(values: &[f64]) -> (Vec<u16>, u32) {
    let base = scale_base(values.iter().fold(0.0f64, |m, x| m.max(*x)));
    let mut bits: Vec<u16> = values.iter().map(|x| scale_to_bits(*x, base)).collect();
    bits.resize(n_blocks(values.len()) * BLOCK, 0);
    (bits, base)
}
