//! `conductor diff`

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use conductor_generator::preview;
use conductor_units::{Entry, Tree};
use similar::TextDiff;

use crate::generate::Messages;
use crate::generated::{directory, generated};
use crate::services::Root;
use crate::terminal::{colour_on_stdout, print, say};
use crate::whose::Whose;

/// Show what would change in the units if systemd were reloaded now.
///
/// Compares what the definitions become with what was generated at the last reload, in
/// /run/systemd/generator or the user's $XDG_RUNTIME_DIR/systemd/generator, as a unified diff. Nothing is changed; `systemctl daemon-reload` does that.
/// What is wrong with definitions is said on stderr: they keep their last good units.
///
/// Exit status: 0 nothing would change, 1 something would, 2 trouble or wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    root: Root,
}

/// As diff(1) has it.
const CHANGED: u8 = 1;
const TROUBLE: u8 = 2;

impl Diff {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        let looked = self.root.site(whose).and_then(|site| Ok((generated(&site)?, site)));
        let (old, site) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                say(&format!("error: {error}"));
                return ExitCode::from(TROUBLE);
            }
        };
        let (new, _) = preview(&site, &mut Messages);
        let text = compare(&old, &new, &directory(&site));
        if text.is_empty() {
            return ExitCode::SUCCESS;
        }
        print(&if colour_on_stdout() { coloured(&text) } else { text });
        ExitCode::from(CHANGED)
    }
}

/// All differences, in the form that patch(1) reads.
pub(crate) fn compare(old: &Tree, new: &Tree, directory: &Path) -> String {
    let paths: BTreeSet<&str> = old.iter().chain(new.iter()).map(|(path, _)| path).collect();
    let mut text = String::new();
    for path in paths {
        let (before, after) = (old.get(path), new.get(path));
        if before == after {
            continue;
        }
        let name = |side: Option<&Entry>| match side {
            Some(_) => directory.join(path).display().to_string(),
            None => "/dev/null".to_owned(),
        };
        let (from, to) = (shown(before), shown(after));
        let diff = TextDiff::from_lines(from.as_str(), to.as_str());
        let mut unified = diff.unified_diff();
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", unified.header(&name(before), &name(after)));
    }
    text
}

/// A link is shown as a line with its target.
fn shown(entry: Option<&Entry>) -> String {
    match entry {
        None => String::new(),
        Some(Entry::File(text)) => text.clone(),
        Some(Entry::Link(target)) => format!("link to {target}\n"),
    }
}

pub(crate) fn coloured(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let colour = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => "1",
            [b'-', ..] => "31",
            [b'+', ..] => "32",
            [b'@', ..] => "36",
            _ => "0",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(all, "\x1b[{colour}m{line}\x1b[0m");
        all
    })
}
