//! The profile's log in a file: what was kept is there, whatever happens to the process, and what
//! is damaged is said to be.

#![cfg(all(feature = "store", feature = "mmap"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what broke by line"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nearfield::{
    Entry, Error, Event, Interaction, Kind, Placed, Profile, ProfileStore, Recovered, Selector,
    Shown,
};

/// One entry of every type, with texts that JSON escapes.
fn entries() -> Vec<Entry> {
    let context = vec![("hour".to_owned(), "späť \"late\"\n".to_owned())];
    let selector = Selector { from_ms: Some(5), context: context.clone(), ..Selector::default() };
    let placed = Placed { item: "b".into(), position: 3, propensity: Some(0.1 + 0.2) };
    let events = [
        Event::Interaction(Interaction {
            weight: Some(1.0 / 3.0),
            context: context.clone(),
            ..Interaction::new("a\n\\", Kind::Rating)
        }),
        Event::Shown(Shown { slate: "s".into(), policy: None, context, items: vec![placed] }),
        Event::Exclude { selector: selector.clone(), forget_seen: true },
        Event::Include { selector },
    ];
    let entry = |(sequence, event)| Entry {
        device: "d".into(),
        sequence,
        at_ms: 1.7e12 + 0.25 + sequence as f64,
        event,
    };
    (0..).zip(events).map(entry).collect()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn log(&self) -> PathBuf {
        self.0.path().join("profile.log")
    }
}

fn open(path: &Path) -> (ProfileStore, Profile, Recovered) {
    ProfileStore::open(path).unwrap()
}

fn refusal(path: &Path) -> String {
    let error = ProfileStore::open(path).err().unwrap();
    assert!(matches!(error, Error::Store { .. }), "{error}");
    assert_eq!(error.code().as_str(), "E_STORE");
    error.to_string()
}

fn kept(path: &Path) -> Vec<Entry> {
    open(path).1.entries().cloned().collect()
}

/// A log with these entries, as bytes, and where each of its lines ends.
fn written(path: &Path, entries: &[Entry]) -> (Vec<u8>, Vec<usize>) {
    let (mut store, profile, recovered) = open(path);
    assert!(profile.is_empty() && recovered == Recovered::default());
    for entry in entries {
        store.append(entry).unwrap();
    }
    drop(store);
    let bytes = fs::read(path).unwrap();
    let ends = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1).collect();
    (bytes, ends)
}

#[test]
fn what_was_appended_is_there_at_the_next_start() {
    let folder = Folder::new();
    let all = entries();
    let (bytes, ends) = written(&folder.log(), &all);
    assert!(bytes.starts_with(b"nearfield-profile-log 1\n"));
    assert_eq!(ends.len(), all.len() + 1, "one line an entry");
    let (mut store, profile, recovered) = open(&folder.log());
    assert!(profile.entries().eq(&all), "to the last bit");
    assert_eq!(recovered, Recovered { n_entries: all.len(), lost: Vec::new() });
    // What no profile takes does not get into the file.
    let wrong = Entry { at_ms: f64::NAN, ..all[0].clone() };
    assert!(store.append(&wrong).unwrap_err().to_string().starts_with("at: "));
    let next = Entry { sequence: 9, ..all[0].clone() };
    store.append(&next).unwrap();
    store.append(&next).unwrap();
    drop(store);
    assert_eq!(kept(&folder.log()).len(), all.len() + 1, "the same twice is one entry");
}

#[test]
fn a_log_cut_anywhere_keeps_every_whole_entry_and_goes_on() {
    let folder = Folder::new();
    let all = entries();
    let (bytes, ends) = written(&folder.log(), &all);
    for cut in 0..bytes.len() {
        let path = folder.log();
        fs::write(&path, &bytes[..cut]).unwrap();
        let (mut store, profile, recovered) = open(&path);
        let n_whole = ends[1..].iter().filter(|end| **end <= cut).count();
        let last = ends.iter().copied().filter(|end| *end <= cut).max().unwrap_or(0);
        assert!(profile.entries().eq(&all[..n_whole]), "cut at {cut}");
        assert_eq!(recovered, Recovered { n_entries: n_whole, lost: bytes[last..cut].to_vec() });
        assert_eq!(fs::read(&path).unwrap().len(), last, "what was lost is cut off");
        // Appending the rest gives the very same file.
        for entry in &all[n_whole..] {
            store.append(entry).unwrap();
        }
        drop(store);
        assert_eq!(fs::read(&path).unwrap(), bytes, "cut at {cut}");
    }
}

#[test]
fn a_write_that_left_zeros_or_rubbish_is_cut_off() {
    let folder = Folder::new();
    let all = entries();
    let (bytes, ends) = written(&folder.log(), &all);
    let whole = &bytes[..ends[3]];
    // Blocks of the last line that never reached the disk, its end among those that did.
    let mut holes = bytes[ends[3]..].to_vec();
    holes[10..40].fill(0);
    for tail in [vec![0; 300], b"rubbish\nmore".to_vec(), holes] {
        fs::write(folder.log(), [whole, &tail].concat()).unwrap();
        let (_, profile, recovered) = open(&folder.log());
        assert!(profile.entries().eq(&all[..3]));
        assert_eq!(recovered.lost, tail);
    }
}

#[test]
fn damage_before_the_last_entry_is_an_error_that_names_its_byte_and_changes_nothing() {
    let folder = Folder::new();
    let all = entries();
    let (bytes, ends) = written(&folder.log(), &all);
    for at in ends[0]..bytes.len() {
        for flip in [1, 0x40] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            fs::write(folder.log(), &damaged).unwrap();
            let line = ends.iter().copied().filter(|end| *end <= at).max().unwrap();
            if line == ends[all.len() - 1] {
                // The last line: no telling it from one that was not written to its end.
                let (_, profile, recovered) = open(&folder.log());
                assert!(profile.entries().eq(&all[..all.len() - 1]));
                assert_eq!(recovered.lost, damaged[line..], "nothing is gone unseen");
            } else {
                let message = refusal(&folder.log());
                assert!(message.contains(&format!("profile.log, byte {line}: ")), "{message}");
                assert_eq!(fs::read(folder.log()).unwrap(), damaged);
            }
        }
    }
}

#[test]
fn other_files_and_later_versions_are_refused_and_left_alone() {
    let folder = Folder::new();
    for (bytes, part) in [
        (&b"nearfield-profile-log 2\n"[..], "version 1: use a release that reads the later one"),
        (b"nearfield-profile-log 12", "version 1: "),
        (b"{\"format\":\"nearfield-profile\"}", "expected a profile log, which begins with"),
        (b"\x00\xff\n", "expected a profile log"),
        (&[b'x'; 100_000], "expected a profile log"),
    ] {
        fs::write(folder.log(), bytes).unwrap();
        let message = refusal(&folder.log());
        assert!(message.contains(part) && message.len() < 400, "{message}");
        assert_eq!(fs::read(folder.log()).unwrap(), bytes);
    }
    // A whole line that says what this release does not know.
    let (bytes, ends) = {
        fs::remove_file(folder.log()).unwrap();
        written(&folder.log(), &entries()[..1])
    };
    let json = String::from_utf8(bytes[ends[0] + 26..ends[1] - 1].to_vec()).unwrap();
    let json = json.replace("\"rating\"", "\"listen\"");
    let check = xxhash_rust::xxh3::xxh3_64(json.as_bytes());
    let line = format!("{:08x} {check:016x} {json}\n", json.len());
    fs::write(folder.log(), [&bytes[..ends[0]], line.as_bytes()].concat()).unwrap();
    let message = refusal(&folder.log());
    assert!(message.contains("byte 24: expected an entry that this release understands"));
    assert!(message.contains("one of: play"), "{message}");
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_done() {
    let folder = Folder::new();
    let (mut store, _, _) = open(&folder.log());
    assert!(refusal(&folder.log()).contains("a log that nobody has open"));
    // The lock outlives a rewrite, which puts another file in the place of the first.
    store.rewrite(&Profile::default()).unwrap();
    assert!(refusal(&folder.log()).contains("a log that nobody has open"));
    drop(store);
    open(&folder.log());
}

#[test]
fn rewriting_after_compaction_leaves_nothing_of_what_was_dropped() {
    let folder = Folder::new();
    let secret = |sequence, item: &str| Entry {
        device: "d".into(),
        sequence,
        at_ms: 1e12 + sequence as f64,
        event: Event::Interaction(Interaction::new(item, Kind::Like)),
    };
    let (mut store, mut profile, _) = open(&folder.log());
    for entry in [secret(0, "an old secret"), secret(1, "a young one")] {
        assert!(profile.append(entry.clone()).unwrap());
        store.append(&entry).unwrap();
    }
    assert_eq!(profile.compact(1_000_000_000_011, 10), 1);
    store.rewrite(&profile).unwrap();
    let next = secret(2, "the next");
    assert!(profile.append(next.clone()).unwrap());
    store.append(&next).unwrap();
    drop(store);
    for file in fs::read_dir(folder.0.path()).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }
    assert!(profile.entries().eq(&kept(&folder.log())));
    // A rewrite that a crash ended: the log is what it was, the rest is gone.
    fs::write(folder.0.path().join("profile.log.new"), "an old secret").unwrap();
    assert!(profile.entries().eq(&kept(&folder.log())));
    assert!(!folder.0.path().join("profile.log.new").exists());
}

#[test]
fn erasing_leaves_no_byte() {
    let folder = Folder::new();
    written(&folder.log(), &entries());
    let (mut store, _, _) = open(&folder.log());
    store.erase().unwrap();
    for file in fs::read_dir(folder.0.path()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().len(), 0);
    }
    let again = &entries()[..1];
    store.append(&again[0]).unwrap();
    drop(store);
    assert_eq!(kept(&folder.log()), again);
}

#[cfg(unix)]
#[test]
fn a_log_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let (mut store, profile, _) = open(&folder.log());
    let mode = || fs::metadata(folder.log()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    store.rewrite(&profile).unwrap();
    assert_eq!(mode(), 0o600);
}

#[test]
fn the_example_remembers_across_a_restart() {
    let folder = Folder::new();
    let run = || {
        // The features of this very run, so that nothing is compiled twice.
        let features = if cfg!(feature = "cli") { "cli" } else { "store mmap" };
        let output = Command::new(env!("CARGO"))
            .args(["run", "--locked", "--offline", "--quiet", "--example", "device"])
            .args(["--features", features, "--", "tests/fixtures/small-v1.nf"])
            .arg(folder.log())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let first = run();
    assert!(first.contains("started again with 2 entries"), "{first}");
    assert_eq!(first.matches("because of").count(), 5, "{first}");
    assert!(run().contains("started again with 4 entries"));
    assert_eq!(kept(&folder.log()).len(), 4);
}
