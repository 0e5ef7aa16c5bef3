//! Running other programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use conductor_tests::{Context, Error, Result, repository};

/// A line for whoever is watching.
#[allow(clippy::print_stderr)] // The one place that talks.
pub(crate) fn say(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// A command in the repository.
pub(crate) fn command<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(repository());
    command
}

/// The cargo that runs this.
pub(crate) fn cargo<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(cargo_path());
    command.args(args).current_dir(repository());
    command
}

/// Path of the cargo that runs this.
pub(crate) fn cargo_path() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs it with its output where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context(shown(command))?;
    if status.success() { Ok(()) } else { Err(failed(command, status)) }
}

/// The same, but returns the lines of standard output that `wanted` picks. They are shown too.
#[allow(clippy::print_stdout)] // Passes on what the command prints.
pub(crate) fn run_and_pick(
    command: &mut Command,
    wanted: impl Fn(&str) -> bool,
) -> (Vec<String>, Result<()>) {
    let mut picked = Vec::new();
    let mut child = match command.stdout(Stdio::piped()).spawn().context(shown(command)) {
        Ok(child) => child,
        Err(error) => return (picked, Err(error)),
    };
    let output = child.stdout.take();
    for line in
        output.into_iter().flat_map(|output| BufReader::new(output).lines()).map_while(std::io::Result::ok)
    {
        println!("{line}");
        if wanted(&line) {
            picked.push(line);
        }
    }
    let result = match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(command, status)),
        Err(error) => Err(error.into()),
    };
    (picked, result)
}

/// What to say of a command that did not succeed.
pub(crate) fn failed(command: &Command, status: std::process::ExitStatus) -> Error {
    Error::new(format!("`{}` ended with {status}", shown(command)))
}

/// The command as one could type it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
