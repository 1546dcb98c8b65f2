//! How long composing takes: lists of 20 from 500 candidates of 64 dimensions, and long lists;
//! beside them, in the same minute, one plain-loop query over 100,000 items.
//!
//! `cargo bench --bench compose`

#![allow(missing_docs)]

use std::time::Instant;

use nearfield::compose::{
    Calibration, Candidates, Cap, Composer, Diversity, Pin, Quota, Rules, Values,
};
use nearfield::{Ordinal, Scored, SeededRng};

const DIM: usize = 64;
const REPEATS: usize = 301;

fn main() {
    println!("{:>10} {:>6} {:<44} {:>9} {:>9}", "candidates", "k", "rules", "best, us", "p50, us");
    let plain_loop = plain_loop();
    println!("{:>10} {:>6} {:<44} {:>9} {plain_loop:>9.1}", 100_000, 20, "plain loop", "");
    for (n, k, repeats) in [(500, 20, REPEATS), (2000, 1000, 5)] {
        run(n, k, repeats);
    }
}

/// Microseconds of scoring every item with one sum in a loop, and keeping the best: what a page
/// does without an engine.
fn plain_loop() -> f64 {
    let n = 100_000;
    let mut rng = SeededRng::new(2, 0);
    let vectors: Vec<f32> = (0..n * DIM).map(|_| rng.uniform() as f32 - 0.5).collect();
    let query: Vec<f32> = (0..DIM).map(|_| rng.uniform() as f32 - 0.5).collect();
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..21 {
        let started = Instant::now();
        let mut best = [f32::NEG_INFINITY; 20];
        for vector in vectors.chunks_exact(DIM) {
            let score = vector.iter().zip(&query).fold(0.0, |sum, (x, q)| sum + x * q);
            if score > best[19] {
                let at = best.partition_point(|&b| b >= score);
                best[at..].rotate_right(1);
                best[at] = score;
            }
        }
        times.push(started.elapsed().as_secs_f64() * 1e6);
        assert!(std::hint::black_box(best).iter().all(|b| b.is_finite()));
    }
    times.sort_by(f64::total_cmp);
    times[10]
}

fn run(n: usize, k: usize, repeats: usize) {
    let mut rng = SeededRng::new(1, 0);
    let mut scores: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let scored = |(i, score): (usize, f64)| Scored { ordinal: Ordinal(i as u32), score };
    let items: Vec<Scored> = scores.into_iter().enumerate().map(scored).collect();
    // Around fifty centres: neighbours are alike, as the best items for a person are.
    let centres: Vec<f64> = (0..50 * DIM).map(|_| rng.normal()).collect();
    let vectors: Vec<f64> = (0..n)
        .flat_map(|_| {
            let centre = rng.below(50) * DIM;
            (centre..centre + DIM).map(|j| centres[j] + 0.5 * rng.normal()).collect::<Vec<f64>>()
        })
        .collect();
    let candidates = Candidates { items: &items, n_ranked: n, vectors: &vectors, dim: DIM };

    let mut values = |per_item: usize, n_values: usize| {
        let starts: Vec<u32> = (0..=n).map(|i| (i * per_item) as u32).collect();
        let first: Vec<usize> = (0..n).map(|_| rng.below(n_values)).collect();
        let of = |&f: &usize| (0..per_item).map(move |j| ((f + 7 * j) % n_values) as u32);
        (starts, first.iter().flat_map(of).collect::<Vec<u32>>())
    };
    let (artists, labels, genres) = (values(1, n / 3), values(1, n / 8), values(2, 30));
    let of = |v| {
        let (starts, codes): &(Vec<u32>, Vec<u32>) = v;
        Values { starts, codes }
    };
    let caps = [
        Cap { name: "artist", most: 2, values: of(&artists) },
        Cap { name: "label", most: 3 + k / 50, values: of(&labels) },
        Cap { name: "genre", most: k / 4, values: of(&genres) },
    ];
    let target: Vec<f64> = (0..30).map(|class| f64::from(class % 5)).collect();
    let calibration = Some(Calibration { classes: of(&genres), target: &target, strength: 0.5 });
    let members: Vec<bool> = (0..n).map(|i| i % 7 == 0).collect();
    let quotas = [Quota { name: "podcast", members: &members, least: k / 5, most: k / 2 }];
    let pins = [Pin { candidate: n - 1, position: 3 }];

    let plain = Rules { k, ..Rules::default() };
    let capped = Rules { k, caps: &caps, ..Rules::default() };
    let mmr = Rules { diversity: Diversity::Mmr { lambda: 0.7 }, ..plain.clone() };
    let dpp = Rules { diversity: Diversity::Dpp { strength: 0.3 }, ..plain.clone() };
    let alone = Rules { diversity: Diversity::Dpp { strength: 1.0 }, ..plain.clone() };
    let all = Rules { calibration, quotas: &quotas, pins: &pins, ..capped.clone() };
    let all_mmr = Rules { diversity: mmr.diversity, ..all.clone() };
    let all_dpp = Rules { diversity: dpp.diversity, ..all.clone() };
    let traced = Rules { trace: true, ..all_mmr.clone() };
    for (name, rules) in [
        ("by score", plain),
        ("three caps", capped),
        ("MMR", mmr),
        ("DPP", dpp),
        ("DPP, diversity alone", alone),
        ("caps, quota, pin, calibration", all),
        ("caps, quota, pin, calibration, MMR", all_mmr),
        ("caps, quota, pin, calibration, DPP", all_dpp),
        ("caps, quota, pin, calibration, MMR, trace", traced),
    ] {
        let mut composer = Composer::default();
        let mut times = Vec::with_capacity(repeats);
        for _ in 0..repeats {
            let started = Instant::now();
            let list = composer.compose(&candidates, &rules);
            times.push(started.elapsed().as_secs_f64());
            assert!(list.is_ok_and(|list| list.order.len() == k));
        }
        times.sort_by(f64::total_cmp);
        let [best, median] = [times[0], times[repeats / 2]].map(|seconds| seconds * 1e6);
        println!("{n:>10} {k:>6} {name:<44} {best:>9.1} {median:>9.1}");
    }
}
