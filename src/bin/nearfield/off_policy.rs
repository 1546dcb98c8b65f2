//! `nearfield off-policy`: what another policy would have earned, estimated from a log.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use nearfield::eval::off_policy::{Estimate, Evaluation, Predicted, Slot, evaluate};
use nearfield::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::files::io_error;
use crate::output::Output;

/// Estimate how another policy would have done from slates that explored.
///
/// One line a slot: {"slate": "s1", "position": 3, "reward": 1, "propensity": 0.2, "target": 0.5}.
/// The propensity is the one logged when the slate was shown, null where the slot did not explore;
/// the target is the probability with which the policy in question puts the same item there, after
/// the same draws. With "predicted" (a model's reward for the item shown) and "predicted_target"
/// (its mean over what that policy would show) on every line, the doubly robust estimate is made
/// too. Values are mean rewards per slot that explores.
#[derive(clap::Args)]
pub struct Args {
    /// The slots, as JSON lines.
    #[arg(value_name = "LOG.jsonl")]
    log: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    slate: String,
    position: u32,
    reward: f64,
    // Not optional: whoever leaves it out by mistake must not be told of slots left out.
    #[serde(deserialize_with = "number_or_null")]
    propensity: Option<f64>,
    target: f64,
    predicted: Option<f64>,
    predicted_target: Option<f64>,
}

fn number_or_null<'a, D: serde::Deserializer<'a>>(json: D) -> Result<Option<f64>, D::Error> {
    Option::deserialize(json)
}

#[derive(Serialize)]
struct Report {
    n_slots: usize,
    n_left_out: usize,
    n_slates: usize,
    effective_sample_size: f64,
    largest_weight: f64,
    mean_weight: f64,
    logged: Value,
    ips: Value,
    snips: Value,
    dr: Option<Value>,
}

#[derive(Serialize)]
struct Value {
    value: f64,
    /// Null where there is one slate only.
    standard_error: f64,
}

impl From<Estimate> for Value {
    fn from(e: Estimate) -> Self {
        Self { value: e.value, standard_error: e.standard_error }
    }
}

pub fn run(args: &Args) -> Result<()> {
    let (slots, predicted) = read(&args.log)?;
    let model = |i: usize| predicted[i];
    let model: Option<&dyn Fn(usize) -> Predicted> =
        if predicted.is_empty() { None } else { Some(&model) };
    let found = evaluate(&slots, model)?;
    let mut output = Output::new();
    if args.json {
        output.json(&report(&found))?;
    } else {
        print(&mut output, &found)?;
    }
    output.finish()
}

fn report(found: &Evaluation) -> Report {
    Report {
        n_slots: found.n_slots,
        n_left_out: found.n_left_out,
        n_slates: found.n_slates,
        effective_sample_size: found.effective_sample_size,
        largest_weight: found.largest_weight,
        mean_weight: found.mean_weight,
        logged: found.logged.into(),
        ips: found.ips.into(),
        snips: found.snips.into(),
        dr: found.dr.map(Value::from),
    }
}

fn print(output: &mut Output, found: &Evaluation) -> Result<()> {
    output.line(format_args!(
        "{} slots of {} slates explored; {} without a propensity are left out",
        found.n_slots, found.n_slates, found.n_left_out
    ))?;
    output.line(format_args!(
        "effective sample size {:.1}, largest weight {:.2}, mean weight {:.4}",
        found.effective_sample_size, found.largest_weight, found.mean_weight
    ))?;
    output.line(format_args!("{:8} {:>12} {:>12}", "", "per slot", "std. error"))?;
    let rows = [("logged", Some(found.logged)), ("IPS", Some(found.ips))];
    for (name, e) in rows.into_iter().chain([("SNIPS", Some(found.snips)), ("DR", found.dr)]) {
        if let Some(e) = e {
            output.line(format_args!("{name:8} {:>12.6} {:>12.6}", e.value, e.standard_error))?;
        }
    }
    Ok(())
}

/// The slots, and what a model predicts for each; the latter is empty where there is no model.
fn read(path: &Path) -> Result<(Vec<Slot>, Vec<Predicted>)> {
    let file = std::fs::File::open(path).map_err(io_error(path))?;
    let mut slates: HashMap<String, u64> = HashMap::new();
    let mut places = HashSet::new();
    let (mut slots, mut predicted): (Vec<Slot>, Vec<Predicted>) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(io_error(path))?;
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("{}:{number}", path.display());
        let row: Row = serde_json::from_str(&line).map_err(|e| {
            let expected = r#"{"slate", "position", "reward", "propensity", "target"}"#;
            Error::input(&place, expected, e)
        })?;
        let next = slates.len() as u64;
        let slate = *slates.entry(row.slate).or_insert(next);
        if !places.insert((slate, row.position)) {
            let expected = "each position of a slate once";
            return Err(Error::input(format!("{place}: position"), expected, row.position));
        }
        let model = match (row.predicted, row.predicted_target) {
            (Some(shown), Some(target)) => Some(Predicted { shown, target }),
            (None, None) => None,
            _ => {
                let expected = "both predicted and predicted_target, or neither";
                return Err(Error::input(place, expected, "one of them"));
            }
        };
        if !slots.is_empty() && model.is_none() != predicted.is_empty() {
            let expected = "predictions on every line, or on none";
            return Err(Error::input(place, expected, "a line that differs from those before"));
        }
        predicted.extend(model);
        let Row { reward, propensity, target, .. } = row;
        let slot = Slot { slate, reward, propensity, target };
        slot.check(&place)?;
        slots.push(slot);
    }
    Ok((slots, predicted))
}
