//! Fold-in, exclusion and explanation, against a reference in plain loops and by properties.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use nearfield::build::{BuildOptions, build};
use nearfield::{
    Basis, Entry, Event, Fold, Index, Interaction, Kind, Limits, Metric, Ordinal, Past, Profile,
    Recommender, Request, SeededRng, Selector, Taste, TasteOptions,
};
use support::{catalog, open, options};

const N: usize = 300;
const DIM: usize = 12;

fn index(fold: Fold, alpha: f64, lambda: f64) -> Index {
    index_with(fold, alpha, lambda, None)
}

fn index_with(fold: Fold, alpha: f64, lambda: f64, lists: Option<usize>) -> Index {
    let metric = if fold == Fold::Ridge { Metric::Cosine } else { Metric::InnerProduct };
    let nu = if fold == Fold::Ials { 0.9 } else { 1.0 };
    let (table, vectors) = catalog(N, DIM, 4);
    let options = BuildOptions { fold, alpha, lambda, nu, lists, ..options(metric) };
    open(&build(&table, &vectors, &options).unwrap().bytes)
}

fn interaction(item: usize, kind: Kind, weight: Option<f64>) -> Interaction {
    Interaction {
        item: item.to_string(),
        kind,
        weight,
        source: None,
        taste: true,
        context: Vec::new(),
    }
}

fn entry(sequence: u64, event: Event) -> Entry {
    Entry { device: "d".into(), sequence, at_ms: 1e12 + sequence as f64, event }
}

/// A random history: weights of both signs, repeated items, unknown ones, two sources.
fn history(seed: u64, n: usize) -> Vec<Entry> {
    let mut rng = SeededRng::new(seed, 0);
    (0..n as u64)
        .map(|sequence| {
            let kinds = [Kind::Like, Kind::Play, Kind::Skip, Kind::Dislike, Kind::Impression];
            let mut i = interaction(rng.below(N + 10), kinds[rng.below(5)], None);
            if rng.below(3) == 0 {
                (i.kind, i.weight) = (Kind::Rating, Some(rng.normal() * 3.0));
            }
            i.source = [None, Some("party".into()), Some("home".into())][rng.below(3)].clone();
            entry(sequence, Event::Interaction(i))
        })
        .collect()
}

fn profile(entries: &[Entry]) -> Profile {
    let mut profile = Profile::default();
    entries.iter().for_each(|e| assert!(profile.append(e.clone()).unwrap()));
    profile
}

/// The fold-in without a clock.
fn folded(index: &Index, profile: &Profile) -> Option<Taste> {
    let past = Past::of(profile, index).unwrap();
    Taste::fold_in(index, &past, &TasteOptions::default()).unwrap()
}

/// The fold-in as its definition reads, in plain loops, solved by Gaussian elimination with
/// pivoting: no code shared with the engine but decoding. Items have a weight and a decay.
fn reference(index: &Index, items: &[(usize, f64, f64)]) -> Vec<f64> {
    let mut a = vec![vec![0.0; DIM + 1]; DIM];
    let mut x = vec![0.0; DIM];
    let (alpha, lambda) = (index.alpha(), index.lambda());
    let unobserved = match index.fold() {
        Fold::Implicit | Fold::SparkImplicit => 1.0,
        Fold::Ials => alpha,
        _ => 0.0,
    };
    for o in 0..N as u32 {
        index.decode(Ordinal(o), &mut x);
        (0..DIM).for_each(|r| (0..DIM).for_each(|c| a[r][c] += unobserved * x[r] * x[c]));
    }
    let (mut n, mut n_positive) = (0.0, 0.0);
    for (item, weight, decay) in items {
        let c = alpha * weight;
        index.decode(index.ordinal(&item.to_string()).unwrap().unwrap(), &mut x);
        let is_positive = f64::from(u8::from(*weight > 0.0));
        let (spread, pull) = match index.fold() {
            Fold::Ridge => (c.abs(), c),
            Fold::Implicit => (c.abs() - 1.0, c.max(0.0)),
            Fold::SparkImplicit => (c.abs(), is_positive * (1.0 + c)),
            Fold::SparkExplicit => (1.0, c),
            Fold::Ials => (weight.abs(), weight.max(0.0)),
        };
        for r in 0..DIM {
            (0..DIM).for_each(|c| a[r][c] += decay * spread * x[r] * x[c]);
            a[r][DIM] += decay * pull * x[r];
        }
        n += decay;
        n_positive += decay * is_positive;
    }
    let regularisation = match index.fold() {
        Fold::Ridge | Fold::Implicit => lambda,
        Fold::SparkImplicit => lambda * n_positive,
        Fold::SparkExplicit => lambda * n,
        Fold::Ials => lambda * libm::pow(n + alpha * N as f64, index.nu()),
    };
    (0..DIM).for_each(|j| a[j][j] += regularisation);
    for p in 0..DIM {
        let best = (p..DIM).max_by(|i, j| a[*i][p].abs().total_cmp(&a[*j][p].abs())).unwrap();
        a.swap(p, best);
        for r in (0..DIM).filter(|r| *r != p) {
            let f = a[r][p] / a[p][p];
            (p..=DIM).for_each(|c| a[r][c] -= f * a[p][c]);
        }
    }
    (0..DIM).map(|j| a[j][DIM] / a[j][j]).collect()
}

#[test]
fn fold_in_equals_its_definition() {
    for fold in Fold::ALL {
        // Several lists: histories are decoded from several centroids.
        let index = index_with(fold, 3.0, 0.7, Some(9));
        for seed in 0..20 {
            let mut rng = SeededRng::new(seed, 1);
            let mut items: Vec<usize> = (0..1 + rng.below(40)).map(|_| rng.below(N)).collect();
            items.sort_unstable();
            items.dedup();
            let weights: Vec<(usize, f64)> =
                items.iter().map(|i| (*i, rng.normal() * 2.0)).collect();
            // One half-life between an item and the next, where things fade at all.
            let fades = seed % 2 == 0;
            let entries: Vec<Entry> = (0..)
                .zip(&weights)
                .map(|(s, (i, w))| {
                    let event = Event::Interaction(interaction(*i, Kind::Rating, Some(*w)));
                    Entry { at_ms: 1e12 - s as f64 * 3.6e6, ..entry(s, event) }
                })
                .collect();
            let options = TasteOptions {
                now_ms: Some(1_000_000_000_000),
                half_lives: vec![(Kind::Rating, fades.then_some(1.0 / 24.0))],
                ..TasteOptions::default()
            };
            let profile = profile(&entries);
            let past = Past::of(&profile, &index).unwrap();
            let taste = Taste::fold_in(&index, &past, &options).unwrap().unwrap();
            let items: Vec<(usize, f64, f64)> = (0i32..)
                .zip(&weights)
                .map(|(s, (i, w))| (*i, *w, if fades { libm::exp2(-f64::from(s)) } else { 1.0 }))
                .collect();
            let expected = reference(&index, &items);
            let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            for (f, e) in taste.vector().iter().zip(&expected) {
                assert!((f - e).abs() <= 1e-9 * scale, "{fold:?} {f} {e}");
            }
        }
    }
}

#[test]
fn repeated_interactions_count_as_one_net_weight() {
    let index = index(Fold::Implicit, 2.0, 0.5);
    let taste = |weights: &[(Kind, f64)]| {
        let entries: Vec<Entry> = (0..)
            .zip(weights)
            .map(|(s, (kind, w))| entry(s, Event::Interaction(interaction(7, *kind, Some(*w)))))
            .collect();
        folded(&index, &profile(&entries)).map(|t| t.vector().to_vec())
    };
    let (play, rating) = (Kind::Play, Kind::Rating);
    assert_eq!(taste(&[(play, 1.0), (play, 2.0)]), taste(&[(play, 3.0)]), "deeds add up");
    assert_eq!(taste(&[(play, 2.5), (play, -2.5)]), None, "weights that cancel say nothing");
    assert_eq!(taste(&[(rating, 3.0), (rating, 5.0)]), taste(&[(rating, 5.0)]), "the last word");
    let mixed = [(Kind::Like, 1.0), (play, 0.5), (Kind::Dislike, -1.0)];
    assert_eq!(taste(&mixed), taste(&[(play, -0.5)]), "deeds and the last word");
    assert_eq!(taste(&[]), None);
}

#[test]
fn shares_add_up_to_the_score() {
    for fold in Fold::ALL {
        for seed in 0..10 {
            let mut nf = Recommender::new(index(fold, 4.0, 1.0));
            for e in history(seed, 60) {
                nf.record(e).unwrap();
            }
            let request = Request { k: 20, explain: 1000, parts: true, ..Request::default() };
            let slate = nf.recommend(&request).unwrap();
            assert_eq!(slate.basis, Basis::Taste);
            let parts = slate.parts.unwrap();
            assert_eq!(parts.names, ["taste", "prior"]);
            let rows = parts.values.chunks(2);
            for ((item, shares), row) in slate.items.iter().zip(&slate.because).zip(rows) {
                assert_eq!(row.iter().sum::<f64>(), item.score, "parts add up");
                let sum: f64 = shares.iter().map(|s| s.share).sum();
                let size: f64 = shares.iter().map(|s| s.share.abs()).sum();
                assert!((sum - row[0]).abs() <= 1e-9 * size, "{sum} {}", row[0]);
                assert!(shares.is_sorted_by(|a, b| a.share.abs() >= b.share.abs()));
            }
        }
    }
}

/// Everything a person sees, to the last bit.
fn everything(entries: &[Entry]) -> String {
    let mut nf = Recommender::new(index(Fold::Ridge, 4.0, 1.0));
    for e in entries {
        nf.record(e.clone()).unwrap();
    }
    let slate = nf.recommend(&Request { k: 50, explain: 5, ..Request::default() }).unwrap();
    let bits: Vec<u64> = slate.items.iter().map(|i| i.score.to_bits()).collect();
    format!("{slate:?} {bits:?}")
}

#[test]
fn exclusion_is_exact_retroactive_and_reversible() {
    let selector = Selector { source: Some("party".into()), ..Selector::default() };
    let is_party = |e: &Entry| matches!(&e.event, Event::Interaction(i) if i.source.as_deref() == Some("party"));
    for seed in 0..10 {
        let all = history(seed, 40);
        let exclude = |forget_seen| Event::Exclude { selector: selector.clone(), forget_seen };
        // Excluded before, between and after the interactions: time does not matter.
        for at in [0, 20, 40] {
            let with = |event: Event| {
                let mut entries = all.clone();
                entries.insert(at, Entry { sequence: 1000, ..entry(at as u64, event) });
                entries
            };
            // As if the same interactions had been recorded with `taste: false`.
            let untasted: Vec<Entry> = all
                .iter()
                .map(|e| match &e.event {
                    Event::Interaction(i) if is_party(e) => {
                        let event = Event::Interaction(Interaction { taste: false, ..i.clone() });
                        Entry { event, ..e.clone() }
                    }
                    _ => e.clone(),
                })
                .collect();
            assert_eq!(everything(&with(exclude(false))), everything(&untasted));
            // With forgetting: as if they had never been.
            let never: Vec<Entry> = all.iter().filter(|e| !is_party(e)).cloned().collect();
            assert_eq!(everything(&with(exclude(true))), everything(&never));
            // Taken back: as if nothing had been excluded.
            let mut entries = with(exclude(true));
            let include = Event::Include { selector: selector.clone() };
            entries.push(Entry { at_ms: 2e12, ..entry(2000, include) });
            assert_eq!(everything(&entries), everything(&all));
        }
    }
}

#[test]
fn exclusion_by_a_condition_is_exclusion_of_the_items_it_is_true_of() {
    let where_ = "genres has \"jazz\" or not year < 1990";
    for program in [where_.to_owned(), nearfield::Expr::read(where_).unwrap().to_json()] {
        let selector = Selector { where_: Some(program), ..Selector::default() };
        for seed in 0..5 {
            let all = history(seed, 40);
            let catalog = Recommender::new(index(Fold::Ridge, 4.0, 1.0));
            let selected = catalog.catalog().select(where_).unwrap();
            let is_selected = |e: &Entry| match &e.event {
                Event::Interaction(i) => {
                    let item = catalog.index().ordinal(&i.item).unwrap();
                    item.is_some_and(|item| selected.contains(item))
                }
                _ => false,
            };
            assert!(all.iter().any(is_selected) && !all.iter().all(is_selected));
            let mut with = all.clone();
            let exclude = Event::Exclude { selector: selector.clone(), forget_seen: true };
            with.insert(7, Entry { sequence: 1000, ..entry(7, exclude) });
            let never: Vec<Entry> = all.iter().filter(|e| !is_selected(e)).cloned().collect();
            assert_eq!(everything(&with), everything(&never));
            let include = Event::Include { selector: selector.clone() };
            with.push(Entry { at_ms: 2e12, ..entry(2000, include) });
            assert_eq!(everything(&with), everything(&all));
        }
    }
}

#[test]
fn an_exclusion_that_does_not_compile_is_refused_or_selects_nothing() {
    let exclude = |program: &str| {
        let selector = Selector { where_: Some(program.into()), ..Selector::default() };
        entry(0, Event::Exclude { selector, forget_seen: false })
    };
    let mut nf = Recommender::new(index(Fold::Ridge, 4.0, 1.0));
    // Kept answers of requests that may ask for history must not let an exclusion do so.
    let where_ = Some("not seen()".to_owned());
    let request = Request { where_, now_ms: Some(0), ..Request::default() };
    nf.recommend(&request).unwrap();
    for program in
        ["mood == \"blue\"", "not seen()", "released > age(\"3d\")", "year > $x", "year"]
    {
        let error = nf.record(exclude(program)).unwrap_err();
        assert_eq!(error.code().as_str(), "E_FILTER", "{program}");
        assert!(nf.profile().is_empty());
    }
    // A log that was written for another catalog.
    let like = entry(1, Event::Interaction(interaction(3, Kind::Like, None)));
    let with = profile(&[exclude("mood == \"blue\""), like.clone()]);
    let index = index(Fold::Ridge, 4.0, 1.0);
    let taste = |p: &Profile| folded(&index, p).unwrap().vector().to_vec();
    assert_eq!(taste(&with), taste(&profile(&[like])));
    assert!(Profile::default().append(exclude("mood ==")).is_err());
}

#[test]
fn a_kept_selection_is_never_an_old_one() {
    let mut nf = Recommender::new(index(Fold::Ridge, 4.0, 1.0));
    let mut rng = SeededRng::new(9, 0);
    let programs = [
        "seen()",
        "not seen(\"1h\")",
        "liked(\"2h\") or disliked()",
        "count(\"play\") >= $n",
        "year >= 1950 + $n",
        "released > age(\"9000d\")",
        "age(released) / 365 > 20",
    ];
    for i in 0..600 {
        match rng.below(40) {
            0 => nf.clear_profile(),
            1 => {
                let selector = Selector { where_: Some("explicit".into()), ..Selector::default() };
                let event = Event::Exclude { selector, forget_seen: true };
                nf.record(Entry { at_ms: 1e12, ..entry(i, event) }).unwrap();
            }
            2..10 => {
                let kind = Kind::ALL[rng.below(8)];
                let event =
                    Event::Interaction(interaction(rng.below(N), kind, Some(rng.normal())));
                let at_ms = 1e12 + rng.below(10_000_000) as f64;
                nf.record(Entry { at_ms, ..entry(i, event) }).unwrap();
            }
            _ => {}
        }
        let params = format!("{{\"n\": {}}}", rng.below(3));
        let limits = Limits {
            where_: Some(programs[rng.below(programs.len())]),
            params: Some(&params),
            now_ms: Some(1_000_000_000_000 + rng.below(8) as i64 * 3_000_000),
            ..Limits::default()
        };
        let kept = nf.select(&limits).unwrap();
        // The same in a recommender that has nothing to remember.
        let mut fresh = Recommender::new(index(Fold::Ridge, 4.0, 1.0));
        nf.profile().entries().for_each(|e| assert!(fresh.record(e.clone()).unwrap()));
        assert_eq!(kept, fresh.select(&limits).unwrap(), "{limits:?}");
    }
}

#[test]
fn logs_merge_in_any_order_and_any_number_of_times() {
    let mut a = history(1, 30);
    let b: Vec<Entry> =
        history(2, 30).into_iter().map(|e| Entry { device: "other".into(), ..e }).collect();
    a.extend(b.clone());
    let forward = profile(&a);
    let mut backward = Profile::default();
    for e in a.iter().rev().chain(&b) {
        backward.append(e.clone()).unwrap();
    }
    assert!(forward.entries().eq(backward.entries()));
    assert_eq!(forward.len(), 60);
}

#[test]
fn wrong_entries_are_named_and_change_nothing() {
    let mut profile = Profile::default();
    let like = interaction(1, Kind::Like, None);
    let with_weight = |w| Event::Interaction(interaction(1, Kind::Rating, Some(w)));
    let good = entry(0, Event::Interaction(like.clone()));
    for (wrong, path) in [
        (entry(0, with_weight(f64::NAN)), "weight"),
        (entry(0, with_weight(f64::INFINITY)), "weight"),
        (entry(0, Event::Interaction(interaction(1, Kind::Rating, None))), "weight"),
        (Entry { at_ms: f64::NAN, ..good.clone() }, "at"),
        (Entry { at_ms: 1e18, ..good.clone() }, "at"),
        (Entry { device: String::new(), ..good.clone() }, "device"),
        (entry(0, Event::Interaction(Interaction { item: "x".repeat(1025), ..like })), "item"),
        (entry(0, Event::Include { selector: Selector::default() }), "selector"),
    ] {
        let error = profile.append(wrong).unwrap_err();
        assert!(error.to_string().starts_with(&format!("{path}: ")), "{error}");
        assert!(profile.is_empty());
    }
    assert!(profile.append(good).unwrap());
}

#[test]
fn entries_read_and_write_as_json() {
    for e in history(3, 30) {
        let text = serde_json::to_string(&e).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), e);
    }
    let text = r#"{"device":"d","sequence":1,"at_ms":5,"event":{"type":"interaction","item":"a","kind":"lik"}}"#;
    let error = serde_json::from_str::<Entry>(text).unwrap_err().to_string();
    assert!(error.contains("kind: expected one of: play"), "{error}");
}

#[test]
fn nothing_known_means_by_prior() {
    let mut nf = Recommender::new(index(Fold::Ridge, 1.0, 1.0));
    let slate = nf.recommend(&Request { k: 5, explain: 2, ..Request::default() }).unwrap();
    assert_eq!(slate.basis, Basis::Prior);
    assert!(slate.items.is_sorted_by(|a, b| a.score >= b.score));
    let popularity = |item: Ordinal| {
        let id: usize = nf.index().id(item).unwrap().parse().unwrap();
        id * 7919 % 1009
    };
    let mut most: Vec<usize> = (0..N).map(|i| i * 7919 % 1009).collect();
    most.sort_unstable_by(|a, b| b.cmp(a));
    let found: Vec<usize> = slate.items.iter().map(|i| popularity(i.ordinal)).collect();
    assert_eq!(found, most[..5]);
    assert!(slate.because.is_empty());
    // Seen items stay away even when they say nothing about taste.
    let top = nf.index().id(slate.items[0].ordinal).unwrap().to_owned();
    let seen = Interaction { taste: false, ..Interaction::new(top, Kind::Play) };
    nf.record(entry(0, Event::Interaction(seen))).unwrap();
    let next = nf.recommend(&Request { k: 5, ..Request::default() }).unwrap();
    assert_eq!(next.items[0], slate.items[1]);
    let again = nf.recommend(&Request { k: 5, include_seen: true, ..Request::default() }).unwrap();
    assert_eq!(again.items, slate.items);
}
