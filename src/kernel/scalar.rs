//! The definition of every kernel, in the most obvious code.

use super::code::{BLOCK, byte_in_block};

pub(super) fn dot_block(codes: &[u8], query: &[i16], out: &mut [i32; BLOCK]) {
    for (lane, sum) in out.iter_mut().enumerate() {
        *sum = (0..query.len())
            .map(|j| i32::from(query[j]) * i32::from(codes[byte_in_block(lane, j)]))
            .sum();
    }
}
