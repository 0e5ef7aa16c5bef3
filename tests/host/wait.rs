//! Waiting inside a machine, by events where there are any.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::cgroup::Cgroup;
use crate::{Context, Error, Host, Result};

static APART: AtomicU32 = AtomicU32::new(0);

impl Host {
    /// Waits until `property` of `unit` is `value`, woken by systemd's own PropertiesChanged signals (it sends
    /// them while anyone has subscribed, and logind always has).
    pub fn wait_property(&self, unit: &str, property: &str, value: &str, within: Duration) -> Result<()> {
        let deadline = Instant::now() + within;
        let matching = format!(
            "--match=type='signal',sender='org.freedesktop.systemd1',path='{}',\
             interface='org.freedesktop.DBus.Properties'",
            object_path(unit)
        );
        let (mut command, cgroup) = self.place_apart(["busctl", "monitor", &matching])?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (sender, signals) = mpsc::channel();
        // "Monitoring bus message stream." on stderr says that from now on no signal is missed; in JSON mode newer
        // ones do not say it. Each signal starts with a line that has its type.
        forward(child.stderr.take().context("stderr was asked for")?, sender.clone());
        forward(child.stdout.take().context("stdout was asked for")?, sender);
        let result = loop {
            match signals.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if !line.contains("Monitoring") && !line.contains("Type=signal") => {}
                Ok(_) if self.property(unit, property)? == value => break Ok(()),
                Ok(_) => {}
                Err(_) => {
                    let is = self.property(unit, property)?;
                    let within = within.as_secs_f32();
                    break Err(Error::new(format!(
                        "{unit}: {property} is {is}, not {value}, after {within:.1} s"
                    )));
                }
            }
        };
        cgroup.kill();
        child.wait()?;
        result
    }

    /// Waits until the unit is active.
    pub fn wait_active(&self, unit: &str, within: Duration) -> Result<()> {
        self.wait_property(unit, "ActiveState", "active", within)
    }

    /// The D-Bus path of what runs in `unit` right now; it stops being valid when that does.
    pub fn invocation_path(&self, unit: &str) -> Result<String> {
        Ok(object_path(&self.property(unit, "InvocationID")?))
    }

    /// Asks again and again until `done` says so: for what sends no event (an HTTP answer, a file elsewhere).
    pub fn eventually(
        &self,
        within: Duration,
        what: &str,
        mut done: impl FnMut() -> Result<bool>,
    ) -> Result<()> {
        let deadline = Instant::now() + within;
        loop {
            if done()? {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::new(format!("waited {:.1} s in vain until {what}", within.as_secs_f32())));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A command that runs on beside the machine, in a cgroup by which it can be ended.
    pub(crate) fn place_apart<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<(Command, Cgroup)> {
        let machine = self.machine.as_ref().context("the machine is off")?;
        let name = format!("apart-{}", APART.fetch_add(1, Ordering::Relaxed));
        let (mut command, cgroup) = machine.enter_apart(&name)?;
        command.args(args).env_clear().env("PATH", crate::exec::PATH).env("LANG", "C.UTF-8");
        Ok((command, cgroup))
    }
}

fn forward(stream: impl std::io::Read + Send + 'static, sender: mpsc::Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(std::result::Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
}

/// The object path of a unit: `/org/freedesktop/systemd1/unit/` and its name as sd_bus_path_encode(3) writes it.
fn object_path(unit: &str) -> String {
    let mut path = String::from("/org/freedesktop/systemd1/unit/");
    for (index, byte) in unit.bytes().enumerate() {
        if byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit()) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "_{byte:02x}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    #[test]
    fn object_paths_are_escaped_as_sd_bus_does() {
        assert_eq!(super::object_path("web@1.service"), "/org/freedesktop/systemd1/unit/web_401_2eservice");
        assert_eq!(super::object_path("1a-b"), "/org/freedesktop/systemd1/unit/_31a_2db");
    }
}
