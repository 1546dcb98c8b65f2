//! `nearfield similar`: more like this.

use std::path::PathBuf;

use nearfield::{Recommender, Result, Target};

use crate::archive::open;
use crate::filter::Filter;
use crate::output::{Show, item, print_slate};

/// Find the items most similar to one.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    /// The item's id.
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// How many items.
    #[arg(short, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    k: u16,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    show: Show,
}

pub fn run(args: &Args) -> Result<()> {
    let mut recommender = Recommender::new(open(&args.archive)?);
    item(recommender.index(), "ID", &args.id)?;
    let limits = args.filter.limits(args.k)?;
    let slate = recommender.similar(Target::Item(&args.id), &limits)?;
    print_slate(recommender.index(), &slate, &args.show, 0)
}
