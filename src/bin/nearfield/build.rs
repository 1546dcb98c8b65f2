//! `nearfield build`: from a catalog to an archive.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use nearfield::build::embed::{EmbedField, embed, parse_fields};
use nearfield::build::input::{
    BadVectors, ColumnSummary, Duplicates, ItemOptions, Items, Schema, Vectors, read_items,
    read_vectors, summarise,
};
use nearfield::build::{BuildOptions, BuildReport, build};
use nearfield::{Error, Fold, Metric, Result, Scenarios};
use serde::Serialize;

use crate::archive::{grouped, per_item};
use crate::files::{io_error, write_whole};
use crate::interactions;
use crate::output::Output;
use crate::progress::Stage;

/// Components of content vectors.
const DEFAULT_DIM: usize = 64;

/// Build an archive from a catalog.
///
/// Items come from JSON lines or CSV. Their vectors come from a NumPy file, or are made from text
/// and tag fields.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("source").required(true).args(["vectors", "embed_text"])))]
pub struct Args {
    /// The items: .jsonl, .ndjson, .csv or .tsv, plain or gzipped.
    items: PathBuf,
    /// Vectors from this .npy file (f2, f4 or f8), one row for each item line.
    #[arg(long, value_name = "V.npy")]
    vectors: Option<PathBuf>,
    /// Make vectors from these fields, each with an optional weight: title,genres*2,director.
    #[arg(long, value_name = "FIELDS", value_parser = parse_list)]
    embed_text: Option<FieldList>,
    /// The archive to write.
    #[arg(short, long, value_name = "OUT.nf")]
    output: PathBuf,
    /// The field that holds the id.
    #[arg(long, value_name = "FIELD", default_value = "id")]
    id: String,
    /// The field that holds the title [default: title, if there is one].
    #[arg(long, value_name = "FIELD")]
    title: Option<String>,
    /// Kinds of fields, as {"fields": {"year": "integer", "internal": "skip"}}.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// How vectors are compared.
    #[arg(long, default_value = "cosine", value_parser = metric_parser())]
    metric: Metric,
    /// Components of the vectors that --embed-text makes [default: 64].
    #[arg(long, value_name = "N", requires = "embed_text")]
    dim: Option<usize>,
    /// Seed of the rotation and of --embed-text.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The share of the exact 10 nearest that searches are to find; decides bits and lists.
    #[arg(long, value_name = "SHARE", default_value_t = BuildOptions::default().recall)]
    recall: f32,
    /// Bits per dimension, 5 to 8 [default: the fewest from 6 that reach --recall].
    #[arg(long, value_name = "N")]
    bits: Option<u32>,
    /// Inverted lists, at least so many [default: one for 1,024 items; one if there are few].
    #[arg(long, value_name = "N")]
    lists: Option<usize>,
    /// How the vectors' producer turns a history into a user vector: implicit for factors made by
    /// the Python package of that name, spark-implicit and spark-explicit for Spark MLlib's ALS,
    /// ials for iALS and iALS++ of Google Research, ridge for all others.
    #[arg(long, default_value = "ridge", value_parser = fold_parser())]
    foldin: Fold,
    /// Fold-in: interaction weight to confidence (ials: the weight of unobserved items).
    #[arg(long, default_value_t = BuildOptions::default().alpha)]
    alpha: f64,
    /// Fold-in: regularisation.
    #[arg(long, default_value_t = BuildOptions::default().lambda)]
    lambda: f64,
    /// Fold-in by ials: exponent of the regularisation.
    #[arg(long, default_value_t = BuildOptions::default().nu)]
    nu: f64,
    /// A numeric field that orders answers where nothing is known of a taste: popularity.
    #[arg(long, value_name = "FIELD")]
    prior: Option<String>,
    /// Named defaults of requests, as a file of JSON: {"home": {"k": 20, "diversity":
    /// {"strength": 0.3}}}. Pages name them: recommend({scenario: "home"}).
    #[arg(long, value_name = "FILE")]
    scenarios: Option<PathBuf>,
    #[command(flatten)]
    interactions: interactions::InteractionArgs,
    /// What to do with an id that comes again.
    #[arg(long, default_value = "error", value_parser = duplicates_parser())]
    duplicates: Duplicates,
    /// What to do with an item whose vector is not finite, zero, or cannot be made.
    #[arg(long, default_value = "error", value_parser = bad_vectors_parser())]
    bad_vectors: BadVectors,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// One type, so that clap takes the list as one value.
#[derive(Clone)]
struct FieldList(Vec<EmbedField>);

fn parse_list(list: &str) -> Result<FieldList> {
    parse_fields(list).map(FieldList)
}

fn metric_parser() -> impl clap::builder::TypedValueParser<Value = Metric> {
    PossibleValuesParser::new(Metric::ALL.map(Metric::as_str))
        .map(|name| Metric::ALL.into_iter().find(|m| m.as_str() == name).unwrap_or(Metric::Cosine))
}

fn fold_parser() -> impl clap::builder::TypedValueParser<Value = Fold> {
    PossibleValuesParser::new(Fold::ALL.map(Fold::as_str))
        .map(|name| Fold::from_name(&name).unwrap_or(Fold::Ridge))
}

fn duplicates_parser() -> impl clap::builder::TypedValueParser<Value = Duplicates> {
    PossibleValuesParser::new(["error", "first", "last"]).map(|name| match name.as_str() {
        "first" => Duplicates::First,
        "last" => Duplicates::Last,
        _ => Duplicates::Error,
    })
}

fn bad_vectors_parser() -> impl clap::builder::TypedValueParser<Value = BadVectors> {
    PossibleValuesParser::new(["error", "drop"])
        .map(|name| if name == "drop" { BadVectors::Drop } else { BadVectors::Error })
}

/// Scenarios that read well: what is wrong in them is found now, and not on a page.
fn scenarios(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path).map_err(io_error(path))?;
    Scenarios::from_json(&text)
        .map_err(|error| Error::input(path.display().to_string(), "requests by name", error))?;
    Ok(text)
}

pub fn run(args: &Args) -> Result<()> {
    let start = Instant::now();
    let mut items = read(args)?;
    let vectors = vectors(args, &mut items)?;
    let mut wanted = args.interactions.read()?;
    let options = BuildOptions {
        metric: args.metric,
        fold: args.foldin,
        alpha: args.alpha,
        lambda: args.lambda,
        nu: args.nu,
        seed: args.seed,
        recall: args.recall,
        bits: args.bits,
        lists: args.lists,
        title: items.title.clone(),
        prior: args.prior.clone(),
        scenarios: args.scenarios.as_deref().map(scenarios).transpose()?,
        neighbours: wanted.options.take(),
    };
    let built = {
        let _stage = Stage::spinner("encoding");
        build(&items.table, &vectors.embeddings, &options)?
    };
    write_whole(&args.output, |file| file.write_all(&built.bytes))?;
    let neighbours = wanted.report(built.report.neighbours.as_ref());
    let mut report = Report::new(args, &items, &vectors, &built.report, built.bytes.len(), start);
    report.neighbours = neighbours;
    let mut output = Output::new();
    if args.json {
        output.json(&report)?;
    } else {
        report.print(&mut output)?;
    }
    output.finish()
}

fn read(args: &Args) -> Result<Items> {
    let options = ItemOptions {
        id_field: args.id.clone(),
        title_field: args.title.clone(),
        schema: args.schema.as_deref().map(Schema::read).transpose()?,
        duplicates: args.duplicates,
    };
    let stage = Stage::bytes("reading items", &args.items);
    read_items(&args.items, &options, &mut |position| stage.set(position))
}

fn vectors(args: &Args, items: &mut Items) -> Result<Vectors> {
    match (&args.vectors, &args.embed_text) {
        (Some(path), _) => {
            let stage = Stage::bytes("reading vectors", path);
            let mut progress = |position| stage.set(position);
            read_vectors(path, items, args.metric, args.bad_vectors, &mut progress)
        }
        (None, fields) => {
            let _stage = Stage::spinner("making content vectors");
            let fields = fields.as_ref().map_or(&[][..], |list| &list.0);
            let dim = args.dim.unwrap_or(DEFAULT_DIM);
            embed(items, fields, dim, args.seed, args.bad_vectors)
        }
    }
}

/// What there is to say when an archive is made.
#[derive(Serialize)]
struct Report {
    archive: String,
    n_items: usize,
    dim: usize,
    metric: &'static str,
    foldin: &'static str,
    bytes: usize,
    bytes_per_item: f64,
    sections: Vec<SectionReport>,
    columns: Vec<ColumnReport>,
    notes: Vec<String>,
    neighbours: Option<interactions::Report>,
    /// Lines left out because their id comes again.
    n_duplicates: usize,
    /// Items left out because of their vectors.
    n_bad_vectors: usize,
    relative_error: f64,
    seconds: f64,
}

#[derive(Serialize)]
struct SectionReport {
    name: &'static str,
    bytes: u64,
    bytes_per_item: f64,
}

#[derive(Serialize)]
struct ColumnReport {
    name: String,
    kind: &'static str,
    n_null: usize,
    n_distinct: usize,
}

impl Report {
    fn new(
        args: &Args,
        items: &Items,
        vectors: &Vectors,
        built: &BuildReport,
        bytes: usize,
        start: Instant,
    ) -> Self {
        let section = |(name, bytes): &(&'static str, u64)| SectionReport {
            name,
            bytes: *bytes,
            bytes_per_item: per_item(*bytes, built.n_items),
        };
        let column = |c: ColumnSummary| ColumnReport {
            name: c.name,
            kind: c.kind.as_str(),
            n_null: c.n_null,
            n_distinct: c.n_distinct,
        };
        Self {
            archive: args.output.display().to_string(),
            n_items: built.n_items,
            dim: built.dim,
            metric: args.metric.as_str(),
            foldin: args.foldin.as_str(),
            bytes,
            bytes_per_item: per_item(bytes as u64, built.n_items),
            sections: built.sections.iter().map(section).collect(),
            columns: summarise(&items.table).into_iter().map(column).collect(),
            notes: items.notes.clone(),
            neighbours: None,
            n_duplicates: items.n_duplicates,
            n_bad_vectors: vectors.n_dropped,
            relative_error: built.relative_error,
            seconds: start.elapsed().as_secs_f64(),
        }
    }

    fn print(&self, output: &mut Output) -> Result<()> {
        output.line(format_args!(
            "{}: {} items of {} dimensions, {} metric, {} fold-in",
            self.archive,
            grouped(self.n_items as u64),
            self.dim,
            self.metric,
            self.foldin,
        ))?;
        output.line(format_args!(
            "{} bytes, {:.1} an item, made in {:.1} s; relative error of the codes {:.4}",
            grouped(self.bytes as u64),
            self.bytes_per_item,
            self.seconds,
            self.relative_error,
        ))?;
        for left_out in [
            (self.n_duplicates, "lines left out: their ids come again"),
            (self.n_bad_vectors, "items left out: they have no usable vector"),
        ] {
            if left_out.0 > 0 {
                output.line(format_args!("{} {}", grouped(left_out.0 as u64), left_out.1))?;
            }
        }
        output.line("\nsection         bytes  an item")?;
        for s in &self.sections {
            let bytes = grouped(s.bytes);
            output.line(format_args!("{:10} {bytes:>10} {:>8.1}", s.name, s.bytes_per_item))?;
        }
        if !self.columns.is_empty() {
            output.line("\nkind        nulls  distinct  column")?;
        }
        for c in &self.columns {
            let (nulls, distinct) = (grouped(c.n_null as u64), grouped(c.n_distinct as u64));
            let name = crate::output::printable(&c.name);
            output.line(format_args!("{:8} {nulls:>8} {distinct:>9}  {name}", c.kind))?;
        }
        if let Some(neighbours) = &self.neighbours {
            neighbours.print(output)?;
        }
        self.notes.iter().try_for_each(|note| output.line(format_args!("note: {note}")))
    }
}
