//! What composition says of a slate, in lines and as JSON.

use nearfield::{Catalog, Index, Ordinal, Result, Slate};
use serde::Serialize;

use crate::output::{Output, printable};

/// Candidates that are told line by line for one place: a pin passes over all that score better.
const MOST_PASSED: usize = 5;

/// How a place came to its item.
#[derive(Serialize)]
pub struct StepJson<'a> {
    position: usize,
    id: &'a str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    passed: Vec<PassedJson<'a>>,
}

/// A candidate of better score that did not get it.
#[derive(Serialize)]
struct PassedJson<'a> {
    id: &'a str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similar_to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    similarity: Option<f64>,
}

/// Something that was asked for and could not be done.
#[derive(Serialize)]
pub struct UnmetJson<'a> {
    what: &'static str,
    name: &'a str,
    missing: usize,
}

/// The trace of a slate.
pub fn steps<'a>(index: &'a Index, slate: &'a Slate) -> Result<Vec<StepJson<'a>>> {
    let step = |step: &'a nearfield::Step| {
        let passed = step.passed.iter().map(|p| {
            Ok(PassedJson {
                id: index.id(p.item)?,
                why: p.why,
                rule: p.rule.as_deref(),
                similar_to: p.similar.map(|(item, _)| index.id(item)).transpose()?,
                similarity: p.similar.map(|(_, similarity)| similarity),
            })
        });
        Ok(StepJson {
            position: step.position,
            id: index.id(step.item)?,
            reason: step.reason,
            rule: step.rule.as_deref(),
            passed: passed.collect::<Result<_>>()?,
        })
    };
    slate.trace.iter().map(step).collect()
}

/// What a slate could not do.
pub fn unmet(slate: &Slate) -> Vec<UnmetJson<'_>> {
    let unmet = |u: &'_ nearfield::Unmet| (u.what, u.missing);
    let names = slate.unmet.iter().map(|u| u.name.as_str());
    (slate.unmet.iter().map(unmet).zip(names))
        .map(|((what, missing), name)| UnmetJson { what, name, missing })
        .collect()
}

/// The same in lines, behind the items.
pub fn print(output: &mut Output, index: &Index, slate: &Slate) -> Result<()> {
    let named = |item: Ordinal| -> Result<String> {
        let title = Catalog::new(index).title(item)?;
        Ok(printable(title.unwrap_or(index.id(item)?)))
    };
    for step in &slate.trace {
        let rule = step.rule.as_ref().map_or(String::new(), |r| format!(" {}", printable(r)));
        let name = named(step.item)?;
        output.line(format_args!(
            "trace: place {}: {name} ({}{rule})",
            step.position, step.reason
        ))?;
        for passed in step.passed.iter().take(MOST_PASSED) {
            let rule =
                passed.rule.as_ref().map_or(String::new(), |r| format!(" {}", printable(r)));
            let like = match passed.similar {
                Some((to, cosine)) => format!(" to {} (cosine {cosine:.2})", named(to)?),
                None => String::new(),
            };
            let name = named(passed.item)?;
            output.line(format_args!("       passed over: {name}: {}{rule}{like}", passed.why))?;
        }
        let n_more = step.passed.len().saturating_sub(MOST_PASSED);
        if n_more > 0 {
            output.line(format_args!("       and {n_more} more, which --json has"))?;
        }
    }
    for unmet in &slate.unmet {
        let name = printable(&unmet.name);
        output.line(format_args!("unmet: {} {name}: {}", unmet.what, unmet.missing))?;
    }
    Ok(())
}
