//! Opening archives: a buffer becomes an [`Index`], a validated view that owns its bytes.

mod bytes;

pub use bytes::AlignedBytes;

use crate::error::{Error, Result};
use crate::format::{self, Field, FieldKind, Fold, Layout, SectionKind};
use crate::ids::Ordinal;
use crate::kernel::code::{BLOCK, byte_in_block, code_value, padded_dim, scale_from_bits};
use crate::kernel::rotation::Rotation;
use crate::metric::Metric;

/// An opened archive.
///
/// Opening validates structure and meaning and copies nothing, at a cost that does not depend on
/// the number of items. On *any* bytes it gives a typed error or an index whose answers are well
/// formed; [`Index::verify`] in addition shows that they are the builder's own bytes.
///
/// ```
/// # let archive = &std::fs::read("tests/fixtures/small-v1.nf")?;
/// use nearfield::{AlignedBytes, Index};
///
/// let index = Index::open(AlignedBytes::copy_of(archive)?)?;
/// index.verify()?;
/// assert_eq!(index.len(), 300);
/// let ordinal = index.ordinal("17")?.expect("the catalog has item 17");
/// assert_eq!(index.id(ordinal)?, "17");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Index {
    bytes: AlignedBytes,
    layout: Layout,
    rotation: Rotation,
}

impl Index {
    /// Opens an archive.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the section and the rule that does not hold, [`Error::Version`]
    /// or [`Error::Unsupported`] for archives of other releases.
    pub fn open(bytes: AlignedBytes) -> Result<Self> {
        let layout = format::validate(bytes.as_slice())?;
        let rotation = Rotation::new(layout.header.dim as usize, bytes.view(&layout.signs));
        Ok(Self { bytes, layout, rotation })
    }

    /// Compares every section with its check in the table. Reads the whole archive once.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the first damaged section.
    pub fn verify(&self) -> Result<()> {
        for (entry, kind) in self.layout.sections.iter().zip(SectionKind::ALL) {
            let range = entry.offset as usize..(entry.offset + entry.length) as usize;
            if format::checksum(&self.bytes.as_slice()[range]) != entry.check {
                return Err(Error::corrupt(kind.as_str(), "the section's check holds"));
            }
        }
        Ok(())
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.header.n_items as usize
    }

    /// Whether the catalog is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of vector components.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.layout.header.dim as usize
    }

    /// How query and item are compared.
    #[must_use]
    pub fn metric(&self) -> Metric {
        self.layout.metric
    }

    /// The fold-in convention of the archive's model.
    #[must_use]
    pub fn fold(&self) -> Fold {
        self.layout.fold
    }

    /// Fold-in: what an interaction's weight is multiplied by to become a confidence.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.layout.alpha
    }

    /// Fold-in: regularisation.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        self.layout.lambda
    }

    /// The archive's format version.
    #[must_use]
    pub fn format_version(&self) -> u32 {
        self.layout.header.version
    }

    /// Length of the archive in bytes.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.layout.header.total_bytes
    }

    /// Name and length in bytes of each section, in the order in which they lie.
    pub fn sections(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        SectionKind::ALL.iter().zip(&self.layout.sections).map(|(k, e)| (k.as_str(), e.length))
    }

    /// The caller's id of an item.
    ///
    /// # Errors
    /// [`Error::Arg`] for an ordinal outside the archive, [`Error::Corrupt`] where the bytes there
    /// are no id.
    pub fn id(&self, ordinal: Ordinal) -> Result<&str> {
        if ordinal.index() >= self.len() {
            return Err(Error::arg("ordinal", format!("0 to {}", self.len()), ordinal.0));
        }
        let bytes = slice_at(
            self.bytes.view(&self.layout.id_bytes),
            self.bytes.view(&self.layout.id_offsets),
            ordinal.index(),
        );
        bytes
            .and_then(|b| std::str::from_utf8(b).ok())
            .ok_or(Error::corrupt("ids", "every id is a UTF-8 string inside the section"))
    }

    /// The item with this id, or `None`. Cost: a binary search.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the lookup names items that do not exist.
    pub fn ordinal(&self, id: &str) -> Result<Option<Ordinal>> {
        let order = self.bytes.view(&self.layout.id_order);
        let (mut low, mut high) = (0, order.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let ordinal = Ordinal(order[middle]);
            if ordinal.index() >= self.len() {
                return Err(Error::corrupt("ids", "the order holds ordinals of this archive"));
            }
            match self.id(ordinal)?.cmp(id) {
                std::cmp::Ordering::Equal => return Ok(Some(ordinal)),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// Writes the decoded vector of an item, rotated, into `out` of length [`Index::dim`].
    ///
    /// This vector *is* the item from the archive's point of view: scores, Gram matrix and fold-in
    /// are defined by it. `ordinal` must be below [`Index::len`].
    pub fn decode(&self, ordinal: Ordinal, out: &mut [f64]) {
        debug_assert_eq!(out.len(), self.dim());
        let (block, lane) = (ordinal.index() / BLOCK, ordinal.index() % BLOCK);
        let codes = self.block_codes(block);
        let scale =
            f64::from(scale_from_bits(self.scale_bits()[ordinal.index()], self.scale_base()));
        for (j, (x, c)) in out.iter_mut().zip(self.centroid()).enumerate() {
            *x = c + scale * f64::from(code_value(codes[byte_in_block(lane, j)]));
        }
    }

    /// Rotates a vector from outside into the archive's space.
    pub fn rotate(&self, vector: &mut [f64]) {
        self.rotation.apply(vector);
    }

    /// The codes of one block of 32 items.
    pub(crate) fn block_codes(&self, block: usize) -> &[u8] {
        let bytes = BLOCK * padded_dim(self.dim());
        &self.bytes.view(&self.layout.codes)[block * bytes..(block + 1) * bytes]
    }

    /// The 16-bit scales, padded to whole blocks.
    pub(crate) fn scale_bits(&self) -> &[u16] {
        self.bytes.view(&self.layout.scales)
    }

    /// The 16-bit squared norms of Euclidean archives, padded to whole blocks.
    pub(crate) fn norm_bits(&self) -> &[u16] {
        self.bytes.view(&self.layout.norms)
    }

    pub(crate) fn scale_base(&self) -> u32 {
        self.layout.scale_base
    }

    pub(crate) fn norm_base(&self) -> u32 {
        self.layout.norm_base
    }

    /// What was taken from every rotated vector before coding.
    pub(crate) fn centroid(&self) -> &[f64] {
        self.bytes.view(&self.layout.centroid)
    }

    /// Upper triangle, by rows, of the Gram matrix of the decoded vectors.
    pub(crate) fn gram(&self) -> &[f64] {
        self.bytes.view(&self.layout.gram)
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.layout.fields
    }

    pub(crate) fn field_name(&self, field: &Field) -> &str {
        let name = field.name_start as usize..(field.name_start + field.name_len) as usize;
        // Names were validated as UTF-8 when the archive was opened.
        std::str::from_utf8(&self.bytes.view(&self.layout.column_names)[name]).unwrap_or("")
    }

    /// The bytes that a column's positions refer to.
    pub(crate) fn field_data(&self, kind: FieldKind) -> &[u8] {
        match kind {
            FieldKind::Text => self.bytes.view(&self.layout.text_data),
            _ => self.bytes.view(&self.layout.column_data),
        }
    }

    /// The bytes that hold the bitmaps of present values, of every kind of column.
    pub(crate) fn column_data(&self) -> &[u8] {
        self.bytes.view(&self.layout.column_data)
    }

    pub(crate) fn prior_field(&self) -> Option<usize> {
        self.layout.prior_field
    }

    pub(crate) fn title_field(&self) -> Option<usize> {
        self.layout.title_field
    }

    /// Starts, words and bytes of the title lookup.
    pub(crate) fn titles(&self) -> (&[u32], &[u32], &[u8]) {
        (
            self.bytes.view(&self.layout.title_starts),
            self.bytes.view(&self.layout.title_words),
            self.bytes.view(&self.layout.title_bytes),
        )
    }
}

/// `bytes[offsets[i]..offsets[i + 1]]`, if that is a range inside `bytes`.
pub(crate) fn slice_at<'a>(bytes: &'a [u8], offsets: &[u32], i: usize) -> Option<&'a [u8]> {
    bytes.get(*offsets.get(i)? as usize..*offsets.get(i + 1)? as usize)
}
