//! `cargo xtask soak`: many services on one machine, faults at random for minutes, and a judgement.

use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use conductor_tests::soak::{Fleet, Plan, Report, Soak};
use conductor_tests::{Context, Error, Host, Image, Result, repository};

use crate::shell::say;
use crate::{package, preflight};

/// What to soak.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Decides which faults come when; one at random if left out
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// For how long there are faults
    #[arg(long, value_name = "M", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=24 * 60))]
    minutes: u32,
    /// How many services
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=99))]
    services: u32,
    /// How many instances of each
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    instances: u32,
    /// Only print the faults that the seed stands for
    #[arg(long)]
    plan: bool,
}

/// Does it. An error if anything was found.
pub(crate) fn soak(options: &Options) -> Result<()> {
    // The standard library keys each hasher state at random, and a seed need not be better than that.
    let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(0_u8) % 1_000_000);
    let fleet = Fleet { services: options.services, instances: options.instances };
    let plan = Plan::new(seed, fleet, Duration::from_secs(60) * options.minutes);
    if options.plan {
        for planned in &plan.faults {
            say(format_args!("{:8.3} s  {}", planned.at.as_secs_f64(), planned.fault));
        }
        return Ok(());
    }
    preflight::hosts(false)?;
    preflight::packaging()?;
    package::build()?;
    let host = Host::boot(&Image::with_conductor()?)?;
    let report = Soak { host: &host, plan: &plan }.run()?;
    say(report.summary(fleet));
    if report.findings.is_empty() {
        return Ok(());
    }
    let file = keep(&host, &report, seed)?;
    Err(Error::new(format!(
        "the soak found {}; to have it again: cargo xtask soak --seed {seed} --minutes {}; its journal is in {file}",
        report.findings.len(),
        options.minutes
    )))
}

/// What happened, and the whole journal: the machine is gone in a moment.
fn keep(host: &Host, report: &Report, seed: u64) -> Result<String> {
    let directory = repository().join("target/soak");
    fs::create_dir_all(&directory).context(directory.display())?;
    let mut text = String::new();
    for event in &report.events {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{:10.3} {} {:?}", event.at.as_secs_f64(), event.unit, event.what);
    }
    let journal = host.ok(["journalctl", "--quiet", "--output=short-monotonic"])?;
    let file = directory.join(format!("{seed}.log"));
    fs::write(&file, format!("{text}\n{journal}\n")).context(file.display())?;
    Ok(file.display().to_string())
}
