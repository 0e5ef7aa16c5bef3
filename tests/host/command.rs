//! Running tools on the machine the tests run on, and saying what is going on.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use crate::{Context, Error, Result, preflight};

/// Tells the person waiting. Tests print when they fail only, so this is for the minutes that need a reason.
#[allow(clippy::print_stderr)] // The one place that talks; cargo shows it with --nocapture or on failure.
pub fn announce(text: impl std::fmt::Display) {
    eprintln!("test host: {text}");
}

/// Runs `program`; an error shows the command and what it complained about.
pub fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Result<()> {
    stdout_of(Command::new(program).args(args)).map(drop)
}

/// Runs a prepared command and returns its standard output.
pub fn stdout_of(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| start_failed(command, &error))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("{command:?} ended with {}:\n{}", output.status, tail(&stderr, 30))));
    }
    String::from_utf8(output.stdout).context(format!("output of {command:?}"))
}

/// Turns "No such file or directory" into the name of the package to install.
pub(crate) fn start_failed(command: &Command, error: &std::io::Error) -> Error {
    let program = command.get_program().to_string_lossy().into_owned();
    match preflight::package_of(&program) {
        Some(package) if error.kind() == std::io::ErrorKind::NotFound => {
            Error::new(format!("{program} is not installed: apt-get install {package}"))
        }
        _ => Error::new(format!("cannot start {command:?}: {error}")),
    }
}

/// The last `lines` lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}
