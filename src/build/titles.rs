//! Titles to the positions that prefix lookup searches.

use unicode_normalization::UnicodeNormalization as _;

use super::{ColumnValues, Table, position};
use crate::error::{Error, Result};
use crate::folding::fold_title;
use crate::format::{FIELD_NONE, Titles};

pub(super) fn titles(table: &Table, field: u32) -> Result<Titles> {
    let mut titles = Titles { starts: Vec::new(), words: Vec::new(), bytes: Vec::new(), field };
    if field == FIELD_NONE {
        return Ok(titles);
    }
    let column = &table.columns[field as usize];
    let (ColumnValues::Text(values) | ColumnValues::Category(values)) = &column.values else {
        let place = format!("title column {:?}", column.name);
        return Err(Error::input(place, "a column of kind text or category", "another kind"));
    };
    let mut text = String::new();
    titles.starts.push(0);
    for title in values {
        let key = title
            .as_ref()
            .map_or_else(String::new, |t| fold_title(t.nfkd().flat_map(char::to_lowercase)));
        let start = position(text.len(), "titles")?;
        let after_space = key.match_indices(' ').map(|(i, _)| start + i as u32 + 1);
        titles.words.extend((!key.is_empty()).then_some(start).into_iter().chain(after_space));
        text.push_str(&key);
        titles.starts.push(position(text.len(), "titles")?);
    }
    let from = |word: u32| {
        let next = titles.starts.partition_point(|s| *s <= word);
        &text[word as usize..titles.starts[next] as usize]
    };
    // Equal texts keep their order by position, so that the same catalog gives the same bytes.
    titles.words.sort_unstable_by(|a, b| from(*a).cmp(from(*b)).then(a.cmp(b)));
    titles.bytes = text.into_bytes();
    Ok(titles)
}
