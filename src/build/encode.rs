//! Vectors to lists, codes and Gram matrix.

use rayon::prelude::*;

use super::kmeans::{Clusters, cluster};
use super::{BuildOptions, Embeddings};
use crate::error::{Error, Result};
use crate::format::{Codes, Lists, Refining};
use crate::kernel::Backend;
use crate::kernel::code::{
    BLOCK, CENTROID_BITS, ItemCode, centroid_block_bytes, centroid_byte, centroid_code,
    code_value, n_blocks, prefix_block_bytes, put, quantize, refining_bytes, scale_base,
    scale_from_bits, scale_to_bits,
};
use crate::kernel::rotation::{Rotation, sign_bytes};
use crate::metric::Metric;
use crate::rng::SeededRng;

/// Rows of one unit of parallel work: a multiple of the block, and small enough that two cores
/// share even a small catalog.
const CHUNK: usize = 2048;
/// Partial Gram matrices that are held at once: bounds memory at large dimensions.
const GRAMS_AT_ONCE: usize = 16;
/// How much more an error along an item's own vector costs than one across it, for each dimension but
/// one: the square of the cosine over that of the sine of the angle to the queries whose neighbour it is,
/// here with cosine 0.8. Recall hardly changes between 0.5 and 0.9.
const ALONG: f64 = 0.64 / 0.36;
/// The streams of the archive's seed.
const ROTATION_STREAM: u64 = 1;
const LISTS_STREAM: u64 = 2;
/// Components beyond this are refused: scales could not hold them (see `kernel::code`).
const MAX_COMPONENT: f32 = 1e15;

/// The vectors as the archive sees them: rotated, in its order.
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
    /// Where lists begin; one more than there are.
    starts: Vec<u32>,
    /// Codes of the lists' centroids.
    centroid_codes: Vec<u8>,
    centroid_scales: Vec<u16>,
    centroid_scale_base: u32,
    /// The centroids that readers decode, by rows.
    centroids: Vec<f64>,
}

/// Codes of all items, and what was measured on the way.
pub(super) struct Encoded {
    pub(super) codes: Codes,
    pub(super) refining: Refining,
    pub(super) lists: Lists,
    pub(super) gram: Vec<f64>,
    pub(super) scale_base: u32,
    pub(super) norm_base: u32,
    pub(super) relative_error: f64,
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

fn length(row: &[f32]) -> f64 {
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

/// Lists for a catalog of `n` items: one for what is scanned in a few microseconds, then one for about
/// 200 items, and from a million on about `4 sqrt(n)`; a power of two. With fewer items a list, blocks
/// that two lists share cost more than is saved; with more lists, comparing the query with all
/// centroids costs more than scanning the lists that are chosen.
pub(super) fn n_lists(n: usize) -> usize {
    if n < 4096 {
        return 1;
    }
    let wanted = (n / 200).min(4 * n.isqrt());
    // The nearest power of two: the square root of 2 lies between it and the next.
    ((2 * wanted * wanted).isqrt() + 1).next_power_of_two() / 2
}

impl Space {
    /// Rotates the vectors, divides them among lists and brings them to the lists' order.
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

        let n_lists =
            options.lists.unwrap_or_else(|| n_lists(input.len())).clamp(1, input.len().max(1));
        let mut rng = SeededRng::new(options.seed, LISTS_STREAM);
        let clusters = if n_lists == 1 {
            let centroids = centre.iter().map(|x| *x as f32).collect();
            Clusters { centroids, assigned: vec![0; input.len()] }
        } else {
            cluster(&rows, dim, n_lists, &mut rng)
        };
        let n_lists = clusters.centroids.len() / dim;
        let mut starts = vec![0u32; n_lists + 1];
        clusters.assigned.iter().for_each(|list| starts[*list as usize + 1] += 1);
        for i in 0..n_lists {
            starts[i + 1] += starts[i];
        }
        let mut order: Vec<u32> = (0..input.len() as u32).collect();
        order.sort_by_key(|i| clusters.assigned[*i as usize]);
        let row = |i: &u32| rows[*i as usize * dim..(*i as usize + 1) * dim].to_vec();
        let rows: Vec<f32> = order.par_iter().flat_map_iter(row).collect();
        let mut space = Self {
            dim,
            metric: options.metric,
            signs,
            centre,
            rows,
            order,
            starts,
            centroid_codes: Vec::new(),
            centroid_scales: Vec::new(),
            centroid_scale_base: 1,
            centroids: Vec::new(),
        };
        space.encode_centroids(&clusters.centroids);
        Ok(space)
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn row(&self, i: usize) -> &[f32] {
        &self.rows[i * self.dim..(i + 1) * self.dim]
    }

    pub(super) fn n_lists(&self) -> usize {
        self.starts.len() - 1
    }

    /// Codes the centroids like items, in 7 bits, around the centre. What a reader decodes *is* the
    /// centroid: the items are coded around that, so nothing is lost by rounding it.
    fn encode_centroids(&mut self, centroids: &[f32]) {
        let dim = self.dim;
        let n = self.n_lists();
        let mut codes = vec![0; n_blocks(n) * centroid_block_bytes(dim)];
        let mut scales = vec![0.0; n_blocks(n) * BLOCK];
        let mut code = vec![0; dim];
        let even = vec![0.0; dim];
        for (list, centroid) in centroids.chunks_exact(dim).enumerate() {
            let residual: Vec<f64> =
                centroid.iter().zip(&self.centre).map(|(x, c)| f64::from(*x) - c).collect();
            // A catalog of one list has its centroid at the centre, but for rounding.
            let residual = if n == 1 { vec![0.0; dim] } else { residual };
            scales[list] = quantize(&residual, &even, CENTROID_BITS, &mut code);
            let block = &mut codes[list / BLOCK * centroid_block_bytes(dim)..];
            for (j, code) in code.iter().enumerate() {
                block[centroid_byte(list % BLOCK, j)] = *code;
            }
        }
        let base = scale_base(scales.iter().fold(0.0f64, |m, s| m.max(*s)));
        self.centroid_scales = scales.iter().map(|s| scale_to_bits(*s, base)).collect();
        self.centroid_scale_base = base;
        self.centroids = (0..n)
            .flat_map(|list| {
                let block = &codes[list / BLOCK * centroid_block_bytes(dim)..];
                let scale = f64::from(scale_from_bits(self.centroid_scales[list], base));
                let value = |j| {
                    f64::from(code_value(centroid_code(block, list % BLOCK, j), CENTROID_BITS))
                };
                (0..dim).map(|j| self.centre[j] + scale * value(j)).collect::<Vec<f64>>()
            })
            .collect();
        self.centroid_codes = codes;
    }

    /// The list of an ordinal.
    fn list_of(&self, ordinal: usize) -> usize {
        self.starts.partition_point(|s| *s as usize <= ordinal) - 1
    }

    fn centroid(&self, list: usize) -> &[f64] {
        &self.centroids[list * self.dim..(list + 1) * self.dim]
    }

    /// Codes of `bits` bits.
    pub(super) fn encode(&self, bits: u32) -> Encoded {
        let (n, dim) = (self.len(), self.dim);
        let firsts: Vec<usize> = (0..n).step_by(CHUNK).collect();
        let chunks: Vec<Quantized> =
            firsts.par_iter().map(|first| self.quantize_chunk(*first, bits)).collect();
        let largest = chunks.iter().flat_map(|c| &c.scales).fold(0.0f64, |m, s| m.max(*s));
        let base = scale_base(largest);
        let mut codes = Codes {
            prefixes: Vec::with_capacity(n_blocks(n) * prefix_block_bytes(dim)),
            scales: Vec::with_capacity(n_blocks(n) * BLOCK),
            norms: Vec::new(),
        };
        let mut refining = Refining { bits: Vec::with_capacity(n * refining_bytes(dim, bits)) };
        for chunk in chunks {
            codes.prefixes.extend_from_slice(&chunk.prefixes);
            refining.bits.extend_from_slice(&chunk.refining);
            codes.scales.extend(chunk.scales.iter().map(|s| scale_to_bits(*s, base)));
        }

        let mut gram = vec![0.0; dim * (dim + 1) / 2];
        let mut squared_norms = Vec::with_capacity(n);
        let mut squared_errors = 0.0;
        for group in firsts.chunks(GRAMS_AT_ONCE) {
            let measure =
                |first: &usize| self.measure_chunk(*first, bits, &codes, &refining, base);
            let parts: Vec<Part> = group.par_iter().map(measure).collect();
            for part in parts {
                gram.iter_mut().zip(&part.gram).for_each(|(g, p)| *g += p);
                squared_norms.extend(part.squared_norms);
                squared_errors += part.squared_errors;
            }
        }
        let norm_base = scale_base(squared_norms.iter().fold(0.0f64, |m, x| m.max(*x)));
        if self.metric == Metric::Euclidean {
            codes.norms = squared_norms.iter().map(|x| scale_to_bits(*x, norm_base)).collect();
            codes.norms.resize(codes.scales.len(), 0);
        }
        let relative_error = (squared_errors / n.max(1) as f64).sqrt();
        let lists = self.lists();
        Encoded { codes, refining, lists, gram, scale_base: base, norm_base, relative_error }
    }

    /// The lists, without what is measured on them.
    fn lists(&self) -> Lists {
        let n = self.n_lists();
        let squared = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        let lanes = n_blocks(n) * BLOCK;
        let mut norms: Vec<f64> = (0..n).map(|l| squared(self.centroid(l))).collect();
        let mut spreads: Vec<f64> = (0..n)
            .into_par_iter()
            .map(|list| {
                let items = self.starts[list] as usize..self.starts[list + 1] as usize;
                let n_items = items.len();
                let sum: f64 = items
                    .map(|i| {
                        let residual = self.row(i).iter().zip(self.centroid(list));
                        residual
                            .map(|(x, c)| (f64::from(*x) - c) * (f64::from(*x) - c))
                            .sum::<f64>()
                    })
                    .sum();
                (sum / (n_items * self.dim).max(1) as f64).sqrt()
            })
            .collect();
        norms.resize(lanes, 0.0);
        spreads.resize(lanes, 0.0);
        let bits = |values: &[f64]| -> (Vec<u16>, u32) {
            let base = scale_base(values.iter().fold(0.0f64, |m, x| m.max(*x)));
            (values.iter().map(|x| scale_to_bits(*x, base)).collect(), base)
        };
        let (norms, norm_base) = bits(&norms);
        let (spreads, spread_base) = bits(&spreads);
        Lists {
            codes: self.centroid_codes.clone(),
            starts: self.starts.clone(),
            scales: self.centroid_scales.clone(),
            norms: if self.metric == Metric::Euclidean { norms } else { Vec::new() },
            spreads,
            probes: Vec::new(),
            scale_base: self.centroid_scale_base,
            norm_base,
            spread_base,
            recall: 1.0,
            code_recall: 1.0,
            margin: 0.0,
            filtered_margin: 0.0,
            reach: 0.0,
            optimism: 0.0,
        }
    }

    /// Codes and unrounded scales of a chunk, the last block padded with zeros.
    fn quantize_chunk(&self, first: usize, bits: u32) -> Quantized {
        let dim = self.dim;
        let n = CHUNK.min(self.len() - first);
        let mut out = Quantized {
            prefixes: vec![0; n_blocks(n) * prefix_block_bytes(dim)],
            refining: vec![0; n * refining_bytes(dim, bits)],
            scales: vec![0.0; n_blocks(n) * BLOCK],
        };
        let mut code = vec![0; dim];
        // Under the Euclidean distance the decoded vector's own norm cancels errors along it.
        let along = match self.metric {
            Metric::Euclidean => 0.0,
            _ => ((dim - 1) as f64 * ALONG).sqrt(),
        };
        for i in 0..n {
            let centroid = self.centroid(self.list_of(first + i));
            let row = self.row(first + i);
            let residual: Vec<f64> =
                row.iter().zip(centroid).map(|(x, c)| f64::from(*x) - c).collect();
            let weight = along / length(row).max(f64::MIN_POSITIVE);
            let heavy: Vec<f64> = row.iter().map(|x| f64::from(*x) * weight).collect();
            out.scales[i] = quantize(&residual, &heavy, bits, &mut code);
            let block = &mut out.prefixes[i / BLOCK * prefix_block_bytes(dim)..];
            let item = &mut out.refining[i * refining_bytes(dim, bits)..];
            let item = &mut item[..refining_bytes(dim, bits)];
            for (j, code) in code.iter().enumerate() {
                put(*code, bits, i % BLOCK, j, block, item);
            }
        }
        out
    }

    /// Gram matrix, norms and errors of the decoded vectors.
    fn measure_chunk(
        &self,
        first: usize,
        bits: u32,
        codes: &Codes,
        low: &Refining,
        base: u32,
    ) -> Part {
        let dim = self.dim;
        let (block_bytes, item_bytes) = (prefix_block_bytes(dim), refining_bytes(dim, bits));
        let mut part = Part {
            gram: vec![0.0; dim * (dim + 1) / 2],
            squared_norms: Vec::new(),
            squared_errors: 0.0,
        };
        let mut decoded = vec![0.0; dim];
        for item in first..self.len().min(first + CHUNK) {
            let x = self.row(item);
            let block = &codes.prefixes[item / BLOCK * block_bytes..][..block_bytes];
            let low = &low.bits[item * item_bytes..][..item_bytes];
            let scale = f64::from(scale_from_bits(codes.scales[item], base));
            let centroid = self.centroid(self.list_of(item));
            decoded.copy_from_slice(centroid);
            let code = ItemCode { block, lane: item % BLOCK, refining: low, bits };
            Backend::best().add_code(code, scale, &mut decoded);
            part.squared_norms.push(decoded.iter().map(|x| x * x).sum::<f64>());
            let norm = x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>();
            if norm > 0.0 {
                let error = |(x, d): (&f32, &f64)| (f64::from(*x) - d) * (f64::from(*x) - d);
                part.squared_errors += x.iter().zip(&decoded).map(error).sum::<f64>() / norm;
            }
            let mut rest = part.gram.as_mut_slice();
            for (j, a) in decoded.iter().enumerate() {
                let (upper, below) = rest.split_at_mut(dim - j);
                upper.iter_mut().zip(&decoded[j..]).for_each(|(g, b)| *g += a * b);
                rest = below;
            }
        }
        part
    }
}

/// One chunk's codes.
struct Quantized {
    prefixes: Vec<u8>,
    refining: Vec<u8>,
    scales: Vec<f64>,
}

/// Sums over one chunk.
struct Part {
    gram: Vec<f64>,
    squared_norms: Vec<f64>,
    squared_errors: f64,
}
