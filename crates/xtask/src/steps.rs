//! A list of steps, timed, with the runners' own closing lines at the end.

use std::process::Command;
use std::time::{Duration, Instant};

use conductor_tests::{Error, Result};

use crate::aside::Aside;
use crate::shell;

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    beside: bool,
    closing: Vec<String>,
    failed: Option<String>,
}

/// Lines by which test runners close are kept for the summary.
fn closing(line: &str) -> bool {
    line.starts_with("test result:")
}

/// What was done so far.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    /// Does one step; a failure is noted and the rest still runs, so that one run shows everything.
    pub(crate) fn step(&mut self, name: &str, action: impl FnOnce() -> (Vec<String>, Result<()>)) -> bool {
        shell::say(format_args!("\n==> {name}"));
        let started = Instant::now();
        let (closing, result) = action();
        self.note(name, started.elapsed(), false, closing, result)
    }

    /// A step that is one command.
    pub(crate) fn command(&mut self, name: &str, command: &mut Command) -> bool {
        self.step(name, || shell::run_and_pick(command, closing))
    }

    /// A step that was begun aside: waits for its end and shows what it said.
    pub(crate) fn wait(&mut self, aside: Result<Aside>) -> bool {
        let ended = match aside {
            Ok(aside) => aside.end(),
            Err(error) => return self.step("begin a step", || (Vec::new(), Err(error))),
        };
        shell::say(format_args!("\n==> {}", ended.name));
        let said = ended.said.unwrap_or_else(|error| error.to_string());
        shell::say(said.trim_end());
        let closing = said.lines().filter(|line| closing(line)).map(str::to_owned).collect();
        self.note(ended.name, ended.took, true, closing, ended.result)
    }

    fn note(
        &mut self,
        name: &str,
        took: Duration,
        beside: bool,
        closing: Vec<String>,
        result: Result<()>,
    ) -> bool {
        let failed = result.err().map(|error| error.to_string());
        let good = failed.is_none();
        if let Some(error) = &failed {
            shell::say(format_args!("{error}"));
        }
        self.0.push(Step { name: name.to_owned(), took, beside, closing, failed });
        good
    }

    /// The summary.
    pub(crate) fn finish(self) -> Result<()> {
        shell::say("\n==> summary");
        for step in &self.0 {
            let verdict = if step.failed.is_some() { "FAILED" } else { "ok" };
            let beside = if step.beside { " (beside others)" } else { "" };
            shell::say(format_args!(
                "{:>7.1} s  {verdict:<6}  {}{beside}",
                step.took.as_secs_f32(),
                step.name
            ));
            // Packages without tests say so too, at length.
            for line in step.closing.iter().filter(|line| !line.contains(" 0 passed; 0 failed")) {
                shell::say(format_args!("                   {line}"));
            }
        }
        let failed: Vec<&str> =
            self.0.iter().filter(|step| step.failed.is_some()).map(|step| step.name.as_str()).collect();
        if failed.is_empty() { Ok(()) } else { Err(Error::new(format!("failed: {}", failed.join(", ")))) }
    }
}
