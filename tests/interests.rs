//! Interests, their labels, the summary of a taste, and the way out of the cold start.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use nearfield::build::{BuildOptions, ColumnValues, Embeddings, NamedColumn, Table, build};
use nearfield::{
    ColdStart, Entry, Event, Fold, HistoryItem, Index, Interaction, ItemSet, Kind, LabelValue,
    Metric, Ordinal, Past, Profile, SeededRng, SummaryColumns, Taste, TasteOptions, interests,
    summary,
};
use support::{GENRES, open};

const DIM: usize = 24;
/// Item `i` is of genre `i % 6`, and genres lie far apart.
const N: usize = 240;

/// A catalog of six genres, each around a direction of its own; prior falls with the id.
fn index(fold: Fold, metric: Metric) -> Index {
    let mut rng = SeededRng::new(21, 0);
    let centres: Vec<f64> = (0..6 * DIM).map(|_| rng.normal()).collect();
    let mut values = Vec::new();
    for i in 0..N {
        let centre = &centres[i % 6 * DIM..][..DIM];
        values.extend(centre.iter().map(|c| (c + 0.35 * rng.normal()) as f32));
    }
    let column = |name: &str, values| NamedColumn { name: name.into(), values };
    let genres = (0..N).map(|i| {
        let mut tags = vec![GENRES[i % 6].to_owned()];
        tags.extend((i % 4 == 0).then(|| "live".to_owned()));
        Some(tags)
    });
    let columns = vec![
        column("genres", ColumnValues::Tags(genres.collect())),
        column(
            "year",
            ColumnValues::Integer((0..N).map(|i| Some(1950 + (i % 6) as i64 * 10)).collect()),
        ),
        column("released", ColumnValues::Date((0..N).map(|i| Some(i as i64 * 30)).collect())),
        column("plays", ColumnValues::Integer((0..N).map(|i| Some((N - i) as i64)).collect())),
        column("live", ColumnValues::Flag((0..N).map(|i| Some(i % 4 == 0)).collect())),
        column("note", ColumnValues::Text((0..N).map(|i| Some(i.to_string())).collect())),
    ];
    let table = Table { ids: (0..N).map(|i| i.to_string()).collect(), columns };
    let vectors = Embeddings { dim: DIM, values };
    let prior = Some("plays".into());
    let options = BuildOptions { fold, metric, alpha: 2.0, prior, ..BuildOptions::default() };
    open(&build(&table, &vectors, &options).unwrap().bytes)
}

fn ordinal(index: &Index, item: usize) -> Ordinal {
    index.ordinal(&item.to_string()).unwrap().unwrap()
}

fn number(index: &Index, item: Ordinal) -> usize {
    index.id(item).unwrap().parse().unwrap()
}

/// Items liked one after the other, an hour apart.
fn taste(index: &Index, items: &[usize]) -> Option<Taste> {
    let mut profile = Profile::default();
    for (sequence, item) in (0..).zip(items) {
        let interaction = Interaction {
            item: item.to_string(),
            kind: Kind::Like,
            weight: None,
            source: None,
            taste: true,
            context: Vec::new(),
        };
        let event = Event::Interaction(interaction);
        let at_ms = 1e12 + sequence as f64 * 3.6e6;
        profile.append(Entry { device: "d".into(), sequence, at_ms, event }).unwrap();
    }
    let past = Past::of(&profile, index).unwrap();
    Taste::fold_in(index, &past, &TasteOptions::default()).unwrap()
}

fn history(index: &Index, items: &[usize]) -> Vec<HistoryItem> {
    taste(index, items).map(|t| t.history().to_vec()).unwrap_or_default()
}

/// `n` items of each of these genres.
fn of_genres(genres: &[usize], n: usize) -> Vec<usize> {
    (0..n).flat_map(|i| genres.iter().map(move |g| 6 * (2 * i + 1) + g)).collect()
}

#[test]
fn interests_are_the_groups_that_stand_apart() {
    for metric in [Metric::Cosine, Metric::InnerProduct, Metric::Euclidean] {
        let index = index(Fold::Ridge, metric);
        for genres in [&[2][..], &[0, 3], &[1, 2, 5], &[0, 1, 2, 3, 4, 5]] {
            for n in [4, 9, 19] {
                let liked = of_genres(genres, n);
                let found = interests(&index, &history(&index, &liked), None, &["genres", "year"]);
                let found = found.unwrap();
                assert_eq!(found.len(), genres.len(), "{metric:?} {genres:?} {n}");
                for interest in &found {
                    let genre = number(&index, interest.medoid) % 6;
                    assert!(genres.contains(&genre));
                    assert_eq!(interest.importance, n as f64);
                    let expected: Vec<usize> =
                        liked.iter().copied().filter(|i| i % 6 == genre).collect();
                    let members: Vec<usize> =
                        interest.members.iter().map(|m| number(&index, *m)).collect();
                    assert_eq!(members, expected);
                    // What it searches with is the fold-in of its members alone.
                    assert_eq!(interest.vector, taste(&index, &expected).unwrap().vector());
                    let labels: Vec<String> = interest
                        .labels
                        .iter()
                        .map(|l| match &l.value {
                            LabelValue::Text(text) => format!("{} {text}", l.column),
                            LabelValue::Decade(year) => format!("{} {year}s", l.column),
                        })
                        .collect();
                    assert_eq!(labels[0], format!("genres {}", GENRES[genre]));
                    assert_eq!(labels[labels.len() - 1], format!("year {}s", 1950 + 10 * genre));
                }
            }
        }
    }
}

#[test]
fn a_number_of_interests_can_be_asked_for() {
    let index = index(Fold::Ridge, Metric::Cosine);
    let history = history(&index, &of_genres(&[0, 1, 2], 5));
    for (asked, n) in [(1, 1), (2, 2), (7, 7), (15, 15), (99, 15)] {
        let found = interests(&index, &history, Some(asked), &[]).unwrap();
        assert_eq!(found.len(), n);
        assert!(found.is_sorted_by(|a, b| a.importance >= b.importance));
        let total: f64 = found.iter().map(|i| i.importance).sum();
        assert_eq!(total, 15.0);
        assert_eq!(found.iter().map(|i| i.members.len()).sum::<usize>(), 15);
    }
    assert!(interests(&index, &[], None, &["genres"]).unwrap().is_empty());
    let disliked = [HistoryItem { weight: -1.0, ..history[0] }];
    assert!(interests(&index, &disliked, None, &[]).unwrap().is_empty());
    for column in ["note", "live", "mood"] {
        assert!(interests(&index, &history, None, &[column]).is_err(), "{column}");
    }
    // The medoid has the smallest sum of distances.
    let all = &interests(&index, &history, Some(1), &[]).unwrap()[0];
    let unit = |item: Ordinal| {
        let mut x = vec![0.0; DIM];
        index.decode(item, &mut x);
        let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        x.into_iter().map(|x| x / length).collect::<Vec<f64>>()
    };
    let sum = |a: Ordinal| -> f64 {
        all.members
            .iter()
            .map(|b| {
                unit(a).iter().zip(unit(*b)).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
            })
            .sum()
    };
    assert!(all.members.iter().all(|m| sum(all.medoid) <= sum(*m) + 1e-9));
}

#[test]
fn of_a_long_history_the_latest_are_clustered() {
    let index = index(Fold::Ridge, Metric::Cosine);
    let item = |i: usize| HistoryItem {
        item: Ordinal((i % N) as u32),
        kind: Kind::Like,
        at_ms: i as i64,
        weight: 1.0,
        decay: 1.0,
        n_interactions: 1,
    };
    let long: Vec<HistoryItem> = (0..1200).map(item).collect();
    let found = interests(&index, &long, Some(1), &[]).unwrap();
    let expected: Vec<Ordinal> = long[1200 - 128..].iter().map(|h| h.item).collect();
    assert_eq!(found[0].members, expected);
}

#[test]
fn a_summary_says_what_the_history_holds() {
    let index = index(Fold::Ridge, Metric::Cosine);
    let columns =
        SummaryColumns { mix: Some("genres"), age: Some("released"), labels: &["genres"] };
    let of = |items: &[usize]| summary(&index, &history(&index, items), &columns).unwrap();

    let empty = of(&[]);
    assert!(empty.interests.is_empty() && empty.mix.is_empty());
    assert_eq!((empty.exploring, empty.niche), (None, None));
    assert_eq!((empty.new, empty.varied), (None, None));

    // 1 and 7 are blues, 4 and 8 live too.
    let found = of(&[1, 7, 4, 8]);
    let mix = [("jazz", 0.5), ("live", 0.25), ("rock", 0.125), ("soul", 0.125)];
    assert_eq!(found.mix, mix.map(|(name, share)| (name.to_owned(), share)));
    let (niche, new) = (found.niche.unwrap(), found.new.unwrap());
    assert!((niche.value - (1.5 + 7.5 + 4.5 + 8.5) / 4.0 / N as f64).abs() < 1e-12);
    assert!((niche.measured - (N as f64 - 5.0)).abs() < 1e-12);
    assert!((new.value - 5.5 / N as f64).abs() < 1e-12);
    assert_eq!((new.measured, new.n_items), (150.0, 4));

    // Axes point the right way.
    let one_genre = of(&of_genres(&[2], 12));
    let six = of(&of_genres(&[0, 1, 2, 3, 4, 5], 4));
    assert!(one_genre.varied.unwrap().value < 0.25 && six.varied.unwrap().value > 0.7);
    let turned: Vec<usize> = of_genres(&[0], 9).into_iter().chain(of_genres(&[3], 3)).collect();
    assert!(of(&turned).exploring.unwrap().value > 0.7);
    assert!(one_genre.exploring.unwrap().value < 0.25);
    assert!(of(&[239, 238]).niche.unwrap().value > 0.98);
    assert!(of(&[239, 238]).new.unwrap().value > 0.98);
    assert!(of(&[0, 1]).niche.unwrap().value < 0.02);
    assert_eq!(of(&[5]).varied, None);
    assert_eq!(of(&[5, 6, 7]).exploring, None);

    // The mean cosine of pairs, the plain way.
    let (liked, mut sum) = ([3usize, 50, 77, 120], 0.0);
    let unit = |item: usize| {
        let mut x = vec![0.0; DIM];
        index.decode(ordinal(&index, item), &mut x);
        let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        x.into_iter().map(|x| x / length).collect::<Vec<f64>>()
    };
    for a in liked {
        for b in liked.into_iter().filter(|b| *b != a) {
            sum += unit(a).iter().zip(unit(b)).map(|(a, b)| a * b).sum::<f64>() / 12.0;
        }
    }
    assert!((of(&liked).varied.unwrap().measured - sum).abs() < 1e-9);

    let flag = SummaryColumns { mix: Some("live"), ..SummaryColumns::default() };
    let found = summary(&index, &history(&index, &[1, 7, 4, 3]), &flag).unwrap();
    assert_eq!(found.mix, [("false".to_owned(), 0.75), ("true".to_owned(), 0.25)]);
    assert_eq!(found.new, None);
    for wrong in [
        SummaryColumns { mix: Some("year"), ..SummaryColumns::default() },
        SummaryColumns { age: Some("genres"), ..SummaryColumns::default() },
        SummaryColumns { labels: &["mood"], ..SummaryColumns::default() },
    ] {
        assert!(summary(&index, &history(&index, &[1]), &wrong).is_err());
    }
}

#[test]
fn trust_in_the_taste_grows_with_what_is_known() {
    for fold in Fold::ALL {
        let metric = if fold == Fold::Ridge { Metric::Cosine } else { Metric::InnerProduct };
        let index = index(fold, metric);
        let cold = ColdStart::new(&index).unwrap();
        let of_genre = |genre: usize| -> Vec<Ordinal> {
            (0..N).filter(|i| i % 6 == genre).map(|i| ordinal(&index, i)).collect()
        };
        let crossing = |n: usize, genre: usize| {
            let taste = taste(&index, &of_genres(&[2], n));
            cold.crossing(&index, taste.as_ref(), &of_genre(genre))
        };
        let weights: Vec<f64> = [0, 1, 2, 4, 8, 16].map(|n| crossing(n, 2)).to_vec();
        assert_eq!(weights[0], 0.0);
        assert!(weights.is_sorted_by(|a, b| a < b), "{fold:?} {weights:?}");
        assert!(weights[5] < 1.0);
        // Of another genre less is known.
        assert!(crossing(8, 5) < crossing(8, 2), "{fold:?}");
        assert_eq!(cold.crossing(&index, taste(&index, &[1]).as_ref(), &[]), 0.0);
    }
}

#[test]
fn few_questions_tell_the_most() {
    for fold in Fold::ALL {
        let metric = if fold == Fold::Ridge { Metric::Cosine } else { Metric::InnerProduct };
        let index = index(fold, metric);
        let cold = ColdStart::new(&index).unwrap();
        let all = ItemSet::full(N);
        let asked = cold.informative(&index, None, &all, 6, 1).unwrap();
        assert_eq!(asked.len(), 6);
        if fold == Fold::Ridge {
            // One of each genre, and well known.
            let mut genres: Vec<usize> = asked.iter().map(|o| number(&index, *o) % 6).collect();
            genres.sort_unstable();
            assert_eq!(genres, [0, 1, 2, 3, 4, 5]);
            assert!(asked.iter().all(|o| number(&index, *o) < N / 4));
        }
        // What was answered is not asked about again: its direction is known.
        let known = taste(&index, &of_genres(&[0, 1, 2], 8)).unwrap();
        let next = cold.informative(&index, Some(&known), &all, 3, 1).unwrap();
        if fold == Fold::Ridge {
            assert!(next.iter().all(|o| number(&index, *o) % 6 > 2), "{fold:?} {next:?}");
        }
        let few = ItemSet::from_fn(N, |i| i < 3);
        let asked = cold.informative(&index, None, &few, 10, 1).unwrap();
        assert_eq!(asked.len(), 3);
        assert!(asked.iter().all(|o| few.contains(*o)));
        assert!(cold.informative(&index, None, &ItemSet::empty(N), 10, 1).unwrap().is_empty());
    }
}
