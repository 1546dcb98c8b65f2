//! `nearfield similar`: more like this.

use std::path::PathBuf;

use nearfield::{Limits, Recommender, Result, Target};

use crate::archive::open;
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
    /// Only items for which this is true: 'genres has "Drama" and year >= 1990'.
    #[arg(long = "where", value_name = "EXPR")]
    where_: Option<String>,
    #[command(flatten)]
    show: Show,
}

pub fn run(args: &Args) -> Result<()> {
    let mut recommender = Recommender::new(open(&args.archive)?);
    item(recommender.index(), "ID", &args.id)?;
    let limits =
        Limits { k: usize::from(args.k), where_: args.where_.as_deref(), ..Limits::default() };
    let slate = recommender.similar(Target::Item(&args.id), &limits)?;
    print_slate(recommender.index(), &slate, &args.show, 0)
}
