//! Decoded centroids.

use super::Index;
use crate::ids::Ordinal;
use crate::kernel::code::BLOCK;

/// The decoded centroids that were asked for last. Whoever asks in the order of the archive has each
/// list's and each block's decoded once.
#[derive(Debug)]
pub(crate) struct Centroids {
    list: usize,
    block: usize,
    of_list: Vec<f64>,
    of_block: Vec<f64>,
}

impl Default for Centroids {
    fn default() -> Self {
        Self { list: usize::MAX, block: usize::MAX, of_list: Vec::new(), of_block: Vec::new() }
    }
}

impl Centroids {
    /// Forgets what was decoded: for another archive.
    pub(crate) fn restart(&mut self, index: &Index) {
        (self.list, self.block) = (usize::MAX, usize::MAX);
        self.of_list.resize(index.dim(), 0.0);
        self.of_block.resize(index.dim(), 0.0);
    }

    /// The centroid of the block that an item lies in.
    pub(crate) fn of(&mut self, index: &Index, ordinal: Ordinal) -> &[f64] {
        let block = ordinal.index() / BLOCK;
        if block != self.block {
            let list = index.lists().of_block(block);
            if list != self.list {
                index.decode_centroid(list, &mut self.of_list);
                self.list = list;
            }
            self.of_block.copy_from_slice(&self.of_list);
            index.add_block_residual(block, &mut self.of_block);
            self.block = block;
        }
        &self.of_block
    }
}
