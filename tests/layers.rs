//! The rooms of `src/` import in one direction, and what is dangerous stands in few places.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What each room may import. Files directly in `src/` are the common ground: they import no
/// room, and every room may import them.
const MAY_IMPORT: [(&str, &[&str]); 11] = [
    ("kernel", &[]),
    ("format", &["kernel"]),
    ("load", &["format", "kernel"]),
    ("search", &["load", "kernel"]),
    ("catalog", &["load", "format", "kernel"]),
    ("taste", &["load", "format", "kernel", "catalog"]),
    ("slate", &["load", "kernel", "search", "taste", "catalog"]),
    ("eval", &["slate"]),
    ("build", &["format", "kernel"]),
    ("wasm", &["format", "load", "search", "taste", "slate", "catalog"]),
    ("bin", &["build", "eval"]),
];

/// Rust sources of `src/` with their text.
fn sources() -> BTreeMap<PathBuf, String> {
    fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path, text);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 30, "run from the root of the repository");
    found
}

/// The room of a file, or `None` for the common ground.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").unwrap();
    (inside.components().count() > 1)
        .then(|| inside.components().next().unwrap().as_os_str().to_str().unwrap().to_owned())
}

/// Code without comments and without the tests at the end of a file.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Names behind `prefix::`, inside braces too: `crate::{a::b, c}` names a and c.
fn named_behind(code: &str, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let list = match rest.strip_prefix('{') {
            None => rest,
            Some(inner) => {
                let mut depth = 1;
                let end = inner.find(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    depth == 0
                });
                let mut depth = 0;
                for part in inner[..end.unwrap()].split(|c| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    c == ',' && depth == 0
                }) {
                    names.extend(first_name(part.trim()));
                }
                continue;
            }
        };
        names.extend(first_name(list));
    }
    names
}

fn first_name(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

#[test]
fn imports_point_one_way() {
    let rooms: Vec<&str> = MAY_IMPORT.iter().map(|(room, _)| *room).collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if path == Path::new("src/lib.rs") {
            continue;
        }
        let (room, code) = (room(&path), code(&text));
        let mut imported = named_behind(&code, "crate::");
        if room.as_deref() == Some("bin") {
            imported = named_behind(&code, "nearfield::");
        }
        for name in imported.iter().filter(|name| rooms.contains(&name.as_str())) {
            let allowed = match &room {
                None => false,
                Some(room) => {
                    room == name
                        || TUNING.iter().any(|t| path == Path::new(t))
                            && TUNING_MAY.contains(&name.as_str())
                        || MAY_IMPORT
                            .iter()
                            .any(|(r, may)| r == room && may.contains(&name.as_str()))
                }
            };
            if !allowed {
                wrong.push(format!("{} imports {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let known = sources().keys().filter_map(|p| room(p)).all(|r| rooms.contains(&r.as_str()));
    assert!(known, "every room of src/ has its line in MAY_IMPORT");
}

#[test]
fn the_reader_of_imports_reads_them() {
    let names = named_behind("use crate::{a::{b, c}, d}; crate::e::f(); x", "crate::");
    assert_eq!(names, ["a", "d", "e"]);
}

/// Files that may hold a pattern, by prefix of their path; everyone else must not.
fn only_in(pattern: &str, places: &[&str]) -> Vec<String> {
    sources()
        .iter()
        .filter(|(path, text)| {
            let path = path.to_str().unwrap();
            code(text).contains(pattern) && !places.iter().any(|p| path.starts_with(p))
        })
        .map(|(path, _)| format!("{}: {pattern}", path.display()))
        .collect()
}

#[test]
fn what_is_dangerous_stands_in_few_places() {
    let files = [
        "src/bin/",
        "src/build/input/",
        "src/build/interactions/",
        "src/load/bytes.rs",
        "src/taste/store.rs",
    ];
    let wrong: Vec<String> = [
        only_in("unsafe {", &["src/kernel/", "src/load/bytes.rs"]),
        only_in("allow(unsafe_code)", &["src/kernel/", "src/load/bytes.rs"]),
        only_in("core::arch", &["src/kernel/"]),
        only_in("js_sys", &["src/wasm/"]),
        only_in("web_sys", &["src/wasm/"]),
        only_in("JsValue", &["src/wasm/"]),
        only_in("std::fs", &files),
        only_in("std::time", &["src/bin/"]),
        only_in("HashMap", &["src/build/", "src/bin/", "src/eval/"]),
    ]
    .concat();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The builder's tuning steps measure what was built, as a reader finds it.
const TUNING: [&str; 3] =
    ["src/build/tune.rs", "src/build/tune/probing.rs", "src/build/neighbours/tune.rs"];
const TUNING_MAY: [&str; 2] = ["load", "search"];

/// Packages that the wasm build may depend on. A reader, builder or command-line package here
/// would be downloaded by every page.
const IN_WASM: [&str; 60] = [
    "approx",
    "bumpalo",
    "bytecheck",
    "bytecheck_derive",
    "bytemuck",
    "bytemuck_derive",
    "cfg-if",
    "futures-core",
    "futures-task",
    "futures-util",
    "hashbrown",
    "js-sys",
    "libm",
    "munge",
    "munge_macro",
    "nalgebra",
    "nearfield",
    "num-bigint",
    "num-complex",
    "num-integer",
    "num-rational",
    "num-traits",
    "once_cell",
    "paste",
    "pin-project-lite",
    "ppv-lite86",
    "proc-macro2",
    "ptr_meta",
    "ptr_meta_derive",
    "quote",
    "rancor",
    "rand_chacha",
    "rand_core",
    "rend",
    "rkyv",
    "rkyv_derive",
    "rustversion",
    "safe_arch",
    "serde",
    "serde-wasm-bindgen",
    "serde_core",
    "serde_derive",
    "simba",
    "simdutf8",
    "slab",
    "syn",
    "thiserror",
    "thiserror-impl",
    "unicode-ident",
    "wasm-bindgen",
    "wasm-bindgen-macro",
    "wasm-bindgen-macro-support",
    "wasm-bindgen-shared",
    "xxhash-rust",
    "zerocopy",
    "zerocopy-derive",
    "autocfg",
    "foldhash",
    "typenum",
    "wide",
];

#[test]
fn the_wasm_build_carries_no_builder() {
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--target", "wasm32-unknown-unknown", "--features", "wasm"])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let names = tree.lines().filter_map(|l| l.split_whitespace().next());
    let strangers: Vec<&str> = names.filter(|n| !IN_WASM.contains(n)).collect();
    assert!(tree.contains("wasm-bindgen"), "the tree was read");
    assert!(strangers.is_empty(), "new in the wasm build: {strangers:?}");
}
