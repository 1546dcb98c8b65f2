//! Weights between items, from a log to scores: they are stored where they help and only there, add
//! up, and nothing in a damaged file gets past them.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

use nearfield::build::interactions::{InteractionRow, Interactions};
use nearfield::build::neighbours::{NeighboursOptions, NeighboursReport};
use nearfield::build::{BuildOptions, Built, Embeddings, Table, build};
use nearfield::{
    AlignedBytes, Fold, Index, Metric, NeighbourScores, NeighboursKind, Ordinal, SeededRng,
    neighbour_shares,
};

const N_ITEMS: usize = 240;

/// Users named from `first` on, who like things in pairs (2 i, 2 i + 1) or anything at all.
fn log(first: usize, n_users: usize, in_pairs: bool, seed: u64) -> Interactions {
    let mut rng = SeededRng::new(seed, 0);
    let mut log = Interactions {
        users: (first..first + n_users).map(|u| format!("u{u}")).collect(),
        items: (0..N_ITEMS).map(|i| i.to_string()).collect(),
        ..Interactions::default()
    };
    for user in 0..n_users as u32 {
        for _ in 0..5 {
            let item = rng.below(N_ITEMS) as u32;
            let other = if in_pairs { item ^ 1 } else { rng.below(N_ITEMS) as u32 };
            for item in [item, other] {
                log.rows.push(InteractionRow { user, item, weight: 1.0, at_ms: None });
            }
        }
    }
    log
}

/// Vectors that know nothing of pairs.
fn built(neighbours: NeighboursOptions) -> Built {
    let mut rng = SeededRng::new(9, 9);
    let table = Table { ids: (0..N_ITEMS).map(|i| i.to_string()).collect(), columns: Vec::new() };
    let vectors =
        Embeddings { dim: 8, values: (0..8 * N_ITEMS).map(|_| rng.normal() as f32).collect() };
    let options = BuildOptions {
        metric: Metric::InnerProduct,
        fold: Fold::Implicit,
        alpha: 5.0,
        lambda: 5.0,
        neighbours: Some(neighbours),
        ..BuildOptions::default()
    };
    build(&table, &vectors, &options).unwrap()
}

fn open(bytes: &[u8]) -> Index {
    Index::open(AlignedBytes::copy_of(bytes).unwrap()).unwrap()
}

fn report(built: &Built) -> &NeighboursReport {
    built.report.neighbours.as_ref().unwrap()
}

#[test]
fn weights_are_stored_where_they_help_with_the_log_alone_or_a_validation_log() {
    for validation in [None, Some(log(1000, 150, true, 2))] {
        let held_out = validation.is_none();
        let train = log(0, 600, true, 1);
        let built = built(NeighboursOptions { train, validation, ..Default::default() });
        let report = report(&built);
        let best = report.curve.iter().find(|p| p.m == report.m).unwrap();
        assert!(report.beta > 0.0 && best.recall > 2.0 * report.fold_in_recall, "{report:?}");
        assert_eq!((report.held_out, report.n_seen, report.n_unknown), (held_out, 0, 0));
        let index = open(&built.bytes);
        index.verify().unwrap();
        let weights = index.neighbours().unwrap();
        assert_eq!(weights.beta(), report.beta);
        assert_eq!(weights.m() as usize, report.m);
        // The other of a pair is what an item speaks for most.
        let mut n_right = 0;
        for i in 0..N_ITEMS as u32 {
            let row = weights.row(Ordinal(i)).unwrap();
            let most = row.iter().map(Result::unwrap).max_by(|a, b| a.1.total_cmp(&b.1));
            let id: usize = index.id(Ordinal(i)).unwrap().parse().unwrap();
            let other = index.ordinal(&(id ^ 1).to_string()).unwrap();
            n_right += usize::from(most.map(|(target, _)| target) == other);
        }
        assert!(n_right > N_ITEMS * 9 / 10, "{n_right}");
    }
}

#[test]
fn weights_that_do_not_help_are_not_stored() {
    let built = built(NeighboursOptions { train: log(0, 600, false, 3), ..Default::default() });
    assert_eq!((report(&built).beta, report(&built).bytes_per_item), (0.0, 0.0));
    let index = open(&built.bytes);
    assert!(index.neighbours().is_none() && index.has_neighbours_arrived());
}

#[test]
fn what_is_asked_for_is_what_is_stored() {
    let built = built(NeighboursOptions {
        train: log(0, 300, false, 4),
        kind: Some(NeighboursKind::ItemKnn),
        regularisation: Some(7.0),
        m: Some(3),
        beta: Some(0.25),
        ..Default::default()
    });
    let index = open(&built.bytes);
    let weights = index.neighbours().unwrap();
    assert_eq!(weights.kind(), NeighboursKind::ItemKnn);
    assert_eq!((weights.beta(), weights.regularisation(), weights.m()), (0.25, 7.0, 3));
    assert!((0..N_ITEMS as u32).all(|i| weights.row(Ordinal(i)).unwrap().len() <= 3));
}

#[test]
fn validation_users_of_the_log_itself_are_left_out_and_counted() {
    let train = log(0, 300, true, 5);
    let validation = Some(log(280, 100, true, 6));
    let built =
        built(NeighboursOptions { train: train.clone(), validation, ..Default::default() });
    assert_eq!((report(&built).n_seen, report(&built).n_validation), (20, 80));
    let table = Table { ids: vec!["0".into(), "1".into()], columns: Vec::new() };
    let vectors = Embeddings { dim: 1, values: vec![1.0, 2.0] };
    let neighbours =
        Some(NeighboursOptions { validation: Some(train.clone()), train, ..Default::default() });
    let error = build(&table, &vectors, &BuildOptions { neighbours, ..Default::default() });
    let expected = "the validation log: expected users with two items of the catalog who are not \
                    in the training log, found none";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn shares_add_up_and_scores_forget_the_query_before() {
    let built = built(NeighboursOptions {
        train: log(0, 300, true, 7),
        beta: Some(1.0),
        ..Default::default()
    });
    let index = open(&built.bytes);
    let weights = index.neighbours().unwrap();
    let mut scores = NeighbourScores::default();
    let mut rng = SeededRng::new(8, 0);
    for _ in 0..20 {
        let mut draw = || (Ordinal(rng.below(N_ITEMS) as u32), rng.normal());
        let history: Vec<(Ordinal, f64)> = (0..6).map(|_| draw()).collect();
        scores.score(&weights, history.iter().copied()).unwrap();
        let mut n_touched = 0;
        for item in (0..N_ITEMS as u32).map(Ordinal) {
            let shares = neighbour_shares(&weights, history.iter().copied(), item).unwrap();
            assert_eq!(shares.iter().fold(0.0, |sum, s| sum + s), scores.of(item));
            n_touched += usize::from(shares.iter().any(|s| *s != 0.0));
        }
        assert_eq!(scores.touched().len(), n_touched);
    }
}

/// Random damage inside the section, its check made right again or not looked at: an error, or sums
/// that are finite.
#[test]
fn damaged_weights_give_errors_or_finite_sums() {
    let built = built(NeighboursOptions {
        train: log(0, 300, true, 10),
        beta: Some(1.0),
        ..Default::default()
    });
    let at = 64 + 32 * 7;
    let number = |at: usize| u64::from_le_bytes(built.bytes[at..at + 8].try_into().unwrap());
    let (start, length) = (number(at + 8) as usize, number(at + 16) as usize);
    let mut rng = SeededRng::new(11, 0);
    let (mut n_refused, mut n_failed, mut n_answered) = (0, 0, 0);
    for _ in 0..3000 {
        let mut bytes = built.bytes.clone();
        // The section's own numbers lie at its end: they are hit as often as its arrays.
        let within = if rng.below(2) == 0 { length } else { 120 };
        for _ in 0..1 + rng.below(3) {
            bytes[start + length - 1 - rng.below(within)] = rng.bits() as u8;
        }
        let Ok(index) = Index::open(AlignedBytes::copy_of(&bytes).unwrap()) else {
            n_refused += 1;
            continue;
        };
        let Some(weights) = index.neighbours() else { continue };
        let mut scores = NeighbourScores::default();
        let everything = (0..N_ITEMS as u32).map(|i| (Ordinal(i), 1.0));
        match scores.score(&weights, everything) {
            Err(error) => {
                assert_eq!(error.code().as_str(), "E_CORRUPT");
                assert!(scores.touched().is_empty());
                n_failed += 1;
            }
            Ok(()) => {
                assert!(scores.touched().iter().all(|item| scores.of(*item).is_finite()));
                n_answered += 1;
            }
        }
    }
    assert!(n_refused > 100 && n_failed > 100 && n_answered > 100, "{n_refused} {n_failed}");
}
