//! Slates: whatever a request asks for, the answer keeps every rule, says what it could not keep,
//! and never changes a score by bringing items to order.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

#[path = "support/requests.rs"]
mod requests;
mod support;

use nearfield::build::{BuildOptions, build};
use nearfield::{
    AlignedBytes, Basis, Column, Diversity, DiversityMethod, Entry, Error, Event, Index,
    Interaction, Interests, Kind, Metric, Ordinal, Placed, Recommender, Request, Scenarios,
    SeededRng, Selector, Shown, Slate, Value,
};
use requests::{DAY, HOUR, NOW};
use serde_json::{Value as Json, json};

fn recommender(n: usize, metric: Metric) -> Recommender {
    Recommender::new(support::open(&support::archive(n, 8, metric)))
}

fn act(nf: &mut Recommender, at_ms: i64, event: Event) {
    let sequence = nf.profile().len() as u64;
    nf.record(Entry { device: "d".into(), sequence, at_ms: at_ms as f64, event }).unwrap();
}

fn like(nf: &mut Recommender, items: &[Ordinal]) {
    for item in items {
        let id = nf.index().id(*item).unwrap().to_owned();
        act(nf, NOW - DAY, Event::Interaction(Interaction::new(id, Kind::Like)));
    }
}

fn show(nf: &mut Recommender, at_ms: i64, items: &[Ordinal]) {
    let placed = |(position, item): (u32, &Ordinal)| Placed {
        item: nf.index().id(*item).unwrap().to_owned(),
        position,
        propensity: None,
    };
    let items = (0..).zip(items).map(placed).collect();
    let slate = format!("slate {}", nf.profile().len());
    act(nf, at_ms, Event::Shown(Shown { slate, items, ..Shown::default() }));
}

fn try_ask(nf: &mut Recommender, request: &Json) -> Result<Slate, Error> {
    let request = nf.read_request(&request.to_string())?;
    nf.recommend(&request)
}

fn ask(nf: &mut Recommender, request: &Json) -> Slate {
    try_ask(nf, request).unwrap()
}

fn refused(nf: &mut Recommender, request: &Json) -> String {
    try_ask(nf, request).unwrap_err().to_string()
}

fn ordinals(slate: &Slate) -> Vec<Ordinal> {
    slate.items.iter().map(|item| item.ordinal).collect()
}

fn ids(nf: &Recommender, items: &[Ordinal]) -> Vec<String> {
    items.iter().map(|item| nf.index().id(*item).unwrap().to_owned()).collect()
}

/// The items of a condition, in the order of ordinals.
fn select(nf: &Recommender, program: &str) -> Vec<Ordinal> {
    nf.catalog().select(program).unwrap().iter().collect()
}

/// The values that a cap counts.
fn values(column: Column<'_>, item: Ordinal) -> Vec<String> {
    match column.value(item).unwrap() {
        Value::Null => Vec::new(),
        Value::Tags(tags) => tags.iter().map(|tag| (*tag).to_owned()).collect(),
        value => vec![value.to_string()],
    }
}

/// All that holds for every answer to every request.
fn check(nf: &mut Recommender, request: &Request, slate: &Slate) {
    let all = ordinals(slate);
    let mut sorted = all.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), all.len(), "an item comes twice");
    let full = request.k.min(slate.n_qualifying);
    assert!(all.len() <= full);
    let is_short = slate.unmet.iter().any(|unmet| unmet.what == "k");
    assert_eq!(all.len() < full, is_short, "{request:?} {slate:?}");

    let allowed = nf.select(&nearfield::Limits {
        where_: request.where_.as_deref(),
        now_ms: request.now_ms,
        ..nearfield::Limits::default()
    });
    let allowed = allowed.unwrap();
    let seen: Vec<String> =
        nearfield::Past::of(nf.profile(), nf.index()).unwrap().seen().map(str::to_owned).collect();
    for (item, id) in all.iter().zip(ids(nf, &all)) {
        assert!(allowed.contains(*item), "where");
        assert!(!request.exclude.contains(&id), "exclude");
        assert!(!request.after.contains(&id), "after");
        assert!(request.include_seen || !seen.contains(&id), "seen");
    }

    assert!(slate.items.iter().all(|item| item.score.is_finite()));
    assert_eq!(slate.parts.is_some(), request.parts);
    if let Some(parts) = &slate.parts {
        let n = parts.names.len();
        assert_eq!(parts.values.len(), n * all.len());
        for (i, item) in slate.items.iter().enumerate() {
            let row = &parts.values[i * n..(i + 1) * n];
            let sum = row.iter().fold(0.0, |sum, part| sum + part);
            assert_eq!(sum.to_bits(), item.score.to_bits(), "{:?}", parts.names);
        }
        let mut names: Vec<&str> = parts.names.iter().map(String::as_str).collect();
        let own = names.split_off(names.len() - request.boosts.len());
        let boosts: Vec<&str> = request.boosts.iter().map(|boost| boost.name.as_str()).collect();
        assert_eq!(own, boosts);
        let order = ["taste", "prior", "freshness"];
        let places: Vec<_> =
            names.iter().map(|name| order.iter().position(|o| o == name).unwrap()).collect();
        assert!(places.is_sorted(), "{names:?}");
        assert_eq!(names.contains(&"freshness"), request.freshness.is_some());
    }

    let slots: &[usize] = request.explore.as_ref().map_or(&[], |explore| &explore.slots);
    assert_eq!(slate.policy.is_some(), !slots.is_empty());
    assert_eq!(slate.propensities.len(), if slots.is_empty() { 0 } else { all.len() });
    for (place, propensity) in slate.propensities.iter().enumerate() {
        let is_slot = slots.contains(&place) || all.len() < request.k;
        assert!(is_slot || propensity.is_none(), "place {place} is not left to chance");
        if let Some(propensity) = propensity {
            assert!(*propensity > 0.0 && *propensity <= 1.0);
            assert!(slate.explored.iter().any(|s| s.ordinal == all[place]), "the set is logged");
        }
    }

    let after: Vec<Ordinal> =
        request.after.iter().filter_map(|id| nf.index().ordinal(id).unwrap()).collect();
    let mut shown = after;
    shown.sort_unstable();
    shown.dedup();
    let n_before = shown.len();
    shown.extend(&all);
    let catalog = nf.catalog();
    // Pins and earlier pages come whatever rules say.
    let is_given = |item: &Ordinal| {
        request.after.contains(&nf.index().id(*item).unwrap().to_owned())
            || request.pins.iter().any(|pin| pin.item == nf.index().id(*item).unwrap())
    };
    for cap in &request.caps {
        let column = catalog.column(&cap.field).unwrap();
        for item in &all {
            for value in values(column, *item) {
                let holders = shown.iter().filter(|o| values(column, **o).contains(&value));
                let (given, free): (Vec<&Ordinal>, Vec<&Ordinal>) =
                    holders.partition(|o| is_given(o));
                assert!(free.is_empty() || free.len() + given.len() <= cap.most, "{value}");
            }
        }
    }
    let quota_sets: Vec<_> = request
        .quotas
        .iter()
        .map(|quota| {
            nf.select(&nearfield::Limits {
                where_: Some(&quota.where_),
                now_ms: request.now_ms,
                ..nearfield::Limits::default()
            })
            .unwrap()
        })
        .collect();
    for (quota, members) in request.quotas.iter().zip(quota_sets) {
        let n = (n_before + request.k) as f64;
        let have: Vec<_> = shown.iter().filter(|item| members.contains(**item)).collect();
        let most = (quota.most * n + 1e-6).floor() as usize;
        let is_kept = have.len() <= most
            || have.iter().all(|item| {
                let id = nf.index().id(**item).unwrap();
                request.after.iter().any(|a| a == id) || request.pins.iter().any(|p| p.item == id)
            });
        assert!(is_kept, "{} of at most {most} {}", have.len(), quota.name);
        let owed = (quota.least * (n - slots.len() as f64) - 1e-6).ceil() as usize;
        let owed = owed.min(most).saturating_sub(have.len());
        let is_told = slate.unmet.iter().any(|u| u.what == "quota" && u.name == quota.name);
        assert!(owed == 0 || is_told, "{owed} missing of {}", quota.name);
    }
    for pin in &request.pins {
        let item = nf.index().ordinal(&pin.item).unwrap().unwrap();
        let place = all.iter().position(|other| *other == item);
        let is_told = slate.unmet.iter().any(|u| u.what == "pin" && u.name == pin.item);
        match place {
            // In a list that is too short, pins move up.
            Some(place) => assert!(place == pin.position || all.len() < request.k),
            None => assert!(is_told, "{pin:?}"),
        }
    }
    for pool in &request.pools {
        let is_member = |place: &&usize| {
            all.get(**place)
                .is_some_and(|o| ids(nf, &[*o]).iter().all(|id| pool.items.contains(id)))
        };
        let n_missing = pool.positions.len() - pool.positions.iter().filter(is_member).count();
        let n_have = ids(nf, &shown).iter().filter(|id| pool.items.contains(id)).count();
        let is_told = slate.unmet.iter().any(|u| u.what == "pool" && u.name == pool.name);
        assert!(
            (n_missing == 0 && n_have >= pool.least)
                || is_told
                || is_short
                || all.len() < request.k,
            "{pool:?}"
        );
    }
    if !request.trace {
        assert!(slate.trace.is_empty());
    }
    assert_eq!(
        slate.because.len(),
        if request.explain > 0 && slate.basis == Basis::Taste { all.len() } else { 0 }
    );
    assert!(slate.because.iter().all(|shares| shares.len() <= request.explain));
    if slate.interests.is_empty() {
        assert!(slate.interest_of.is_empty());
    } else {
        assert_eq!(slate.interest_of.len(), all.len());
        assert!(slate.interest_of.iter().flatten().all(|i| *i < slate.interests.len()));
    }
}

/// The same request without anything that brings items to order, for all items.
fn plain(request: &Request) -> Request {
    Request {
        k: 10_000,
        floor: 0.0,
        diversity: None,
        calibration: None,
        caps: Vec::new(),
        quotas: Vec::new(),
        pins: Vec::new(),
        pools: Vec::new(),
        rotation: None,
        explore: None,
        interests: Interests::Most(0),
        candidates: None,
        trace: false,
        parts: false,
        ..request.clone()
    }
}

/// A recommender without memory that has the same profile.
fn afresh(nf: &Recommender, archive: &[u8]) -> Recommender {
    let mut fresh = Recommender::new(support::open(archive));
    for entry in nf.profile().entries() {
        fresh.record(entry.clone()).unwrap();
    }
    fresh
}

#[test]
fn every_rule_is_kept_or_told_whatever_is_asked() {
    let n = 240;
    let (mut n_answers, mut n_refused) = (0, 0);
    for metric in Metric::ALL {
        let bytes = support::archive(n, 8, metric);
        let mut nf = Recommender::new(support::open(&bytes));
        let mut rng = SeededRng::new(31, metric as u64);
        for case in 0..400 {
            for _ in 0..rng.below(3) {
                let sequence = nf.profile().len() as u64;
                nf.record(requests::entry(&mut rng, n, sequence)).unwrap();
            }
            if case % 60 == 59 {
                nf.clear_profile();
            }
            let text = requests::request(&mut rng, n);
            let request = nf.read_request(&text).unwrap();
            let slate = match nf.recommend(&request) {
                Ok(slate) => slate,
                Err(Error::Arg { path, .. }) if path.starts_with("quotas") => {
                    n_refused += 1;
                    continue;
                }
                Err(error) => panic!("{text}: {error}"),
            };
            n_answers += 1;
            check(&mut nf, &request, &slate);
            let scores = nf.recommend(&plain(&request)).unwrap();
            for item in &slate.items {
                let same = scores.items.iter().find(|s| s.ordinal == item.ordinal).unwrap();
                assert_eq!(same.score.to_bits(), item.score.to_bits(), "{text}");
            }
            assert_eq!(scores.items.len(), scores.n_qualifying);
            assert!(scores.items.is_sorted_by(|a, b| a.cmp_best_first(b).is_lt()));
            if case % 8 == 0 {
                let again = afresh(&nf, &bytes).recommend(&request).unwrap();
                assert_eq!(again, slate, "what was asked before makes no difference: {text}");
            }
        }
    }
    assert!(n_answers > 1000 && n_refused < 100, "{n_answers} {n_refused}");
}

#[test]
fn nothing_but_k_brings_exactly_the_best() {
    let (table, vectors) = support::catalog(300, 8, 1);
    let bytes = build(&table, &vectors, &BuildOptions::default()).unwrap().bytes;
    let mut nf = Recommender::new(support::open(&bytes));
    like(&mut nf, &[Ordinal(3), Ordinal(4)]);
    let all = ask(&mut nf, &json!({"k": 10_000}));
    assert_eq!((all.items.len(), all.n_qualifying), (298, 298));
    for k in [1, 7, 40, 298, 299] {
        let slate = ask(&mut nf, &json!({"k": k}));
        assert_eq!(slate.items, all.items[..k.min(298)]);
        assert!(slate.unmet.is_empty() && slate.warnings.is_empty());
    }
    let slate = ask(&mut nf, &json!({"k": 10, "where": "year == 1"}));
    assert_eq!((slate.items.len(), slate.n_qualifying, slate.unmet.len()), (0, 0, 0));
    let slate = ask(&mut nf, &json!({"exclude": ["nobody"]}));
    assert!(slate.warnings[0].contains("nobody"));
}

#[test]
fn ten_pages_without_repeats_under_caps_and_quotas() {
    let mut nf = recommender(400, Metric::Cosine);
    like(&mut nf, &[Ordinal(9), Ordinal(80)]);
    let mut after: Vec<String> = Vec::new();
    for page in 1..=10 {
        let request = json!({
            "k": 9, "after": after, "caps": {"label": 12},
            "diversity": {"strength": 0.4, "method": "dpp"},
            "quotas": [{"name": "jazz", "where": "genres has \"jazz\"", "least": 0.4, "most": 0.45}],
            "explore": {"slots": [4]}, "seed": page,
        });
        let slate = ask(&mut nf, &request);
        assert_eq!((slate.items.len(), slate.unmet.len()), (9, 0), "page {page}: {slate:?}");
        for id in ids(&nf, &ordinals(&slate)) {
            assert!(!after.contains(&id), "{id} comes again");
            after.push(id);
        }
        let shown: Vec<Ordinal> =
            after.iter().map(|id| nf.index().ordinal(id).unwrap().unwrap()).collect();
        let jazz = select(&nf, "genres has \"jazz\"");
        let n_jazz = shown.iter().filter(|item| jazz.contains(item)).count() as f64;
        let n = 9.0 * f64::from(page);
        assert!(
            n_jazz <= (0.45 * n).floor()
                && n_jazz >= (0.4 * (n - 1.0)).ceil().min((0.45 * n).floor())
        );
        let labels = nf.catalog().column("label").unwrap();
        for item in &shown {
            for label in values(labels, *item) {
                let same = shown.iter().filter(|o| values(labels, **o).contains(&label)).count();
                assert!(same <= 12, "{same} of {label}");
            }
        }
    }
}

#[test]
fn shares_of_a_list_are_numbers_of_items() {
    let mut nf = recommender(400, Metric::Cosine);
    // 0.07 * 100 and 0.55 * 20 are a little more than 7 and 11 in binary, 0.58 * 50 less than 29.
    for (k, share, n) in [(100, 0.07, 7), (20, 0.55, 11), (50, 0.58, 29), (5, 0.5, 2)] {
        let quotas = json!([{"where": "explicit", "least": share, "most": share}]);
        let slate = ask(&mut nf, &json!({"k": k, "quotas": quotas}));
        let explicit = select(&nf, "explicit");
        let found = ordinals(&slate).iter().filter(|item| explicit.contains(item)).count();
        assert_eq!(found, n, "{share} of {k}");
    }
    let up = ask(&mut nf, &json!({"k": 5, "quotas": [{"where": "explicit", "least": 0.5}]}));
    let explicit = select(&nf, "explicit");
    assert!(ordinals(&up).iter().filter(|item| explicit.contains(item)).count() >= 3);
    let none = json!({"k": 5, "quotas": [{"name": "none", "where": "year == 1", "least": 0.5}]});
    let slate = ask(&mut nf, &none);
    assert_eq!(slate.items.len(), 5);
    assert_eq!(
        (slate.unmet[0].what, &*slate.unmet[0].name, slate.unmet[0].missing),
        ("quota", "none", 3)
    );
}

#[test]
fn boosts_bring_what_taste_alone_would_not() {
    let mut nf = recommender(600, Metric::Cosine);
    like(&mut nf, &[Ordinal(0), Ordinal(1)]);
    let best = |nf: &mut Recommender, request: Json| {
        let slate = ask(nf, &request);
        let mut all = request;
        all["k"] = json!(10_000);
        assert_eq!(ask(nf, &all).items[..slate.items.len()], slate.items, "{all}");
        ordinals(&slate)
    };
    let label = select(&nf, "label == \"label 3\"");
    let boosts = json!([{"where": "label == \"label 3\"", "weight": 100}]);
    for request in [
        json!({"boosts": boosts, "k": 10}),
        json!({"boosts": boosts, "k": 10, "caps": {"year": 99}}),
    ] {
        assert!(best(&mut nf, request).iter().all(|item| label.contains(item)));
    }
    let against = json!({"k": 10, "boosts": [{"where": "not exists(label)", "weight": 0}, {"where": "exists(label)", "weight": -100}]});
    assert!(
        best(&mut nf, against).iter().all(|item| select(&nf, "not exists(label)").contains(item))
    );
    let number = |nf: &Recommender, field: &str, item: Ordinal| {
        nf.catalog().column(field).unwrap().value(item).unwrap().as_number()
    };
    let popular =
        best(&mut nf, json!({"k": 5, "boosts": [{"value": "popularity", "weight": 100}]}));
    assert!(popular.iter().all(|item| number(&nf, "popularity", *item).unwrap() > 980.0));
    let least = best(&mut nf, json!({"k": 5, "weights": {"prior": -1000}}));
    assert!(least.iter().all(|item| number(&nf, "popularity", *item).unwrap() < 20.0));
    // A formula that is negative everywhere lifts those that it lowers least: here those without
    // a year, for which it has no value.
    let new = best(
        &mut nf,
        json!({"k": 5, "now": NOW, "boosts": [{"value": "year - 3000", "weight": 100}]}),
    );
    assert!(new.iter().all(|item| number(&nf, "year", *item).is_none()));
    let days: Vec<f64> = (0..600).filter_map(|i| number(&nf, "released", Ordinal(i))).collect();
    let newest = best(
        &mut nf,
        json!({"k": 5, "now": NOW, "freshness": {"field": "released", "days": 9000, "weight": 100}}),
    );
    let found: Vec<f64> =
        newest.iter().map(|item| number(&nf, "released", *item).unwrap()).collect();
    assert!(found.iter().all(|day| days.iter().filter(|other| *other > day).count() < 600 / 2));
    let both = ask(
        &mut nf,
        &json!({"parts": true, "now": NOW, "freshness": {"field": "released", "days": 9000, "weight": 1}, "boosts": [{"value": "rating / energy", "weight": 1}]}),
    );
    assert_eq!(both.parts.unwrap().names[2..], ["freshness", "rating / energy"]);
    let message =
        refused(&mut nf, &json!({"boosts": [{"value": "1e308 * rating", "weight": 1e6}]}));
    assert!(message.contains("boosts"), "{message}");
    let message = refused(&mut nf, &json!({"boosts": [{"where": "yaer > 3", "weight": 1}]}));
    assert!(message.contains("year") && message.contains("boosts[0]"), "{message}");
}

#[test]
fn somebody_new_gets_what_is_popular_and_weights_may_be_anything() {
    let mut nf = recommender(300, Metric::Cosine);
    let slate = ask(&mut nf, &json!({"k": 300, "parts": true}));
    assert_eq!((slate.basis, slate.items.len()), (Basis::Prior, 300));
    assert_eq!(slate.parts.unwrap().names, ["prior"]);
    let popularity = |item: &Ordinal| {
        let column = nf.catalog().column("popularity").unwrap();
        column.value(*item).unwrap().as_number().unwrap()
    };
    let order: Vec<f64> = slate.items.iter().map(|item| popularity(&item.ordinal)).collect();
    assert!(order.is_sorted_by(|a, b| a >= b));
    like(&mut nf, &[Ordinal(5)]);
    let taste = ask(&mut nf, &json!({"k": 300, "parts": true}));
    assert_eq!(taste.basis, Basis::Taste);
    assert_eq!(taste.parts.unwrap().names, ["taste", "prior"]);
    let none =
        ask(&mut nf, &json!({"k": 300, "weights": {"taste": 0}, "parts": true, "explain": 2}));
    assert_eq!(none.parts.unwrap().names, ["prior"]);
    assert!(none.because.iter().flatten().all(|share| share.share == 0.0));
    // The other way round, as far as taste goes.
    let boost = json!([{"value": "0", "weight": 1}]);
    let part = |slate: &Slate| -> Vec<(Ordinal, f64)> {
        let parts = slate.parts.as_ref().unwrap();
        let rows = parts.values.chunks_exact(parts.names.len());
        slate.items.iter().zip(rows).map(|(item, row)| (item.ordinal, row[0])).collect()
    };
    let plus = ask(&mut nf, &json!({"k": 300, "parts": true, "boosts": boost}));
    let minus = ask(&mut nf, &json!({"k": 300, "parts": true, "weights": {"taste": -1}}));
    for (item, score) in part(&minus) {
        let same = part(&plus).into_iter().find(|(other, _)| *other == item).unwrap().1;
        assert_eq!(score, -same);
    }
    // Without any prior, and nothing known: the archive's order.
    let (table, vectors) = support::catalog(30, 4, 1);
    let bytes = build(&table, &vectors, &BuildOptions::default()).unwrap().bytes;
    let mut bare = Recommender::new(support::open(&bytes));
    let slate = ask(&mut bare, &json!({"k": 7, "parts": true}));
    assert_eq!(ordinals(&slate), (0..7).map(Ordinal).collect::<Vec<_>>());
    assert!(slate.items.iter().all(|item| item.score == 0.0));
    assert_eq!(slate.parts.unwrap().names, Vec::<String>::new());
}

#[test]
fn chance_is_logged_and_repeatable() {
    let mut nf = recommender(300, Metric::Cosine);
    like(&mut nf, &[Ordinal(5), Ordinal(17)]);
    let request = |seed: u64, method: &str| {
        json!({"k": 6, "seed": seed, "trace": true, "explore":
            {"slots": [2], "method": method, "temperature": 1, "candidates": 8}})
    };
    let mut propensities: Vec<(Ordinal, f64)> = Vec::new();
    let mut fixed = Vec::new();
    for seed in 0..300 {
        let slate = ask(&mut nf, &request(seed, "softmax"));
        assert_eq!(slate, ask(&mut nf, &request(seed, "softmax")), "one seed, one slate");
        assert_eq!(slate.policy.as_deref(), Some("softmax(1)"));
        assert_eq!(slate.explored.len(), 8);
        let drawn = slate.items[2].ordinal;
        let propensity = slate.propensities[2].unwrap();
        match propensities.iter().find(|(item, _)| *item == drawn) {
            Some((_, known)) => assert_eq!(propensity, *known),
            None => propensities.push((drawn, propensity)),
        }
        let mut others = ordinals(&slate);
        others.remove(2);
        assert!(fixed.is_empty() || fixed == others, "only the slot is left to chance");
        fixed = others;
    }
    assert_eq!(propensities.len(), 8, "every item of the set comes");
    let sum: f64 = propensities.iter().map(|(_, p)| p).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");

    let thompson = ask(&mut nf, &request(1, "thompson"));
    assert_eq!(thompson.policy.as_deref(), Some("thompson(1)"));
    assert_eq!(thompson, ask(&mut nf, &request(1, "thompson")));
    let drawn: Vec<Ordinal> =
        (0..60).map(|seed| ask(&mut nf, &request(seed, "thompson")).items[2].ordinal).collect();
    assert!(drawn.iter().any(|item| *item != drawn[0]));

    // More slots than candidates to draw from, and a cap that counts pinned items too.
    let slate = ask(
        &mut nf,
        &json!({"k": 8, "caps": {"year": 3}, "pins": [{"item": "3", "position": 1}],
        "explore": {"slots": [0, 2, 3, 7], "candidates": 2}}),
    );
    assert_eq!(slate.items.len(), 8);
    assert_eq!(ids(&nf, &[slate.items[1].ordinal]), ["3"]);
    assert_eq!(slate.propensities.iter().filter(|p| p.is_some()).count(), 4);
    for (request, path) in [
        (json!({"k": 5, "explore": {"slots": [5]}}), "explore.slots"),
        (
            json!({"k": 5, "explore": {"slots": [1]}, "pins": [{"item": "3", "position": 1}]}),
            "pins[0].position",
        ),
        (
            json!({"k": 2, "explore": {"slots": [0, 1]}, "pins": [{"item": "3", "position": 7}]}),
            "pins[0].position",
        ),
        (
            json!({"k": 5, "explore": {"slots": [1]}, "pools": [{"name": "p", "items": ["3"], "positions": [1]}]}),
            "pools[0].positions",
        ),
        (json!({"k": 5, "explore": {"slots": []}}), "explore.slots"),
        (json!({"k": 5, "explore": {"slots": [1, 1]}}), "explore.slots"),
    ] {
        let message = refused(&mut nf, &request);
        assert!(message.contains(path), "{request}: {message}");
    }
}

#[test]
fn calibration_follows_history_the_caller_and_answers() {
    let mut nf = recommender(400, Metric::Cosine);
    let share = |nf: &Recommender, slate: &Slate, program: &str| {
        let members = select(nf, program);
        let n = ordinals(slate).iter().filter(|item| members.contains(item)).count();
        n as f64 / slate.items.len() as f64
    };
    let with = |target: Json| json!({"k": 20, "calibration": {"field": "explicit", "strength": 1, "target": target}});
    for wanted in [0.0, 0.25, 0.8, 1.0] {
        let slate = ask(&mut nf, &with(json!({"true": wanted, "false": 1.0 - wanted})));
        let found = share(&nf, &slate, "explicit");
        assert!((found - wanted).abs() <= 0.05, "{found} for {wanted}");
    }
    let unknown = ask(&mut nf, &with(json!("history")));
    assert!(unknown.warnings[0].contains("calibration"), "nothing is known of this person");
    let explicit = select(&nf, "explicit");
    let clean = select(&nf, "explicit == false");
    like(&mut nf, &explicit[..3]);
    like(&mut nf, &clean[..1]);
    let slate = ask(&mut nf, &with(json!("history")));
    let found = share(&nf, &slate, "explicit");
    assert!((found - 0.75).abs() <= 0.05, "{found}");
    let message = refused(&mut nf, &with(json!({"perhaps": 1})));
    assert!(message.contains("calibration.target") && message.contains("perhaps"), "{message}");

    // What is shown of both is answered of one; then the other way round.
    for (wanted, answered, other) in [(true, &explicit, &clean), (false, &clean, &explicit)] {
        nf.clear_profile();
        for round in 0..30 {
            let at_ms = NOW - (40 - round as i64) * DAY;
            show(&mut nf, at_ms, &[answered[round], other[round]]);
            let id = ids(&nf, &answered[round..=round]).remove(0);
            act(&mut nf, at_ms + HOUR, Event::Interaction(Interaction::new(id, Kind::Play)));
        }
        let mut request = with(json!("bandit"));
        request["seen"] = json!("include");
        request["now"] = json!(NOW);
        let slate = ask(&mut nf, &request);
        let found = share(&nf, &slate, "explicit");
        assert!(if wanted { found > 0.9 } else { found < 0.1 }, "{found}");
    }
    let message = refused(
        &mut nf,
        &json!({"calibration": {"field": "year", "strength": 1, "target": "bandit"}}),
    );
    assert!(message.contains("calibration.field"), "{message}");
}

/// An item and those that are most like it.
fn neighbourhood(nf: &mut Recommender, item: Ordinal, n: usize) -> Vec<Ordinal> {
    let id = ids(nf, &[item]).remove(0);
    let limits = nearfield::Limits { k: n, ..nearfield::Limits::default() };
    let near = nf.similar(nearfield::Target::Item(&id), &limits).unwrap();
    std::iter::once(item).chain(ordinals(&near)).collect()
}

/// Somebody with two interests: items around the first, and around the one least like it.
fn two_interests(nf: &mut Recommender) {
    let first = neighbourhood(nf, Ordinal(7), 3);
    let far = *neighbourhood(nf, Ordinal(7), nf.index().len() - 1).last().unwrap();
    let second = neighbourhood(nf, far, 2);
    like(nf, &first);
    like(nf, &second);
}

#[test]
fn every_interest_gets_its_share() {
    let mut nf = recommender(400, Metric::Cosine);
    two_interests(&mut nf);
    for extra in [
        json!({}),
        json!({"quotas": [{"where": "explicit", "least": 0.6}]}),
        json!({"explore": {"slots": [0]}}),
    ] {
        let mut request = json!({"k": 10, "interests": 2});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let slate = ask(&mut nf, &request);
        assert_eq!((slate.items.len(), slate.interests.len()), (10, 2));
        let total: f64 = slate.interests.iter().map(|i| i.importance).sum();
        let left = if request.get("quotas").is_some() {
            4.0
        } else if request.get("explore").is_some() {
            9.0
        } else {
            10.0
        };
        for (i, interest) in slate.interests.iter().enumerate() {
            let n = slate.interest_of.iter().filter(|of| **of == Some(i)).count();
            assert!(n >= (left * interest.importance / total) as usize, "{i}: {n} for {request}");
        }
    }
    // Of the two searches the one that scores an item higher found it.
    let slate = ask(&mut nf, &json!({"k": 10, "interests": 2}));
    let mut x = vec![0.0; nf.index().dim()];
    for (item, of) in slate.items.iter().zip(&slate.interest_of) {
        nf.index().decode(item.ordinal, &mut x);
        let score = |i: usize| -> f64 {
            slate.interests[i].vector.iter().zip(&x).map(|(u, x)| u * x).sum()
        };
        if let Some(of) = of {
            assert!(score(*of) >= score(1 - of) - 1e-9);
        }
    }
}

#[test]
fn rows_are_about_one_interest_each_and_repeat_nothing() {
    let bytes = support::archive(400, 8, Metric::Cosine);
    let mut nf = Recommender::new(support::open(&bytes));
    assert!(nf.rows(&Request::default()).unwrap().is_empty());
    two_interests(&mut nf);
    let request = nf.read_request(r#"{"k": 8, "interests": 2, "labels": ["genres"]}"#).unwrap();
    let rows = nf.rows(&request).unwrap();
    assert_eq!(rows.len(), 2);
    let mut all: Vec<Ordinal> = rows.iter().flat_map(ordinals).collect();
    assert_eq!(all.len(), 16);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 16, "no item is in two rows");
    for row in &rows {
        assert_eq!((row.interests.len(), row.interest_of.len()), (1, 8));
        assert!(row.interest_of.iter().all(|of| *of == Some(0)));
    }
    // Also where nothing is said of interests, whatever was asked before, and where taste alone
    // decides.
    let usual = nf.rows(&Request::default()).unwrap();
    assert!(!usual.is_empty());
    assert_eq!(usual, afresh(&nf, &bytes).rows(&Request::default()).unwrap());
    let (table, vectors) = support::catalog(400, 8, 1);
    let bare = build(&table, &vectors, &BuildOptions::default()).unwrap().bytes;
    let mut bare = afresh(&nf, &bare);
    let request = Request { explain: 100, parts: true, ..Request::default() };
    for row in bare.rows(&request).unwrap() {
        assert_eq!(row.interest_of, vec![Some(0); 10]);
        assert_eq!(row.parts.as_ref().unwrap().names, ["taste"]);
        for shares in &row.because {
            assert!(shares.iter().all(|s| row.interests[0].members.contains(&s.item)));
        }
    }
}

#[test]
fn discovering_leaves_no_trace() {
    let bytes = support::archive(300, 8, Metric::Cosine);
    let mut nf = Recommender::new(support::open(&bytes));
    two_interests(&mut nf);
    let party = Selector { source: Some("party".into()), ..Selector::default() };
    act(&mut nf, NOW, Event::Exclude { selector: party, forget_seen: true });
    let history = json!({"k": 20, "now": NOW, "where": "not seen(\"9d\")", "interests": 2,
        "boosts": [{"where": "liked()", "weight": 1}], "seen": "include", "parts": true});
    let before = ask(&mut nf, &history);
    let request = nf.read_request(&history.to_string()).unwrap();
    let examples = ["11".to_owned(), "12".to_owned()];
    let found = nf.discover(&examples, &["13".into()], &request).unwrap();
    assert_eq!(found, nf.discover(&examples, &["13".into()], &request).unwrap());
    assert!(
        ids(&nf, &ordinals(&found)).iter().all(|id| !["11", "12", "13"].contains(&id.as_str()))
    );
    assert_eq!(ask(&mut nf, &history), before);
    for (like, request) in [
        (&["nobody".to_owned()][..], request.clone()),
        (&examples[..], Request { labels: vec!["nothing".into()], ..request.clone() }),
        (
            &examples[..],
            Request {
                calibration: nf
                    .read_request(r#"{"calibration": {"field": "x", "strength": 1}}"#)
                    .unwrap()
                    .calibration,
                ..request.clone()
            },
        ),
    ] {
        nf.discover(like, &[], &request).unwrap_err();
        assert_eq!(ask(&mut nf, &history), before);
    }
    // The same algebra as for a person, whatever the time is: examples do not fade.
    let mut person = Recommender::new(support::open(&bytes));
    for (sequence, id) in (0..).zip(&examples) {
        let event = Event::Interaction(Interaction::new(id.as_str(), Kind::Like));
        let entry = Entry { device: "d".into(), sequence, at_ms: 0.0, event };
        person.record(entry).unwrap();
    }
    let request = Request {
        now_ms: Some(NOW),
        context: vec![("device".into(), "tv".into())],
        focus: 1.0,
        ..Request::default()
    };
    let slate =
        Recommender::new(support::open(&bytes)).discover(&examples, &[], &request).unwrap();
    assert_eq!(slate.items, person.recommend(&Request::default()).unwrap().items);
    assert_eq!(slate.basis, Basis::Taste);
}

#[test]
fn what_was_shown_stands_back_for_a_while() {
    let mut nf = recommender(300, Metric::Cosine);
    like(&mut nf, &[Ordinal(20)]);
    let request = |now: i64| json!({"k": 10, "now": now, "rotation": {"rate": 1, "hours": 24}});
    let before = ordinals(&ask(&mut nf, &request(NOW)));
    show(&mut nf, NOW, &before[..2]);
    let after = ordinals(&ask(&mut nf, &request(NOW + HOUR)));
    assert_eq!(after[0], before[2]);
    assert!(!after.contains(&before[0]) && !after.contains(&before[1]));
    assert_eq!(ordinals(&ask(&mut nf, &request(NOW + 25 * HOUR))), before);
    let message = refused(&mut nf, &json!({"rotation": {"rate": 1, "hours": 24}}));
    assert!(message.contains("now"), "{message}");
    let message =
        refused(&mut nf, &json!({"freshness": {"field": "released", "days": 9, "weight": 1}}));
    assert!(message.contains("now"), "{message}");
}

#[test]
fn scenarios_are_defaults_that_callers_take_back() {
    let (table, vectors) = support::catalog(60, 4, 1);
    let with = |scenarios: &str| {
        let options =
            BuildOptions { scenarios: Some(scenarios.into()), ..support::options(Metric::Cosine) };
        build(&table, &vectors, &options).unwrap().bytes
    };
    let bytes =
        with(r#"{"home": {"k": 20, "floor": 0.5, "caps": {"label": 2}}, "radio": {"k": 50}}"#);
    let mut nf = Recommender::new(support::open(&bytes));
    let read = |nf: &Recommender, text: &str| nf.read_request(text);
    let home = read(&nf, r#"{"scenario": "home", "k": 5, "floor": null}"#).unwrap();
    assert_eq!((home.k, home.floor, home.caps[0].most), (5, 0.0, 2));
    assert_eq!(read(&nf, r#"{"scenario": null}"#).unwrap(), Request::default());
    let message = read(&nf, r#"{"scenario": "hme"}"#).unwrap_err().to_string();
    assert!(message.contains("request.scenario") && message.contains("home"), "{message}");
    nf.set_scenarios(Scenarios::from_json(r#"{"home": {"k": 3}, "mine": {"k": 4}}"#).unwrap());
    let k = |name: &str| read(&nf, &json!({"scenario": name}).to_string()).unwrap().k;
    assert_eq!([k("home"), k("mine"), k("radio")], [3, 4, 50]);
    for broken in [
        "{nope",
        "[]",
        r#"{"home": {"kk": 1}}"#,
        r#"{"home": {"trace": true}}"#,
        r#"{"home": {"scenario": "home", "k": 0}}"#,
    ] {
        let nf = Recommender::new(support::open(&with(broken)));
        let error = read(&nf, r#"{"scenario": "home"}"#).unwrap_err();
        assert!(matches!(error, Error::Arg { .. }), "{error}");
        assert!(error.to_string().contains("scenarios"), "{error}");
    }
}

#[test]
fn a_trace_says_why_the_better_are_missing() {
    let mut nf = recommender(150, Metric::Cosine);
    let mut rng = SeededRng::new(5, 0);
    let mut n_missing = 0;
    for _ in 0..200 {
        for _ in 0..3 {
            let sequence = nf.profile().len() as u64;
            nf.record(requests::entry(&mut rng, 150, sequence)).unwrap();
        }
        let request = nf.read_request(&requests::request(&mut rng, 150)).unwrap();
        let request = Request { trace: true, explore: None, candidates: None, ..request };
        let Ok(slate) = nf.recommend(&request) else { continue };
        assert_eq!(slate.trace.len(), slate.items.len());
        for (place, (step, item)) in slate.trace.iter().zip(&slate.items).enumerate() {
            assert_eq!((step.position, step.item), (place, item.ordinal));
        }
        let worst = slate.items.iter().map(|item| item.score).fold(f64::INFINITY, f64::min);
        let missing = nf.recommend(&plain(&request)).unwrap().items;
        for better in missing.iter().filter(|s| s.score > worst && !slate.items.contains(s)) {
            n_missing += 1;
            let mut passed = slate.trace.iter().flat_map(|step| &step.passed);
            assert!(passed.any(|p| p.item == better.ordinal), "{request:?} {better:?}");
        }
    }
    assert!(n_missing > 1000, "{n_missing}");
}

#[test]
fn interests_that_grew_with_a_history_are_those_of_the_history() {
    // More items than interests are made of: some give up their place, and come back.
    let (n, bytes) = (300, support::archive(300, 8, Metric::Cosine));
    let mut nf = Recommender::new(support::open(&bytes));
    let mut rng = SeededRng::new(78, 0);
    let request = json!({"k": 12, "now": NOW, "interests": "auto", "explain": 3});
    for round in 0..360_i64 {
        let like = Interaction::new(rng.below(n).to_string(), Kind::Like);
        act(&mut nf, NOW - 2 * DAY + round * 60_000, Event::Interaction(like));
        let slate = ask(&mut nf, &request);
        if round % 9 == 0 {
            assert_eq!(slate, ask(&mut afresh(&nf, &bytes), &request), "round {round}");
        }
    }
}

#[test]
fn nothing_that_is_kept_outlives_its_reason() {
    let n = 200;
    let bytes = support::archive(n, 8, Metric::InnerProduct);
    let mut nf = Recommender::new(support::open(&bytes));
    let mut rng = SeededRng::new(77, 0);
    let fixed = [
        json!({"k": 15, "now": NOW, "where": "not seen(\"30d\")", "seen": "include"}),
        json!({"k": 15, "interests": "auto", "boosts": [{"where": "liked()", "weight": 1}], "seen": "include"}),
        json!({"k": 15, "now": NOW, "windows": [{"days": 9}], "quotas": [{"where": "count() < 1", "least": 1}], "explain": 3}),
    ];
    for round in 0..150_u64 {
        match rng.below(8) {
            0 => {
                nf.compact_profile(NOW, (10 + rng.below(60)) as u64 * DAY as u64);
            }
            1 if round % 5 == 0 => nf.clear_profile(),
            _ => {
                nf.record(requests::entry(&mut rng, n, round)).unwrap();
            }
        }
        let mut fresh = afresh(&nf, &bytes);
        for request in &fixed {
            assert_eq!(
                ask(&mut nf, request),
                ask(&mut fresh, request),
                "round {round}: {request}"
            );
        }
        let request = nf.read_request(&requests::request(&mut rng, n)).unwrap();
        assert_eq!(nf.rows(&request).ok(), fresh.rows(&request).ok());
        assert_eq!(
            nf.discover(&["3".into()], &[], &request).ok(),
            fresh.discover(&["3".into()], &[], &request).ok()
        );
        let some: Vec<String> = (0..30).map(|_| rng.below(n).to_string()).collect();
        assert_eq!(nf.rank(&some, &request).ok(), fresh.rank(&some, &request).ok());
        assert_eq!(nf.onboarding(&request).ok(), fresh.onboarding(&request).ok());
    }
    // Within an hour of the clock, ages are the same.
    like(&mut nf, &[Ordinal(1)]);
    let at = |now: i64| json!({"k": 30, "now": now});
    let first = NOW - NOW % HOUR;
    assert_eq!(ask(&mut nf, &at(first)), ask(&mut nf, &at(first + HOUR - 1)));
}

#[test]
fn what_arrives_later_counts() {
    let bytes = support::archive_with(700, 6, Metric::Cosine, 12);
    let at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
    let codes = at(64 + 32 * 5 + 8) + at(64 + 32 * 5 + 16);
    let buffer = AlignedBytes::copy_of(&bytes).unwrap();
    let mut nf = Recommender::new(Index::open_part(buffer, codes).map_err(|e| e.0).unwrap());
    like(&mut nf, &[Ordinal(1), Ordinal(50)]);
    let request = json!({"k": 20, "parts": true, "interests": 2, "diversity": {"strength": 0.2}});
    assert!(ask(&mut nf, &request).approximate);
    nf.arrive(bytes.len()).unwrap();
    assert_eq!(ask(&mut nf, &request), ask(&mut afresh(&nf, &bytes), &request));
}

#[test]
fn ranking_orders_what_is_given_and_nothing_else() {
    let mut nf = recommender(200, Metric::Cosine);
    like(&mut nf, &[Ordinal(9), Ordinal(10)]);
    let all =
        nf.recommend(&Request { k: 10_000, include_seen: true, ..Request::default() }).unwrap();
    let some: Vec<String> =
        (0..40).map(|i| (i * 3).to_string()).chain(["0".into(), "x".into()]).collect();
    let slate = nf.rank(&some, &Request { k: 100, ..Request::default() }).unwrap();
    assert_eq!((slate.items.len(), slate.n_qualifying), (40, 40));
    assert!(slate.warnings[0].contains("\"x\""));
    assert!(slate.items.is_sorted_by(|a, b| a.cmp_best_first(b).is_lt()));
    assert!(ids(&nf, &ordinals(&slate)).iter().all(|id| some.contains(id)));
    assert!(all.items.len() == 200);
    let top = nf.rank(&some, &Request { k: 5, ..Request::default() }).unwrap();
    assert_eq!(top.items, slate.items[..5]);
    let diverse = Request {
        k: 40,
        diversity: Some(Diversity { method: DiversityMethod::Mmr, strength: 0.5 }),
        ..Request::default()
    };
    let diverse = nf.rank(&some, &diverse).unwrap();
    let mut sorted = diverse.items.clone();
    sorted.sort_by(|a, b| a.cmp_best_first(b));
    assert_eq!(sorted, slate.items, "the same scores in another order");
    assert_ne!(diverse.items, slate.items);
}

#[test]
fn reasons_add_up_to_the_taste_part() {
    let bytes = std::fs::read("tests/fixtures/small-neighbours-v1.nf").unwrap();
    let mut rng = SeededRng::new(8, 0);
    for _ in 0..60 {
        let mut nf = Recommender::new(support::open(&bytes));
        for sequence in 0..1 + rng.below(40) as u64 {
            nf.record(requests::entry(&mut rng, 300, sequence)).unwrap();
        }
        let (focus, weight) = ([0.0, 0.5, 1.0][rng.below(3)], [1.0, 0.3, -2.0][rng.below(3)]);
        let week = rng.below(3);
        let request = json!({
            "k": 30, "explain": 1000, "parts": true, "now": NOW, "context": {"device": "tv"},
            "focus": focus,
            "weights": {"taste": weight},
            "windows": [{"days": 20, "weight": week}, {"weight": 1}],
            "boosts": [{"where": "explicit", "weight": 0.1}],
            "diversity": {"strength": 0.1},
        });
        let slate = ask(&mut nf, &request);
        if slate.basis != Basis::Taste {
            continue;
        }
        let parts = slate.parts.as_ref().unwrap();
        for (row, shares) in parts.values.chunks_exact(parts.names.len()).zip(&slate.because) {
            let sum: f64 = shares.iter().map(|share| share.share).sum();
            let size: f64 = shares.iter().map(|share| share.share.abs()).sum();
            assert!((sum - row[0]).abs() <= 1e-9 * size.max(1e-3), "{sum} for {}", row[0]);
        }
    }
}
