//! Sections to bytes.

use rkyv::rancor::Failure;
use rkyv::util::AlignedVec;

use super::position;
use crate::error::{Error, Result};
use crate::format::{
    ALIGNMENT, Codes, Columns, FORMAT_VERSION, HEADER_BYTES, Header, Ids, Level, Lists, Model,
    Neighbours, Refining, SectionKind, TABLE_ENTRY_BYTES, TableEntry, Texts, Titles, checksum,
};

pub(super) struct Sections {
    pub(super) ids: Ids,
    pub(super) model: Model,
    pub(super) lists: Lists,
    pub(super) blocks: Level,
    pub(super) columns: Columns,
    pub(super) codes: Codes,
    pub(super) refining: Refining,
    pub(super) neighbours: Neighbours,
    pub(super) titles: Titles,
    pub(super) texts: Texts,
}

pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) sections: Vec<(&'static str, u64)>,
}

pub(super) fn write(n_items: usize, dim: usize, sections: &Sections) -> Result<Written> {
    let failed = |_: Failure| Error::input("archive", "sections below 2 GiB", "a larger one");
    let bodies: [AlignedVec; SectionKind::ALL.len()] = [
        rkyv::to_bytes(&sections.ids).map_err(failed)?,
        rkyv::to_bytes(&sections.model).map_err(failed)?,
        rkyv::to_bytes(&sections.lists).map_err(failed)?,
        rkyv::to_bytes(&sections.blocks).map_err(failed)?,
        rkyv::to_bytes(&sections.columns).map_err(failed)?,
        rkyv::to_bytes(&sections.codes).map_err(failed)?,
        rkyv::to_bytes(&sections.refining).map_err(failed)?,
        rkyv::to_bytes(&sections.neighbours).map_err(failed)?,
        rkyv::to_bytes(&sections.titles).map_err(failed)?,
        rkyv::to_bytes(&sections.texts).map_err(failed)?,
    ];
    let mut at = HEADER_BYTES + bodies.len() * TABLE_ENTRY_BYTES;
    let mut entries = Vec::new();
    for (kind, body) in SectionKind::ALL.iter().zip(&bodies) {
        position(body.len(), kind.as_str())?;
        at = at.next_multiple_of(ALIGNMENT);
        let (offset, length) = (at as u64, body.len() as u64);
        entries.push(TableEntry { kind: *kind as u32, offset, length, check: checksum(body) });
        at += body.len();
    }
    let table: Vec<u8> = entries.iter().flat_map(|e| e.to_bytes()).collect();
    let header = Header {
        version: FORMAT_VERSION,
        n_items: n_items as u32,
        dim: dim as u32,
        n_sections: entries.len() as u32,
        total_bytes: at as u64,
        table_check: checksum(&table),
    };
    let mut bytes = Vec::with_capacity(at);
    bytes.extend(header.to_bytes());
    bytes.extend(table);
    for (entry, body) in entries.iter().zip(&bodies) {
        bytes.resize(entry.offset as usize, 0);
        bytes.extend_from_slice(body);
    }
    let lengths = entries.iter().map(|e| e.length);
    let sections = SectionKind::ALL.iter().map(|k| k.as_str()).zip(lengths).collect();
    Ok(Written { bytes, sections })
}
