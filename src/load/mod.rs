//! Opening archives: a buffer becomes an [`Index`], a validated view that owns its bytes.

mod bytes;
mod centroids;
mod codes;
mod lists;
mod neighbours;

pub use bytes::AlignedBytes;
pub(crate) use centroids::Centroids;
use codes::Codes;
pub(crate) use codes::{Extents, Levels};
pub use lists::Lists;
pub(crate) use lists::{Level, Probing};
pub use neighbours::{Neighbours, NeighboursRow};

use crate::error::{Error, Result};
use crate::format::{self, Field, FieldKind, Fold, Layout, SectionKind, TitlesLayout};
use crate::ids::Ordinal;
use crate::kernel::Backend;
use crate::kernel::code::{BLOCK, CENTROID_BITS, PREFIX_BITS, centroid_code, code_value};
use crate::kernel::rotation::Rotation;
use crate::metric::Metric;

/// An opened archive.
///
/// Opening validates structure and meaning and copies nothing, at a cost that does not depend on
/// the number of items. On *any* bytes it gives a typed error or an index whose answers are well formed; [`Index::verify`] in addition
/// shows that they are the builder's own bytes.
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
    arrived: usize,
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
        let arrived = bytes.as_slice().len();
        Self::open_part(bytes, arrived).map_err(|(error, _)| error)
    }

    /// Opens an archive of which only the first `arrived` bytes are in the buffer; the others may
    /// be anything. Prefixes suffice to answer; see [`Index::is_refined`] and [`Index::arrive`].
    ///
    /// # Errors
    /// As [`Index::open`], and [`Error::NotReady`] while what every answer needs is not there yet.
    /// The buffer comes back with the error, to be filled further.
    pub fn open_part(bytes: AlignedBytes, arrived: usize) -> Result<Self, (Error, AlignedBytes)> {
        let layout = match format::validate(bytes.as_slice(), arrived) {
            Ok(layout) => layout,
            Err(error) => return Err((error, bytes)),
        };
        let rotation = Rotation::new(layout.header.dim as usize, bytes.view(&layout.signs));
        Ok(Self { bytes, arrived, layout, rotation })
    }

    /// Takes notice that the first `arrived` bytes are in the buffer now.
    ///
    /// # Errors
    /// As [`Index::open`], for the sections that arrived. The index stays as it was.
    pub fn arrive(&mut self, arrived: usize) -> Result<()> {
        if arrived > self.arrived {
            self.layout = format::validate(self.bytes.as_slice(), arrived)?;
            self.arrived = arrived;
        }
        Ok(())
    }

    /// The buffer. What lies behind the bytes that have arrived may be written.
    #[must_use]
    pub const fn bytes(&self) -> &AlignedBytes {
        &self.bytes
    }

    /// Whether the codes are there in full. Until then scores come from their prefixes.
    #[must_use]
    pub fn is_refined(&self) -> bool {
        self.layout.refining.is_some()
    }

    /// Compares every section that has arrived with its check in the table. Reads all of it once.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming the first damaged section.
    pub fn verify(&self) -> Result<()> {
        self.verify_from(0)
    }

    /// The same for the sections that end behind the first `from` bytes: a loader that asks after
    /// each piece reads everything once.
    ///
    /// # Errors
    /// As [`Index::verify`].
    pub fn verify_from(&self, from: usize) -> Result<()> {
        for (entry, kind) in self.layout.sections.iter().zip(SectionKind::ALL) {
            let range = entry.offset as usize..(entry.offset + entry.length) as usize;
            if range.end <= from || range.end > self.arrived {
                continue;
            }
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

    /// Fold-in: what an interaction's weight is multiplied by to become a confidence; under
    /// [`Fold::Ials`], the weight of items that nothing was done with.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.layout.alpha
    }

    /// Fold-in: regularisation.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        self.layout.lambda
    }

    /// Fold-in under [`Fold::Ials`]: exponent of the regularisation.
    #[must_use]
    pub fn nu(&self) -> f64 {
        self.layout.nu
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
        let (bytes, offsets) =
            (self.bytes.view(&self.layout.id_bytes), self.bytes.view(&self.layout.id_offsets));
        let (mut low, mut high) = (0, order.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let ordinal = Ordinal(order[middle]);
            if ordinal.index() >= self.len() {
                return Err(Error::corrupt("ids", "the order holds ordinals of this archive"));
            }
            // UTF-8 sorts by bytes, so only an id that is asked for is ever read as a string.
            let Some(found) = slice_at(bytes, offsets, ordinal.index()) else {
                return Err(Error::corrupt("ids", "every id lies inside the section"));
            };
            match found.cmp(id.as_bytes()) {
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
    /// are defined by it. Until the refining bits have arrived, the middle of what they could make
    /// of it stands for it. `ordinal` must be below [`Index::len`].
    pub fn decode(&self, ordinal: Ordinal, out: &mut [f64]) {
        let block = ordinal.index() / BLOCK;
        self.decode_centroid(self.lists().of_block(block), out);
        self.add_block_residual(block, out);
        self.add_residual(ordinal, out);
    }

    /// Adds what leads from the centroid of an item's block to the item: scale times code.
    #[inline]
    pub(crate) fn add_residual(&self, ordinal: Ordinal, out: &mut [f64]) {
        let codes = Codes::of_items(&self.bytes, &self.layout, self.dim());
        let (code, scale) = codes.get(ordinal.index());
        Backend::best().add_code(code, scale, out);
    }

    /// Adds what leads from the centroid of a block's list to that of the block.
    #[inline]
    pub(crate) fn add_block_residual(&self, block: usize, out: &mut [f64]) {
        let (code, scale) = Codes::of_blocks(self.blocks(), self.dim()).get(block);
        Backend::best().add_code(code, scale, out);
    }

    /// The codes of all levels.
    #[inline]
    pub(crate) fn levels(&self) -> Levels<'_> {
        Levels {
            items: Codes::of_items(&self.bytes, &self.layout, self.dim()),
            blocks: Codes::of_blocks(self.blocks(), self.dim()),
            lists: self.lists(),
        }
    }

    /// Writes the decoded centroid of a list into `out`.
    pub(crate) fn decode_centroid(&self, list: usize, out: &mut [f64]) {
        let (codes, scale) = self.lists().centroid(list, self.dim());
        for (j, (x, c)) in out.iter_mut().zip(self.centre()).enumerate() {
            let code = centroid_code(codes, list % BLOCK, j);
            *x = c + scale * f64::from(code_value(code, CENTROID_BITS));
        }
    }

    /// Rotates a vector from outside into the archive's space.
    pub fn rotate(&self, vector: &mut [f64]) {
        self.rotation.apply(vector);
    }

    /// Prefixes of all blocks.
    #[inline]
    pub(crate) fn prefixes(&self) -> &[u8] {
        self.bytes.view(&self.layout.prefixes)
    }

    /// How much coarser the grid of prefixes is than that of whole codes.
    pub(crate) fn prefix_step(&self) -> u32 {
        1 << (self.layout.code_bits - PREFIX_BITS)
    }

    /// Bits per dimension of an item's code.
    #[must_use]
    pub fn code_bits(&self) -> u32 {
        self.layout.code_bits
    }

    /// The lists that the items lie in.
    #[must_use]
    pub fn lists(&self) -> Lists<'_> {
        Lists::new(&self.bytes, &self.layout.lists, self.len())
    }

    /// The centroids of the blocks that lists consist of.
    #[inline]
    pub(crate) fn blocks(&self) -> Level<'_> {
        Level::new(&self.bytes, &self.layout.blocks)
    }

    /// Named defaults of requests, as JSON; empty where the archive has none.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where they are no text.
    pub fn scenarios(&self) -> Result<&str> {
        let bytes = self.bytes.view(&self.layout.scenarios);
        std::str::from_utf8(bytes).map_err(|_| Error::corrupt("model", "scenarios are UTF-8"))
    }

    /// The weights between items. `None` where the archive carries none, and until they have
    /// arrived ([`Index::has_neighbours_arrived`]).
    #[must_use]
    pub fn neighbours(&self) -> Option<Neighbours<'_>> {
        Neighbours::new(&self.bytes, self.layout.neighbours.as_ref()?)
    }

    /// Whether it is known if the archive carries weights between items. Until then a person's scores
    /// lack their part.
    #[must_use]
    pub fn has_neighbours_arrived(&self) -> bool {
        self.layout.neighbours.is_some()
    }

    /// The 16-bit scales, padded to whole blocks.
    #[inline]
    pub(crate) fn scale_bits(&self) -> &[u16] {
        self.bytes.view(&self.layout.scales)
    }

    /// The 16-bit squared norms of Euclidean archives, padded to whole blocks.
    #[inline]
    pub(crate) fn norm_bits(&self) -> &[u16] {
        self.bytes.view(&self.layout.norms)
    }

    /// What holds of all items of each block.
    #[inline]
    pub(crate) fn extents(&self) -> Extents<'_> {
        Extents {
            largest_scales: self.bytes.view(&self.layout.largest_scales).as_chunks().0,
            least_norms: self.bytes.view(&self.layout.least_norms).as_chunks().0,
            radii: self.bytes.view(&self.layout.radii).as_chunks().0,
        }
    }

    pub(crate) fn scale_base(&self) -> u32 {
        self.layout.scale_base
    }

    pub(crate) fn norm_base(&self) -> u32 {
        self.layout.norm_base
    }

    /// What was taken from every list's rotated centroid before coding.
    pub(crate) fn centre(&self) -> &[f64] {
        self.bytes.view(&self.layout.centre)
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
    ///
    /// # Errors
    /// [`Error::NotReady`] for a text before the texts have arrived.
    pub(crate) fn field_data(&self, kind: FieldKind) -> Result<&[u8]> {
        match (kind, &self.layout.text_data) {
            (FieldKind::Text, Some(texts)) => Ok(self.bytes.view(texts)),
            (FieldKind::Text, None) => Err(Error::NotReady { section: "texts" }),
            _ => Ok(self.bytes.view(&self.layout.column_data)),
        }
    }

    /// The bytes that hold the bitmaps of present values, of every kind of column.
    pub(crate) fn column_data(&self) -> &[u8] {
        self.bytes.view(&self.layout.column_data)
    }

    pub(crate) fn prior_field(&self) -> Option<usize> {
        self.layout.prior_field
    }

    /// The column that titles are looked up in.
    ///
    /// # Errors
    /// [`Error::NotReady`] before the titles have arrived.
    pub(crate) fn title_field(&self) -> Result<Option<usize>> {
        Ok(self.titles_layout()?.field)
    }

    /// Starts, words and bytes of the title lookup.
    ///
    /// # Errors
    /// [`Error::NotReady`] before the titles have arrived.
    pub(crate) fn titles(&self) -> Result<(&[u32], &[u32], &[u8])> {
        let t = self.titles_layout()?;
        Ok((self.bytes.view(&t.starts), self.bytes.view(&t.words), self.bytes.view(&t.bytes)))
    }

    fn titles_layout(&self) -> Result<&TitlesLayout> {
        self.layout.titles.as_ref().ok_or(Error::NotReady { section: "titles" })
    }
}

/// `bytes[offsets[i]..offsets[i + 1]]`, if that is a range inside `bytes`.
pub(crate) fn slice_at<'a>(bytes: &'a [u8], offsets: &[u32], i: usize) -> Option<&'a [u8]> {
    bytes.get(*offsets.get(i)? as usize..*offsets.get(i + 1)? as usize)
}
