//! `cargo xtask bench`: how fast, compared with what, on a throwaway machine.
//!
//! Figures of one machine mean little on another, so each benchmark runs beside a peer and beside the least that
//! could be done, taking turns, and ratios are medians of ratios within one round. Nothing fails for being slow.

use std::path::PathBuf;

use conductor_tests::Result;

use crate::shell::say;
use crate::{package, preflight};

mod deploy;
mod figures;
mod health;
mod machine;
mod table;

use machine::{Machine, Workload};

/// What to measure.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Bench {
    /// The generator beside Podman Quadlet's and a loop in C that reads and writes the same files
    Generator(Generator),
    /// The sidecar beside HAProxy, `podman healthcheck run` and a loop in C that makes the same checks
    Health(health::Health),
    /// A deploy beside a script by hand: `podman run`, curl, `nginx -s reload`, `podman stop`
    Deploy(deploy::Deploy),
}

/// How to measure the generator.
#[derive(Debug, clap::Args)]
pub(crate) struct Generator {
    /// How many definitions
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 10, 100, 1_000, 10_000])]
    count: Vec<u32>,
    /// Rounds with each number, after one that does not count
    #[arg(long, value_name = "N", default_value_t = 15)]
    runs: u32,
    /// Services with health checks: one unit more for each of ours, a HealthCmd= for Quadlet
    #[arg(long)]
    health: bool,
    /// Each tenth definition has a mistake in it
    #[arg(long)]
    broken: bool,
    /// Another build of the generator to take turns with, such as the one before a change
    #[arg(long, value_name = "PROGRAM")]
    with: Option<PathBuf>,
    /// This build instead of that of a fresh package
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// Runs a benchmark and shows its tables.
pub(crate) fn bench(what: &Bench) -> Result<()> {
    match what {
        Bench::Generator(options) => generator(options),
        Bench::Health(options) => health::health(options),
        Bench::Deploy(options) => deploy::deploy(options),
    }
}

fn generator(options: &Generator) -> Result<()> {
    preflight::hosts(false)?;
    if options.program.is_none() {
        preflight::packaging()?;
        package::build()?;
    }
    let machine = Machine::boot(options.program.as_deref(), options.with.as_deref())?;
    let mut measured = Vec::new();
    for count in &options.count {
        let work = Workload { count: *count, health: options.health, broken: options.broken };
        let samples = machine.measure(work, options.runs.max(1))?;
        let files = machine.files_written()?;
        say(table::of_one_count(work, &files, &samples));
        measured.push((*count, samples));
    }
    if measured.len() > 1 {
        say(table::of_growth(&measured));
    }
    Ok(())
}
