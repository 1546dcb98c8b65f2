//! `nearfield inspect`: what an archive holds.

use std::path::PathBuf;

use nearfield::{Catalog, Column, FieldKind, Index, Result, Scenarios};
use serde::Serialize;

use crate::archive::{grouped, open, per_item};
use crate::output::{Output, printable};

/// Show what an archive holds.
#[derive(clap::Args)]
pub struct Args {
    /// The archive.
    archive: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Inspection {
    format_version: u32,
    n_items: usize,
    dim: usize,
    metric: &'static str,
    foldin: &'static str,
    alpha: f64,
    lambda: f64,
    nu: f64,
    /// Names of the requests that pages may name.
    scenarios: Vec<String>,
    has_prior: bool,
    neighbours: Option<NeighboursShown>,
    bytes: u64,
    bytes_per_item: f64,
    sections: Vec<Section>,
    columns: Vec<ColumnShown>,
}

/// Weights between items.
#[derive(Serialize)]
struct NeighboursShown {
    kind: &'static str,
    regularisation: f64,
    m: u32,
    beta: f64,
    n_weights: usize,
}

#[derive(Serialize)]
struct Section {
    name: &'static str,
    bytes: u64,
    bytes_per_item: f64,
}

#[derive(Serialize)]
struct ColumnShown {
    name: String,
    kind: &'static str,
    n_null: usize,
    /// Of categories and tag sets, whose different values the archive lists.
    n_distinct: Option<usize>,
    /// What is stored for each item: codes, numbers, bits.
    packed_bytes: usize,
    dictionary_bytes: usize,
    text_bytes: usize,
}

pub fn run(args: &Args) -> Result<()> {
    let inspection = Inspection::of(&open(&args.archive)?)?;
    let mut output = Output::new();
    if args.json {
        output.json(&inspection)?;
    } else {
        inspection.print(&mut output)?;
    }
    output.finish()
}

impl Inspection {
    fn of(index: &Index) -> Result<Self> {
        let per = |bytes| per_item(bytes, index.len());
        let section = |(name, bytes)| Section { name, bytes, bytes_per_item: per(bytes) };
        let column = |c: Column<'_>| ColumnShown {
            name: c.name().to_owned(),
            kind: c.kind().as_str(),
            n_null: c.n_null(),
            n_distinct: matches!(c.kind(), FieldKind::Category | FieldKind::Tags)
                .then(|| c.n_distinct()),
            packed_bytes: c.bytes().packed,
            dictionary_bytes: c.bytes().dictionary,
            text_bytes: c.bytes().texts,
        };
        Ok(Self {
            format_version: index.format_version(),
            n_items: index.len(),
            dim: index.dim(),
            metric: index.metric().as_str(),
            foldin: index.fold().as_str(),
            alpha: index.alpha(),
            lambda: index.lambda(),
            nu: index.nu(),
            scenarios: match index.scenarios()? {
                "" => Vec::new(),
                text => Scenarios::from_json(text)?.names().map(str::to_owned).collect(),
            },
            has_prior: Catalog::new(index).has_prior(),
            neighbours: index.neighbours().map(|w| NeighboursShown {
                kind: w.kind().as_str(),
                regularisation: w.regularisation(),
                m: w.m(),
                beta: w.beta(),
                n_weights: w.len(),
            }),
            bytes: index.total_bytes(),
            bytes_per_item: per(index.total_bytes()),
            sections: index.sections().map(section).collect(),
            columns: Catalog::new(index).columns().map(column).collect(),
        })
    }

    fn print(&self, output: &mut Output) -> Result<()> {
        output.line(format_args!("format version {}", self.format_version))?;
        let n_items = grouped(self.n_items as u64);
        output.line(format_args!("{n_items} items of {} dimensions", self.dim))?;
        output.line(format_args!("metric {}", self.metric))?;
        output.line(format_args!(
            "fold-in {}, alpha {}, lambda {}, nu {}",
            self.foldin, self.alpha, self.lambda, self.nu
        ))?;
        if !self.scenarios.is_empty() {
            output.line(format_args!("scenarios {}", self.scenarios.join(", ")))?;
        }
        output.line(if self.has_prior { "popularity prior" } else { "no popularity prior" })?;
        match &self.neighbours {
            None => output.line("no weights between items")?,
            Some(w) => output.line(format_args!(
                "{} weights between items, at most {} each: {} with regularisation {}, beta {}",
                grouped(w.n_weights as u64),
                w.m,
                w.kind,
                w.regularisation,
                w.beta,
            ))?,
        }
        let bytes = grouped(self.bytes);
        output.line(format_args!("{bytes} bytes, {:.1} an item", self.bytes_per_item))?;
        output.line("\nsection         bytes  an item")?;
        for s in &self.sections {
            let bytes = grouped(s.bytes);
            output.line(format_args!("{:10} {bytes:>10} {:>8.1}", s.name, s.bytes_per_item))?;
        }
        if !self.columns.is_empty() {
            output
                .line("\nkind        nulls  distinct     packed dictionary      texts  column")?;
        }
        for c in &self.columns {
            let nulls = grouped(c.n_null as u64);
            let distinct = c.n_distinct.map_or("-".into(), |n| grouped(n as u64));
            let name = printable(&c.name);
            let [packed, dictionary, texts] =
                [c.packed_bytes, c.dictionary_bytes, c.text_bytes].map(|b| grouped(b as u64));
            output.line(format_args!(
                "{:8} {nulls:>8} {distinct:>9} {packed:>10} {dictionary:>10} {texts:>10}  {name}",
                c.kind
            ))?;
        }
        Ok(())
    }
}
