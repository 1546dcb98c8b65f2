//! Tests to bitmaps, one column at a time.

use super::Node;
use crate::catalog::Catalog;
use crate::catalog::column::{Column, Value};
use crate::error::Result;
use crate::format::FieldKind;
use crate::ids::Ordinal;
use crate::item_set::ItemSet;

pub(super) fn select(catalog: Catalog<'_>, node: &Node) -> Result<ItemSet> {
    let n = catalog.index.len();
    let column = |field: usize| Column::new(catalog.index, &catalog.index.fields()[field]);
    Ok(match node {
        Node::And(parts) => {
            let mut set = ItemSet::full(n);
            for part in parts {
                set.intersect(&select(catalog, part)?);
            }
            set
        }
        Node::Or(parts) => {
            let mut set = ItemSet::empty(n);
            for part in parts {
                set.union(&select(catalog, part)?);
            }
            set
        }
        Node::Not(part) => {
            let mut set = select(catalog, part)?;
            set.invert();
            set
        }
        Node::Exists { field } => column(*field).present(),
        Node::Flag { field, is } => {
            let column = column(*field);
            present(column, ItemSet::from_fn(n, |i| column.flag(i) == *is))
        }
        Node::Range { field, low, high } => {
            let column = column(*field);
            present(column, in_range(column, n, *low, *high))
        }
        Node::Float { field, low, high, low_open, high_open } => {
            let column = column(*field);
            let inside = |i| match column.number(column.raw(i)) {
                Value::Real(x) => {
                    (if *low_open { x > *low } else { x >= *low })
                        && (if *high_open { x < *high } else { x <= *high })
                }
                _ => false,
            };
            present(column, ItemSet::from_fn(n, inside))
        }
        Node::Codes { field, accept } => has_code(column(*field), n, accept)?,
    })
}

/// Takes out the items that have no value.
fn present(column: Column<'_>, mut set: ItemSet) -> ItemSet {
    if column.n_null() > 0 {
        set.intersect(&column.present());
    }
    set
}

/// One loop for each width, so that each compares packed numbers of one size.
fn in_range(column: Column<'_>, n: usize, low: u64, high: u64) -> ItemSet {
    let (bytes, width) = column.packed();
    match width {
        1 => ItemSet::from_fn(n, |i| (low..=high).contains(&u64::from(bytes[i]))),
        2 => {
            let (pairs, _) = bytes.as_chunks();
            ItemSet::from_fn(n, |i| {
                (low..=high).contains(&u64::from(u16::from_le_bytes(pairs[i])))
            })
        }
        4 => {
            let (fours, _) = bytes.as_chunks();
            ItemSet::from_fn(n, |i| {
                (low..=high).contains(&u64::from(u32::from_le_bytes(fours[i])))
            })
        }
        _ => {
            let (eights, _) = bytes.as_chunks();
            ItemSet::from_fn(n, |i| (low..=high).contains(&u64::from_le_bytes(eights[i])))
        }
    }
}

fn has_code(column: Column<'_>, n: usize, accept: &[bool]) -> Result<ItemSet> {
    let accepts = |at: usize| accept.get(column.raw(at) as usize).copied().unwrap_or(false);
    if column.kind() == FieldKind::Category {
        return Ok(present(column, ItemSet::from_fn(n, accepts)));
    }
    let mut set = ItemSet::empty(n);
    for item in 0..n {
        if column.run(item)?.any(accepts) {
            set.insert(Ordinal(item as u32));
        }
    }
    Ok(set)
}
