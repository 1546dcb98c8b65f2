//! Vectors to codes, centroid and Gram matrix.

use rayon::prelude::*;

use super::{BuildOptions, Embeddings};
use crate::error::{Error, Result};
use crate::format::Codes;
use crate::kernel::code::{
    BLOCK, byte_in_block, code_value, n_blocks, padded_dim, quantize, scale_base, scale_from_bits,
    scale_to_bits,
};
use crate::kernel::rotation::{Rotation, sign_bytes};
use crate::metric::Metric;
use crate::rng::SeededRng;

/// Rows of one unit of parallel work: a multiple of the block, and small enough that two cores
/// share even a small catalog.
const CHUNK: usize = 2048;
/// Partial Gram matrices that are held at once: bounds memory at large dimensions.
const GRAMS_AT_ONCE: usize = 16;
/// The stream of the archive's seed that the rotation is drawn from.
const ROTATION_STREAM: u64 = 1;
/// Components beyond this are refused: scales could not hold them (see `kernel::code`).
const MAX_COMPONENT: f32 = 1e15;

pub(super) struct Encoded {
    pub(super) codes: Codes,
    pub(super) signs: Vec<u8>,
    pub(super) centroid: Vec<f64>,
    pub(super) gram: Vec<f64>,
    pub(super) scale_base: u32,
    pub(super) norm_base: u32,
    pub(super) relative_error: f64,
}

pub(super) fn encode(vectors: &Embeddings, n: usize, options: &BuildOptions) -> Result<Encoded> {
    let dim = vectors.dim;
    let mut rng = SeededRng::new(options.seed, ROTATION_STREAM);
    let signs: Vec<u8> = (0..sign_bytes(dim)).map(|_| rng.bits() as u8).collect();
    let rotation = Rotation::new(dim, &signs);
    let rows: Vec<&[f32]> = vectors.values.chunks_exact(dim).collect();
    let unit = options.metric == Metric::Cosine;
    rows.par_iter().enumerate().try_for_each(|(i, row)| check_row(i, row, unit))?;

    let mut centroid = mean(&rows, dim, unit);
    rotation.apply(&mut centroid);

    let source = Source { rotation: &rotation, centroid: &centroid, unit };
    let chunks: Vec<(Vec<u8>, Vec<f64>)> =
        rows.par_chunks(CHUNK).map(|rows| source.quantize_chunk(rows)).collect();
    let largest = chunks.iter().flat_map(|c| &c.1).fold(0.0f64, |m, s| m.max(*s));
    let base = scale_base(largest);

    let mut codes = Codes {
        codes: Vec::with_capacity(n_blocks(n) * BLOCK * padded_dim(dim)),
        scales: Vec::with_capacity(n_blocks(n) * BLOCK),
        norms: Vec::new(),
    };
    for (bytes, scales) in &chunks {
        codes.codes.extend_from_slice(bytes);
        codes.scales.extend(scales.iter().map(|s| scale_to_bits(*s, base)));
    }
    drop(chunks);

    let mut gram = vec![0.0; dim * (dim + 1) / 2];
    let mut squared_norms = Vec::with_capacity(n);
    let mut squared_errors = 0.0;
    let chunks: Vec<(usize, &[&[f32]])> = rows.chunks(CHUNK).enumerate().collect();
    for group in chunks.chunks(GRAMS_AT_ONCE) {
        let parts: Vec<Part> = group
            .par_iter()
            .map(|(i, rows)| source.measure_chunk(i * CHUNK, rows, &codes, base))
            .collect();
        for part in parts {
            gram.iter_mut().zip(&part.gram).for_each(|(g, p)| *g += p);
            squared_norms.extend(part.squared_norms);
            squared_errors += part.squared_errors;
        }
    }
    let norm_base = scale_base(squared_norms.iter().fold(0.0f64, |m, x| m.max(*x)));
    if options.metric == Metric::Euclidean {
        codes.norms = squared_norms.iter().map(|x| scale_to_bits(*x, norm_base)).collect();
        codes.norms.resize(codes.scales.len(), 0);
    }
    let relative_error = (squared_errors / n.max(1) as f64).sqrt();
    Ok(Encoded { codes, signs, centroid, gram, scale_base: base, norm_base, relative_error })
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

/// A row in f64, of length 1 under cosine.
fn row_in(row: &[f32], unit: bool, out: &mut Vec<f64>) {
    let factor = if unit { 1.0 / length(row) } else { 1.0 };
    out.clear();
    out.extend(row.iter().map(|x| f64::from(*x) * factor));
}

/// The mean row, chunks summed in order.
fn mean(rows: &[&[f32]], dim: usize, unit: bool) -> Vec<f64> {
    let sums: Vec<Vec<f64>> = rows
        .par_chunks(CHUNK)
        .map(|rows| {
            let (mut sum, mut x) = (vec![0.0; dim], Vec::new());
            for row in rows {
                row_in(row, unit, &mut x);
                sum.iter_mut().zip(&x).for_each(|(s, x)| *s += x);
            }
            sum
        })
        .collect();
    let mut mean = vec![0.0; dim];
    for sum in sums {
        mean.iter_mut().zip(&sum).for_each(|(m, s)| *m += s);
    }
    mean.iter_mut().for_each(|m| *m /= rows.len().max(1) as f64);
    mean
}

/// What turns an input row into the vector that is coded.
struct Source<'a> {
    rotation: &'a Rotation,
    centroid: &'a [f64],
    unit: bool,
}

/// Sums over one chunk.
struct Part {
    gram: Vec<f64>,
    squared_norms: Vec<f64>,
    squared_errors: f64,
}

impl Source<'_> {
    fn rotated(&self, row: &[f32], out: &mut Vec<f64>) {
        row_in(row, self.unit, out);
        self.rotation.apply(out);
    }

    /// Codes in blocks and unrounded scales, the last block padded with zeros.
    fn quantize_chunk(&self, rows: &[&[f32]]) -> (Vec<u8>, Vec<f64>) {
        let dim = self.centroid.len();
        let lanes = n_blocks(rows.len()) * BLOCK;
        let mut codes = vec![0; lanes * padded_dim(dim)];
        let mut scales = vec![0.0; lanes];
        let (mut x, mut bytes) = (Vec::new(), vec![0; dim]);
        for (i, row) in rows.iter().enumerate() {
            self.rotated(row, &mut x);
            x.iter_mut().zip(self.centroid).for_each(|(x, c)| *x -= c);
            scales[i] = quantize(&x, &mut bytes);
            let block = &mut codes[i / BLOCK * BLOCK * padded_dim(dim)..];
            for (j, byte) in bytes.iter().enumerate() {
                block[byte_in_block(i % BLOCK, j)] = *byte;
            }
        }
        (codes, scales)
    }

    /// Gram matrix, norms and errors of the decoded vectors.
    fn measure_chunk(&self, first: usize, rows: &[&[f32]], codes: &Codes, base: u32) -> Part {
        let dim = self.centroid.len();
        let block_bytes = BLOCK * padded_dim(dim);
        let mut part = Part {
            gram: vec![0.0; dim * (dim + 1) / 2],
            squared_norms: Vec::with_capacity(rows.len()),
            squared_errors: 0.0,
        };
        let (mut x, mut decoded) = (Vec::new(), vec![0.0; dim]);
        for (item, row) in (first..).zip(rows) {
            self.rotated(row, &mut x);
            let block = &codes.codes[item / BLOCK * block_bytes..][..block_bytes];
            let scale = f64::from(scale_from_bits(codes.scales[item], base));
            for (j, (d, c)) in decoded.iter_mut().zip(self.centroid).enumerate() {
                *d = c + scale * f64::from(code_value(block[byte_in_block(item % BLOCK, j)]));
            }
            let squared = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
            part.squared_norms.push(squared(&decoded));
            let norm = squared(&x);
            if norm > 0.0 {
                let error: f64 = x.iter().zip(&decoded).map(|(x, d)| (x - d) * (x - d)).sum();
                part.squared_errors += error / norm;
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
