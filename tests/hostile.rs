//! Damaged and hostile archives. On any bytes, `open` gives a typed error or an index whose
//! answers are well formed; with `verify`, a typed error or exactly the true answers.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use nearfield::{
    AlignedBytes, Effort, Entry, Error, Event, Index, Interaction, ItemSet, Kind, Limits, Metric,
    Ordinal, Query, Recommender, Request, Scenarios, Searcher, Slate, Target,
};
use support::archive;

/// Counts what the current thread allocates.
struct Counting;
thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}
#[allow(unsafe_code, reason = "a global allocator is an unsafe trait")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        // SAFETY: the caller's obligations are those of `System`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System`, by `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn try_open(bytes: &[u8]) -> Result<Index, Error> {
    Index::open(AlignedBytes::copy_of(bytes)?)
}

/// Requests that look at every kind of column.
const COMPOSED: [&str; 3] = [
    r#"{"k": 6, "diversity": {"strength": 0.4}, "caps": {"label": 2, "year": 1, "genres": 3}, "parts": true,
        "quotas": [{"where": "explicit", "least": 0.2, "most": 0.6}], "explain": 2, "trace": true,
        "calibration": {"field": "genres", "strength": 0.5}, "pins": [{"item": "4", "position": 1}]}"#,
    r#"{"k": 5, "now": 1.7e12, "interests": 2, "labels": ["genres", "released"], "seen": "include",
        "boosts": [{"value": "rating / energy", "weight": 0.1}, {"where": "year > 1960", "weight": -1}],
        "freshness": {"field": "released", "days": 99, "weight": 0.2}, "explore": {"slots": [1]},
        "calibration": {"field": "explicit", "strength": 0.3, "target": "bandit"}}"#,
    r#"{"k": 9, "weights": {"taste": 0.5, "prior": 1}, "caps": {"released": 1}, "floor": 0.1, "seed": 5,
        "diversity": {"method": "dpp", "strength": 0.4}, "explore": {"slots": [0, 3], "method": "thompson"},
        "pools": [{"name": "p", "items": ["1", "2", "8"], "positions": [2], "least": 2}]}"#,
];

/// Asks an index for everything it can answer. Answers are checked to be well formed and
/// returned as text; errors are typed and returned too.
fn interrogate(index: Index) -> String {
    use std::fmt::Write as _;
    let n = index.len();
    let mut nf = Recommender::new(index);
    let mut out = String::new();
    let check = |slate: &Result<Slate, Error>| {
        if let Ok(slate) = slate {
            assert!(slate.items.len() <= 10 && slate.items.len() <= slate.n_qualifying);
            for item in &slate.items {
                assert!(item.ordinal.index() < n && item.score.is_finite(), "{item:?}");
            }
            for share in slate.because.iter().flatten() {
                assert!(share.item.index() < n && share.share.is_finite());
            }
        }
    };
    for o in 0..n as u32 {
        write!(out, "{:?}", nf.index().id(Ordinal(o))).unwrap();
    }
    for (i, (id, kind)) in
        [("3", Kind::Like), ("7", Kind::Dislike), ("9", Kind::Play)].into_iter().enumerate()
    {
        let event = Event::Interaction(Interaction::new(id, kind));
        let entry = Entry { device: "d".into(), sequence: i as u64, at_ms: 1e12, event };
        nf.record(entry).unwrap();
    }
    let prior = Recommender::new(try_open_again(&nf)).recommend(&Request::default());
    check(&prior);
    let filters = [
        None,
        Some("year > 1960 and rating <= 7.5 or explicit"),
        Some(r#"genres has any ["jazz", "rock"] and not label in ["label 3"]"#),
        Some(r#"released < "1990-01-01" and energy > 2.5 and exists(label)"#),
    ];
    for where_ in filters {
        let limits = Limits { where_, ..Limits::default() };
        let answers = [
            nf.recommend(&Request {
                where_: where_.map(str::to_owned),
                explain: 3,
                ..Request::default()
            }),
            nf.similar(Target::Item("5"), &limits),
            nf.similar(Target::Vector(&[0.5; 6]), &limits),
        ];
        answers.iter().for_each(check);
        write!(out, "{answers:?}").unwrap();
    }
    for text in COMPOSED {
        // Scenarios may be damaged too: requests are read without them.
        let request = Request::from_json(text, &Scenarios::default()).unwrap();
        let answer = nf.recommend(&request);
        check(&answer);
        write!(out, "{answer:?}").unwrap();
    }
    let five = Limits { k: 5, where_: Some("not explicit"), ..Limits::default() };
    let found =
        [nf.find("bleu trian", &five), nf.find("ame", &five), nf.find("oceans eleven", &five)];
    found.iter().for_each(check);
    write!(out, "{found:?}{prior:?}").unwrap();
    for column in nf.catalog().columns() {
        for o in 0..n as u32 {
            write!(out, "{:?}", column.value(Ordinal(o))).unwrap();
        }
        let all = nearfield::ItemSet::full(n);
        write!(out, "{:?}", nf.catalog().facets(column.name(), &all, 100)).unwrap();
    }
    out
}

/// The same archive once more, with nobody's profile.
fn try_open_again(nf: &Recommender) -> Index {
    BYTES.with_borrow(|bytes| try_open(bytes).map_err(|e| (e, nf.index().len())).unwrap())
}

thread_local! {
    static BYTES: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Opens changed bytes and checks both promises; returns whether they opened.
fn probe(changed: &[u8], truth: &str) -> bool {
    let Ok(index) = try_open(changed) else { return false };
    let verified = index.verify().is_ok();
    BYTES.with_borrow_mut(|bytes| changed.clone_into(bytes));
    let answers = interrogate(index);
    assert!(!verified || answers == truth, "verified, but the answers differ");
    true
}

fn truth(bytes: &[u8]) -> String {
    BYTES.with_borrow_mut(|b| bytes.clone_into(b));
    let index = try_open(bytes).unwrap();
    index.verify().unwrap();
    interrogate(index)
}

#[test]
fn every_flipped_byte_and_every_truncation() {
    let mut opened = 0;
    for metric in [Metric::Cosine, Metric::Euclidean] {
        let bytes = archive(20, 6, metric);
        let truth = truth(&bytes);
        for length in 0..bytes.len() {
            assert!(!probe(&bytes[..length], &truth), "opened when cut at {length}");
        }
        for at in 0..bytes.len() {
            for mask in [0x01, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= mask;
                opened += usize::from(probe(&changed, &truth));
            }
        }
    }
    // Damage inside sections must reach the answering code, or this test would show nothing.
    assert!(opened > 1000, "{opened}");
}

#[test]
fn hostile_sections_with_right_checks() {
    // As an attacker would: random damage to sections, checks made right again, so that `verify`
    // holds too. Answers must stay well formed.
    let bytes = archive(20, 6, Metric::InnerProduct);
    let mut rng = nearfield::SeededRng::new(17, 0);
    let mut opened = 0;
    for _ in 0..20_000 {
        let mut changed = bytes.clone();
        for _ in 0..1 + rng.below(4) {
            let at = 64 + rng.below(changed.len() - 64);
            let width = [1, 2, 4, 8][rng.below(4)];
            let value = match rng.below(3) {
                0 => rng.bits(),
                1 => u64::MAX,
                _ => rng.below(100) as u64,
            };
            for (k, byte) in value.to_le_bytes().iter().take(width).enumerate() {
                if let Some(b) = changed.get_mut(at + k) {
                    *b = *byte;
                }
            }
        }
        repair(&mut changed);
        if let Ok(index) = try_open(&changed) {
            BYTES.with_borrow_mut(|b| changed.clone_into(b));
            interrogate(index);
            opened += 1;
        }
    }
    assert!(opened > 5_000, "{opened}");
}

#[test]
fn hostile_lists_and_codes() {
    // Enough items that they are scanned and not scored one by one, in lists. Damage goes to what
    // a search reads, with checks made right; answers must stay well formed, without doubles.
    for metric in [Metric::InnerProduct, Metric::Cosine, Metric::Euclidean] {
        let bytes = support::archive_with(700, 6, metric, 12);
        let mut rng = nearfield::SeededRng::new(23, 0);
        let mut opened = 0;
        for round in 0..1500 {
            let mut changed = bytes.clone();
            // Sections model, lists, blocks, codes, refining.
            let entry = 64 + 32 * [1, 2, 3, 5, 6][round % 5];
            let place = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
            let (offset, length) = (place(entry + 8) as usize, place(entry + 16) as usize);
            for _ in 0..1 + rng.below(3) {
                let at = offset + rng.below(length - 4);
                let value = [0, u32::MAX, rng.bits() as u32, rng.below(800) as u32][rng.below(4)];
                changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
            repair(&mut changed);
            let Ok(index) = try_open(&changed) else { continue };
            opened += 1;
            let mut nf = Recommender::new(index);
            for effort in [Effort::Usual, Effort::Recall(0.5), Effort::Exhaustive] {
                for where_ in [None, Some("year > 1960"), Some("explicit")] {
                    let limits = Limits { where_, effort, ..Limits::default() };
                    let vector: Vec<f32> = (0..6).map(|_| rng.normal() as f32).collect();
                    for target in [Target::Vector(&vector), Target::Item("5")] {
                        let Ok(slate) = nf.similar(target, &limits) else { continue };
                        let mut ordinals: Vec<_> = slate.items.iter().map(|s| s.ordinal).collect();
                        assert_eq!(ordinals.len(), slate.n_qualifying.min(limits.k));
                        assert!(slate.items.iter().all(|s| s.score.is_finite()));
                        ordinals.sort_unstable();
                        ordinals.dedup();
                        assert_eq!(ordinals.len(), slate.items.len(), "an item comes twice");
                        assert!(ordinals.iter().all(|o| o.index() < 700));
                    }
                }
            }
        }
        assert!(opened > 500, "{opened}");
    }
}

#[test]
fn hostile_columns_and_weights_under_composed_requests() {
    // Damage goes to what composition reads, with checks made right.
    let bytes = std::fs::read("tests/fixtures/small-neighbours-v1.nf").unwrap();
    let mut rng = nearfield::SeededRng::new(29, 0);
    let (mut opened, mut answered) = (0, 0);
    for round in 0..1500 {
        let mut changed = bytes.clone();
        // Sections model, columns, weights between items, texts.
        let entry = 64 + 32 * [1, 3, 6, 8][round % 4];
        let place = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let (offset, length) = (place(entry + 8) as usize, place(entry + 16) as usize);
        for _ in 0..1 + rng.below(4) {
            let at = offset + rng.below(length - 4);
            let value = [0, u32::MAX, rng.bits() as u32, rng.below(400) as u32][rng.below(4)];
            changed[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        repair(&mut changed);
        let Ok(index) = try_open(&changed) else { continue };
        opened += 1;
        let mut nf = Recommender::new(index);
        for (i, id) in ["3", "70", "299"].into_iter().enumerate() {
            let event = Event::Interaction(Interaction::new(id, Kind::Like));
            let entry = Entry { device: "d".into(), sequence: i as u64, at_ms: 1e12, event };
            nf.record(entry).unwrap();
        }
        for text in COMPOSED {
            // The fixture has no column of that name.
            let text = text.replace("energy", "popularity");
            let Ok(request) = nf.read_request(&text) else { continue };
            let some: Vec<String> = (0..40).map(|_| rng.below(300).to_string()).collect();
            let answers = [nf.recommend(&request), nf.rank(&some, &request)];
            for slate in answers.into_iter().flatten() {
                answered += 1;
                let mut ordinals: Vec<_> = slate.items.iter().map(|s| s.ordinal).collect();
                assert!(ordinals.len() <= request.k.min(slate.n_qualifying));
                assert!(slate.items.iter().all(|s| s.score.is_finite()));
                ordinals.sort_unstable();
                ordinals.dedup();
                assert_eq!(ordinals.len(), slate.items.len(), "an item comes twice");
                assert!(ordinals.iter().all(|o| o.index() < 300));
            }
        }
    }
    assert!(opened > 500 && answered > 500, "{opened} {answered}");
}

#[test]
fn damaged_scenarios_are_refused_when_they_are_used() {
    let (table, vectors) = support::catalog(20, 6, 1);
    let scenarios = r#"{"home": {"k": 5, "caps": {"label": 2}, "quotas": [{"where": "explicit", "least": 0.5}]}}"#;
    let options = nearfield::build::BuildOptions {
        scenarios: Some(scenarios.into()),
        ..support::options(Metric::Cosine)
    };
    let bytes = nearfield::build::build(&table, &vectors, &options).unwrap().bytes;
    let start = bytes.windows(7).position(|w| w == b"{\"home\"").unwrap();
    for at in start..start + scenarios.len() {
        for byte in [0, b'"', b'{', b'9', b'-', 0xFF] {
            let mut changed = bytes.clone();
            changed[at] = byte;
            repair(&mut changed);
            let mut nf = Recommender::new(try_open(&changed).unwrap());
            match nf.read_request(r#"{"scenario": "home"}"#) {
                Ok(request) => match nf.recommend(&request) {
                    Ok(slate) => assert!(slate.items.len() <= request.k),
                    Err(error) => assert!(
                        matches!(error, Error::Arg { .. } | Error::Filter { .. }),
                        "{error}"
                    ),
                },
                Err(error) => {
                    assert!(matches!(error, Error::Arg { .. } | Error::Corrupt { .. }), "{error}")
                }
            }
        }
    }
}

#[test]
fn an_archive_that_arrives_answers_as_soon_as_it_can() {
    let bytes = support::archive_with(700, 6, Metric::Cosine, 12);
    let end = |section: usize| {
        let at = 64 + 32 * section;
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        (number(at + 8) + number(at + 16)) as usize
    };
    let (codes, refining, titles) = (end(5), end(6), end(8));
    // What has not arrived is anything but zero.
    let mut partial = bytes.clone();
    partial[codes..].fill(0xA5);
    for arrived in [0, 63, 64, 200, end(1), codes - 1] {
        let buffer = AlignedBytes::copy_of(&partial).unwrap();
        let (error, _) = Index::open_part(buffer, arrived).err().unwrap();
        assert_eq!(error.code().as_str(), "E_NOT_READY", "{arrived}: {error}");
    }
    let buffer = AlignedBytes::copy_of(&partial).unwrap();
    let mut nf = Recommender::new(Index::open_part(buffer, codes).map_err(|e| e.0).unwrap());
    nf.index().verify().unwrap();
    let limits = Limits { where_: Some("year > 1950"), ..Limits::default() };
    let early = nf.similar(Target::Item("5"), &limits).unwrap();
    assert!(early.approximate && early.items.len() == 10);
    assert_eq!(nf.find("blue", &limits).unwrap_err().code().as_str(), "E_NOT_READY");
    // Behind the refining bits everything is garbage still, and it is not looked at.
    let mut more = bytes.clone();
    more[refining..].fill(0xA5);
    let buffer = AlignedBytes::copy_of(&more).unwrap();
    let mut later = Recommender::new(Index::open_part(buffer, refining).map_err(|e| e.0).unwrap());
    let exact = later.similar(Target::Item("5"), &limits).unwrap();
    assert!(!exact.approximate);
    let mut whole = Recommender::new(support::open(&bytes));
    assert_eq!(whole.similar(Target::Item("5"), &limits).unwrap().items, exact.items);
    assert!(later.arrive(titles).is_err(), "titles of garbage are refused");
    assert!(later.similar(Target::Item("5"), &limits).is_ok(), "and the index stays as it was");
}

/// Makes the checks of header, table and sections right again where they can be found.
fn repair(bytes: &mut [u8]) {
    use xxhash_rust::xxh3::xxh3_64;
    let u32_at = |b: &[u8], at: usize| u32::from_le_bytes(b[at..at + 4].try_into().unwrap());
    let u64_at = |b: &[u8], at: usize| u64::from_le_bytes(b[at..at + 8].try_into().unwrap());
    let n_sections = u32_at(bytes, 24) as usize;
    let table_end = 64 + n_sections * 32;
    if table_end > bytes.len() {
        return;
    }
    for entry in (64..table_end).step_by(32) {
        let (offset, length) = (u64_at(bytes, entry + 8), u64_at(bytes, entry + 16));
        let end = offset.saturating_add(length).min(usize::MAX as u64) as usize;
        if let Some(section) = bytes.get(offset as usize..end) {
            let check = xxh3_64(section).to_le_bytes();
            bytes[entry + 24..entry + 32].copy_from_slice(&check);
        }
    }
    let table_check = xxh3_64(&bytes[64..table_end]).to_le_bytes();
    bytes[40..48].copy_from_slice(&table_check);
    let header_check = xxh3_64(&bytes[..56]).to_le_bytes();
    bytes[56..64].copy_from_slice(&header_check);
}

fn error_of(bytes: &[u8]) -> String {
    match try_open(bytes) {
        Ok(_) => "opened".into(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_header_and_table_field_has_its_own_error() {
    let bytes = archive(20, 6, Metric::Cosine);
    let patched = |at: usize, value: &[u8], fix: bool| {
        let mut changed = bytes.clone();
        changed[at..at + value.len()].copy_from_slice(value);
        if fix {
            repair(&mut changed);
        }
        error_of(&changed)
    };
    let u32s = |x: u32| x.to_le_bytes();
    let u64s = |x: u64| x.to_le_bytes();
    for (found, expected) in [
        (patched(0, b"PK", true), "header: the first 8 bytes are the archive magic"),
        (patched(8, &u32s(0), true), "format version 0 is outside 1..=1"),
        (patched(8, &u32s(2), true), "format version 2 is outside 1..=1"),
        (patched(12, &u32s(1), true), "archive flags 0x1 is not supported"),
        (patched(16, &u32s(u32::MAX), true), "the item count is within its limit"),
        (patched(16, &u32s(21), true), "ids: there are n + 1 offsets"),
        (patched(20, &u32s(0), true), "the dimension is within 1 to 4096"),
        (patched(20, &u32s(5000), true), "the dimension is within 1 to 4096"),
        (patched(20, &u32s(7), true), "model: there is one sign a round and dimension"),
        (patched(24, &u32s(65), false), "the header's own check holds"),
        (patched(28, &u32s(1), true), "reserved header fields are zero"),
        (patched(48, &u64s(1), true), "reserved header fields are zero"),
        (patched(32, &u64s(1), true), "the archive is as long as its header says"),
        (patched(40, &u64s(1), false), "the header's own check holds"),
        (patched(56, &u64s(1), false), "the header's own check holds"),
        (patched(64, &u32s(2), true), "sections stand in the order of their kinds"),
        (patched(68, &u32s(1), true), "sections stand in the order of their kinds"),
        (patched(72, &u64s(257), true), "sections begin at multiples of 64"),
        (patched(72, &u64s(0), true), "sections do not overlap"),
        (patched(72, &u64s(1 << 40), true), "sections lie inside the archive"),
        (patched(80, &u64s(u64::MAX), true), "sections lie inside the archive"),
        (patched(80, &u64s(3), true), "ids: it is a well-formed rkyv archive"),
    ] {
        assert!(found.contains(expected), "expected {expected:?}, found {found:?}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(error_of(&longer).contains("as long as its header says"));
    assert!(error_of(b"").contains("magic"));
    assert!(error_of(b"<!doctype html>").contains("magic"));
    assert!(error_of(&bytes[..40]).contains("the header has 64 bytes"));
    let mut few = bytes.clone();
    few[24] = 5;
    repair(&mut few);
    assert!(error_of(&few).contains("each section of this format version stands exactly once"));
    let mut no_table_check = bytes.clone();
    no_table_check[90] ^= 1;
    assert!(error_of(&no_table_check).contains("the table's check holds"));
}

#[test]
fn damage_is_found_by_verify_and_named() {
    let bytes = archive(20, 6, Metric::Cosine);
    let names = [
        "ids",
        "model",
        "lists",
        "blocks",
        "columns",
        "codes",
        "refining",
        "neighbours",
        "titles",
        "texts",
    ];
    for (i, name) in names.iter().enumerate() {
        let entry = 64 + 32 * i;
        let offset = u64::from_le_bytes(bytes[entry + 8..entry + 16].try_into().unwrap());
        let mut changed = bytes.clone();
        changed[offset as usize] ^= 0x10;
        match try_open(&changed) {
            Ok(index) => {
                let error = index.verify().unwrap_err().to_string();
                assert!(error.contains(&format!("{name}: the section's check holds")), "{error}");
            }
            Err(error) => assert!(error.to_string().contains(name), "{error}"),
        }
    }
}

#[test]
fn a_claimed_huge_count_allocates_nothing() {
    let bytes = archive(20, 6, Metric::Cosine);
    let buffer = AlignedBytes::copy_of(&bytes).unwrap();
    let mut huge = bytes.clone();
    huge[16..20].copy_from_slice(&(1u32 << 28).to_le_bytes());
    repair(&mut huge);
    let huge = AlignedBytes::copy_of(&huge).unwrap();
    ALLOCATED.set(0);
    assert!(Index::open(huge).is_err());
    let for_huge = ALLOCATED.get();
    ALLOCATED.set(0);
    let index = Index::open(buffer).unwrap();
    let for_20 = ALLOCATED.get();
    assert!(for_huge < for_20 + 1024, "{for_huge} {for_20}");
    // What opening allocates depends on columns and dimensions, not on the number of items.
    let columns = index.sections().count();
    assert!(columns > 0);
    let many = support::archive_with(20_000, 6, Metric::Cosine, 1);
    let many = AlignedBytes::copy_of(&many).unwrap();
    ALLOCATED.set(0);
    let _many = Index::open(many).unwrap();
    assert_eq!(ALLOCATED.get(), for_20, "opening 20,000 items allocates what 20 do");
}

#[test]
fn a_search_allocates_nothing_after_the_first() {
    let index = support::open(&support::archive_with(3000, 16, Metric::Cosine, 40));
    let mut searcher = Searcher::new();
    let all = ItemSet::full(index.len());
    let third = ItemSet::from_fn(index.len(), |i| i % 3 == 0);
    let queries: Vec<Query> =
        (0..200).map(|i| Query::item(&index, Ordinal(i * 7)).unwrap()).collect();
    for effort in [Effort::Usual, Effort::Recall(0.8), Effort::Exhaustive] {
        for allowed in [&all, &third] {
            for k in [10, 100] {
                searcher.search(&index, &queries[0], k, allowed, effort);
                ALLOCATED.set(0);
                for query in &queries {
                    searcher.search(&index, query, k, allowed, effort);
                }
                assert_eq!(ALLOCATED.get(), 0, "{effort:?}, {} allowed, k = {k}", allowed.count());
            }
        }
    }
}

#[test]
fn the_empty_catalog_and_one_item() {
    for n in [0, 1] {
        for metric in Metric::ALL {
            let index = support::open(&archive(n, 6, metric));
            index.verify().unwrap();
            assert_eq!(index.len(), n);
            let mut nf = Recommender::new(index);
            let slate = nf.recommend(&Request { explain: 1, ..Request::default() }).unwrap();
            assert_eq!(slate.items.len(), n);
            let slate = nf.similar(Target::Vector(&[1.0; 6]), &Limits::default()).unwrap();
            assert_eq!(slate.items.len(), n);
            assert_eq!(
                nf.find("blue", &Limits { k: 3, ..Limits::default() }).unwrap().items.len(),
                n
            );
        }
    }
}
