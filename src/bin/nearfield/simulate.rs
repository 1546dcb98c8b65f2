//! `nearfield simulate`: the bandit on people whose tastes are known.

use std::io::Write as _;
use std::path::PathBuf;

use nearfield::Result;
use nearfield::eval::simulate::{Curve, Policy, Size, simulate};
use serde::Serialize;

use crate::files::write_whole;
use crate::output::Output;
use crate::plot;
use crate::progress::Stage;

/// Measure the bandit's mix of content types on simulated people with known tastes.
///
/// Regret is how many answers the slates shown lost against the best ones, added up over rounds.
/// Growth e: regret grows as rounds^e, where 1 is linear. Late / early: regret a round in the last
/// fifth over that in the first.
#[derive(clap::Args)]
pub struct Args {
    /// Slates that each person sees.
    #[arg(long, value_name = "N", default_value_t = 500,
          value_parser = clap::value_parser!(u32).range(10..=10_000))]
    rounds: u32,
    /// People drawn from each seed.
    #[arg(long, value_name = "N", default_value_t = 40,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: u32,
    /// Populations, with seeds that follow each other.
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Write a page with the curves to this file.
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// Print JSON, with the regret after each round.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    policy: &'static str,
    regret: &'a [f64],
    standard_error: f64,
    /// The last regret over that of the best fixed mix for everybody.
    share_of_fixed: f64,
    exponent: f64,
    late_over_early: f64,
}

pub fn run(args: &Args) -> Result<()> {
    let size = Size {
        n_rounds: args.rounds as usize,
        n_users: args.users as usize,
        n_seeds: args.seeds as usize,
        seed: args.seed,
    };
    let stage = Stage::spinner("simulating");
    let curves = simulate(&size)?;
    drop(stage);
    let fixed = curves.iter().find(|c| c.policy == Policy::BestStatic).map_or(0.0, Curve::last);
    let rows: Vec<Row<'_>> = curves
        .iter()
        .map(|curve| Row {
            policy: curve.policy.as_str(),
            regret: &curve.regret,
            standard_error: curve.standard_error,
            share_of_fixed: curve.last() / fixed,
            exponent: curve.exponent(),
            late_over_early: curve.late_over_early(),
        })
        .collect();
    let heading = format!(
        "{} people in {} populations, {} slates of 10 each, seed {}",
        args.users * args.seeds,
        args.seeds,
        args.rounds,
        args.seed
    );
    let lines = table(&rows);
    if let Some(path) = &args.report {
        let page = page(&heading, &lines, &rows);
        write_whole(path, |file| file.write_all(page.as_bytes()))?;
    }
    let mut output = Output::new();
    if args.json {
        output.json(&rows)?;
    } else {
        output.line(heading)?;
        lines.iter().try_for_each(|line| output.line(line))?;
    }
    output.finish()
}

fn table(rows: &[Row<'_>]) -> Vec<String> {
    let width = rows.iter().map(|row| row.policy.len()).max().unwrap_or(0);
    let heading = ["regret", "std. error", "of fixed", "growth e", "late / early"];
    let [a, b, c, d, e] = heading;
    let mut lines = vec![format!("{:width$} {a:>9} {b:>11} {c:>9} {d:>9} {e:>13}", "")];
    lines.extend(rows.iter().map(|row| {
        format!(
            "{:width$} {:>9.1} {:>11.1} {:>9.3} {:>9.3} {:>13.3}",
            row.policy,
            row.regret.last().copied().unwrap_or(0.0),
            row.standard_error,
            row.share_of_fixed,
            row.exponent,
            row.late_over_early
        )
    }));
    lines
}

/// One file without anything to fetch: the curves and the table. All text in it is ours.
fn page(heading: &str, lines: &[String], rows: &[Row<'_>]) -> String {
    let series: Vec<(&str, &[f64])> = rows.iter().map(|row| (row.policy, row.regret)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Regret of the bandit's \
         mix</title>\n<style>\nbody {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; \
         margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }}\nsvg {{ width: 100%; \
         height: auto }}\npre {{ overflow-x: auto }}\n</style>\n<h1>Regret of the bandit's mix</h1>\n\
         <p>{heading}. Regret: answers lost against the best slates, added up over rounds, mean of \
         all people; lower is better. The best slates know every taste; the best fixed mixes are \
         chosen in hindsight.</p>\n{}\n<pre>{}</pre>\n</html>\n",
        plot::lines("rounds", "regret", &series),
        lines.join("\n")
    )
}
