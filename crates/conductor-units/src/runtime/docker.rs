//! docker, with its daemon.

use conductor_definition::{Scope, Service};

use super::options::{image_and_command, options};
use super::{Container, Engine};
use crate::exec::Exec;
use crate::limits::{engine_stop, seconds};
use crate::unit_file::UnitFile;

const DOCKER: &str = "/usr/bin/docker";

/// The client is the unit's main process: attached, without a terminal, so that it passes signals on
/// (`--sig-proxy`) and ends with the container's status. The container itself is a child of the daemon's,
/// in a control group of the daemon's: limits are given to it, and what is left of it is removed by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Docker;

impl Engine for Docker {
    fn needs(&self) -> &'static [&'static str] {
        &["docker.service"]
    }

    fn storage(&self, _: Scope) -> Option<&'static str> {
        Some("/var/lib/docker")
    }

    fn is_in_unit(&self) -> bool {
        false
    }

    fn supervision(&self, unit: UnitFile, service: &Service) -> UnitFile {
        unit.set("Type", "exec")
            .set("KillMode", "mixed")
            .set("TimeoutStopSec", engine_stop(service))
            .set("SuccessExitStatus", 143)
    }

    fn prepare(&self, container: &Container<'_>) -> Option<Exec> {
        Some(self.remove(container))
    }

    fn run(&self, container: &Container<'_>) -> Exec {
        let exec = Exec::new(DOCKER)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--rm", "--pull=never"])
            .line();
        let exec = limits(exec, container.service);
        image_and_command(options(exec, container), container.service)
    }

    fn run_once(&self, container: &Container<'_>, terminal: bool) -> Exec {
        let exec = Exec::in_words(DOCKER)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--rm", "--interactive"]);
        let exec = if terminal { exec.arg("--tty") } else { exec };
        let exec = exec.arg(format!("--pull={}", container.service.pull.policy.as_str()));
        let exec = limits(exec, container.service);
        image_and_command(options(exec, container), container.service)
    }

    fn stop(&self, container: &Container<'_>) -> Exec {
        Exec::new(DOCKER)
            .arg("stop")
            .arg(format!("--time={}", seconds(container.service.stop.timeout)))
            .arg(container.name.clone())
    }

    fn remove(&self, container: &Container<'_>) -> Exec {
        // With --force it is no mistake that there is none.
        Exec::new("-/usr/bin/docker").args(["rm", "--force", "--volumes"]).arg(container.name.clone())
    }

    fn has_image(&self) -> &'static str {
        "docker image inspect \"$1\" >/dev/null 2>&1"
    }

    fn pull_image(&self) -> &'static str {
        "docker pull --quiet \"$1\""
    }

    fn remove_quietly(&self) -> &'static str {
        "docker rm --force --volumes \"$1\" >/dev/null 2>&1"
    }
}

/// The unit's limits would be the client's.
fn limits(exec: Exec, service: &Service) -> Exec {
    let resources = &service.resources;
    let mut words = Vec::new();
    if let Some(memory) = resources.memory {
        // Without a limit for both together docker grants as much swap again.
        words.push(format!("--memory={}b", memory.bytes()));
        words.push(format!("--memory-swap={}b", memory.bytes()));
    }
    words.extend(resources.memory_high.map(|memory| format!("--memory-reservation={}b", memory.bytes())));
    words.extend(resources.cpus.map(|cpus| format!("--cpus={}", cpus.decimal())));
    words.extend(resources.pids.map(|pids| format!("--pids-limit={pids}")));
    if words.is_empty() { exec } else { exec.args(words).line() }
}
