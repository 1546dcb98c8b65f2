//! Structure, limits and meaning of an archive, checked once when it is opened.
//!
//! Nothing here walks the items: the cost depends on the number of sections, columns, dimensions
//! and lists. What is checked is what memory safety of plain slices and finiteness of scores
//! need. Positions stored per item (id offsets, tag starts, ordinals in lookups) are *not*
//! checked here; every reader of them uses checked access and reports [`Error::Corrupt`].

use std::marker::PhantomData;
use std::ops::Range;

use rkyv::rancor::Failure;

use super::header::{HEADER_BYTES, Header, TABLE_ENTRY_BYTES, TableEntry};
use super::sections::{
    ArchivedCodes, ArchivedColumns, ArchivedField, ArchivedIds, ArchivedLists, ArchivedModel,
    ArchivedNeighbours, ArchivedRefining, ArchivedTexts, ArchivedTitles, FIELD_NONE, Field,
    FieldKind, Fold, NeighboursKind, Probes, SectionKind,
};
use super::{ALIGNMENT, MAX_NU, checksum};
use crate::error::{Error, Result};
use crate::kernel::code::{
    BLOCK, CODE_BITS, MAX_SCALE_BASE, centroid_block_bytes, n_blocks, prefix_block_bytes,
    refining_bytes,
};
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

/// What is known of section [`super::Lists`].
#[derive(Clone, Debug)]
pub struct ListsLayout {
    /// 8-bit codes of the centroids.
    pub codes: Span<u8>,
    /// Where lists begin.
    pub starts: Span<u32>,
    /// Scales of the centroids.
    pub scales: Span<u16>,
    /// Squared norms of the centroids.
    pub norms: Span<u16>,
    /// Spreads of the lists.
    pub spreads: Span<u16>,
    /// How many lists to probe.
    pub probes: Vec<Probes>,
    /// Base of the scales.
    pub scale_base: u32,
    /// Base of the norms.
    pub norm_base: u32,
    /// Base of the spreads.
    pub spread_base: u32,
    /// Recall unless asked otherwise.
    pub recall: f32,
    /// Recall of a search of all lists.
    pub code_recall: f32,
    /// Margin of prefix scores.
    pub margin: f32,
    /// Margin of prefix scores behind a filter.
    pub filtered_margin: f32,
    /// Reach of a list's best items.
    pub reach: f32,
    /// Spreads that a list is given ahead.
    pub optimism: f32,
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

/// Fails with the section's name and the rule that was broken.
#[inline(never)]
fn ensure(holds: bool, kind: SectionKind, rule: &'static str) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::corrupt(kind.as_str(), rule)) }
}

/// Checks the section table: its own check, then kinds, order, alignment and bounds.
fn read_table(
    archive: &[u8],
    total: usize,
    header: &Header,
) -> Result<[TableEntry; SectionKind::ALL.len()]> {
    let corrupt = |rule| Err(Error::corrupt("section table", rule));
    if header.total_bytes != total as u64 {
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
    let mut entries =
        [TableEntry { kind: 0, offset: 0, length: 0, check: 0 }; SectionKind::ALL.len()];
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
/// `archive` must be the whole archive's buffer, at an address that is a multiple of 64. Of it the
/// first `arrived` bytes are there: sections behind them are `None` in the layout if they refine
/// answers ([`SectionKind::Refining`] and later), and else [`Error::NotReady`].
pub fn validate(archive: &[u8], arrived: usize) -> Result<Layout> {
    let there = archive.get(..arrived).unwrap_or(archive);
    let is_partial = there.len() < archive.len();
    if is_partial && there.len() < HEADER_BYTES {
        return Err(Error::NotReady { section: "header" });
    }
    let header = Header::parse(there)?;
    if is_partial && there.len() < HEADER_BYTES + header.n_sections as usize * TABLE_ENTRY_BYTES {
        return Err(Error::NotReady { section: "section table" });
    }
    let sections = read_table(there, archive.len(), &header)?;
    let is_there = |kind: SectionKind| {
        let entry = sections[kind as usize - 1];
        entry.offset + entry.length <= arrived as u64
    };
    // Sections lie in order, so this one's presence implies that of all before it.
    if !is_there(SectionKind::Codes) {
        return Err(Error::NotReady { section: SectionKind::Codes.as_str() });
    }
    let n = header.n_items as usize;
    let dim = header.dim as usize;

    let ids = root!(ArchivedIds, SectionKind::Ids, archive, sections);
    ensure(ids.offsets.len() == n + 1, SectionKind::Ids, "there are n + 1 offsets")?;
    ensure(ids.by_id.len() == n, SectionKind::Ids, "the order has n entries")?;

    let model = root!(ArchivedModel, SectionKind::Model, archive, sections);
    let (metric, fold) = check_model(model, dim)?;
    let code_bits = model.code_bits.to_native();

    let lists = root!(ArchivedLists, SectionKind::Lists, archive, sections);
    let lists = lists_layout(archive, lists, n, dim, metric)?;

    let columns = root!(ArchivedColumns, SectionKind::Columns, archive, sections);
    let text_data: Option<Span<u8>> = if is_there(SectionKind::Texts) {
        let texts = root!(ArchivedTexts, SectionKind::Texts, archive, sections);
        Some(Span::locate(archive, &texts.data))
    } else {
        None
    };
    let texts = text_data.as_ref().map(|t| t.bytes.len());
    let fields: Vec<Field> = columns.fields.iter().map(field).collect();
    for f in &fields {
        check_field(f, n, columns.names.len(), columns.data.len(), texts)?;
        let name = f.name_start as usize..(f.name_start + f.name_len) as usize;
        let utf8 = std::str::from_utf8(&columns.names[name]).is_ok();
        ensure(utf8, SectionKind::Columns, "names are UTF-8")?;
    }

    let codes = root!(ArchivedCodes, SectionKind::Codes, archive, sections);
    let lanes = n_blocks(n) * BLOCK;
    ensure(
        codes.prefixes.len() as u64 == n_blocks(n) as u64 * prefix_block_bytes(dim) as u64,
        SectionKind::Codes,
        "there is one prefix an item",
    )?;
    ensure(codes.scales.len() == lanes, SectionKind::Codes, "there is one scale an item")?;
    let norms = if metric == Metric::Euclidean { lanes } else { 0 };
    ensure(codes.norms.len() == norms, SectionKind::Codes, "norms are there if needed")?;

    let refining = if is_there(SectionKind::Refining) {
        let refining = root!(ArchivedRefining, SectionKind::Refining, archive, sections);
        let expected = n as u64 * refining_bytes(dim, code_bits) as u64;
        let holds = refining.bits.len() as u64 == expected;
        ensure(holds, SectionKind::Refining, "there are refining bits for each item")?;
        Some(Span::locate(archive, &refining.bits))
    } else {
        None
    };

    let neighbours = if is_there(SectionKind::Neighbours) {
        let neighbours = root!(ArchivedNeighbours, SectionKind::Neighbours, archive, sections);
        Some(neighbours_layout(archive, neighbours, n)?)
    } else {
        None
    };

    let titles = if is_there(SectionKind::Titles) {
        let titles = root!(ArchivedTitles, SectionKind::Titles, archive, sections);
        let field = optional_field(titles.field.to_native(), &fields, SectionKind::Titles)?;
        let starts = if field.is_some() { n + 1 } else { 0 };
        ensure(titles.starts.len() == starts, SectionKind::Titles, "there are n + 1 starts")?;
        Some(TitlesLayout {
            field,
            starts: Span::locate(archive, &titles.starts),
            words: Span::locate(archive, &titles.words),
            bytes: Span::locate(archive, &titles.bytes),
        })
    } else {
        None
    };

    Ok(Layout {
        metric,
        fold,
        alpha: model.alpha.to_native(),
        lambda: model.lambda.to_native(),
        nu: model.nu.to_native(),
        scale_base: model.scale_base.to_native(),
        norm_base: model.norm_base.to_native(),
        prior_field: optional_field(model.prior_field.to_native(), &fields, SectionKind::Model)?,
        fields,
        id_offsets: Span::locate(archive, &ids.offsets),
        id_order: Span::locate(archive, &ids.by_id),
        id_bytes: Span::locate(archive, &ids.bytes),
        signs: Span::locate(archive, &model.signs),
        scenarios: Span::locate(archive, &model.scenarios),
        centre: Span::locate(archive, &model.centre),
        gram: Span::locate(archive, &model.gram),
        code_bits,
        lists,
        column_names: Span::locate(archive, &columns.names),
        column_data: Span::locate(archive, &columns.data),
        prefixes: Span::locate(archive, &codes.prefixes),
        scales: Span::locate(archive, &codes.scales),
        norms: Span::locate(archive, &codes.norms),
        refining,
        neighbours,
        titles,
        text_data,
        header,
        sections,
    })
}

/// Sizes of the lists' arrays, and that the lists divide the items among them. Lists are few (a
/// few times the square root of the number of items), so their starts are looked at one by one.
fn lists_layout(
    archive: &[u8],
    lists: &ArchivedLists,
    n: usize,
    dim: usize,
    metric: Metric,
) -> Result<ListsLayout> {
    const LISTS: SectionKind = SectionKind::Lists;
    let n_lists = lists.starts.len().saturating_sub(1);
    ensure(n_lists > 0, LISTS, "there is a list")?;
    let first = lists.starts[0].to_native();
    let last = lists.starts[n_lists].to_native();
    ensure(first == 0 && last as usize == n, LISTS, "the lists hold all items")?;
    let sorted = lists.starts.windows(2).all(|w| w[0] <= w[1]);
    ensure(sorted, LISTS, "a list begins where the one before it ends")?;
    let lanes = n_blocks(n_lists) * BLOCK;
    let bytes = n_blocks(n_lists) as u64 * centroid_block_bytes(dim) as u64;
    ensure(lists.codes.len() as u64 == bytes, LISTS, "there is one centroid a list")?;
    ensure(lists.scales.len() == lanes, LISTS, "there is one scale a list")?;
    ensure(lists.spreads.len() == lanes, LISTS, "there is one spread a list")?;
    let norms = if metric == Metric::Euclidean { lanes } else { 0 };
    ensure(lists.norms.len() == norms, LISTS, "norms are there if needed")?;
    let layout = ListsLayout {
        codes: Span::locate(archive, &lists.codes),
        starts: Span::locate(archive, &lists.starts),
        scales: Span::locate(archive, &lists.scales),
        norms: Span::locate(archive, &lists.norms),
        spreads: Span::locate(archive, &lists.spreads),
        probes: lists
            .probes
            .iter()
            .map(|p| Probes {
                k: p.k.to_native(),
                share: p.share.to_native(),
                n_lists: p.n_lists.to_native(),
                reach: p.reach.to_native(),
            })
            .collect(),
        scale_base: lists.scale_base.to_native(),
        norm_base: lists.norm_base.to_native(),
        spread_base: lists.spread_base.to_native(),
        recall: lists.recall.to_native(),
        code_recall: lists.code_recall.to_native(),
        margin: lists.margin.to_native(),
        filtered_margin: lists.filtered_margin.to_native(),
        reach: lists.reach.to_native(),
        optimism: lists.optimism.to_native(),
    };
    for base in [layout.scale_base, layout.norm_base, layout.spread_base] {
        ensure((1..=MAX_SCALE_BASE).contains(&base), LISTS, "scale bases are within 1 to 150")?;
    }
    let is_share = |x: f32| (0.0..=1.0).contains(&x);
    ensure(layout.probes.len() <= 256, LISTS, "at most 256 measurements")?;
    let shares = layout.probes.iter().all(|p| is_share(p.share));
    let shares = shares && is_share(layout.recall) && is_share(layout.code_recall);
    ensure(shares, LISTS, "shares are within 0 to 1")?;
    let finite = [layout.margin, layout.filtered_margin, layout.reach, layout.optimism]
        .into_iter()
        .chain(layout.probes.iter().map(|p| p.reach))
        .all(|x| (0.0..=1e18).contains(&x));
    ensure(finite, LISTS, "margins, reach and optimism are finite and not negative")?;
    Ok(layout)
}

/// Sizes of the arrays of weights between items. Positions and ordinals inside them are not looked
/// at here.
fn neighbours_layout(
    archive: &[u8],
    neighbours: &ArchivedNeighbours,
    n: usize,
) -> Result<NeighboursLayout> {
    const NEIGHBOURS: SectionKind = SectionKind::Neighbours;
    let (code, width) = (neighbours.kind.to_native(), neighbours.width.to_native() as usize);
    let kind = NeighboursKind::from_code(code);
    ensure(kind.is_some() || code == 0, NEIGHBOURS, "their kind is a known one")?;
    let widths: &[usize] = if kind.is_some() { &[2, 3, 4] } else { &[0] };
    ensure(widths.contains(&width), NEIGHBOURS, "an ordinal has 2 to 4 bytes")?;
    let (starts, scales) = if kind.is_some() { (n + 1, n) } else { (0, 0) };
    ensure(neighbours.starts.len() == starts, NEIGHBOURS, "there are n + 1 starts")?;
    ensure(neighbours.scales.len() == scales, NEIGHBOURS, "there is one scale an item")?;
    let targets = neighbours.weights.len() as u64 * width as u64;
    ensure(neighbours.targets.len() as u64 == targets, NEIGHBOURS, "each weight has a target")?;
    ensure(kind.is_some() || neighbours.weights.is_empty(), NEIGHBOURS, "weights have a kind")?;
    let base = neighbours.scale_base.to_native();
    ensure((1..=MAX_SCALE_BASE).contains(&base), NEIGHBOURS, "scale bases are within 1 to 150")?;
    let (beta, regularisation) =
        (neighbours.beta.to_native(), neighbours.regularisation.to_native());
    let holds = in_range(beta) && beta >= 0.0 && in_range(regularisation);
    ensure(holds, NEIGHBOURS, "beta and regularisation are finite, beta is not negative")?;
    Ok(NeighboursLayout {
        kind,
        beta,
        regularisation,
        m: neighbours.m.to_native(),
        width,
        scale_base: base,
        starts: Span::locate(archive, &neighbours.starts),
        targets: Span::locate(archive, &neighbours.targets),
        weights: Span::locate(archive, &neighbours.weights),
        scales: Span::locate(archive, &neighbours.scales),
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
    let bits = model.code_bits.to_native();
    ensure(CODE_BITS.contains(&bits), MODEL, "codes have 5 to 8 bits")?;
    for base in [model.scale_base.to_native(), model.norm_base.to_native()] {
        ensure((1..=MAX_SCALE_BASE).contains(&base), MODEL, "scale bases are within 1 to 150")?;
    }
    let (alpha, lambda) = (model.alpha.to_native(), model.lambda.to_native());
    ensure(in_range(alpha) && alpha > 0.0, MODEL, "alpha is positive and finite")?;
    ensure(in_range(lambda) && lambda >= 0.0, MODEL, "lambda is finite and not negative")?;
    ensure((0.0..=MAX_NU).contains(&model.nu.to_native()), MODEL, "nu is within 0 to 4")?;
    ensure(
        model.signs.len() == sign_bytes(dim),
        MODEL,
        "there is one sign a round and dimension",
    )?;
    ensure(model.centre.len() == dim, MODEL, "the centre has dim components")?;
    let finite = model.centre.iter().all(|x| in_range(x.to_native()));
    ensure(finite, MODEL, "the centre is finite")?;
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
/// What lies in section *texts* is checked once that has arrived.
fn check_field(
    f: &Field,
    n: usize,
    names: usize,
    data: usize,
    texts: Option<usize>,
) -> Result<()> {
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
        FieldKind::Text => (u64::from(f.values_len), texts.unwrap_or(usize::MAX)),
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
