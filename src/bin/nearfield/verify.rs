//! `nearfield verify`: whether an archive is what the builder wrote.

use std::path::PathBuf;

use nearfield::Result;

use crate::archive::{grouped, open};
use crate::output::Output;
use crate::progress::Stage;

/// Check every byte of an archive against its checks.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    let index = open(&args.archive)?;
    {
        let _stage = Stage::spinner("verifying");
        index.verify()?;
    }
    let mut output = Output::new();
    let (archive, n) = (args.archive.display(), grouped(index.len() as u64));
    output.line(format_args!("{archive}: verified, {n} items"))?;
    output.finish()
}
