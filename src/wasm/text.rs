//! Texts as JavaScript's strings.

use js_sys::{Array, JsString};

/// Cut from one string that holds them all: to decode one takes a quarter of a microsecond, however short.
pub(super) fn texts(texts: &[impl AsRef<str>]) -> Array {
    let texts = || texts.iter().map(AsRef::as_ref);
    let all = JsString::from(texts().collect::<String>().as_str());
    let mut start = 0;
    let cut = |text| {
        let end = start + utf16_length(text);
        all.slice(std::mem::replace(&mut start, end), end)
    };
    texts().map(cut).collect()
}

/// Of the units that JavaScript counts: one a character, and two where UTF-8 takes four bytes.
fn utf16_length(text: &str) -> u32 {
    let units = |byte: u8| u32::from(byte & 0xC0 != 0x80) + u32::from(byte >= 0xF0);
    text.bytes().map(units).sum()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Whatever length their characters have in UTF-8 and in UTF-16.
    #[test]
    fn texts_are_cut_where_they_end() {
        let all =
            ["", "a", "\u{0}b", "Amélie", "千と千尋", "👩‍🚀", "", "e\u{301}😀", "\u{FFFF}\u{10000}"];
        let cut = texts(&all);
        assert_eq!(cut.length() as usize, all.len());
        for (text, cut) in all.into_iter().zip(cut.iter()) {
            assert_eq!(cut.as_string().as_deref(), Some(text));
        }
        assert_eq!(texts(&all[..0]).length(), 0);
    }
}
