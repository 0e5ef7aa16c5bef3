//! What the user's own options and directives would take away from Conductor.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Check;
use crate::Diagnostic;
use crate::value::{Directive, Text};
use crate::written::{Lines, Spanned};

/// Options of `run` that tie the container to its unit.
const TIES: &[&str] = &[
    "--cgroup-parent",
    "--cgroups",
    "--cidfile",
    "--conmon-pidfile",
    "--detach",
    "--name",
    "--replace",
    "--restart",
    "--rm",
    "--sdnotify",
    "--tty",
    "-d",
    "-t",
];

/// Options of `run` that have a key, which is checked, shown and, of limits, put on the unit.
const KEYS: &[(&[&str], &str)] = &[
    (&["--publish", "-p"], "[[ports]]"),
    (&["--memory", "-m"], "[resources] memory"),
    (&["--cpus"], "[resources] cpus"),
    (&["--pids-limit"], "[resources] pids"),
    (&["--health-cmd", "--health-interval"], "[health]"),
    (&["--network", "--net"], "network"),
    (&["--volume", "-v", "--mount"], "[[volumes]]"),
    (&["--user", "-u"], "user"),
    (&["--entrypoint"], "entrypoint"),
    (&["--log-driver"], "[log] driver"),
    (&["--pull"], "[pull] policy"),
];

/// Directives without which a container's unit does not do what it should.
const RELIED_ON: &[(&str, &str)] = &[
    ("Type", "podman tells systemd when the container runs, and which process it is"),
    ("NotifyAccess", "the messages to systemd come from another process than the main one"),
    ("KillMode", "the engine stops the container; systemd would kill it beside that"),
    ("Delegate", "the container has control groups of its own inside the unit's"),
    ("Restart", "a service whose container stops answering is terminated, and restarted by this"),
    ("User", "the engine's own rights are root's, or with --user yours; `user` is the program's"),
    ("Group", "the engine's own rights are root's, or with --user yours; `user` is the program's"),
    ("DynamicUser", "the engine's own rights are root's, or with --user yours; `user` is the program's"),
    ("RemainAfterExit", "what has ended would count as running, and not be restarted"),
    ("PIDFile", "the engine tells systemd which process is the main one"),
];

impl Check {
    pub(super) fn runtime_args(&mut self, written: Vec<Spanned<Text>>) -> Vec<String> {
        let words = written.into_iter().map(|word| {
            let span = word.span();
            let Text(text) = word.into_inner();
            self.runtime_arg(&text, span);
            text
        });
        words.collect()
    }

    fn runtime_arg(&mut self, text: &str, span: Range<usize>) {
        let option = text.split_once('=').map_or(text, |(option, _)| option);
        if TIES.contains(&option) || detaches_or_has_a_terminal(option) {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    format!("`{}` is not for you to set", option.escape_debug()),
                )
                .at(span, "ties the container to its unit")
                .help(
                    "leave it out: Conductor sets what systemd needs to start, stop and limit the container",
                ),
            );
        } else if let Some((_, key)) = KEYS.iter().find(|(options, _)| options.contains(&option)) {
            self.report(
                Diagnostic::warning("has-a-key", format!("Conductor does not see what `{option}` sets"))
                    .at(span, "has a key")
                    .help(format!("write {key}, which is checked together with everything else")),
            );
        }
    }

    /// Directives for the container's unit. Whoever replaces its command is alone with the rest.
    pub(super) fn service_directives(
        &mut self,
        written: BTreeMap<Directive, Spanned<Lines>>,
    ) -> BTreeMap<Directive, Vec<String>> {
        let empty = |lines: &Spanned<Lines>| lines.get_ref().0.first().is_some_and(String::is_empty);
        let replaced = written.iter().any(|(key, lines)| key.as_str() == "ExecStart" && empty(lines));
        for (key, lines) in written.iter().filter(|_| !replaced) {
            let key = key.as_str();
            if key == "ExecStart" {
                self.report(
                    Diagnostic::error("contradiction", "systemd refuses a service with two ExecStart= lines")
                        .at(lines.span(), "comes after the command that runs the container")
                        .help("write `command` for another program in the container; or begin the list with \"\", which takes ours away"),
                );
            } else if let Some((_, why)) = RELIED_ON.iter().find(|(directive, _)| *directive == key) {
                self.report(
                    Diagnostic::warning("relied-on", format!("Conductor relies on its own {key}="))
                        .at(lines.span(), "replaces it")
                        .help(format!("leave it out: {why}")),
                );
            }
        }
        written.into_iter().map(|(key, lines)| (key, lines.into_inner().0)).collect()
    }
}

/// Short options that take no value may stand together: `-dt`.
fn detaches_or_has_a_terminal(option: &str) -> bool {
    let Some(letters) = option.strip_prefix('-').filter(|letters| !letters.is_empty()) else { return false };
    letters.bytes().all(|letter| b"dtiqP".contains(&letter))
        && letters.bytes().any(|letter| b"dt".contains(&letter))
}
