//! Composition: lists equal plain references of the published methods, and rules are kept.

// The generator of random requests is there natively alone.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

use std::collections::{BTreeMap, BTreeSet};

use nearfield::compose::{
    Calibration, Candidates, Cap, Composer, Composition, Diversity, Pin, Pool, Quota, Reason,
    Rotation, Rules, Unmet, Values, Why, staleness,
};
use nearfield::{Error, Ordinal, Result, Scored, SeededRng};
use proptest::prelude::*;

/// What a test composes from. Owns what requests borrow.
#[derive(Debug)]
struct Data {
    items: Vec<Scored>,
    n_ranked: usize,
    vectors: Vec<f64>,
    dim: usize,
    starts: Vec<u32>,
    classes: Vec<u32>,
    target: Vec<f64>,
}

impl Data {
    /// `n` items in no order, `n_extra` of them not ranked, each with one to three of eight
    /// classes; coarse scores, so that ties occur, and some items twice as vectors.
    fn random(seed: u64, n: usize, n_extra: usize, dim: usize) -> Self {
        let mut rng = SeededRng::new(seed, 0);
        let mut vectors: Vec<f64> = (0..n * dim).map(|_| rng.normal()).collect();
        if n > 4 {
            vectors.copy_within(0..dim, 3 * dim);
        }
        let score = |rng: &mut SeededRng| rng.below(200) as f64 / 10.0 - 7.0;
        let scored = |(i, score)| Scored { ordinal: Ordinal(i as u32), score };
        let items = (0..n).map(|_| score(&mut rng)).enumerate().map(scored).collect();
        let (mut starts, mut classes) = (vec![0], Vec::new());
        for _ in 0..n {
            let (first, size) = (rng.below(8), rng.below(3) + 1);
            classes.extend((0..size).map(|j| ((first + 3 * j) % 8) as u32));
            starts.push(classes.len() as u32);
        }
        let target = (0..8).map(|_| rng.uniform()).collect();
        Self { items, n_ranked: n - n_extra, vectors, dim, starts, classes, target }
    }

    fn candidates(&self) -> Candidates<'_> {
        let Self { items, n_ranked, vectors, dim, .. } = self;
        Candidates { items, n_ranked: *n_ranked, vectors, dim: *dim }
    }

    fn values(&self) -> Values<'_> {
        Values { starts: &self.starts, codes: &self.classes }
    }

    fn calibration(&self, strength: f64) -> Calibration<'_> {
        Calibration { classes: self.values(), target: &self.target, strength }
    }

    fn score(&self, i: usize) -> f64 {
        self.items[i].score
    }

    fn compose(&self, rules: &Rules<'_>) -> Result<Composition> {
        Composer::default().compose(&self.candidates(), rules)
    }

    /// Ranked candidates by score, as they are shown where no rule is given.
    fn by_score(&self) -> Vec<usize> {
        let mut all: Vec<usize> = (0..self.n_ranked).collect();
        all.sort_by(|&a, &b| self.score(b).total_cmp(&self.score(a)));
        all
    }

    /// The divergence of a list's mix from the target, as the paper writes it.
    fn divergence(&self, list: &[usize]) -> f64 {
        let mut mix = [0.0; 8];
        for &i in list {
            let classes = self.values().of(i);
            for &class in classes {
                mix[class as usize] += 1.0 / classes.len() as f64 / list.len() as f64;
            }
        }
        let sum: f64 = self.target.iter().sum();
        let terms = self.target.iter().zip(mix).map(|(&p, q)| {
            let p = p / sum;
            p * libm::log(p / (0.99 * q + 0.01 * p))
        });
        terms.sum()
    }
}

fn order(list: &Composition) -> Vec<usize> {
    list.order.iter().map(|c| c.candidate).collect()
}

mod references {
    use super::*;

    /// The generator of `fixtures/make_compose.py`.
    struct Draws(u64);

    impl Draws {
        fn bits(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn uniform(&mut self) -> f64 {
            (self.bits() >> 11) as f64 / (1u64 << 53) as f64
        }

        fn below(&mut self, n: u64) -> usize {
            (self.bits() % n) as usize
        }
    }

    struct Case {
        data: Data,
        k: usize,
        window: usize,
        weight: f64,
    }

    fn case(seed: u64) -> Case {
        let mut draws = Draws(seed);
        let (n, dim) = (10 + draws.below(31), 4 + draws.below(29));
        let (k, window) = (2 + draws.below(9), 2 + draws.below(6));
        let weight = 0.05 + 0.9 * draws.uniform();
        let scored = |(i, score)| Scored { ordinal: Ordinal(i as u32), score };
        let items = (0..n).map(|_| draws.uniform()).enumerate().map(scored).collect();
        let vectors = (0..n * dim).map(|_| draws.uniform() - 0.4).collect();
        let target = (0..8).map(|_| draws.uniform()).collect();
        let (mut starts, mut classes) = (vec![0], Vec::new());
        for _ in 0..n {
            let (first, size) = (draws.below(8), 1 + draws.below(3));
            classes.extend((0..size).map(|j| ((first + 3 * j) % 8) as u32));
            starts.push(classes.len() as u32);
        }
        let data = Data { items, n_ranked: n, vectors, dim, starts, classes, target };
        Case { data, k, window, weight }
    }

    /// The lists of one method, compared over all cases.
    fn compare(method: &str, rules: fn(&Case) -> Rules<'_>) {
        let text = std::fs::read_to_string("tests/fixtures/compose.json").unwrap();
        let lists: BTreeMap<String, Vec<Vec<usize>>> = serde_json::from_str(&text).unwrap();
        assert_eq!(lists[method].len(), 1000);
        // One composer for all: nothing of a list stays behind for the next.
        let mut composer = Composer::default();
        for (seed, expected) in lists[method].iter().enumerate() {
            let case = case(seed as u64);
            let found = composer.compose(&case.data.candidates(), &rules(&case)).unwrap();
            assert_eq!(&order(&found), expected, "{method}, case {seed}");
        }
    }

    #[test]
    fn mmr_equals_its_definition() {
        compare("mmr", |case| {
            let diversity = Diversity::Mmr { lambda: case.weight };
            Rules { k: case.k, diversity, ..Rules::default() }
        });
    }

    #[test]
    fn dpp_equals_the_greedy_determinant() {
        compare("dpp", |case| {
            let diversity = Diversity::Dpp { strength: case.weight };
            Rules { k: case.k, diversity, ..Rules::default() }
        });
    }

    #[test]
    fn dpp_of_a_window_equals_the_greedy_determinant() {
        compare("windowed", |case| {
            let diversity = Diversity::Dpp { strength: case.weight };
            Rules { k: case.k, diversity, window: case.window, ..Rules::default() }
        });
    }

    #[test]
    fn calibration_equals_its_definition() {
        compare("calibrated", |case| {
            let calibration = Some(case.data.calibration(case.weight));
            Rules { k: case.k, calibration, ..Rules::default() }
        });
    }

    /// What Python has no list of: windows of MMR, and all three parts of a value together.
    #[test]
    fn any_mix_equals_the_written_value() {
        for seed in 0..300 {
            let case = case(seed);
            let data = &case.data;
            let n = data.n_ranked;
            let worst = data.items.iter().map(|i| i.score).fold(f64::INFINITY, f64::min);
            let best = data.items.iter().map(|i| i.score).fold(f64::NEG_INFINITY, f64::max);
            let relevance = |i: usize| (data.score(i) - worst) / (best - worst);
            let strength = if seed % 3 == 0 { 0.0 } else { case.weight };
            let is_mmr = seed % 2 == 0;
            let mut chosen: Vec<usize> = Vec::new();
            while chosen.len() < case.k {
                let near = &chosen[chosen.len() - chosen.len().min(case.window - 1)..];
                let value = |i: usize| {
                    let calm = if is_mmr {
                        let cosines = near.iter().map(|&j| cosine(data, i, j));
                        let nearest = cosines.fold(f64::NEG_INFINITY, f64::max);
                        0.6 * relevance(i) - 0.4 * if near.is_empty() { 0.0 } else { nearest }
                    } else {
                        0.6 * relevance(i) + 0.4 * libm::log(unexplained(data, i, near))
                    };
                    let list: Vec<usize> = chosen.iter().copied().chain([i]).collect();
                    (1.0 - strength) * calm - strength * data.divergence(&list)
                };
                let rest = (0..n).filter(|i| !chosen.contains(i));
                chosen.push(rest.max_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap());
            }
            let diversity = match is_mmr {
                true => Diversity::Mmr { lambda: 0.6 },
                false => Diversity::Dpp { strength: 0.4 },
            };
            let calibration = Some(data.calibration(strength));
            let window = case.window;
            let rules = Rules { k: case.k, diversity, window, calibration, ..Rules::default() };
            assert_eq!(order(&data.compose(&rules).unwrap()), chosen, "case {seed}");
        }
    }

    fn cosine(data: &Data, i: usize, j: usize) -> f64 {
        let row = |i: usize| data.vectors[i * data.dim..(i + 1) * data.dim].iter();
        let dot = |i, j| row(i).zip(row(j)).map(|(a, b)| a * b).sum::<f64>();
        dot(i, j) / (dot(i, i) * dot(j, j)).sqrt()
    }

    /// Determinant with the item over that without it, by elimination.
    fn unexplained(data: &Data, i: usize, near: &[usize]) -> f64 {
        let all: Vec<usize> = near.iter().copied().chain([i]).collect();
        let entry = |a: usize, b: usize| match a == b {
            true => 1.0,
            false => (1.0 - 1e-6) * (1.0 + cosine(data, a, b)) / 2.0,
        };
        let row = |&a: &usize| all.iter().map(|&b| entry(a, b)).collect::<Vec<f64>>();
        let mut matrix: Vec<Vec<f64>> = all.iter().map(row).collect();
        for pivot in 0..all.len() - 1 {
            let (done, rest) = matrix.split_at_mut(pivot + 1);
            for row in rest {
                let factor = row[pivot] / done[pivot][pivot];
                for (x, y) in row.iter_mut().zip(&done[pivot]) {
                    *x -= factor * y;
                }
            }
        }
        matrix[all.len() - 1][all.len() - 1]
    }
}

mod ends {
    use super::*;

    #[test]
    fn at_their_weak_ends_all_methods_are_the_order_by_score() {
        for seed in 0..50 {
            let data = Data::random(seed, 60, 0, 6);
            let expected = &data.by_score()[..20];
            let plain = Rules { k: 20, ..Rules::default() };
            for rules in [
                plain.clone(),
                Rules { diversity: Diversity::Mmr { lambda: 1.0 }, ..plain.clone() },
                Rules { diversity: Diversity::Dpp { strength: 0.0 }, ..plain.clone() },
                Rules { calibration: Some(data.calibration(0.0)), ..plain.clone() },
                Rules {
                    rotation: Some(Rotation { rate: 0.0, staleness: &[1.0; 60] }),
                    ..plain.clone()
                },
            ] {
                assert_eq!(order(&data.compose(&rules).unwrap()), expected);
            }
        }
    }

    /// Steck's curve: over many lists the mix comes nearer with every step of the strength.
    #[test]
    fn the_mix_comes_nearer_as_calibration_grows() {
        let strengths = [0.0, 0.2, 0.5, 0.8, 0.95, 1.0];
        let mut means = [0.0; 6];
        for seed in 0..200 {
            let data = Data::random(seed, 100, 0, 1);
            for (mean, &strength) in means.iter_mut().zip(&strengths) {
                let calibration = Some(data.calibration(strength));
                let list = data.compose(&Rules { calibration, ..Rules::default() }).unwrap();
                *mean += data.divergence(&order(&list)) / 200.0;
            }
        }
        assert!(means.windows(2).all(|pair| pair[1] < pair[0]), "{means:?}");
        assert!(means[5] < 0.1 * means[0], "{means:?}");
    }

    #[test]
    fn diverse_lists_are_less_alike_and_equal_vectors_are_kept_apart() {
        let data = Data::random(5, 200, 0, 8);
        let k = 30;
        for diversity in [Diversity::Mmr { lambda: 0.0 }, Diversity::Dpp { strength: 1.0 }] {
            // Longer than there are dimensions, and than the window: no list stops short.
            let rules = Rules { k, diversity, window: 12, ..Rules::default() };
            let list = order(&data.compose(&rules).unwrap());
            assert_eq!(list.len(), k);
            // Candidates 0 and 3 have the same vector.
            let place = |i| list.iter().position(|&c| c == i);
            if let (Some(a), Some(b)) = (place(0), place(3)) {
                assert!(a.abs_diff(b) >= 12, "{a} and {b}");
            }
        }
    }

    #[test]
    fn what_was_shown_lately_steps_back_and_returns() {
        let data = Data::random(3, 50, 0, 1);
        let first = order(&data.compose(&Rules::default()).unwrap());
        let after = |age_ms: i64| {
            let mut fresh = vec![0.0; 50];
            for &shown in &first {
                fresh[shown] = staleness(age_ms, 3_600_000);
            }
            let rotation = Some(Rotation { rate: 0.5, staleness: &fresh });
            order(&data.compose(&Rules { rotation, ..Rules::default() }).unwrap())
        };
        let shared = |list: &[usize]| list.iter().filter(|i| first.contains(i)).count();
        assert!(shared(&after(0)) < shared(&after(3_000_000)));
        assert!(shared(&after(3_000_000)) <= 10);
        assert_eq!(after(3_600_000), first);
    }
}

mod rules {
    use super::*;

    /// The parts of a random request that need storage.
    #[derive(Debug)]
    struct Request {
        data: Data,
        k: usize,
        artists: (Vec<u32>, Vec<u32>),
        groups: [Vec<bool>; 2],
        least: [usize; 2],
        pool: Vec<bool>,
        positions: Vec<usize>,
        pins: Vec<Pin>,
        fresh: Vec<f64>,
        floor: f64,
        diversity: Diversity,
        strength: f64,
        before: Vec<usize>,
    }

    fn request() -> impl Strategy<Value = Request> {
        (any::<u64>(), 1usize..60, 1usize..25).prop_map(|(seed, n, k)| {
            let mut rng = SeededRng::new(seed, 1);
            let n_extra = rng.below(n.min(6));
            let data = Data::random(seed, n, n_extra, 3);
            let starts: Vec<u32> = (0..=n as u32).collect();
            let artists = (0..n).map(|_| rng.below(1 + n / 4) as u32 * 1_000_003).collect();
            let mut flags = |share: f64| (0..n).map(|_| rng.uniform() < share).collect();
            let (one, other, pool): (Vec<bool>, Vec<bool>, Vec<bool>) =
                (flags(0.3), flags(0.2), flags(0.2));
            let least = [rng.below(k / 2 + 1), rng.below(k / 3 + 1)];
            let pins = (0..rng.below(3.min(k).min(n) + 1))
                .map(|i| Pin { candidate: (i * 7 + seed as usize % 5) % n, position: i * k / 3 })
                .collect::<Vec<Pin>>();
            let mut pins: Vec<Pin> = pins;
            pins.dedup_by_key(|p| p.position);
            let mut seen = BTreeSet::new();
            pins.retain(|p| seen.insert(p.candidate));
            let taken: Vec<usize> = pins.iter().map(|p| p.position).collect();
            let positions = (0..k).filter(|p| !taken.contains(p) && rng.below(6) == 0).collect();
            let fresh = (0..n).map(|_| rng.uniform()).collect();
            let before = (0..n).filter(|_| rng.below(10) == 0).collect();
            let diversity = match rng.below(3) {
                0 => Diversity::None,
                1 => Diversity::Mmr { lambda: rng.uniform() },
                _ => Diversity::Dpp { strength: rng.uniform() },
            };
            let strength = if rng.below(2) == 0 { 0.0 } else { rng.uniform() };
            let floor = if rng.below(2) == 0 { 0.0 } else { 0.5 * rng.uniform() };
            let artists = (starts, artists);
            let groups = [one, other];
            Request {
                data,
                k,
                artists,
                groups,
                least,
                pool,
                positions,
                pins,
                fresh,
                floor,
                diversity,
                strength,
                before,
            }
        })
    }

    impl Request {
        fn run(&self, run: impl FnOnce(&Rules<'_>)) {
            let values = Values { starts: &self.artists.0, codes: &self.artists.1 };
            let caps = [
                Cap { name: "artist", most: 2, values },
                Cap { name: "genre", most: 6, values: self.data.values() },
            ];
            let [one, other] = &self.groups;
            let quotas = [
                Quota { name: "one", members: one, least: self.least[0], most: self.k },
                Quota {
                    name: "other",
                    members: other,
                    least: self.least[1],
                    most: self.least[1] + 1,
                },
            ];
            let pools = [Pool { name: "new", members: &self.pool, positions: &self.positions }];
            run(&Rules {
                k: self.k,
                floor: self.floor,
                diversity: self.diversity,
                window: 5,
                calibration: Some(self.data.calibration(self.strength)),
                caps: &caps,
                quotas: &quotas,
                pins: &self.pins,
                pools: &pools,
                rotation: Some(Rotation { rate: 0.4, staleness: &self.fresh }),
                before: &self.before,
                trace: true,
            });
        }
    }

    fn floor_score(data: &Data, floor: f64) -> f64 {
        let scores = data.items[..data.n_ranked].iter().map(|i| i.score);
        let low = scores.clone().fold(f64::INFINITY, f64::min);
        let high = scores.fold(f64::NEG_INFINITY, f64::max);
        if high > low { low + floor * (high - low) - 1e-9 } else { f64::NEG_INFINITY }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn all_are_kept_or_reported(request in request()) {
            request.run(|rules| {
                let (data, pool) = (&request.data, &request.pool);
                let list = data.compose(rules).unwrap();
                let found = order(&list);

                // Nothing twice, nothing of earlier pages, never more than k.
                let all: Vec<usize> = rules.before.iter().chain(&found).copied().collect();
                assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
                assert!(found.len() <= rules.k);

                // The same request gives the same list, with or without a trace.
                assert_eq!(data.compose(rules).unwrap(), list);
                let untraced = data.compose(&Rules { trace: false, ..rules.clone() }).unwrap();
                assert_eq!(untraced.order, list.order);

                for (place, chosen) in list.order.iter().enumerate() {
                    match chosen.reason {
                        Reason::Value => {
                            assert!(chosen.candidate < data.n_ranked);
                            let least = floor_score(data, rules.floor);
                            assert!(data.score(chosen.candidate) >= least);
                        }
                        Reason::Pin(pin) => {
                            assert_eq!(rules.pins[pin].candidate, chosen.candidate);
                            let position = rules.pins[pin].position;
                            let moved_up = place < position && list.shortfall.is_some();
                            assert!(place == position || moved_up);
                        }
                        Reason::Pool(0) => assert!(pool[chosen.candidate]),
                        Reason::Pool(_) => unreachable!(),
                    }
                }
                // A full list has every pin at its position, or says that it was shown before.
                for (p, pin) in rules.pins.iter().enumerate() {
                    let is_shown = rules.before.contains(&pin.candidate);
                    assert_eq!(list.unmet.contains(&Unmet::Pin(p)), is_shown);
                    if !is_shown && list.shortfall.is_none() {
                        assert_eq!(found[pin.position], pin.candidate);
                    }
                    assert!(is_shown || found.contains(&pin.candidate));
                }

                // Caps, over all pages; pins alone may break them.
                for cap in rules.caps {
                    let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
                    for &i in &all {
                        let forced = rules.before.contains(&i)
                            || rules.pins.iter().any(|pin| pin.candidate == i);
                        for &value in cap.values.of(i) {
                            let count = counts.entry(value).or_default();
                            count.0 += 1;
                            count.1 += usize::from(forced);
                        }
                    }
                    assert!(counts.values().all(|&(n, forced)| n <= cap.most.max(forced)));
                }

                // Quotas: at most as said, and what is missing to their least is said.
                for (q, quota) in rules.quotas.iter().enumerate() {
                    let n = all.iter().filter(|&&i| quota.members[i]).count();
                    let forced = |i: &&usize| {
                        quota.members[**i]
                            && (rules.before.contains(i)
                                || rules.pins.iter().any(|pin| pin.candidate == **i))
                    };
                    assert!(n <= quota.most.max(all.iter().filter(forced).count()));
                    let missing = quota.least.saturating_sub(n);
                    let told = Unmet::Quota { quota: q, missing };
                    assert_eq!(list.unmet.contains(&told), missing > 0);
                }

                // A short list says so, and whoever could still have come was held back.
                let missing = rules.k - found.len();
                assert_eq!(list.shortfall.as_ref().map_or(0, |s| s.missing), missing);
                if let Some(shortfall) = &list.shortfall {
                    let held: usize = shortfall.held_back.iter().map(|(_, n)| n).sum();
                    let placed = found.iter().filter(|&&i| i < data.n_ranked).count();
                    assert_eq!(held + placed, data.n_ranked);
                    let known = |why: &Why| matches!(
                        why, Why::Floor | Why::Cap(_) | Why::Quota(_) | Why::Shown
                    );
                    assert!(shortfall.held_back.iter().all(|(why, _)| known(why)));
                }

                // Everyone who scores better than someone before them was given a reason.
                assert_eq!(list.trace.len(), found.len());
                let mut explained = BTreeSet::new();
                for (place, step) in list.trace.iter().enumerate() {
                    assert_eq!((step.position, step.candidate), (place, found[place]));
                    explained.extend(step.passed.iter().map(|p| p.candidate));
                    for i in (0..data.n_ranked).filter(|i| !found[..=place].contains(i)) {
                        let is_better = data.score(i) > data.score(found[place]);
                        assert!(!is_better || explained.contains(&i), "{i} at {place}");
                    }
                    for passed in &step.passed {
                        assert!(data.score(passed.candidate) > data.score(step.candidate));
                        check_reason(rules, &all[..rules.before.len() + place], passed.candidate, passed.why);
                    }
                }
            });
        }

        /// Quotas of groups that do not overlap are met whenever there are members enough.
        #[test]
        fn quotas_are_met_where_they_can_be(seed in any::<u64>(), k in 1usize..17) {
            let data = Data::random(seed, 50, 0, 2);
            let groups: [Vec<bool>; 3] = [0, 1, 2].map(|g| (0..50).map(|i| i % 3 == g).collect());
            let mut rng = SeededRng::new(seed, 2);
            let least = [rng.below(k + 1), 0, 0];
            let least = [least[0], rng.below(k - least[0] + 1), k];
            let least = [least[0], least[1], k - least[0] - least[1]];
            let quotas: Vec<Quota<'_>> = (0..3)
                .map(|g| Quota { name: "g", members: &groups[g], least: least[g], most: k })
                .collect();
            let diversity = Diversity::Mmr { lambda: 0.5 };
            let list = data.compose(&Rules { k, quotas: &quotas, diversity, ..Rules::default() });
            let list = list.unwrap();
            prop_assert_eq!(&list.unmet, &[]);
            prop_assert_eq!(list.order.len(), k);
        }

        /// Ten pages of ten: no item twice, caps over all; and without rules one long list.
        #[test]
        fn pages_go_on_where_the_last_ended(seed in any::<u64>(), kind in 0usize..4) {
            let data = Data::random(seed, 130, 0, 4);
            let artists: Vec<u32> = (0..130).map(|i| i / 2).collect();
            let starts: Vec<u32> = (0..=130).collect();
            let values = Values { starts: &starts, codes: &artists };
            let caps = [Cap { name: "artist", most: 1, values }];
            let rules = match kind {
                0 => Rules::default(),
                1 => Rules { diversity: Diversity::Mmr { lambda: 0.7 }, ..Rules::default() },
                2 => Rules { diversity: Diversity::Dpp { strength: 0.3 }, ..Rules::default() },
                _ => Rules { calibration: Some(data.calibration(0.5)), ..Rules::default() },
            };
            for caps in [&[][..], &caps] {
                let rules = Rules { caps, ..rules.clone() };
                let long = data.compose(&Rules { k: 100, ..rules.clone() }).unwrap();
                let mut shown: Vec<usize> = Vec::new();
                for _ in 0..10 {
                    let page = data.compose(&Rules { before: &shown, ..rules.clone() }).unwrap();
                    shown.extend(order(&page));
                }
                // Rules go on as if the list had never been cut.
                prop_assert_eq!(&shown, &order(&long));
                let distinct: BTreeSet<usize> = shown.iter().copied().collect();
                prop_assert_eq!(distinct.len(), shown.len());
                prop_assert_eq!(shown.len(), if caps.is_empty() { 100 } else { 65 });
            }
        }
    }

    /// What a trace says of a candidate is true, given what stood in the list by then.
    fn check_reason(rules: &Rules<'_>, placed: &[usize], candidate: usize, why: Why) {
        let pinned = || rules.pins.iter().map(|pin| pin.candidate);
        let counted: BTreeSet<usize> = placed.iter().copied().chain(pinned()).collect();
        match why {
            Why::Cap(cap) => {
                let cap = &rules.caps[cap];
                assert!(cap.values.of(candidate).iter().any(|value| {
                    let holds = |i: &&usize| cap.values.of(**i).contains(value);
                    counted.iter().filter(holds).count() >= cap.most
                }));
            }
            Why::Quota(q) => {
                let quota = &rules.quotas[q];
                assert!(quota.members[candidate]);
                assert!(counted.iter().filter(|&&i| quota.members[i]).count() >= quota.most);
            }
            Why::QuotaReserve(q) => {
                let quota = &rules.quotas[q];
                assert!(!quota.members[candidate]);
                assert!(counted.iter().filter(|&&i| quota.members[i]).count() < quota.least);
            }
            Why::PoolReserve(pool) => assert!(rules.pools[pool].members[candidate]),
            Why::Pool(pool) => assert!(!rules.pools[pool].members[candidate]),
            Why::Pinned => assert!(pinned().any(|i| i == candidate)),
            Why::Shown => assert!(rules.before.contains(&candidate)),
            Why::Similar { to, similarity } => {
                assert!(placed.contains(&to) && similarity.abs() < 1.0 + 1e-9);
            }
            Why::Floor => assert!(rules.floor > 0.0),
            Why::Pin(pin) => assert!(pin < rules.pins.len()),
            Why::Unranked => unreachable!("only ranked candidates are traced"),
            Why::Calibration => assert!(rules.calibration.is_some_and(|c| c.strength > 0.0)),
            Why::Rotation => assert!(rules.rotation.is_some()),
        }
    }
}

mod bad_input {
    use super::*;

    /// The place that the error names.
    fn place(data: &Data, rules: &Rules<'_>) -> String {
        match data.compose(rules) {
            Err(Error::Arg { path, .. }) => path,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_outside_their_range_are_named() {
        let data = Data::random(1, 10, 0, 2);
        let plain = Rules::default();
        for x in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let mmr = Rules { diversity: Diversity::Mmr { lambda: x }, ..plain.clone() };
            assert_eq!(place(&data, &mmr), "diversity.lambda");
            let dpp = Rules { diversity: Diversity::Dpp { strength: x }, ..plain.clone() };
            assert_eq!(place(&data, &dpp), "diversity.strength");
            let floor = Rules { floor: x, ..plain.clone() };
            assert_eq!(place(&data, &floor), "floor");
            let mix = Rules { calibration: Some(data.calibration(x)), ..plain.clone() };
            assert_eq!(place(&data, &mix), "calibration.strength");
            let rotation = Some(Rotation { rate: x, staleness: &[0.0; 10] });
            assert_eq!(place(&data, &Rules { rotation, ..plain.clone() }), "rotation.rate");
            let fresh = [x; 10];
            let rotation = Some(Rotation { rate: 0.5, staleness: &fresh });
            assert_eq!(place(&data, &Rules { rotation, ..plain.clone() }), "rotation.staleness");
        }
        for k in [0, 10_001, usize::MAX] {
            assert_eq!(place(&data, &Rules { k, ..plain.clone() }), "k");
        }
        for window in [0, 101] {
            assert_eq!(place(&data, &Rules { window, ..plain.clone() }), "window");
        }
        for target in [&[] as &[f64], &[0.0, 0.0], &[1.0, -0.1], &[f64::NAN], &[f64::INFINITY]] {
            let calibration = Some(Calibration { target, ..data.calibration(0.5) });
            let rules = Rules { calibration, ..plain.clone() };
            assert_eq!(place(&data, &rules), "calibration.target");
        }
    }

    #[test]
    fn data_that_does_not_fit_is_named() {
        let mut data = Data::random(1, 10, 0, 2);
        let mmr = Rules { diversity: Diversity::Mmr { lambda: 0.5 }, ..Rules::default() };
        let vectors = std::mem::take(&mut data.vectors);
        assert_eq!(place(&data, &mmr), "vectors");
        data.vectors = vectors;
        for wrong in [f64::NAN, f64::INFINITY, 1e200] {
            let right = std::mem::replace(&mut data.vectors[5], wrong);
            assert_eq!(place(&data, &mmr), "vectors[2]");
            data.vectors[5] = right;
        }
        data.items[4].score = f64::NAN;
        assert_eq!(place(&data, &Rules::default()), "items[4].score");
        data.items[4].score = 0.0;
        assert_eq!(place(&data, &Rules { before: &[10], ..Rules::default() }), "before");
        data.n_ranked = 11;
        assert_eq!(place(&data, &Rules::default()), "n_ranked");
        data.n_ranked = 10;
        for starts in [&[] as &[u32], &[0; 10], &[1; 11], &[0, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2]] {
            let values = Values { starts, codes: &[3, 4] };
            let caps = [Cap { name: "artist", most: 1, values }];
            let rules = Rules { caps: &caps, ..Rules::default() };
            assert_eq!(place(&data, &rules), "caps.artist.values");
        }
        let caps = [Cap { name: "artist", most: 0, values: data.values() }];
        assert_eq!(place(&data, &Rules { caps: &caps, ..Rules::default() }), "caps.artist.most");
    }

    #[test]
    fn contradictions_are_named() {
        let data = Data::random(1, 10, 0, 2);
        let all = [true; 10];
        let quota = |name, least, most| Quota { name, members: &all, least, most };
        let named =
            |quotas: &[Quota<'_>]| place(&data, &Rules { quotas, k: 5, ..Rules::default() });
        assert_eq!(named(&[quota("a", 2, 1)]), "quotas.a");
        assert_eq!(named(&[quota("a", 6, 9)]), "quotas.a");
        assert_eq!(named(&[quota("a", 3, 9), quota("b", 3, 9)]), "quotas.b");
        assert_eq!(named(&[quota("a", usize::MAX, usize::MAX)]), "quotas.a");
        assert_eq!(named(&[Quota { members: &[], ..quota("a", 0, 1) }]), "quotas.a");

        let pin = |candidate, position| Pin { candidate, position };
        let named = |pins: &[Pin]| place(&data, &Rules { pins, k: 5, ..Rules::default() });
        assert_eq!(named(&[pin(1, 5)]), "pins[0].position");
        assert_eq!(named(&[pin(10, 1)]), "pins[0]");
        assert_eq!(named(&[pin(1, 1), pin(2, 1)]), "pins[1].position");
        assert_eq!(named(&[pin(1, 1), pin(1, 2)]), "pins[1]");
        let pools = [Pool { name: "new", members: &all, positions: &[0, 1] }];
        let rules = Rules { pools: &pools, pins: &[pin(3, 1)], ..Rules::default() };
        assert_eq!(place(&data, &rules), "pools.new");
    }

    #[test]
    fn what_cannot_be_reached_is_an_answer() {
        let nothing = Composer::default().compose(&Candidates::default(), &Rules::default());
        let shortfall = nothing.unwrap().shortfall.unwrap();
        assert_eq!((shortfall.missing, shortfall.held_back.len()), (10, 0));

        // One artist for all: the cap leaves two places filled and says so.
        let data = Data::random(1, 10, 0, 2);
        let starts: Vec<u32> = (0..=10).collect();
        let values = Values { starts: &starts, codes: &[9; 10] };
        let caps = [Cap { name: "artist", most: 2, values }];
        let members = [true; 10];
        let quotas = [Quota { name: "q", members: &members, least: 5, most: 9 }];
        let rules = Rules { caps: &caps, quotas: &quotas, ..Rules::default() };
        let list = data.compose(&rules).unwrap();
        assert_eq!(list.order.len(), 2);
        assert_eq!(list.unmet, [Unmet::Quota { quota: 0, missing: 3 }]);
        assert_eq!(list.shortfall.unwrap().held_back, [(Why::Cap(0), 8)]);

        // The best always passes the floor.
        let list = data.compose(&Rules { floor: 1.0, ..Rules::default() }).unwrap();
        assert!(!list.order.is_empty());
        assert_eq!(list.shortfall.unwrap().held_back[0].0, Why::Floor);

        // Scores as far apart as numbers can be, and vectors of zeros.
        let mut data = Data::random(1, 10, 0, 2);
        data.items[0].score = f64::MAX;
        data.items[1].score = -f64::MAX;
        data.vectors.fill(0.0);
        for diversity in [Diversity::Mmr { lambda: 0.3 }, Diversity::Dpp { strength: 0.001 }] {
            let list = data.compose(&Rules { diversity, ..Rules::default() }).unwrap();
            assert_eq!(list.order.len(), 10);
            assert_eq!(list.order[0].candidate, 0);
        }
    }
}
