//! The profile as a log: exclusion in every form, merging, compaction, and what is refused.

#![cfg(feature = "build")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

mod support;

use std::sync::LazyLock;

use nearfield::build::{BuildOptions, build};
use nearfield::{
    Entry, Event, Expr, Index, Interaction, ItemSet, Kind, Limits, Metric, Past, Placed, Profile,
    Recommender, Request, SeededRng, Selector, Shown,
};
use support::{catalog, open, options};

const N: usize = 120;
/// When the logs of these tests begin; one entry a second, some at the same moment.
const START_MS: i64 = 1_700_000_000_000;

fn index() -> Index {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let (table, vectors) = catalog(N, 8, 4);
        build(&table, &vectors, &options(Metric::Cosine)).unwrap().bytes
    });
    open(&BYTES)
}

fn entry(sequence: u64, at_ms: i64, event: Event) -> Entry {
    Entry { device: "d".into(), sequence, at_ms: at_ms as f64, event }
}

fn one_of<T: Clone>(rng: &mut SeededRng, all: &[T]) -> T {
    all[rng.below(all.len())].clone()
}

fn context(rng: &mut SeededRng) -> Vec<(String, String)> {
    let mut context = Vec::new();
    for (key, values) in [("hour", ["morning", "evening"]), ("device", ["tv", "phone"])] {
        if rng.below(3) > 0 {
            context.push((key.to_owned(), one_of(rng, &values).to_owned()));
        }
    }
    context
}

/// Something that a person did, or was shown.
fn random_event(rng: &mut SeededRng) -> Event {
    if rng.below(5) == 0 {
        let n_items = rng.below(6) as u32;
        let placed = |position| Placed {
            item: rng.below(N + 5).to_string(),
            position,
            propensity: (rng.below(2) == 0).then(|| 0.1 + 0.9 * rng.uniform()),
        };
        let items = (0..n_items).map(placed).collect();
        let slate = format!("slate {}", rng.below(100));
        let policy = one_of(rng, &[None, Some("softmax".to_owned())]);
        return Event::Shown(Shown { slate, policy, context: context(rng), items });
    }
    let kind = one_of(rng, &Kind::ALL);
    let weight = (kind == Kind::Rating || rng.below(4) == 0).then(|| rng.normal() * 2.0);
    let source = one_of(rng, &[None, Some("party".to_owned()), Some("home".to_owned())]);
    Event::Interaction(Interaction {
        weight,
        source,
        context: context(rng),
        taste: rng.below(8) > 0,
        ..Interaction::new(rng.below(N + 5).to_string(), kind)
    })
}

fn history(rng: &mut SeededRng, n: usize) -> Vec<Entry> {
    (0..n as u64)
        .map(|sequence| {
            let at_ms = START_MS + rng.below(n) as i64 * 1000;
            entry(sequence, at_ms, random_event(rng))
        })
        .collect()
}

const PROGRAMS: [&str; 4] =
    [r#"genres has "jazz""#, "year >= 1980", "not explicit and rating < 5", "exists(label)"];

/// A selector with any of the forms, at least one.
fn selector(rng: &mut SeededRng, n: usize) -> Selector {
    loop {
        let mut time = || (rng.below(4) == 0).then(|| START_MS + rng.below(n) as i64 * 1000);
        let (from_ms, to_ms) = (time(), time());
        let selector = Selector {
            source: (rng.below(4) == 0).then(|| "party".into()),
            item: (rng.below(4) == 0).then(|| rng.below(N).to_string()),
            where_: (rng.below(3) == 0).then(|| one_of(rng, &PROGRAMS).into()),
            from_ms,
            to_ms,
            context: if rng.below(3) == 0 { context(rng) } else { Vec::new() },
        };
        let is_empty_range = from_ms.zip(to_ms).is_some_and(|(from, to)| from >= to);
        if selector != Selector::default() && !is_empty_range {
            return selector;
        }
    }
}

/// What a selector means, read off its documentation.
struct Meaning {
    selector: Selector,
    items: Option<ItemSet>,
    index: Index,
}

impl Meaning {
    fn of(selector: &Selector) -> Self {
        let nf = Recommender::new(index());
        let items = selector.where_.as_deref().map(|it| nf.catalog().select(it).unwrap());
        Self { selector: selector.clone(), items, index: index() }
    }

    fn holds(
        &self,
        at_ms: f64,
        item: &str,
        source: Option<&str>,
        at: &[(String, String)],
    ) -> bool {
        let Selector { source: s, item: i, from_ms, to_ms, context, .. } = &self.selector;
        let ordinal = self.index.ordinal(item).unwrap();
        (s.is_none() || s.as_deref() == source)
            && (i.is_none() || i.as_deref() == Some(item))
            && from_ms.is_none_or(|from| from as f64 <= at_ms)
            && to_ms.is_none_or(|to| at_ms < to as f64)
            && context.iter().all(|pair| at.contains(pair))
            && self.items.as_ref().is_none_or(|all| ordinal.is_some_and(|o| all.contains(o)))
    }

    fn selects(&self, entry: &Entry, i: &Interaction) -> bool {
        self.holds(entry.at_ms, &i.item, i.source.as_deref(), &i.context)
    }

    /// The log as if what is selected had been recorded without taste.
    fn untasted(&self, all: &[Entry]) -> Vec<Entry> {
        let mut all = all.to_vec();
        for entry in &mut all {
            let was = entry.clone();
            if let Event::Interaction(i) = &mut entry.event {
                i.taste = i.taste && !self.selects(&was, i);
            }
        }
        all
    }

    /// The log as if what is selected had never happened.
    fn never(&self, all: &[Entry]) -> Vec<Entry> {
        let mut all = all.to_vec();
        all.retain_mut(|entry| {
            let at_ms = entry.at_ms;
            match &mut entry.event {
                Event::Interaction(i) => {
                    !self.holds(at_ms, &i.item, i.source.as_deref(), &i.context)
                }
                Event::Shown(shown) => {
                    let context = shown.context.clone();
                    shown.items.retain(|placed| !self.holds(at_ms, &placed.item, None, &context));
                    true
                }
                _ => true,
            }
        });
        all
    }
}

fn profile(entries: &[Entry]) -> Profile {
    let mut profile = Profile::default();
    for entry in entries {
        profile.append(entry.clone()).unwrap();
    }
    profile
}

/// Everything that a log makes of answers, to the last bit.
fn everything(entries: &[Entry]) -> String {
    answers(&profile(entries))
}

fn answers(profile: &Profile) -> String {
    answers_of(&mut afresh(index(), profile))
}

/// A recommender that was never asked anything.
fn afresh(index: Index, profile: &Profile) -> Recommender {
    let mut nf = Recommender::new(index);
    for entry in profile.entries() {
        nf.record(entry.clone()).unwrap();
    }
    nf
}

fn answers_of(nf: &mut Recommender) -> String {
    let slate = nf.recommend(&Request { k: 40, explain: 9, ..Request::default() }).unwrap();
    let bits: Vec<u64> = slate.items.iter().map(|i| i.score.to_bits()).collect();
    let mut counts = Vec::new();
    for program in
        ["seen()", "liked()", "disliked(\"1h\")", "count(\"impression\") >= 1", "count() > 1"]
    {
        let now_ms = Some(START_MS + 10 * 60_000);
        let limits = Limits { where_: Some(program), now_ms, ..Limits::default() };
        counts.push(nf.select(&limits).unwrap().iter().map(|o| o.0).collect::<Vec<_>>());
    }
    format!("{slate:?} {bits:?} {counts:?}")
}

/// The impressions that count, as text.
fn shown(entries: &[Entry]) -> String {
    let (profile, index) = (profile(entries), index());
    let past = Past::of(&profile, &index).unwrap();
    let all: Vec<_> = past.shown().map(|(at, s, placed)| (at, &s.slate, placed)).collect();
    format!("{all:?}")
}

#[test]
fn exclusion_in_every_form_is_exact_retroactive_and_reversible() {
    let mut n_changed = [0; 3];
    for seed in 0..200 {
        let mut rng = SeededRng::new(seed, 7);
        let all = history(&mut rng, 40);
        let selector = selector(&mut rng, 40);
        let meaning = Meaning::of(&selector);
        // Before, between and after: when it was said does not matter.
        let at_ms = START_MS + rng.below(60) as i64 * 1000 - 10_000;
        let with = |forget_seen| {
            let event = Event::Exclude { selector: selector.clone(), forget_seen };
            [&all[..], &[entry(1000, at_ms, event)]].concat()
        };
        let as_recorded = everything(&all);
        let untasted = everything(&meaning.untasted(&all));
        let never = everything(&meaning.never(&all));
        assert_eq!(everything(&with(false)), untasted, "{selector:?}");
        assert_eq!(everything(&with(true)), never, "{selector:?}");
        for forget_seen in [false, true] {
            assert_eq!(shown(&with(forget_seen)), shown(&meaning.never(&all)), "{selector:?}");
        }
        // Taken back, by a selector with its program in the other spelling.
        let where_ = selector.where_.as_deref().map(|it| Expr::read(it).unwrap().to_json());
        let include = Event::Include { selector: Selector { where_, ..selector.clone() } };
        let back = [&with(true)[..], &[entry(1001, at_ms + 1, include)]].concat();
        assert_eq!(everything(&back), as_recorded, "{selector:?}");
        assert_eq!(shown(&back), shown(&all));
        n_changed[0] += usize::from(untasted != as_recorded);
        n_changed[1] += usize::from(never != untasted);
        n_changed[2] += usize::from(shown(&with(false)) != shown(&all));
    }
    assert!(n_changed.iter().all(|n| *n > 30), "the selectors select something: {n_changed:?}");
}

#[test]
fn a_selector_needs_all_of_its_conditions_and_ends_before_its_end() {
    let play = |at_ms| {
        let context = vec![("device".into(), "tv".into()), ("hour".into(), "late".into())];
        let play = Interaction { context, ..Interaction::new("7", Kind::Play) };
        entry(at_ms as u64, at_ms, Event::Interaction(play))
    };
    let index = index();
    let left = |selector: Selector| {
        let event = Event::Exclude { selector, forget_seen: true };
        let log = profile(&[play(10), play(20), play(30), entry(0, 0, event)]);
        let past = Past::of(&log, &index).unwrap();
        past.for_taste().map(|(at, ..)| at).collect::<Vec<_>>()
    };
    let range = |from_ms, to_ms| Selector { from_ms, to_ms, ..Selector::default() };
    let tv = |value: &str| Selector {
        context: vec![("device".into(), value.into())],
        ..Selector::default()
    };
    assert_eq!(left(range(Some(10), Some(30))), [30]);
    assert_eq!(left(range(Some(11), None)), [10]);
    assert_eq!(left(range(None, Some(20))), [20, 30]);
    assert!(left(tv("tv")).is_empty());
    assert_eq!(left(tv("phone")), [10, 20, 30]);
    assert_eq!(left(Selector { from_ms: Some(20), ..tv("tv") }), [10]);
    assert_eq!(left(Selector { item: Some("8".into()), ..tv("tv") }), [10, 20, 30]);
    assert_eq!(left(Selector { source: Some("x".into()), ..range(Some(0), None) }), [10, 20, 30]);
}

#[test]
fn contexts_are_kept_sorted_so_that_equal_selectors_are_equal() {
    let pairs = |keys: &[&str]| {
        keys.iter().map(|key| ((*key).to_owned(), "x".to_owned())).collect::<Vec<_>>()
    };
    let selector = |keys: &[&str]| Selector { context: pairs(keys), ..Selector::default() };
    let like =
        Interaction { context: pairs(&["c", "a", "b"]), ..Interaction::new("7", Kind::Like) };
    let exclude = Event::Exclude { selector: selector(&["b", "a"]), forget_seen: true };
    let log = profile(&[entry(0, 5, Event::Interaction(like)), entry(1, 6, exclude)]);
    let Event::Interaction(kept) = &log.entries().next().unwrap().event else { panic!() };
    assert_eq!(kept.context, pairs(&["a", "b", "c"]));
    let index = index();
    assert_eq!(Past::of(&log, &index).unwrap().seen().count(), 0);
    let mut log = log;
    log.append(entry(2, 7, Event::Include { selector: selector(&["a", "b"]) })).unwrap();
    assert_eq!(Past::of(&log, &index).unwrap().seen().count(), 1);
}

/// Entries of a few devices, some of which were cloned: keys come twice, with different contents.
fn hostile(rng: &mut SeededRng, n: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    for _ in 0..n {
        let event = match rng.below(6) {
            0 => Event::Exclude { selector: selector(rng, n), forget_seen: rng.below(2) == 0 },
            1 => Event::Include { selector: selector(rng, n) },
            _ => random_event(rng),
        };
        let device = one_of(rng, &["a", "b", "c"]).to_owned();
        let at_ms = START_MS + rng.below(8) as i64;
        entries.push(Entry { device, ..entry(rng.below(12) as u64, at_ms, event) });
    }
    entries
}

#[test]
fn what_is_kept_beside_a_log_is_never_that_of_another_log_or_archive() {
    // It lacks half of the other's items, and those it has stand elsewhere.
    let (table, vectors) = catalog(N / 2, 8, 5);
    let few = BuildOptions { lists: Some(5), ..options(Metric::Cosine) };
    let few = build(&table, &vectors, &few).unwrap().bytes;
    let archives: [fn(&[u8]) -> Index; 2] = [|_| index(), open];
    let mut n_shrunk = 0;
    for seed in 0..12 {
        let mut rng = SeededRng::new(seed, 17);
        let mut both = archives.map(|archive| Recommender::new(archive(&few)));
        for _ in 0..25 {
            let n_before = both[0].profile().len();
            let what = rng.below(12);
            let n_new = 1 + rng.below(4);
            let entries = hostile(&mut rng, n_new);
            for nf in &mut both {
                match what {
                    0 => nf.clear_profile(),
                    // Entries are of eight moments; the limit never goes back.
                    1 => _ = nf.compact_profile(START_MS + seed as i64 % 4, 0),
                    _ => entries.iter().for_each(|e| _ = nf.record(e.clone()).unwrap()),
                }
            }
            n_shrunk += usize::from(both[0].profile().len() < n_before);
            // A log that one archive has answered from is the same log for the other.
            let logs = [&both[1], &both[0]].map(|nf| nf.profile().clone());
            for ((nf, archive), log) in both.iter_mut().zip(archives).zip(&logs) {
                assert_eq!(answers_of(nf), answers_of(&mut afresh(archive(&few), log)));
            }
        }
    }
    assert!(n_shrunk > 20, "{n_shrunk}");
}

fn merged(parts: &[&Profile]) -> Profile {
    let mut profile = Profile::default();
    for entry in parts.iter().flat_map(|part| part.entries()) {
        profile.append(entry.clone()).unwrap();
    }
    profile
}

#[test]
fn merging_is_a_union_in_any_order_even_of_cloned_devices() {
    let same = |a: &Profile, b: &Profile| a.entries().eq(b.entries());
    let mut n_conflicts = 0;
    for seed in 0..300 {
        let mut rng = SeededRng::new(seed, 11);
        let [a, b, c] = [0; 3].map(|_| {
            let n = rng.below(25);
            profile(&hostile(&mut rng, n))
        });
        let ab = merged(&[&a, &b]);
        assert!(same(&ab, &merged(&[&b, &a])), "commutative");
        let bc = merged(&[&b, &c]);
        assert!(same(&merged(&[&ab, &c]), &merged(&[&a, &bc])), "associative");
        assert!(same(&merged(&[&ab, &ab, &a]), &ab), "idempotent");
        let mut again = ab.clone();
        assert!(ab.entries().all(|entry| !again.append(entry.clone()).unwrap()));
        // Canonical order, each key once.
        let order: Vec<_> =
            ab.entries().map(|e| (e.at_ms as i64, &e.device, e.sequence)).collect();
        assert!(order.is_sorted() && ab.len() == order.len());
        let mut keys: Vec<_> = ab.entries().map(|e| (&e.device, e.sequence)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), ab.len());
        n_conflicts += usize::from(ab.len() < a.len() + b.len());
    }
    assert!(n_conflicts > 100, "{n_conflicts}");
}

#[test]
fn of_two_entries_under_one_key_a_word_and_then_the_later_one_stays() {
    let like = |at_ms| entry(1, at_ms, Event::Interaction(Interaction::new("7", Kind::Like)));
    let selector = Selector { item: Some("7".into()), ..Selector::default() };
    let exclude = entry(1, 5, Event::Exclude { selector, forget_seen: false });
    let mut log = profile(&[like(20), like(10)]);
    assert_eq!(log.entries().next(), Some(&like(20)));
    assert!(log.append(exclude.clone()).unwrap());
    assert!(!log.append(like(30)).unwrap());
    assert_eq!((log.entries().next(), log.len()), (Some(&exclude), 1));
}

#[test]
fn compacting_is_never_having_recorded_what_is_old() {
    let mut n_dropped = 0;
    for seed in 0..100 {
        let mut rng = SeededRng::new(seed, 13);
        let mut all = history(&mut rng, 50);
        // Words of any age, some about the same selectors.
        let selectors: Vec<Selector> = (0..2).map(|_| selector(&mut rng, 50)).collect();
        for sequence in 0..5 {
            let selector = one_of(&mut rng, &selectors);
            let event = match rng.below(2) {
                0 => Event::Exclude { selector, forget_seen: rng.below(2) == 0 },
                _ => Event::Include { selector },
            };
            all.push(entry(1000 + sequence, START_MS + rng.below(50) as i64 * 1000, event));
        }
        let (now_ms, max_age_ms) = (START_MS + 60_000, 10_000 + rng.below(60) as u64 * 1000);
        let oldest = (now_ms - max_age_ms as i64) as f64;
        let is_word = |e: &Entry| matches!(e.event, Event::Exclude { .. } | Event::Include { .. });
        let young: Vec<Entry> =
            all.iter().filter(|e| is_word(e) || e.at_ms >= oldest).cloned().collect();
        let mut compacted = profile(&all);
        n_dropped += compacted.compact(now_ms, max_age_ms);
        assert_eq!(answers(&compacted), everything(&young));
        // Nothing else was lost, and of the words the latest on each selector stayed.
        let n_deeds = young.iter().filter(|e| !is_word(e)).count();
        assert_eq!(compacted.entries().filter(|e| !is_word(e)).count(), n_deeds);
        assert!(compacted.entries().filter(|e| is_word(e)).count() <= selectors.len());
        assert_eq!(compacted.compact(now_ms, max_age_ms), 0, "once is enough");
        // A merge does not bring back what was dropped, nor what an older word said.
        for entry in &all {
            let is_new = compacted.append(entry.clone()).unwrap();
            assert!(!is_new || is_word(entry));
        }
        assert_eq!(answers(&compacted), everything(&young));
        // The limit never goes back.
        compacted.compact(now_ms, u64::MAX);
        let old = entry(5000, oldest as i64 - 1, random_event(&mut rng));
        assert!(!compacted.append(old.clone()).unwrap());
        assert!(compacted.append(Entry { at_ms: oldest, ..old }).unwrap());
    }
    assert!(n_dropped > 1000, "{n_dropped}");
}

#[test]
fn a_recommender_that_compacts_answers_as_one_that_never_knew() {
    let mut rng = SeededRng::new(3, 0);
    let all = history(&mut rng, 60);
    let selector = Selector { where_: Some(PROGRAMS[0].into()), ..Selector::default() };
    let exclude = entry(900, START_MS, Event::Exclude { selector, forget_seen: true });
    let mut nf = Recommender::new(index());
    all.iter().chain([&exclude]).for_each(|e| assert!(nf.record(e.clone()).unwrap()));
    let request =
        Request { k: 30, explain: 3, where_: Some("not seen()".into()), ..Request::default() };
    nf.recommend(&request).unwrap();
    let now_ms = START_MS + 60_000;
    assert!(nf.compact_profile(now_ms, 20_000) > 0);
    let mut fresh = Recommender::new(index());
    let young = all.iter().filter(|e| e.at_ms >= (now_ms - 20_000) as f64);
    young.chain([&exclude]).for_each(|e| assert!(fresh.record(e.clone()).unwrap()));
    let expected = fresh.recommend(&request).unwrap();
    assert_eq!(nf.recommend(&request).unwrap(), expected);
}

#[test]
fn the_future_and_the_unknown_are_kept() {
    let mut nf = Recommender::new(index());
    let before = nf.recommend(&Request::default()).unwrap();
    let far = 253_402_300_799_999;
    let unknown = entry(0, 5, Event::Interaction(Interaction::new("nowhere", Kind::Like)));
    assert!(nf.record(unknown).unwrap());
    assert_eq!(nf.recommend(&Request::default()).unwrap(), before);
    let future = entry(1, far, Event::Interaction(Interaction::new("7", Kind::Like)));
    assert!(nf.record(future.clone()).unwrap());
    let slate = nf.recommend(&Request { explain: 1, ..Request::default() }).unwrap();
    assert_eq!(slate.because[0][0].at_ms, far);
    assert_eq!(nf.compact_profile(START_MS, 0), 1, "the unknown item's, which is old");
    assert_eq!(nf.profile().entries().next(), Some(&future));
}

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let mut log = Profile::default();
    let pairs = |n: usize| (0..n).map(|i| (format!("k{i:02}"), "v".to_owned())).collect();
    let with_context =
        |context| Event::Interaction(Interaction { context, ..Interaction::new("7", Kind::Like) });
    let shown =
        |items: Vec<Placed>| Event::Shown(Shown { slate: "s".into(), items, ..Shown::default() });
    let placed = |item: &str, propensity| Placed { item: item.into(), position: 0, propensity };
    let exclude = |selector| Event::Exclude { selector, forget_seen: false };
    let range = |from_ms, to_ms| exclude(Selector { from_ms, to_ms, ..Selector::default() });
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    for (event, part) in [
        (with_context(pairs(17)), "context: expected at most 16 pairs, found 17"),
        (with_context(vec![pair("a", "1"), pair("a", "2")]), "context: expected each key once"),
        (with_context(vec![pair("", "1")]), "context: expected 1 to 1024 bytes, found 0 bytes"),
        (with_context(vec![pair("a", &"x".repeat(1025))]), "found 1025 bytes"),
        (shown(vec![placed("a", None); 1001]), "items: expected at most 1000 items, found 1001"),
        (shown(vec![placed("a", None), placed("", None)]), "items.item: "),
        (shown(vec![placed("a", Some(0.0))]), "items.propensity: "),
        (shown(vec![placed("a", Some(f64::NAN))]), "items.propensity: "),
        (shown(vec![placed("a", Some(1.001))]), "items.propensity: "),
        (Event::Shown(Shown::default()), "slate: "),
        (exclude(Selector::default()), "selector: expected a source, item, condition"),
        (range(Some(5), Some(5)), "selector.to: expected a time after"),
        (range(Some(i64::MAX), None), "selector.from: expected milliseconds"),
        (range(None, Some(i64::MIN)), "selector.to: expected milliseconds"),
        (exclude(Selector { context: pairs(17), ..Selector::default() }), "selector.context: "),
        (exclude(Selector { item: Some(String::new()), ..Selector::default() }), "selector.item"),
        (
            exclude(Selector { source: Some("x".repeat(1025)), ..Selector::default() }),
            "selector.source",
        ),
    ] {
        let error = log.append(entry(0, 5, event)).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(log.is_empty());
    }
    assert!(log.append(entry(0, 5, shown(vec![placed("a", Some(1.0))]))).unwrap());
    assert!(log.append(entry(1, 5, shown(Vec::new()))).unwrap());
    assert_eq!(log.shown().count(), 2);
    assert!(log.append(entry(2, 5, with_context(pairs(16)))).unwrap());
}

#[test]
fn every_event_reads_and_writes_as_json() {
    let mut rng = SeededRng::new(5, 0);
    for entry in hostile(&mut rng, 200) {
        let mut sorted = Profile::default();
        sorted.append(entry).unwrap();
        let entry = sorted.entries().next().unwrap();
        let text = serde_json::to_string(entry).unwrap();
        assert_eq!(&serde_json::from_str::<Entry>(&text).unwrap(), entry, "{text}");
    }
    let read = |event: &str| {
        let text = format!(r#"{{"device":"d","sequence":1,"at_ms":5,"event":{event}}}"#);
        let entry = serde_json::from_str::<Entry>(&text).map_err(|error| error.to_string())?;
        Profile::default().append(entry).map_err(|error| error.to_string())
    };
    let shown = r#"{"type":"shown","slate":"s","policy":"p","context":{"hour":"late"},
        "items":[{"item":"a","position":0,"propensity":0.5},{"item":"b","position":1}]}"#;
    assert_eq!(read(shown), Ok(true));
    for (event, part) in [
        (r#"{"type":"seen","item":"a"}"#, "type: expected interaction, shown, exclude or include"),
        (r#"{"type":"interaction","item":"a","kind":"listen"}"#, "kind: expected one of: play"),
        (
            r#"{"type":"interaction","item":"a","kind":"like","context":{"a":"1","a":"2"}}"#,
            "context: expected each key once",
        ),
        (
            r#"{"type":"interaction","item":"a","kind":"like","context":["a"]}"#,
            "object of strings",
        ),
        (r#"{"type":"exclude","selector":{"from_ms":3,"until":5}}"#, "unknown field `until`"),
    ] {
        let error = read(event).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
