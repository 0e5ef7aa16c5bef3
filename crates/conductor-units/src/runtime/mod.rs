//! Container engines: how each is told to run, stop and remove a container under systemd.
//!
//! A further engine is one more file beside these, and one more arm in [`engine`].

mod docker;
mod objects;
mod options;
mod podman;

use conductor_definition::{Object, Port, Pull, Runtime, Service};

use crate::exec::{Exec, Word};
use crate::unit_file::UnitFile;

/// What an engine needs to know of a container.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    /// The container's name.
    pub(crate) name: Word,
    /// What runs in it, and how.
    pub(crate) service: &'a Service,
    /// Set by us, before the user's.
    pub(crate) own_environment: Vec<(&'static str, Word)>,
    /// The host's side of each port, and the port.
    pub(crate) ports: Vec<(HostPorts, Port)>,
    /// Whether it runs once, for somebody who gets its output, and not as the service.
    pub(crate) once: bool,
}

/// The host's side of a port or of a range.
#[derive(Debug, Clone)]
pub(crate) struct HostPorts {
    pub(crate) first: Word,
    pub(crate) last: Option<Word>,
}

/// One engine.
pub(crate) trait Engine {
    /// Units that have to run for it, and to be started before the container.
    fn needs(&self) -> &'static [&'static str];
    /// Where images and containers are stored.
    fn storage(&self) -> &'static str;
    /// Whether the container is in the unit's control group, so that the unit's limits are its own.
    fn is_in_unit(&self) -> bool;
    /// How systemd follows the container: `Type=` and what goes with it.
    fn supervision(&self, unit: UnitFile, service: &Service) -> UnitFile;
    /// Makes room for the container, if starting it does not do that itself.
    fn prepare(&self, container: &Container<'_>) -> Option<Exec>;
    /// Starts the container; its image is on the machine.
    fn run(&self, container: &Container<'_>) -> Exec;
    /// The beginning of a command that runs a container once, attached; `terminal` is whether its input and
    /// output are one.
    fn run_once(&self, container: &Container<'_>, terminal: bool) -> Exec;
    /// Stops it and waits.
    fn stop(&self, container: &Container<'_>) -> Exec;
    /// Removes whatever is left of it. Never fails, may be repeated.
    fn remove(&self, container: &Container<'_>) -> Exec;
    /// A shell command that says whether image `$1` is there.
    fn has_image(&self) -> &'static str;
    /// A shell command that fetches image `$1`.
    fn pull_image(&self) -> &'static str;
    /// A shell command that removes whatever is left of container `$1`, and says nothing if nothing is.
    fn remove_quietly(&self) -> &'static str;
    /// The value of `--network` for a network in which others find the container by `alias`.
    fn network(&self, name: &str, alias: &str) -> String;
    /// Makes a network or a volume unless it is there. One that is there stays, for what is in it; if it was
    /// made from another definition, that is said.
    fn make(&self, object: &Object) -> Exec;
    /// Fails unless all `volumes` are there: the engine would make one that is not, but an ordinary one, and the
    /// data would be written to the wrong place. `script` is [`SCRIPT`], to be used or not.
    fn check_volumes(&self, script: Exec, volumes: &[&str]) -> Exec;
}

/// The engine of a service.
pub(crate) fn engine(runtime: Runtime) -> &'static dyn Engine {
    match runtime {
        Runtime::Podman => &podman::Podman,
        Runtime::Docker => &docker::Docker,
    }
}

pub(crate) use objects::SCRIPT;

/// Fetches an image.
pub(crate) fn pull(engine: &dyn Engine, image: &str, pull: Pull, only_missing: bool) -> Exec {
    let fetch = engine.pull_image();
    let script = match (only_missing, pull.retries) {
        (true, 0) => format!("{} || exec {fetch}", engine.has_image()),
        (false, 0) => format!("exec {fetch}"),
        (only_missing, _) => {
            let there =
                if only_missing { format!("{} && exit; ", engine.has_image()) } else { String::new() };
            format!(
                "{there}left=$2; until {fetch}; do [ \"$left\" -gt 0 ] || exit 1; left=$((left - 1)); sleep \"$3\"; done"
            )
        }
    };
    let exec = Exec::new("/bin/sh").arg("-c").arg(script).args(["pull", image]);
    if pull.retries == 0 {
        return exec;
    }
    let seconds = pull.retry_delay.as_micros().div_ceil(1_000_000);
    exec.arg(pull.retries.to_string()).arg(seconds.to_string())
}
