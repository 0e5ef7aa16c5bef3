//! A throwaway machine and what an administrator does to it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::command::tail;
use crate::exec::{Output, Place};
use crate::machine::Machine;
use crate::overlay::Overlay;
use crate::rundir::RunDir;
use crate::{Context, Image, Result, announce, storage};

/// Boots take two seconds; this allows for a busy machine and for services that are slow to become healthy.
const BOOT_LIMIT: Duration = Duration::from_secs(180);
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(120);

/// A machine of one's own. Everything about it is gone when the value is dropped; if that is because a test
/// failed, the end of its journal is printed first.
#[derive(Debug)]
pub struct Host {
    // In this order they are dropped: the machine stops, its disk is unmounted, its directory removed.
    pub(crate) machine: Option<Machine>,
    overlay: Overlay,
    storage: PathBuf,
    dir: RunDir,
}

impl Host {
    /// A machine that is up: every unit of the boot has been started (or has failed).
    pub fn boot(image: &Image) -> Result<Self> {
        let mut host = Self::prepare(image)?;
        host.power_on()?;
        Ok(host)
    }

    /// A machine that is still off, for files that have to be there at the first boot.
    pub fn prepare(image: &Image) -> Result<Self> {
        let dir = RunDir::create()?;
        let storage = dir.path.join("storage");
        storage::prepare(image, &storage)?;
        let lower = image.lower_dirs();
        let lower: Vec<&Path> = lower.iter().map(PathBuf::as_path).collect();
        let overlay = Overlay::mount(&lower, &dir.path)?;
        Ok(Self { machine: None, overlay, storage, dir })
    }

    /// Switches it on and waits until the boot is finished. Returns how long that took.
    pub fn power_on(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.machine = Some(Machine::boot(&self.dir, &self.overlay.merged, &self.storage, BOOT_LIMIT)?);
        let took = started.elapsed();
        announce(format_args!("{} is up after {:.1} s", self.dir.name, took.as_secs_f32()));
        Ok(took)
    }

    /// Shuts it down in good order.
    pub fn power_off(&mut self) -> Result<()> {
        // The command's own end is cut off with everything else.
        self.run(["systemctl", "poweroff"])?;
        let machine = self.machine.take().context("the machine is off already")?;
        machine.wait_for_end(SHUTDOWN_LIMIT)
    }

    /// Shuts down and boots again: same disk, `/run` gone. Returns how long the boot took.
    pub fn reboot(&mut self) -> Result<Duration> {
        self.power_off()?;
        self.power_on()
    }

    /// Pulls the plug: every process is killed at once, nothing is stopped or cleaned up. The machine stays off.
    pub fn crash(&mut self) {
        self.machine = None;
    }

    /// Runs a command as root and returns how it ended, whatever that was. While the machine is off it runs in
    /// its file system (`chroot`), so `systemctl enable` and the like work too.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<Output> {
        self.place().run(args, b"")
    }

    /// Runs a command that has to succeed and returns what it printed.
    pub fn ok<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String> {
        self.run(args)?.ok()
    }

    /// Runs a shell script that has to succeed (`set -eu`) and returns what it printed.
    pub fn sh(&self, script: &str) -> Result<String> {
        self.ok(["sh", "-euc", script])
    }

    /// Writes a file, with its directories. Replaced in one step, as an editor does.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let script = r#"mkdir -p "$(dirname "$0")" && cat > "$0.tmp~" && mv "$0.tmp~" "$0""#;
        self.place().run(["sh", "-euc", script, path], text.as_bytes())?.ok().context(path)?;
        Ok(())
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> Result<String> {
        let output = self.run(["cat", "--", path])?;
        if output.success() { Ok(output.stdout) } else { Err(crate::Error::new(output.describe())) }
    }

    /// Copies a file of the developer's machine into this one.
    pub fn copy_in(&self, from: &Path, to: &str) -> Result<()> {
        let content = fs::read(from).context(from.display())?;
        let script = r#"mkdir -p "$(dirname "$0")" && cat > "$0""#;
        self.place().run(["sh", "-euc", script, to], &content)?.ok().context(to)?;
        Ok(())
    }

    /// A shell on the machine for a developer, at this process' terminal. Returns when it is left.
    pub fn shell(&self) -> Result<()> {
        self.place().command(["sh", "-l"]).status()?;
        Ok(())
    }

    /// One property of a unit, as `systemctl show` prints it.
    pub fn property(&self, unit: &str, property: &str) -> Result<String> {
        self.ok(["systemctl", "show", "--value", "--property", property, "--", unit])
    }

    /// The console since the first boot: what systemd-nspawn and PID 1 said.
    pub fn console(&self) -> String {
        fs::read_to_string(self.dir.path.join("console.log")).unwrap_or_default()
    }

    pub(crate) fn place(&self) -> Place<'_> {
        match &self.machine {
            Some(machine) => Place::Booted(machine),
            None => Place::Off(&self.overlay.merged),
        }
    }

    /// Where the engines keep their containers, as seen from outside.
    pub(crate) fn storage_dir(&self) -> &Path {
        &self.storage
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let journal = self.run(["journalctl", "--no-pager", "--lines=120", "--output=short-precise"]);
            let journal =
                journal.map_or_else(|error| error.to_string(), |output| output.stdout + &output.stderr);
            announce(format_args!("{} failed; console:\n{}", self.dir.name, tail(&self.console(), 10)));
            announce(format_args!("journal of {}:\n{journal}", self.dir.name));
        }
    }
}
