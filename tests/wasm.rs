//! The surface for JavaScript, in a browser: what goes in and comes out as JavaScript values is
//! what the engine behind it answers.

#![cfg(all(target_arch = "wasm32", feature = "wasm"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

use js_sys::{Object, Reflect, Uint8Array, WebAssembly};
use nearfield::wasm::Engine;
use nearfield::{AlignedBytes, Entry, Index, Limits, Ordinal, Recommender, Target};
use serde::Deserialize;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const SMALL: &[u8] = include_bytes!("fixtures/small-v1.nf");

#[derive(Deserialize)]
struct Answer {
    ordinals: Vec<u32>,
    scores: Vec<f64>,
    qualifying: f64,
    basis: String,
    #[serde(default)]
    because: Vec<Vec<Share>>,
    #[serde(default)]
    part_names: Vec<String>,
    #[serde(default)]
    parts: Vec<f64>,
}

#[derive(Deserialize)]
struct Share {
    item: String,
    share: f64,
}

/// An engine with these bytes in its buffer, written the way JavaScript does it.
fn loaded(bytes: &[u8]) -> Engine {
    let engine = Engine::new(bytes.len()).unwrap();
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let start = engine.address() as u32;
    let buffer = Uint8Array::new(&memory.buffer());
    buffer.subarray(start, start + bytes.len() as u32).copy_from(bytes);
    engine
}

fn opened() -> Engine {
    let mut engine = loaded(SMALL);
    assert!(engine.arrive(SMALL.len()).unwrap());
    engine.verify(0).unwrap();
    engine
}

/// A plain object from JSON.
fn object(json: &str) -> JsValue {
    js_sys::JSON::parse(json).unwrap()
}

fn code(error: &JsValue) -> String {
    Reflect::get(error, &"code".into()).unwrap().as_string().unwrap()
}

fn answer(object: Object) -> Answer {
    serde_wasm_bindgen::from_value(object.into()).unwrap()
}

#[wasm_bindgen_test]
fn answers_are_the_engines_own() {
    let mut engine = opened();
    let mut nf = Recommender::new(Index::open(AlignedBytes::copy_of(SMALL).unwrap()).unwrap());
    let request = r#"{"k": 7, "where": "year > 1960", "exclude": ["3"]}"#;
    let found = answer(engine.similar(Some("17".into()), &[], request).unwrap());
    let exclude = ["3".to_owned()];
    let limits =
        Limits { k: 7, where_: Some("year > 1960"), exclude: &exclude, ..Limits::default() };
    let expected = nf.similar(Target::Item("17"), &limits).unwrap();
    let ordinals: Vec<u32> = expected.items.iter().map(|i| i.ordinal.0).collect();
    let scores: Vec<f64> = expected.items.iter().map(|i| i.score).collect();
    assert_eq!((found.ordinals, found.scores), (ordinals, scores));
    assert_eq!(found.qualifying, expected.n_qualifying as f64);
    assert_eq!(found.basis, "similarity");
}

#[wasm_bindgen_test]
fn a_like_is_recorded_read_back_and_cited() {
    let mut engine = opened();
    let like = object(
        r#"{"device": "d", "sequence": 3, "at_ms": 1e12,
            "event": {"type": "interaction", "item": "17", "kind": "like", "source": "page"}}"#,
    );
    assert!(engine.append(&like).unwrap());
    assert!(!engine.append(&like).unwrap());
    let entries: Vec<Entry> =
        serde_wasm_bindgen::from_value(engine.entries().unwrap().into()).unwrap();
    let expected: Entry = serde_wasm_bindgen::from_value(like).unwrap();
    assert_eq!(entries, [expected]);

    let request = r#"{"k": 3, "explain": 2, "seen": "exclude", "now": 1e12, "parts": true}"#;
    let found = answer(engine.recommend(request).unwrap());
    assert_eq!((found.basis.as_str(), found.ordinals.len()), ("taste", 3));
    assert_eq!(found.because[0].len(), 1);
    assert_eq!(found.because[0][0].item, "17");
    let parts: Vec<f64> = found.parts[..2].to_vec();
    assert_eq!(found.part_names, ["taste", "prior"]);
    assert!((found.because[0][0].share - parts[0]).abs() < 1e-9);
    assert_eq!(parts[0] + parts[1], found.scores[0]);
    let seen = Index::open(AlignedBytes::copy_of(SMALL).unwrap()).unwrap();
    assert!(found.ordinals.iter().all(|o| seen.id(Ordinal(*o)).unwrap() != "17"));

    engine.clear_profile().unwrap();
    assert_eq!(engine.entries().unwrap().length(), 0);
}

#[wasm_bindgen_test]
fn wrong_requests_have_codes_and_name_the_member() {
    let mut engine = opened();
    for (id, request, part) in [
        (Some("17"), r#"{"kk": 3}"#, "\"kk\""),
        (Some("17"), r#"{"k": -1}"#, "request.k"),
        (Some("17"), r#"{"k": 0}"#, "k: expected a whole number from 1"),
        (Some("17"), r#"{"k": "3"}"#, "request.k: expected a whole number from 1 to 10000, found"),
        (Some("17"), r#"{"k": 3"#, "request: expected"),
        (Some("nobody"), "{}", "the id of an item of this archive"),
        (None, "{}", "24 components, as the archive has"),
    ] {
        let error = engine.similar(id.map(str::to_owned), &[1.0, 2.0], request).unwrap_err();
        let message = String::from(error.unchecked_ref::<js_sys::Error>().message());
        assert!(message.contains(part), "{request}: {message}");
        assert_eq!(code(&error), "E_ARG");
    }
    let wrong = r#"{"where": "yaer > 3"}"#;
    let error = engine.similar(Some("17".into()), &[], wrong).unwrap_err();
    assert_eq!(code(&error), "E_FILTER");
    let mut damaged = SMALL.to_vec();
    damaged[100] ^= 1;
    assert_eq!(code(&loaded(&damaged).arrive(damaged.len()).unwrap_err()), "E_CORRUPT");
    assert_eq!(code(&Engine::new(usize::MAX - 63).err().unwrap()), "E_MEMORY");
}

#[wasm_bindgen_test]
fn cards_hold_own_members_only() {
    let engine = opened();
    let ordinals = [0u32, 5];
    let cards = engine.cards(&ordinals, vec!["title".into(), "year".into()]).unwrap();
    let keys = Object::keys(cards.get(1).unchecked_ref::<Object>());
    assert_eq!(keys.length(), 2);
    assert!(engine.cards(&ordinals, vec!["__proto__".into()]).is_err());
}
