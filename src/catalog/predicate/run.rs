//! Compiled programs to bitmaps, a column at a time.
//!
//! Items are taken in chunks that fit the nearest cache, and a test *narrows* a chunk's bitmap: it
//! takes out the items that fail, and a chunk that is empty is not looked at again. The compiler
//! put cheap tests first, so a conjunction costs those over all items and its dear ones over what
//! is left.
//!
//! Comparisons of packed numbers are the kernels' ([`Backend::keep_in_range`]).

use super::node::{Comparison, Node, Number};
use crate::catalog::Catalog;
use crate::catalog::column::DAMAGED;
use crate::error::Result;
use crate::format::FieldKind;
use crate::ids::Ordinal;
use crate::item_set::ItemSet;
use crate::kernel::Backend;

/// Words of a chunk: 2,048 items, whose numbers of 8 bytes are 16 kB.
const CHUNK: usize = 64;

/// The items for which `node` is true.
pub(super) fn select(catalog: Catalog<'_>, node: &Node) -> Result<ItemSet> {
    let mut set = ItemSet::full(catalog.index.len());
    set.change_words(|words| {
        let mut chunks = words.chunks_mut(CHUNK).enumerate();
        chunks.try_for_each(|(i, words)| narrow(catalog, node, i * CHUNK, words))
    })?;
    Ok(set)
}

/// The number of every item, NaN where there is none.
pub(super) fn values(catalog: Catalog<'_>, number: &Number) -> Result<Vec<f64>> {
    let mut all = vec![0.0; catalog.index.len()];
    for (i, out) in all.chunks_mut(32 * CHUNK).enumerate() {
        fill(catalog, number, i * CHUNK, out)?;
    }
    Ok(all)
}

/// The number of one item. Numbers are made by words of 32 items.
pub(super) fn value(catalog: Catalog<'_>, number: &Number, item: Ordinal) -> Result<f64> {
    let word = item.index() / 32;
    let mut out = [0.0; 32];
    let n_items = catalog.index.len().saturating_sub(32 * word).min(32);
    fill(catalog, number, word, &mut out[..n_items])?;
    Ok(out[item.index() % 32])
}

/// Takes out of `live`, the words from `first` on, the items for which `node` is false.
#[inline(never)]
fn narrow(catalog: Catalog<'_>, node: &Node, first: usize, live: &mut [u32]) -> Result<()> {
    if live.iter().all(|word| *word == 0) {
        return Ok(());
    }
    match node {
        Node::And(parts) => {
            parts.iter().try_for_each(|part| narrow(catalog, part, first, live))?;
        }
        Node::Or(parts) => {
            let mut rest = copy(live);
            for part in parts {
                let mut passed = rest;
                narrow(catalog, part, first, &mut passed[..live.len()])?;
                rest.iter_mut().zip(&passed).for_each(|(rest, passed)| *rest &= !passed);
            }
            live.iter_mut().zip(&rest).for_each(|(live, rest)| *live &= !rest);
        }
        Node::Not(part) => {
            let mut passed = copy(live);
            narrow(catalog, part, first, &mut passed[..live.len()])?;
            live.iter_mut().zip(&passed).for_each(|(live, passed)| *live &= !passed);
        }
        Node::Const(true) => {}
        Node::Const(false) => live.fill(0),
        Node::Exists(field) => keep(live, catalog.nth(*field).present_bits(first), false),
        Node::Flag(field, is) => {
            let column = catalog.nth(*field);
            keep(live, column.flag_bits(first), !*is);
            keep(live, column.present_bits(first), false);
        }
        Node::Range { field, low, high } | Node::Tags { field, low, high } => {
            let column = catalog.nth(*field);
            keep(live, column.present_bits(first), false);
            let numbers = column.packed_from(32 * first);
            if !Backend::best().keep_in_range(numbers, *low, *high, live) {
                return Err(DAMAGED);
            }
        }
        Node::Codes(field, accept) => {
            let column = catalog.nth(*field);
            keep(live, column.present_bits(first), false);
            let is_tags = column.kind() == FieldKind::Tags;
            // Codes beyond the table stand in damaged archives only.
            let accepts = |at| accept.get(column.raw(at) as usize).copied().unwrap_or(false);
            each(first, live, |item| {
                Ok(if is_tags { column.run(item)?.any(accepts) } else { accepts(item) })
            })?;
        }
        Node::Compare(comparison, a, b) => compare(catalog, *comparison, a, b, first, live)?,
        Node::Set(set) => {
            let words = set.words().get(first..).unwrap_or(&[]);
            live.iter_mut().zip(words).for_each(|(live, word)| *live &= word);
        }
    }
    Ok(())
}

fn copy(live: &[u32]) -> [u32; CHUNK] {
    let mut copied = [0; CHUNK];
    copied[..live.len()].copy_from_slice(live);
    copied
}

/// Takes out the items whose bit is not set, or with `inverted` those whose bit is. Without bits
/// all of them stay.
fn keep(live: &mut [u32], bits: Option<&[u8]>, inverted: bool) {
    let Some(bits) = bits else { return };
    let flip = if inverted { u32::MAX } else { 0 };
    let (words, tail) = bits.as_chunks::<4>();
    let mut last = [0; 4];
    last[..tail.len()].copy_from_slice(tail);
    for (word, bytes) in live.iter_mut().zip(words.iter().chain([&last])) {
        *word &= u32::from_le_bytes(*bytes) ^ flip;
    }
}

/// Takes out the items that fail a test which is made one item at a time.
fn each(
    first: usize,
    live: &mut [u32],
    mut passes: impl FnMut(usize) -> Result<bool>,
) -> Result<()> {
    for (w, word) in live.iter_mut().enumerate() {
        let (mut rest, mut passed) = (*word, 0);
        while rest != 0 {
            let bit = rest.trailing_zeros();
            rest &= rest - 1;
            passed |= u32::from(passes(32 * (first + w) + bit as usize)?) << bit;
        }
        *word = passed;
    }
    Ok(())
}

fn compare(
    catalog: Catalog<'_>,
    comparison: Comparison,
    a: &Number,
    b: &Number,
    first: usize,
    live: &mut [u32],
) -> Result<()> {
    let n = (32 * live.len()).min(catalog.index.len() - 32 * first);
    let (mut left, mut right) = (vec![0.0; n], vec![0.0; n]);
    fill(catalog, a, first, &mut left)?;
    fill(catalog, b, first, &mut right)?;
    let (left, right) = (&left, &right);
    // Comparisons with NaN are false, but for `!=`, which must be too.
    each(first, live, |item| {
        let (a, b) = (left[item - 32 * first], right[item - 32 * first]);
        Ok(match comparison {
            Comparison::Equal => a == b,
            Comparison::NotEqual => a.partial_cmp(&b).is_some_and(std::cmp::Ordering::is_ne),
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
        })
    })
}

/// Writes the numbers of the items from word `first` on, NaN where there is none.
#[inline(never)]
fn fill(catalog: Catalog<'_>, number: &Number, first: usize, out: &mut [f64]) -> Result<()> {
    match number {
        Number::Const(x) => out.fill(*x),
        Number::Field(field) => {
            let column = catalog.nth(*field);
            for (i, x) in (32 * first..).zip(out.iter_mut()) {
                let is_present = column.is_present(Ordinal(i as u32));
                *x = if is_present { column.as_f64(i) } else { f64::NAN };
            }
        }
        Number::Flag(node) => {
            let mut live = [u32::MAX; CHUNK];
            let live = &mut live[..out.len().div_ceil(32)];
            if let (Some(last), tail @ 1..) = (live.last_mut(), out.len() % 32) {
                *last = (1 << tail) - 1;
            }
            narrow(catalog, node, first, live)?;
            for (i, x) in out.iter_mut().enumerate() {
                *x = f64::from(live[i / 32] >> (i % 32) & 1);
            }
        }
        Number::Counts(counts) => {
            out.fill(0.0);
            let from = counts.partition_point(|(item, _)| item.index() < 32 * first);
            for (item, count) in &counts[from..] {
                match out.get_mut(item.index() - 32 * first) {
                    Some(x) => *x = *count,
                    None => break,
                }
            }
        }
        Number::Sum(parts) => fold(catalog, parts, first, out, |a, b| a + b)?,
        Number::Product(parts) => fold(catalog, parts, first, out, |a, b| a * b)?,
        Number::Difference(a, b) => {
            fill(catalog, a, first, out)?;
            combine(catalog, b, first, out, |a, b| a - b)?;
        }
        Number::Quotient(a, b) => {
            fill(catalog, a, first, out)?;
            combine(catalog, b, first, out, |a, b| a / b)?;
        }
    }
    Ok(())
}

fn fold(
    catalog: Catalog<'_>,
    parts: &[Number],
    first: usize,
    out: &mut [f64],
    of: fn(f64, f64) -> f64,
) -> Result<()> {
    let Some((one, rest)) = parts.split_first() else { return Ok(()) };
    fill(catalog, one, first, out)?;
    rest.iter().try_for_each(|part| combine(catalog, part, first, out, of))
}

/// `of(out, number)` for each item. What is not finite (a division by zero) is no number.
fn combine(
    catalog: Catalog<'_>,
    number: &Number,
    first: usize,
    out: &mut [f64],
    of: fn(f64, f64) -> f64,
) -> Result<()> {
    let mut other = vec![0.0; out.len()];
    fill(catalog, number, first, &mut other)?;
    for (a, b) in out.iter_mut().zip(&other) {
        let x = of(*a, *b);
        *a = if x.is_finite() { x } else { f64::NAN };
    }
    Ok(())
}
