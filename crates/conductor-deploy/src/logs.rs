//! The last lines that a container has written.

use std::process::{Command, Stdio};

use conductor_definition::Scope;
use conductor_systemd::Systemd;

use crate::host;

/// As many as are shown of what has failed.
const LINES: usize = 12;

/// Among so many of the unit's lines they are looked for: engines and systemd write there as well.
const AMONG: &str = "--lines=100";

/// The last lines of the unit's container, each on a line of its own; those of the unit if it has written none; nothing
/// if there are none at all. Only lines of the unit's last run count, as far as the journal can tell.
pub(crate) async fn last(systemd: &Systemd, scope: Scope, unit: &str) -> String {
    let run = match host::name(unit) {
        Ok(name) => systemd.unit(&name).await.ok().and_then(|view| view.invocation),
        Err(_) => None,
    };
    let (whose, which) = match (scope, run) {
        (Scope::System, Some(run)) => ("--system", format!("_SYSTEMD_INVOCATION_ID={run}")),
        (Scope::System, None) => ("--system", format!("--unit={unit}")),
        // Of users' units journald knows only the run of their manager.
        (Scope::User, _) => ("--user", format!("--user-unit={unit}")),
    };
    let ask = move || {
        // What was written a moment ago may not be in the files yet.
        drop(Command::new("journalctl").arg("--sync").stdin(Stdio::null()).output());
        let arguments = ["--quiet", "--no-pager", "--output=json", AMONG, whose, &which];
        Command::new("journalctl").args(arguments).stdin(Stdio::null()).output()
    };
    let Ok(Ok(output)) = tokio::task::spawn_blocking(ask).await else { return String::new() };
    chosen(&String::from_utf8_lossy(&output.stdout))
}

fn chosen(journal: &str) -> String {
    let entries: Vec<Entry> = journal.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let written = of(&entries, Entry::is_containers);
    // What systemd says, and what the engine could not do.
    let lines = if written.is_empty() { of(&entries, |entry| !entry.is_routine()) } else { written };
    lines.iter().skip(lines.len().saturating_sub(LINES)).flat_map(|line| ["\n    ", line]).collect()
}

fn of(entries: &[Entry], wanted: impl Fn(&Entry) -> bool) -> Vec<&str> {
    let texts = entries.iter().filter(|entry| wanted(entry)).filter_map(|entry| entry.message.as_str());
    texts.flat_map(str::lines).map(str::trim_end).filter(|line| !line.is_empty()).collect()
}

/// A line of the journal.
#[derive(serde::Deserialize)]
struct Entry {
    /// No text if it is none of UTF-8.
    #[serde(rename = "MESSAGE", default)]
    message: serde_json::Value,
    /// conmon's: it writes what the container writes.
    #[serde(rename = "CONTAINER_NAME")]
    container: Option<String>,
    /// The process; docker's client writes what the container writes.
    #[serde(rename = "_COMM")]
    program: Option<String>,
    #[serde(rename = "_TRANSPORT")]
    transport: Option<String>,
}

impl Entry {
    /// Whether an engine only says what it does: podman notes each of its doings with the container's name, and both
    /// print the container's id.
    fn is_routine(&self) -> bool {
        let program = self.program.as_deref().unwrap_or_default();
        let text = self.message.as_str().unwrap_or_default().trim();
        let is_id = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        program == "conmon" || self.container.is_some() || is_id
    }

    /// Whether the container has written it. podman notes its own doings with the container's name, too.
    fn is_containers(&self) -> bool {
        let program = self.program.as_deref().unwrap_or_default();
        self.container.is_some() && program != "podman"
            || program == "docker" && self.transport.as_deref() == Some("stdout")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_container_wrote_comes_first() {
        let journal = "{\"MESSAGE\":\"Starting web\",\"_COMM\":\"systemd\"}\n\
             {\"MESSAGE\":\"container init\",\"_COMM\":\"podman\",\"CONTAINER_NAME\":\"conductor-web\"}\n\
             {\"MESSAGE\":\"no table\",\"_COMM\":\"conmon\",\"CONTAINER_NAME\":\"conductor-web\"}\n\
             {\"MESSAGE\":[98,121,101],\"_COMM\":\"conmon\",\"CONTAINER_NAME\":\"conductor-web\"}\n\
             {\"MESSAGE\":\"bye\",\"_COMM\":\"docker\",\"_TRANSPORT\":\"stdout\"}\n";
        assert_eq!(chosen(journal), "\n    no table\n    bye");
        let (silent, _) = journal.split_once("{\"MESSAGE\":\"no").unwrap();
        let silent = format!("{silent}{{\"MESSAGE\":\"{}\",\"_COMM\":\"podman\"}}\n", "0f".repeat(32));
        assert_eq!(chosen(&silent), "\n    Starting web");
        assert_eq!(chosen(""), "");
    }
}
