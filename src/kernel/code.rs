//! Codes of vectors: their layouts in blocks, their integer meaning, their 16-bit scale.
//!
//! A rotated residual `r` (a vector less what it is measured from) is stored as a number of `b`
//! bits a dimension and one scale `s`: the number `u` stands for the odd integer `v = 2u - (2^b -
//! 1)`, and the vector is *defined* from then on as `c + s * v` (its *decoded vector*). Odd
//! integers make the grid symmetric around zero, as in (extended) RaBitQ: Gao and Long, arXiv
//! 2405.12497; Gao et al., arXiv 2409.09913.
//!
//! **Items** have codes of 5 to 8 bits. The four high bits of each dimension, the *prefix*, are
//! scanned; the others, the *refining bits*, are read for the few items that matter. A prefix `p`
//! is a code of its own, on a grid that is `2^(b - 4)` times as coarse: the middle of the cell of
//! all codes that begin with it is exactly `2^(b - 4) * (2p - 15)`.
//!
//! **Centroids** have codes that are scanned whole: those of lists of 7 bits, those of blocks of 4, in the
//! layout of prefixes.
//!
//! # Layouts
//! Both lie in blocks of [`BLOCK`], so that a SIMD lane belongs to one item and no kernel shuffles
//! or adds horizontally.
//!
//! - Centroids of lists: dimensions in groups of four, four bytes a centroid, whose highest bits are not read.
//! - Prefixes: dimensions in groups of eight, four bytes an item: byte `i` holds dimension `i` in
//!   its low half and dimension `i + 4` in its high half. Four adjacent bytes of one half are what
//!   the byte dot products of all instruction sets add up, and so are four bytes of a list's centroid. (7 bits,
//!   since the instructions of WebAssembly agree on bytes below 128 only.)
//! - Refining bits: by item, in the same groups of eight, `b - 4` bytes a group: dimension after
//!   dimension, the first in the lowest bits.
//!
//! Dimensions are padded to a multiple of eight, with code 0 against query 0.

/// Items in one block.
pub const BLOCK: usize = 32;
/// Largest dimension of an archive. Integer sums in the kernels rely on it.
pub const MAX_DIM: usize = 4096;
/// Bits of the code of a list's centroid.
pub const CENTROID_BITS: u32 = 7;
/// Bits of the prefix of an item's code.
pub const PREFIX_BITS: u32 = 4;
/// Least and most bits of an item's code.
pub const CODE_BITS: std::ops::RangeInclusive<u32> = 5..=8;
/// Largest absolute component of a query against centroids and prefixes: 8 bits with sign.
pub const QUERY_LIMIT: i32 = 127;
/// Largest biased exponent of a scale's base: keeps every f32 in the scan finite, since
/// `2^(150 + 31 - 127) * 2^31 * 2^23` is far below the f32 limit of `2^128`.
pub const MAX_SCALE_BASE: u32 = 150;
/// Radii are stored as scales are, in units of this: a prefix lies at most `8 * 15 * sqrt(MAX_DIM)` scales
/// from its centroid.
pub const RADIUS_UNIT: f32 = 8192.0;

/// The dimension as stored.
#[must_use]
pub const fn padded_dim(dim: usize) -> usize {
    dim.next_multiple_of(8)
}

/// Blocks needed for `n` items.
#[must_use]
pub const fn n_blocks(n_items: usize) -> usize {
    n_items.div_ceil(BLOCK)
}

/// Bytes of one block of centroids.
#[must_use]
pub const fn centroid_block_bytes(dim: usize) -> usize {
    BLOCK * padded_dim(dim)
}

/// Bytes of one block of prefixes.
#[must_use]
pub const fn prefix_block_bytes(dim: usize) -> usize {
    BLOCK * padded_dim(dim) / 2
}

/// Bytes of one item's refining bits.
#[must_use]
pub const fn refining_bytes(dim: usize, bits: u32) -> usize {
    padded_dim(dim) / 8 * (bits - PREFIX_BITS) as usize
}

/// Where, inside its block, dimension `j` of the centroid in `lane` lies.
#[inline]
#[must_use]
pub const fn centroid_byte(lane: usize, j: usize) -> usize {
    (j / 4) * (4 * BLOCK) + 4 * lane + j % 4
}

/// The code of dimension `j` of the centroid in `lane`, 0 to 127.
#[inline]
#[must_use]
pub fn centroid_code(block: &[u8], lane: usize, j: usize) -> u8 {
    block[centroid_byte(lane, j)] & 127
}

/// Where, inside its block, the prefix of dimension `j` of the item in `lane` lies: the byte, and
/// how far to shift it.
#[inline]
#[must_use]
pub const fn prefix_place(lane: usize, j: usize) -> (usize, u32) {
    ((j / 8) * (4 * BLOCK) + 4 * lane + j % 4, (j as u32 % 8 / 4) * 4)
}

/// The prefix of dimension `j` of the item in `lane`, 0 to 15.
#[inline]
#[must_use]
pub fn prefix(block: &[u8], lane: usize, j: usize) -> u8 {
    let (byte, shift) = prefix_place(lane, j);
    block[byte] >> shift & 15
}

/// Puts a code into a block of prefixes and its item's refining bits, both zero before.
#[cfg(any(test, feature = "build"))]
pub fn put(code: u8, bits: u32, lane: usize, j: usize, block: &mut [u8], item: &mut [u8]) {
    let width = bits - PREFIX_BITS;
    put_prefix(code >> width, lane, j, block);
    let at = j / 8 * 8 * width as usize + j % 8 * width as usize;
    let low = u32::from(code & ((1 << width) - 1)) << (at % 8);
    item[at / 8] |= low as u8;
    if let Some(next) = item.get_mut(at / 8 + 1) {
        *next |= (low >> 8) as u8;
    }
}

/// Puts a prefix into a block of them, zero before.
#[cfg(any(test, feature = "build"))]
pub fn put_prefix(prefix: u8, lane: usize, j: usize, block: &mut [u8]) {
    let (byte, shift) = prefix_place(lane, j);
    block[byte] |= prefix << shift;
}

/// Where the code of one item lies.
#[derive(Clone, Copy, Debug)]
pub struct ItemCode<'a> {
    /// The prefixes of its block.
    pub block: &'a [u8],
    /// Its place in the block.
    pub lane: usize,
    /// Its refining bits, and whatever lies behind them. Where there are none, the middle of what they
    /// could make of the prefix is read, in the same unit.
    pub refining: &'a [u8],
    /// Bits of a code, refining bits included.
    pub bits: u32,
}

impl<'a> ItemCode<'a> {
    /// Bits that refine a prefix.
    #[inline(always)]
    pub(super) fn width(&self) -> u32 {
        self.bits - PREFIX_BITS
    }

    /// What is taken from twice a code to make it the odd integer that it stands for.
    #[inline(always)]
    pub(super) fn offset(&self) -> i32 {
        let middle = if self.refining.is_empty() { (1 << self.width()) - 1 } else { 0 };
        (1 << self.bits) - 1 - middle
    }

    /// Group after group of eight dimensions: the four bytes of prefixes, and the refining bits as a
    /// number, the first dimension's lowest (and behind those of the group anything).
    #[inline(always)]
    pub(super) fn groups(&self) -> impl Iterator<Item = ([u8; 4], u32)> + use<'a> {
        let Self { block, lane, refining, .. } = *self;
        let width = self.width() as usize;
        let (groups, _) = block.as_chunks::<{ 4 * BLOCK }>();
        groups.iter().enumerate().map(move |(g, group)| {
            let (fours, _) = group.as_chunks::<4>();
            (fours[lane], word_at(refining, g * width))
        })
    }
}

/// The odd integers that a code stands for, eight dimensions at a time (those of padding included).
#[inline(always)]
pub fn values(code: ItemCode<'_>) -> impl Iterator<Item = [i32; 8]> {
    let (width, offset) = (code.width(), code.offset());
    let mask = (1u32 << width) - 1;
    code.groups().map(move |(prefixes, low)| {
        std::array::from_fn(|j| {
            let prefix = u32::from(prefixes[j % 4] >> (j / 4 * 4) & 15);
            let code = prefix << width | low >> (j as u32 * width) & mask;
            2 * code as i32 - offset
        })
    })
}

/// Four bytes as a number, the first lowest; what is missing at the end is zero.
#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> u32 {
    if let Some(four) = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        return u32::from_le_bytes(*four);
    }
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// The code of a list's centroid, four dimensions at a time (those of padding included), with the
/// highest bits, which mean nothing.
#[inline(always)]
pub fn centroid_bytes(codes: &[u8], lane: usize) -> impl Iterator<Item = [u8; 4]> {
    let (groups, _) = codes.as_chunks::<{ 4 * BLOCK }>();
    groups.iter().map(move |group| group.as_chunks::<4>().0[lane])
}

/// The odd integer that a code of `bits` bits stands for.
#[inline]
#[must_use]
pub const fn code_value(code: u8, bits: u32) -> i32 {
    2 * code as i32 - ((1 << bits) - 1)
}

/// Quantizes a residual to `bits` bits: writes one code a dimension and returns the scale.
///
/// What is left over, `e = r - s * v`, costs `|e|^2 + (e . heavy)^2`: with `heavy` zero every direction
/// weighs the same; else errors along `heavy` weigh more. For integers `v` the best scale has a closed
/// form; among the integers that 24 step sizes give, those win whose cost at their best scale is
/// least (the smaller step on a tie). A residual of zero has scale 0.
///
/// A query meets an item that is its neighbour nearly in that item's direction. So an error along the item's
/// own vector always counts in full, while one across it counts by the sine of a small angle: Guo
/// et al., *Accelerating Large-Scale Inference with Anisotropic Vector Quantization* (arXiv
/// 1908.10396). One scale suffices to make the former vanish nearly, at a small price in the latter.
///
/// `residual`, `heavy` and `codes` have one length. Cost: 25 passes over the vector.
#[cfg(any(test, feature = "build"))]
pub fn quantize(residual: &[f64], heavy: &[f64], bits: u32, codes: &mut [u8]) -> f64 {
    let half = f64::from(1 << (bits - 1));
    // The nearest code to a component in units of the step (two units of `v`).
    let round = |r: f64| (r + half).floor().clamp(0.0, 2.0 * half - 1.0) as u8;
    let largest = residual.iter().fold(0.0f64, |m, r| m.max(r.abs()));
    if largest == 0.0 {
        codes.fill(half as u8);
        return 0.0;
    }
    // Below 0.4 of the full range the clipped tail always costs more than the finer step gains
    // (the largest of 4096 Gaussian components is near 3.7 sigma; the best clip of 5 bits is near
    // 2.9 sigma, that of 8 near 4).
    let step = |i: u32| largest / (half - 0.5) * (0.4 + 0.6 * f64::from(i) / 23.0);
    let heavy_part: f64 = residual.iter().zip(heavy).map(|(r, h)| r * h).sum();
    let (mut least, mut inverse, mut scale) = (f64::INFINITY, 0.0, 0.0);
    for i in 0..24 {
        let per_step = 1.0 / step(i);
        let (mut along, mut norm, mut heavy_code) = (0.0, 0.0, 0.0);
        for (r, h) in residual.iter().zip(heavy) {
            let v = f64::from(code_value(round(r * per_step), bits));
            along += v * r;
            norm += v * v;
            heavy_code += v * h;
        }
        // The cost is a parabola in the scale; what does not depend on the code is left out.
        let slope = along + heavy_code * heavy_part;
        let curve = norm + heavy_code * heavy_code;
        // (A scale below 0 is none.)
        let cost = -slope * slope.abs() / curve;
        if cost < least {
            (least, inverse, scale) = (cost, per_step, slope / curve);
        }
    }
    if scale <= 0.0 {
        // Whatever the step, errors along `heavy` outweigh the residual itself.
        return quantize(residual, &vec![0.0; heavy.len()], bits, codes);
    }
    for (r, code) in residual.iter().zip(codes) {
        *code = round(r * inverse);
    }
    scale
}

/// A positive f32 in 16 bits: 5 bits of exponent above a base that the whole archive shares, and
/// 11 bits of fraction; 0 is zero. The relative error is at most 2^-12, over nine decades.
///
/// Every 16-bit pattern decodes to a finite, non-negative number, so damaged scales can make
/// wrong scores but never a NaN.
#[inline]
#[must_use]
pub fn scale_from_bits(bits: u16, base: u32) -> f32 {
    if bits == 0 { 0.0 } else { f32::from_bits((base << 23) + (u32::from(bits) << 12)) }
}

/// The nearest 16-bit pattern of a scale (see [`scale_from_bits`]). What is smaller than the
/// smallest pattern becomes zero.
#[must_use]
#[cfg(any(test, feature = "build"))]
pub fn scale_to_bits(scale: f64, base: u32) -> u16 {
    let bits = (scale as f32).to_bits();
    let above = (bits + (1 << 11)).saturating_sub(base << 23) >> 12;
    u16::try_from(above).unwrap_or(u16::MAX)
}

/// The least 16-bit pattern that stands for no less than a radius: times [`RADIUS_UNIT`], see
/// [`scale_from_bits`].
#[must_use]
#[cfg(any(test, feature = "build"))]
pub fn radius_to_bits(radius: f64, base: u32) -> u16 {
    let radius = radius / f64::from(RADIUS_UNIT);
    let nearest = scale_to_bits(radius, base);
    let is_less = f64::from(scale_from_bits(nearest, base)) < radius;
    nearest.saturating_add(u16::from(is_less))
}

/// The base under which `largest`, the largest scale of an archive, and everything down to
/// 2^-29 of it can be written.
#[must_use]
#[cfg(any(test, feature = "build"))]
pub fn scale_base(largest: f64) -> u32 {
    // Rounding up may carry into the next exponent: one step of head room above the 31.
    ((largest as f32).to_bits() >> 23).saturating_sub(30).clamp(1, MAX_SCALE_BASE)
}
