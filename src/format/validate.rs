//! Structure, limits and meaning of an archive, checked once when it is opened.
//!
//! Nothing here walks the items: the cost depends on the number of sections, columns and
//! dimensions. What is checked is what memory safety of plain slices and finiteness of scores
//! need. Positions stored per item (id offsets, tag starts, ordinals in lookups) are *not*
//! checked here; every reader of them uses checked access and reports [`Error::Corrupt`].

use std::marker::PhantomData;
use std::ops::Range;

use rkyv::rancor::Failure;

use super::header::{HEADER_BYTES, Header, TABLE_ENTRY_BYTES, TableEntry};
use super::sections::{
    ArchivedCodes, ArchivedColumns, ArchivedField, ArchivedIds, ArchivedModel, ArchivedTexts,
    ArchivedTitles, FIELD_NONE, Field, FieldKind, Fold, SectionKind,
};
use super::{ALIGNMENT, checksum};
use crate::error::{Error, Result};
use crate::kernel::code::{BLOCK, MAX_SCALE_BASE, n_blocks, padded_dim};
use crate::kernel::rotation::sign_bytes;
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
    fn locate<U>(archive: &[u8], slice: &[U]) -> Self {
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
    /// See [`super::Model`].
    pub signs: Span<u8>,
    /// Base of the 16-bit scales.
    pub scale_base: u32,
    /// Base of the 16-bit squared norms.
    pub norm_base: u32,
    /// The column that serves as popularity prior.
    pub prior_field: Option<usize>,
    /// The column that titles were made from.
    pub title_field: Option<usize>,
    /// The columns.
    pub fields: Vec<Field>,
    /// See [`super::Ids`].
    pub id_offsets: Span<u32>,
    /// See [`super::Ids`].
    pub id_order: Span<u32>,
    /// See [`super::Ids`].
    pub id_bytes: Span<u8>,
    /// See [`super::Model`].
    pub centroid: Span<f64>,
    /// See [`super::Model`].
    pub gram: Span<f64>,
    /// See [`super::Columns`].
    pub column_names: Span<u8>,
    /// See [`super::Columns`].
    pub column_data: Span<u8>,
    /// See [`super::Codes`].
    pub codes: Span<u8>,
    /// See [`super::Codes`].
    pub scales: Span<u16>,
    /// See [`super::Codes`].
    pub norms: Span<u16>,
    /// See [`super::Titles`].
    pub title_starts: Span<u32>,
    /// See [`super::Titles`].
    pub title_words: Span<u32>,
    /// See [`super::Titles`].
    pub title_bytes: Span<u8>,
    /// See [`super::Texts`].
    pub text_data: Span<u8>,
}

/// Fails with the section's name and the rule that was broken.
#[inline(never)]
fn ensure(holds: bool, kind: SectionKind, rule: &'static str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::corrupt(kind.as_str(), rule)) }
}

/// Checks the section table: its own check, then kinds, order, alignment and bounds.
fn read_table(archive: &[u8], header: &Header) -> Result<[TableEntry; SectionKind::ALL.len()]> {
    let corrupt = |rule| Err(Error::corrupt("section table", rule));
    if header.total_bytes != archive.len() as u64 {
        return corrupt("the archive is as long as its header says");
    }
    let end = HEADER_BYTES + header.n_sections as usize * TABLE_ENTRY_BYTES;
    let Some(table) = archive.get(HEADER_BYTES..end) else {
        return corrupt("the table lies inside the archive");
    };
    if checksum(table) != header.table_check {
        return corrupt("the table's check holds");
    }
    if header.n_sections as usize != SectionKind::ALL.len() {
        return corrupt("each section of this format version stands exactly once");
    }
    let mut entries = [TableEntry { kind: 0, offset: 0, length: 0, check: 0 }; 6];
    let mut free_from = end as u64;
    let (rows, _) = table.as_chunks::<TABLE_ENTRY_BYTES>();
    for ((row, entry), kind) in rows.iter().zip(&mut entries).zip(SectionKind::ALL) {
        *entry = TableEntry::parse(row);
        if entry.kind != kind as u32 || row[4..8] != [0; 4] {
            return corrupt("sections stand in the order of their kinds");
        }
        if !entry.offset.is_multiple_of(ALIGNMENT as u64) {
            return corrupt("sections begin at multiples of 64");
        }
        if entry.offset < free_from {
            return corrupt("sections do not overlap");
        }
        match entry.offset.checked_add(entry.length) {
            Some(end) if end <= header.total_bytes => free_from = end,
            _ => return corrupt("sections lie inside the archive"),
        }
    }
    if free_from != header.total_bytes {
        return corrupt("the archive ends with its last section");
    }
    Ok(entries)
}

/// The root of one section, validated by rkyv (bounds of every array; flat types cost nothing per
/// element).
macro_rules! root {
    ($type:ty, $kind:expr, $archive:expr, $sections:expr) => {{
        let entry = $sections[$kind as usize - 1];
        let bytes = &$archive[entry.offset as usize..(entry.offset + entry.length) as usize];
        rkyv::access::<$type, Failure>(bytes)
            .map_err(|_| Error::corrupt($kind.as_str(), "it is a well-formed rkyv archive"))?
    }};
}

/// Checks an archive from front to back and finds its arrays.
///
/// `archive` must be the whole archive, at an address that is a multiple of 64.
pub fn validate(archive: &[u8]) -> Result<Layout> {
    let header = Header::parse(archive)?;
    let sections = read_table(archive, &header)?;
    let n = header.n_items as usize;
    let dim = header.dim as usize;

    let ids = root!(ArchivedIds, SectionKind::Ids, archive, sections);
    ensure(ids.offsets.len() == n + 1, SectionKind::Ids, "there are n + 1 offsets")?;
    ensure(ids.by_id.len() == n, SectionKind::Ids, "the order has n entries")?;

    let model = root!(ArchivedModel, SectionKind::Model, archive, sections);
    let (metric, fold) = check_model(model, dim)?;

    let columns = root!(ArchivedColumns, SectionKind::Columns, archive, sections);
    let texts = root!(ArchivedTexts, SectionKind::Texts, archive, sections);
    let fields: Vec<Field> = columns.fields.iter().map(field).collect();
    for f in &fields {
        check_field(f, n, columns.names.len(), columns.data.len(), texts.data.len())?;
        let name = f.name_start as usize..(f.name_start + f.name_len) as usize;
        let utf8 = std::str::from_utf8(&columns.names[name]).is_ok();
        ensure(utf8, SectionKind::Columns, "names are UTF-8")?;
    }

    let codes = root!(ArchivedCodes, SectionKind::Codes, archive, sections);
    let lanes = n_blocks(n) * BLOCK;
    ensure(
        codes.codes.len() as u64 == lanes as u64 * padded_dim(dim) as u64,
        SectionKind::Codes,
        "there is one code an item",
    )?;
    ensure(codes.scales.len() == lanes, SectionKind::Codes, "there is one scale an item")?;
    let norms = if metric == Metric::Euclidean { lanes } else { 0 };
    ensure(codes.norms.len() == norms, SectionKind::Codes, "norms are there if needed")?;

    let titles = root!(ArchivedTitles, SectionKind::Titles, archive, sections);
    let title_field = optional_field(titles.field.to_native(), &fields, SectionKind::Titles)?;
    let starts = if title_field.is_some() { n + 1 } else { 0 };
    ensure(titles.starts.len() == starts, SectionKind::Titles, "there are n + 1 starts")?;

    Ok(Layout {
        metric,
        fold,
        alpha: model.alpha.to_native(),
        lambda: model.lambda.to_native(),
        scale_base: model.scale_base.to_native(),
        norm_base: model.norm_base.to_native(),
        prior_field: optional_field(model.prior_field.to_native(), &fields, SectionKind::Model)?,
        title_field,
        fields,
        id_offsets: Span::locate(archive, &ids.offsets),
        id_order: Span::locate(archive, &ids.by_id),
        id_bytes: Span::locate(archive, &ids.bytes),
        signs: Span::locate(archive, &model.signs),
        centroid: Span::locate(archive, &model.centroid),
        gram: Span::locate(archive, &model.gram),
        column_names: Span::locate(archive, &columns.names),
        column_data: Span::locate(archive, &columns.data),
        codes: Span::locate(archive, &codes.codes),
        scales: Span::locate(archive, &codes.scales),
        norms: Span::locate(archive, &codes.norms),
        title_starts: Span::locate(archive, &titles.starts),
        title_words: Span::locate(archive, &titles.words),
        title_bytes: Span::locate(archive, &titles.bytes),
        text_data: Span::locate(archive, &texts.data),
        header,
        sections,
    })
}

fn optional_field(index: u32, fields: &[Field], kind: SectionKind) -> Result<Option<usize>> {
    if index == FIELD_NONE {
        return Ok(None);
    }
    ensure((index as usize) < fields.len(), kind, "the column it names exists")?;
    Ok(Some(index as usize))
}

/// The model's numbers are what every score is made of: each must be finite and in range.
fn check_model(model: &ArchivedModel, dim: usize) -> Result<(Metric, Fold)> {
    const MODEL: SectionKind = SectionKind::Model;
    let Some(metric) = Metric::from_code(model.metric.to_native()) else {
        return Err(Error::corrupt(MODEL.as_str(), "the metric is a known one"));
    };
    let Some(fold) = Fold::from_code(model.fold.to_native()) else {
        return Err(Error::corrupt(MODEL.as_str(), "the fold-in convention is a known one"));
    };
    ensure(model.code_bits.to_native() == 8, MODEL, "codes have 8 bits")?;
    for base in [model.scale_base.to_native(), model.norm_base.to_native()] {
        ensure((1..=MAX_SCALE_BASE).contains(&base), MODEL, "scale bases are within 1 to 150")?;
    }
    let (alpha, lambda) = (model.alpha.to_native(), model.lambda.to_native());
    ensure(in_range(alpha) && alpha > 0.0, MODEL, "alpha is positive and finite")?;
    ensure(in_range(lambda) && lambda >= 0.0, MODEL, "lambda is finite and not negative")?;
    ensure(
        model.signs.len() == sign_bytes(dim),
        MODEL,
        "there is one sign a round and dimension",
    )?;
    ensure(model.centroid.len() == dim, MODEL, "the centroid has dim components")?;
    let finite = model.centroid.iter().all(|x| in_range(x.to_native()));
    ensure(finite, MODEL, "the centroid is finite")?;
    ensure(model.gram.len() == dim * (dim + 1) / 2, MODEL, "the Gram matrix has dim rows")?;
    let finite = model.gram.iter().all(|x| x.to_native().is_finite());
    ensure(finite, MODEL, "the Gram matrix is finite")?;
    Ok((metric, fold))
}

/// Within ±2^60: products of such numbers stay far from the limits of f64, and sums of them from
/// those of f32.
fn in_range(x: f64) -> bool {
    x.abs() <= (1u64 << 60) as f64
}

fn field(f: &ArchivedField) -> Field {
    Field {
        base: f.base.to_native(),
        top: f.top.to_native(),
        kind: f.kind.to_native(),
        name_start: f.name_start.to_native(),
        name_len: f.name_len.to_native(),
        width: f.width.to_native(),
        digits: f.digits.to_native(),
        n_null: f.n_null.to_native(),
        present_start: f.present_start.to_native(),
        values_start: f.values_start.to_native(),
        values_len: f.values_len.to_native(),
        starts_start: f.starts_start.to_native(),
        n_distinct: f.n_distinct.to_native(),
        dictionary_start: f.dictionary_start.to_native(),
        dictionary_bytes: f.dictionary_bytes.to_native(),
    }
}

/// Every array of a column lies inside its section, and its kind and width make sense together.
fn check_field(f: &Field, n: usize, names: usize, data: usize, texts: usize) -> Result<()> {
    const COLUMNS: SectionKind = SectionKind::Columns;
    let inside = |start: u32, bytes: u64, within: usize| {
        ensure(
            u64::from(start) + bytes <= within as u64,
            COLUMNS,
            "a column's arrays lie inside the section",
        )
    };
    let Some(kind) = FieldKind::from_code(f.kind) else {
        return Err(Error::corrupt(COLUMNS.as_str(), "a column's kind is a known one"));
    };
    inside(f.name_start, u64::from(f.name_len), names)?;
    ensure(f.n_null as usize <= n, COLUMNS, "at most n values are null")?;
    if f.present_start != FIELD_NONE {
        inside(f.present_start, n.div_ceil(8) as u64, data)?;
    }
    let widths: &[u32] = match kind {
        FieldKind::Flag | FieldKind::Text => &[0],
        FieldKind::Category | FieldKind::Tags => &[1, 2, 4],
        FieldKind::Integer | FieldKind::Real | FieldKind::Date => &[1, 2, 4, 8],
    };
    ensure(widths.contains(&f.width), COLUMNS, "a value's width fits its kind")?;
    let (values, starts_in) = match kind {
        FieldKind::Flag => (n.div_ceil(8) as u64, data),
        FieldKind::Text => (u64::from(f.values_len), texts),
        FieldKind::Tags => (u64::from(f.values_len) * u64::from(f.width), data),
        _ => {
            ensure(f.values_len as usize == n, COLUMNS, "a column has n values")?;
            (n as u64 * u64::from(f.width), data)
        }
    };
    inside(f.values_start, values, starts_in)?;
    if matches!(kind, FieldKind::Tags | FieldKind::Text) {
        inside(f.starts_start, 4 * (n as u64 + 1), starts_in)?;
    }
    if matches!(kind, FieldKind::Category | FieldKind::Tags) {
        let dictionary = 4 * (u64::from(f.n_distinct) + 1) + u64::from(f.dictionary_bytes);
        inside(f.dictionary_start, dictionary, data)?;
    } else {
        ensure(f.n_distinct == 0, COLUMNS, "only categories and tags have a dictionary")?;
    }
    if kind == FieldKind::Real {
        let scaled = f.digits <= 9;
        let float = f.digits == FIELD_NONE && f.width == 8;
        ensure(scaled || float, COLUMNS, "a real is an f64 or has at most 9 digits")?;
    }
    Ok(())
}
