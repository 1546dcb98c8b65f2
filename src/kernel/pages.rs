//! Memory of WebAssembly, by the page: the instruction that asks for it.

/// Bytes of a page.
pub const PAGE_BYTES: usize = 1 << 16;

/// Grows the memory by some pages, and gives the address of the first; none where the host refuses them.
/// They are zero, nothing lies in them, and they stay for as long as the instance does.
#[must_use]
pub fn grow(n_pages: usize) -> Option<usize> {
    match core::arch::wasm32::memory_grow::<0>(n_pages) {
        usize::MAX => None,
        before => Some(before * PAGE_BYTES),
    }
}
