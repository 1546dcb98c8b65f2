//! What integration tests share: a seeded catalog with every kind of column, and the reference
//! that answers are compared with.

#![allow(dead_code, reason = "each test uses a part")]

pub mod rows;

use nearfield::build::{BuildOptions, ColumnValues, Embeddings, NamedColumn, Table, build};
use nearfield::{AlignedBytes, Index, ItemSet, Metric, Ordinal, Scored, SeededRng};

pub const GENRES: [&str; 6] = ["blues", "jazz", "rock", "folk", "soul", "ambient"];

/// A catalog of `n` items with ids "0", "1", ... and clustered vectors.
pub fn catalog(n: usize, dim: usize, seed: u64) -> (Table, Embeddings) {
    let mut rng = SeededRng::new(seed, 0);
    let n_clusters = 1 + n / 20;
    let centers: Vec<f64> = (0..n_clusters * dim).map(|_| rng.normal()).collect();
    let mut values = Vec::with_capacity(n * dim);
    for _ in 0..n {
        let center = rng.below(n_clusters);
        let spread = 0.2 + 0.6 * rng.uniform();
        values
            .extend((0..dim).map(|j| (centers[center * dim + j] + spread * rng.normal()) as f32));
    }
    let mut present = |share: f64| rng.uniform() < share;
    let years: Vec<Option<i64>> =
        (0..n).map(|i| present(0.9).then_some(1940 + (i * 37 % 80) as i64)).collect();
    let ratings = (0..n).map(|i| present(0.8).then_some((i * 13 % 101) as f64 / 10.0)).collect();
    let flags = (0..n).map(|i| present(0.95).then_some(i % 3 == 0)).collect();
    let labels = (0..n).map(|i| present(0.9).then(|| format!("label {}", i * 7 % 11))).collect();
    let days = (0..n).map(|i| present(0.9).then_some(i as i64 * 97 - 10_000)).collect();
    let floats = (0..n).map(|i| present(0.9).then_some(((i * 31 % 97) as f64).sqrt())).collect();
    let tags = (0..n)
        .map(|i| {
            present(0.95).then(|| {
                (0..i % 4).map(|t| GENRES[(i * 5 + t * 3) % GENRES.len()].to_owned()).collect()
            })
        })
        .collect();
    let words = ["Blue", "Train", "Kind", "of", "Amélie", "Night", "Ocean's", "Miles", "Dawn"];
    let titles = (0..n)
        .map(|i| {
            let word = |k: usize| words[(i * k + i / 9) % words.len()];
            Some(format!("{} {} {i}", word(3), word(7)))
        })
        .collect();
    let popularity = (0..n).map(|i| Some((i * 7919 % 1009) as i64)).collect();
    let column = |name: &str, values| NamedColumn { name: name.into(), values };
    let columns = vec![
        column("title", ColumnValues::Text(titles)),
        column("year", ColumnValues::Integer(years)),
        column("rating", ColumnValues::Real(ratings)),
        column("explicit", ColumnValues::Flag(flags)),
        column("label", ColumnValues::Category(labels)),
        column("released", ColumnValues::Date(days)),
        column("energy", ColumnValues::Real(floats)),
        column("genres", ColumnValues::Tags(tags)),
        column("popularity", ColumnValues::Integer(popularity)),
    ];
    (Table { ids: (0..n).map(|i| i.to_string()).collect(), columns }, Embeddings { dim, values })
}

/// Options with titles and prior for [`catalog`].
pub fn options(metric: Metric) -> BuildOptions {
    BuildOptions {
        metric,
        title: Some("title".into()),
        prior: Some("popularity".into()),
        ..BuildOptions::default()
    }
}

/// The archive of a [`catalog`].
pub fn archive(n: usize, dim: usize, metric: Metric) -> Vec<u8> {
    let (table, vectors) = catalog(n, dim, 1);
    build(&table, &vectors, &options(metric)).unwrap().bytes
}

/// The same with inverted lists: about `lists` of them.
pub fn archive_with(n: usize, dim: usize, metric: Metric, lists: usize) -> Vec<u8> {
    let (table, vectors) = catalog(n, dim, 1);
    let options = BuildOptions { lists: Some(lists), ..options(metric) };
    build(&table, &vectors, &options).unwrap().bytes
}

pub fn open(bytes: &[u8]) -> Index {
    Index::open(AlignedBytes::copy_of(bytes).unwrap()).unwrap()
}

/// The best `k` allowed items by comparing everything with everything, in plain f64.
///
/// `query` is rotated already and, under cosine, of length 1. Summation order differs from the
/// engine's, so scores agree to rounding only.
pub fn brute_force(
    index: &Index,
    query: &[f64],
    metric: Metric,
    k: usize,
    allowed: &ItemSet,
) -> Vec<Scored> {
    let mut x = vec![0.0; index.dim()];
    let mut scored: Vec<Scored> = (0..index.len() as u32)
        .map(Ordinal)
        .filter(|o| allowed.contains(*o))
        .map(|ordinal| {
            index.decode(ordinal, &mut x);
            let dot: f64 = query.iter().zip(&x).map(|(q, x)| q * x).sum();
            let score = match metric {
                Metric::InnerProduct => dot,
                Metric::Cosine => dot.clamp(-1.0, 1.0),
                Metric::Euclidean => {
                    -query.iter().zip(&x).map(|(q, x)| (q - x) * (q - x)).sum::<f64>().sqrt()
                }
            };
            Scored { ordinal, score }
        })
        .collect();
    scored.sort_by(Scored::cmp_best_first);
    scored.truncate(k);
    scored
}
