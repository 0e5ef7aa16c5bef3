//! What checks cost: processor time for each, and memory.
//!
//! ```sh
//! cargo run --release --example cost -- --targets 10 --rate 1000 --checks 20000 http://127.0.0.1:8080/
//! ```
//!
//! Compare with a loop in C that does the least (tests/bench/check.c) on the same machine in the same minute.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use clap::Parser;
use conductor_health::Url;
use conductor_health::cli::AskArgs;
use conductor_health::probe::{Outcome, Prober, Target};
use std::fs;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

#[derive(Debug, Parser)]
struct Args {
    /// How many targets take turns
    #[arg(long, default_value_t = 1)]
    targets: u32,
    /// How many checks in all
    #[arg(long, default_value_t = 5000)]
    checks: u32,
    /// How many a second; 0 for as many as there can be
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    #[command(flatten)]
    ask: AskArgs,
    url: Url,
}

fn main() {
    let args = Args::parse();
    let profile = args.ask.profile();
    let target = Target::new(args.url.clone(), &profile).unwrap();
    let mut probers: Vec<Prober> = (0..args.targets).map(|_| Prober::new(target.clone())).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = cpu_nanos();
    let mut failed = 0;
    runtime.block_on(async {
        let begun = Instant::now();
        for n in 0..args.checks {
            if args.rate > 0 {
                sleep_until(begun + Duration::from_secs(1) * n / args.rate).await;
            }
            let prober = probers.get_mut((n % args.targets) as usize).unwrap();
            let check = prober.probe(Duration::from_secs(2)).await;
            failed += u32::from(check.outcome != Outcome::Healthy);
        }
    });
    let each = (cpu_nanos() - before) as f64 / 1e3 / f64::from(args.checks);
    let (resident, dirty) =
        (field("/proc/self/status", "VmRSS"), field("/proc/self/smaps_rollup", "Private_Dirty"));
    println!(
        "{each:.2} us of CPU a check, {failed} failed; {resident} KiB resident, {dirty} KiB private dirty"
    );
}

fn cpu_nanos() -> u64 {
    fs::read_to_string("/proc/self/schedstat").unwrap().split(' ').next().unwrap().parse().unwrap()
}

/// A number of KiB.
fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
