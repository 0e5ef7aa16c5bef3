//! `--dry-run`: what a deploy would do.

use std::fmt::Write as _;
use std::process::ExitCode;

use conductor_definition::Site;
use conductor_deploy::{Ahead, Fetched, Record};
use serde::Serialize;

use crate::diff::{coloured, compare};
use crate::generated::directory;
use crate::json;
use crate::terminal::{colour_on_stdout, print};

/// The same for programs.
#[derive(Debug, Serialize)]
struct Foreseen<'a> {
    revision: &'a str,
    image: &'a str,
    /// `no`, `yes` or `anew`.
    fetch: &'static str,
    strategy: String,
    slot: &'static str,
    live_slot: Option<&'static str>,
    steps: Vec<Step<'a>>,
    units: &'a str,
    proxy: Option<&'a str>,
    running: Option<&'a str>,
    unfinished: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    step: &'static str,
    text: &'a str,
}

/// Shows it on stdout.
pub(super) fn show(site: &Site, ahead: &Ahead, as_json: bool) -> ExitCode {
    let units = compare(&ahead.units, &ahead.units_after, &directory(site));
    if as_json {
        return print(&json::line(&foreseen(ahead, &units)));
    }
    print(&text(ahead, &units, colour_on_stdout()))
}

fn foreseen<'a>(ahead: &'a Ahead, units: &'a str) -> Foreseen<'a> {
    let Ahead { record, fetched, steps, proxy, running, unfinished, .. } = ahead;
    Foreseen {
        revision: &record.revision,
        image: &record.image,
        fetch: match fetched {
            Fetched::No => "no",
            Fetched::Yes => "yes",
            Fetched::Anew => "anew",
        },
        strategy: record.strategy.to_string(),
        slot: record.to.as_str(),
        live_slot: record.from.map(conductor_definition::Slot::as_str),
        steps: steps.iter().map(|(step, text)| Step { step: step.word(), text }).collect(),
        units,
        proxy: proxy.as_deref(),
        running: running.as_deref(),
        unfinished: unfinished.as_deref(),
    }
}

fn text(ahead: &Ahead, units: &str, colour: bool) -> String {
    let Ahead { record, fetched, note, steps, proxy, running, unfinished, .. } = ahead;
    let Record { revision, image, strategy, to, from, .. } = record;
    let live = from.map_or_else(|| "nothing was deployed yet".to_owned(), |from| format!("{from} is live"));
    let fetch = match fetched {
        Fetched::No => "is on this machine",
        Fetched::Yes => "would be fetched, and pinned to its digest",
        Fetched::Anew => "is on this machine; the registry would be asked for a newer one",
    };
    let mut all = format!("{revision} would come in, {strategy}, in {to}; {live}\nimage: {image} {fetch}\n");
    if let Some(who) = running {
        let _ = writeln!(all, "first: wait for the end of a deploy that is under way ({who})");
    }
    if let Some(what) = unfinished {
        let _ = writeln!(all, "first: clean up after {what}, which was interrupted");
    }
    if let Some(note) = note {
        let _ = writeln!(all, "note: {note}");
    }
    all += "\nsteps:\n";
    for (number, (step, text)) in steps.iter().enumerate() {
        let _ = writeln!(all, "{:>4}. {:<8} {text}", number + 1, step.word());
    }
    let painted = |diff: &str| if colour { coloured(diff) } else { diff.to_owned() };
    match units {
        "" => all += "\nunits: no difference\n",
        diff => {
            let _ = write!(all, "\nunits, when it is over:\n{}", painted(diff));
        }
    }
    match (&record.proxy, proxy) {
        (None, _) => {}
        (Some(named), None) => {
            let _ = writeln!(all, "\nproxy, {}: no difference", named.upstream);
        }
        (Some(_), Some(diff)) => {
            let _ = write!(all, "\nproxy:\n{}", painted(diff));
        }
    }
    all + "\nNothing was changed.\n"
}
