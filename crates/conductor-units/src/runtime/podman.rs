//! podman, 4.3 and later.

use conductor_definition::{Scope, Service};

use super::options::{image_and_command, options};
use super::{Container, Engine};
use crate::exec::Exec;
use crate::limits::{engine_stop, seconds};
use crate::unit_file::UnitFile;

const PODMAN: &str = "/usr/bin/podman";

/// Runs containers without a daemon: conmon is the unit's main process and the container lives in a
/// control group below the unit's own, so systemd's limits and `systemctl kill` mean the container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Podman;

impl Engine for Podman {
    fn program(&self) -> &'static str {
        PODMAN
    }

    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    fn storage(&self, scope: Scope) -> Option<&'static str> {
        match scope {
            Scope::System => Some("/var/lib/containers"),
            // In the home directory, or where containers-storage.conf(5) says; it is mounted when the manager runs.
            Scope::User => None,
        }
    }

    fn is_in_unit(&self) -> bool {
        true
    }

    fn supervision(&self, unit: UnitFile, service: &Service) -> UnitFile {
        unit
            // conmon says READY=1 and MAINPID= when the container runs (--sdnotify=conmon).
            .set("Type", "notify")
            .set("NotifyAccess", "all")
            // --cgroups=split makes control groups of its own below the unit's.
            .set("Delegate", "yes")
            // SIGTERM for conmon only, which passes it on; the rest is killed when conmon has gone.
            .set("KillMode", "mixed")
            .set("TimeoutStopSec", engine_stop(service))
            // conmon's status for a container that SIGTERM ended: a stop, not a failure.
            .set("SuccessExitStatus", 143)
    }

    fn prepare(&self, _: &Container<'_>) -> Option<Exec> {
        None // `run --replace` does it.
    }

    fn run(&self, container: &Container<'_>) -> Exec {
        let exec = Exec::new(PODMAN)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--replace", "--rm", "-d"])
            .line()
            // The pull unit has fetched the image; a second try here would use up the start timeout.
            .args(["--cgroups=split", "--sdnotify=conmon", "--pull=never"])
            .line();
        image_and_command(options(exec, container, self), container.service)
    }

    fn run_once(&self, container: &Container<'_>, terminal: bool) -> Exec {
        let exec = Exec::in_words(PODMAN).args(["run", "--name"]).arg(container.name.clone()).args([
            "--rm",
            "--interactive",
            "--cgroups=split",
        ]);
        let exec = if terminal { exec.arg("--tty") } else { exec };
        let exec = exec.arg(format!("--pull={}", container.service.pull.policy));
        image_and_command(options(exec, container, self), container.service)
    }

    fn stop(&self, container: &Container<'_>) -> Exec {
        Exec::new(PODMAN)
            .args(["stop", "--ignore"])
            .arg(format!("--time={}", seconds(container.service.stop.timeout)))
            .arg(container.name.clone())
    }

    fn has_image(&self) -> &'static str {
        "podman image exists \"$1\""
    }

    fn pull_image(&self) -> &'static str {
        // `podman pull --policy=missing` would do for both, but not before podman 5.
        "podman pull --quiet \"$1\""
    }

    fn remove_quietly(&self) -> &'static str {
        // Where conmon was killed, the first attempt fails with "exit code could not be retrieved"; only then
        // podman knows that the container has ended, and the second removes it (podman 5.4).
        "podman rm --force --ignore --volumes --time=0 \"$1\" >/dev/null 2>&1 || \
         podman rm --force --ignore --volumes --time=0 \"$1\" >/dev/null"
    }
}
