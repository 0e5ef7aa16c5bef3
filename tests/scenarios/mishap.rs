//! A deployer that meets with something at a moment of one's choice (`crates/conductor-deploy/examples/mishap.rs`).

use std::path::PathBuf;
use std::process::Command;

use conductor_tests::{Host, Output, repository};

/// The deployer is killed, as by the kernel or a power cut.
pub(crate) const KILL: &str = "kill -9 $PPID";

/// Puts the program on the machine.
pub(crate) fn install(host: &Host) {
    let [program] = built(&["--example", "mishap"]).try_into().unwrap();
    host.copy_in(&program, "/usr/bin/mishap").unwrap();
    host.ok(["chmod", "755", "/usr/bin/mishap"]).unwrap();
}

/// Builds programs of our crates, and says where they are. Of one package alone, dependencies would have other features
/// than the unit tests have left them with, and be compiled anew while machines are waiting.
pub(crate) fn built(what: &[&str]) -> Vec<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).args(["build", "--quiet", "--locked", "--workspace"]);
    let output = cargo.args(what).args(["--message-format", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect()
}

/// Deploys, and at each of these moments the command runs. A moment is a step and `begins`, `done` or `failed`.
pub(crate) fn mishap(host: &Host, service: &str, revision: &str, moments: &[(&str, &str)]) -> Output {
    mishap_of(host, &[service, revision], moments)
}

/// The same with options of the program's.
fn mishap_of(host: &Host, words: &[&str], moments: &[(&str, &str)]) -> Output {
    let moments = moments.iter().map(|(moment, command)| format!("{moment}={command}"));
    let words = ["mishap"].iter().chain(words).map(|word| (*word).to_owned());
    host.run(words.chain(moments)).unwrap()
}

/// The moments of a deploy, in their order: steps come from the machine that decides, so a new one is among them.
pub(crate) fn moments(output: &Output) -> Vec<String> {
    output.stdout.lines().filter(|line| line.contains(':')).map(str::to_owned).collect()
}

/// The same; it has to come to the moment at which it is killed.
pub(crate) fn killed(host: &Host, words: &[&str], moments_before: &[(&str, &str)], moment: &str) {
    let all: Vec<(&str, &str)> = moments_before.iter().copied().chain([(moment, KILL)]).collect();
    let output = mishap_of(host, words, &all);
    let reached = moments(&output);
    assert!(
        !output.success() && reached.last().is_some_and(|last| last == moment),
        "killed at {moment}: {}",
        output.describe()
    );
}
