//! The vectors of many items at once.

use super::reduce::by_item;
use crate::ids::Ordinal;
use crate::load::Index;

/// Decoded vectors, one row an item, as [`Index::decode`] gives them to the bit.
///
/// Read in the order of the archive, whatever the order of the rows: items of one list then come
/// one after the other, so that its centroid, which is half of the work, is decoded once, and what
/// is read next lies near what was read last.
pub(crate) fn decoded(index: &Index, items: impl Iterator<Item = Ordinal>) -> Vec<f64> {
    let items: Vec<Ordinal> = items.collect();
    let dim = index.dim();
    let mut rows = vec![0.0; items.len() * dim];
    let mut centroid = vec![0.0; dim];
    let mut list = 0..0;
    for at in by_item(&items) {
        let item = items[at as usize];
        if !list.contains(&item.index()) {
            let of_item = index.list_of(item);
            list = index.lists().range(of_item);
            index.decode_centroid(of_item, &mut centroid);
        }
        let row = &mut rows[at as usize * dim..][..dim];
        row.copy_from_slice(&centroid);
        let mut groups = row.chunks_mut(8);
        index.for_each_step(item, |steps| {
            for (x, step) in groups.next().unwrap_or_default().iter_mut().zip(steps) {
                *x += step;
            }
        });
    }
    rows
}
