//! Opening archives.

use std::path::Path;

use nearfield::{AlignedBytes, Index, Result};

/// Maps an archive into memory and opens it.
pub fn open(path: &Path) -> Result<Index> {
    Index::open(AlignedBytes::map(path)?)
}

/// Sizes with thousands separated, as people read them.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes of each item; of none, the bytes as they are.
pub fn per_item(bytes: u64, n_items: usize) -> f64 {
    bytes as f64 / n_items.max(1) as f64
}
