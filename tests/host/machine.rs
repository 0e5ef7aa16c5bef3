//! A running machine: systemd-nspawn, the PID 1 inside it, and the cgroup both live in.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::cgroup::{Cgroup, systemd_is_pid1};
use crate::command::{start_failed, tail};
use crate::rundir::RunDir;
use crate::storage::DIRECTORIES;
use crate::{Context, Error, Result};

/// Ends with the value: every process in it is killed at once.
#[derive(Debug)]
pub(crate) struct Machine {
    nspawn: Child,
    /// PID 1 of the machine, as seen from outside.
    leader: u32,
    /// Commands run by the harness live here, so that they too end with the machine.
    commands: Cgroup,
    /// Dropped after `commands`: it is the parent.
    cgroup: Cgroup,
}

impl Machine {
    /// Boots `root` with the engines' directories of `storage` under /var/lib; returns when systemd says that the boot is finished.
    pub(crate) fn boot(dir: &RunDir, root: &Path, storage: &Path, within: Duration) -> Result<Self> {
        let socket_path = dir.path.join("notify");
        let _ = std::fs::remove_file(&socket_path);
        let socket = UnixDatagram::bind(&socket_path).context(socket_path.display())?;
        let own = if systemd_is_pid1() { None } else { Some(Cgroup::create(&dir.name)?) };
        if let Some(cgroup) = &own {
            dir.record(cgroup)?;
        }
        let mut command = launcher(dir, own.as_ref());
        nspawn_arguments(&mut command, root, storage);
        command.env("SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "1").env("NOTIFY_SOCKET", &socket_path);
        let console = File::options().append(true).create(true).open(dir.path.join("console.log"))?;
        command.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
        let mut nspawn = command.spawn().map_err(|error| start_failed(&command, &error))?;
        let leader = match ready(&socket, &mut nspawn, within) {
            Ok(leader) => leader,
            Err(error) => {
                let _ = nspawn.kill();
                let _ = nspawn.wait();
                let console = std::fs::read_to_string(dir.path.join("console.log")).unwrap_or_default();
                return Err(Error::new(format!("{error}; the end of its console:\n{}", tail(&console, 40))));
            }
        };
        let cgroup = match own {
            Some(cgroup) => cgroup,
            None => Cgroup::of_process(nspawn.id())?,
        };
        dir.record(&cgroup)?;
        Ok(Self { nspawn, leader, commands: cgroup.child("harness")?, cgroup })
    }

    /// `nsenter` into every namespace of PID 1, from a cgroup that ends with the machine.
    pub(crate) fn enter(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec nsenter --all --target "$@""#]);
        command.arg(&self.commands.0).arg(self.leader.to_string()).arg("--");
        command
    }

    /// A cgroup of its own for a command that runs on, to be ended on its own.
    pub(crate) fn enter_apart(&self, name: &str) -> Result<(Command, Cgroup)> {
        let cgroup = self.commands.child(name)?;
        let mut command = Command::new("sh");
        command.args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec nsenter --all --target "$@""#]);
        command.arg(&cgroup.0).arg(self.leader.to_string()).arg("--");
        Ok((command, cgroup))
    }

    /// Waits for the machine to switch itself off; after `within` the plug is pulled and that is an error.
    pub(crate) fn wait_for_end(mut self, within: Duration) -> Result<()> {
        // Commands that still run in it, such as a followed journal, have a parent outside: the machine's PID 1
        // leaves them alone ("originates in foreign namespace"), and nspawn would wait for them.
        self.commands.kill();
        let (done, ended) = mpsc::channel::<()>();
        let cgroup = self.cgroup.0.clone();
        let watchdog = std::thread::spawn(move || {
            let late = ended.recv_timeout(within) == Err(mpsc::RecvTimeoutError::Timeout);
            if late {
                let _ = std::fs::write(cgroup.join("cgroup.kill"), "1");
            }
            late
        });
        self.nspawn.wait()?;
        drop(done);
        match watchdog.join() {
            Ok(false) => Ok(()),
            _ => Err(Error::new(format!("the machine did not shut down within {} s", within.as_secs()))),
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.cgroup.kill();
        let _ = self.nspawn.kill();
        let _ = self.nspawn.wait();
    }
}

/// The words before `systemd-nspawn`. It manages the cgroup it is started in, so it must be one that is ours to give.
fn launcher(dir: &RunDir, own: Option<&Cgroup>) -> Command {
    if let Some(cgroup) = own {
        let mut command = Command::new("sh");
        command
            .args(["-c", r#"echo $$ > "$0/cgroup.procs" && exec "$@""#])
            .arg(&cgroup.0)
            .arg("systemd-nspawn");
        return command;
    }
    // Under a systemd of the machine's own: a delegated scope, which is how Delegate= is meant to be used. The CI
    // machines have no systemd, so this path is exercised on developers' machines only.
    let mut command = Command::new("systemd-run");
    command.args(["--scope", "--quiet", "--collect", "--property=Delegate=yes"]);
    command.arg(format!("--unit={}", dir.name)).args(["--", "systemd-nspawn"]);
    command
}

fn nspawn_arguments(command: &mut Command, root: &Path, storage: &Path) {
    command.args(["--quiet", "--boot", "--register=no", "--keep-unit", "--notify-ready=yes"]);
    command.args(["--private-network", "--link-journal=no", "--resolv-conf=off", "--timezone=off"]);
    // Containers inside the container: podman needs all of these.
    command.args([
        "--capability=all",
        "--bind=/dev/fuse",
        "--system-call-filter=@default add_key keyctl bpf",
    ]);
    command.arg("--console=read-only").arg("--directory").arg(root);
    for name in DIRECTORIES {
        command.arg(format!("--bind={}:/var/lib/{name}", storage.join(name).display()));
    }
    // Less to print on a console nobody reads.
    command.args(["systemd.show_status=no"]);
}

/// Reads sd_notify(3) messages until the machine's own systemd says READY=1, which it does when its first
/// transaction is done; nspawn adds the number of PID 1.
fn ready(socket: &UnixDatagram, nspawn: &mut Child, within: Duration) -> Result<u32> {
    let deadline = Instant::now() + within;
    // Wakes up now and then only to see whether nspawn died, which sends no message.
    socket.set_read_timeout(Some(Duration::from_millis(250)))?;
    let mut buffer = [0; 4096];
    let mut leader = None;
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let message = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
                for line in message.lines() {
                    if let Some(pid) = line.strip_prefix("X_NSPAWN_LEADER_PID=") {
                        leader = pid.parse().ok();
                    }
                    if line == "READY=1" {
                        return leader
                            .context("the machine is up but nspawn did not say which process it is");
                    }
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(status) = nspawn.try_wait()? {
            return Err(Error::new(format!("systemd-nspawn ended with {status} before the machine was up")));
        }
        if Instant::now() > deadline {
            return Err(Error::new(format!("the machine was not up within {} s", within.as_secs())));
        }
    }
}
