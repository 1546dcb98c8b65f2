//! Packed numbers against a range: what most conditions over columns come to.
//!
//! A backend gives one function a width: which of sixteen numbers lie in a range, as the low
//! sixteen bits of a word. Blocks, lists and ends are written once, over that function.

/// Whole numbers of one width, one behind the other, and with `starts` cut into lists.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    /// The numbers, little-endian.
    pub bytes: &'a [u8],
    /// Bytes of each: 1, 2, 4, or without `starts` also 8.
    pub width: usize,
    /// Where the lists begin, counted in numbers, and where the last one ends: little-endian u32.
    pub starts: Option<&'a [[u8; 4]]>,
}

/// Takes out of `live` the items whose number, or all of whose numbers, `bits` gives no bit for.
/// Returns whether all lists that were looked at lie within the numbers, one behind the other.
#[inline(always)]
pub(super) fn keep<const W: usize>(
    numbers: Packed<'_>,
    live: &mut [u32],
    bits: impl Fn(&[[u8; W]; 16]) -> u32,
) -> bool {
    let (all, _) = numbers.bytes.as_chunks::<W>();
    match numbers.starts {
        // Lists are of codes, which are never as wide: a module need not carry them.
        Some(starts) => W < 8 && keep_lists(all, starts, live, bits),
        None => {
            keep_numbers(all, live, bits);
            true
        }
    }
}

/// Words are not looked at before they are narrowed: that would cost more than it could spare.
#[inline(never)]
fn keep_numbers<const W: usize>(
    all: &[[u8; W]],
    live: &mut [u32],
    bits: impl Fn(&[[u8; W]; 16]) -> u32,
) {
    let word_of = |block: &[[u8; W]; 32]| {
        let halves = block.as_chunks::<16>().0;
        bits(&halves[0]) | bits(&halves[1]) << 16
    };
    let (blocks, end) = all.as_chunks::<32>();
    live.iter_mut().zip(blocks).for_each(|(word, block)| *word &= word_of(block));
    if let Some(word) = live.get_mut(blocks.len()) {
        let mut padded = [[0; W]; 32];
        padded[..end.len()].copy_from_slice(end);
        *word &= word_of(&padded);
    }
}

/// Most lists are short. A loop over the numbers of each would run a number of times that no
/// processor can guess; instead the sixteen numbers from a list's beginning on are compared at
/// once, and the bits of those behind its end are masked.
#[inline(never)]
fn keep_lists<const W: usize>(
    all: &[[u8; W]],
    starts: &[[u8; 4]],
    live: &mut [u32],
    bits: impl Fn(&[[u8; W]; 16]) -> u32,
) -> bool {
    // The last block may have fewer items than 32. Made before the loop: V8 calls functions of its
    // own to fill and to copy.
    let (whole, _) = starts[..starts.len().saturating_sub(1)].as_chunks::<32>();
    let end = &starts[32 * whole.len()..];
    let mut padded = [[0; 4]; 33];
    padded[..end.len()].copy_from_slice(end);
    for (w, word) in live.iter_mut().enumerate() {
        let starts = starts.get(32 * w..).and_then(|rest| rest.first_chunk()).unwrap_or(&padded);
        let (mut rest, mut passed, mut others) = (*word, 0, 0);
        while rest != 0 {
            let lane = rest.trailing_zeros() as usize % 32;
            let bit = rest & rest.wrapping_neg();
            rest ^= bit;
            let (low, high) = (usize_from(starts[lane]), usize_from(starts[lane + 1]));
            let sixteen = all.get(low..).and_then(|rest| rest.first_chunk());
            let (Some(sixteen), length @ 0..=16) = (sixteen, high.wrapping_sub(low)) else {
                others |= bit;
                continue;
            };
            let has = bits(sixteen) & ((1 << length) - 1) != 0;
            passed |= if has { bit } else { 0 };
        }
        *word = passed;
        if others != 0 {
            match any(all, starts, others, &bits) {
                Some(passed) => *word |= passed,
                None => return false,
            }
        }
    }
    true
}

/// The same for lists of any length, also at the end of the numbers: which of the block's items in
/// `rest` have a number with a bit. Apart, because a call in a loop makes V8 keep the loop's
/// variables in memory, which would double what it costs.
#[cold]
#[inline(never)]
fn any<const W: usize>(
    all: &[[u8; W]],
    starts: &[[u8; 4]; 33],
    rest: u32,
    bits: &impl Fn(&[[u8; W]; 16]) -> u32,
) -> Option<u32> {
    let mut passed = 0;
    for (lane, ends) in starts.windows(2).enumerate().filter(|(lane, _)| rest >> lane & 1 == 1) {
        let list = all.get(usize_from(ends[0])..usize_from(ends[1]))?;
        let has = list.iter().any(|number| bits(&[*number; 16]) != 0);
        passed |= u32::from(has) << lane;
    }
    Some(passed)
}

fn usize_from(bytes: [u8; 4]) -> usize {
    u32::from_le_bytes(bytes) as usize
}
