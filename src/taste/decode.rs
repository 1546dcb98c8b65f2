//! The vectors of many items at once.

use super::reduce::by_item;
use crate::ids::Ordinal;
use crate::load::{Centroids, Index};

/// Decoded vectors, one row an item, as [`Index::decode`] gives them to the bit.
///
/// Read in the order of the archive, whatever the order of the rows: items of one list and of one
/// block then come one after the other, so that their centroids, which are half of the work, are
/// decoded once, and what is read next lies near what was read last.
pub(crate) fn decoded(index: &Index, items: impl Iterator<Item = Ordinal>) -> Vec<f64> {
    rows(index, &items.collect::<Vec<Ordinal>>())
}

/// Once in the module, whoever calls.
#[inline(never)]
fn rows(index: &Index, items: &[Ordinal]) -> Vec<f64> {
    let dim = index.dim();
    let mut rows = vec![0.0; items.len() * dim];
    let mut centroids = Centroids::default();
    centroids.restart(index);
    for at in by_item(items) {
        let item = items[at as usize];
        let row = &mut rows[at as usize * dim..][..dim];
        row.copy_from_slice(centroids.of(index, item));
        index.add_residual(item, row);
    }
    rows
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::load::AlignedBytes;
    use crate::rng::SeededRng;

    #[test]
    fn rows_are_the_items_one_by_one_in_any_order() {
        let bytes = include_bytes!("../../tests/fixtures/small-v1.nf");
        let index = Index::open(AlignedBytes::copy_of(bytes).unwrap()).unwrap();
        let mut rng = SeededRng::new(5, 0);
        for n in [0, 1, 2, 7, 100] {
            let items: Vec<Ordinal> =
                (0..n).map(|_| Ordinal(rng.below(index.len()) as u32)).collect();
            let rows = decoded(&index, items.iter().copied());
            assert_eq!(rows.len(), n * index.dim());
            let mut row = vec![0.0; index.dim()];
            for (item, found) in items.iter().zip(rows.chunks_exact(index.dim())) {
                index.decode(*item, &mut row);
                assert_eq!(row, found, "{item:?}");
            }
        }
    }
}
