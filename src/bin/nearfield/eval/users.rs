//! `nearfield eval --users`: recommendations for users whose items were cut elsewhere.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use nearfield::eval::metrics::{ndcg_at_k, recall_at_k};
use nearfield::{Error, Index, Ordinal, Recommender, Request, Result};
use serde::{Deserialize, Serialize};

use super::Depths;
use super::methods::{Known, by_mean_vector, decode_all, record_history};
use crate::archive::open;
use crate::files::{io_error, write_whole};
use crate::output::{Output, item};
use crate::progress::Stage;

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
    k: usize,
    ndcg_k: usize,
    users: Vec<UserResult>,
    mean: Mean,
}

pub fn run(archive: &Path, path: &Path, depths: Depths, json: Option<&Path>) -> Result<()> {
    let mut recommender = Recommender::new(open(archive)?);
    let users = read_users(path, recommender.index())?;
    let decoded = decode_all(recommender.index());
    let stage = Stage::steps("asking for users", users.len());
    let mut results = Vec::with_capacity(users.len());
    for (i, user) in users.into_iter().enumerate() {
        results.push(evaluate(&mut recommender, &decoded, user, depths)?);
        stage.set(i as u64);
    }
    drop(stage);
    let mean = Mean {
        measures: mean_of(results.iter().map(|u| u.measures)),
        mean_vector: mean_of(results.iter().map(|u| u.mean_vector)),
    };
    let Depths { k, ndcg_k } = depths;
    let mut output = Output::new();
    output.line(format_args!("{} users", results.len()))?;
    output.line(format_args!(
        "{:12} {:>10} {:>10}",
        "",
        format!("recall@{k}"),
        format!("ndcg@{ndcg_k}")
    ))?;
    for (name, m) in [("fold-in", mean.measures), ("mean vector", mean.mean_vector)] {
        output.line(format_args!("{name:12} {:>10.4} {:>10.4}", m.recall_at_k, m.ndcg_at_k))?;
    }
    if let Some(path) = json {
        let results = Results { k, ndcg_k, users: results, mean };
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

fn evaluate(
    recommender: &mut Recommender,
    decoded: &[f64],
    user: User,
    depths: Depths,
) -> Result<UserResult> {
    let known = user.history.iter().map(|rated| {
        let item = item(recommender.index(), "item", &rated.item)?;
        Ok(Known { item, weight: rated.weight, at_ms: None })
    });
    let history: Vec<Known> = known.collect::<Result<_>>()?;
    record_history(recommender, &history)?;
    let k = depths.deepest();
    let request = Request { k, ..Request::default() };
    let slate = recommender.recommend(&request)?;
    let ordinals: Vec<Ordinal> = slate.items.iter().map(|item| item.ordinal).collect();
    let vector = recommender.taste(&request)?.map(|taste| taste.vector().to_vec());

    let index = recommender.index();
    let held_out = ordinals_of(index, user.held_out.iter())?;
    let ids = ordinals.iter().map(|i| Ok(index.id(*i)?.to_owned()));
    let measure = |ranked: &[Ordinal]| Measures {
        recall_at_k: recall_at_k(ranked, &held_out, depths.k),
        ndcg_at_k: ndcg_at_k(ranked, &held_out, depths.ndcg_k),
    };
    Ok(UserResult {
        recommended: ids.collect::<Result<_>>()?,
        vector,
        measures: measure(&ordinals),
        mean_vector: measure(&by_mean_vector(decoded, index.dim(), &history, k)),
        user: user.user,
    })
}

fn ordinals_of<'a>(index: &Index, ids: impl Iterator<Item = &'a String>) -> Result<Vec<Ordinal>> {
    ids.map(|id| item(index, "item", id)).collect()
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
