//! How long opening takes, by number of items. It must hardly grow: opening validates structure
//! and reads, of what grows with the catalog, four bytes for about 512 items: where lists begin.
//!
//! `cargo bench --features build --bench open`

#![allow(missing_docs)]

use std::time::Instant;

use nearfield::build::{BuildOptions, Embeddings, Table, build};
use nearfield::{AlignedBytes, Index, SeededRng};

const DIM: usize = 8;
const REPEATS: usize = 201;

fn main() {
    println!("{:>10} {:>14} {:>12} {:>12}", "items", "bytes", "open, us", "verify, ms");
    for n in [1_000usize, 10_000, 100_000, 1_000_000] {
        let mut rng = SeededRng::new(1, 0);
        let table = Table { ids: (0..n).map(|i| i.to_string()).collect(), columns: Vec::new() };
        let values = (0..n * DIM).map(|_| rng.normal() as f32).collect();
        let options = BuildOptions::default();
        let bytes = match build(&table, &Embeddings { dim: DIM, values }, &options) {
            Ok(built) => built.bytes,
            Err(error) => return eprintln!("{error}"),
        };
        let mut times: Vec<f64> = (0..REPEATS).filter_map(|_| time_open(&bytes)).collect();
        times.sort_by(f64::total_cmp);
        let started = Instant::now();
        let verified =
            AlignedBytes::copy_of(&bytes).and_then(Index::open).and_then(|i| i.verify());
        let verify = started.elapsed().as_secs_f64() * 1e3;
        assert!(verified.is_ok());
        println!("{n:>10} {:>14} {:>12.2} {verify:>12.2}", bytes.len(), times[REPEATS / 2] * 1e6);
    }
}

/// Seconds of one opening, copying not counted.
fn time_open(bytes: &[u8]) -> Option<f64> {
    let buffer = AlignedBytes::copy_of(bytes).ok()?;
    let started = Instant::now();
    let index = Index::open(buffer).ok()?;
    let seconds = started.elapsed().as_secs_f64();
    drop(index);
    Some(seconds)
}
