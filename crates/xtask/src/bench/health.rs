//! `cargo xtask bench health`: what checks cost, beside HAProxy, `podman healthcheck run` and the least there can be.
//!
//! All ask the same server at the same pace, one after the other in each round: ratios are medians of ratios within a
//! round, in which the machine was equally busy for all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use conductor_tests::{Context, Error, Host, Image, Result, Suite, newest_package};

use super::figures::{Figures, figures};
use super::machine::compiled;
use super::table::median;
use crate::shell::say;
use crate::{package, preflight};

const SCRIPT: &str = include_str!("../../../../tests/bench/health.sh");

/// The pace at which everything is compared.
const PER_SECOND: u32 = 1000;

/// How to measure checks.
#[derive(Debug, clap::Args)]
pub(crate) struct Health {
    /// Rounds
    #[arg(long, value_name = "N", default_value_t = 5)]
    runs: u32,
    /// How long each is measured in a round
    #[arg(long, value_name = "N", default_value_t = 5)]
    seconds: u32,
    /// Only what a check costs, without memory, system calls, latency and ports
    #[arg(long)]
    cost: bool,
    /// Only these contenders, such as `ours-10,haproxy-10`; what a check costs, and no more
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Another build of conductor-health to take turns with, such as the one before a change
    #[arg(long, value_name = "PROGRAM")]
    with: Option<PathBuf>,
    /// This build instead of that of a fresh package
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// What is measured in each round: name, what people read, and the script's words.
const CONTENDERS: &[(&str, &str, &[&str])] = &[
    ("ours-10", "conductor-health, 10 targets", &["ours", "10", "10ms"]),
    ("ours-1000", "conductor-health, 1000 targets", &["ours", "1000", "1s"]),
    ("kept-10", "conductor-health --keep-alive, 10 targets", &["ours", "10", "10ms"]),
    ("haproxy-10", "HAProxy, 10 servers", &["haproxy", "10", "10ms"]),
    ("haproxy-1000", "HAProxy, 1000 servers", &["haproxy", "1000", "1s"]),
    ("floor", "C loop", &["floor"]),
    ("floor-kept", "C loop, one connection", &["floor"]),
    ("podman", "podman healthcheck run, all of the machine", &["podman"]),
];

/// What the others are compared with: HAProxy with as many targets, and the loop with fresh connections and with one.
fn peers(name: &str) -> [&'static str; 3] {
    let haproxy = if name.ends_with("-1000") { "haproxy-1000" } else { "haproxy-10" };
    [haproxy, "floor", "floor-kept"]
}

struct Rig(Host);

impl Rig {
    fn boot(options: &Health) -> Result<Self> {
        let mut image = Image::base(Suite::Trixie)?.add_observers()?.add_payload()?;
        if options.program.is_none() {
            image = image.add_package(&newest_package()?)?;
        }
        let host = Host::boot(&image)?;
        if let Some(program) = &options.program {
            host.copy_in(program, "/usr/bin/conductor-health")?;
        }
        if let Some(other) = &options.with {
            host.copy_in(other, "/usr/local/lib/bench/other/conductor-health")?;
        }
        for name in ["check", "stamp"] {
            host.copy_in(&compiled(name)?, &format!("/usr/local/lib/bench/{name}"))?;
        }
        host.sh("chmod -R 755 /usr/local/lib/bench /usr/bin/conductor-health* 2>/dev/null || true")?;
        host.write("/usr/local/lib/bench/health.sh", SCRIPT)?;
        let rig = Self(host);
        rig.ask(&["prepare", "1000"])?;
        Ok(rig)
    }

    /// What a measurement prints, by its name; several lines of one name are several samples.
    fn ask(&self, words: &[&str]) -> Result<BTreeMap<String, Vec<Figures>>> {
        self.ask_with("", words)
    }

    fn ask_with(&self, path: &str, words: &[&str]) -> Result<BTreeMap<String, Vec<Figures>>> {
        let script = "PATH=\"$0$PATH\" exec sh /usr/local/lib/bench/health.sh \"$@\"";
        let printed = self.0.ok(["sh", "-euc", script, path].iter().chain(words))?;
        let mut read: BTreeMap<String, Vec<Figures>> = BTreeMap::new();
        for line in printed.lines() {
            let (name, figures) = figures(line)?;
            read.entry(name).or_default().push(figures);
        }
        Ok(read)
    }
}

/// Runs it and shows its tables.
pub(super) fn health(options: &Health) -> Result<()> {
    preflight::hosts(false)?;
    if options.program.is_none() {
        preflight::packaging()?;
        package::build()?;
    }
    let rig = Rig::boot(options)?;
    let samples = rounds(&rig, options)?;
    say(cost(&samples));
    if options.cost || !options.only.is_empty() {
        return Ok(());
    }
    say(memory(&samples));
    say(calls(&rig)?);
    say(latency(&rig)?);
    say(ports(&rig)?);
    let bytes = rig.0.ok(["stat", "--format=%s", "/usr/bin/conductor-health"])?;
    say(format_args!("\nThe program has {bytes} bytes"));
    Ok(())
}

fn rounds(rig: &Rig, options: &Health) -> Result<BTreeMap<String, Vec<Figures>>> {
    let seconds = options.seconds.max(1).to_string();
    let rate = PER_SECOND.to_string();
    let mut samples: BTreeMap<String, Vec<Figures>> = BTreeMap::new();
    for round in 1..=options.runs.max(1) {
        say(format_args!("round {round}"));
        let is_wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
        for (name, _, words) in CONTENDERS.iter().filter(|(name, ..)| is_wanted(name)) {
            let rest: Vec<&str> = match *name {
                "podman" => vec!["10"],
                "floor" => vec![&rate, &seconds],
                "floor-kept" => vec![&rate, &seconds, "keep"],
                // Once in so many checks the connection is a fresh one.
                "kept-10" => vec![&seconds, "--keep-alive=1000"],
                _ => vec![&seconds],
            };
            let (what, own) = words.split_first().context("a contender has words")?;
            let words: Vec<&str> = [*what, *name].iter().chain(own).copied().chain(rest).collect();
            for (name, figures) in rig.ask(&words)? {
                samples.entry(name).or_default().extend(figures);
            }
            if options.with.is_some() && *what == "ours" {
                let before = "/usr/local/lib/bench/other:";
                for (name, figures) in rig.ask_with(before, &words)? {
                    samples.entry(format!("{name}-other")).or_default().extend(figures);
                }
            }
        }
    }
    Ok(samples)
}

/// Microseconds of CPU a check, one for each round.
fn each(samples: &[Figures]) -> Vec<f64> {
    let of = |figures: &Figures, key: &str| figures.get(key).copied().unwrap_or(f64::NAN);
    samples.iter().map(|figures| of(figures, "cpu") / 1e3 / of(figures, "checks")).collect()
}

/// All samples, by who they are of: contenders in their order, each with the other build of it.
fn rows(samples: &BTreeMap<String, Vec<Figures>>) -> impl Iterator<Item = (&str, String, &Vec<Figures>)> {
    CONTENDERS.iter().flat_map(|(name, shown, _)| {
        let own = samples.get(*name).map(|own| (*name, (*shown).to_owned(), own));
        let other = samples.get(&format!("{name}-other"));
        own.into_iter().chain(other.map(|other| (*name, format!("{shown}, the other build"), other)))
    })
}

fn cost(samples: &BTreeMap<String, Vec<Figures>>) -> String {
    let rounds = samples.values().map(Vec::len).max().unwrap_or_default();
    let mut table = format!(
        "\n{PER_SECOND} checks a second on loopback, median of {rounds} rounds\n{:<58} {:>12} {:>11} {:>9} {:>17}\n",
        "", "µs a check", "of HAProxy", "of C loop", "of C loop, kept"
    );
    for (name, shown, own) in rows(samples) {
        let own = each(own);
        let [haproxy, floor, kept] = peers(name).map(|peer| {
            let peer = samples.get(peer).map(|peer| each(peer)).unwrap_or_default();
            median(own.iter().zip(&peer).map(|(own, peer)| own / peer))
        });
        let cost = median(own.into_iter());
        // Writing into a String cannot fail.
        let _ = writeln!(table, "{shown:<58} {cost:>12.1} {haproxy:>11.2} {floor:>9.2} {kept:>17.2}");
    }
    table
}

fn memory(samples: &BTreeMap<String, Vec<Figures>>) -> String {
    let mut table = format!("\n{:<58} {:>12} {:>18}\n", "Memory in KiB", "resident", "private and dirty");
    for (_, shown, own) in rows(samples) {
        let of = |key: &str| median(own.iter().filter_map(|figures| figures.get(key).copied()));
        let (resident, dirty) = (of("rss"), of("dirty"));
        if !resident.is_nan() {
            let _ = writeln!(table, "{shown:<58} {resident:>12.0} {dirty:>18.0}");
        }
    }
    table
}

/// The only sample of this name.
fn only<'a>(read: &'a BTreeMap<String, Vec<Figures>>, name: &str) -> Result<&'a Figures> {
    read.get(name).and_then(|samples| samples.first()).context(format_args!("nothing was measured of {name}"))
}

fn figure(figures: &Figures, key: &str) -> Result<f64> {
    figures.get(key).copied().context(format_args!("{key} was not measured"))
}

fn calls(rig: &Rig) -> Result<String> {
    let read = rig.ask(&["calls", "calls"])?;
    let (all, names) = (only(&read, "calls")?, only(&read, "names")?);
    let (checks, forks, bus) = (figure(all, "checks")?, figure(all, "forks")?, figure(all, "bus")?);
    if checks == 0.0 {
        return Err(Error::new("strace saw no check"));
    }
    let mut by_number: Vec<(&String, &f64)> = names.iter().collect();
    by_number.sort_by(|one, other| other.1.total_cmp(one.1));
    let names: Vec<String> =
        by_number.iter().map(|(name, number)| format!("{name} {:.2}", *number / checks)).collect();
    Ok(format!(
        "\n{checks} healthy checks under strace: {forks} forks and {bus} calls on unix sockets (the bus); {:.2} system \
         calls a check:\n  {}",
        figure(all, "calls")? / checks,
        names.join(", ")
    ))
}

fn latency(rig: &Rig) -> Result<String> {
    let read = rig.ask(&["latency", "latency", "20"])?;
    let samples = read.get("latency").context("no signal was sent")?;
    let mut microseconds =
        samples.iter().map(|one| figure(one, "microseconds")).collect::<Result<Vec<f64>>>()?;
    microseconds.sort_by(f64::total_cmp);
    let most = microseconds.last().copied().unwrap_or(f64::NAN);
    Ok(format!(
        "\nFrom the verdict to systemd's answer that the signal is sent: median {:.2} ms, most {:.2} ms of {}",
        median(microseconds.iter().copied()) / 1e3,
        most / 1e3,
        microseconds.len()
    ))
}

fn ports(rig: &Rig) -> Result<String> {
    let mut text = String::from("\n600 checks a second of one address for 60 s\n");
    for (reuse, closes, shown) in [
        ("2", "server", "the server closes"),
        ("2", "client", "it leaves closing to us"),
        (
            "0",
            "client",
            "it leaves closing to us, and ports in TIME-WAIT are not used again, as off loopback",
        ),
    ] {
        let read = rig.ask(&["ports", "ports", "6", "10ms", "60", reuse, closes])?;
        let all = only(&read, "ports")?;
        let of = |key| figure(all, key);
        let _ = writeln!(
            text,
            "  {shown}: {} checks of {:.0} µs, {} reports of trouble of our own, {} of failures, {} sockets in TIME-WAIT in the end",
            of("checks")?,
            of("cpu")? / 1e3 / of("checks")?,
            of("unknown")?,
            of("failed")?,
            of("waiting")?
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_those_of_one_round() {
        let sample = |cpu: f64| Figures::from([("cpu".to_owned(), cpu), ("checks".to_owned(), 1.0)]);
        let samples = BTreeMap::from([
            ("ours-10".to_owned(), vec![sample(50e3), sample(100e3), sample(60e3)]),
            ("haproxy-10".to_owned(), vec![sample(100e3), sample(200e3), sample(60e3)]),
        ]);
        let table = cost(&samples);
        let ours: Vec<&str> = table.lines().nth(3).unwrap().split_whitespace().collect();
        assert_eq!(ours[ours.len() - 4..], ["60.0", "0.50", "NaN", "NaN"]);
    }
}
