//! `nearfield bench`: how good and how fast an archive's search is, on this machine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use nearfield::{Effort, Error, Index, ItemSet, Metric, Ordinal, Query, Result, Scored, Searcher};
use serde::Serialize;

use crate::archive::{open, per_item};
use crate::files::read_npy;
use crate::output::Output;
use crate::progress::Stage;

/// Measure an archive's search: recall against exact search, time a query, bytes an item.
///
/// Queries are the rows of --queries, or items of the archive, each left out of its own answer.
/// Exact search goes over the rows of --vectors, or over what the archive's codes stand for: with
/// them, recall counts what the codes lost too.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    #[command(flatten)]
    options: Options,
    /// How many items.
    #[arg(short, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    k: u16,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// What is compared with what.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Query vectors, a .npy file [default: 1,000 items, drawn with a fixed seed].
    #[arg(long, value_name = "Q.npy")]
    pub queries: Option<PathBuf>,
    /// The vectors the archive was built from, a .npy file.
    #[arg(long, value_name = "V.npy")]
    pub vectors: Option<PathBuf>,
    /// The ids of the rows of --vectors, one a line [default: an item's id is its row's number].
    #[arg(long, value_name = "FILE", requires = "vectors")]
    pub ids: Option<PathBuf>,
    /// Asked-for shares of the exact answer, beside the archive's own and an exhaustive search.
    #[arg(long, value_name = "SHARE", value_delimiter = ',', default_values_t = [0.9, 0.95, 0.99])]
    pub recall: Vec<f32>,
}

/// Queries that are drawn where none are given.
const SAMPLE: usize = 1000;
/// Passes over all queries; the median of each query's times counts.
const PASSES: usize = 5;

#[derive(Serialize)]
struct Row {
    effort: String,
    n_blocks: usize,
    ann_recall_at_k: f64,
    p50_ms: f64,
    p99_ms: f64,
}

#[derive(Serialize)]
struct Report {
    n_items: usize,
    dim: usize,
    code_bits: u32,
    n_lists: usize,
    /// Of codes, scales, norms, lists and centroids.
    bytes_per_item: f64,
    k: u16,
    n_queries: usize,
    rows: Vec<Row>,
}

struct Asked {
    query: Query,
    /// Left out of the answer.
    own: Option<Ordinal>,
}

impl Args {
    /// The same measurement, asked for as `eval --ann`.
    pub fn new(archive: PathBuf, k: u16, options: Options) -> Self {
        Self { archive, options, k, json: false }
    }
}

pub fn run(args: &Args) -> Result<()> {
    let index = open(&args.archive)?;
    let queries = queries(args, &index)?;
    let exact = exact(args, &index, &queries)?;
    let mut efforts = vec![("usual".to_owned(), Effort::Usual)];
    efforts
        .extend(args.options.recall.iter().map(|r| (format!("recall {r}"), Effort::Recall(*r))));
    efforts.push(("exhaustive".to_owned(), Effort::Exhaustive));
    let k = usize::from(args.k);
    let rows = efforts.into_iter().map(|(name, effort)| {
        let (found, times) = measure(&index, &queries, k, effort);
        let recalls = found.iter().zip(&exact).map(|(f, e)| recall(f, e, k));
        Row {
            effort: name,
            n_blocks: Searcher::n_blocks(&index, k, index.len(), effort),
            ann_recall_at_k: recalls.sum::<f64>() / exact.len() as f64,
            p50_ms: times[times.len() / 2],
            p99_ms: times[times.len() * 99 / 100],
        }
    });
    let bytes: u64 = index
        .sections()
        .filter(|(name, _)| ["lists", "blocks", "codes", "refining"].contains(name))
        .map(|(_, bytes)| bytes)
        .sum();
    let report = Report {
        n_items: index.len(),
        dim: index.dim(),
        code_bits: index.code_bits(),
        n_lists: index.lists().len(),
        bytes_per_item: per_item(bytes, index.len()),
        k: args.k,
        n_queries: queries.len(),
        rows: rows.collect(),
    };
    let mut output = Output::new();
    if args.json {
        output.json(&report)?
    } else {
        report.print(&mut output)?
    }
    output.finish()
}

impl Report {
    fn print(&self, output: &mut Output) -> Result<()> {
        output.line(format_args!(
            "{} items of {} dimensions, {} bits, {} lists, {:.1} bytes an item; {} queries",
            self.n_items,
            self.dim,
            self.code_bits,
            self.n_lists,
            self.bytes_per_item,
            self.n_queries
        ))?;
        output.line(format_args!(
            "{:14} {:>8} {:>10} {:>10} {:>10}",
            "effort",
            "blocks",
            format!("recall@{}", self.k),
            "p50 ms",
            "p99 ms"
        ))?;
        for row in &self.rows {
            output.line(format_args!(
                "{:14} {:>8} {:>10.4} {:>10.4} {:>10.4}",
                row.effort, row.n_blocks, row.ann_recall_at_k, row.p50_ms, row.p99_ms
            ))?;
        }
        Ok(())
    }
}

fn queries(args: &Args, index: &Index) -> Result<Vec<Asked>> {
    if index.is_empty() {
        return Err(Error::input(
            args.archive.display().to_string(),
            "an archive with items",
            "none",
        ));
    }
    let Some(path) = &args.options.queries else {
        let mut rng = nearfield::SeededRng::new(0, 0);
        let draw = |_| {
            let own = Ordinal(rng.below(index.len()) as u32);
            Ok(Asked { query: Query::item(index, own)?, own: Some(own) })
        };
        return (0..SAMPLE).map(draw).collect();
    };
    let vectors = rows_of(path, index)?;
    let ask = |row: &[f32]| Ok(Asked { query: Query::new(index, row)?, own: None });
    vectors.chunks_exact(index.dim()).map(ask).collect()
}

/// The rows of a .npy file of float32, one after the other.
fn rows_of(path: &Path, index: &Index) -> Result<Vec<f32>> {
    let (dim, values) = read_npy(path)?;
    if dim != index.dim() {
        let expected = format!("rows of {} components, as the archive has", index.dim());
        return Err(Error::input(path.display().to_string(), expected, dim));
    }
    Ok(values)
}

/// The share of the exact answer that was found; 1 where there is none.
fn recall(found: &[u32], exact: &[u32], k: usize) -> f64 {
    let hits = found.iter().filter(|item| exact.contains(item));
    if exact.is_empty() { 1.0 } else { hits.count() as f64 / k.min(exact.len()) as f64 }
}

/// The best `k` of each query, exactly, and what ties with the last of them.
fn exact(args: &Args, index: &Index, queries: &[Asked]) -> Result<Vec<Vec<u32>>> {
    let mut ordinals: Vec<u32> = (0..index.len() as u32).collect();
    let rows: Vec<f64> = match &args.options.vectors {
        None => {
            let mut rows = vec![0.0; index.len() * index.dim()];
            for (i, row) in rows.chunks_exact_mut(index.dim()).enumerate() {
                index.decode(Ordinal(i as u32), row);
            }
            rows
        }
        Some(path) => {
            ordinals = ordinals_of_rows(args, index)?;
            let mut rows: Vec<f64> = rows_of(path, index)?.into_iter().map(f64::from).collect();
            for row in rows.chunks_exact_mut(index.dim()) {
                index.rotate(row);
                let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                if index.metric() == Metric::Cosine && length > 0.0 {
                    row.iter_mut().for_each(|x| *x /= length);
                }
            }
            rows
        }
    };
    if rows.len() != ordinals.len() * index.dim() {
        let found = rows.len() / index.dim();
        return Err(Error::input("--vectors", format!("{} rows", ordinals.len()), found));
    }
    let stage = Stage::steps("exact search", queries.len());
    let mut all = Vec::with_capacity(queries.len());
    for (i, asked) in queries.iter().enumerate() {
        let mut scored: Vec<Scored> = rows
            .chunks_exact(index.dim())
            .zip(&ordinals)
            .filter(|(_, o)| asked.own.is_none_or(|own| own.0 != **o))
            .map(|(row, o)| Scored { ordinal: Ordinal(*o), score: score(index, asked, row) })
            .collect();
        let k = usize::from(args.k).min(scored.len());
        if k < scored.len() {
            scored.select_nth_unstable_by(k, Scored::cmp_best_first);
        }
        let kth = scored[..k].iter().map(|s| s.score).fold(f64::INFINITY, f64::min);
        all.push(scored.iter().filter(|s| s.score >= kth).map(|s| s.ordinal.0).collect());
        stage.set(i as u64);
    }
    Ok(all)
}

fn score(index: &Index, asked: &Asked, row: &[f64]) -> f64 {
    let pairs = asked.query.vector().iter().zip(row);
    match index.metric() {
        Metric::Euclidean => -pairs.map(|(q, x)| (q - x) * (q - x)).sum::<f64>(),
        _ => pairs.map(|(q, x)| q * x).sum(),
    }
}

fn ordinals_of_rows(args: &Args, index: &Index) -> Result<Vec<u32>> {
    let by_id: HashMap<&str, u32> =
        (0..index.len() as u32).map(|o| Ok((index.id(Ordinal(o))?, o))).collect::<Result<_>>()?;
    let named = |id: &str| {
        by_id.get(id).copied().ok_or_else(|| {
            Error::input("--vectors", "rows whose ids the archive has (see --ids)", id)
        })
    };
    match &args.options.ids {
        None => (0..index.len()).map(|i| named(&i.to_string())).collect(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(crate::files::io_error(path))?;
            text.lines().map(named).collect()
        }
    }
}

/// What each query finds, and the median time of each in milliseconds, ascending.
fn measure(
    index: &Index,
    queries: &[Asked],
    k: usize,
    effort: Effort,
) -> (Vec<Vec<u32>>, Vec<f64>) {
    let mut searcher = Searcher::new();
    let mut allowed = ItemSet::full(index.len());
    let mut times = vec![Vec::with_capacity(PASSES); queries.len()];
    let mut found = Vec::new();
    for pass in 0..PASSES {
        for (asked, times) in queries.iter().zip(&mut times) {
            if let Some(own) = asked.own {
                allowed.remove(own);
            }
            let start = Instant::now();
            let answer = searcher.search(index, &asked.query, k, &allowed, effort);
            times.push(start.elapsed().as_secs_f64() * 1e3);
            if pass == 0 {
                found.push(answer.iter().map(|s| s.ordinal.0).collect());
            }
            if let Some(own) = asked.own {
                allowed.insert(own);
            }
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_unstable_by(f64::total_cmp);
        times[PASSES / 2]
    };
    let mut medians: Vec<f64> = times.iter_mut().map(median).collect();
    medians.sort_unstable_by(f64::total_cmp);
    (found, medians)
}
