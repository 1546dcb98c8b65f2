//! Fields to sparse rows of weighted tokens.
//!
//! A tag or category is one token; a text is its words, folded as titles are (`Amélie` and
//! `amelie` are one word). Every field has its own vocabulary, so that a person as director is
//! not the same person as actor: one token each, by their own rarity.
//!
//! A token weighs `(1 + ln c) * (1 + ln((1 + n) / (1 + d)))` where it stands `c` times in the field
//! and `d` of `n` items have it. Then each field of an item is brought to length 1 and multiplied
//! by the field's weight: without that, a cast of thirty names would drown three genres. Last,
//! every column is divided by `sqrt(m + t)`, where `m` is its sum and `t` the mean of all columns'
//! sums, and every row is brought to length 1.
//!
//! The division is that of correspondence analysis (and of spectral clustering, whose `t` keeps
//! small groups without ties to the rest from taking the leading components: Qin and Rohe 2013).
//! A short vector keeps what explains most of the total, and without the division that is the
//! commonest tokens: 64 components of the film catalog are then genres and countries (of the ten
//! nearest neighbours of a film, 0.95 of the genres are its own, and 0.10 of the films by its
//! director are found; with it 0.56 and 0.78).

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::sparse::Csr;
use crate::build::ColumnValues;
use crate::folding::fold_title;

/// Tokens of fewer items than this say nothing about similarity: no other item shares them.
const FEWEST_ITEMS: u32 = 2;

/// Whether a column's values can be made tokens.
pub(super) fn has_tokens(values: &ColumnValues) -> bool {
    matches!(values, ColumnValues::Text(_) | ColumnValues::Category(_) | ColumnValues::Tags(_))
}

/// The rows of all items, over the tokens that at least two items have.
pub(super) fn matrix(columns: &[(&ColumnValues, f64)], n: usize) -> Csr {
    let counted: Vec<Counted> = columns.iter().map(|(values, _)| count(values)).collect();
    let mut n_tokens = 0;
    let mut weighed = Vec::new();
    for counted in &counted {
        // Kept tokens get consecutive numbers behind those of the fields before.
        let mut number = |d: &u32| {
            let idf = 1.0 + libm::log((1 + n) as f64 / (1 + d) as f64);
            (*d >= FEWEST_ITEMS).then(|| {
                n_tokens += 1;
                (n_tokens - 1, idf)
            })
        };
        weighed.push(counted.n_items.iter().map(&mut number).collect::<Vec<Option<(u32, f64)>>>());
    }
    let mut rows = Csr::new(n_tokens as usize);
    let mut row = Vec::new();
    for item in 0..n {
        row.clear();
        for ((counted, tokens), (_, weight)) in counted.iter().zip(&weighed).zip(columns) {
            let start = row.len();
            for (token, c) in &counted.rows[item] {
                if let Some((number, idf)) = tokens[*token as usize] {
                    row.push((number, (1.0 + libm::log(f64::from(*c))) * idf));
                }
            }
            scale_to(&mut row[start..], *weight);
        }
        row.sort_unstable_by_key(|(number, _)| *number);
        rows.push_row(&row);
    }
    balance(&mut rows);
    rows
}

/// Divides columns by the root of their damped sums, and brings rows to length 1.
fn balance(rows: &mut Csr) {
    let mut sums = vec![0.0; rows.n_columns()];
    for i in 0..rows.n_rows() {
        rows.row(i).for_each(|(column, x)| sums[column as usize] += x);
    }
    let mean = sums.iter().sum::<f64>() / sums.len().max(1) as f64;
    let factors: Vec<f64> = sums.iter().map(|sum| 1.0 / (sum + mean).sqrt()).collect();
    let mut row = Vec::new();
    for i in 0..rows.n_rows() {
        row.clear();
        row.extend(rows.row(i).map(|(column, x)| (column, x * factors[column as usize])));
        scale_to(&mut row, 1.0);
        rows.set_row(i, &row);
    }
}

/// Brings a run of weights to this length; a run of none stays.
fn scale_to(run: &mut [(u32, f64)], length: f64) {
    let squared: f64 = run.iter().map(|(_, x)| x * x).sum();
    if squared > 0.0 {
        let factor = length / squared.sqrt();
        run.iter_mut().for_each(|(_, x)| *x *= factor);
    }
}

/// One field's tokens, numbered in the order of their first appearance.
#[derive(Default)]
struct Counted {
    /// For each item its tokens, each once, with how often they stand there.
    rows: Vec<Vec<(u32, u32)>>,
    /// For each token the number of items that have it.
    n_items: Vec<u32>,
}

fn count(values: &ColumnValues) -> Counted {
    let mut counter = Counter::default();
    match values {
        ColumnValues::Text(values) => {
            for text in values {
                let folded =
                    text.as_ref().map(|t| fold_title(t.nfkd().flat_map(char::to_lowercase)));
                counter.row(folded.iter().flat_map(|words| words.split_ascii_whitespace()));
            }
        }
        ColumnValues::Category(values) => {
            values.iter().for_each(|v| counter.row(v.iter().map(String::as_str)));
        }
        ColumnValues::Tags(values) => {
            values.iter().for_each(|v| counter.row(v.iter().flatten().map(String::as_str)));
        }
        _ => {}
    }
    counter.counted
}

#[derive(Default)]
struct Counter {
    numbers: HashMap<String, u32>,
    counted: Counted,
}

impl Counter {
    fn row<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        let mut row: Vec<(u32, u32)> = Vec::new();
        for token in tokens {
            let number = match self.numbers.get(token) {
                Some(number) => *number,
                None => {
                    let number = self.counted.n_items.len() as u32;
                    self.numbers.insert(token.to_owned(), number);
                    self.counted.n_items.push(0);
                    number
                }
            };
            row.push((number, 1));
        }
        // A tag set counts each tag once by itself; a text's words are counted here.
        row.sort_unstable();
        row.dedup_by(|later, first| {
            let same = later.0 == first.0;
            first.1 += u32::from(same);
            same
        });
        for (number, _) in &row {
            self.counted.n_items[*number as usize] += 1;
        }
        self.counted.rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> ColumnValues {
        ColumnValues::Text(values.iter().map(|v| Some((*v).to_owned())).collect())
    }

    #[test]
    fn rows_have_length_1_and_rare_tokens_weigh_more() {
        let tags = |v: &[&str]| Some(v.iter().map(|t| (*t).to_owned()).collect());
        let titles = text(&["Star Wars", "Star Trek", "Trek"]);
        let genres = ColumnValues::Tags(vec![tags(&["space", "war"]), tags(&["space"]), None]);
        let rows = matrix(&[(&titles, 1.0), (&genres, 4.0)], 3);
        // Left are star, trek and space; "wars" and "war" stand once.
        assert_eq!(rows.n_columns(), 3);
        let row = |i| rows.row(i).collect::<Vec<_>>();
        for i in 0..3 {
            let squared: f64 = row(i).iter().map(|(_, x)| x * x).sum();
            assert!((squared - 1.0).abs() < 1e-6, "{squared}");
        }
        // Item 0 before the columns are divided: "star" 1, "space" 4. Sums: star 1 + 0.5^0.5
        // (item 1 has two words of equal weight), trek 0.5^0.5 + 1, space 4 + 4; their mean is
        // 3.804738, so that the ratio is 4 sqrt((1.707107 + mean) / (8 + mean)).
        let (star, space) = (row(0)[0].1, row(0)[1].1);
        assert!((space / star - 2.733_26).abs() < 1e-4, "{}", space / star);
        assert_eq!(row(2).len(), 1);
    }

    #[test]
    fn words_are_folded_and_counted() {
        let titles = text(&["Ame\u{301}lie, AMÉLIE!", "amelie"]);
        let rows = matrix(&[(&titles, 1.0)], 2);
        assert_eq!(rows.n_columns(), 1);
        let other = text(&["amelie poulain", "amelie", "poulain"]);
        assert_eq!(matrix(&[(&other, 1.0)], 3).n_columns(), 2);
    }
}
