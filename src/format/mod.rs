//! The contract between the builder and the loader: the bytes of an archive, and nothing else.
//!
//! `FORMAT.md` at the root of the repository is normative; the types here follow it.

// Without the builder nothing makes these values; the loader reads their archived forms.
#![cfg_attr(not(feature = "build"), allow(dead_code, unused_imports))]

mod header;
mod layout;
mod sections;
mod validate;

pub use header::{HEADER_BYTES, Header, TABLE_ENTRY_BYTES, TableEntry};
pub use layout::{Layout, LevelLayout, ListsLayout, NeighboursLayout, Span, TitlesLayout};
pub use sections::{
    Codes, Columns, FIELD_NONE, Field, FieldKind, Fold, Ids, Level, Lists, Model, NO_REACH,
    Neighbours, NeighboursKind, Probes, Refining, SectionKind, Texts, Titles,
};
pub use validate::validate;

/// First eight bytes of every archive. The high bit, the line ends and the zero show transfers
/// that were not binary, as in PNG.
pub const MAGIC: [u8; 8] = *b"\x89nf\r\n\x1a\n\0";
/// The format version this build writes.
pub const FORMAT_VERSION: u32 = 1;
/// The oldest format version this build reads.
pub const OLDEST_READABLE: u32 = 1;
/// Alignment of the buffer and of every section in it.
pub const ALIGNMENT: usize = 64;
/// Most items of one archive: block arithmetic in 32-bit WebAssembly stays clear of overflow.
pub const MAX_ITEMS: u32 = 1 << 28;
/// Largest exponent of the fold-in's regularisation. Those in use lie between 0 and 1; up to here
/// no power of a count can overflow.
pub const MAX_NU: f64 = 4.0;
/// Most sections of one archive.
pub const MAX_SECTIONS: u32 = 64;

/// The 64-bit check of headers, tables and sections. It finds damage; it is no signature.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}
