//! Random and damaged programs: whatever the text, an error with a place in it, or a program that
//! means the same in both spellings and for the second evaluator of `support::rows`. And random
//! and damaged requests: a typed error, or a well-formed answer.
//!
//! A run is as long as `NEARFIELD_FUZZ_SECONDS` says, and a few thousand programs without it.
//! Seeds are fixed, so a failure comes back; its program becomes a case in `tests/predicate.rs`,
//! its request one in `tests/refusals.rs`.

#![cfg(all(feature = "build", not(target_arch = "wasm32")))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

#[path = "support/requests.rs"]
mod requests;
mod support;

use std::time::{Duration, Instant};

use nearfield::{
    Catalog, Error, Expr, Formula, Index, Metric, Ordinal, Predicate, Recommender, Request, Scope,
    SeededRng, Slate,
};
use support::rows::{NOW, Past, Rows, past};
use support::{archive, open};

/// Items: several blocks, and a last one that is not full.
const N: usize = 77;
const PARAMS: &str = r#"{"x": 3, "year": 1970, "text": "jazz", "list": ["jazz", "label 3"], "on": true, "d": "9d"}"#;
const LONGEST_TEXT: usize = 10_000;

/// What programs are made of, valid in some place and not in most.
const PIECES: [&str; 78] = [
    "year",
    "rating",
    "explicit",
    "label",
    "released",
    "energy",
    "genres",
    "title",
    "popularity",
    "and",
    "or",
    "not",
    "between",
    "in",
    "has",
    "any",
    "all",
    "exists(",
    "age(",
    "seen(",
    "liked(",
    "disliked(",
    "count(",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "(",
    ")",
    "[",
    "]",
    ",",
    "{",
    "}",
    ":",
    "$",
    "$x",
    "$list",
    "$text",
    "$on",
    "`",
    "``",
    "\"",
    "\\",
    "\\u",
    "\\ud83c\\udfb7",
    "\\ud800",
    "\"jazz\"",
    "\"label 3\"",
    "\"30d\"",
    "\"1999-12-31\"",
    "\"play\"",
    "true",
    "false",
    "null",
    "0",
    "1.5",
    "-0",
    "1e308",
    "1e-320",
    "12345678901234567890123",
    "1970",
    "__proto__",
    "constructor",
    "NaN",
    "\"field\"",
    "\"param\"",
    "{\"field\":\"year\"}",
    "\u{0}",
    "\u{feff}",
    "ü🎷",
    "七",
];

/// What damaged requests are made of.
const MEMBERS: [&str; 40] = [
    "\"k\":",
    "\"where\":",
    "\"now\":",
    "\"boosts\":[",
    "\"caps\":{",
    "\"quotas\":[",
    "\"pins\":[",
    "\"explore\":{\"slots\":[0]}",
    "\"rotation\":",
    "\"calibration\":",
    "\"target\":{}",
    "\"least\":",
    "\"most\":",
    "\"position\":",
    "\"positions\":[0]",
    "\"strength\":1",
    "\"value\":\"year\"",
    "\"method\":\"dpp\"",
    "\"thompson\"",
    "\"bandit\"",
    "\"auto\"",
    "\"candidates\":",
    "\"genres\"",
    "\"weight\":",
    "\"days\":",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "1",
    "9",
    "-",
    "1e6",
    "1e-6",
    "null",
    "true",
    "\\ud83c",
];

const SEEDS: [&str; 12] = [
    r#"genres has "jazz" and year between 1960 and 1975 and not explicit and seen("30d") == false"#,
    "1 + 0.5 * (genres has any $list) - age(released) / 365",
    r#"label in ["label 1", "label 3"] or label not in [$text]"#,
    r#"released >= age("400w") or released < "1990-01-01" and exists(label)"#,
    r#"count("impression", "7d") < 5 and liked() and disliked("1y") != true"#,
    "-(year - 1940) * -1.5e0 <= $year == true",
    r#"{"and":[{"has":[{"field":"genres"},"jazz"]},{"between":[{"field":"year"},1960,1975]}]}"#,
    r#"{"or":[{"not":{"field":"explicit"}},{"==":[{"seen":"30d"},false]},{"seen":[]}]}"#,
    r#"{">":[{"+":[{"*":[{"field":"year"},2]},{"-":{"field":"rating"}},{"age":{"field":"released"}}]},-1.5]}"#,
    r#"{"all":[{"field":"genres"},{"param":"list"}]}"#,
    r#"{"<":[{"count":["play","30d"]},{"/":[{"field":"rating"},{"field":"energy"}]}]}"#,
    r#"{"in":[{"field":"released"},["1999-12-31",{"param":"text"}]]}"#,
];

fn pick<'a>(rng: &mut SeededRng, from: &[&'a str]) -> &'a str {
    from[rng.below(from.len())]
}

/// A condition that is well typed, mostly.
fn condition(rng: &mut SeededRng, depth: usize) -> String {
    let operators = ["==", "!=", "<", "<=", ">", ">="];
    let windows = ["", "\"9d\"", "\"700h\"", "$d"];
    let texts = ["\"label 3\"", "\"label 9\"", "\"jazz\"", "\"rock\"", "$text", "\"nobody\""];
    if depth > 0 && rng.below(3) > 0 {
        let (a, b) = (condition(rng, depth - 1), condition(rng, depth - 1));
        return match rng.below(7) {
            0 | 1 => format!("({a}) and ({b})"),
            2 | 3 => format!("({a}) or ({b})"),
            4 => format!("not ({a})"),
            5 => format!("({a}) {} {}", pick(rng, &operators[..2]), pick(rng, &["true", "$on"])),
            _ => format!("{a} and {b}"),
        };
    }
    let text = pick(rng, &texts);
    let more = pick(rng, &texts);
    match rng.below(13) {
        0 => pick(rng, &["explicit", "true", "false", "$on"]).to_owned(),
        1 => format!("label {} {text}", pick(rng, &operators[..2])),
        2 => format!("label {} [{text}, {more}]", pick(rng, &["in", "not in"])),
        3 => format!("genres has {text}"),
        4 => format!("genres has {} [{text}, {more}]", pick(rng, &["any", "all"])),
        5 => format!("genres has {} $list", pick(rng, &["any", "all"])),
        6 => format!("exists({})", pick(rng, &PIECES[..9])),
        7 => {
            let dates = ["\"1975-06-01\"", "age(\"900w\")", "released", "age($d)"];
            format!("released {} {}", pick(rng, &operators), pick(rng, &dates))
        }
        8 => format!("{}({})", pick(rng, &["seen", "liked", "disliked"]), pick(rng, &windows)),
        9 => format!("year between {} and {}", number(rng, 0), number(rng, 0)),
        10 => format!("rating in [{}, 5, 7.7]", rng.below(10)),
        _ => format!("{} {} {}", number(rng, 2), pick(rng, &operators), number(rng, 1)),
    }
}

fn number(rng: &mut SeededRng, depth: usize) -> String {
    if depth > 0 && rng.below(3) > 0 {
        let (a, b) = (number(rng, depth - 1), number(rng, depth - 1));
        let op = pick(rng, &["+", "-", "*", "/"]);
        return if rng.below(5) == 0 { format!("-({a})") } else { format!("({a}) {op} {b}") };
    }
    match rng.below(8) {
        0 => format!("{}", rng.below(3000)),
        1 => format!("{}e{}", rng.below(99), rng.below(9) as i32 - 6),
        2 => "age(released)".into(),
        3 => pick(rng, &["count()", "count(\"play\")", "count($d)", "count(\"like\", \"90d\")"])
            .into(),
        4 => format!("({})", condition(rng, 0)),
        5 => "$x".into(),
        _ => pick(rng, &["year", "rating", "energy", "popularity"]).into(),
    }
}

/// A piece of a program put in, taken out, doubled or replaced, at character borders.
fn mutate(rng: &mut SeededRng, text: &mut String, pieces: &[&str]) {
    let border = |rng: &mut SeededRng, text: &str| {
        let mut at = rng.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (a, b) = (border(rng, text), border(rng, text));
    let (low, high) = (a.min(b), a.max(b).min(a.min(b) + 20));
    let high = (high..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap();
    match rng.below(5) {
        0 => text.insert_str(low, pick(rng, pieces)),
        1 => text.insert_str(low, &format!(" {} ", pick(rng, pieces))),
        2 => text.replace_range(low..high, ""),
        3 => {
            let part = text[low..high].to_owned();
            text.insert_str(low, &part.repeat(1 + rng.below(40)));
        }
        _ => text.replace_range(low..high, pick(rng, pieces)),
    }
}

/// Does something for as long as a run is to be, or `n_usual` times; returns how often.
fn until_time_is_up(n_usual: usize, mut next: impl FnMut()) -> usize {
    let seconds = std::env::var("NEARFIELD_FUZZ_SECONDS").ok();
    let seconds = seconds.map(|s| Duration::from_secs(s.parse().unwrap()));
    let began = Instant::now();
    let mut n = 0;
    while seconds.map_or(n < n_usual, |seconds| began.elapsed() < seconds) {
        next();
        n += 1;
    }
    n
}

struct World {
    index: Index,
    past: Past,
    params: serde_json::Value,
    rng: SeededRng,
    /// Programs that compiled, conditions and numbers.
    n_conditions: usize,
    n_numbers: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            index: open(&archive(N, 2, Metric::Cosine)),
            past: past(N),
            params: serde_json::from_str(PARAMS).unwrap(),
            rng: SeededRng::new(seed, 0),
            n_conditions: 0,
            n_numbers: 0,
        }
    }

    /// Runs `next` until the time is up.
    fn run(&mut self, next: fn(&mut SeededRng) -> String) {
        let n = until_time_is_up(5000, || {
            let program = next(&mut self.rng);
            self.check(&program);
        });
        println!("{n} programs, {} conditions, {} numbers", self.n_conditions, self.n_numbers);
        assert!(self.n_conditions > n / 10, "most programs were refused: nothing was tested");
        assert!(self.n_numbers > 0);
    }

    fn check(&mut self, text: &str) {
        let length = text.chars().count();
        let is_placed = |error: &Error| match error {
            Error::Filter { position, .. } => *position <= length,
            Error::Arg { path, .. } => path == "params",
            _ => false,
        };
        let program = match Expr::read(text) {
            Ok(program) => program,
            Err(error) => return assert!(is_placed(&error), "{text:?}: {error}"),
        };
        let (written, json) = (program.to_text(), program.to_json());
        if written.len() <= LONGEST_TEXT {
            assert_eq!(Expr::read(&written).unwrap(), program, "{text:?} as {written:?}");
            assert_eq!(Expr::read(&written).unwrap().to_text(), written);
        }
        // What is a literal alone is text in both spellings; JSON escapes what text does not.
        assert_eq!(Expr::read(&json).unwrap(), program, "{text:?} as {json:?}");
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&json) else {
            // The second reader gives up at 128 brackets, two for each of our 64 levels.
            return assert!(json.matches(['{', '[']).count() > 120, "{json}");
        };
        let catalog = Catalog::new(&self.index);
        let rows = Rows { catalog, past: &self.past, params: &self.params };
        let scope = Scope { params: Some(PARAMS), now_ms: Some(NOW), history: Some(&self.past) };
        let items = || (0..N as u32).map(Ordinal);
        match Predicate::compile(catalog, &program, &scope) {
            Ok(predicate) => {
                self.n_conditions += 1;
                let selected = predicate.select(catalog).unwrap();
                for item in items() {
                    let expected = rows.is_true(&value, item);
                    assert_eq!(selected.contains(item), expected, "{text:?} {item:?}");
                }
            }
            Err(error) => assert!(is_placed(&error), "{text:?}: {error}"),
        }
        match Formula::compile(catalog, &program, &scope) {
            Ok(formula) => {
                self.n_numbers += 1;
                let values = formula.values(catalog).unwrap();
                for item in items() {
                    let found = values[item.index()];
                    match rows.number(&value, item) {
                        Some(x) => assert!(found == x, "{text:?} {item:?}: {found}, not {x}"),
                        None => assert!(found.is_nan(), "{text:?} {item:?}: {found}"),
                    }
                }
            }
            Err(error) => assert!(is_placed(&error), "{text:?}: {error}"),
        }
    }
}

/// A seed or a well-typed program, half of them damaged.
fn any_text(rng: &mut SeededRng) -> String {
    let mut text = match rng.below(6) {
        0 => pick(rng, &SEEDS).to_owned(),
        1 => number(rng, 3),
        _ => condition(rng, 3),
    };
    if rng.below(2) == 0 {
        (0..1 + rng.below(4)).for_each(|_| mutate(rng, &mut text, &PIECES));
    }
    text
}

#[test]
fn text() {
    World::new(1).run(any_text);
}

#[test]
fn json() {
    World::new(2).run(|rng| {
        let text = any_text(rng);
        let mut json = Expr::read(&text).map_or(text, |program| program.to_json());
        if rng.below(2) == 0 {
            (0..1 + rng.below(4)).for_each(|_| mutate(rng, &mut json, &PIECES));
        }
        json
    });
}

/// Checks that an answer is well formed.
fn check_slate(request: &Request, slate: &Slate, n_items: usize) {
    assert!(slate.items.len() <= request.k.min(slate.n_qualifying), "{request:?}");
    let mut ordinals: Vec<Ordinal> = slate.items.iter().map(|item| item.ordinal).collect();
    assert!(ordinals.iter().all(|item| item.index() < n_items));
    assert!(slate.items.iter().all(|item| item.score.is_finite()), "{request:?}");
    assert!(slate.propensities.iter().flatten().all(|p| *p > 0.0 && *p <= 1.0), "{request:?}");
    ordinals.sort_unstable();
    ordinals.dedup();
    assert_eq!(ordinals.len(), slate.items.len(), "an item comes twice: {request:?}");
}

#[test]
fn requests() {
    let mut nf = Recommender::new(open(&archive(N, 2, Metric::Cosine)));
    let mut rng = SeededRng::new(3, 0);
    let (mut n_read, mut n_answered, mut sequence) = (0, 0, 0);
    let n = until_time_is_up(5000, || {
        if rng.below(4) == 0 {
            nf.record(requests::entry(&mut rng, N, sequence)).unwrap();
            sequence += 1;
        }
        if nf.profile().len() > 60 {
            nf.clear_profile();
        }
        let mut text = requests::request(&mut rng, N);
        (0..rng.below(4)).for_each(|_| mutate(&mut rng, &mut text, &MEMBERS));
        let typed = |error: &Error| {
            assert!(matches!(error, Error::Arg { .. } | Error::Filter { .. }), "{text}: {error}");
        };
        let request = match nf.read_request(&text) {
            Ok(request) => request,
            Err(error) => return typed(&error),
        };
        n_read += 1;
        let some: Vec<String> = (0..20).map(|_| rng.below(N).to_string()).collect();
        let answers = [
            nf.recommend(&request),
            nf.rank(&some, &request),
            nf.discover(&some[..2], &some[2..3], &request),
        ];
        n_answered += usize::from(answers[0].is_ok());
        for answer in &answers {
            match answer {
                Ok(slate) => check_slate(&request, slate, N),
                Err(error) => typed(error),
            }
        }
        match nf.rows(&request) {
            Ok(rows) => rows.iter().for_each(|row| check_slate(&request, row, N)),
            Err(error) => typed(&error),
        }
    });
    println!("{n} requests, {n_read} read, {n_answered} answered");
    assert!(n_answered > n / 10, "most requests were refused: nothing was tested");
}
