//! Search against brute force: every metric, backend, selectivity and ugly size.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use nearfield::build::{BuildOptions, Embeddings, Table};
use nearfield::eval::synthetic::Generator;
use nearfield::{
    Backend, Effort, Index, ItemSet, Metric, Ordinal, Query, Scored, Searcher, SeededRng,
};
use support::{archive, brute_force, open};

/// Queries like the items, and some like none of them.
fn queries(index: &Index, n: usize) -> Vec<Query> {
    let mut rng = SeededRng::new(99, 0);
    (0..n)
        .map(|i| match i % 2 {
            0 => Query::item(index, Ordinal(rng.below(index.len()) as u32)).unwrap(),
            _ => {
                let vector: Vec<f32> = (0..index.dim()).map(|_| rng.normal() as f32).collect();
                Query::new(index, &vector).unwrap()
            }
        })
        .collect()
}

/// The share of `expected` that was found, after checking that what was found is well formed:
/// as many items, in order, each with its true score.
fn share_found(
    index: &Index,
    query: &Query,
    found: &[Scored],
    expected: &[Scored],
    what: &str,
) -> f64 {
    assert_eq!(found.len(), expected.len(), "{what}");
    for f in found {
        let mut only = ItemSet::empty(index.len());
        only.insert(f.ordinal);
        let truth = brute_force(index, query.vector(), index.metric(), 1, &only)[0];
        assert!(
            (f.score - truth.score).abs() <= 1e-12 * truth.score.abs().max(1.0),
            "{what}: {f:?}"
        );
    }
    assert!(found.windows(2).all(|w| w[0].cmp_best_first(&w[1]).is_lt()), "{what}: order");
    if expected.is_empty() {
        return 1.0;
    }
    // Neighbours whose scores agree to rounding may stand in for each other.
    let least = expected.last().map_or(0.0, |e| e.score - 1e-12 * e.score.abs().max(1.0));
    found.iter().filter(|f| f.score >= least).count() as f64 / expected.len().max(1) as f64
}

#[test]
fn equals_brute_force_over_decoded_vectors() {
    for metric in Metric::ALL {
        for (n, dim) in [(1, 3), (31, 2), (33, 7), (500, 24), (2000, 65)] {
            let index = open(&archive(n, dim, metric));
            let all = ItemSet::full(n);
            let mut searcher = Searcher::new();
            for k in [1, 10, 300, n + 5] {
                let what = format!("{metric:?} {n} x {dim}, k = {k}");
                let queries = queries(&index, 40);
                let shares = queries.iter().map(|query| {
                    let expected = brute_force(&index, query.vector(), metric, k, &all);
                    let found = searcher.search(&index, query, k, &all, Effort::Exhaustive);
                    share_found(&index, query, found, &expected, &what)
                });
                let share = shares.sum::<f64>() / queries.len() as f64;
                // Few items are all decoded; of many, prefixes say which. The margin is made to
                // keep 0.996 of the best.
                let least = if n <= 200 || k >= n { 1.0 } else { 0.97 };
                assert!(share >= least, "{what}: {share}");
            }
        }
    }
}

/// A search of everything leaves out blocks by the share of their radius that the nearest items of a sample
/// used; one behind a filter, only what holds nothing better for sure. All but an item that is no neighbour
/// pass this filter, so both answer the same, but for the one neighbour in two thousand that the measured
/// share may lose.
#[test]
fn a_search_of_everything_loses_next_to_nothing_to_radii() {
    for metric in Metric::ALL {
        let index = open(&archive(8000, 16, metric));
        assert!(index.lists().len() > 1);
        let all = ItemSet::full(index.len());
        let mut searcher = Searcher::new();
        let (mut n_lost, mut n) = (0, 0);
        for query in queries(&index, 400) {
            let found = searcher.search(&index, &query, 10, &all, Effort::Exhaustive).to_vec();
            let farthest = brute_force(&index, query.vector(), metric, index.len(), &all);
            let mut allowed = all.clone();
            allowed.remove(farthest[index.len() - 1].ordinal);
            let sure = searcher.search(&index, &query, 10, &allowed, Effort::Exhaustive);
            n += sure.len();
            n_lost += sure.iter().filter(|s| !found.contains(s)).count();
        }
        // Twice as many as expected: three standard deviations of so few.
        assert!(n_lost * 1000 <= n, "{metric:?}: {n_lost} of {n}");
    }
}

/// How many lists hold longer answers than the builder measured is not known: then all are looked at.
#[test]
fn answers_longer_than_measured_are_those_of_everything() {
    for metric in Metric::ALL {
        let index = open(&archive(5000, 8, metric));
        let all = ItemSet::full(index.len());
        let mut searcher = Searcher::new();
        for query in queries(&index, 20) {
            let usual = searcher.search(&index, &query, 1200, &all, Effort::Usual).to_vec();
            let expected = searcher.search(&index, &query, 1200, &all, Effort::Exhaustive);
            assert_eq!(usual.len(), 1200, "{metric:?}");
            assert_eq!(usual, expected, "{metric:?}");
        }
    }
}

#[test]
fn is_never_under_filled_at_any_selectivity() {
    let n = 3000;
    for metric in Metric::ALL {
        // Lists are whole blocks: those that would have less than one do not stay, so more are asked for.
        for (asked, lists) in [(1, 1), (120, 60)] {
            let index = open(&support::archive_with(n, 16, metric, asked));
            assert!(index.lists().len() >= lists);
            let mut searcher = Searcher::new();
            let mut rng = SeededRng::new(5, 0);
            let (mut shares, mut unfiltered) = (Vec::new(), Vec::new());
            for query in queries(&index, 12) {
                // The items that lie farthest from the query, and random ones.
                let far = brute_force(&index, query.vector(), metric, n, &ItemSet::full(n));
                for qualifying in [0, 1, 3, 30, 300, 1500, n] {
                    let mut farthest = ItemSet::empty(n);
                    far.iter().rev().take(qualifying).for_each(|s| farthest.insert(s.ordinal));
                    let share = qualifying as f64 / n as f64;
                    let random = ItemSet::from_fn(n, |_| rng.uniform() < share);
                    for allowed in [farthest, random] {
                        let what = format!("{metric:?}, {lists} lists, {qualifying} qualify");
                        let expected = brute_force(&index, query.vector(), metric, 10, &allowed);
                        let found = searcher.search(&index, &query, 10, &allowed, Effort::Usual);
                        assert!(found.iter().all(|s| allowed.contains(s.ordinal)));
                        let share = share_found(&index, &query, found, &expected, &what);
                        if qualifying == n { &mut unfiltered } else { &mut shares }.push(share);
                    }
                }
            }
            let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
            let (shares, unfiltered) = (mean(&shares), mean(&unfiltered));
            assert!(shares >= unfiltered - 0.01, "{metric:?}, {lists}: {shares} {unfiltered}");
        }
    }
}

#[test]
fn filters_that_take_away_what_is_near_lose_nothing() {
    // Only the items that lie farthest from the query qualify. Near the query, where lists and blocks
    // are chosen, that leaves a little, or nothing, or (under inner product, where blocks of long vectors
    // promise much) more than elsewhere.
    let (n, dim) = (12_000, 16);
    for (generator, metric) in [
        (Generator::ClusteredV1, Metric::Cosine),
        (Generator::ClusteredV1, Metric::Euclidean),
        (Generator::LongtailV1, Metric::InnerProduct),
    ] {
        let vectors = Embeddings { dim, values: generator.base(n, dim, 5) };
        let table = Table { ids: (0..n).map(|i| i.to_string()).collect(), columns: Vec::new() };
        let options = BuildOptions { metric, ..BuildOptions::default() };
        let index = open(&nearfield::build::build(&table, &vectors, &options).unwrap().bytes);
        assert!(index.lists().len() > 8);
        let mut searcher = Searcher::new();
        let asked = queries(&index, 30);
        let mut unfiltered = 1.0;
        for qualifying in [n, 100, 250, 400, 1200, 6000, 10_800, 11_700, 11_880] {
            let shares = asked.iter().map(|query| {
                let all = brute_force(&index, query.vector(), metric, n, &ItemSet::full(n));
                let mut allowed = ItemSet::empty(n);
                all.iter().rev().take(qualifying).for_each(|s| allowed.insert(s.ordinal));
                let expected = &all[n - qualifying..][..10];
                let found = searcher.search(&index, query, 10, &allowed, Effort::Usual);
                share_found(&index, query, found, expected, &format!("{metric:?} {qualifying}"))
            });
            let share = shares.sum::<f64>() / asked.len() as f64;
            if qualifying == n {
                unfiltered = share;
            }
            let what = format!("{metric:?}, {qualifying} qualify");
            assert!(share >= unfiltered - 0.02, "{what}: {share}, {unfiltered} of all");
        }
    }
}

#[test]
fn several_queries_in_one_pass_find_what_each_finds_alone() {
    for metric in Metric::ALL {
        let index = open(&support::archive_with(3000, 24, metric, 50));
        let allowed = ItemSet::from_fn(index.len(), |i| i % 3 != 0);
        let queries = queries(&index, 5);
        for effort in [Effort::Usual, Effort::Recall(0.8), Effort::Exhaustive] {
            let mut together = Vec::new();
            let mut searcher = Searcher::new();
            searcher.search_many(&index, &queries, 7, &allowed, effort, |i, found| {
                assert_eq!(i, together.len());
                together.push(found.to_vec());
            });
            for (query, found) in queries.iter().zip(together) {
                assert_eq!(searcher.search(&index, query, 7, &allowed, effort), found);
            }
        }
    }
}

#[test]
fn every_backend_gives_the_same_bits() {
    for metric in Metric::ALL {
        let index = open(&archive(1000, 50, metric));
        let all = ItemSet::full(1000);
        for query in queries(&index, 50) {
            let answer = |b| {
                Searcher::with_backend(b).search(&index, &query, 20, &all, Effort::Usual).to_vec()
            };
            let expected = answer(Backend::Scalar);
            for backend in Backend::available() {
                assert_eq!(answer(backend), expected, "{metric:?} {backend:?}");
            }
        }
    }
}

#[test]
fn codes_are_close_to_the_vectors_they_stand_for() {
    // ann_recall@10 against the float vectors, not the decoded ones. With 8 bits a dimension the
    // error is about 0.7 % of a vector's length; 0.97 leaves room for neighbours that are closer
    // to each other than that.
    let (n, dim) = (5000, 64);
    let (table, vectors) = support::catalog(n, dim, 1);
    for metric in Metric::ALL {
        // With one list, everything is looked at.
        let options =
            nearfield::build::BuildOptions { lists: Some(1), ..support::options(metric) };
        let built = nearfield::build::build(&table, &vectors, &options).unwrap();
        // Six bits, if they suffice.
        assert!(built.report.relative_error < 0.03, "{}", built.report.relative_error);
        let index = open(&built.bytes);
        let rows: Vec<&[f32]> = vectors.values.chunks_exact(dim).collect();
        let length = |v: &[f32]| v.iter().map(|x| f64::from(*x).powi2_exact()).sum::<f64>().sqrt();
        let mut hits = 0;
        let mut rng = SeededRng::new(3, 0);
        for _ in 0..100 {
            let q = rows[rng.below(n)];
            let mut exact: Vec<Scored> = (0..n)
                .map(|i| {
                    let dot: f64 =
                        q.iter().zip(rows[i]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    let score = match metric {
                        Metric::InnerProduct => dot,
                        Metric::Cosine => dot / length(rows[i]),
                        Metric::Euclidean => 2.0 * dot - length(rows[i]) * length(rows[i]),
                    };
                    Scored { ordinal: Ordinal(i as u32), score }
                })
                .collect();
            exact.sort_by(Scored::cmp_best_first);
            let query = Query::new(&index, q).unwrap();
            let mut searcher = Searcher::new();
            let found = searcher.search(&index, &query, 10, &ItemSet::full(n), Effort::Usual);
            // Ids are rows; ordinals are places in the archive.
            let row = |f: &Scored| index.id(f.ordinal).unwrap().parse::<usize>().unwrap();
            hits += found
                .iter()
                .filter(|f| exact[..10].iter().any(|e| e.ordinal.index() == row(f)))
                .count();
        }
        assert!(hits >= 970, "{metric:?}: {hits} of 1000");
    }
}

/// Squares without `powi`, whose rounding is unspecified.
trait Square {
    fn powi2_exact(self) -> f64;
}
impl Square for f64 {
    fn powi2_exact(self) -> f64 {
        self * self
    }
}

#[test]
fn wrong_queries_are_named() {
    let index = open(&archive(50, 4, Metric::Cosine));
    for (vector, path) in [
        (vec![1.0; 3], "vector"),
        (vec![0.0; 4], "vector"),
        (vec![1.0, f32::NAN, 0.0, 0.0], "vector[1]"),
        (vec![1.0, 0.0, f32::INFINITY, 0.0], "vector[2]"),
        (vec![1.0, 0.0, 0.0, 1e30], "vector[3]"),
    ] {
        let error = Query::new(&index, &vector).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{path}: ")), "{error}");
        assert_eq!(error.code().as_str(), "E_ARG");
    }
    assert!(Query::item(&index, Ordinal(50)).is_err());
}
