//! A native client: it opens an archive by memory map, records what a person does, is started
//! again, and recommends with reasons. Nothing leaves the machine.
//!
//! ```text
//! cargo run --example device --features "store mmap" -- [ARCHIVE [LOG]]
//! ```
//!
//! Without a LOG the history is kept in a file that is removed at the end.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nearfield::{
    AlignedBytes, Entry, Event, Index, Interaction, Kind, Ordinal, ProfileStore, Recommender,
    Request,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let archive = args.next().unwrap_or_else(|| "tests/fixtures/small-v1.nf".into());
    let given = args.next();
    let log = given.clone().unwrap_or_else(|| {
        std::env::temp_dir().join(format!("nearfield-device-{}.log", std::process::id()))
    });

    let mut device = Device::start(&archive, &log)?;
    // Any two items of the catalog.
    let liked: Vec<String> = (0..2)
        .map(|ordinal| device.nf.index().id(Ordinal(ordinal)).map(str::to_owned))
        .collect::<Result<_, _>>()?;
    for item in liked {
        println!("likes {}", device.card(&item)?);
        device.record(Interaction {
            context: vec![("device".into(), "terminal".into())],
            ..Interaction::new(item, Kind::Like)
        })?;
    }
    drop(device);

    // What was recorded is in the file: a new start knows it.
    let mut device = Device::start(&archive, &log)?;
    println!("started again with {} entries", device.nf.profile().len());
    let request = Request { k: 5, explain: 1, ..Request::default() };
    let slate = device.nf.recommend(&request)?;
    for (found, because) in slate.items.iter().zip(&slate.because) {
        let id = device.nf.index().id(found.ordinal)?;
        println!("{:.3} {}", found.score, device.card(id)?);
        for share in because {
            let id = device.nf.index().id(share.item)?;
            println!("      {:+.3} because of {}", share.share, device.card(id)?);
        }
    }
    if given.is_none() {
        device.store.erase()?;
        drop(device);
        std::fs::remove_file(&log)?;
        std::fs::remove_file(log.with_extension("log.lock"))?;
    }
    Ok(())
}

/// One start of a client: an archive, a person's log, and the answers.
struct Device {
    nf: Recommender,
    store: ProfileStore,
    /// A name that no other start has, so that sequence numbers may begin at 0 each time.
    name: String,
    sequence: u64,
}

impl Device {
    fn start(archive: &Path, log: &Path) -> Result<Self, Box<dyn Error>> {
        let mut nf = Recommender::new(Index::open(AlignedBytes::map(archive)?)?);
        let (store, profile, recovered) = ProfileStore::open(log)?;
        if !recovered.lost.is_empty() {
            eprintln!("{}: an entry was cut short and is lost", log.display());
        }
        for entry in profile.entries() {
            nf.record(entry.clone())?;
        }
        let name = format!("terminal {} {}", std::process::id(), now()?.as_nanos());
        Ok(Self { nf, store, name, sequence: 0 })
    }

    /// Records something; when this returns, it is in effect and in the file.
    fn record(&mut self, interaction: Interaction) -> Result<(), Box<dyn Error>> {
        let entry = Entry {
            device: self.name.clone(),
            sequence: self.sequence,
            at_ms: now()?.as_millis() as f64,
            event: Event::Interaction(interaction),
        };
        self.sequence += 1;
        // The engine first: what it refuses must not be kept.
        self.nf.record(entry.clone())?;
        self.store.append(&entry)?;
        Ok(())
    }

    /// An item's id with its title, where the archive has titles.
    fn card(&self, id: &str) -> Result<String, Box<dyn Error>> {
        let Some(item) = self.nf.index().ordinal(id)? else { return Ok(id.to_owned()) };
        Ok(match self.nf.catalog().column("title") {
            Ok(column) => format!("{} ({id})", column.value(item)?),
            Err(_) => id.to_owned(),
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an application has the clock that the library must not"
)]
fn now() -> Result<std::time::Duration, Box<dyn Error>> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?)
}
