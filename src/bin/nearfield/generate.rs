//! `nearfield generate`: synthetic vectors for benches.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use nearfield::Result;
use nearfield::eval::synthetic::{Generator, digest};

use crate::files::write_npy;
use crate::output::Output;
use crate::progress::Stage;

/// Write synthetic vectors to .npy files (float32) and print their digests.
///
/// The same name, size and seed give the same bytes on every machine.
#[derive(clap::Args)]
pub struct Args {
    /// The generator.
    #[arg(value_parser = generator_parser())]
    name: Generator,
    /// How many vectors.
    #[arg(short, value_name = "N")]
    n: usize,
    /// Components of each.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u16).range(1..=4096))]
    dim: u16,
    /// Seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// The file to write.
    #[arg(short, long, value_name = "BASE.npy")]
    output: PathBuf,
    /// Write queries to this file: of the same distribution, but not among the vectors.
    #[arg(long, value_name = "Q.npy")]
    queries: Option<PathBuf>,
    /// How many queries.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    n_queries: usize,
}

fn generator_parser() -> impl clap::builder::TypedValueParser<Value = Generator> {
    PossibleValuesParser::new(Generator::ALL.map(Generator::as_str)).map(|name| {
        Generator::ALL.into_iter().find(|g| g.as_str() == name).unwrap_or(Generator::ClusteredV1)
    })
}

pub fn run(args: &Args) -> Result<()> {
    let dim = usize::from(args.dim);
    let mut output = Output::new();
    let mut write = |path: &PathBuf, vectors: Vec<f32>| {
        let _stage = Stage::spinner("writing vectors");
        write_npy(path, dim, vectors.chunks_exact(dim).map(<[f32]>::to_vec))?;
        output.line(format_args!("{}: xxh3 {:016x}", path.display(), digest(&vectors)))
    };
    let stage = Stage::spinner("drawing vectors");
    let base = args.name.base(args.n, dim, args.seed);
    drop(stage);
    write(&args.output, base)?;
    if let Some(path) = &args.queries {
        write(path, args.name.queries(args.n, args.n_queries, dim, args.seed))?;
    }
    output.finish()
}
