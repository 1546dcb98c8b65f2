//! Results on standard output: lines for people, JSON for programs.

use std::io::{BufWriter, StdoutLock, Write};

use nearfield::{Catalog, Column, Error, Index, Ordinal, Result, Slate, Value};
use serde::Serialize;

/// Standard output.
pub struct Output(BufWriter<StdoutLock<'static>>);

fn failed(source: std::io::Error) -> Error {
    Error::Io { path: "standard output".into(), source }
}

impl Output {
    pub fn new() -> Self {
        Self(BufWriter::new(std::io::stdout().lock()))
    }

    pub fn line(&mut self, line: impl std::fmt::Display) -> Result<()> {
        writeln!(self.0, "{line}").map_err(failed)
    }

    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        serde_json::to_writer_pretty(&mut self.0, value).map_err(|e| failed(e.into()))?;
        writeln!(self.0).map_err(failed)
    }

    pub fn finish(mut self) -> Result<()> {
        self.0.flush().map_err(failed)
    }
}

/// How a list of items is shown.
#[derive(clap::Args)]
pub struct Show {
    /// Columns to show with each item, separated by commas.
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A list of items as JSON gives it.
#[derive(Serialize)]
struct SlateJson<'a> {
    basis: &'static str,
    n_qualifying: usize,
    items: Vec<ItemJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace: Vec<crate::trace::StepJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmet: Vec<crate::trace::UnmetJson<'a>>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct ItemJson<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    score: f64,
    /// The parts of the score by name, where they were asked for.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    parts: serde_json::Map<String, serde_json::Value>,
    /// The probability of the item in its place, where chance decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    propensity: Option<f64>,
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    fields: serde_json::Map<String, serde_json::Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    because: Vec<ShareJson<'a>>,
}

#[derive(Serialize)]
struct ShareJson<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    kind: &'static str,
    share: f64,
}

/// Prints an answer: best first, at most `n_reasons` reasons each.
pub fn print_slate(index: &Index, slate: &Slate, show: &Show, n_reasons: usize) -> Result<()> {
    let catalog = Catalog::new(index);
    let columns: Vec<Column<'_>> =
        show.fields.iter().map(|name| catalog.column(name)).collect::<Result<_>>()?;
    let mut output = Output::new();
    if show.json {
        output.json(&to_json(index, slate, &columns, n_reasons)?)?;
    } else {
        print_lines(&mut output, index, slate, &columns, n_reasons)?;
    }
    output.finish()
}

fn to_json<'a>(
    index: &'a Index,
    slate: &'a Slate,
    columns: &[Column<'_>],
    n_reasons: usize,
) -> Result<SlateJson<'a>> {
    let catalog = Catalog::new(index);
    let mut items = Vec::with_capacity(slate.items.len());
    for (i, item) in slate.items.iter().enumerate() {
        let shares = slate.because.get(i).map_or(&[][..], Vec::as_slice);
        let because = shares.iter().take(n_reasons).map(|share| {
            Ok(ShareJson {
                id: index.id(share.item)?,
                title: catalog.title(share.item)?,
                kind: share.kind.as_str(),
                share: share.share,
            })
        });
        let fields =
            columns.iter().map(|c| Ok((c.name().to_owned(), json(c.value(item.ordinal)?))));
        items.push(ItemJson {
            id: index.id(item.ordinal)?,
            title: catalog.title(item.ordinal)?,
            score: item.score,
            parts: parts(slate, i),
            propensity: slate.propensities.get(i).copied().flatten(),
            fields: fields.collect::<Result<_>>()?,
            because: because.collect::<Result<_>>()?,
        });
    }
    Ok(SlateJson {
        basis: slate.basis.as_str(),
        n_qualifying: slate.n_qualifying,
        items,
        policy: slate.policy.as_deref(),
        trace: crate::trace::steps(index, slate)?,
        unmet: crate::trace::unmet(slate),
        warnings: &slate.warnings,
    })
}

/// The parts of an item's score by name; two of one name are added up.
fn parts(slate: &Slate, i: usize) -> serde_json::Map<String, serde_json::Value> {
    let mut map = serde_json::Map::new();
    if let Some(parts) = &slate.parts {
        let row = parts.values.chunks_exact(parts.names.len().max(1)).nth(i).unwrap_or_default();
        for (name, part) in parts.names.iter().zip(row) {
            let known = map.get(name).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
            map.insert(name.clone(), (known + part).into());
        }
    }
    map
}

/// A column's value in JSON; dates as `YYYY-MM-DD`.
fn json(value: Value<'_>) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Flag(x) => x.into(),
        Value::Integer(x) => x.into(),
        Value::Real(x) => x.into(),
        Value::Category(text) | Value::Text(text) => text.into(),
        Value::Tags(tags) => tags.into(),
        Value::Date(_) => value.to_string().into(),
    }
}

fn print_lines(
    output: &mut Output,
    index: &Index,
    slate: &Slate,
    columns: &[Column<'_>],
    n_reasons: usize,
) -> Result<()> {
    let ids: Vec<&str> =
        slate.items.iter().map(|item| index.id(item.ordinal)).collect::<Result<_>>()?;
    let width = ids.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    for (i, (item, id)) in slate.items.iter().zip(ids).enumerate() {
        let mut line = format!("{:9.4}  {id:width$}", item.score);
        if let Some(title) = Catalog::new(index).title(item.ordinal)? {
            line.push_str("  ");
            line.push_str(&printable(title));
        }
        for column in columns {
            let value = column.value(item.ordinal)?.to_string();
            line.push_str(&format!("  {}={}", column.name(), printable(&value)));
        }
        output.line(line.trim_end())?;
        if let Some(shares) = slate.because.get(i)
            && let Some(reasons) = reasons(index, shares, n_reasons)?
        {
            output.line(format_args!("           because {reasons}"))?;
        }
    }
    crate::trace::print(output, index, slate)?;
    for warning in &slate.warnings {
        output.line(format_args!("note: {warning}"))?;
    }
    Ok(())
}

/// The largest shares that speak for an item, in words. Per cent are of all that speaks for it.
fn reasons(index: &Index, shares: &[nearfield::Share], n: usize) -> Result<Option<String>> {
    let total: f64 = shares.iter().map(|s| s.share.max(0.0)).sum();
    let mut parts = Vec::new();
    for share in shares.iter().filter(|s| s.share > 0.0).take(n) {
        let title = match Catalog::new(index).title(share.item)? {
            Some(title) => printable(title),
            None => printable(index.id(share.item)?),
        };
        let verb = match share.kind {
            nearfield::Kind::Dislike => "disliked",
            _ => "liked",
        };
        parts.push(format!("you {verb} {title} ({:.0} %)", 100.0 * share.share / total));
    }
    Ok((!parts.is_empty()).then(|| parts.join(", ")))
}

/// Catalog text for a terminal: without characters that could steer it.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The ordinal of an id, or an error that names the argument it came from.
pub fn item(index: &Index, argument: &str, id: &str) -> Result<Ordinal> {
    index.ordinal(id)?.ok_or_else(|| {
        let expected = "the id of an item of this archive (nearfield search finds it by title)";
        Error::arg(argument, expected, format_args!("{id:?}"))
    })
}
