//! The last lines of a unit's log.

use std::process::{Command, Stdio};

use conductor_definition::Scope;

/// As many as are shown of what has failed.
const LINES: &str = "--lines=12";

/// The last lines, each on a line of its own; nothing if there are none.
pub(crate) async fn last(scope: Scope, unit: &str) -> String {
    let whose: &[&str] = match scope {
        Scope::System => &[],
        Scope::User => &["--user"],
    };
    let unit = format!("--unit={unit}");
    let arguments: Vec<String> = ["--quiet", "--no-pager", "--output=cat", LINES, &unit]
        .iter()
        .chain(whose)
        .map(ToString::to_string)
        .collect();
    let ask = move || Command::new("journalctl").args(arguments).stdin(Stdio::null()).output();
    let Ok(Ok(output)) = tokio::task::spawn_blocking(ask).await else { return String::new() };
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().flat_map(|line| ["\n    ", line]).collect()
}
