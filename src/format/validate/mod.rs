//! Structure, limits and meaning of an archive, checked once when it is opened.
//!
//! Nothing here walks the items: the cost depends on the number of sections, columns, dimensions
//! and lists. What is checked is what memory safety of plain slices and finiteness of scores
//! need. Positions stored per item (id offsets, tag starts, ordinals in lookups) are *not*
//! checked here; every reader of them uses checked access and reports [`Error::Corrupt`].

mod columns;
mod lists;
mod model;
mod neighbours;

use columns::{check_field, field};
use lists::{blocks_layout, lists_layout};
use model::check_model;
use neighbours::neighbours_layout;
use rkyv::rancor::Failure;

use super::header::{HEADER_BYTES, Header, TABLE_ENTRY_BYTES, TableEntry};
use super::layout::{Layout, Span, TitlesLayout};
use super::sections::{
    ArchivedCodes, ArchivedColumns, ArchivedIds, ArchivedLevel, ArchivedLists, ArchivedModel,
    ArchivedNeighbours, ArchivedRefining, ArchivedTexts, ArchivedTitles, FIELD_NONE, Field,
    SectionKind,
};
use super::{ALIGNMENT, checksum};
use crate::error::{Error, Result};
use crate::kernel::code::{BLOCK, n_blocks, prefix_block_bytes, refining_bytes};
use crate::metric::Metric;

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
    let blocks = root!(ArchivedLevel, SectionKind::Blocks, archive, sections);
    let blocks = blocks_layout(archive, blocks, n, dim, metric)?;

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
    let (fours, padded) = (4 * n_blocks(n), n_blocks(n_blocks(n)) * BLOCK);
    let norms = if metric == Metric::Euclidean { fours } else { 0 };
    let holds = codes.largest_scales.len() == fours
        && codes.least_norms.len() == norms
        && codes.radii.len() == padded;
    ensure(holds, SectionKind::Codes, "every block has its bounds")?;

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
        blocks,
        column_names: Span::locate(archive, &columns.names),
        column_data: Span::locate(archive, &columns.data),
        prefixes: Span::locate(archive, &codes.prefixes),
        scales: Span::locate(archive, &codes.scales),
        norms: Span::locate(archive, &codes.norms),
        largest_scales: Span::locate(archive, &codes.largest_scales),
        least_norms: Span::locate(archive, &codes.least_norms),
        radii: Span::locate(archive, &codes.radii),
        refining,
        neighbours,
        titles,
        text_data,
        header,
        sections,
    })
}

/// The position of a column that a section names, if it names one.
fn optional_field(index: u32, fields: &[Field], kind: SectionKind) -> Result<Option<usize>> {
    if index == FIELD_NONE {
        return Ok(None);
    }
    ensure((index as usize) < fields.len(), kind, "the column it names exists")?;
    Ok(Some(index as usize))
}

/// Within ±2^60: products of such numbers stay far from the limits of f64, and sums of them from
/// those of f32.
fn in_range(x: f64) -> bool {
    x.abs() <= (1u64 << 60) as f64
}
