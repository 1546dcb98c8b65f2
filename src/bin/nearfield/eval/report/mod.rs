//! The report: one HTML page that needs nothing else, neither scripts nor a network.

mod html;
mod plot;

use nearfield::eval::statistics::{Estimate, quantile};

use self::html::{Cell, Row, escape, facts, figure, minus, paragraph, section, table};
use self::plot::{Bar, Point};
use super::outcome::Outcome;
use super::print::{left_out, who};
use super::sample::Split;
use super::study::Study;
use super::sweep::{Along, Curve, Others, Sweep};
use super::yardstick::{Best, Measure, What};
use crate::archive::grouped;

const STYLE: &str = include_str!("style.css");

/// The page.
pub fn page(study: &Study<'_>) -> String {
    let title = format!("How good are the recommendations of {}?", study.archive.file);
    let body = [
        format!("<h1>{}</h1>\n", escape(&title)),
        opening(study),
        methods(study),
        differences(study),
        study.sweeps.iter().map(|sweep| of_sweep(study, sweep)).collect(),
        latency(study),
        measured(study),
        archive(study),
        definitions(study),
        command(study),
    ]
    .concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         </body>\n</html>\n",
        escape(&title)
    )
}

fn position(study: &Study<'_>, what: What) -> Option<usize> {
    study.measures.iter().position(|measure| measure.what == what)
}

/// The best of the other methods by recall, with its recall.
fn rival<'s>(study: &'s Study<'_>) -> Option<(&'s Outcome, f64)> {
    let recall = position(study, What::Recall)?;
    let others = study.baselines().iter().filter_map(|o| Some((o, o.estimates[recall]?.mean)));
    others.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The result in a sentence and four figures.
fn opening(study: &Study<'_>) -> String {
    let Some((fold_in, recall)) = study.outcomes.first().zip(position(study, What::Recall)) else {
        return String::new();
    };
    let Some(own) = fold_in.estimates[recall] else { return String::new() };
    let k = study.depths.k;
    let mut lead = format!(
        "Of the items held back, as far as they fit into a list of {k}, fold-in finds {:.1} %.",
        100.0 * own.mean
    );
    let mut cards = vec![(format!("{:.4}", own.mean), within(&format!("recall@{k}"), &own))];
    if let Some((rival, theirs)) = rival(study) {
        let difference = fold_in.minus(rival, study.sample, recall);
        lead.push_str(&compared(&rival.name, difference));
        if theirs > 0.0 {
            let gain = 100.0 * (own.mean / theirs - 1.0);
            let about = match difference.and_then(|d| Some((d.mean, d.error?))) {
                Some((mean, error)) => format!(
                    "against {}, the best of the others: {}, ± {:.4} (95 %)",
                    rival.name,
                    minus(&format!("{mean:+.4}")),
                    1.96 * error
                ),
                None => format!("against {}, the best of the others", rival.name),
            };
            cards.push((minus(&format!("{gain:+.1} %")), about));
        }
    }
    let at = |what| position(study, what).and_then(|i| Some(fold_in.estimates[i]?.mean));
    if let (Some(p50), Some(p99)) = (at(What::LatencyP50), at(What::LatencyP99)) {
        let depth = study.depths.deepest();
        let about = format!("for half of the lists of {depth}; 99 of 100 within {} ms", time(p99));
        cards.push((format!("{} ms", time(p50)), about));
    }
    let about = format!("an item, of {} items", grouped(study.archive.n_items as u64));
    cards.push((format!("{:.1} bytes", study.archive.bytes_per_item), about));
    let cards = cards.iter().map(|(figure, about)| {
        format!(
            "<div class=\"card\"><b>{}</b><span>{}</span></div>\n",
            escape(figure),
            escape(about)
        )
    });
    let who = who(study).map(|text| paragraph("soft", &format!("{text}."))).unwrap_or_default();
    let cards: String = cards.collect();
    format!("{}{who}<div class=\"cards\">\n{cards}</div>\n", paragraph("lead", &lead))
}

/// How fold-in stands against the best of the others, in words.
fn compared(name: &str, difference: Option<Estimate>) -> String {
    let Some(difference) = difference else { return String::new() };
    match difference.interval() {
        Some((low, _)) if low > 0.0 => {
            format!(" That is more than the best of the others, {name}, finds.")
        }
        Some((_, high)) if high < 0.0 => format!(" That is less than {name} finds."),
        Some(_) => format!(
            " The best of the others, {name}, finds as many, as far as these people can tell."
        ),
        None => String::new(),
    }
}

/// A name with half the width of its interval.
fn within(name: &str, estimate: &Estimate) -> String {
    match estimate.error {
        Some(error) => format!("{name} of fold-in, ± {:.4} (95 %)", 1.96 * error),
        None => format!("{name} of fold-in"),
    }
}

/// Milliseconds to three digits that count.
fn time(ms: f64) -> String {
    match ms {
        ms if ms >= 100.0 => format!("{ms:.0}"),
        ms if ms >= 10.0 => format!("{ms:.1}"),
        ms if ms >= 1.0 => format!("{ms:.2}"),
        ms => format!("{ms:.3}"),
    }
}

/// One row an outcome, one column a measure; the best of each column stands out.
fn measures_table(
    study: &Study<'_>,
    corner: &str,
    rows: &[(&str, &Outcome)],
    own: bool,
) -> String {
    let heads: Vec<String> = study.measures.iter().map(|m| m.label.clone()).collect();
    let best: Vec<Option<f64>> = (0..heads.len())
        .map(|i| {
            let values = rows.iter().filter_map(|(_, o)| Some(o.estimates[i]?.mean));
            let (least, most) = values
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
                    (low.min(x), high.max(x))
                });
            match study.measures[i].best {
                _ if least >= most => None,
                Best::Highest => Some(most),
                Best::Lowest => Some(least),
                Best::Neither => None,
            }
        })
        .collect();
    let cell = |(i, estimate): (usize, &Option<Estimate>)| match estimate {
        None => Cell { text: "–".into(), ..Cell::default() },
        Some(estimate) => Cell {
            text: study.measures[i].show(estimate.mean),
            below: estimate
                .error
                .map_or_else(String::new, |e| format!("± {}", study.measures[i].show(1.96 * e))),
            is_best: best[i] == Some(estimate.mean),
        },
    };
    let rows: Vec<Row> = rows
        .iter()
        .enumerate()
        .map(|(i, (name, outcome))| Row {
            name: (*name).to_owned(),
            is_own: own && i == 0,
            cells: outcome.estimates.iter().enumerate().map(cell).collect(),
        })
        .collect();
    let caption = "± is half of the 95 % interval, clustered by user. Bold is the best of a column \
                   that has a best.";
    table(corner, &heads, &rows, caption)
}

fn methods(study: &Study<'_>) -> String {
    let rows: Vec<_> = study.outcomes.iter().map(|o| (o.name.as_str(), o)).collect();
    let mut body = measures_table(study, "method", &rows, true);
    if let Some(recall) = position(study, What::Recall) {
        let bar = |(i, outcome): (usize, &Outcome)| {
            let estimate = outcome.estimates[recall]?;
            let text = figures(&study.measures[recall], &estimate, false);
            Some(Bar { name: outcome.name.clone(), estimate, text, is_own: i == 0 })
        };
        let bars: Vec<Bar> = study.outcomes.iter().enumerate().filter_map(bar).collect();
        let svg = plot::intervals(&bars, &study.measures[recall].label, None);
        body += &figure(
            &svg,
            "Means with 95 % intervals. People differ more than methods do, so intervals that \
             overlap here may still belong to a clear difference: see below.",
        );
    }
    body += "<dl>\n";
    for outcome in &study.outcomes {
        let (name, about) = (escape(&outcome.name), escape(&outcome.about));
        body += &format!("<dt>{name}</dt><dd>{about}</dd>\n");
    }
    body += "</dl>\n";
    if !study.notes.is_empty() {
        let notes: String =
            study.notes.iter().map(|note| format!("<li>{}</li>\n", escape(note))).collect();
        body += &format!("<ul class=\"notes\">\n{notes}</ul>\n");
    }
    section("Methods", &body)
}

/// A mean with its interval in figures.
fn figures(measure: &Measure, estimate: &Estimate, signed: bool) -> String {
    let show = |x: f64| match signed {
        true => minus(&measure.show_signed(x)),
        false => minus(&measure.show(x)),
    };
    match estimate.interval() {
        Some((low, high)) => format!("{} [{}, {}]", show(estimate.mean), show(low), show(high)),
        None => show(estimate.mean),
    }
}

fn differences(study: &Study<'_>) -> String {
    let Some(recall) = position(study, What::Recall) else { return String::new() };
    let baselines = study.baselines();
    if baselines.is_empty() {
        return String::new();
    }
    let by_baseline: Vec<_> = baselines.iter().map(|o| (o, study.fold_in_minus(o))).collect();
    let compared: Vec<usize> =
        (0..study.measures.len()).filter(|i| study.measures[*i].is_mean()).collect();
    let heads: Vec<String> = compared.iter().map(|i| study.measures[*i].label.clone()).collect();
    let cell = |difference: Option<Estimate>, measure: &Measure| match difference {
        None => Cell { text: "–".into(), ..Cell::default() },
        Some(difference) => Cell {
            text: minus(&measure.show_signed(difference.mean)),
            below: difference
                .error
                .map_or_else(String::new, |e| format!("± {}", measure.show(1.96 * e))),
            is_best: difference.interval().is_some_and(|(low, high)| low > 0.0 || high < 0.0),
        },
    };
    let rows: Vec<Row> = by_baseline
        .iter()
        .map(|(outcome, differences)| Row {
            name: outcome.name.clone(),
            is_own: false,
            cells: compared.iter().map(|i| cell(differences[*i], &study.measures[*i])).collect(),
        })
        .collect();
    let caption = "Fold-in minus each, list by list for the same person and the same cut; ± is \
                   half of the 95 % interval, clustered by user. Bold: zero lies outside of it.";
    let mut body = table("fold-in minus", &heads, &rows, caption);
    let bar = |(outcome, differences): &(&Outcome, Vec<Option<Estimate>>)| {
        let estimate = differences[recall]?;
        let text = figures(&study.measures[recall], &estimate, true);
        Some(Bar { name: outcome.name.clone(), estimate, text, is_own: true })
    };
    let bars: Vec<Bar> = by_baseline.iter().filter_map(bar).collect();
    let label = format!("fold-in minus this, {}", study.measures[recall].label);
    let svg = plot::intervals(&bars, &label, Some(("fold-in finds less", "fold-in finds more")));
    body += &figure(&svg, "Paired differences with 95 % intervals.");
    section("The same people, method against method", &body)
}

fn of_sweep(study: &Study<'_>, sweep: &Sweep) -> String {
    let mut body = paragraph("soft", &sweep.about);
    for curve in &sweep.curves {
        body += &drawn(study, sweep, *curve);
    }
    let rows: Vec<_> = sweep.steps.iter().map(|(step, o)| (step.as_str(), o)).collect();
    body += &measures_table(study, &sweep.setting, &rows, false);
    section(&sweep.title, &body)
}

fn drawn(study: &Study<'_>, sweep: &Sweep, curve: Curve) -> String {
    let Some(up) = position(study, curve.up) else { return String::new() };
    let along = match curve.along {
        Along::Setting => None,
        Along::Measure(what) => match position(study, what) {
            None => return String::new(),
            some => some,
        },
    };
    let points = sweep.steps.iter().filter_map(|(step, outcome)| {
        let along = match along {
            None => None,
            Some(i) => Some(outcome.estimates[i]?.mean),
        };
        Some(Point { along, up: outcome.estimates[up]?, step: step.clone() })
    });
    let points: Vec<Point> = points.collect();
    let others = study.baselines().iter().filter_map(|outcome| {
        let along = match (curve.others, along) {
            (Others::Points, Some(i)) => Some(outcome.estimates[i]?.mean),
            _ => None,
        };
        Some(Point { along, up: outcome.estimates[up]?, step: outcome.name.clone() })
    });
    let others: Vec<Point> = others.collect();
    let label = along.map_or(&sweep.setting, |i| &study.measures[i].label);
    let up = &study.measures[up].label;
    let caption = match along {
        None => format!("{up} by {label}. Dashed: the other methods as they are above."),
        Some(_) => format!("{up} against {label}, step by step; beside it the other methods."),
    };
    figure(&plot::curve(&points, label, up, &others), &caption)
}

fn latency(study: &Study<'_>) -> String {
    let Some(fold_in) = study.outcomes.first() else { return String::new() };
    let at = |q| quantile(&fold_in.latencies_ms, q);
    let (Some(p50), Some(p99), Some(most)) = (at(0.5), at(0.99), at(1.0)) else {
        return String::new();
    };
    let shown = (1.25 * p99).min(most);
    let marks = [("p50".to_owned(), p50), ("p99".to_owned(), p99)];
    let label = "ms for a list";
    let mut caption = format!(
        "Fold-in and search for {} lists of {}, on the machine that made this report, natively on \
         one thread. Half took no longer than {} ms, 99 of 100 no longer than {} ms, the longest \
         {} ms.",
        grouped(fold_in.latencies_ms.len() as u64),
        study.depths.deepest(),
        time(p50),
        time(p99),
        time(most)
    );
    if most > shown {
        caption.push_str(" What took longer than is shown is counted at the right edge.");
    }
    let svg = plot::histogram(&fold_in.latencies_ms, shown, &marks, label);
    section("How long a list takes", &figure(&svg, &caption))
}

/// What the figures rest on.
fn measured(study: &Study<'_>) -> String {
    let counts = &study.sample.counts;
    let number = |n: usize| grouped(n as u64);
    let mut rows = vec![
        ("log", study.log.clone()),
        ("people with a positive", number(counts.n_users)),
        ("people measured", number(counts.n_users_measured)),
        ("positives", number(counts.n_positives)),
        (
            "held out",
            match study.split {
                Split::Share => format!("at random, {} seeds", study.sample.seeds.len()),
                Split::Time => "the latest".into(),
            },
        ),
    ];
    if let Some((file, n_users, n_unknown)) = &study.train {
        rows.push(("training log", file.clone()));
        rows.push(("people in it", number(*n_users)));
        rows.push(("interactions in it with items not in the archive", number(*n_unknown)));
        rows.push(("people in both logs", "0, or this run would have been refused".into()));
    }
    let mut body = facts(&rows);
    body += &paragraph(
        "soft",
        &match left_out(study) {
            Some(text) => format!("{}.", text.replacen("left out", "Left out", 1)),
            None => "Nothing of the log was left out.".into(),
        },
    );
    section("Who was measured", &body)
}

fn archive(study: &Study<'_>) -> String {
    let a = &study.archive;
    let rows = [
        ("file", a.file.clone()),
        ("items", grouped(a.n_items as u64)),
        ("dimensions", a.dim.to_string()),
        ("bits of a code", a.code_bits.to_string()),
        ("metric", a.metric.to_owned()),
        ("fold-in", format!("{}, alpha {}, lambda {}", a.foldin, a.alpha, a.lambda)),
        ("bytes", grouped(a.bytes)),
        ("bytes an item", format!("{:.1}", a.bytes_per_item)),
    ];
    section("The archive", &facts(&rows))
}

fn definitions(study: &Study<'_>) -> String {
    let mut body = String::from("<dl>\n");
    for measure in study.measures {
        let (label, about) = (escape(&measure.label), escape(&measure.about));
        body += &format!("<dt>{label}</dt><dd>{about}</dd>\n");
    }
    section("What the measures are", &(body + "</dl>\n"))
}

fn command(study: &Study<'_>) -> String {
    let by = format!("Made by nearfield {} with this command:", env!("CARGO_PKG_VERSION"));
    let body = format!("{}<pre>{}</pre>\n", paragraph("soft", &by), escape(&study.command));
    section("Do it again", &body)
}
