#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use xxhash_rust::xxh3::xxh3_64;

use super::*;

type Pairs = Vec<(String, String)>;
/// When, in which context, and what was shown and rewarded.
type Visit = (i64, Pairs, Vec<(usize, bool)>);

/// A log of `n` rounds of four items over three arms, in random contexts.
fn log(n: usize, seed: u64) -> Vec<Visit> {
    let mut rng = SeededRng::new(seed, 0);
    let round = |_| {
        let mut context = vec![("hour".to_owned(), rng.below(24).to_string())];
        if rng.below(2) == 0 {
            let device = ["phone", "tv", "car"][rng.below(3)];
            context.push(("device".to_owned(), device.to_owned()));
        }
        let outcomes = (0..4).map(|_| (rng.below(3), rng.below(4) == 0)).collect();
        (rng.below(1_000_000) as i64, context, outcomes)
    };
    (0..n).map(round).collect()
}

fn rounds(log: &[Visit]) -> Vec<Round<'_>> {
    log.iter()
        .map(|(at_ms, context, outcomes)| Round {
            at_ms: *at_ms,
            context,
            outcomes: outcomes.clone(),
        })
        .collect()
}

fn context(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

/// The posterior as its definition reads, with a dense inverse and decayed weights.
#[test]
fn beliefs_are_the_definition() {
    let log = log(60, 4);
    let settings = Settings { lambda: 0.7, spread: 0.4, half_life_ms: Some(300_000.0) };
    let bandit = LinTs::replay(3, &rounds(&log), &settings, 1_000_000).unwrap();
    let asked = context(&[("device", "tv"), ("hour", "14"), ("mood", "new")]);
    // Features in the order of key and value: always, car, phone, tv, four quarters of the day.
    let names = ["", "car", "phone", "tv", "afternoon", "evening", "morning", "night"];
    let encode = |pairs: &Pairs| {
        let mut x = DVector::zeros(8);
        x[0] = 1.0;
        for (key, value) in pairs {
            let quarter = ["night", "morning", "afternoon", "evening"];
            let value =
                if key == "hour" { quarter[value.parse::<usize>().unwrap() / 6] } else { value };
            if let Some(i) = names.iter().position(|name| *name == value) {
                x[i] = 1.0;
            }
        }
        x
    };
    let x = encode(&asked);
    for (arm, belief) in bandit.beliefs(&asked).iter().enumerate() {
        let mut b = DMatrix::<f64>::identity(8, 8) * 0.7;
        let mut f = DVector::<f64>::zeros(8);
        for (at_ms, pairs, outcomes) in &log {
            let weight = libm::exp2(-((1_000_000 - at_ms) as f64) / 300_000.0);
            let shown = encode(pairs);
            for (_, is_rewarded) in outcomes.iter().filter(|(a, _)| *a == arm) {
                for i in 0..8 {
                    for j in 0..8 {
                        b[(i, j)] += weight * shown[i] * shown[j];
                    }
                    f[i] += weight * shown[i] * f64::from(u8::from(*is_rewarded));
                }
            }
        }
        let inverse = b.try_inverse().unwrap();
        let (mut mean, mut variance) = (0.0, 1.0 / 0.7);
        for i in 0..8 {
            for j in 0..8 {
                mean += x[i] * inverse[(i, j)] * f[j];
                variance += x[i] * inverse[(i, j)] * x[j];
            }
        }
        // Weights are rounded to 2^-32, and 60 rounds of 4 are summed.
        assert!((belief.mean - mean).abs() < 1e-8, "{} {mean}", belief.mean);
        assert!((belief.deviation - 0.4 * variance.sqrt()).abs() < 1e-8);
    }
}

#[test]
fn the_order_of_the_log_makes_no_difference() {
    let settings = Settings { half_life_ms: Some(123_456.0), ..Settings::default() };
    let asked = context(&[("hour", "9"), ("device", "car")]);
    for seed in 0..20 {
        let mut log = log(100, seed);
        let bits = |log: &[Visit]| {
            let bandit = LinTs::replay(3, &rounds(log), &settings, 2_000_000).unwrap();
            let beliefs = bandit.beliefs(&asked);
            beliefs.iter().map(|b| (b.mean.to_bits(), b.deviation.to_bits())).collect::<Vec<_>>()
        };
        let forth = bits(&log);
        let mut rng = SeededRng::new(seed, 1);
        for i in (1..log.len()).rev() {
            log.swap(i, rng.below(i + 1));
        }
        assert_eq!(bits(&log), forth);
    }
}

/// Nothing is known: every arm is as likely as any other, and widths are the prior's.
#[test]
fn without_a_log_all_arms_are_alike() {
    let bandit = LinTs::replay(4, &[], &Settings::default(), 0).unwrap();
    let asked = context(&[("hour", "9")]);
    let width = 0.3 * 2.0_f64.sqrt();
    let expected = Belief { mean: 0.0, deviation: width };
    assert_eq!(bandit.beliefs(&asked), [expected; 4]);
    let mix = bandit.mix(&asked, 1).unwrap();
    for share in &mix.shares {
        assert!((share.probability - 0.25).abs() < 4.0 * share.standard_error);
    }
    let sum: f64 = mix.shares.iter().map(|s| s.probability).sum();
    assert!((sum - 1.0).abs() < 1e-12);
    assert_eq!(mix.propensity(2), Some(mix.shares[2]));
    assert_eq!(mix.propensity(4), None);
}

/// The share of the better of two arms is Phi of the difference over the deviation of both.
#[test]
fn the_mix_is_the_probability_to_be_best() {
    let none: [(String, String); 0] = [];
    let round = |i: i64| Round {
        at_ms: i,
        context: &none,
        outcomes: vec![(0, i % 5 == 0), (1, i % 4 == 0)],
    };
    let rounds: Vec<Round<'_>> = (0..20).map(round).collect();
    let bandit = LinTs::replay(2, &rounds, &Settings::default(), 0).unwrap();
    let [a, b] = bandit.beliefs(&none)[..] else { panic!("two arms") };
    let both = (a.deviation * a.deviation + b.deviation * b.deviation).sqrt();
    let expected = 0.5 * libm::erfc(-(b.mean - a.mean) / both / std::f64::consts::SQRT_2);
    let mut found = 0.0;
    for seed in 0..50 {
        found += bandit.mix(&none, seed).unwrap().shares[1].probability / 50.0;
    }
    // 50,000 draws: one standard error is at most 0.0023.
    assert!((found - expected).abs() < 0.009, "{found} for {expected}");
    let mut slots = 0.0;
    for seed in 0..5000 {
        let counts = bandit.allot(&none, 10, seed).unwrap();
        assert_eq!(counts.iter().sum::<u32>(), 10);
        slots += f64::from(counts[1]) / 50_000.0;
    }
    assert!((slots - expected).abs() < 0.009, "{slots} for {expected}");
}

#[test]
fn what_is_certain_is_not_explored() {
    let none: [(String, String); 0] = [];
    let round = |i| Round { at_ms: i, context: &none, outcomes: vec![(0, true), (1, false)] };
    let rounds: Vec<Round<'_>> = (0..50).map(round).collect();
    let mix = LinTs::replay(2, &rounds, &Settings::default(), 0).unwrap().mix(&none, 3).unwrap();
    assert_eq!(mix.shares[0], Estimate { probability: 1.0, standard_error: 0.0 });
    assert_eq!(mix.propensity(1), None, "never counted: there is nothing to divide by");
}

#[test]
fn old_rounds_fade() {
    let none: [(String, String); 0] = [];
    let round = |i| Round { at_ms: i, context: &none, outcomes: vec![(0, true)] };
    let rounds: Vec<Round<'_>> = (0..50).map(round).collect();
    let settings = Settings { half_life_ms: Some(1000.0), ..Settings::default() };
    let mean =
        |now_ms| LinTs::replay(1, &rounds, &settings, now_ms).unwrap().beliefs(&none)[0].mean;
    assert!(mean(0) > 0.98 && mean(0) == mean(-1000), "what is to come counts in full");
    assert!(
        (mean(10_000) - 0.047).abs() < 0.001,
        "50 / 1024 of a showing against one: {}",
        mean(10_000)
    );
    assert_eq!(mean(i64::MAX), 0.0);
}

#[test]
fn bad_input_is_named() {
    let none: [(String, String); 0] = [];
    let rounds = [Round { at_ms: 0, context: &none, outcomes: vec![(0, true), (2, true)] }];
    let settings = Settings::default();
    for (n_arms, settings, expected) in [
        (2, settings, "rounds[0].outcomes[1]: expected an arm below 2, found 2"),
        (0, settings, "arms: expected 1 to 64 arms, found 0"),
        (65, settings, "arms: expected 1 to 64 arms, found 65"),
        (3, Settings { lambda: 0.0, ..settings }, "lambda: expected a number from"),
        (3, Settings { lambda: f64::NAN, ..settings }, "lambda: expected a number from"),
        (3, Settings { spread: -1.0, ..settings }, "spread: expected a number from 0"),
        (3, Settings { spread: f64::INFINITY, ..settings }, "spread: expected a number from 0"),
        (3, Settings { half_life_ms: Some(0.0), ..settings }, "half_life_ms: expected"),
        (3, Settings { half_life_ms: Some(f64::NAN), ..settings }, "half_life_ms: expected"),
    ] {
        let Err(error) = LinTs::replay(n_arms, &rounds, &settings, 0) else {
            panic!("{expected}")
        };
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

/// The same bits natively and in a browser: a hundred logs, asked in ten contexts each.
#[test]
fn mixes_are_pinned() {
    let mut bytes = Vec::new();
    for seed in 0..100 {
        let log = log(30 + seed as usize, seed);
        let settings = Settings { half_life_ms: Some(500_000.0), ..Settings::default() };
        let bandit = LinTs::replay(3, &rounds(&log), &settings, 1_000_000).unwrap();
        for (_, context, _) in &log[..10] {
            for belief in bandit.beliefs(context) {
                bytes.extend(belief.mean.to_bits().to_le_bytes());
                bytes.extend(belief.deviation.to_bits().to_le_bytes());
            }
            for share in bandit.mix(context, seed).unwrap().shares {
                bytes.extend(share.probability.to_bits().to_le_bytes());
                bytes.extend(share.standard_error.to_bits().to_le_bytes());
            }
            for n in bandit.allot(context, 8, seed).unwrap() {
                bytes.extend(n.to_le_bytes());
            }
        }
    }
    assert_eq!(format!("{:016x}", xxh3_64(&bytes)), "6286d61af3ea6c52");
}
