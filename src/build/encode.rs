//! Vectors to codes and Gram matrix.

use rayon::prelude::*;

use super::space::{Space, length};
use crate::format::{Codes, Level, Lists, Refining};
use crate::kernel::Backend;
use crate::kernel::code::{
    BLOCK, ItemCode, PREFIX_BITS, code_value, n_blocks, prefix, prefix_block_bytes, put, quantize,
    radius_to_bits, refining_bytes, scale_base, scale_from_bits, scale_to_bits,
};
use crate::metric::Metric;

/// Rows of one unit of parallel work: a multiple of the block, and small enough that two cores
/// share even a small catalog.
pub(super) const CHUNK: usize = 2048;
/// Partial Gram matrices that are held at once: bounds memory at large dimensions.
const GRAMS_AT_ONCE: usize = 16;
/// How much more an error along an item's own vector costs than one across it, for each dimension but
/// one: the square of the cosine over that of the sine of the angle to the queries whose neighbour it is,
/// here with cosine 0.8. Recall hardly changes between 0.5 and 0.9.
const ALONG: f64 = 0.64 / 0.36;
/// Codes of all items, and what was measured on the way.
pub(super) struct Encoded {
    pub(super) codes: Codes,
    pub(super) refining: Refining,
    pub(super) lists: Lists,
    pub(super) blocks: Level,
    pub(super) gram: Vec<f64>,
    pub(super) scale_base: u32,
    pub(super) norm_base: u32,
    pub(super) relative_error: f64,
}

impl Space {
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
            largest_scales: Vec::new(),
            least_norms: Vec::new(),
            radii: Vec::new(),
        };
        let mut refining = Refining { bits: Vec::with_capacity(n * refining_bytes(dim, bits)) };
        for chunk in chunks {
            codes.prefixes.extend_from_slice(&chunk.prefixes);
            refining.bits.extend_from_slice(&chunk.refining);
            codes.scales.extend(chunk.scales.iter().map(|s| scale_to_bits(*s, base)));
        }
        codes.largest_scales = every_fourth(&codes.scales, 0, u16::max);
        let radii = self.radii(&codes, bits, base);
        codes.radii = radii.iter().map(|radius| radius_to_bits(*radius, base)).collect();
        codes.radii.resize(n_blocks(radii.len()) * BLOCK, 0);

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
            codes.least_norms = every_fourth(&codes.norms, u16::MAX, u16::min);
            codes.norms.resize(codes.scales.len(), 0);
        }
        let relative_error = (squared_errors / n.max(1) as f64).sqrt();
        let (lists, blocks) = (self.lists.clone(), self.blocks.clone());
        let scale_base = base;
        Encoded { codes, refining, lists, blocks, gram, scale_base, norm_base, relative_error }
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
            let centroid = self.centroid(first + i);
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

    /// How far from the centroid of their block its items' prefixes lie at most.
    fn radii(&self, codes: &Codes, bits: u32, base: u32) -> Vec<f64> {
        let step = f64::from(1u32 << (bits - PREFIX_BITS));
        let blocks = codes.prefixes.par_chunks_exact(prefix_block_bytes(self.dim));
        let radius = |(block, scales): (&[u8], &[u16; BLOCK])| {
            let lengths = scales.iter().enumerate().map(|(lane, scale)| {
                let value = |j| code_value(prefix(block, lane, j), PREFIX_BITS);
                let squared: i32 = (0..self.dim).map(|j| value(j).pow(2)).sum();
                f64::from(scale_from_bits(*scale, base)) * step * f64::from(squared).sqrt()
            });
            lengths.fold(0.0, f64::max)
        };
        blocks.zip(codes.scales.as_chunks().0).map(radius).collect()
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
            let centroid = self.centroid(item);
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

/// Of each block, one number of every fourth item: 0, 4, 8 and so on, then 1, 5, 9 and so on.
fn every_fourth(of_items: &[u16], none: u16, more: fn(u16, u16) -> u16) -> Vec<u16> {
    let of_block = |block: &[u16]| {
        let mut four = [none; 4];
        for (i, number) in block.iter().enumerate() {
            four[i % 4] = more(four[i % 4], *number);
        }
        four
    };
    of_items.chunks(BLOCK).flat_map(of_block).collect()
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
