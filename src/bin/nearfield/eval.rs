//! `nearfield eval`: recommendations for known users, measured against what they were not shown.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use nearfield::eval::metrics::{ndcg_at_k, recall_at_k};
use nearfield::{
    Entry, Error, Event, Index, Interaction, Kind, Limits, Ordinal, Recommender, Result, Scored,
};
use serde::{Deserialize, Serialize};

use crate::archive::open;
use crate::files::{io_error, write_whole};
use crate::output::{Output, item};
use crate::progress::Stage;

/// Measure recommendations for users with a history and held-out items.
///
/// One line a user: {"user": "u1", "history": [{"item": "17", "weight": 1.0}], "held_out": ["4"]}.
/// Histories become interactions of kind rating; what is recommended leaves them out. The mean of
/// the history's vectors, compared by inner product, is measured beside it.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    /// The users, as JSON lines.
    #[arg(long, value_name = "USERS.jsonl", required_unless_present = "ann")]
    users: Option<PathBuf>,
    /// Measure the search instead of recommendations, as `nearfield bench` does.
    #[arg(long, conflicts_with_all = ["users", "json", "ndcg_k"])]
    ann: bool,
    #[command(flatten)]
    search: crate::bench::Options,
    /// k of recall_at_k [default: 20, and 10 with --ann].
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    user: String,
    history: Vec<Rated>,
    held_out: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rated {
    item: String,
    weight: f64,
}

/// What one method reaches.
#[derive(Clone, Copy, Default, Serialize)]
struct Measures {
    recall_at_k: f64,
    ndcg_at_k: f64,
}

#[derive(Serialize)]
struct UserResult {
    user: String,
    /// The folded-in user vector, rotated as decoded vectors are; null where all weights are 0.
    vector: Option<Vec<f64>>,
    recommended: Vec<String>,
    #[serde(flatten)]
    measures: Measures,
    mean_vector: Measures,
}

#[derive(Serialize)]
struct Mean {
    #[serde(flatten)]
    measures: Measures,
    mean_vector: Measures,
}

#[derive(Serialize)]
struct Results {
    k: u16,
    ndcg_k: u16,
    users: Vec<UserResult>,
    mean: Mean,
}

pub fn run(args: Args) -> Result<()> {
    let Some(path) = &args.users else {
        return crate::bench::run(&crate::bench::Args::new(
            args.archive,
            args.k.unwrap_or(10),
            args.search,
        ));
    };
    let k = args.k.unwrap_or(20);
    let mut recommender = Recommender::new(open(&args.archive)?);
    let users = read_users(path, recommender.index())?;
    let decoded = decode_all(recommender.index());
    let stage = Stage::steps("asking for users", users.len());
    let mut results = Vec::with_capacity(users.len());
    for (i, user) in users.into_iter().enumerate() {
        results.push(evaluate(&mut recommender, &decoded, user, k, args.ndcg_k)?);
        stage.set(i as u64);
    }
    drop(stage);
    let mean = Mean {
        measures: mean_of(results.iter().map(|u| u.measures)),
        mean_vector: mean_of(results.iter().map(|u| u.mean_vector)),
    };
    let mut output = Output::new();
    output.line(format_args!("{} users", results.len()))?;
    output.line(format_args!(
        "{:12} {:>10} {:>10}",
        "",
        format!("recall@{k}"),
        format!("ndcg@{}", args.ndcg_k)
    ))?;
    for (name, m) in [("fold-in", mean.measures), ("mean vector", mean.mean_vector)] {
        output.line(format_args!("{name:12} {:>10.4} {:>10.4}", m.recall_at_k, m.ndcg_at_k))?;
    }
    if let Some(path) = &args.json {
        let results = Results { k, ndcg_k: args.ndcg_k, users: results, mean };
        write_whole(path, |file| Ok(serde_json::to_writer(file, &results)?))?;
    }
    output.finish()
}

fn read_users(path: &Path, index: &Index) -> Result<Vec<User>> {
    let file = std::fs::File::open(path).map_err(io_error(path))?;
    let mut users = Vec::new();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(io_error(path))?;
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("{}:{number}", path.display());
        let user: User = serde_json::from_str(&line).map_err(|e| {
            let expected = r#"{"user", "history": [{"item", "weight"}], "held_out": [ID]}"#;
            Error::input(&place, expected, e)
        })?;
        if user.history.is_empty() || user.held_out.is_empty() {
            let field = if user.history.is_empty() { "history" } else { "held_out" };
            return Err(Error::input(format!("{place}: {field}"), "at least one item", "none"));
        }
        for (i, rated) in user.history.iter().enumerate() {
            item(index, &format!("{place}: history[{i}].item"), &rated.item)?;
        }
        for (i, id) in user.held_out.iter().enumerate() {
            item(index, &format!("{place}: held_out[{i}]"), id)?;
        }
        users.push(user);
    }
    if users.is_empty() {
        return Err(Error::input(path.display().to_string(), "at least one user", "none"));
    }
    Ok(users)
}

fn decode_all(index: &Index) -> Vec<f64> {
    let mut decoded = vec![0.0; index.len() * index.dim()];
    for (i, row) in decoded.chunks_exact_mut(index.dim()).enumerate() {
        index.decode(Ordinal(i as u32), row);
    }
    decoded
}

fn evaluate(
    recommender: &mut Recommender,
    decoded: &[f64],
    user: User,
    recall_k: u16,
    ndcg_k: u16,
) -> Result<UserResult> {
    recommender.clear_profile();
    for (sequence, rated) in (0..).zip(&user.history) {
        let interaction = Interaction {
            item: rated.item.clone(),
            kind: Kind::Rating,
            weight: Some(rated.weight),
            source: None,
            taste: true,
            context: Vec::new(),
        };
        recommender.record(Entry {
            device: "eval".into(),
            sequence,
            at_ms: 0.0,
            event: Event::Interaction(interaction),
        })?;
    }
    let k = usize::from(recall_k.max(ndcg_k));
    let slate = recommender.recommend(&Limits { k, ..Limits::default() }, true, 0)?;
    let ordinals: Vec<u32> = slate.items.iter().map(|item| item.ordinal.0).collect();
    let vector = recommender.taste()?.map(|taste| taste.vector().to_vec());

    let index = recommender.index();
    let history = ordinals_of(index, user.history.iter().map(|rated| &rated.item))?;
    let held_out = ordinals_of(index, user.held_out.iter())?;
    let ids = ordinals.iter().map(|i| Ok(index.id(Ordinal(*i))?.to_owned()));
    let measure = |ranked: &[u32]| Measures {
        recall_at_k: recall_at_k(ranked, &held_out, usize::from(recall_k)),
        ndcg_at_k: ndcg_at_k(ranked, &held_out, usize::from(ndcg_k)),
    };
    Ok(UserResult {
        recommended: ids.collect::<Result<_>>()?,
        vector,
        measures: measure(&ordinals),
        mean_vector: measure(&by_mean_vector(decoded, index.dim(), &history, k)),
        user: user.user,
    })
}

fn ordinals_of<'a>(index: &Index, ids: impl Iterator<Item = &'a String>) -> Result<Vec<u32>> {
    ids.map(|id| Ok(item(index, "item", id)?.0)).collect()
}

/// The best `k` items outside the history by inner product with the mean of its vectors.
fn by_mean_vector(decoded: &[f64], dim: usize, history: &[u32], k: usize) -> Vec<u32> {
    let mut mean = vec![0.0; dim];
    for item in history {
        let row = &decoded[*item as usize * dim..][..dim];
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += x / history.len() as f64);
    }
    let mut scored: Vec<Scored> = (0..)
        .zip(decoded.chunks_exact(dim))
        .filter(|(i, _)| !history.contains(i))
        .map(|(i, row)| Scored {
            ordinal: Ordinal(i),
            score: mean.iter().zip(row).map(|(m, x)| m * x).sum(),
        })
        .collect();
    scored.sort_unstable_by(Scored::cmp_best_first);
    scored.iter().take(k).map(|s| s.ordinal.0).collect()
}

fn mean_of(measures: impl ExactSizeIterator<Item = Measures>) -> Measures {
    let n = measures.len().max(1) as f64;
    let mut mean = Measures::default();
    for m in measures {
        mean.recall_at_k += m.recall_at_k / n;
        mean.ndcg_at_k += m.ndcg_at_k / n;
    }
    mean
}
