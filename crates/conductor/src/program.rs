//! Handing over to another program.

use std::io::ErrorKind;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use crate::terminal::{FAILURE, say};

/// Becomes the program: its terminal, signals and exit status are nobody else's business.
pub(crate) fn become_program(program: &str, arguments: &[String]) -> ExitCode {
    let error = Command::new(program).args(arguments).exec();
    say(&format!("error: {}", cannot_run(program, &error)));
    ExitCode::from(FAILURE)
}

/// Runs the program and waits for it.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let status =
        Command::new(program).args(arguments).status().map_err(|error| cannot_run(program, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("`{program} {}` failed ({status}): its message is above", arguments.join(" ")))
}

fn cannot_run(program: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("{program} is not on this machine or not in PATH: install it"),
        _ => format!("cannot run {program}: {error}"),
    }
}
