//! podman, 4.3 and later.

use conductor_definition::Image;

use super::{Container, Engine};
use crate::exec::{Exec, Word};
use crate::limits::{ENGINE_STOP, STOP_TIMEOUT};
use crate::unit_file::UnitFile;

const PODMAN: &str = "/usr/bin/podman";

/// Runs containers without a daemon: conmon is the unit's main process and the container lives in a
/// control group below the unit's own, so systemd's limits and `systemctl kill` mean the container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Podman;

impl Engine for Podman {
    fn supervision(&self, unit: UnitFile) -> UnitFile {
        unit
            // conmon says READY=1 and MAINPID= when the container runs (--sdnotify=conmon).
            .set("Type", "notify")
            .set("NotifyAccess", "all")
            // --cgroups=split makes control groups of its own below the unit's.
            .set("Delegate", "yes")
            // SIGTERM for conmon only, which passes it on; the rest is killed when conmon has gone.
            .set("KillMode", "mixed")
            .set("TimeoutStopSec", ENGINE_STOP)
            // conmon's status for a container that SIGTERM ended: a stop, not a failure.
            .set("SuccessExitStatus", 143)
    }

    fn run(&self, container: &Container<'_>) -> Exec {
        let mut exec = Exec::new(PODMAN)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--replace", "--rm", "-d"])
            .line()
            // The pull unit has fetched the image; a second try here would use up the start timeout.
            .args(["--cgroups=split", "--sdnotify=conmon", "--pull=never", "--log-driver=journald"])
            .line()
            .arg("--label")
            .arg(format!("conductor.service={}", container.service))
            .line();
        for (host, port) in &container.ports {
            exec = exec
                .arg("--publish")
                .arg(Word::literal("127.0.0.1:").then(host).then(&format!(":{port}").into()))
                .line();
        }
        for (name, value) in &container.own_environment {
            exec = exec.arg("--env").arg(Word::literal(&format!("{name}=")).then(value)).line();
        }
        for (name, value) in &container.environment {
            exec = exec.arg("--env").arg(format!("{name}={value}")).line();
        }
        exec.arg(container.image.as_str()).line().args(container.command.iter().map(String::as_str))
    }

    fn stop(&self, container: &Container<'_>) -> Exec {
        let seconds = STOP_TIMEOUT.as_micros() / 1_000_000;
        Exec::new(PODMAN)
            .args(["stop", "--ignore"])
            .arg(format!("--time={seconds}"))
            .arg(container.name.clone())
    }

    fn remove(&self, container: &Container<'_>) -> Exec {
        // Runs after every end of the main process. When conmon was killed nobody else removes the
        // container: podman still believes that it runs.
        Exec::new("-/usr/bin/podman")
            .args(["rm", "--force", "--ignore", "--volumes", "--time=0"])
            .arg(container.name.clone())
    }

    fn pull(&self, image: &Image) -> Exec {
        // `podman pull --policy=missing` would say the same, but not before podman 5.
        Exec::new("/bin/sh")
            .arg("-c")
            .arg("podman image exists \"$1\" || exec podman pull --quiet \"$1\"")
            .args(["pull", image.as_str()])
    }

    fn storage(&self) -> &'static str {
        "/var/lib/containers"
    }
}
