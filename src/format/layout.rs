//! What opening finds out about an archive, kept for as long as it is open.

use std::marker::PhantomData;
use std::ops::Range;

use super::header::{Header, TableEntry};
use super::sections::{Field, Fold, NeighboursKind, Probes, SectionKind};
use crate::metric::Metric;

/// An array of `T` inside the archive: checked once, borrowed from the buffer at each use.
#[derive(Debug, PartialEq, Eq)]
pub struct Span<T> {
    /// The bytes, from the start of the archive.
    pub bytes: Range<usize>,
    element: PhantomData<T>,
}

impl<T> Clone for Span<T> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), element: PhantomData }
    }
}

impl<T> Span<T> {
    /// Where `slice`, which lies inside `archive`, lies. `slice` holds `T` in another spelling
    /// (rkyv's little-endian integers).
    pub(super) fn locate<U>(archive: &[u8], slice: &[U]) -> Self {
        debug_assert_eq!(size_of::<T>(), size_of::<U>());
        let start = slice.as_ptr() as usize - archive.as_ptr() as usize;
        Self { bytes: start..start + size_of_val(slice), element: PhantomData }
    }
}

/// Everything that opening finds out: the small values themselves, and where the arrays lie.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The header.
    pub header: Header,
    /// The section table, in the order of [`SectionKind::ALL`].
    pub sections: [TableEntry; SectionKind::ALL.len()],
    /// The metric.
    pub metric: Metric,
    /// The fold-in convention.
    pub fold: Fold,
    /// Fold-in: interaction weight to confidence.
    pub alpha: f64,
    /// Fold-in: regularisation.
    pub lambda: f64,
    /// Fold-in: exponent of the regularisation.
    pub nu: f64,
    /// See [`super::Model`].
    pub signs: Span<u8>,
    /// See [`super::Model`].
    pub scenarios: Span<u8>,
    /// Base of the 16-bit scales.
    pub scale_base: u32,
    /// Base of the 16-bit squared norms.
    pub norm_base: u32,
    /// The column that serves as popularity prior.
    pub prior_field: Option<usize>,
    /// The columns.
    pub fields: Vec<Field>,
    /// See [`super::Ids`].
    pub id_offsets: Span<u32>,
    /// See [`super::Ids`].
    pub id_order: Span<u32>,
    /// See [`super::Ids`].
    pub id_bytes: Span<u8>,
    /// See [`super::Model`].
    pub centre: Span<f64>,
    /// See [`super::Model`].
    pub gram: Span<f64>,
    /// Bits per dimension of an item's code.
    pub code_bits: u32,
    /// The lists.
    pub lists: ListsLayout,
    /// Their blocks.
    pub blocks: LevelLayout,
    /// See [`super::Columns`].
    pub column_names: Span<u8>,
    /// See [`super::Columns`].
    pub column_data: Span<u8>,
    /// See [`super::Codes`].
    pub prefixes: Span<u8>,
    /// See [`super::Codes`].
    pub scales: Span<u16>,
    /// See [`super::Codes`].
    pub norms: Span<u16>,
    /// See [`super::Codes`].
    pub largest_scales: Span<u16>,
    /// See [`super::Codes`].
    pub least_norms: Span<u16>,
    /// See [`super::Codes`].
    pub radii: Span<u16>,
    /// See [`super::Refining`]; `None` until the section has arrived.
    pub refining: Option<Span<u8>>,
    /// What is known of section [`super::Neighbours`]; `None` until it has arrived.
    pub neighbours: Option<NeighboursLayout>,
    /// See [`super::Titles`]; `None` until the section has arrived.
    pub titles: Option<TitlesLayout>,
    /// See [`super::Texts`]; `None` until the section has arrived.
    pub text_data: Option<Span<u8>>,
}

/// What is known of section [`super::Neighbours`].
#[derive(Clone, Debug)]
pub struct NeighboursLayout {
    /// `None` where the archive carries no weights between items.
    pub kind: Option<NeighboursKind>,
    /// Factor of the weights' sum in a score.
    pub beta: f64,
    /// EASE's lambda or item-kNN's shrinkage.
    pub regularisation: f64,
    /// Weights kept of each target.
    pub m: u32,
    /// Bytes of a target.
    pub width: usize,
    /// Base of the scales.
    pub scale_base: u32,
    /// Where items begin.
    pub starts: Span<u32>,
    /// Ordinals.
    pub targets: Span<u8>,
    /// Weights.
    pub weights: Span<i8>,
    /// Scales of the items.
    pub scales: Span<u16>,
}

/// What is known of a level of centroids.
#[derive(Clone, Debug)]
pub struct LevelLayout {
    /// Codes of the centroids.
    pub codes: Span<u8>,
    /// Scales of the centroids.
    pub scales: Span<u16>,
    /// Squared norms of the centroids.
    pub norms: Span<u16>,
    /// Spreads of their items.
    pub spreads: Span<u16>,
    /// Base of the scales.
    pub scale_base: u32,
    /// Base of the norms.
    pub norm_base: u32,
    /// Base of the spreads.
    pub spread_base: u32,
    /// Reach of the best items.
    pub reach: f32,
    /// Spreads that a centroid is given ahead.
    pub optimism: f32,
}

/// What is known of section [`super::Lists`].
#[derive(Clone, Debug)]
pub struct ListsLayout {
    /// The centroids.
    pub level: LevelLayout,
    /// What a search looks at.
    pub probes: Vec<Probes>,
    /// Number of lists.
    pub n_lists: usize,
    /// Binary logarithm of the blocks of a list.
    pub shift: u32,
    /// Recall unless asked otherwise.
    pub recall: f32,
    /// Recall of a search of all blocks.
    pub code_recall: f32,
    /// Margin of prefix scores.
    pub margin: f32,
    /// Margin of prefix scores behind a filter.
    pub filtered_margin: f32,
    /// See [`super::Lists`].
    pub radius_share: f32,
}

/// What is known of section [`super::Titles`].
#[derive(Clone, Debug)]
pub struct TitlesLayout {
    /// The column that titles were made from.
    pub field: Option<usize>,
    /// Where folded titles begin.
    pub starts: Span<u32>,
    /// Where their words begin, sorted.
    pub words: Span<u32>,
    /// The folded titles.
    pub bytes: Span<u8>,
}
