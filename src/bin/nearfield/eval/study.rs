//! `nearfield eval --interactions`: methods compared on a log, from files to tables.

use std::path::{Path, PathBuf};

use nearfield::eval::statistics::Estimate;
use nearfield::{Index, Recommender, Request, Result};
use serde_json::{Map, Value, json};

use super::methods::{Method, decode_all, fold_in};
use super::outcome::Outcome;
use super::rules::{Categories, Rule};
use super::sample::{Sample, Split};
use super::sweep::{Asked, Base, Sweep};
use super::yardstick::{Measure, Yardstick};
use super::{Depths, OTHER_MODES, baselines, print, report, sample};
use crate::archive::{open, per_item};
use crate::files::write_whole;

/// What is compared, and where it is written.
#[derive(clap::Args)]
pub struct StudyOptions {
    #[command(flatten)]
    sample: sample::LogOptions,
    #[command(flatten)]
    baselines: baselines::BaselineOptions,
    /// Measure how far the mix of lists over this column (tags, category or flag) is from that of
    /// the histories.
    #[arg(long, value_name = "FIELD", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    mix: Option<String>,
    /// Measure how many lists keep a cap, as artist=2: at most two items of an artist. Repeatable.
    #[arg(long, value_name = "FIELD=N", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    cap: Vec<String>,
    /// Measure how many lists keep a quota, as '0.2=type = "podcast"': a fifth of podcasts.
    /// Repeatable.
    #[arg(long, value_name = "SHARE=EXPR", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    quota: Vec<String>,
    /// Measure this request too: JSON, as `nearfield recommend` takes it. It is asked for -k items,
    /// whatever it says, and what --sweep turns, it turns in this request.
    #[arg(long, value_name = "JSON", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    request: Option<String>,
    /// Turn a setting step by step and measure each, separated by commas.
    #[arg(
        long,
        value_name = "NAMES",
        value_enum,
        value_delimiter = ',',
        requires = "interactions", conflicts_with_all = OTHER_MODES
    )]
    sweep: Vec<Asked>,
    /// Write a report to this file: one HTML page with tables and plots that needs no other.
    #[arg(long, value_name = "OUT.html", requires = "interactions", conflicts_with_all = OTHER_MODES)]
    report: Option<PathBuf>,
}

/// A study that is done: everything that is shown of it.
pub struct Study<'a> {
    pub archive: ArchiveFacts,
    /// The file of the log, and of the training log with its users and the interactions of it
    /// that are with items the archive does not have.
    pub log: String,
    pub train: Option<(String, usize, usize)>,
    pub split: Split,
    pub depths: Depths,
    pub sample: &'a Sample,
    pub measures: &'a [Measure],
    /// The first is fold-in.
    pub outcomes: Vec<Outcome>,
    pub sweeps: Vec<Sweep>,
    /// What is not shown, and why.
    pub notes: Vec<String>,
    /// The command, as a shell takes it.
    pub command: String,
}

/// What the archive is.
pub struct ArchiveFacts {
    pub file: String,
    pub n_items: usize,
    pub dim: usize,
    pub code_bits: u32,
    pub metric: &'static str,
    pub foldin: &'static str,
    pub alpha: f64,
    pub lambda: f64,
    pub bytes: u64,
    pub bytes_per_item: f64,
}

impl ArchiveFacts {
    fn of(path: &Path, index: &Index) -> Self {
        Self {
            file: name_of(path),
            n_items: index.len(),
            dim: index.dim(),
            code_bits: index.code_bits(),
            metric: index.metric().as_str(),
            foldin: index.fold().as_str(),
            alpha: index.alpha(),
            lambda: index.lambda(),
            bytes: index.total_bytes(),
            bytes_per_item: per_item(index.total_bytes(), index.len()),
        }
    }
}

/// A file's name without its folders.
fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

pub fn run(
    archive: &Path,
    log: &Path,
    options: &StudyOptions,
    depths: Depths,
    json: Option<&Path>,
) -> Result<()> {
    let index = open(archive)?;
    let (sample, train) = options.sample.sample(log, &index)?;
    let decoded = decode_all(&index);
    let mix = options.mix.as_ref().map(|field| Categories::for_mix(&index, "--mix", field));
    let caps = options.cap.iter().map(|text| Rule::cap(&index, text));
    let quotas = options.quota.iter().map(|text| Rule::quota(&index, text));
    let rules = caps.chain(quotas).collect::<Result<_>>()?;
    let train = train.as_ref();
    let yardstick = Yardstick::new(depths, &index, &decoded, train, mix.transpose()?, rules);

    let deepest = depths.deepest();
    let (baselines, notes) =
        options.baselines.methods(archive, &index, &decoded, train, deepest)?;
    let mut methods = vec![fold_in(archive, deepest)?];
    let mut request = Request { k: deepest, ..Request::default() };
    if let Some(json) = &options.request {
        request = Recommender::new(open(archive)?).read_request(json)?;
        request.k = depths.k;
        let about = format!("The archive asked for {json}.");
        methods.push(Method::requested(archive, "request", about, request.clone())?);
    }
    methods.extend(baselines);
    let ask = |method| Outcome::of(method, &sample, &yardstick);
    let outcomes = methods.iter_mut().map(ask).collect::<Result<_>>()?;
    let base = Base { request, mix: options.mix.clone() };
    let mut sweeps = Vec::new();
    for asked in &options.sweep {
        sweeps.extend(asked.run(archive, &base, &sample, &yardstick)?);
    }
    let study = Study {
        archive: ArchiveFacts::of(archive, &index),
        log: name_of(log),
        train: train.map(|t| (options.sample.train_name(), t.n_users(), t.n_unknown)),
        split: options.sample.split(),
        depths,
        sample: &sample,
        measures: &yardstick.measures,
        outcomes,
        sweeps,
        notes,
        command: command(),
    };
    if let Some(path) = json {
        write_whole(path, |file| Ok(serde_json::to_writer(file, &study.to_json())?))?;
    }
    if let Some(path) = &options.report {
        write_whole(path, |file| {
            std::io::Write::write_all(file, report::page(&study).as_bytes())
        })?;
    }
    print::print(&study)
}

/// The command line, each argument as a shell takes it.
fn command() -> String {
    let arguments = std::env::args().skip(1).map(|argument| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+@%".contains(c);
        match !argument.is_empty() && argument.chars().all(is_plain) {
            true => argument,
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    });
    std::iter::once("nearfield".to_owned()).chain(arguments).collect::<Vec<_>>().join(" ")
}

impl Study<'_> {
    /// By how much fold-in is above another method, by measure.
    pub fn fold_in_minus(&self, other: &Outcome) -> Vec<Option<Estimate>> {
        let Some(fold_in) = self.outcomes.first() else { return Vec::new() };
        (0..self.measures.len()).map(|i| fold_in.minus(other, self.sample, i)).collect()
    }

    /// The methods that fold-in is compared with.
    pub fn baselines(&self) -> &[Outcome] {
        self.outcomes.get(1..).unwrap_or(&[])
    }

    fn to_json(&self) -> Value {
        let archive = &self.archive;
        let train = self.train.as_ref().map(|(file, n_users, n_unknown)| {
            json!({ "file": file, "n_users": n_users, "n_unknown": n_unknown })
        });
        let steps = |sweep: &Sweep| {
            let step = |(setting, outcome): &(String, Outcome)| json!({ "setting": setting, "measures": self.estimates(&outcome.estimates) });
            sweep.steps.iter().map(step).collect::<Vec<_>>()
        };
        let sweeps = self.sweeps.iter().map(|sweep| {
            json!({ "title": sweep.title, "setting": sweep.setting, "steps": steps(sweep) })
        });
        json!({
            "command": self.command,
            "archive": {
                "file": archive.file,
                "n_items": archive.n_items,
                "dim": archive.dim,
                "code_bits": archive.code_bits,
                "metric": archive.metric,
                "foldin": archive.foldin,
                "alpha": archive.alpha,
                "lambda": archive.lambda,
                "bytes": archive.bytes,
                "bytes_per_item": archive.bytes_per_item,
            },
            "log": { "file": self.log, "counts": self.sample.counts },
            "train": train,
            "split": self.split,
            "seeds": self.sample.seeds,
            "k": self.depths.k,
            "ndcg_k": self.depths.ndcg_k,
            "methods": self.outcomes.iter().map(|o| self.method(o)).collect::<Vec<_>>(),
            "sweeps": sweeps.collect::<Vec<_>>(),
            "notes": self.notes,
            "users": (0..self.sample.cases.len()).map(|i| self.case(i)).collect::<Vec<_>>(),
        })
    }

    fn method(&self, outcome: &Outcome) -> Value {
        let is_fold_in = self.outcomes.first().is_some_and(|first| std::ptr::eq(first, outcome));
        let minus = (!is_fold_in).then(|| self.estimates(&self.fold_in_minus(outcome)));
        json!({
            "name": outcome.name,
            "measures": self.estimates(&outcome.estimates),
            "fold_in_minus_this": minus,
        })
    }

    fn estimates(&self, estimates: &[Option<Estimate>]) -> Map<String, Value> {
        let estimate = |estimate: &Estimate| {
            let (low, high) = estimate.interval().unzip();
            json!({ "mean": estimate.mean, "low": low, "high": high })
        };
        let entries = self.measures.iter().zip(estimates);
        entries.filter_map(|(m, e)| Some((m.name.clone(), estimate(e.as_ref()?)))).collect()
    }

    /// One person, cut once: what each method's list was.
    fn case(&self, position: usize) -> Value {
        let case = &self.sample.cases[position];
        let of_method = |outcome: &Outcome| {
            let values = self.measures.iter().zip(&outcome.values[position]);
            let values = values.filter_map(|(m, v)| Some((m.name.clone(), json!((*v)?))));
            let mut values: Map<String, Value> = values.collect();
            values.insert("latency_ms".into(), json!(outcome.latencies_ms[position]));
            (outcome.name.clone(), Value::Object(values))
        };
        json!({
            "user": self.sample.users[case.user],
            "seed": case.seed,
            "n_history": case.history.len(),
            "n_held_out": case.held_out.len(),
            "methods": self.outcomes.iter().map(of_method).collect::<Map<_, _>>(),
        })
    }
}
