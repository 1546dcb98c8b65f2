//! A study as lines for people.

use nearfield::Result;
use nearfield::eval::statistics::Estimate;

use super::outcome::Outcome;
use super::sample::Split;
use super::study::Study;
use super::yardstick::{Measure, What};
use crate::archive::grouped;
use crate::output::{Output, printable};

pub fn print(study: &Study<'_>) -> Result<()> {
    let mut output = Output::new();
    for line in [who(study), left_out(study)].into_iter().flatten() {
        output.line(printable(&line))?;
    }
    let rows = study.outcomes.iter().map(|o| (o.name.as_str(), o)).collect::<Vec<_>>();
    table(&mut output, "", &rows, study.measures)?;
    if !study.baselines().is_empty() {
        output.line("")?;
        differences(&mut output, study)?;
    }
    for sweep in &study.sweeps {
        output.line("")?;
        let rows: Vec<_> = sweep.steps.iter().map(|(step, o)| (step.as_str(), o)).collect();
        table(&mut output, &sweep.setting, &rows, study.measures)?;
    }
    for note in &study.notes {
        output.line(format_args!("note: {}", printable(note)))?;
    }
    output.finish()
}

/// Who was measured, and how.
pub fn who(study: &Study<'_>) -> Option<String> {
    let n_users = grouped(study.sample.counts.n_users_measured as u64);
    let n_cases = grouped(study.sample.cases.len() as u64);
    Some(match study.split {
        Split::Share => format!(
            "{n_users} users, cut at random with {} seeds: {n_cases} lists of each method",
            study.sample.seeds.len()
        ),
        Split::Time => format!("{n_users} users, cut by time: {n_cases} lists of each method"),
    })
}

/// What of the log was not measured; `None` where all of it was.
pub fn left_out(study: &Study<'_>) -> Option<String> {
    let counts = &study.sample.counts;
    let parts = [
        (counts.n_below, "interactions that are no positives".to_owned()),
        (counts.n_repeated, "repeated interactions".to_owned()),
        (
            counts.n_unknown,
            format!(
                "interactions with {} items that the archive does not have",
                grouped(counts.n_unknown_items as u64)
            ),
        ),
        (counts.n_users_too_few, "users with too few positives".to_owned()),
        (counts.n_users_unknown, "users of whose items the archive has fewer than two".to_owned()),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| format!("{} {what}", grouped(n as u64)))
        .collect();
    (!parts.is_empty()).then(|| format!("left out: {}", parts.join("; ")))
}

/// One line a method or step, one column a measure.
fn table(
    output: &mut Output,
    heading: &str,
    rows: &[(&str, &Outcome)],
    measures: &[Measure],
) -> Result<()> {
    let names = rows.iter().map(|(name, _)| name.chars().count());
    let width = names.chain([heading.chars().count(), 12]).max().unwrap_or(12);
    let widths: Vec<usize> = measures.iter().map(|m| m.label.chars().count().max(8)).collect();
    let mut line = format!("{heading:width$}");
    for (measure, width) in measures.iter().zip(&widths) {
        line.push_str(&format!("  {:>width$}", measure.label));
    }
    output.line(printable(&line))?;
    for (name, outcome) in rows {
        let mut line = format!("{name:width$}");
        for ((measure, width), estimate) in measures.iter().zip(&widths).zip(&outcome.estimates) {
            let value = estimate.map_or("-".into(), |e| measure.show(e.mean));
            line.push_str(&format!("  {value:>width$}"));
        }
        output.line(printable(&line))?;
    }
    Ok(())
}

/// What fold-in has more than the others in what lists find, user by user.
fn differences(output: &mut Output, study: &Study<'_>) -> Result<()> {
    let shown: Vec<usize> = (0..study.measures.len())
        .filter(|i| matches!(study.measures[*i].what, What::Recall | What::Ndcg | What::HitRate))
        .collect();
    let mut line = format!("{:18}", "fold-in minus");
    for i in &shown {
        line.push_str(&format!("  {:>27}", format!("{} (95 %)", study.measures[*i].label)));
    }
    output.line(line)?;
    for outcome in study.baselines() {
        let differences = study.fold_in_minus(outcome);
        let mut line = format!("{:18}", outcome.name);
        for i in &shown {
            let text = differences[*i].map_or("-".into(), signed);
            line.push_str(&format!("  {text:>27}"));
        }
        output.line(line)?;
    }
    Ok(())
}

/// A difference with its interval.
fn signed(estimate: Estimate) -> String {
    match estimate.interval() {
        Some((low, high)) => format!("{:+.4} [{low:+.4}, {high:+.4}]", estimate.mean),
        None => format!("{:+.4} [one user]", estimate.mean),
    }
}
