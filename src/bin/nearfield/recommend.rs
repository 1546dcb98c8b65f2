//! `nearfield recommend`: for a taste given on the command line.

use std::path::PathBuf;

use nearfield::{Entry, Event, Interaction, Kind, Recommender, Result};

use crate::archive::open;
use crate::filter::Filter;
use crate::output::{Show, item, print_slate};

/// Recommend items to somebody who likes and dislikes some.
///
/// Without any, items come in the order of their popularity, where the archive knows it.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    /// Ids of items they like.
    #[arg(long, value_name = "ID", num_args = 1..)]
    like: Vec<String>,
    /// Ids of items they dislike.
    #[arg(long, value_name = "ID", num_args = 1..)]
    dislike: Vec<String>,
    /// How many items.
    #[arg(short, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    k: u16,
    #[command(flatten)]
    filter: Filter,
    /// How many reasons to give for each item.
    #[arg(long, value_name = "N", default_value_t = 2)]
    explain: usize,
    #[command(flatten)]
    show: Show,
}

pub fn run(args: &Args) -> Result<()> {
    let mut recommender = Recommender::new(open(&args.archive)?);
    let likes = args.like.iter().map(|id| (id, Kind::Like, "--like"));
    let dislikes = args.dislike.iter().map(|id| (id, Kind::Dislike, "--dislike"));
    for (sequence, (id, kind, argument)) in (0..).zip(likes.chain(dislikes)) {
        item(recommender.index(), argument, id)?;
        let interaction = Interaction {
            item: id.clone(),
            kind,
            weight: None,
            source: None,
            taste: true,
            context: Vec::new(),
        };
        recommender.record(Entry {
            device: "command line".into(),
            sequence,
            // No clock: what is liked here is liked at once, in this order.
            at_ms: 0.0,
            event: Event::Interaction(interaction),
        })?;
    }
    let limits = args.filter.limits(args.k)?;
    // All parts, so that shares of the whole can be told; printed are the first few.
    let n_parts = if args.explain > 0 { recommender.profile().len() } else { 0 };
    let slate = recommender.recommend(&limits, true, n_parts)?;
    print_slate(recommender.index(), &slate, &args.show, args.explain)
}
