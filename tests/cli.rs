//! The command as its users meet it: what it prints, what it refuses, and how it ends.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, reason = "in tests a panic names the line")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with files, and the command run in it.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nearfield"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Standard output of a run that must succeed and say nothing on standard error.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        assert_eq!(errors, "", "{arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// The message of a run that must fail with exit status 1 and print no result.
    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        let message = message.strip_prefix("nearfield: ").unwrap().strip_suffix('\n').unwrap();
        assert_eq!(message.lines().count(), 1, "one line: {message}");
        message.to_owned()
    }
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    path.display().to_string()
}

/// A `.npy` of float32, by rows.
fn npy(width: usize, rows: &[&[f32]]) -> Vec<u8> {
    let shape = format!("({}, {width})", rows.len());
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    header.push_str(&" ".repeat(63 - (header.len() + 10) % 64));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(rows.iter().flat_map(|row| row.iter().flat_map(|x| x.to_le_bytes())));
    bytes
}

fn strings(values: &Value, key: &str) -> Vec<String> {
    let text = |v: &Value| v[key].as_str().unwrap().to_owned();
    values.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn golden_archives_are_built_again_byte_for_byte() {
    let bench = Bench::new(&[]);
    let options = |text: &'static str| text.split(' ').collect::<Vec<&str>>();
    let implicit = options(
        "--metric inner-product --foldin implicit --alpha 2 --lambda 0.5 --lists 8 --bits 6",
    );
    let euclidean = options("--metric euclidean --lists 5 --bits 7");
    let log = fixture("small-log.csv");
    let mut neighbours = options(
        "--metric inner-product --bits 6 --neighbours-kind ease --neighbours-regularisation 10 \
         --neighbours-m 8 --neighbours-beta 0.5 --interactions",
    );
    neighbours.push(&log);
    for (input, archive, options) in [
        ("small", "small-v1.nf", &["--prior", "popularity"][..]),
        ("small", "small-ip-v1.nf", &implicit),
        ("small", "small-euclid-v1.nf", &euclidean),
        ("small", "small-neighbours-v1.nf", &neighbours),
        ("empty", "empty-v1.nf", &[]),
        ("one", "one-v1.nf", &[]),
    ] {
        let (items, vectors) =
            (fixture(&format!("{input}.jsonl")), fixture(&format!("{input}.npy")));
        let mut arguments = vec!["build", &items, "--vectors", &vectors, "-o", "again.nf"];
        arguments.extend(options);
        bench.ok(&arguments);
        let again = std::fs::read(bench.path("again.nf")).unwrap();
        let golden = std::fs::read(fixture(archive)).unwrap();
        assert!(again == golden, "{archive} differs from what is built today");
        let verified = bench.ok(&["verify", &fixture(archive)]);
        assert!(verified.contains("verified"), "{verified}");
    }
}

#[test]
fn the_same_bytes_at_any_number_of_threads() {
    let bench = Bench::new(&[]);
    let (items, vectors) = (fixture("small.jsonl"), fixture("small.npy"));
    for source in [["--vectors", vectors.as_str()], ["--embed-text", "title,genres*2,label"]] {
        let mut archives = Vec::new();
        for threads in ["1", "2", "5"] {
            let arguments = ["build", &items, source[0], source[1], "-o", "out.nf", "--dim", "8"];
            let n = if source[0] == "--vectors" { 6 } else { 8 };
            let mut command = bench.command(&arguments[..n]);
            let output = command.env("RAYON_NUM_THREADS", threads).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            archives.push(std::fs::read(bench.path("out.nf")).unwrap());
        }
        assert!(archives.iter().all(|a| *a == archives[0]), "{source:?}");
        for threads in ["1", "3"] {
            let mut command = bench.command(&[
                "generate",
                "clustered-v1",
                "-n",
                "9000",
                "--dim",
                "4",
                "-o",
                "g.npy",
            ]);
            command.env("RAYON_NUM_THREADS", threads).output().unwrap();
            archives.push(std::fs::read(bench.path("g.npy")).unwrap());
        }
        assert!(archives[3] == archives[4]);
    }
}

#[test]
fn the_report_says_what_was_built() {
    let bench = Bench::new(&[]);
    let arguments = [
        "build",
        &fixture("small.jsonl"),
        "--vectors",
        &fixture("small.npy"),
        "-o",
        "small.nf",
        "--json",
    ];
    let report = bench.json(&arguments);
    assert_eq!((&report["n_items"], &report["dim"]), (&300.into(), &24.into()));
    assert_eq!(report["metric"], "cosine");
    assert_eq!(report["bytes"], std::fs::metadata(bench.path("small.nf")).unwrap().len());
    let sections = strings(&report["sections"], "name");
    assert_eq!(
        sections,
        [
            "ids",
            "model",
            "lists",
            "blocks",
            "columns",
            "codes",
            "refining",
            "neighbours",
            "titles",
            "texts"
        ]
    );
    let kinds: Vec<String> = strings(&report["columns"], "name")
        .into_iter()
        .zip(strings(&report["columns"], "kind"))
        .map(|(name, kind)| format!("{name}:{kind}"))
        .collect();
    let expected = "title:text year:integer genres:tags label:category explicit:flag rating:real \
                    released:date popularity:integer note:text";
    assert_eq!(kinds.join(" "), expected);
    assert_eq!(report["columns"][1]["n_null"], 15);
    assert_eq!(report["columns"][2]["n_distinct"], 12);
    assert!(report["relative_error"].as_f64().unwrap() < 0.03);

    let inspected = bench.json(&["inspect", "small.nf", "--json"]);
    assert_eq!(inspected["n_items"], 300);
    assert_eq!(inspected["sections"], report["sections"]);
    assert_eq!(strings(&inspected["columns"], "kind"), strings(&report["columns"], "kind"));
    let text = bench.ok(&["inspect", "small.nf"]);
    assert!(text.contains("300 items of 24 dimensions"), "{text}");
}

#[test]
fn archives_answer() {
    let bench = Bench::new(&[]);
    let archive = fixture("small-v1.nf");
    let similar = bench.json(&[
        "similar",
        &archive,
        "17",
        "-k",
        "5",
        "--where",
        "year >= 1980",
        "--fields",
        "year,genres,released",
        "--json",
    ]);
    let items = similar["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    assert!(items.iter().all(|item| item["fields"]["year"].as_i64().unwrap() >= 1980));
    assert!(items.iter().all(|item| item["id"] != "17" && item["title"].is_string()));
    assert!(items[0]["fields"]["genres"].is_array());

    let recommended = bench.json(&[
        "recommend",
        &archive,
        "--like",
        "17",
        "5",
        "--dislike",
        "2",
        "-k",
        "7",
        "--explain",
        "2",
        "--json",
    ]);
    let items = recommended["items"].as_array().unwrap();
    assert_eq!((recommended["basis"].as_str(), items.len()), (Some("taste"), 7));
    assert!(items.iter().all(|item| !["17", "5", "2"].contains(&item["id"].as_str().unwrap())));
    assert_eq!(items[0]["because"].as_array().unwrap().len(), 2);
    let text = bench.ok(&["recommend", &archive, "--like", "17", "-k", "1"]);
    assert!(text.contains("because you liked Hollow Mountain (100 %)"), "{text}");

    let popular = bench.json(&["recommend", &archive, "-k", "3", "--json"]);
    assert_eq!(popular["basis"], "prior");

    // Whatever the spelling: capitals, no accents, a typing error.
    let found = bench.json(&["search", &archive, "ELECTRIC", "mountan", "-k", "3", "--json"]);
    assert_eq!(found["items"][0]["title"], "Électric Mountain");
    let empty = bench.json(&["recommend", &fixture("empty-v1.nf"), "--json"]);
    assert_eq!(empty["items"].as_array().unwrap().len(), 0);
}

#[test]
fn decode_writes_vectors_and_ids_in_one_order() {
    let bench = Bench::new(&[]);
    bench.ok(&["decode", &fixture("small-v1.nf"), "-o", "d.npy", "--ids", "ids.txt"]);
    let ids = std::fs::read_to_string(bench.path("ids.txt")).unwrap();
    assert_eq!(ids.lines().count(), 300);
    let bytes = std::fs::read(bench.path("d.npy")).unwrap();
    let header = String::from_utf8_lossy(&bytes[..128]);
    assert!(header.contains("'<f8'") && header.contains("(300, 24"), "{header}");
    assert_eq!(bytes.len(), 128 + 300 * 24 * 8);
    let x = |i: usize| f64::from_le_bytes(bytes[128 + 8 * i..][..8].try_into().unwrap());
    // Cosine archives hold vectors of length 1, up to the codes' error.
    let length = (0..24).map(|j| x(j) * x(j)).sum::<f64>().sqrt();
    assert!((length - 1.0).abs() < 0.01, "{length}");
}

#[test]
fn eval_measures_every_user() {
    let users = br#"{"user": "u", "history": [{"item": "17", "weight": 1}, {"item": "5", "weight": 2}], "held_out": ["29", "41", "53"]}
{"user": "v", "history": [{"item": "0", "weight": 1}], "held_out": ["12"]}
"#;
    let bench = Bench::new(&[("users.jsonl", users)]);
    let archive = fixture("small-ip-v1.nf");
    let text = bench.ok(&[
        "eval",
        &archive,
        "--users",
        "users.jsonl",
        "-k",
        "20",
        "--ndcg-k",
        "30",
        "--json",
        "out.json",
    ]);
    assert!(text.starts_with("2 users\n"), "{text}");
    let out: Value =
        serde_json::from_slice(&std::fs::read(bench.path("out.json")).unwrap()).unwrap();
    let u = &out["users"][0];
    assert_eq!(u["vector"].as_array().unwrap().len(), 24);
    let recommended: Vec<&str> =
        u["recommended"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(recommended.len(), 30);
    assert!(!recommended.contains(&"17") && !recommended.contains(&"5"));
    let n_found = ["29", "41", "53"].iter().filter(|id| recommended[..20].contains(id)).count();
    assert_eq!(u["recall_at_k"].as_f64().unwrap(), n_found as f64 / 3.0);
    let recall = |user: &Value| user["recall_at_k"].as_f64().unwrap();
    let mean = (recall(&out["users"][0]) + recall(&out["users"][1])) / 2.0;
    assert!((out["mean"]["recall_at_k"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(out["mean"]["mean_vector"]["ndcg_at_k"].is_number());

    let bench = Bench::new(&[(
        "users.jsonl",
        br#"{"user": "u", "history": [{"item": "nobody", "weight": 1}], "held_out": ["1"]}"#,
    )]);
    let message = bench.fails(&["eval", &archive, "--users", "users.jsonl"]);
    assert!(message.starts_with("users.jsonl:1: history[0].item: expected the id"), "{message}");
}

#[test]
fn generated_data_are_named_by_digest() {
    let bench = Bench::new(&[]);
    let arguments = [
        "generate",
        "longtail-v1",
        "-n",
        "100",
        "--dim",
        "4",
        "--seed",
        "9",
        "-o",
        "b.npy",
        "--queries",
        "q.npy",
        "--n-queries",
        "7",
    ];
    let text = bench.ok(&arguments);
    assert!(text.starts_with("b.npy: xxh3 ") && text.contains("\nq.npy: xxh3 "), "{text}");
    assert_eq!(bench.ok(&arguments), text);
    assert_eq!(std::fs::metadata(bench.path("q.npy")).unwrap().len(), 128 + 7 * 4 * 4);
}

/// Every way a catalog can be wrong is named by file, line and field.
#[test]
fn input_errors_name_their_place() {
    let two: &[u8] = b"{\"id\": \"a\", \"x\": 1}\n{\"id\": \"b\", \"x\": 2}\n";
    let rows: &[&[f32]] = &[&[1.0, 0.0], &[0.0, 1.0]];
    let good = npy(2, rows);
    for (name, items, expected) in [
        (
            "a.jsonl",
            &b"{\"id\": \"a\"}\n{\"id\": \"a\"}\n"[..],
            "a.jsonl:2: id: expected an id of its own (or --duplicates first or last), found \"a\", as on line 1",
        ),
        (
            "a.jsonl",
            b"{\"id\": \"a\"}\n\n{\"name\": \"b\"}\n",
            "a.jsonl:3: id: expected an id of 1 to 1024 bytes (--id names its field), found no id",
        ),
        (
            "a.jsonl",
            b"{\"id\": \"a\"}\n{\"id\": \"\"}\n",
            "a.jsonl:2: id: expected an id of 1 to 1024 bytes (--id names its field), found an empty string",
        ),
        (
            "a.jsonl",
            b"{\"id\": \"a\", \"x\": 1}\n{\"id\": \"b\", \"x\": \"one\"}\n",
            "a.jsonl:2: x: expected a number, as on line 1 (or name a kind for this field in --schema), found the string \"one\"",
        ),
        (
            "a.jsonl",
            b"{\"id\": \"a\", \"x\": {\"y\": 1}}\n",
            "a.jsonl:1: x: expected a string, a number, true, false, null or an array of strings, found an object",
        ),
        (
            "a.jsonl",
            b"[{\"id\": \"a\"}]\n",
            "a.jsonl:1: expected one JSON object a line, without an array around them, found",
        ),
        (
            "a.jsonl",
            b"{\"id\": \"a\", \"x\": \"\xff\"}\n",
            "a.jsonl:1: expected UTF-8 text, found another byte at column 19",
        ),
        ("a.jsonl", b"\x1f\x8b\x08\x00\x00", "a.jsonl:1: expected a complete gzip file"),
        ("a.csv", b"id,x\na,1\nb\n", "a.csv:3: expected 2 fields, as on the first line, found 1"),
        ("a.csv", b"id,x\r\n\r\na,\"1\r\n2\"\r\n\r\n,1", "a.csv:6: id: expected"),
        ("a.csv", b"id,x\n\na,\"1\n2\"\n\n,1\n", "a.csv:6: id: expected"),
        (
            "a.csv",
            b"key,x\na,1\n",
            "a.csv:1: expected a column \"id\" (--id names it), one of: key, x, found none of this name",
        ),
        (
            "a.csv",
            b"id,x,x\na,1,2\n",
            "a.csv:1: x: expected each name once, found it a second time",
        ),
        ("a.csv", b"", "a.csv:1: expected a line of column names, found an empty file"),
        (
            "a.csv",
            b"id,x\n,1\n",
            "a.csv:2: id: expected an id of 1 to 1024 bytes (--id names its field), found an empty string",
        ),
        (
            "a.parquet",
            b"",
            "a.parquet: expected a file name ending in .jsonl, .ndjson, .csv or .tsv, with or without .gz, found another ending",
        ),
    ] {
        let bench = Bench::new(&[(name, items), ("v.npy", &good)]);
        let message = bench.fails(&["build", name, "--vectors", "v.npy", "-o", "out.nf"]);
        assert!(message.starts_with(expected), "{message}");
        assert!(!bench.path("out.nf").exists());
    }
    let nan: &[&[f32]] = &[&[1.0, 0.0], &[f32::NAN, 1.0]];
    let zero: &[&[f32]] = &[&[0.0, 0.0], &[0.0, 1.0]];
    for (vectors, expected) in [
        (
            npy(2, &rows[..1]),
            "v.npy: shape: expected 2 rows, one for each item line of a.jsonl, found 1",
        ),
        (
            npy(2, nan),
            "v.npy: row 1, column 0: expected finite numbers within ±1e15 (or --bad-vectors drop), found NaN, for item \"b\" of a.jsonl:2",
        ),
        (
            npy(2, zero),
            "v.npy: row 0: expected a direction, since the metric is cosine (or --bad-vectors drop), found a vector of zeros, for item \"a\" of a.jsonl:1",
        ),
        (
            b"not numpy".to_vec(),
            "v.npy: expected a .npy file, as numpy.save writes it, found a file of another kind",
        ),
    ] {
        let bench = Bench::new(&[("a.jsonl", two), ("v.npy", &vectors)]);
        let message = bench.fails(&["build", "a.jsonl", "--vectors", "v.npy", "-o", "out.nf"]);
        assert_eq!(message, expected);
    }
    let bench = Bench::new(&[("a.jsonl", two)]);
    let message = bench.fails(&["build", "a.jsonl", "--vectors", "none.npy", "-o", "out.nf"]);
    assert!(message.starts_with("none.npy: "), "{message}");
    let message = bench.fails(&["build", "a.jsonl", "--embed-text", "x", "-o", "out.nf"]);
    assert_eq!(
        message,
        "--embed-text: expected a field of kind text, category or tags (a schema can make it one), found \"x\" of another kind"
    );
    let message = bench.fails(&["build", "a.jsonl", "--embed-text", "y", "-o", "out.nf"]);
    assert!(
        message.starts_with("--embed-text: expected a text, category or tags field"),
        "{message}"
    );
}

#[test]
fn policies_leave_out_and_count() {
    let items: &[u8] = b"{\"id\": \"a\", \"x\": 1}\n{\"id\": \"b\", \"x\": 2}\n{\"id\": \"a\", \"x\": 3}\n{\"id\": \"c\", \"x\": 4}\n";
    let rows: &[&[f32]] = &[&[1.0, 0.0], &[0.0, 1.0], &[1.0, 1.0], &[0.0, 0.0]];
    let bench = Bench::new(&[("a.jsonl", items), ("v.npy", &npy(2, rows))]);
    for (policy, x) in [("first", 1), ("last", 3)] {
        let report = bench.json(&[
            "build",
            "a.jsonl",
            "--vectors",
            "v.npy",
            "-o",
            "out.nf",
            "--duplicates",
            policy,
            "--bad-vectors",
            "drop",
            "--json",
        ]);
        assert_eq!(report["n_items"], 2);
        assert_eq!((&report["n_duplicates"], &report["n_bad_vectors"]), (&1.into(), &1.into()));
        let similar = bench.json(&["similar", "out.nf", "b", "--fields", "x", "--json"]);
        assert_eq!(similar["items"][0]["fields"]["x"], x);
    }
}

#[test]
fn content_vectors_put_related_items_together() {
    let items = "id,title,tags,odd\n\
                 1,Night Train,jazz|piano,\n2,Night Boat,jazz|piano,\n3,Iron Road,metal|loud,\n\
                 4,Iron Fist,metal|loud,\n5,Lonely,nothing else,\n";
    let bench = Bench::new(&[("a.csv", items.as_bytes())]);
    let arguments = ["build", "a.csv", "--embed-text", "title,tags", "-o", "out.nf"];
    let message = bench.fails(&arguments);
    assert_eq!(
        message,
        "a.csv:6: title, tags: expected text or tags that another item has too (or --bad-vectors drop), found none, for item \"5\" and 0 more"
    );
    let mut dropping = arguments.to_vec();
    dropping.extend(["--bad-vectors", "drop", "--json"]);
    let report = bench.json(&dropping);
    assert_eq!((&report["n_items"], &report["n_bad_vectors"]), (&4.into(), &1.into()));
    for (item, nearest) in [("1", "2"), ("3", "4")] {
        let similar = bench.json(&["similar", "out.nf", item, "--json"]);
        assert_eq!(similar["items"][0]["id"], nearest);
    }
}

#[test]
fn schemas_decide_kinds() {
    let items: &[u8] = b"\xef\xbb\xbfid,code,year,internal\r\na,1,1999,x\r\nb,2,2001,y\r\n";
    let schema: &[u8] = br#"{"fields": {"code": "category", "internal": "skip"}}"#;
    let unknown: &[u8] = br#"{"fields": {"yaer": "integer"}}"#;
    let wrong: &[u8] = br#"{"fields": {"internal": "integer"}}"#;
    let rows: &[&[f32]] = &[&[1.0], &[2.0]];
    let bench = Bench::new(&[
        ("a.csv", items),
        ("v.npy", &npy(1, rows)),
        ("s.json", schema),
        ("unknown.json", unknown),
        ("wrong.json", wrong),
    ]);
    let build = ["build", "a.csv", "--vectors", "v.npy", "-o", "out.nf", "--json", "--schema"];
    let with = |schema| [&build[..], &[schema]].concat();
    let report = bench.json(&with("s.json"));
    assert_eq!(strings(&report["columns"], "name"), ["code", "year"]);
    assert_eq!(strings(&report["columns"], "kind"), ["category", "integer"]);
    let message = bench.fails(&with("unknown.json"));
    assert_eq!(
        message,
        "unknown.json: fields: expected a field of the items (did you mean \"year\"?), found \"yaer\""
    );
    let message = bench.fails(&with("wrong.json"));
    assert_eq!(message, "a.csv:2: internal: expected a whole number, found the string \"x\"");
}

#[test]
fn exit_statuses() {
    let bench = Bench::new(&[("no.nf", b"no archive")]);
    for wrong_usage in [
        &["frobnicate"][..],
        &["build", "a.jsonl", "-o", "out.nf"],
        &["similar", "a.nf"],
        &["similar", "a.nf", "1", "-k", "0"],
        &["build", "a.jsonl", "--embed-text", "title*-1", "-o", "out.nf"],
        &["build", "a.jsonl", "--vectors", "v.npy", "--metric", "hamming", "-o", "out.nf"],
    ] {
        let output = bench.run(wrong_usage);
        assert_eq!(output.status.code(), Some(2), "{wrong_usage:?}");
        assert_eq!(output.stdout, b"");
    }
    assert!(bench.ok(&["--help"]).contains("recommend"));
    assert!(bench.fails(&["inspect", "no.nf"]).contains("corrupt archive"));
    assert!(bench.fails(&["verify", "missing.nf"]).starts_with("missing.nf: "));
    let archive = fixture("small-v1.nf");
    let message = bench.fails(&["similar", &archive, "nobody"]);
    assert!(message.starts_with("ID: expected the id of an item of this archive"), "{message}");
    let message = bench.fails(&["similar", &archive, "17", "--where", "yaer > 1"]);
    assert!(message.starts_with("where, at character 0"), "{message}");
    let message = bench.fails(&["similar", &archive, "17", "--fields", "yaer"]);
    assert!(message.contains("did you mean \"year\"?"), "{message}");
}

#[test]
fn damage_is_found() {
    let mut bytes = std::fs::read(fixture("small-v1.nf")).unwrap();
    let last = bytes.len() - 1;
    bytes[last - 2000] ^= 1;
    let bench = Bench::new(&[("damaged.nf", &bytes)]);
    assert!(bench.fails(&["verify", "damaged.nf"]).contains("corrupt archive: texts"));
}

/// As in `nearfield similar ... | head -1`.
#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_error() {
    let bench = Bench::new(&[]);
    let mut command = bench.command(&["similar", &fixture("small-v1.nf"), "17", "-k", "200"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
}

#[test]
fn off_policy_estimates_and_refuses() {
    use std::fmt::Write as _;
    // Two items at random; the second, which the policy in question always shows, earns 1.
    let mut log = String::new();
    for i in 0..300 {
        let row = |position, reward, propensity, target| {
            format!(
                "{{\"slate\": \"s{i}\", \"position\": {position}, \"reward\": {reward}, \
                 \"propensity\": {propensity}, \"target\": {target}}}"
            )
        };
        writeln!(log, "{}\n{}", row(0, i % 2, "0.5", i % 2), row(1, 1, "null", 1)).unwrap();
    }
    let bench = Bench::new(&[("log.jsonl", log.as_bytes())]);
    let text = bench.ok(&["off-policy", "log.jsonl"]);
    let expected = "300 slots of 300 slates explored; 300 without a propensity are left out\n";
    assert!(text.starts_with(expected), "{text}");
    let report = bench.json(&["off-policy", "log.jsonl", "--json"]);
    assert_eq!(report["ips"]["value"], 1.0);
    assert_eq!(report["logged"]["value"], 0.5);
    assert_eq!(report["effective_sample_size"], 150.0);
    assert!(report["dr"].is_null());

    let line = |text: &str| {
        let bench = Bench::new(&[("log.jsonl", text.as_bytes())]);
        bench.fails(&["off-policy", "log.jsonl"])
    };
    let few: String = log.lines().take(20).map(|l| format!("{l}\n")).collect();
    let message = line(&few);
    assert!(message.starts_with("effective sample size: expected at least 100"), "{message}");
    assert!(message.ends_with("found 5 of 10 slots"), "{message}");
    let closed: String = log.lines().skip(1).step_by(2).map(|l| format!("{l}\n")).collect();
    assert!(line(&closed).ends_with("found none in 300 slots"), "{}", line(&closed));
    for (text, expected) in [
        ("{\"slate\": \"s\"}", "log.jsonl:1: expected {\"slate\", "),
        (
            r#"{"slate": "s", "position": 0, "reward": 1, "target": 1}"#,
            "log.jsonl:1: expected {\"slate\", ",
        ),
        (
            r#"{"slate": "s", "position": 0, "reward": 1, "propensity": 0, "target": 1}"#,
            "log.jsonl:1: propensity: expected null, or a probability above 0",
        ),
        (
            r#"{"slate": "s", "position": 0, "reward": 1, "propensity": 1, "target": 1, "predicted": 0.5}"#,
            "log.jsonl:1: expected both predicted and predicted_target",
        ),
        (
            r#"{"slate": "s", "position": 0, "reward": 1, "propensity": 1, "target": 1}
{"slate": "s", "position": 0, "reward": 1, "propensity": 1, "target": 1}"#,
            "log.jsonl:2: position: expected each position of a slate once, found 0",
        ),
        (
            r#"{"slate": "s", "position": 0, "reward": 1, "propensity": 1, "target": 1}
{"slate": "s", "position": 1, "reward": 1, "propensity": 1, "target": 1, "predicted": 0, "predicted_target": 0}"#,
            "log.jsonl:2: expected predictions on every line, or on none",
        ),
    ] {
        assert!(line(text).starts_with(expected), "{}", line(text));
    }
}

#[test]
fn simulate_prints_and_draws() {
    let bench = Bench::new(&[]);
    let small = ["simulate", "--rounds", "30", "--users", "3", "--seeds", "2", "--seed", "5"];
    let with = |more: &[&'static str]| bench.ok(&[&small[..], more].concat());
    let text = with(&["--report", "out.html"]);
    assert!(
        text.starts_with("6 people in 2 populations, 30 slates of 10 each, seed 5\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 7);
    assert_eq!(with(&[]), text, "the same seed, the same table");
    let page = std::fs::read_to_string(bench.path("out.html")).unwrap();
    assert_eq!(page.matches("<polyline").count(), 5);
    assert!(page.contains(text.lines().nth(2).unwrap()) && !page.contains("NaN"));
    assert!(!page.contains("http") && !page.contains("src="), "nothing is fetched");
    let rows: Value = serde_json::from_str(&with(&["--json"])).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 5);
    assert_eq!(rows[0]["regret"].as_array().unwrap().len(), 30);
}

#[test]
fn requests_in_json_say_everything_and_the_answer_tells_why() {
    let bench = Bench::new(&[("scenarios.json", br#"{"home": {"k": 4, "caps": {"label": 1}}}"#)]);
    let archive = fixture("small-v1.nf");
    let request = r#"{"scenario": "home", "parts": true, "pins": [{"item": "40", "position": 2}],
        "diversity": {"strength": 0.5}, "explore": {"slots": [3]},
        "quotas": [{"name": "none", "where": "year == 1", "least": 0.5}]}"#;
    let run =
        ["recommend", &archive, "--like", "17", "18", "--trace", "--json", "--request", request];
    let slate = bench.json(&[&run[..], &["--scenarios", "scenarios.json"]].concat());
    let items = slate["items"].as_array().unwrap();
    assert_eq!(items.len(), 4);
    assert_eq!(items[2]["id"], "40");
    for item in items {
        let parts: f64 =
            item["parts"].as_object().unwrap().values().filter_map(Value::as_f64).sum();
        assert!((parts - item["score"].as_f64().unwrap()).abs() < 1e-12);
    }
    assert!(items[3]["propensity"].as_f64().unwrap() > 0.0 && items[0]["propensity"].is_null());
    assert_eq!(slate["policy"], "softmax(0.1)");
    let trace = slate["trace"].as_array().unwrap();
    assert_eq!(trace.len(), 3, "a step for each place that is not left to chance");
    assert_eq!((&trace[2]["reason"], &trace[2]["rule"]), (&"pin".into(), &"40".into()));
    let passed: Vec<&Value> =
        trace.iter().flat_map(|step| step["passed"].as_array().unwrap()).collect();
    assert!(passed.iter().any(|p| p["why"] == "cap" && p["rule"] == "label"));
    assert_eq!(slate["unmet"][0]["what"], "quota");
    assert_eq!(
        (&slate["unmet"][0]["name"], &slate["unmet"][0]["missing"]),
        (&"none".into(), &2.into())
    );
    let text = bench.ok(&[
        "recommend",
        &archive,
        "--like",
        "17",
        "--trace",
        "--request",
        r#"{"caps": {"label": 1}}"#,
    ]);
    assert!(text.contains("trace: place 0"), "{text}");
    let diverse = r#"{"diversity": {"strength": 0.9}}"#;
    let diverse = bench.json(&[&run[..6], &["--json", "--request", diverse]].concat());
    let steps = diverse["trace"].as_array().unwrap();
    let mut passed = steps.iter().flat_map(|step| step["passed"].as_array().unwrap());
    assert!(passed.any(|p| p["why"] == "similar" && p["similarity"].is_number()));
    // Nothing known, and no prior: no parts, and no crash.
    let bare = bench.json(&[
        "recommend",
        &fixture("one-v1.nf"),
        "--json",
        "--request",
        r#"{"parts": true}"#,
    ]);
    assert_eq!(bare["items"].as_array().unwrap().len(), 1);
    let message = bench.fails(&["recommend", &archive, "--request", r#"{"cap": {"label": 1}}"#]);
    assert!(message.contains("\"cap\"") && message.contains("caps"), "{message}");
}
