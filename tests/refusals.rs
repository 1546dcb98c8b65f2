//! Requests that cannot be meant: each is refused by a typed error that names the member, and
//! none ends the program.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use nearfield::{
    Entry, Error, Event, Explore, ExploreMethod, Freshness, Interaction, Interests, Kind, Metric,
    Pin, Quota, Recommender, Request, Rotation, Scenarios, SummaryColumns,
};

fn person() -> Recommender {
    let mut nf = Recommender::new(support::open(&support::archive(60, 4, Metric::Cosine)));
    let event = Event::Interaction(Interaction::new("3", Kind::Like));
    nf.record(Entry { device: "d".into(), sequence: 0, at_ms: 1.7e12, event }).unwrap();
    nf
}

/// The error of a request that must be refused, when it is read or when it is used.
fn refusal(nf: &mut Recommender, text: &str) -> Error {
    let request = match nf.read_request(text) {
        Ok(request) => request,
        Err(error) => return error,
    };
    match nf.recommend(&request) {
        Err(error) => error,
        Ok(slate) => panic!("{text} is answered: {slate:?}"),
    }
}

#[test]
fn errors_name_the_member() {
    let mut nf = person();
    for (text, place) in [
        // No JSON, or none of ours.
        ("", "request: "),
        ("nope", "request: "),
        ("[]", "request: "),
        ("3", "request: "),
        ("null", "request: "),
        (r#""k""#, "request: "),
        (r#"{"k": 3"#, "request: "),
        (r#"{"k": 3,}"#, "request: "),
        (r#"{"k": 3} {}"#, "request: "),
        (r#"{k: 3}"#, "request: "),
        (r#"{'k': 3}"#, "request: "),
        (r#"{"k": 3, "k": 3}"#, "once"),
        (r#"{"context": {"a": 1, "a": 2}}"#, "once"),
        (r#"{"k": +3}"#, "request: "),
        (r#"{"k": 0x3}"#, "request"),
        (r#"{"k": NaN}"#, "request: "),
        (r#"{"k": Infinity}"#, "request: "),
        (r#"{"where": "\ud800"}"#, "request: "),
        (r#"{"where": "\udc00\ud800"}"#, "request: "),
        (r#"{"where": "\x41"}"#, "request: "),
        // Members that do not exist, at every level.
        (r#"{"kk": 3}"#, "\"kk\""),
        (r#"{"K": 3}"#, "\"K\""),
        (r#"{"__proto__": {}}"#, "__proto__"),
        (r#"{"constructor": 1}"#, "constructor"),
        (r#"{"diversity": {"strenght": 1}}"#, "strength"),
        (r#"{"weights": {"tast": 1}}"#, "request.weights"),
        (r#"{"freshness": {"half": 1}}"#, "request.freshness"),
        (r#"{"calibration": {"of": 1}}"#, "request.calibration"),
        (r#"{"rotation": {"days": 1}}"#, "request.rotation"),
        (r#"{"explore": {"slot": [1]}}"#, "request.explore"),
        (r#"{"boosts": [{"when": "explicit"}]}"#, "request.boosts[0]"),
        (r#"{"quotas": [{"where": "explicit"}, {"min": 1}]}"#, "request.quotas[1]"),
        (r#"{"pins": [{"id": "3"}]}"#, "request.pins[0]"),
        (r#"{"pools": [{"ids": []}]}"#, "request.pools[0]"),
        (r#"{"windows": [{"hours": 3}]}"#, "request.windows[0]"),
        // Another type.
        (r#"{"k": "3"}"#, "request.k"),
        (r#"{"k": true}"#, "request.k"),
        (r#"{"k": [3]}"#, "request.k"),
        (r#"{"k": {}}"#, "request.k"),
        (r#"{"where": 3}"#, "request.where"),
        (r#"{"where": ["a"]}"#, "request.where"),
        (r#"{"params": []}"#, "request.params"),
        (r#"{"now": "2024-01-01"}"#, "request.now"),
        (r#"{"exclude": "3"}"#, "request.exclude"),
        (r#"{"exclude": [3]}"#, "request.exclude"),
        (r#"{"after": [null]}"#, "request.after"),
        (r#"{"recall": "all"}"#, "request.recall"),
        (r#"{"seen": true}"#, "request.seen"),
        (r#"{"seen": "maybe"}"#, "request.seen"),
        (r#"{"seed": "x"}"#, "request.seed"),
        (r#"{"context": []}"#, "request.context"),
        (r#"{"context": {"a": null}}"#, "request.context"),
        (r#"{"context": {"a": {}}}"#, "request.context"),
        (r#"{"windows": {}}"#, "request.windows"),
        (r#"{"windows": [3]}"#, "request.windows[0]"),
        (r#"{"halflives": []}"#, "request.halflives"),
        (r#"{"halflives": {"plays": 3}}"#, "request.halflives"),
        (r#"{"interests": "many"}"#, "request.interests"),
        (r#"{"labels": "genres"}"#, "request.labels"),
        (r#"{"weights": 3}"#, "request.weights"),
        (r#"{"weights": {"taste": "1"}}"#, "request.weights.taste"),
        (r#"{"freshness": "released"}"#, "request.freshness"),
        (r#"{"boosts": {}}"#, "request.boosts"),
        (r#"{"boosts": [null]}"#, "request.boosts[0]"),
        (r#"{"floor": "low"}"#, "request.floor"),
        (r#"{"diversity": 0.3}"#, "request.diversity"),
        (r#"{"diversity": {"strength": 0.3, "method": "xquad"}}"#, "request.diversity.method"),
        (r#"{"calibration": "genres"}"#, "request.calibration"),
        (
            r#"{"calibration": {"field": "genres", "strength": 1, "target": "mine"}}"#,
            "request.calibration.target",
        ),
        (
            r#"{"calibration": {"field": "genres", "strength": 1, "target": {"jazz": "1"}}}"#,
            "request.calibration.target",
        ),
        (r#"{"caps": []}"#, "request.caps"),
        (r#"{"caps": {"label": "2"}}"#, "request.caps"),
        (r#"{"quotas": {}}"#, "request.quotas"),
        (r#"{"pins": {"3": 0}}"#, "request.pins"),
        (r#"{"pins": [{"item": 3, "position": 0}]}"#, "request.pins[0].item"),
        (r#"{"pools": "editor"}"#, "request.pools"),
        (r#"{"rotation": true}"#, "request.rotation"),
        (r#"{"explore": [1]}"#, "request.explore"),
        (r#"{"explore": {"slots": 1}}"#, "request.explore.slots"),
        (r#"{"explore": {"slots": ["1"]}}"#, "request.explore.slots"),
        (r#"{"parts": 1}"#, "request.parts"),
        (r#"{"trace": "yes"}"#, "request.trace"),
        (r#"{"scenario": 3}"#, "request.scenario"),
        (r#"{"scenario": "home"}"#, "request.scenario"),
        // Missing.
        (r#"{"diversity": {}}"#, "request.diversity.strength"),
        (r#"{"calibration": {"strength": 1}}"#, "request.calibration.field"),
        (r#"{"freshness": {"field": "released", "days": 3}}"#, "request.freshness.weight"),
        (r#"{"boosts": [{"weight": 1}]}"#, "request.boosts[0]"),
        (r#"{"boosts": [{"where": "explicit"}]}"#, "request.boosts[0].weight"),
        (r#"{"boosts": [{"where": "explicit", "value": "1", "weight": 1}]}"#, "request.boosts[0]"),
        (r#"{"quotas": [{"least": 1}]}"#, "request.quotas[0].where"),
        (r#"{"pins": [{"item": "3"}]}"#, "request.pins[0].position"),
        (r#"{"pins": [{"position": 0}]}"#, "request.pins[0].item"),
        (r#"{"pools": [{"name": "a"}]}"#, "request.pools[0].items"),
        (r#"{"pools": [{"items": []}]}"#, "request.pools[0].name"),
        (r#"{"rotation": {"rate": 1}}"#, "request.rotation.hours"),
        (r#"{"explore": {}}"#, "request.explore.slots"),
        // Out of range.
        (r#"{"k": 0}"#, "request.k"),
        (r#"{"k": 10001}"#, "request.k"),
        (r#"{"k": 1.5}"#, "request.k"),
        (r#"{"k": -1}"#, "request.k"),
        (r#"{"k": 1e999}"#, "request"),
        (r#"{"now": 1e300}"#, "request.now"),
        (r#"{"recall": 0}"#, "request.recall"),
        (r#"{"recall": 1}"#, "request.recall"),
        (r#"{"recall": -0.5}"#, "request.recall"),
        (r#"{"explain": 1001}"#, "request.explain"),
        (r#"{"seed": -1}"#, "request.seed"),
        (r#"{"seed": 9007199254740993000}"#, "request.seed"),
        (r#"{"focus": 1.01}"#, "request.focus"),
        (r#"{"windows": [{"days": 0}]}"#, "request.windows[0].days"),
        (r#"{"windows": [{"weight": -1}]}"#, "request.windows[0].weight"),
        (r#"{"windows": [{"weight": 0}]}"#, "windows"),
        (r#"{"halflives": {"play": 0}}"#, "request.halflives"),
        (r#"{"interests": 9}"#, "request.interests"),
        (r#"{"weights": {"prior": 1e7}}"#, "request.weights.prior"),
        (
            r#"{"freshness": {"field": "released", "days": 0, "weight": 1}}"#,
            "request.freshness.days",
        ),
        (r#"{"boosts": [{"where": "explicit", "weight": 1e9}]}"#, "request.boosts[0].weight"),
        (r#"{"floor": -0.1}"#, "request.floor"),
        (r#"{"diversity": {"strength": 1.5}}"#, "request.diversity.strength"),
        (r#"{"calibration": {"field": "genres", "strength": 2}}"#, "request.calibration.strength"),
        (
            r#"{"calibration": {"field": "genres", "strength": 1, "target": {"jazz": -1}}}"#,
            "request.calibration.target",
        ),
        (r#"{"caps": {"label": 0}}"#, "request.caps"),
        (r#"{"caps": {"label": 1.5}}"#, "request.caps"),
        (r#"{"quotas": [{"where": "explicit", "least": 1.2}]}"#, "request.quotas[0].least"),
        (r#"{"pins": [{"item": "3", "position": -1}]}"#, "request.pins[0].position"),
        (
            r#"{"pools": [{"name": "a", "items": [], "positions": [0, 0]}]}"#,
            "request.pools[0].positions",
        ),
        (r#"{"pools": [{"name": "a", "items": [], "least": -1}]}"#, "request.pools[0].least"),
        (r#"{"rotation": {"rate": 2, "hours": 1}}"#, "request.rotation.rate"),
        (r#"{"explore": {"slots": [10000]}}"#, "request.explore.slots"),
        (r#"{"explore": {"slots": [1], "temperature": 0}}"#, "request.explore.temperature"),
        (r#"{"explore": {"slots": [1], "candidates": 1}}"#, "request.explore.candidates"),
        (r#"{"candidates": 0}"#, "request.candidates"),
        (r#"{"candidates": 10001}"#, "request.candidates"),
        // Contradictions.
        (
            r#"{"quotas": [{"name": "q", "where": "explicit", "least": 0.6, "most": 0.5}]}"#,
            "quotas",
        ),
        (
            r#"{"quotas": [{"name": "a", "where": "explicit", "least": 0.6}, {"name": "b", "where": "not explicit", "least": 0.6}]}"#,
            "quotas.b",
        ),
        (r#"{"pools": [{"name": "many", "items": ["3"], "least": 11}]}"#, "many"),
        (
            r#"{"pins": [{"item": "3", "position": 1}, {"item": "4", "position": 1}]}"#,
            "pins[1].position",
        ),
        (
            r#"{"pins": [{"item": "3", "position": 1}, {"item": "3", "position": 2}]}"#,
            "pins[1].item",
        ),
        (r#"{"pins": [{"item": "3", "position": 10}]}"#, "pins[0].position"),
        (
            r#"{"pools": [{"name": "a", "items": [], "positions": [1]}, {"name": "b", "items": [], "positions": [1]}]}"#,
            "pools[1].positions",
        ),
        (r#"{"rotation": {"rate": 1, "hours": 1}}"#, "now"),
        (r#"{"where": "released > age(\"3d\")"}"#, "moment"),
        // Columns that do not exist, or are of another kind.
        (r#"{"where": "yaer > 3"}"#, "year"),
        (r#"{"quotas": [{"where": "yaer > 3", "least": 1}]}"#, "quotas[0]"),
        (r#"{"boosts": [{"value": "label * 2", "weight": 1}]}"#, "boosts[0]"),
        (
            r#"{"now": 1e12, "freshness": {"field": "relesed", "days": 9, "weight": 1}}"#,
            "released",
        ),
        (
            r#"{"now": 1e12, "freshness": {"field": "year", "days": 9, "weight": 1}}"#,
            "freshness.field",
        ),
        (r#"{"caps": {"lable": 2}}"#, "label"),
        (r#"{"caps": {"rating": 2}}"#, "caps"),
        (r#"{"caps": {"title": 2}}"#, "caps"),
        (r#"{"calibration": {"field": "genre", "strength": 1}}"#, "genres"),
        (r#"{"calibration": {"field": "rating", "strength": 1}}"#, "calibration.field"),
        (
            r#"{"calibration": {"field": "genres", "strength": 1, "target": {"polka": 1}}}"#,
            "polka",
        ),
        (
            r#"{"calibration": {"field": "genres", "strength": 1, "target": "bandit"}}"#,
            "calibration.field",
        ),
        (
            r#"{"calibration": {"field": "year", "strength": 1, "target": {"1970": 1}}}"#,
            "calibration",
        ),
        (r#"{"interests": 2, "labels": ["gneres"]}"#, "genres"),
        (r#"{"where": "year == $y", "params": {"y": "x"}}"#, ""),
    ] {
        let error = refusal(&mut nf, text);
        assert!(matches!(error, Error::Arg { .. } | Error::Filter { .. }), "{text}: {error}");
        assert!(error.to_string().contains(place), "{text}: expected {place:?}, found {error}");
    }
}

#[test]
fn what_is_empty_or_null_asks_for_nothing() {
    let mut nf = person();
    let usual = nf.recommend(&Request::default()).unwrap();
    let nulls =
        ["k", "where", "now", "caps", "pins", "explore", "calibration", "weights", "trace"];
    let nulls = nulls.map(|name| format!("\"{name}\": null")).join(",");
    for text in [
        format!("{{{nulls}}}"),
        " {\n} ".into(),
        r#"{"exclude": [], "after": [], "boosts": [], "quotas": [], "pins": [], "pools": [], "windows": [], "labels": [], "context": {}, "caps": {}, "weights": {}}"#.into(),
        r#"{"diversity": {"strength": 0}, "floor": 0, "rotation": {"rate": 0, "hours": 1}, "interests": 0}"#.into(),
        r#"{"params": {}, "seed": 9007199254740992, "k": 1e1, "recall": "exhaustive"}"#.into(),
    ] {
        let request = nf.read_request(&text).unwrap();
        assert_eq!(nf.recommend(&request).unwrap(), usual, "{text}");
    }
    // A target without shares is no mix: it is told, and nothing is calibrated.
    for target in ["{}", r#"{"jazz": 0}"#] {
        let text = format!(
            r#"{{"calibration": {{"field": "genres", "strength": 1, "target": {target}}}}}"#
        );
        let request = nf.read_request(&text).unwrap();
        let slate = nf.recommend(&request).unwrap();
        assert_eq!(slate.items, usual.items);
        assert_eq!(slate.warnings.len(), 1, "{text}");
    }
}

#[test]
fn texts_of_any_size_and_depth() {
    let mut nf = person();
    for depth in [30, 100, 10_000, 400_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            refusal(&mut nf, &nested);
            refusal(&mut nf, &format!(r#"{{"where": {nested}}}"#));
            refusal(&mut nf, &open.repeat(depth));
        }
    }
    let long = "x".repeat(2 << 20);
    for text in [long.clone(), format!("{{\"where\": \"{long}\"}}"), " ".repeat(2 << 20)] {
        assert!(refusal(&mut nf, &text).to_string().len() < 2000);
    }
    let name = "x".repeat(900_000);
    let error = refusal(&mut nf, &format!("{{\"{name}\": 1}}")).to_string();
    assert!(error.len() < 2000, "{}", error.len());
    // A million bytes that mean something.
    let ids = vec!["\"none\""; 100_000].join(",");
    let request = nf.read_request(&format!("{{\"after\": [{ids}]}}")).unwrap();
    assert_eq!(nf.recommend(&request).unwrap().items.len(), 10);
}

#[test]
fn what_native_programs_fill_in_is_checked_too() {
    let mut nf = person();
    let explore = |slots: &[usize], temperature, candidates| {
        let (slots, method) = (slots.to_vec(), ExploreMethod::Softmax);
        Some(Explore { slots, method, temperature, candidates })
    };
    let quota = |least, most| Quota { name: "q".into(), where_: "explicit".into(), least, most };
    let pin = Pin { item: "3".into(), position: 10 };
    let usual = Request::default;
    for (request, place) in [
        (Request { k: 0, ..usual() }, "k"),
        (Request { k: 10_001, ..usual() }, "k"),
        (Request { floor: f64::NAN, ..usual() }, "floor"),
        (Request { focus: -1.0, ..usual() }, "focus"),
        (Request { taste_weight: f64::NAN, ..usual() }, "weights.taste"),
        (Request { prior_weight: f64::INFINITY, ..usual() }, "weights.prior"),
        (
            Request { rotation: Some(Rotation { rate: 1.0, hours: f64::NAN }), ..usual() },
            "rotation.hours",
        ),
        (Request { explore: explore(&[1], f64::NAN, 5), ..usual() }, "explore.temperature"),
        (Request { explore: explore(&[10], 1.0, 5), ..usual() }, "explore.slots"),
        (Request { explore: explore(&[2, 2], 1.0, 5), ..usual() }, "explore.slots"),
        (Request { quotas: vec![quota(f64::NAN, 1.0)], ..usual() }, "quotas"),
        (Request { pins: vec![pin], ..usual() }, "pins[0].position"),
        (Request { candidates: Some(usize::MAX), ..usual() }, "candidates"),
        (Request { windows: Vec::new(), ..usual() }, "windows"),
        (
            Request {
                now_ms: Some(0),
                freshness: Some(Freshness { field: "released".into(), days: -1.0, weight: 1.0 }),
                ..usual()
            },
            "freshness.days",
        ),
    ] {
        let error = nf.recommend(&request).unwrap_err();
        assert!(error.to_string().contains(place), "{place}: {error}");
    }
    // Moments at the ends of what the type holds, and more interests than there are items.
    for now_ms in [i64::MIN, -1, 0, i64::MAX] {
        let request = Request { now_ms: Some(now_ms), interests: Interests::Most(99), ..usual() };
        let rotation = Some(Rotation { rate: 1.0, hours: 1e6 });
        for request in [request.clone(), Request { rotation, ..request.clone() }] {
            assert_eq!(nf.recommend(&request).unwrap().items.len(), 10);
            nf.rows(&request).unwrap();
            nf.summary(&request, &SummaryColumns::default()).unwrap();
        }
    }
    let request = Request { explore: explore(&[1], 1.0, 0), ..usual() };
    assert_eq!(nf.recommend(&request).unwrap().items.len(), 10);
}

#[test]
fn scenarios_are_checked_when_they_are_read() {
    for (text, place) in [
        ("{", "scenarios"),
        ("[]", "scenarios"),
        (r#"{"home": 3}"#, "scenarios.home"),
        (r#"{"home": {"kk": 3}}"#, "scenarios.home"),
        (r#"{"home": {"k": 0}}"#, "scenarios.home.k"),
        (r#"{"home": {"diversity": {"strength": 2}}}"#, "scenarios.home.diversity.strength"),
        (r#"{"home": {"trace": true}}"#, "trace"),
        (r#"{"home": {}, "home": {}}"#, "once"),
    ] {
        let error = Scenarios::from_json(text).unwrap_err().to_string();
        assert!(error.contains(place), "{text}: {error}");
    }
    assert_eq!(
        Scenarios::from_json(r#"{"a": {}, "__proto__": {"k": 3}}"#).unwrap().names().count(),
        2
    );
}
