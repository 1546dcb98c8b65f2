//! `nearfield decode`: what the codes stand for.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use nearfield::{Error, Index, Ordinal, Result};

use crate::archive::open;
use crate::files::{write_npy, write_whole};
use crate::progress::Stage;

/// Write the decoded vectors of an archive to a .npy file (float64).
///
/// Decoded vectors are what scores, fold-in and the Gram matrix are defined by. They are rotated:
/// inner products between them are those of the input, components are not.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    /// The file to write: one row an item, in the order of the archive.
    #[arg(short, long, value_name = "F.npy")]
    output: PathBuf,
    /// Write the ids to this file, one a line, in the same order.
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Write the weights between items to this file: a line of names, then the places of an item of
    /// a history and of another item in the same order, and what the one says for the other.
    #[arg(long, value_name = "W.csv")]
    neighbours: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    let index = open(&args.archive)?;
    let stage = Stage::steps("decoding", index.len());
    let rows = (0..index.len()).map(|i| {
        let mut row = vec![0.0; index.dim()];
        index.decode(Ordinal(i as u32), &mut row);
        if usize::is_multiple_of(i, 1024) {
            stage.set(i as u64);
        }
        row
    });
    write_npy(&args.output, index.dim(), rows)?;
    if let Some(path) = &args.neighbours {
        write_neighbours(path, &index)?;
    }
    let Some(path) = &args.ids else { return Ok(()) };
    let mut lines = String::new();
    for i in 0..index.len() {
        let id = index.id(Ordinal(i as u32))?;
        if id.contains('\n') {
            let expected = "ids without line ends, since each is a line of the file";
            return Err(Error::arg("--ids", expected, format_args!("{id:?}")));
        }
        lines.push_str(id);
        lines.push('\n');
    }
    write_whole(path, |file| file.write_all(lines.as_bytes()))
}

fn write_neighbours(path: &Path, index: &Index) -> Result<()> {
    let Some(weights) = index.neighbours() else {
        let expected = "an archive with weights between items (nearfield build --interactions)";
        return Err(Error::arg("--neighbours", expected, "one without"));
    };
    let mut lines = String::from("item,other,weight\n");
    for i in 0..index.len() {
        for entry in weights.row(Ordinal(i as u32))?.iter() {
            let (other, weight) = entry?;
            lines.push_str(&format!("{i},{},{weight}\n", other.0));
        }
    }
    write_whole(path, |file| file.write_all(lines.as_bytes()))
}
