//! Samples as tables.

use std::fmt::Write as _;

use super::machine::{Files, Sample, Samples, Workload};

/// Contenders in the order shown: name of the samples, its floor, what people read.
const ROWS: &[(&str, &str, &str)] = &[
    ("ours", "floor", "Conductor"),
    ("ours-first", "floor-first", "Conductor, the first run after a boot"),
    ("other", "floor", "the other build"),
    ("other-first", "floor-first", "the other build, first run"),
    ("quadlet", "floor", "Quadlet"),
    ("floor", "floor", "C loop, the same files"),
    ("floor-first", "floor-first", "C loop, first run"),
];

/// What is read off a sample.
type Figure = fn(&Sample) -> f64;

/// Time, ratios and memory with one number of definitions.
pub(crate) fn of_one_count(work: Workload, files: &Files, samples: &Samples) -> String {
    let rounds = samples.values().map(Vec::len).max().unwrap_or_default();
    let mut table = format!(
        "\n{} definitions{}{}, median of {rounds} rounds\n{}\n{:<38} {:>9} {:>11} {:>9} {:>9} {:>11} {:>9} {:>11}\n",
        work.count,
        if work.health { " with health checks" } else { "" },
        if work.broken { ", each tenth broken" } else { "" },
        written(files),
        "",
        "ms",
        "of Quadlet",
        "of floor",
        "CPU ms",
        "of Quadlet",
        "peak MiB",
        "of Quadlet",
    );
    for (name, floor, shown) in ROWS {
        let Some(own) = samples.get(*name) else { continue };
        let ratio =
            |peer: &str, of: Figure| samples.get(peer).map_or(f64::NAN, |peer| median_ratio(own, peer, of));
        let wall: Figure = |sample| sample.milliseconds;
        let cpu: Figure = |sample| sample.cpu_milliseconds;
        let memory: Figure = |sample| sample.mebibytes;
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "{shown:<38} {:>9.3} {:>11.3} {:>9.2} {:>9.3} {:>11.3} {:>9.2} {:>11.3}",
            median(own.iter().map(wall)),
            ratio("quadlet", wall),
            ratio(floor, wall),
            median(own.iter().map(cpu)),
            ratio("quadlet", cpu),
            median(own.iter().map(memory)),
            ratio("quadlet", memory),
        );
    }
    table
}

/// That the two do not write equally much is part of the result.
fn written(files: &Files) -> String {
    let Files { our_units, our_links, our_last_good, quadlet_units, quadlet_links } = files;
    format!(
        "Conductor gives systemd {our_units} units (hard links) and {our_links} symbolic links; in the first run it writes \
         those files, and {our_last_good} last good ones, and later it reads them;\n\
         Quadlet writes {quadlet_units} units and {quadlet_links} links"
    )
}

/// Milliseconds per definition by number of definitions: equal figures are linear growth.
pub(crate) fn of_growth(measured: &[(u32, Samples)]) -> String {
    let names: Vec<&(&str, &str, &str)> = ROWS
        .iter()
        .filter(|(name, ..)| measured.iter().any(|(_, samples)| samples.contains_key(*name)))
        .collect();
    let mut table = String::from("\nµs per definition, the process' start included");
    for (count, _) in measured {
        let _ = write!(table, "{count:>9}");
    }
    for (name, _, shown) in names {
        let _ = write!(table, "\n{shown:<46}");
        for (count, samples) in measured {
            let each = samples.get(*name).map_or(f64::NAN, |own| {
                median(own.iter().map(|own| own.milliseconds)) * 1e3 / f64::from(*count)
            });
            let _ = write!(table, "{each:>9.1}");
        }
    }
    table.push('\n');
    table
}

/// The median of ratios of the same round, in which the machine was equally busy for both.
fn median_ratio(own: &[Sample], peer: &[Sample], of: Figure) -> f64 {
    median(own.iter().zip(peer).map(|(own, peer)| of(own) / of(peer)))
}

pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_numbers() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()).to_string(), "2");
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()).to_string(), "2.5");
        assert!(median([].into_iter()).is_nan());
    }
}
