//! What counts in a fold-in, and how much: decay, windows, context, and the posterior they leave.

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
    Entry, Event, Fold, Index, Interaction, Kind, Metric, Ordinal, Past, Profile, SeededRng,
    Taste, TasteOptions, Window,
};
use support::{catalog, open, options};

const N: usize = 200;
const DIM: usize = 10;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const NOW: i64 = 1_700_000_000_000;

fn index(fold: Fold) -> Index {
    let metric = if fold == Fold::Ridge { Metric::Cosine } else { Metric::InnerProduct };
    let (table, vectors) = catalog(N, DIM, 4);
    let options = BuildOptions { fold, alpha: 2.0, lambda: 0.3, ..options(metric) };
    open(&build(&table, &vectors, &options).unwrap().bytes)
}

/// An interaction with an item, so many milliseconds before [`NOW`].
#[derive(Clone)]
struct Did {
    item: usize,
    kind: Kind,
    weight: Option<f64>,
    ago_ms: i64,
    context: Vec<(String, String)>,
}

fn did(item: usize, kind: Kind, ago_ms: i64) -> Did {
    Did { item, kind, weight: None, ago_ms, context: Vec::new() }
}

fn profile(deeds: &[Did]) -> Profile {
    let mut profile = Profile::default();
    for (sequence, d) in (0..).zip(deeds) {
        let interaction = Interaction {
            item: d.item.to_string(),
            kind: d.kind,
            weight: d.weight,
            source: None,
            taste: true,
            context: d.context.clone(),
        };
        let event = Event::Interaction(interaction);
        let at_ms = (NOW - d.ago_ms) as f64;
        profile.append(Entry { device: "d".into(), sequence, at_ms, event }).unwrap();
    }
    profile
}

fn fold(index: &Index, deeds: &[Did], options: &TasteOptions) -> Option<Taste> {
    let profile = profile(deeds);
    Taste::fold_in(index, &Past::of(&profile, index).unwrap(), options).unwrap()
}

fn vector(index: &Index, deeds: &[Did], options: &TasteOptions) -> Vec<f64> {
    fold(index, deeds, options).map(|t| t.vector().to_vec()).unwrap_or_default()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.into(), value.into())
}

/// A random history of four hundred days, with repeats, of all kinds, in two contexts.
fn history(seed: u64, n: usize) -> Vec<Did> {
    let mut rng = SeededRng::new(seed, 0);
    (0..n)
        .map(|_| Did {
            item: rng.below(N / 2),
            kind: [Kind::Play, Kind::Like, Kind::Skip, Kind::Save, Kind::Dislike][rng.below(5)],
            weight: (rng.below(3) == 0).then(|| rng.normal()),
            ago_ms: rng.below(400 * DAY as usize) as i64,
            context: vec![
                pair("device", ["tv", "phone"][rng.below(2)]),
                pair("hour", ["9", "21"][rng.below(2)]),
            ],
        })
        .collect()
}

fn near(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    let size = a.iter().chain(b).fold(1e-300f64, |m, x| m.max(x.abs()));
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance * size)
}

fn with_now(now_ms: i64) -> TasteOptions {
    TasteOptions { now_ms: Some(now_ms), ..TasteOptions::default() }
}

#[test]
fn what_does_not_fade_is_the_producers_own_to_the_bit() {
    for fold in Fold::ALL {
        let index = index(fold);
        for seed in 0..5 {
            let deeds = history(seed, 60);
            let plain = vector(&index, &deeds, &TasteOptions::default());
            let never = Kind::ALL.map(|kind| (kind, None)).to_vec();
            let never = TasteOptions { half_lives: never, ..with_now(NOW) };
            assert_eq!(vector(&index, &deeds, &never), plain);
            // All in the future: now.
            assert_eq!(vector(&index, &deeds, &with_now(NOW - 500 * DAY)), plain);
            // Statements do not fade by themselves.
            let said: Vec<Did> = deeds
                .iter()
                .filter(|d| d.kind.is_statement())
                .map(|d| Did { weight: d.weight.map(f64::abs), ..d.clone() })
                .collect();
            let plain = vector(&index, &said, &TasteOptions::default());
            assert_eq!(vector(&index, &said, &with_now(NOW + 999 * DAY)), plain);
            // A context that asks for nothing, or that does not matter.
            let context = vec![pair("device", "tv")];
            let ignored =
                TasteOptions { context, context_strength: 0.0, ..TasteOptions::default() };
            assert_eq!(vector(&index, &said, &ignored), plain);
        }
    }
}

#[test]
fn what_has_faded_never_happened() {
    for fold in Fold::ALL {
        let index = index(fold);
        for seed in 0..5 {
            let mut deeds = history(seed, 60);
            deeds.retain(|d| d.kind.is_statement());
            let without = vector(&index, &deeds, &TasteOptions::default());
            // Plays of items of their own, and of items that more is known of.
            let old = |i: usize| did(i * 7 % N, Kind::Play, 60 * DAY);
            let all: Vec<Did> = deeds.iter().cloned().chain((0..20).map(old)).collect();
            let options = |days| TasteOptions {
                half_lives: vec![(Kind::Play, Some(days))],
                ..with_now(NOW)
            };
            let faded = vector(&index, &all, &options(60.0 / 45.0));
            assert!(near(&faded, &without, 1e-9), "{fold:?}");
            assert_ne!(faded, without);
            // A hundred half-lives are for ever.
            assert_eq!(vector(&index, &all, &options(0.5)), without);
        }
    }
}

#[test]
fn decay_multiplies_what_an_item_adds_and_not_its_weight() {
    for fold in Fold::ALL {
        let index = index(fold);
        let deeds =
            [did(3, Kind::Play, 90 * DAY), did(3, Kind::Play, 91 * DAY), did(5, Kind::Like, 0)];
        let taste = super_fold(&index, &deeds);
        let [a, b] = taste.history() else { panic!("two items") };
        assert_eq!((a.decay, b.decay), (0.5, 1.0));
        // The older of the two plays weighs a little less than the other.
        assert!(a.weight > 0.995 && a.weight < 1.0, "{}", a.weight);
        assert_eq!((a.n_interactions, b.weight), (2, 1.0));
    }
}

fn super_fold(index: &Index, deeds: &[Did]) -> Taste {
    fold(index, deeds, &with_now(NOW)).unwrap()
}

#[test]
fn only_differences_of_time_count() {
    let index = index(Fold::Implicit);
    let deeds = history(3, 80);
    let windows = |deeds: &[Did], now| {
        let month = Window { name: "month".into(), max_age_ms: Some(30 * DAY), weight: 2.0 };
        let options = TasteOptions { windows: vec![month, Window::all()], ..with_now(now) };
        vector(&index, deeds, &options)
    };
    let here = windows(&deeds, NOW);
    assert_ne!(here, windows(&deeds, NOW + DAY), "time does count");
    for hours in [1, -7, 24 * 365, 24 * 365 * 40] {
        let shift = hours * HOUR;
        let shifted: Vec<Did> =
            deeds.iter().map(|d| Did { ago_ms: d.ago_ms - shift, ..d.clone() }).collect();
        assert_eq!(windows(&shifted, NOW + shift), here);
    }
    // Within an hour of the clock, one answer.
    let hour = NOW - NOW % HOUR;
    assert_eq!(windows(&deeds, hour), windows(&deeds, hour + HOUR - 1));
    assert_ne!(windows(&deeds, hour), windows(&deeds, hour + HOUR));
}

#[test]
fn windows_are_fold_ins_of_their_own_mixed_by_weight() {
    for fold_ in Fold::ALL {
        let index = index(fold_);
        let deeds = history(8, 80);
        let window =
            |days, weight| Window { name: "w".into(), max_age_ms: Some(days * DAY), weight };
        let options = |windows| TasteOptions { windows, ..with_now(NOW) };
        let recent: Vec<Did> = deeds.iter().filter(|d| d.ago_ms < 100 * DAY).cloned().collect();
        let one = vector(&index, &recent, &with_now(NOW));
        assert_eq!(vector(&index, &deeds, &options(vec![window(100, 7.0)])), one);
        let all = vector(&index, &deeds, &with_now(NOW));
        // A window without history has no say, nor has one without weight.
        let silent = Window { max_age_ms: Some(-1), ..Window::all() };
        let recent_only: Vec<Did> = deeds.iter().filter(|d| d.ago_ms >= DAY).cloned().collect();
        let mute = vec![silent, Window { weight: 0.0, ..window(50, 0.0) }, Window::all()];
        let expected = vector(&index, &recent_only, &with_now(NOW));
        assert_eq!(vector(&index, &recent_only, &options(mute)), expected);

        let both = options(vec![window(100, 3.0), Window::all()]);
        let taste = fold(&index, &deeds, &both).unwrap();
        let mixed: Vec<f64> = one.iter().zip(&all).map(|(o, a)| 0.75 * o + 0.25 * a).collect();
        assert!(near(taste.vector(), &mixed, 1e-12));
        // Shares still add up, one for each item.
        let mut x = vec![0.0; DIM];
        for item in (0..N as u32).step_by(17).map(Ordinal) {
            index.decode(item, &mut x);
            let score: f64 = x.iter().zip(taste.vector()).map(|(a, b)| a * b).sum();
            let shares = taste.because(&index, item, 1000);
            assert_eq!(shares.len(), taste.history().len());
            let sum: f64 = shares.iter().map(|s| s.share).sum();
            let size: f64 = shares.iter().map(|s| s.share.abs()).sum();
            assert!((sum - score).abs() <= 1e-9 * size, "{sum} {score}");
        }
        // An old interaction counts a quarter as much as a recent one: one window of two holds it.
        let said = [did(1, Kind::Like, 200 * DAY), did(2, Kind::Like, DAY)];
        let taste = fold(&index, &said, &both).unwrap();
        let decays: Vec<f64> = taste.history().iter().map(|h| h.decay).collect();
        assert_eq!(decays, [0.25, 1.0]);
    }
}

#[test]
fn context_at_its_strongest_leaves_only_what_matches() {
    for fold in Fold::ALL {
        let index = index(fold);
        let deeds = history(5, 60);
        let options = |context_strength| TasteOptions {
            context: vec![pair("device", "tv")],
            context_strength,
            ..with_now(NOW)
        };
        let matching: Vec<Did> =
            deeds.iter().filter(|d| d.context.contains(&pair("device", "tv"))).cloned().collect();
        let expected = vector(&index, &matching, &with_now(NOW));
        assert_eq!(vector(&index, &deeds, &options(1.0)), expected);
        assert!(near(&vector(&index, &deeds, &options(1.0 - 1e-13)), &expected, 1e-9));
        let plain = vector(&index, &deeds, &with_now(NOW));
        assert_eq!(vector(&index, &deeds, &options(0.0)), plain);
        assert_ne!(vector(&index, &deeds, &options(0.5)), plain);
        let strange = TasteOptions { context: vec![pair("mood", "blue")], ..options(1.0) };
        assert!(vector(&index, &deeds, &strange).is_empty(), "nothing matches");
    }
}

#[test]
fn the_posterior_narrows_where_something_is_known() {
    for fold_ in Fold::ALL {
        let index = index(fold_);
        let mut x = vec![0.0; DIM];
        index.decode(Ordinal(index.ordinal("7").unwrap().unwrap().0), &mut x);
        let doubt = |n: usize| {
            let deeds: Vec<Did> = (0..n)
                .map(|i| Did { weight: Some(2.0), ..did([7, 30, 41, 90][i], Kind::Rating, 0) })
                .collect();
            fold(&index, &deeds, &TasteOptions::default()).unwrap().uncertainty(&x)
        };
        let doubts: Vec<f64> = (1..=4).map(doubt).collect();
        assert!(doubts.is_sorted_by(|a, b| a > b) && doubts[3] > 0.0, "{fold_:?} {doubts:?}");
    }
}

#[test]
fn draws_have_the_posteriors_mean_and_variance() {
    let index = index(Fold::Ridge);
    let taste = fold(&index, &history(2, 30), &with_now(NOW)).unwrap();
    let mut rng = SeededRng::new(1, 0);
    assert_eq!(taste.sample(&mut rng, 0.0), taste.vector());
    let again = |seed| taste.sample(&mut SeededRng::new(seed, 0), 1.0);
    assert_eq!(again(4), again(4));
    let mut x = vec![0.0; DIM];
    index.decode(Ordinal(11), &mut x);
    let dot = |u: &[f64]| -> f64 { u.iter().zip(&x).map(|(a, b)| a * b).sum() };
    let n = 20_000;
    let draws: Vec<f64> = (0..n).map(|_| dot(&taste.sample(&mut rng, 2.0))).collect();
    let mean = draws.iter().sum::<f64>() / n as f64;
    let variance = draws.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / n as f64;
    let expected = 4.0 * taste.uncertainty(&x);
    // Four standard errors of each.
    assert!((mean - dot(taste.vector())).abs() < 4.0 * (expected / n as f64).sqrt());
    assert!((variance / expected - 1.0).abs() < 4.0 * (2.0 / n as f64).sqrt());
}

#[test]
fn a_nearly_singular_matrix_is_mended_and_said_so() {
    let (table, vectors) = catalog(N, DIM, 4);
    let lambda = 0.0;
    let options = BuildOptions { lambda, ..options(Metric::Cosine) };
    let index = open(&build(&table, &vectors, &options).unwrap().bytes);
    let taste = fold(&index, &[did(1, Kind::Like, 0)], &TasteOptions::default()).unwrap();
    assert!(taste.jitter() > 0.0 && taste.jitter() < 1e-6);
    assert!(taste.vector().iter().all(|x| x.is_finite()));
    let many = fold(&index, &history(1, 60), &TasteOptions::default()).unwrap();
    assert_eq!(many.jitter(), 0.0);
}
