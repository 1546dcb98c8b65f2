//! `nearfield recommend`: for a taste given on the command line.

use std::path::PathBuf;

use nearfield::{Entry, Event, Interaction, Kind, Recommender, Request, Result, Scenarios};

use crate::archive::open;
use crate::files::io_error;
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
    /// How many items [default: 10].
    #[arg(short, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    k: Option<u16>,
    #[command(flatten)]
    filter: Filter,
    /// How many reasons to give for each item.
    #[arg(long, value_name = "N", default_value_t = 2)]
    explain: usize,
    /// Everything else that a request may say, as JSON: '{"diversity": {"strength": 0.3}, "caps":
    /// {"director": 1}}'. What other arguments say goes before it.
    #[arg(long, value_name = "JSON")]
    request: Option<String>,
    /// Requests that --request may name as its scenario, as a file of JSON: {"home": {"k": 20}}.
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
    /// Tell why better-scored items were passed over.
    #[arg(long)]
    trace: bool,
    #[command(flatten)]
    show: Show,
}

pub fn run(args: &Args) -> Result<()> {
    let mut recommender = Recommender::new(open(&args.archive)?);
    let likes = args.like.iter().map(|id| (id, Kind::Like, "--like"));
    let dislikes = args.dislike.iter().map(|id| (id, Kind::Dislike, "--dislike"));
    for (sequence, (id, kind, argument)) in (0..).zip(likes.chain(dislikes)) {
        item(recommender.index(), argument, id)?;
        let interaction = Interaction::new(id.as_str(), kind);
        recommender.record(Entry {
            device: "command line".into(),
            sequence,
            // No clock: what is liked here is liked at once, in this order.
            at_ms: 0.0,
            event: Event::Interaction(interaction),
        })?;
    }
    let request = read_request(args, &mut recommender)?;
    let slate = recommender.recommend(&request)?;
    print_slate(recommender.index(), &slate, &args.show, args.explain)
}

fn read_request(args: &Args, recommender: &mut Recommender) -> Result<Request> {
    if let Some(path) = &args.scenarios {
        let text = std::fs::read_to_string(path).map_err(io_error(path))?;
        recommender.set_scenarios(Scenarios::from_json(&text)?);
    }
    let mut request = recommender.read_request(args.request.as_deref().unwrap_or("{}"))?;
    let limits = args.filter.limits(10)?;
    request.k = args.k.map_or(request.k, usize::from);
    request.where_ = limits.where_.map(str::to_owned).or(request.where_);
    request.params = limits.params.map(str::to_owned).or(request.params);
    request.now_ms = limits.now_ms.or(request.now_ms);
    request.trace |= args.trace;
    // All parts, so that shares of the whole can be told; printed are the first few.
    request.explain = if args.explain > 0 { recommender.profile().len() } else { 0 };
    Ok(request)
}
