//! The same answers on every target. This file runs natively and, compiled to WebAssembly, in a
//! browser; the digests below are the same for both, to the last bit of every score.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

use nearfield::{
    AlignedBytes, Backend, ColdStart, Effort, Entry, Event, Index, Interaction, ItemSet, Kind,
    Limits, NeighbourScores, Ordinal, Past, Profile, Query, Recommender, Request, Searcher,
    SeededRng, Selector, Slate, SummaryColumns, Target, Taste, TasteOptions, Window,
    neighbour_shares, presence, summary,
};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

#[path = "support/requests.rs"]
mod requests;

const SMALL: &[u8] = include_bytes!("fixtures/small-v1.nf");
const SMALL_INNER_PRODUCT: &[u8] = include_bytes!("fixtures/small-ip-v1.nf");
const SMALL_EUCLIDEAN: &[u8] = include_bytes!("fixtures/small-euclid-v1.nf");
const SMALL_NEIGHBOURS: &[u8] = include_bytes!("fixtures/small-neighbours-v1.nf");
const EMPTY: &[u8] = include_bytes!("fixtures/empty-v1.nf");
const ONE: &[u8] = include_bytes!("fixtures/one-v1.nf");

fn open(bytes: &[u8]) -> Index {
    Index::open(AlignedBytes::copy_of(bytes).unwrap()).unwrap()
}

fn entry(sequence: u64, event: Event) -> Entry {
    Entry { device: "d".into(), sequence, at_ms: 1e12 + sequence as f64 * 1e7, event }
}

/// Everything a slate says, as bytes.
fn write(nf: &Recommender, slate: &Slate, out: &mut Vec<u8>) {
    for (i, item) in slate.items.iter().enumerate() {
        out.extend(nf.index().id(item.ordinal).unwrap().as_bytes());
        out.extend(item.score.to_bits().to_le_bytes());
        for share in slate.because.get(i).into_iter().flatten() {
            out.extend(share.item.0.to_le_bytes());
            out.extend(share.share.to_bits().to_le_bytes());
        }
    }
    out.extend((slate.n_qualifying as u64).to_le_bytes());
    out.extend(slate.basis.as_str().as_bytes());
}

/// The digest of a thousand random answers: random requests, on a profile that grows by random
/// interactions and exclusions.
fn digest_of_a_thousand_answers(archive: &[u8]) -> u64 {
    let mut nf = Recommender::new(open(archive));
    let n = nf.index().len();
    let dim = nf.index().dim();
    let mut rng = SeededRng::new(2026, 11);
    let mut out = Vec::new();
    let filters = [
        None,
        None,
        Some(r#"genres has "jazz""#),
        Some(r#"genres has any ["rock", "blues"] and year >= 1970"#),
        Some("not explicit or rating > 7.5"),
    ];
    for i in 0..1000 {
        if rng.below(3) == 0 {
            let kinds = [Kind::Like, Kind::Dislike, Kind::Play, Kind::Save, Kind::Skip];
            let weight = (rng.below(4) == 0).then(|| rng.normal());
            let source = [None, Some("party"), Some("home")][rng.below(3)].map(str::to_owned);
            let event = match rng.below(12) {
                0 => Event::Exclude {
                    selector: Selector { source: Some("party".into()), ..Selector::default() },
                    forget_seen: rng.below(2) == 0,
                },
                1 => Event::Include {
                    selector: Selector { source: Some("party".into()), ..Selector::default() },
                },
                _ => Event::Interaction(Interaction {
                    weight,
                    source,
                    ..Interaction::new(rng.below(n).to_string(), kinds[rng.below(5)])
                }),
            };
            nf.record(entry(i, event)).unwrap();
        }
        if nf.profile().len() > 40 {
            nf.clear_profile();
        }
        let limits =
            Limits { k: 1 + rng.below(30), where_: filters[rng.below(5)], ..Limits::default() };
        let slate = match rng.below(3) {
            0 => nf.similar(Target::Item(&rng.below(n).to_string()), &limits),
            1 => {
                let vector: Vec<f32> = (0..dim).map(|_| rng.normal() as f32).collect();
                nf.similar(Target::Vector(&vector), &limits)
            }
            _ => nf.recommend(&Request {
                k: limits.k,
                where_: limits.where_.map(str::to_owned),
                explain: 3,
                ..Request::default()
            }),
        };
        write(&nf, &slate.unwrap(), &mut out);
    }
    xxhash_rust::xxh3::xxh3_64(&out)
}

#[test]
fn a_thousand_answers_are_the_same_everywhere() {
    // Changed knowingly when the arithmetic of scores changes: print the left sides.
    let found = [SMALL, SMALL_INNER_PRODUCT, SMALL_EUCLIDEAN].map(digest_of_a_thousand_answers);
    let expected = [0x88a3_286f_6d0b_f553, 0x1a51_2e60_b1d1_0e70, 0x7bbf_2c71_f7ca_c6e4];
    assert_eq!(found, expected, "{found:#x?}");
}

/// The digest of a thousand tastes: random profiles under random options, with user vectors,
/// shares, draws, interests, summaries and what cold starts need.
fn digest_of_a_thousand_tastes(archive: &[u8]) -> u64 {
    let index = open(archive);
    let n = index.len();
    let cold = ColdStart::new(&index).unwrap();
    let columns =
        SummaryColumns { mix: Some("genres"), age: Some("released"), labels: &["genres", "year"] };
    let mut rng = SeededRng::new(2026, 22);
    let mut out: Vec<u8> = Vec::new();
    let write = |out: &mut Vec<u8>, numbers: &[f64]| {
        numbers.iter().for_each(|x| out.extend(x.to_bits().to_le_bytes()));
    };
    for case in 0..1000 {
        let mut profile = Profile::default();
        for sequence in 0..1 + rng.below(60) as u64 {
            let kind = Kind::ALL[rng.below(Kind::ALL.len())];
            let weight = (kind == Kind::Rating || rng.below(4) == 0).then(|| 2.0 * rng.normal());
            let context = vec![("device".to_owned(), ["tv", "phone"][rng.below(2)].to_owned())];
            let event = Event::Interaction(Interaction {
                item: rng.below(n).to_string(),
                kind,
                weight,
                source: None,
                taste: true,
                context,
            });
            let at_ms = 1e12 + (rng.uniform() * 34_359_738_368.0).floor();
            profile.append(Entry { at_ms, ..entry(sequence, event) }).unwrap();
        }
        let window = |max_age_ms, weight| Window { name: "w".into(), max_age_ms, weight };
        let options = TasteOptions {
            now_ms: (rng.below(4) > 0).then(|| 1_040_000_000_000 + rng.below(1 << 30) as i64),
            half_lives: vec![(Kind::Rating, Some(1.0 + 100.0 * rng.uniform()))],
            windows: match rng.below(3) {
                0 => vec![window(Some(1 << 33), 2.0 * rng.uniform() + 0.1), window(None, 1.0)],
                _ => vec![window(None, 1.0)],
            },
            context: vec![("device".into(), "tv".into())],
            context_strength: [0.0, 0.3, 1.0][rng.below(3)],
        };
        let past = Past::of(&profile, &index).unwrap();
        let Some(taste) = Taste::fold_in(&index, &past, &options).unwrap() else { continue };
        write(&mut out, taste.vector());
        write(&mut out, &taste.sample(&mut rng, 1.0));
        let items = [0; 3].map(|_| Ordinal(rng.below(n) as u32));
        for share in taste.because(&index, items[0], 5) {
            out.extend(share.item.0.to_le_bytes());
            write(&mut out, &[share.share]);
        }
        write(&mut out, &[cold.crossing(&index, Some(&taste), &items), taste.jitter()]);
        // What is made of a history goes through more code but fewer shapes.
        if case % 10 > 0 {
            continue;
        }
        let found = summary(&index, taste.history(), &columns).unwrap();
        for interest in &found.interests {
            interest.members.iter().for_each(|m| out.extend(m.0.to_le_bytes()));
            write(&mut out, &interest.vector);
            out.extend(format!("{:?}", interest.labels).bytes());
        }
        for (value, share) in &found.mix {
            out.extend(value.bytes());
            write(&mut out, &[*share]);
        }
        for axis in [found.exploring, found.niche, found.new, found.varied].into_iter().flatten() {
            write(&mut out, &[axis.value, axis.measured]);
        }
        let all = ItemSet::full(n);
        let asked = cold.informative(&index, Some(&taste), &all, 5, case).unwrap();
        asked.iter().for_each(|item| out.extend(item.0.to_le_bytes()));
    }
    xxhash_rust::xxh3::xxh3_64(&out)
}

#[test]
fn a_thousand_tastes_are_the_same_everywhere() {
    // Changed knowingly when the arithmetic of tastes changes: print the left sides.
    let found = [SMALL, SMALL_INNER_PRODUCT, SMALL_EUCLIDEAN].map(digest_of_a_thousand_tastes);
    let expected = [0xe9c3_4894_08d1_3c61, 0xba45_674e_0791_34c1, 0x1dce_dfa8_96f7_ad45];
    assert_eq!(found, expected, "{found:#x?}");
}

/// The digest of two hundred and fifty slates for random profiles by random requests, which ask for
/// everything that a request can.
fn digest_of_slates(archive: &[u8]) -> u64 {
    let mut nf = Recommender::new(open(archive));
    let n = nf.index().len();
    let mut rng = SeededRng::new(2026, 33);
    let mut out = Vec::new();
    for case in 0..250 {
        if case % 25 == 0 {
            nf.clear_profile();
            let entries: Vec<Entry> =
                (0..rng.below(80) as u64).map(|i| requests::entry(&mut rng, n, i)).collect();
            entries.into_iter().for_each(|entry| assert!(nf.record(entry).unwrap()));
        }
        let request = nf.read_request(&requests::request(&mut rng, n)).unwrap();
        let request = Request { parts: true, ..request };
        match nf.recommend(&request) {
            Ok(slate) => write_slate(&nf, &slate, &mut out),
            Err(error) => out.extend(error.code().as_str().bytes()),
        }
        if case % 10 == 0 {
            nf.rows(&request).iter().flatten().for_each(|row| write_slate(&nf, row, &mut out));
        }
    }
    xxhash_rust::xxh3::xxh3_64(&out)
}

/// Everything that a slate says, as bytes.
fn write_slate(nf: &Recommender, slate: &Slate, out: &mut Vec<u8>) {
    write(nf, slate, out);
    let parts = slate.parts.iter().flat_map(|parts| &parts.values).copied();
    let propensities = slate.propensities.iter().map(|p| p.unwrap_or(-1.0));
    let explored = slate.explored.iter().flat_map(|s| [f64::from(s.ordinal.0), s.score]);
    let vectors = slate.interests.iter().flat_map(|i| i.vector.iter().copied());
    for x in parts.chain(propensities).chain(explored).chain(vectors) {
        out.extend(x.to_bits().to_le_bytes());
    }
    for step in &slate.trace {
        out.extend(step.reason.bytes());
        for passed in &step.passed {
            out.extend(passed.item.0.to_le_bytes());
            out.extend(passed.why.bytes());
            let likeness = passed.similar.map_or(-2.0, |(_, likeness)| likeness);
            out.extend(likeness.to_bits().to_le_bytes());
        }
    }
    out.extend(format!("{:?}{:?}{:?}", slate.interest_of, slate.unmet, slate.warnings).bytes());
}

#[test]
fn a_thousand_slates_are_the_same_everywhere() {
    // Changed knowingly when the arithmetic of scores or the order of rules changes: print the left
    // sides.
    let archives = [SMALL, SMALL_INNER_PRODUCT, SMALL_EUCLIDEAN, SMALL_NEIGHBOURS];
    let found = archives.map(digest_of_slates);
    let expected = [
        0x6b97_aa35_a1bb_af90,
        0xb0d0_0f89_2014_5e7f,
        0x457d_59a7_0a7b_ffe2,
        0xebb6_e9c5_b61f_19cd,
    ];
    assert_eq!(found, expected, "{found:#x?}");
}

/// The digest of a thousand random histories' sums of weights between items.
#[test]
fn sums_of_weights_between_items_are_the_same_everywhere() {
    let index = open(SMALL_NEIGHBOURS);
    let weights = index.neighbours().unwrap();
    let mut rng = SeededRng::new(2026, 12);
    let mut scores = NeighbourScores::default();
    let mut out = Vec::new();
    for _ in 0..1000 {
        let mut draw = || (Ordinal(rng.below(index.len()) as u32), presence(rng.normal()));
        let history: Vec<(Ordinal, f64)> = (0..8).map(|_| draw()).collect();
        scores.score(&weights, history.iter().copied()).unwrap();
        for item in scores.touched() {
            out.extend(item.0.to_le_bytes());
            out.extend(scores.of(*item).to_bits().to_le_bytes());
            let shares = neighbour_shares(&weights, history.iter().copied(), *item).unwrap();
            assert_eq!(shares.iter().fold(0.0, |sum, s| sum + s), scores.of(*item));
        }
    }
    let found = xxhash_rust::xxh3::xxh3_64(&out);
    let expected = 0x21b9_28f1_033a_d261_u64;
    assert_eq!(found, expected, "{found:#x}");
}

#[test]
fn golden_archives_open_and_verify() {
    for (bytes, n) in [
        (SMALL, 300),
        (SMALL_INNER_PRODUCT, 300),
        (SMALL_EUCLIDEAN, 300),
        (SMALL_NEIGHBOURS, 300),
        (EMPTY, 0),
        (ONE, 1),
    ] {
        let index = open(bytes);
        index.verify().unwrap();
        assert_eq!(index.len(), n);
        let mut nf = Recommender::new(index);
        let slate = nf.recommend(&Request { k: 400, ..Request::default() }).unwrap();
        assert_eq!(slate.items.len(), n);
    }
}

#[test]
fn backends_give_the_same_bits() {
    for bytes in [SMALL, SMALL_INNER_PRODUCT, SMALL_EUCLIDEAN] {
        let index = open(bytes);
        let all = ItemSet::full(index.len());
        for item in (0..index.len() as u32).step_by(7).map(Ordinal) {
            let query = Query::item(&index, item).unwrap();
            let answer = |b| {
                Searcher::with_backend(b).search(&index, &query, 20, &all, Effort::Usual).to_vec()
            };
            let expected = answer(Backend::Scalar);
            for backend in Backend::available() {
                assert_eq!(answer(backend), expected, "{backend:?}");
            }
        }
    }
    #[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
    assert_eq!(Backend::available(), [Backend::Scalar, Backend::Simd128]);
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    assert_eq!(
        Backend::available(),
        [Backend::Scalar, Backend::Simd128, Backend::RelaxedPairs, Backend::Relaxed]
    );
}

#[test]
fn memory_that_is_refused_is_a_typed_error() {
    // More than any allocation can be, in WebAssembly and natively.
    let too_much = usize::MAX - 63;
    match AlignedBytes::zeroed(too_much) {
        Err(nearfield::Error::Memory { needed_bytes }) => {
            assert_eq!(needed_bytes, too_much as u64)
        }
        _ => panic!("refused memory is an error"),
    }
    // And the instance goes on.
    open(SMALL).verify().unwrap();
}
