//! One spelling for titles and what people type to find them.

/// Folds text that is decomposed (NFKD) and in lower case to a key: marks and apostrophes
/// dropped, punctuation as one space, so that `Amélie`, `amelie` and `AMÉLIE!` meet.
///
/// Decomposition and case are the caller's: the builder uses a library and JavaScript has
/// `text.normalize("NFKD").toLowerCase()`; their tables would double the data of the wasm module.
/// For the same reason punctuation is ASCII's and the three blocks of general punctuation;
/// everything else is part of a word.
#[must_use]
pub fn fold_title(decomposed: impl IntoIterator<Item = char>) -> String {
    let mut key = String::new();
    for c in decomposed {
        match c {
            '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' | '\u{2bc}' => {}
            c if is_word(c) => key.push(c),
            _ if key.is_empty() || key.ends_with(' ') => {}
            _ => key.push(' '),
        }
    }
    if key.ends_with(' ') {
        key.pop();
    }
    key
}

fn is_word(c: char) -> bool {
    match c {
        '\0'..='\x7f' => c.is_ascii_alphanumeric(),
        // Latin-1 punctuation, general punctuation, CJK punctuation.
        '\u{80}'..='\u{a9}' | '\u{ab}'..='\u{b1}' | '\u{b4}' | '\u{b6}'..='\u{b8}' => false,
        '\u{bb}' | '\u{bf}' | '\u{d7}' | '\u{f7}' => false,
        '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn folds() {
        for (text, key) in [
            ("ame\u{301}lie!", "amelie"),
            ("  the  good,   the bad & the ugly ", "the good the bad the ugly"),
            ("ocean's eleven", "oceans eleven"),
            ("\u{ab}8½\u{bb} \u{2014} fellini", "8½ fellini"),
            ("...", ""),
            ("七人の侍", "七人の侍"),
        ] {
            assert_eq!(fold_title(text.chars()), key);
        }
    }
}
