//! `nearfield search`: items by title.

use std::path::PathBuf;

use nearfield::{Recommender, Result};
use unicode_normalization::UnicodeNormalization as _;

use crate::archive::open;
use crate::filter::Filter;
use crate::output::{Show, print_slate};

/// Find items by the beginning of a title or of a word in it, small typing errors allowed.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    /// What the title begins with; several words are one text.
    #[arg(required = true)]
    text: Vec<String>,
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
    let text: String = args.text.join(" ").nfkd().flat_map(char::to_lowercase).collect();
    let slate = recommender.find(&text, &args.filter.limits(args.k)?)?;
    print_slate(recommender.index(), &slate, &args.show, 0)
}
