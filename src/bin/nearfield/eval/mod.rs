//! `nearfield eval`: how good the answers are, measured against what people went on to like.
//!
//! Three questions, by what is given: `--interactions` takes a log, holds a part of each person's
//! items out and compares methods; `--users` takes histories and held-out items that were cut
//! elsewhere; `--ann` measures the search alone.

mod baselines;
mod methods;
mod outcome;
mod print;
mod report;
mod rules;
mod sample;
mod study;
mod sweep;
mod users;
mod yardstick;

use std::path::PathBuf;

use nearfield::Result;

/// The arguments that ask another question than `--interactions`, and take none of its options.
/// (Each option says so itself: `requires` alone is not enforced against what it excludes.)
const OTHER_MODES: [&str; 2] = ["users", "ann"];

/// Measure recommendations against what people went on to like, or the search against exact search.
///
/// With --interactions: a log of people whom no training has seen (user, item, perhaps weight and
/// time; .csv, .tsv, .jsonl or .inter). Of each person a part of the items is held out, the rest is
/// folded in, and methods are compared by what they find.
///
/// With --users: one line a user, {"user": "u1", "history": [{"item": "17", "weight": 1.0}],
/// "held_out": ["4"]}. Histories become interactions of kind rating; what is recommended leaves
/// them out. The mean of the history's vectors, compared by inner product, is measured beside it.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    /// A log of interactions.
    #[arg(long, value_name = "LOG")]
    interactions: Option<PathBuf>,
    /// Users whose items were cut elsewhere, as JSON lines.
    #[arg(long, value_name = "USERS.jsonl",
          conflicts_with = "interactions",
          required_unless_present_any = ["ann", "interactions"])]
    users: Option<PathBuf>,
    /// Measure the search instead of recommendations, as `nearfield bench` does.
    #[arg(long, conflicts_with_all = ["users", "interactions", "json", "ndcg_k"])]
    ann: bool,
    #[command(flatten)]
    study: study::StudyOptions,
    #[command(flatten)]
    search: crate::bench::Options,
    /// k of recall_at_k and of all that is measured of lists [default: 20, and 10 with --ann].
    #[arg(short, value_parser = clap::value_parser!(u16).range(1..=1000))]
    k: Option<u16>,
    /// k of ndcg_at_k.
    #[arg(long, value_name = "K", default_value_t = 100,
          value_parser = clap::value_parser!(u16).range(1..=10_000))]
    ndcg_k: u16,
    /// Write what was measured for every user to this file.
    #[arg(long, value_name = "OUT.json")]
    json: Option<PathBuf>,
}

/// The depths of what is measured.
#[derive(Clone, Copy)]
struct Depths {
    k: usize,
    ndcg_k: usize,
}

impl Depths {
    /// How many items a method is asked for.
    fn deepest(self) -> usize {
        self.k.max(self.ndcg_k)
    }
}

pub fn run(args: Args) -> Result<()> {
    let depths = Depths { k: args.k.unwrap_or(20).into(), ndcg_k: args.ndcg_k.into() };
    let json = args.json.as_deref();
    match (&args.interactions, &args.users) {
        (Some(log), _) => study::run(&args.archive, log, &args.study, depths, json),
        (None, Some(users)) => users::run(&args.archive, users, depths, json),
        (None, None) => crate::bench::run(&crate::bench::Args::new(
            args.archive,
            args.k.unwrap_or(10),
            args.search,
        )),
    }
}
