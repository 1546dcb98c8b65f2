//! The pass over all codes.
//!
//! The query is rounded to 12 bits, so that a block's dot products are exact integers on every
//! backend. What turns them into scores is a handful of f32 operations per item, in one written
//! order and without fused multiply-add: the same bits however a compiler spreads them over
//! lanes. Scores of the scan only choose who is scored again; they are never returned.

use super::query::Query;
use super::top::Top;
use crate::item_set::ItemSet;
use crate::kernel::code::{BLOCK, QUERY_LIMIT, padded_dim};
use crate::kernel::{Affine, Backend};
use crate::load::Index;
use crate::metric::Metric;

/// Rounds the query to integers within ±[`QUERY_LIMIT`], padded to an even length, and returns
/// the step: component = step * integer.
fn quantize_query(vector: &[f64], out: &mut Vec<i16>) -> f32 {
    let largest = vector.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let limit = f64::from(QUERY_LIMIT);
    let inverse = if largest > 0.0 { limit / largest } else { 0.0 };
    out.clear();
    out.resize(padded_dim(vector.len()), 0);
    for (q, x) in out.iter_mut().zip(vector) {
        // Rounding half up, by floor: the same everywhere. A subnormal largest would make the
        // inverse infinite, hence the clamp.
        *q = (x * inverse + 0.5).floor().clamp(-limit, limit) as i16;
    }
    (largest / limit) as f32
}

pub(super) fn scan(
    backend: Backend,
    index: &Index,
    query: &Query,
    allowed: &ItemSet,
    quantized: &mut Vec<i16>,
    top: &mut Top,
) {
    let step = quantize_query(query.vector(), quantized);
    // dot(q, v) = 2 dot(q, u) - 255 sum(q), exact in wrapping i32 arithmetic because the true
    // value fits (see `kernel::code`).
    let offset = 255 * quantized.iter().map(|q| i32::from(*q)).sum::<i32>();
    let affine = Affine {
        offset,
        step,
        base: query.base() as f32,
        scale_base: index.scale_base(),
        norm_base: index.norm_base(),
    };
    // -|q - x|^2 = 2 q.x - |x|^2 - |q|^2, and the last term is the same for all items.
    let norms = (query.metric() == Metric::Euclidean).then(|| index.norm_bits());
    let scales = index.scale_bits();
    let mut dots = [0; BLOCK];
    let mut scores = [0.0f32; BLOCK];
    for (block, &word) in allowed.words().iter().enumerate() {
        if word == 0 {
            continue;
        }
        backend.dot_block(index.block_codes(block), quantized, &mut dots);
        let items = block * BLOCK..(block + 1) * BLOCK;
        let norms = norms.map(|n| &n[items.clone()]);
        let (scales, threshold) = (&scales[items.clone()], top.threshold());
        if backend.score_block(&dots, scales, norms, &affine, threshold, &mut scores) {
            keep_allowed(&scores, word, items.start as u32, top);
        }
    }
}

/// Offers a block's allowed items to the top, in ascending order.
fn keep_allowed(scores: &[f32; BLOCK], word: u32, first: u32, top: &mut Top) {
    for (lane, score) in (0u32..).zip(scores) {
        if word >> lane & 1 == 1 && *score > top.threshold() {
            top.push(*score, first + lane);
        }
    }
}
