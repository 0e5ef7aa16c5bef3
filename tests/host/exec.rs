//! Running commands inside a machine.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::command::{start_failed, tail};
use crate::machine::Machine;
use crate::{Context, Error, Result};

/// What a root shell on Debian has.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// No command of a test may hang the whole run. Longer than any start budget used in scenarios.
const LIMIT_SECONDS: &str = "180";

/// How a command inside a machine ended.
#[derive(Debug, Clone)]
pub struct Output {
    command: String,
    /// Exit status; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Standard output without the last newline, or an error that shows all there is to know.
    pub fn ok(self) -> Result<String> {
        if self.success() {
            return Ok(self.stdout.trim_end().to_owned());
        }
        Err(Error::new(self.describe()))
    }

    /// The command, its status and the end of what it printed.
    pub fn describe(&self) -> String {
        let status = match self.code {
            Some(124) => format!("exit status 124 (perhaps timed out after {LIMIT_SECONDS} s)"),
            Some(code) => format!("exit status {code}"),
            None => "a signal".to_owned(),
        };
        let (stdout, stderr) = (tail(&self.stdout, 40), tail(&self.stderr, 40));
        format!("`{}` ended with {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}", self.command)
    }
}

/// Where commands run: in the booted machine, or in its file system while it is off.
pub(crate) enum Place<'a> {
    Booted(&'a Machine),
    Off(&'a Path),
}

impl Place<'_> {
    /// A command as an administrator's root shell would start it.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = match self {
            Self::Booted(machine) => machine.enter(),
            Self::Off(root) => {
                let mut command = Command::new("chroot");
                command.arg(root);
                command
            }
        };
        command.args(args).env_clear();
        command.envs([("PATH", PATH), ("HOME", "/root"), ("LANG", "C.UTF-8"), ("TERM", "dumb")]);
        command.envs([("SYSTEMD_PAGER", ""), ("SYSTEMD_COLORS", "0"), ("DEBIAN_FRONTEND", "noninteractive")]);
        command
    }

    /// Runs it to its end, feeding it `stdin`.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        stdin: &[u8],
    ) -> Result<Output> {
        let args: Vec<A> = args.into_iter().collect();
        let shown = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect::<Vec<_>>().join(" ");
        // Of a script its first line tells which one it is.
        let shown = shown.trim_start().split_inclusive('\n').next().unwrap_or_default().trim_end().to_owned();
        let limit = ["timeout", "--kill-after=5", LIMIT_SECONDS].map(OsStr::new);
        let mut command = self.command(limit.into_iter().chain(args.iter().map(AsRef::as_ref)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| start_failed(&command, &error))?;
        // A command that does not read its input may close it; that is no concern of ours.
        let _ = child.stdin.take().context("stdin was asked for")?.write_all(stdin);
        let output = child.wait_with_output()?;
        Ok(Output {
            command: shown,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}
