//! Options that read a log of interactions, and what `nearfield build` says of what came of it.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use nearfield::build::interactions::{InteractionOptions, Interactions, read_interactions};
use nearfield::build::neighbours::{NeighboursOptions, NeighboursReport};
use nearfield::{NeighboursKind, Result};
use serde::Serialize;

use crate::archive::grouped;
use crate::output::Output;
use crate::progress::Stage;

/// How a log's columns are called.
#[derive(clap::Args)]
pub struct LogArgs {
    /// The log's column of users [default: user, user_id, ...].
    #[arg(long, value_name = "FIELD")]
    user_field: Option<String>,
    /// The log's column of items [default: item, item_id, ...].
    #[arg(long, value_name = "FIELD")]
    item_field: Option<String>,
    /// The log's column of weights [default: weight, rating, ..., or 1 for all].
    #[arg(long, value_name = "FIELD")]
    weight_field: Option<String>,
    /// The log's column of times [default: timestamp, time, ...].
    #[arg(long, value_name = "FIELD")]
    time_field: Option<String>,
    /// Leave out interactions below this weight [default: those that are not above 0].
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true)]
    min_weight: Option<f64>,
}

impl LogArgs {
    /// Reads a log with these options.
    pub fn read(&self, path: &Path) -> Result<Interactions> {
        let _stage = Stage::spinner("reading interactions");
        let options = InteractionOptions {
            user: self.user_field.clone(),
            item: self.item_field.clone(),
            weight: self.weight_field.clone(),
            time: self.time_field.clone(),
            min_weight: self.min_weight,
        };
        read_interactions(path, &options)
    }
}

/// What weights between items are made from.
#[derive(clap::Args)]
pub struct InteractionArgs {
    /// A log of who interacted with what (.csv, .tsv, .inter, .jsonl, .ndjson; .gz): weights between
    /// items are learned from it, and stored where they improve recommendations.
    #[arg(long, value_name = "LOG")]
    interactions: Option<PathBuf>,
    /// A log of users whom neither the vectors nor --interactions have seen, to decide on the weights
    /// [default: a fifth of the users of --interactions, held out].
    #[arg(long, value_name = "LOG", requires = "interactions")]
    validation: Option<PathBuf>,
    /// How weights between items are learned [default: what recommends better].
    #[arg(long, value_parser = kind_parser(), requires = "interactions")]
    neighbours_kind: Option<NeighboursKind>,
    /// Most weights an item [default: the fewest of 4 to 64 that cost less than 0.5 %].
    #[arg(long, value_name = "N", requires = "interactions")]
    neighbours_m: Option<usize>,
    /// EASE's lambda or item-kNN's shrinkage [default: what recommends best].
    #[arg(long, value_name = "X", requires = "neighbours_kind")]
    neighbours_regularisation: Option<f64>,
    /// What weights are multiplied by beside the fold-in; 0 stores none [default: what recommends best].
    #[arg(long, value_name = "X", requires = "interactions")]
    neighbours_beta: Option<f64>,
    #[command(flatten)]
    log: LogArgs,
}

fn kind_parser() -> impl clap::builder::TypedValueParser<Value = NeighboursKind> {
    let kinds = [NeighboursKind::Ease, NeighboursKind::ItemKnn];
    PossibleValuesParser::new(kinds.map(NeighboursKind::as_str)).map(move |name| {
        kinds.into_iter().find(|k| k.as_str() == name).unwrap_or(NeighboursKind::Ease)
    })
}

/// The logs as they were read, with the options for what comes of them.
pub struct Wanted {
    pub options: Option<NeighboursOptions>,
    notes: Vec<String>,
}

impl InteractionArgs {
    pub fn read(&self) -> Result<Wanted> {
        let Some(path) = &self.interactions else {
            return Ok(Wanted { options: None, notes: Vec::new() });
        };
        let mut notes = Vec::new();
        let mut read = |path: &PathBuf| -> Result<Interactions> {
            let log = self.log.read(path)?;
            let name = path.display();
            if let Some(unit) = log.time_unit {
                notes.push(format!("{name}: times are taken as {}", unit.as_str()));
            }
            if log.n_below > 0 {
                let n = grouped(log.n_below as u64);
                notes
                    .push(format!("{name}: {n} interactions left out: their weights are too low"));
            }
            Ok(log)
        };
        let train = read(path)?;
        let validation = self.validation.as_ref().map(&mut read).transpose()?;
        let options = NeighboursOptions {
            train,
            validation,
            kind: self.neighbours_kind,
            m: self.neighbours_m,
            regularisation: self.neighbours_regularisation,
            beta: self.neighbours_beta,
        };
        Ok(Wanted { options: Some(options), notes })
    }
}

/// What there is to say about weights between items.
#[derive(Serialize)]
pub struct Report {
    kind: &'static str,
    regularisation: f64,
    m: usize,
    beta: f64,
    bytes_per_item: f64,
    n_users: usize,
    n_interactions: usize,
    n_unknown: usize,
    n_validation: usize,
    n_seen: usize,
    held_out: bool,
    fold_in_recall_at_20: f64,
    standard_error: f64,
    curve: Vec<Point>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Point {
    m: usize,
    bytes_per_item: f64,
    beta: f64,
    recall_at_20: f64,
    alone_recall_at_20: f64,
}

impl Report {
    pub fn new(report: &NeighboursReport, notes: Vec<String>) -> Self {
        Self {
            kind: report.kind.as_str(),
            regularisation: report.regularisation,
            m: report.m,
            beta: report.beta,
            bytes_per_item: report.bytes_per_item,
            n_users: report.n_users,
            n_interactions: report.n_interactions,
            n_unknown: report.n_unknown,
            n_validation: report.n_validation,
            n_seen: report.n_seen,
            held_out: report.held_out,
            fold_in_recall_at_20: report.fold_in_recall,
            standard_error: report.standard_error,
            curve: report
                .curve
                .iter()
                .map(|p| Point {
                    m: p.m,
                    bytes_per_item: p.bytes_per_item,
                    beta: p.beta,
                    recall_at_20: p.recall,
                    alone_recall_at_20: p.recall_alone,
                })
                .collect(),
            notes,
        }
    }

    pub fn print(&self, output: &mut Output) -> Result<()> {
        output.line(format_args!(
            "\nweights between items, {} with regularisation {}, from {} interactions of {} users",
            self.kind,
            self.regularisation,
            grouped(self.n_interactions as u64),
            grouped(self.n_users as u64),
        ))?;
        output.line(format_args!(
            "on {} users {}: recall@20 of the fold-in {:.4}, standard error of what weights add {:.4}",
            grouped(self.n_validation as u64),
            if self.held_out { "held out" } else { "for validation" },
            self.fold_in_recall_at_20,
            self.standard_error,
        ))?;
        output.line("an item  bytes  beta       recall@20  alone")?;
        for p in &self.curve {
            let mark = if p.m == self.m && self.beta > 0.0 { "  stored" } else { "" };
            output.line(format_args!(
                "{:7} {:6.1}  {:9}  {:9.4}  {:.4}{mark}",
                p.m, p.bytes_per_item, p.beta, p.recall_at_20, p.alone_recall_at_20,
            ))?;
        }
        if self.beta == 0.0 {
            output.line("none are stored: what they add is within one standard error")?;
        }
        for (n, what) in [
            (self.n_unknown, "interactions with items that the catalog does not have"),
            (self.n_seen, "validation users left out: --interactions has them too"),
        ] {
            if n > 0 {
                output.line(format_args!("{} {what}", grouped(n as u64)))?;
            }
        }
        if self.held_out {
            output.line(
                "note: the vectors may have seen the held-out users; factors trained without them \
                 stood in for them. --validation brings users of your own",
            )?;
        }
        self.notes.iter().try_for_each(|note| output.line(format_args!("note: {note}")))
    }
}

impl Wanted {
    /// The report of a build that used these options.
    pub fn report(self, report: Option<&NeighboursReport>) -> Option<Report> {
        report.map(|report| Report::new(report, self.notes))
    }
}
