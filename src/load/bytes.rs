//! The one aligned buffer that an archive lives in.

#![allow(unsafe_code)]

use bytemuck::{AnyBitPattern, Pod, Zeroable};

use crate::error::{Error, Result};
use crate::format::{ALIGNMENT, Span};
#[cfg(target_arch = "wasm32")]
use crate::kernel::pages;

/// 64 bytes at an address that is a multiple of 64.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; ALIGNMENT]);

/// Bytes at an address that is a multiple of 64: owned, or (natively) a mapped file.
///
/// Where an archive arrives from JavaScript or a socket, make one with [`AlignedBytes::zeroed`]
/// and write into [`AlignedBytes::as_mut_slice`]: that is the only copy there is.
pub struct AlignedBytes {
    storage: Storage,
    len: usize,
}

enum Storage {
    Owned(Vec<Line>),
    /// Pages that memory was grown by. They are zero as they come, where an allocator's would have to be
    /// written twice: with zeros, then with the archive. An archive has an instance of its own, and its
    /// memory goes with that.
    #[cfg(target_arch = "wasm32")]
    Pages(&'static mut [Line]),
    #[cfg(all(feature = "mmap", not(target_arch = "wasm32")))]
    Mapped(memmap2::Mmap),
}

/// Archives of at least so many bytes get pages of their own.
#[cfg(target_arch = "wasm32")]
const LARGE: usize = 1 << 20;

/// `n` lines in pages that nothing else lies in, or none where they are refused.
#[cfg(target_arch = "wasm32")]
fn grow(n: usize) -> Option<&'static mut [Line]> {
    let first = pages::grow(n.div_ceil(pages::PAGE_BYTES / ALIGNMENT))?;
    // SAFETY: the pages are new, so that nobody else refers to them, and zero, which is a value of `Line`;
    // they stay for as long as the instance, and begin at a multiple of 64. The allocator copes with memory
    // that others have grown.
    Some(unsafe { core::slice::from_raw_parts_mut(first as *mut Line, n) })
}

impl AlignedBytes {
    /// `len` zero bytes.
    ///
    /// In WebAssembly a mebibyte or more is never given back, other than with the whole instance.
    ///
    /// # Errors
    /// [`Error::Memory`] where the memory is refused; nothing was reserved then.
    pub fn zeroed(len: usize) -> Result<Self> {
        let refused = || Error::Memory { needed_bytes: len as u64 };
        let n_lines = len.div_ceil(ALIGNMENT);
        #[cfg(target_arch = "wasm32")]
        if len >= LARGE {
            let lines = grow(n_lines).ok_or_else(refused)?;
            return Ok(Self { storage: Storage::Pages(lines), len });
        }
        let mut lines = Vec::new();
        lines.try_reserve_exact(n_lines).map_err(|_| refused())?;
        lines.resize(n_lines, Line([0; ALIGNMENT]));
        Ok(Self { storage: Storage::Owned(lines), len })
    }

    /// A copy of `bytes`.
    ///
    /// # Errors
    /// [`Error::Memory`] where the memory is refused.
    pub fn copy_of(bytes: &[u8]) -> Result<Self> {
        let mut copy = Self::zeroed(bytes.len())?;
        copy.as_mut_slice().copy_from_slice(bytes);
        Ok(copy)
    }

    /// Maps a file into memory, without reading it.
    ///
    /// The file must not be changed while it is mapped. Replace archives by renaming a new file
    /// over the old one: a mapping keeps the old contents then.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be opened or mapped.
    #[cfg(all(feature = "mmap", not(target_arch = "wasm32")))]
    pub fn map(path: &std::path::Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.display().to_string(), source };
        let file = std::fs::File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() == 0 {
            // An empty file cannot be mapped; opening it as an archive names what is wrong.
            return Self::zeroed(0);
        }
        // SAFETY: the mapping is read-only and private to this value. That nobody shortens or
        // rewrites the file meanwhile is the caller's part, documented above; it cannot be
        // checked from here.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(io)?;
        let len = map.len();
        Ok(Self { storage: Storage::Mapped(map), len })
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match &self.storage {
            Storage::Owned(lines) => &bytemuck::cast_slice(lines)[..self.len],
            #[cfg(target_arch = "wasm32")]
            Storage::Pages(lines) => &bytemuck::cast_slice(lines)[..self.len],
            #[cfg(all(feature = "mmap", not(target_arch = "wasm32")))]
            Storage::Mapped(map) => map,
        }
    }

    /// The bytes, to be filled.
    ///
    /// A mapped file is read-only: for one the slice is empty.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        match &mut self.storage {
            Storage::Owned(lines) => &mut bytemuck::cast_slice_mut(lines)[..self.len],
            #[cfg(target_arch = "wasm32")]
            Storage::Pages(lines) => &mut bytemuck::cast_slice_mut(lines)[..self.len],
            #[cfg(all(feature = "mmap", not(target_arch = "wasm32")))]
            Storage::Mapped(_) => &mut [],
        }
    }

    /// Borrows an array that `format::validate` found in these bytes.
    ///
    /// Positions and alignment were validated; the cast checks both again, which is why no
    /// unchecked access is needed. Numbers are little-endian, as are all targets of this crate.
    #[inline]
    pub(crate) fn view<T: AnyBitPattern>(&self, span: &Span<T>) -> &[T] {
        bytemuck::cast_slice(&self.as_slice()[span.bytes.clone()])
    }
}

#[cfg(target_endian = "big")]
compile_error!(
    "archives are little-endian and read in place: big-endian targets are not supported"
);

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn bytes_are_zero_aligned_and_nobody_elses() {
        let lens = [0, 1, 64, 100_000, 1 << 20, (1 << 20) + 1, 3 << 20];
        let mut all = Vec::new();
        for (i, len) in (0..).zip(lens) {
            let mut bytes = AlignedBytes::zeroed(len).unwrap();
            assert_eq!(
                (bytes.as_slice().len(), bytes.as_slice().as_ptr() as usize % 64),
                (len, 0)
            );
            assert!(bytes.as_slice().iter().all(|byte| *byte == 0));
            bytes.as_mut_slice().fill(i);
            // The allocator's own, between them.
            all.push((i, vec![i; len / 2], bytes));
        }
        for (i, between, bytes) in &all {
            assert!(between.iter().chain(bytes.as_slice()).all(|byte| byte == i));
        }
    }
}
