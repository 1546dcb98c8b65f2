//! `nearfield eval --interactions`: what it prints equals what its definitions give, computed here
//! once more in the plainest way; what it must refuse, it refuses; what it leaves out, it counts.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "in tests a panic names the line")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use nearfield::{
    AlignedBytes, Catalog, Entry, Event, Index, Interaction, Kind, Ordinal, Recommender, Request,
    SeededRng, Value as Field,
};
use serde_json::Value;
use tempfile::TempDir;

const N_ITEMS: usize = 60;
const DIM: usize = 8;
const K: usize = 5;
const NDCG_K: usize = 8;

/// A folder with an archive and two logs, and the command run in it.
struct Bench {
    folder: TempDir,
}

/// One line of a log.
struct Did {
    user: String,
    item: usize,
    weight: usize,
    at: usize,
}

impl Bench {
    /// An archive `a.nf` of `N_ITEMS` items "i0", "i1", ..., and logs `test.csv` and `train.csv` of
    /// people who like items of few genres.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { folder };
        let mut rng = SeededRng::new(1, 0);
        let mut items = String::new();
        for i in 0..N_ITEMS {
            let more = if i % 4 == 0 { ", \"new\"" } else { "" };
            let genres = match i % 11 {
                10 => String::new(),
                genre => format!(r#", "genres": ["g{}"{more}]"#, genre % 5),
            };
            let artist = i % 17;
            writeln!(
                items,
                r#"{{"id": "i{i}"{genres}, "artist": "a{artist}", "sales": {}}}"#,
                i * 7 % 40
            )
            .unwrap();
        }
        bench.write("items.jsonl", &items);
        let vectors = (0..N_ITEMS * DIM).map(|_| rng.normal() as f32).collect::<Vec<f32>>();
        std::fs::write(bench.path("v.npy"), npy(&vectors)).unwrap();
        bench.ok(&[
            "build",
            "items.jsonl",
            "--vectors",
            "v.npy",
            "--metric",
            "inner-product",
            "--foldin",
            "implicit",
            "--alpha",
            "3",
            "--lambda",
            "2",
            "--prior",
            "sales",
            "-o",
            "a.nf",
        ]);
        bench.write("test.csv", &log(&liked(&mut rng, "u", 25)));
        bench.write("train.csv", &log(&liked(&mut rng, "t", 80)));
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_nearfield"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        assert_eq!(errors, "", "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// `eval a.nf` with these arguments and small depths: what it prints, and its JSON.
    fn eval(&self, arguments: &[&str]) -> (String, Value) {
        let mut all = vec!["eval", "a.nf", "-k", "5", "--ndcg-k", "8", "--json", "out.json"];
        all.extend(arguments);
        let text = self.ok(&all);
        (text, serde_json::from_str(&self.read("out.json")).unwrap())
    }

    /// The message of a run that must fail and print no result.
    fn fails(&self, arguments: &[&str]) -> String {
        let mut all = vec!["eval", "a.nf"];
        all.extend(arguments);
        let output = self.run(&all);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        message.strip_prefix("nearfield: ").unwrap().trim_end().to_owned()
    }

    fn index(&self) -> Index {
        let bytes = std::fs::read(self.path("a.nf")).unwrap();
        Index::open(AlignedBytes::copy_of(&bytes).unwrap()).unwrap()
    }
}

/// A `.npy` of float32, `N_ITEMS` rows of `DIM`.
fn npy(values: &[f32]) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({N_ITEMS}, {DIM}), }}");
    header.push_str(&" ".repeat(63 - (header.len() + 10) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// `n` people: each likes 6 to 14 different items, mostly those with small numbers, at different
/// times.
fn liked(rng: &mut SeededRng, prefix: &str, n: usize) -> Vec<Did> {
    let mut all = Vec::new();
    for user in 0..n {
        let mut items = BTreeSet::new();
        let n_items = 6 + rng.below(9);
        while items.len() < n_items {
            items.insert((rng.uniform() * rng.uniform() * N_ITEMS as f64) as usize);
        }
        for item in items {
            let (user, at) = (format!("{prefix}{user}"), rng.below(1_000_000) + 1);
            all.push(Did { user, item, weight: 1 + rng.below(4), at });
        }
    }
    all
}

fn log(all: &[Did]) -> String {
    let mut text = String::from("user,item,weight,time\n");
    for Did { user, item, weight, at } in all {
        writeln!(text, "{user},i{item},{weight},{at}").unwrap();
    }
    text
}

fn parse(text: &str) -> Vec<Did> {
    let line = |line: &str| {
        let parts: Vec<&str> = line.split(',').collect();
        Did {
            user: parts[0].to_owned(),
            item: parts[1][1..].parse().unwrap(),
            weight: parts[2].parse().unwrap(),
            at: parts[3].parse().unwrap(),
        }
    };
    text.lines().skip(1).map(line).collect()
}

fn close(found: &Value, expected: f64, what: &str) {
    let found = found.as_f64().unwrap_or(f64::NAN);
    assert!((found - expected).abs() < 1e-9, "{what}: {found}, expected {expected}");
}

/// Everything once more, the plainest way.
struct Plain {
    /// Number of an item -> its ordinal, and back.
    ordinal: Vec<u32>,
    vectors: Vec<Vec<f64>>,
    genres: Vec<Vec<String>>,
    artist: Vec<String>,
    /// By item number: the people of the training log who like it.
    fans: Vec<BTreeSet<String>>,
    n_trained: usize,
}

impl Plain {
    fn new(bench: &Bench) -> Self {
        let index = bench.index();
        let ordinal =
            (0..N_ITEMS).map(|i| index.ordinal(&format!("i{i}")).unwrap().unwrap().0).collect();
        let mut plain = Self {
            ordinal,
            vectors: Vec::new(),
            genres: Vec::new(),
            artist: Vec::new(),
            fans: vec![BTreeSet::new(); N_ITEMS],
            n_trained: 0,
        };
        let catalog = Catalog::new(&index);
        for i in 0..N_ITEMS {
            let item = Ordinal(plain.ordinal[i]);
            let mut vector = vec![0.0; DIM];
            index.decode(item, &mut vector);
            plain.vectors.push(vector);
            plain.genres.push(match catalog.column("genres").unwrap().value(item).unwrap() {
                Field::Tags(tags) => tags.iter().map(|t| (*t).to_owned()).collect(),
                _ => Vec::new(),
            });
            plain.artist.push(catalog.column("artist").unwrap().value(item).unwrap().to_string());
        }
        let train = parse(&bench.read("train.csv"));
        plain.n_trained = train.iter().map(|d| &d.user).collect::<BTreeSet<_>>().len();
        for d in &train {
            plain.fans[d.item].insert(d.user.clone());
        }
        plain
    }

    /// Item numbers by score, without the history; ties by ordinal.
    fn ranked(&self, scores: &[f64], history: &[usize]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..N_ITEMS).filter(|i| !history.contains(i)).collect();
        order.sort_by(|a, b| {
            scores[*b].total_cmp(&scores[*a]).then(self.ordinal[*a].cmp(&self.ordinal[*b]))
        });
        order.truncate(NDCG_K.max(K));
        order
    }

    fn both(&self, i: usize, j: usize) -> f64 {
        self.fans[i].intersection(&self.fans[j]).count() as f64
    }

    /// EASE by Gauss and Jordan.
    fn ease(&self, lambda: f64) -> Vec<Vec<f64>> {
        let n = N_ITEMS;
        let mut a: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let gram = (0..n).map(|j| self.both(i, j) + if i == j { lambda } else { 0.0 });
                gram.chain((0..n).map(|j| f64::from(u8::from(i == j)))).collect()
            })
            .collect();
        for i in 0..n {
            let pivot = a[i][i];
            a[i].iter_mut().for_each(|x| *x /= pivot);
            let row = a[i].clone();
            for (_, other) in a.iter_mut().enumerate().filter(|(j, _)| *j != i) {
                let factor = other[i];
                other.iter_mut().zip(&row).for_each(|(x, r)| *x -= factor * r);
            }
        }
        let p = |i: usize, j: usize| a[i][n + j];
        let weight = |i, j| if i == j { 0.0 } else { -p(i, j) / p(j, j) };
        (0..n).map(|i| (0..n).map(|j| weight(i, j)).collect()).collect()
    }

    fn knn(&self, shrinkage: f64) -> Vec<Vec<f64>> {
        let weight = |i: usize, j: usize| {
            let lengths = (self.fans[i].len() as f64 * self.fans[j].len() as f64).sqrt();
            if i == j { 0.0 } else { self.both(i, j) / (lengths + shrinkage) }
        };
        (0..N_ITEMS).map(|i| (0..N_ITEMS).map(|j| weight(i, j)).collect()).collect()
    }

    fn mix(&self, items: &[(usize, f64)]) -> BTreeMap<String, f64> {
        let mut shares = BTreeMap::new();
        let tagged: Vec<_> = items.iter().filter(|(i, _)| !self.genres[*i].is_empty()).collect();
        let total: f64 = tagged.iter().map(|(_, w)| w).sum();
        for (item, weight) in tagged {
            for genre in &self.genres[*item] {
                *shares.entry(genre.clone()).or_insert(0.0) +=
                    weight / self.genres[*item].len() as f64 / total;
            }
        }
        shares
    }

    /// What a list is by each measure.
    fn measures(
        &self,
        ranked: &[usize],
        history: &[(usize, f64)],
        held_out: &[usize],
    ) -> Vec<(&'static str, f64)> {
        let list = &ranked[..K];
        let n_found = list.iter().filter(|i| held_out.contains(i)).count();
        let discount = |rank: usize| 1.0 / libm::log2((rank + 2) as f64);
        let gain: f64 = (0..NDCG_K).filter(|r| held_out.contains(&ranked[*r])).map(discount).sum();
        let ideal: f64 = (0..NDCG_K.min(held_out.len())).map(discount).sum();
        let bits =
            |i: &usize| libm::log2(self.n_trained as f64 / self.fans[*i].len().max(1) as f64);
        let mut distances = Vec::new();
        for a in 0..K {
            for b in 0..a {
                let (x, y) = (&self.vectors[list[a]], &self.vectors[list[b]]);
                let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
                distances.push(1.0 - dot(x, y) / (dot(x, x) * dot(y, y)).sqrt());
            }
        }
        let wanted = self.mix(history);
        let found = self.mix(&list.iter().map(|i| (*i, 1.0)).collect::<Vec<_>>());
        let kl = wanted.iter().map(|(genre, p)| {
            p * libm::log(p / (0.99 * found.get(genre).unwrap_or(&0.0) + 0.01 * p))
        });
        let artists: BTreeSet<&String> = list.iter().map(|i| &self.artist[*i]).collect();
        let n_new = list.iter().filter(|i| self.genres[**i].iter().any(|g| g == "new")).count();
        vec![
            ("recall_at_k", n_found as f64 / K.min(held_out.len()) as f64),
            ("ndcg_at_k", gain / ideal),
            ("hit_rate", f64::from(u8::from(n_found > 0))),
            ("novelty", list.iter().map(bits).sum::<f64>() / K as f64),
            ("intra_list_distance", distances.iter().sum::<f64>() / distances.len() as f64),
            ("calibration_error", kl.sum()),
            ("cap artist=1", f64::from(u8::from(artists.len() == K))),
            ("quota 0.4=genres has \"new\"", f64::from(u8::from(n_new >= 2))),
        ]
    }
}

#[test]
fn figures_are_those_of_an_independent_computation() {
    let bench = Bench::new();
    let plain = Plain::new(&bench);
    let (ease, knn) = (plain.ease(7.5), plain.knn(1.5));
    let sums = |weights: &[Vec<f64>], history: &[usize]| -> Vec<f64> {
        (0..N_ITEMS).map(|i| history.iter().map(|j| weights[*j][i]).sum()).collect()
    };
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    for weighted in [false, true] {
        let mut arguments = vec![
            "--interactions",
            "test.csv",
            "--train",
            "train.csv",
            "--split",
            "time",
            "--holdout",
            "0.3",
            "--ease-lambda",
            "7.5",
            "--knn-shrinkage",
            "1.5",
            "--knn-neighbours",
            "60",
            "--mix",
            "genres",
            "--cap",
            "artist=1",
            "--quota",
            "0.4=genres has \"new\"",
        ];
        arguments.extend(weighted.then_some("--weighted"));
        let (text, out) = bench.eval(&arguments);
        assert!(text.starts_with("25 users, cut by time: 25 lists of each method\n"), "{text}");

        let mut by_user: BTreeMap<String, Vec<Did>> = BTreeMap::new();
        for did in parse(&bench.read("test.csv")) {
            by_user.entry(did.user.clone()).or_default().push(did);
        }
        let mut recommender = Recommender::new(bench.index());
        let mut totals: BTreeMap<(String, &str), f64> = BTreeMap::new();
        let mut shown: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let mut seen = 0;
        for user in out["users"].as_array().unwrap() {
            let mut did = by_user.remove(user["user"].as_str().unwrap()).unwrap();
            did.sort_by_key(|d| d.at);
            let n_history = did.len() - (3 * did.len() / 10).max(1);
            assert_eq!(user["n_history"], n_history);
            assert_eq!(user["n_held_out"], did.len() - n_history);
            let held_out: Vec<usize> = did[n_history..].iter().map(|d| d.item).collect();
            let weight = |d: &Did| if weighted { d.weight as f64 } else { 1.0 };
            let weights: Vec<(usize, f64)> =
                did[..n_history].iter().map(|d| (d.item, weight(d))).collect();
            let history: Vec<usize> = weights.iter().map(|(item, _)| *item).collect();

            recommender.clear_profile();
            for (sequence, (item, weight)) in (0..).zip(&weights) {
                let interaction = Interaction {
                    weight: Some(*weight),
                    ..Interaction::new(format!("i{item}"), Kind::Rating)
                };
                let event = Event::Interaction(interaction);
                let at_ms = 1000.0 * did[sequence as usize].at as f64;
                recommender.record(Entry { device: "d".into(), sequence, at_ms, event }).unwrap();
            }
            let request = Request { k: K, ..Request::default() };
            let taste = recommender.taste(&request).unwrap().unwrap().vector().to_vec();
            let mut mean = vec![0.0; DIM];
            for item in &history {
                mean.iter_mut().zip(&plain.vectors[*item]).for_each(|(m, x)| *m += x);
            }
            let along = |v: &[f64]| plain.vectors.iter().map(|x| dot(x, v)).collect::<Vec<f64>>();
            let popularity: Vec<f64> = plain.fans.iter().map(|f| f.len() as f64).collect();
            let ranked = |scores: &[f64]| plain.ranked(scores, &history);
            // What an app gets, in which the archive's popularity counts as well.
            let deep = Request { k: NDCG_K, ..Request::default() };
            let slate = recommender.recommend(&deep).unwrap();
            let number = |o: Ordinal| plain.ordinal.iter().position(|i| *i == o.0).unwrap();
            let ours: Vec<usize> = slate.items.iter().map(|i| number(i.ordinal)).collect();
            for (method, ranked) in [
                ("fold-in", ours),
                ("vector alone", ranked(&along(&taste))),
                ("mean vector", ranked(&along(&mean))),
                ("popularity", ranked(&popularity)),
                ("item-kNN", ranked(&sums(&knn, &history))),
                ("EASE", ranked(&sums(&ease, &history))),
            ] {
                shown.entry(method.into()).or_default().extend(&ranked[..K]);
                for (measure, expected) in plain.measures(&ranked, &weights, &held_out) {
                    let what = format!("{} {method} {measure}", user["user"]);
                    close(&user["methods"][method][measure], expected, &what);
                    *totals.entry((method.into(), measure)).or_default() += expected;
                    seen += 1;
                }
            }
        }
        assert!(by_user.is_empty());
        assert_eq!(seen, 25 * 6 * 8);
        for method in out["methods"].as_array().unwrap() {
            let name = method["name"].as_str().unwrap();
            for ((_, measure), total) in totals.iter().filter(|((n, _), _)| n == name) {
                close(&method["measures"][*measure]["mean"], total / 25.0, measure);
            }
            let covered = shown[name].len() as f64 / N_ITEMS as f64;
            close(&method["measures"]["catalog_coverage"]["mean"], covered, "coverage");
        }
        assert_eq!(out["methods"].as_array().unwrap().len(), 6);
    }
}

/// What fold-in has more than another, from the lists' own figures: means and 95 % intervals,
/// where the lists of one person count as one.
#[test]
fn differences_are_paired_and_clustered_by_user() {
    let bench = Bench::new();
    let (text, out) = bench.eval(&["--interactions", "test.csv", "--train", "train.csv"]);
    assert!(text.starts_with("25 users, cut at random with 5 seeds: 125 lists of each method\n"));
    let users = out["users"].as_array().unwrap();
    assert_eq!(users.len(), 125);
    for method in &out["methods"].as_array().unwrap()[1..] {
        let name = method["name"].as_str().unwrap();
        for measure in ["recall_at_k", "ndcg_at_k", "novelty"] {
            let mut by_user: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
            for user in users {
                let of = |method: &str| user["methods"][method][measure].as_f64().unwrap();
                let difference = of("fold-in") - of(name);
                by_user.entry(user["user"].as_str().unwrap()).or_default().push(difference);
            }
            let (g, n) = (by_user.len() as f64, users.len() as f64);
            let mean = by_user.values().flatten().sum::<f64>() / n;
            let squares: f64 = by_user
                .values()
                .map(|d| d.iter().map(|x| x - mean).sum::<f64>())
                .map(|sum| sum * sum)
                .sum();
            let error = (g / (g - 1.0) * squares).sqrt() / n;
            let found = &method["fold_in_minus_this"][measure];
            close(&found["mean"], mean, name);
            close(&found["low"], mean - 1.96 * error, name);
            close(&found["high"], mean + 1.96 * error, name);
        }
    }
    assert!(out["methods"][0]["fold_in_minus_this"].is_null());
}

/// The users' rows without their times.
fn rows(out: &Value) -> Vec<Value> {
    let mut rows = out["users"].as_array().unwrap().clone();
    for row in &mut rows {
        for (_, method) in row["methods"].as_object_mut().unwrap() {
            method.as_object_mut().unwrap().remove("latency_ms").unwrap();
        }
    }
    rows
}

#[test]
fn a_cut_depends_on_the_seed_and_the_person_alone() {
    let bench = Bench::new();
    let arguments = ["--interactions", "test.csv", "--train", "train.csv", "--seeds", "2"];
    let first = rows(&bench.eval(&arguments).1);
    assert_eq!(rows(&bench.eval(&arguments).1), first);
    assert_ne!(first[0]["methods"], first[25]["methods"], "another seed, another cut");

    // In another order, with another person in it, everybody else is cut as before.
    let mut lines: Vec<String> =
        bench.read("test.csv").lines().skip(1).map(String::from).collect();
    lines.reverse();
    lines.extend((0..6).map(|i| format!("new,i{i},1,1")));
    bench.write("test.csv", &format!("user,item,weight,time\n{}\n", lines.join("\n")));
    let again = rows(&bench.eval(&arguments).1);
    assert_eq!(again.len(), first.len() + 2);
    assert!(first.iter().all(|row| again.contains(row)));

    // A history and what is held out of it are everything, four to one.
    for row in &first {
        let (history, held_out) = (&row["n_history"], &row["n_held_out"]);
        let n = history.as_u64().unwrap() + held_out.as_u64().unwrap();
        assert_eq!(held_out.as_u64().unwrap(), (n / 5).max(1));
    }
}

#[test]
fn what_is_left_out_is_counted() {
    let bench = Bench::new();
    bench.write(
        "odd.csv",
        "user,item,rating,time\n\
         a,i1,5,1\na,i2,4,2\na,i3,5,3\na,i3,5,9\na,gone,5,4\na,lost,5,5\na,i4,2,6\n\
         few,i1,5,1\nfew,i2,5,1\n\
         strange,i7,5,1\nstrange,gone,5,1\nstrange,lost,5,1\n",
    );
    let arguments = [
        "--interactions",
        "odd.csv",
        "--positive",
        "4",
        "--min-positives",
        "3",
        "--split",
        "time",
    ];
    let (text, out) = bench.eval(&arguments);
    let counts = &out["log"]["counts"];
    for (name, expected) in [
        ("n_positives", 11),
        ("n_below", 1),
        ("n_repeated", 1),
        ("n_unknown", 4),
        ("n_unknown_items", 2),
        ("n_users", 3),
        ("n_users_too_few", 1),
        ("n_users_unknown", 1),
        ("n_users_measured", 1),
    ] {
        assert_eq!(counts[name], expected, "{name}");
    }
    // The item that came again counts once, at its last time: it is the one held out.
    assert_eq!(out["users"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&out["users"][0]["n_history"], &out["users"][0]["n_held_out"]),
        (&2.into(), &1.into())
    );
    let line = "left out: 1 interactions that are no positives; 1 repeated interactions; 4 \
                interactions with 2 items that the archive does not have; 1 users with too few \
                positives; 1 users of whose items the archive has fewer than two\n";
    assert!(text.contains(line), "{text}");
    // One person has no interval.
    assert!(text.contains("[one user]"), "{text}");
    assert!(out["methods"][0]["measures"]["recall_at_k"]["low"].is_null());
}

#[test]
fn without_a_training_log_the_archive_s_prior_stands_in() {
    let bench = Bench::new();
    let (text, out) = bench.eval(&["--interactions", "test.csv"]);
    let names: Vec<&str> =
        out["methods"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fold-in", "vector alone", "mean vector", "popularity"]);
    assert!(out["train"].is_null() && out["methods"][0]["measures"]["novelty"].is_null());
    assert!(text.contains("note: Item-kNN and EASE are not shown"), "{text}");
    assert!(text.contains("nobody has checked that these people were unseen"), "{text}");

    let without =
        ["--interactions", "test.csv", "--without", "popularity,mean-vector,vector-alone"];
    let (text, out) = bench.eval(&without);
    assert_eq!(out["methods"].as_array().unwrap().len(), 1);
    assert!(!text.contains("fold-in minus"), "{text}");

    bench.ok(&["build", "items.jsonl", "--vectors", "v.npy", "-o", "a.nf"]);
    let (text, out) = bench.eval(&["--interactions", "test.csv"]);
    assert_eq!(out["methods"].as_array().unwrap().len(), 2);
    assert!(text.contains("note: Popularity is not shown"), "{text}");
}

#[test]
fn what_cannot_be_measured_is_refused_with_its_reason() {
    let bench = Bench::new();
    let leak = format!("{}t3,i1,1,1\nt4,i1,1,1\n", bench.read("test.csv"));
    bench.write("leak.csv", &leak);
    bench.write("none.csv", "user,item\n");
    bench.write("timeless.csv", &bench.read("test.csv").replace(",time", ",other"));
    bench.write("bad.csv", "user,item,weight\nu,i1,much\n");
    for (arguments, message) in [
        (
            &["--interactions", "leak.csv", "--train", "train.csv"][..],
            "leak.csv: expected users of whom --train train.csv has nothing (take them out of one \
             of the two), found 2 who are in both: \"t3\", \"t4\"",
        ),
        (
            &["--interactions", "none.csv"],
            "none.csv: expected users with at least 5 positives, two of them in the archive, found \
             none: of 0 users 0 have fewer, of the others 0 have fewer than two items that the \
             archive knows (positives 0, below --positive 0, of unknown items 0)",
        ),
        (
            &["--interactions", "test.csv", "--positive", "99"],
            "test.csv: expected users with at least 5 positives, two of them in the archive, found \
             none: of 0 users",
        ),
        (
            &["--interactions", "timeless.csv", "--split", "time"],
            "timeless.csv: expected a time with every interaction (--time-field names the column), \
             or --split share, found none for user \"u0\"",
        ),
        (
            &["--interactions", "bad.csv"],
            "bad.csv:2: weight: expected a finite number, found \"much\"",
        ),
        (&["--interactions", "missing.csv"], "missing.csv: "),
        (
            &["--interactions", "test.csv", "--train", "none.parquet"],
            "none.parquet: expected a file name ending in",
        ),
        (
            &["--interactions", "test.csv", "--split", "time", "--seeds", "3"],
            "--seeds: expected no --seeds, or --split share, found it with --split time",
        ),
        (
            &["--interactions", "test.csv", "--mix", "sales"],
            "--mix: expected a column of kind tags, category or flag, found \"sales\" of kind",
        ),
        (
            &["--interactions", "test.csv", "--cap", "artist"],
            "--cap: expected FIELD=N, as artist=2",
        ),
        (
            &["--interactions", "test.csv", "--quota", "2=sales > 1"],
            "--quota: expected SHARE=COND",
        ),
        (&["--interactions", "test.csv", "--quota", "0.2=sales >"], "where, at character"),
        (
            &["--interactions", "test.csv", "--sweep", "calibration"],
            "--sweep calibration: expected --mix FIELD beside it",
        ),
        (
            &["--interactions", "test.csv", "--request", "{\"q\": 1}"],
            "request: expected a member, one of: scenario",
        ),
        (
            &["--interactions", "test.csv", "--train", "train.csv", "--ease-lambda", "0"],
            "EASE's lambda: expected a number above 0",
        ),
    ] {
        let found = bench.fails(arguments);
        assert!(found.starts_with(message), "{arguments:?}: {found}");
    }
    // Wrong usage has status 2.
    for arguments in [
        &["--train", "train.csv"][..],
        &[],
        &["--interactions", "test.csv", "--holdout", "1.5"],
        &["--interactions", "test.csv", "--users", "u.jsonl"],
        &["--ann", "--interactions", "test.csv"],
        &["--users", "u.jsonl", "--report", "r.html"],
        &["--users", "u.jsonl", "--seeds", "2"],
        &["--ann", "--mix", "genres"],
        &["--users", "u.jsonl", "--request", "{}"],
    ] {
        let mut all = vec!["eval", "a.nf"];
        all.extend(arguments);
        assert_eq!(bench.run(&all).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn recent_interactions_are_weighed() {
    let bench = Bench::new();
    let asked = ["--interactions", "test.csv", "--split", "time", "--sweep", "windows"];
    let (_, out) = bench.eval(&asked);
    let steps = |setting: &str| -> Vec<Value> {
        let mut sweeps = out["sweeps"].as_array().unwrap().iter();
        let sweep = sweeps.find(|s| s["setting"] == setting).unwrap();
        sweep["steps"].as_array().unwrap().clone()
    };
    let fold_in = &out["methods"][0]["measures"];
    for measure in ["recall_at_k", "ndcg_at_k", "intra_list_distance"] {
        let (session, month) = (steps("session share"), steps("month share"));
        assert_eq!(session[0]["measures"][measure], fold_in[measure]);
        // The log is twelve days long: its last three hours are little of it, its last month is all.
        assert_ne!(session.last().unwrap()["measures"][measure], fold_in[measure]);
        for step in month {
            assert_eq!(step["measures"][measure], fold_in[measure], "{}", step["setting"]);
        }
    }

    let without: String = bench
        .read("test.csv")
        .lines()
        .map(|line| format!("{}\n", line.rsplit_once(',').unwrap().0))
        .collect();
    bench.write("timeless.csv", &without);
    let output =
        bench.run(&["eval", "a.nf", "--interactions", "timeless.csv", "--sweep", "windows"]);
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("--sweep windows: expected a time with every interaction"),
        "{errors}"
    );
}

#[test]
fn a_sweep_ends_where_fold_in_is() {
    let bench = Bench::new();
    let (text, out) = bench.eval(&["--interactions", "test.csv", "--sweep", "history,effort"]);
    let sweeps = out["sweeps"].as_array().unwrap();
    let steps = |sweep: &Value| -> Vec<String> {
        let step = |s: &Value| s["setting"].as_str().unwrap().to_owned();
        sweep["steps"].as_array().unwrap().iter().map(step).collect()
    };
    assert_eq!(steps(&sweeps[0]), ["1", "2", "3", "5", "10", "all"]);
    assert_eq!(steps(&sweeps[1]), ["0.5", "0.8", "0.9", "0.95", "0.99", "exhaustive"]);
    for sweep in sweeps {
        let last = sweep["steps"].as_array().unwrap().last().unwrap();
        for measure in ["recall_at_k", "ndcg_at_k", "intra_list_distance", "catalog_coverage"] {
            assert_eq!(last["measures"][measure], out["methods"][0]["measures"][measure]);
        }
    }
    let first = &sweeps[0]["steps"][0]["measures"]["ndcg_at_k"]["mean"];
    assert_ne!(first, &out["methods"][0]["measures"]["ndcg_at_k"]["mean"]);
    assert!(text.contains("\nitems folded in ") && text.contains("\nexhaustive "), "{text}");
}

/// What is turned from nothing on begins where nothing is turned, and moves what it should.
#[test]
fn trade_offs_begin_at_fold_in_and_move_their_measure() {
    let bench = Bench::new();
    let arguments = [
        "--interactions",
        "test.csv",
        "--mix",
        "genres",
        "--sweep",
        "diversity,calibration,prior",
        "--request",
        r#"{"k": 3, "diversity": {"strength": 0.5}, "candidates": 30}"#,
    ];
    let (text, out) = bench.eval(&arguments);
    let (text_of_none, popular) = bench.eval(&arguments[..6]);
    let mean = |row: &Value, measure: &str| row["measures"][measure]["mean"].as_f64();
    let methods = out["methods"].as_array().unwrap();
    assert_eq!(methods[1]["name"], "request");
    // Its list is as long as recall is deep, and not as ndcg is.
    assert!(
        mean(&methods[1], "recall_at_k").is_some() && mean(&methods[1], "ndcg_at_k").is_none()
    );
    assert!(text.contains("\nrequest ") && !text_of_none.contains("\nrequest "));

    // Without a prior, since how much it counts depends on the length of a list.
    bench.ok(&["build", "items.jsonl", "--vectors", "v.npy", "-o", "a.nf"]);
    let sweeps = "diversity,calibration";
    let (_, plain) =
        bench.eval(&["--interactions", "test.csv", "--mix", "genres", "--sweep", sweeps]);
    let sweep = |out: &Value, setting: &str| -> Vec<Value> {
        let mut all = out["sweeps"].as_array().unwrap().iter();
        let found = all.find(|s| s["setting"] == setting).unwrap();
        found["steps"].as_array().unwrap().clone()
    };
    for (setting, measure, falls) in [
        ("mmr strength", "intra_list_distance", false),
        ("dpp strength", "intra_list_distance", false),
        ("calibration strength", "calibration_error", true),
    ] {
        let steps = sweep(&plain, setting);
        assert_eq!(steps[0]["setting"], "0");
        for same in ["recall_at_k", "intra_list_distance", "calibration_error"] {
            let fold_in = mean(&plain["methods"][0], same);
            assert_eq!(mean(&steps[0], same), fold_in, "{setting} {same}");
        }
        let (first, last) = (mean(&steps[0], measure), mean(&steps[steps.len() - 1], measure));
        assert!(if falls { last < first } else { last > first }, "{setting}: {first:?} {last:?}");
    }
    let prior = sweep(&popular, "prior weight");
    assert_eq!(prior[0]["measures"]["ndcg_at_k"], popular["methods"][0]["measures"]["ndcg_at_k"]);
    assert_ne!(prior[7]["measures"]["ndcg_at_k"], prior[0]["measures"]["ndcg_at_k"]);
    // With a request it is the request that is turned.
    let own = sweep(&out, "mmr strength");
    let half = own.iter().find(|step| step["setting"] == "0.5").unwrap();
    assert_eq!(half["measures"]["recall_at_k"], methods[1]["measures"]["recall_at_k"]);
    let calibrated = &sweep(&out, "calibration strength")[0];
    assert_eq!(mean(calibrated, "recall_at_k"), mean(&methods[1], "recall_at_k"));
}

/// Tags of a page in their order, each opened and closed where it should be; what they name.
fn check_markup(page: &str) {
    const VOID: [&str; 1] = ["meta"];
    let mut open: Vec<&str> = Vec::new();
    let body = page.strip_prefix("<!doctype html>\n").unwrap();
    for tag in body.split('<').skip(1) {
        let (inside, _) = tag.split_once('>').unwrap();
        let name = inside.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if inside.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
        } else if !inside.ends_with('/') && !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn the_report_is_one_page_that_needs_no_other() {
    let bench = Bench::new();
    let nasty = "a & <b>.nf";
    std::fs::copy(bench.path("a.nf"), bench.path(nasty)).unwrap();
    bench.ok(&[
        "eval",
        nasty,
        "--interactions",
        "test.csv",
        "--train",
        "train.csv",
        "--sweep",
        "history,effort",
        "--quota",
        "0.2=sales < 9 and genres has \"<i>\"",
        "--mix",
        "genres",
        "--report",
        "r.html",
    ]);
    let page = bench.read("r.html");
    check_markup(&page);
    for stranger in ["<script", "src=", "href=", "url(", "@import", "http:", "https:", "<b>.nf"] {
        assert!(!page.contains(stranger), "{stranger}");
    }
    for part in [
        "<h1>How good are the recommendations of a &amp; &lt;b&gt;.nf?</h1>",
        "prefers-color-scheme: dark",
        "@media print",
        "item-kNN",
        "fold-in minus",
        "How soon it gets good",
        "quota 0.2=sales &lt; 9",
        "nearfield eval &#39;a &amp; &lt;b&gt;.nf&#39; --interactions test.csv",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // Methods, differences, three curves, times.
    assert_eq!(page.matches("<svg").count(), 6);
    assert!(!page.contains("NaN") && !page.contains("inf\""), "every place is a number");
}
