//! The 64-byte header and the section table: plain little-endian integers at fixed offsets, so
//! that a loader can read them from the first bytes of a stream.

use super::{FORMAT_VERSION, MAGIC, MAX_ITEMS, MAX_SECTIONS, OLDEST_READABLE, checksum};
use crate::error::{Error, Result};
use crate::kernel::code::MAX_DIM;

/// Length of the header.
pub const HEADER_BYTES: usize = 64;
/// Length of one entry of the section table.
pub const TABLE_ENTRY_BYTES: usize = 32;

/// The archive's header, without magic and checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Format version.
    pub version: u32,
    /// Number of items.
    pub n_items: u32,
    /// Number of vector components.
    pub dim: u32,
    /// Number of entries in the section table, which follows the header.
    pub n_sections: u32,
    /// Length of the whole archive in bytes.
    pub total_bytes: u64,
    /// Check of the section table.
    pub table_check: u64,
}

/// One entry of the section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableEntry {
    /// Code of the section's kind.
    pub kind: u32,
    /// Where the section begins, from the start of the archive; a multiple of 64.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Check of exactly these bytes.
    pub check: u64,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

impl Header {
    /// The header's bytes, as they stand at offset 0.
    #[must_use]
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&self.version.to_le_bytes());
        // 12..16: flags, none defined.
        out[16..20].copy_from_slice(&self.n_items.to_le_bytes());
        out[20..24].copy_from_slice(&self.dim.to_le_bytes());
        out[24..28].copy_from_slice(&self.n_sections.to_le_bytes());
        // 28..32: reserved.
        out[32..40].copy_from_slice(&self.total_bytes.to_le_bytes());
        out[40..48].copy_from_slice(&self.table_check.to_le_bytes());
        // 48..56: reserved.
        let check = checksum(&out[..56]);
        out[56..64].copy_from_slice(&check.to_le_bytes());
        out
    }

    /// Reads and checks a header. `bytes` may be longer, and is usually the whole archive.
    ///
    /// The magic comes first (is this an archive at all?), then the version, which a file from the
    /// future must reach before its check, then the check, then the limits.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let corrupt = |check| Err(Error::corrupt("header", check));
        if bytes.len() < 8 || bytes[..8] != MAGIC {
            return corrupt("the first 8 bytes are the archive magic");
        }
        if bytes.len() < HEADER_BYTES {
            return corrupt("the header has 64 bytes");
        }
        let version = u32_at(bytes, 8);
        if !(OLDEST_READABLE..=FORMAT_VERSION).contains(&version) {
            return Err(Error::Version {
                found: version,
                oldest: OLDEST_READABLE,
                newest: FORMAT_VERSION,
            });
        }
        if u64_at(bytes, 56) != checksum(&bytes[..56]) {
            return corrupt("the header's own check holds");
        }
        let header = Self {
            version,
            n_items: u32_at(bytes, 16),
            dim: u32_at(bytes, 20),
            n_sections: u32_at(bytes, 24),
            total_bytes: u64_at(bytes, 32),
            table_check: u64_at(bytes, 40),
        };
        if u32_at(bytes, 12) != 0 {
            return Err(Error::Unsupported {
                what: format!("archive flags {:#x}", u32_at(bytes, 12)),
                remedy: "use a newer release".into(),
            });
        }
        if u32_at(bytes, 28) != 0 || u64_at(bytes, 48) != 0 {
            return corrupt("reserved header fields are zero");
        }
        if header.n_items > MAX_ITEMS {
            return corrupt("the item count is within its limit of 2^28");
        }
        if header.dim == 0 || header.dim as usize > MAX_DIM {
            return corrupt("the dimension is within 1 to 4096");
        }
        if header.n_sections > MAX_SECTIONS {
            return corrupt("the section count is within its limit of 64");
        }
        Ok(header)
    }
}

impl TableEntry {
    /// The entry's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; TABLE_ENTRY_BYTES] {
        let mut out = [0; TABLE_ENTRY_BYTES];
        out[0..4].copy_from_slice(&self.kind.to_le_bytes());
        out[8..16].copy_from_slice(&self.offset.to_le_bytes());
        out[16..24].copy_from_slice(&self.length.to_le_bytes());
        out[24..32].copy_from_slice(&self.check.to_le_bytes());
        out
    }

    /// Reads one entry from its 32 bytes.
    #[must_use]
    pub fn parse(bytes: &[u8; TABLE_ENTRY_BYTES]) -> Self {
        Self {
            kind: u32_at(bytes, 0),
            offset: u64_at(bytes, 8),
            length: u64_at(bytes, 16),
            check: u64_at(bytes, 24),
        }
    }
}
