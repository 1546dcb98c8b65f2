//! The `nearfield` command: builds archives, looks into them and asks them.
//!
//! Results go to standard output and nothing else does: progress and errors go to standard error.
//! Exit status: 0 when it worked, 1 when the operation failed (bad input, a damaged archive), 2
//! for wrong usage.

mod archive;
mod bench;
mod build;
mod decode;
mod eval;
mod files;
mod filter;
mod generate;
mod inspect;
mod interactions;
mod off_policy;
mod output;
mod plot;
mod progress;
mod recommend;
mod search;
mod similar;
mod simulate;
mod trace;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use nearfield::Error;

/// An on-device recommender: build an archive from a catalog, and ask it.
#[derive(Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Command {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Build(Box<build::Args>),
    Inspect(inspect::Args),
    Verify(verify::Args),
    Similar(similar::Args),
    Recommend(recommend::Args),
    Search(search::Args),
    Decode(decode::Args),
    Bench(bench::Args),
    Eval(Box<eval::Args>),
    OffPolicy(off_policy::Args),
    Simulate(simulate::Args),
    Generate(generate::Args),
}

fn main() -> ExitCode {
    let result = match Command::parse().verb {
        Verb::Build(args) => build::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::Similar(args) => similar::run(&args),
        Verb::Recommend(args) => recommend::run(&args),
        Verb::Search(args) => search::run(&args),
        Verb::Decode(args) => decode::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Eval(args) => eval::run(*args),
        Verb::OffPolicy(args) => off_policy::run(&args),
        Verb::Simulate(args) => simulate::run(&args),
        Verb::Generate(args) => generate::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough, as in `nearfield similar ... | head -1`.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Where even standard error is closed nothing is left but the exit status.
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("nearfield: {error}\n"),
            );
            ExitCode::FAILURE
        }
    }
}
