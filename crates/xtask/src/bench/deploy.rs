//! `cargo xtask bench deploy`: what a deploy takes beyond what has to be waited for, beside a script that does the same
//! by hand.
//!
//! Starting the container, settling and draining take as long as the service and its administrator say, and nginx needs
//! 100 ms from being told to reload until its old workers take no more requests (the script sees that as a part of the
//! drain). What is left is ours: reading, checking, writing down, having systemd and nginx read, moving the traffic,
//! stopping the old one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use conductor_tests::{Host, Image, Result, Suite, newest_package};

use super::figures::{Figures, figures};
use super::table::median;
use crate::shell::say;
use crate::{package, preflight};

const SCRIPT: &str = include_str!("../../../../tests/bench/deploy.sh");

/// What takes as long as somebody has said that it is to take.
const WAITED: [&str; 4] = ["start", "settle", "reload", "drain"];

/// How to measure deploys.
#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    /// Rounds, after one that does not count
    #[arg(long, value_name = "N", default_value_t = 9)]
    runs: u32,
    /// This build of conductor instead of that of a fresh package
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
}

/// Runs it and shows its tables.
pub(super) fn deploy(options: &Deploy) -> Result<()> {
    preflight::hosts(false)?;
    if options.program.is_none() {
        preflight::packaging()?;
        package::build()?;
    }
    let host = Host::boot(&Image::base(Suite::Trixie)?.add_payload()?.add_package(&newest_package()?)?)?;
    if let Some(program) = &options.program {
        host.copy_in(program, "/usr/bin/conductor")?;
    }
    host.write("/usr/local/lib/bench/deploy.sh", SCRIPT)?;
    let ask = |words: &[&str]| host.ok(["sh", "/usr/local/lib/bench/deploy.sh"].iter().chain(words));
    ask(&["prepare"])?;
    let mut samples: BTreeMap<String, Vec<Figures>> = BTreeMap::new();
    for round in 0..=options.runs.max(1) {
        for who in ["ours", "script"] {
            let (name, figures) = figures(ask(&[who, who, &round.to_string()])?.trim())?;
            // The first one reads everything from the disk.
            if round > 0 {
                samples.entry(name).or_default().push(figures);
            }
        }
    }
    let of = |name: &str| samples.get(name).map(Vec::as_slice).unwrap_or_default();
    say(table(of("ours"), of("script")));
    Ok(())
}

/// All of it without what was waited for.
fn beyond(figures: &Figures) -> f64 {
    let of = |key: &str| figures.get(key).copied().unwrap_or_default();
    of("total") - WAITED.iter().map(|key| of(key)).sum::<f64>()
}

fn table(ours: &[Figures], script: &[Figures]) -> String {
    let mut table = format!(
        "\nOne deploy of one instance behind nginx, ms, medians of {} rounds\n{:<44} {:>9} {:>9} {:>7}\n",
        ours.len(),
        "",
        "conductor",
        "script",
        "ratio"
    );
    let mut row = |shown: &str, of: &dyn Fn(&Figures) -> Option<f64>| {
        let [own, peer] = [ours, script].map(|samples| median(samples.iter().filter_map(of)));
        let ratios = ours.iter().zip(script).filter_map(|(own, peer)| Some(of(own)? / of(peer)?));
        let cell = |value: f64| if value.is_nan() { "-".to_owned() } else { format!("{value:.0}") };
        let ratio = median(ratios);
        let ratio = if ratio.is_nan() { "-".to_owned() } else { format!("{ratio:.2}") };
        // Writing into a String cannot fail.
        let _ = writeln!(table, "{shown:<44} {:>9} {:>9} {ratio:>7}", cell(own), cell(peer));
    };
    row("all of it", &|figures| figures.get("total").copied());
    for key in WAITED {
        row(&format!("  {key}: waited for"), &|figures| figures.get(key).copied());
    }
    row("beyond that", &|figures| Some(beyond(figures)));
    // The script does not see that part, and has it in its drain.
    row("  with nginx's part of its reload", &|figures| Some(beyond(figures) + figures.get("reload")?));
    let old = |figures: &Figures| figures.get("stop-old").copied();
    row("  without the old one's end", &|figures| Some(beyond(figures) - old(figures)?));
    let mut steps: Vec<&String> =
        ours.iter().chain(script).flat_map(|figures| figures.keys()).collect::<Vec<_>>();
    steps.sort();
    steps.dedup();
    for key in steps.into_iter().filter(|key| *key != "total" && !WAITED.contains(&key.as_str())) {
        row(&format!("    {key}"), &|figures| figures.get(key).copied());
    }
    let outside = |figures: &Figures| {
        let steps: f64 = figures.iter().filter(|(key, _)| *key != "total").map(|(_, value)| value).sum();
        figures.get("total").map(|total| total - steps)
    };
    row("    between the steps, start and end", &outside);
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_does_not_count() {
        let (_, one) =
            figures("ours total=4000 start=900 settle=2000 drain=100 stop-old=400 load=200").unwrap();
        assert_eq!(beyond(&one).to_string(), "1000");
        let samples = [one];
        let table = table(&samples, &samples);
        let line =
            |name: &str| table.lines().find(|line| line.trim_start().starts_with(name)).unwrap().to_owned();
        assert!(line("beyond that").ends_with("1000      1000    1.00"), "{table}");
        assert!(line("without the old").contains(" 600 "), "{table}");
        assert!(line("between the steps").contains(" 400 "), "{table}");
    }
}
