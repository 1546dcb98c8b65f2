//! One spelling for titles and what people type to find them.

/// Folds decomposed text (NFKD) to a key: marks dropped, lower case, punctuation as one space,
/// apostrophes dropped, so that `Amélie`, `amelie` and `AMÉLIE!` meet.
///
/// Decomposition is the caller's: the builder uses a library, JavaScript has
/// `String.prototype.normalize`; its tables would double the size of the wasm module.
#[must_use]
pub fn fold_title(decomposed: impl IntoIterator<Item = char>) -> String {
    let mut key = String::new();
    for c in decomposed {
        match c {
            '\u{300}'..='\u{36f}' | '\'' | '\u{2019}' | '\u{2bc}' => {}
            c if c.is_alphanumeric() => key.extend(c.to_lowercase()),
            _ if key.is_empty() || key.ends_with(' ') => {}
            _ => key.push(' '),
        }
    }
    key.truncate(key.trim_end().len());
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds() {
        for (text, key) in [
            ("Ame\u{301}lie!", "amelie"),
            ("  The  Good,   the Bad & the Ugly ", "the good the bad the ugly"),
            ("Ocean's Eleven", "oceans eleven"),
            ("8½", "8½"),
            ("...", ""),
            ("七人の侍", "七人の侍"),
        ] {
            assert_eq!(fold_title(text.chars()), key);
        }
    }
}
