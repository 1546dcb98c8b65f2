//! Content vectors: embeddings made from text and tags, for catalogs that bring none.
//!
//! Every item becomes a sparse row of weighted tokens ([`tokenize`]), and a truncated singular
//! value decomposition turns the sparse rows into short dense ones that keep their inner products
//! as well as that many components can (latent semantic analysis: Deerwester et al. 1990). Items
//! that share a director, a cast or the words of a series come out near each other under cosine.
//!
//! It knows content only, not taste: where interactions of many people exist, vectors trained on
//! them (`--vectors`) say more.

mod dense;
mod sparse;
mod svd;
mod tokenize;

use super::input::{BadVectors, Items, Vectors, expected_name};
use super::{ColumnValues, Embeddings};
use crate::error::{Error, Result};
use crate::kernel::code::MAX_DIM;

/// A vector shorter than this, of a row that had length 1, is what rounding left of a row that
/// shares nothing with the kept components.
const MIN_LENGTH: f64 = 1e-6;

/// A field that content vectors are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbedField {
    /// The column: text, category or tags.
    pub name: String,
    /// Its weight against the other fields, above 0, whatever the number of its tokens. `None`
    /// stands for 1, and for 0.5 where the column is text: words are vaguer than tags.
    pub weight: Option<f64>,
}

/// Weight of a text column for which none is given.
const TEXT_WEIGHT: f64 = 0.5;
/// Weight of a category or tag set for which none is given.
const TAGS_WEIGHT: f64 = 1.0;

/// Reads a list of fields as the command line gives it: `title,genres*2,director`.
///
/// ```
/// let fields = nearfield::build::embed::parse_fields("title,genres*2")?;
/// assert_eq!((fields[1].name.as_str(), fields[1].weight), ("genres", Some(2.0)));
/// # Ok::<(), nearfield::Error>(())
/// ```
///
/// # Errors
/// [`Error::Input`] for an empty or repeated name and a weight that is no number above 0.
pub fn parse_fields(list: &str) -> Result<Vec<EmbedField>> {
    let mut fields: Vec<EmbedField> = Vec::new();
    for part in list.split(',') {
        let wrong = |expected: &str, found: &str| {
            Err(Error::input("--embed-text", expected, format!("{found:?}")))
        };
        let (name, weight) = match part.rsplit_once('*') {
            None => (part.trim(), None),
            Some((name, weight)) => match weight.trim().parse::<f64>() {
                Ok(number) if number > 0.0 && number <= 1e6 => (name.trim(), Some(number)),
                _ => return wrong("a weight above 0, at most 1e6, as in genres*2", part),
            },
        };
        if name.is_empty() {
            return wrong("names of fields between commas, as in title,genres*2", list);
        }
        if fields.iter().any(|f| f.name == name) {
            return wrong("each field once", name);
        }
        fields.push(EmbedField { name: name.to_owned(), weight });
    }
    Ok(fields)
}

/// Makes content vectors of at most `dim` components from fields of the items. Fewer come out
/// where the texts do not support as many (the rank of the token matrix is lower).
///
/// Items that share no token with any other item have no vector: they are an error or, with
/// [`BadVectors::Drop`], taken out of `items`. The result is a function of the table, the fields,
/// `dim` and `seed`, at any number of threads.
///
/// Cost: about 8 products of the sparse rows with `dim + 10` dense columns; 17,000 films of 20
/// tokens take about two seconds on two cores.
///
/// # Errors
/// [`Error::Input`] for an unknown field, one that holds neither text nor tags, and items without
/// vector.
pub fn embed(
    items: &mut Items,
    fields: &[EmbedField],
    dim: usize,
    seed: u64,
    bad_vectors: BadVectors,
) -> Result<Vectors> {
    if !(1..=MAX_DIM).contains(&dim) {
        return Err(Error::input("--dim", format!("1 to {MAX_DIM}"), dim));
    }
    let mut columns: Vec<(&ColumnValues, f64)> = Vec::new();
    // Of a catalog without items nobody knows the columns.
    for field in fields.iter().filter(|_| !items.is_empty()) {
        let column = column(items, &field.name)?;
        let default = match column {
            ColumnValues::Text(_) => TEXT_WEIGHT,
            _ => TAGS_WEIGHT,
        };
        columns.push((column, field.weight.unwrap_or(default)));
    }
    let matrix = tokenize::matrix(&columns, items.len());
    let mut vectors = svd::project(&matrix, dim, seed);
    if vectors.width() == 0 {
        // An archive needs a dimension, even if nothing lies in it.
        vectors = dense::Rows::zeros(items.len(), 1);
    }
    let bad: Vec<usize> = (0..items.len())
        .filter(|i| !(dense::dot(vectors.row(*i), vectors.row(*i)).sqrt() >= MIN_LENGTH))
        .collect();
    if let (Some(first), BadVectors::Error) = (bad.first(), bad_vectors) {
        let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
        let place = format!("{}: {}", items.place(*first), names.join(", "));
        let expected = "text or tags that another item has too (or --bad-vectors drop)";
        let found =
            format!("none, for item {:?} and {} more", items.table.ids[*first], bad.len() - 1);
        return Err(Error::input(place, expected, found));
    }
    let mut dropped = bad.iter().copied().peekable();
    let kept = (0..items.len()).filter(|i| dropped.next_if(|d| d == i).is_none());
    let values = kept.flat_map(|i| vectors.row(i).iter().map(|x| *x as f32)).collect();
    items.remove(&bad);
    Ok(Vectors { embeddings: Embeddings { dim: vectors.width(), values }, n_dropped: bad.len() })
}

fn column<'a>(items: &'a Items, name: &str) -> Result<&'a ColumnValues> {
    let columns = &items.table.columns;
    let Some(column) = columns.iter().find(|c| c.name == name) else {
        let known: Vec<&str> = columns
            .iter()
            .filter(|c| tokenize::has_tokens(&c.values))
            .map(|c| c.name.as_str())
            .collect();
        let expected = expected_name("a text, category or tags field", name, &known);
        return Err(Error::input("--embed-text", expected, format!("{name:?}")));
    };
    if !tokenize::has_tokens(&column.values) {
        let expected = "a field of kind text, category or tags (a schema can make it one)";
        return Err(Error::input("--embed-text", expected, format!("{name:?} of another kind")));
    }
    Ok(&column.values)
}
