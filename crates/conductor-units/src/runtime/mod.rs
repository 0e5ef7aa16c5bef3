//! Container engines: how each is told to run, stop and remove a container under systemd, and how commands for people
//! reach a container that runs.
//!
//! A further engine's command lines are one more file beside these, with an [`Engine`]. What else has to hear of it:
//!
//! - its name: a variant of `Runtime` (conductor-definition, `service.rs`) and its word (`value/words.rs`). From then on
//!   the compiler asks for the rest;
//! - its arm in [`engine`], with its `mod`;
//! - what definitions may ask for that it cannot do: its arm in `Check::engine` (conductor-definition,
//!   `validate/runtime.rs`), empty for one that can do everything; for networks and volumes, in `subnets.rs` and
//!   `volume.rs` beside that; and one whose containers are root's is refused to users beside docker
//!   (`validate/rights.rs`).
//!
//! Besides, two warnings are podman's alone: about names of networks that podman would take for IDs (`validate/object.rs`)
//! and about its own network, which has no definition (conductor-generator, `attach.rs`).
//!
//! Nothing else knows engines by name. A unit tells by the program in its `ExecStart=` whose it is ([`of_program`]),
//! and the command line asks for what it needs through [`InstanceUnit`](crate::InstanceUnit) and
//! [`Whereabouts`](crate::Whereabouts). People read of it in conductor-service(5), under `runtime`.

mod docker;
mod objects;
mod options;
mod podman;

pub(crate) use objects::SCRIPT;

use conductor_definition::{Log, Mount, Object, Port, Pull, Runtime, Scope, Service};

use crate::exec::{Argument, Exec, Word};
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
    /// The directory that holds copies of secrets.
    pub(crate) secrets: Word,
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
    /// Its program: what `ExecStart=` begins with, and what runs a command in a container (`exec`).
    fn program(&self) -> &'static str;
    /// Units that have to run for it. The container starts after them, and stops and restarts with them.
    fn needs(&self) -> &'static [&'static str];
    /// Where images and containers are stored, if that is more than a guess.
    fn storage(&self, scope: Scope) -> Option<&'static str>;
    /// Whether the container is in the unit's control group, so that the unit's limits are its own.
    fn is_in_unit(&self) -> bool;
    /// How systemd follows the container: `Type=` and what goes with it.
    fn supervision(&self, unit: UnitFile, service: &Service) -> UnitFile;
    /// Makes room for the container, if starting it does not do that itself.
    fn prepare(&self, container: &Container<'_>) -> Option<Exec>;
    /// Starts the container; its image is on the machine.
    fn run(&self, container: &Container<'_>) -> Exec;
    /// One of `[[volumes]]`, as an option of `run`.
    fn mount(&self, exec: Exec, mount: &Mount) -> Exec {
        options::volume(exec, mount)
    }
    /// `[log]`, as options of `run`.
    fn log(&self, exec: Exec, log: &Log) -> Exec {
        options::log(exec, log)
    }
    /// The beginning of a command that runs a container once, attached; `terminal` is whether its input and
    /// output are one.
    fn run_once(&self, container: &Container<'_>, terminal: bool) -> Exec;
    /// Stops it and waits.
    fn stop(&self, container: &Container<'_>) -> Exec;
    /// A shell command that says whether image `$1` is there.
    fn has_image(&self) -> &'static str;
    /// A shell command that fetches image `$1`.
    fn pull_image(&self) -> &'static str;
    /// For one whose containers are not in their units' control groups: the arguments by which, names following, it
    /// says in which they are.
    fn whereabouts(&self) -> Option<&'static [&'static str]> {
        None
    }
    /// A line of the answer: the container's name, and the unit that has its control group.
    fn scope<'a>(&self, _line: &'a str) -> Option<(&'a str, String)> {
        None
    }
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

/// The engine whose program that is.
pub(crate) fn of_program(path: &str) -> Option<Runtime> {
    let known = Runtime::ALL.iter().copied();
    known.into_iter().find(|runtime| engine(*runtime).program() == path)
}

/// The script that removes whatever is left of a container.
pub(crate) const REMOVE: &str = "/usr/libexec/conductor/remove";

/// Its arguments.
pub(crate) fn in_order_to_remove(exec: Exec, engine: &dyn Engine, name: impl Argument) -> Exec {
    let program = engine.program();
    exec.arg(program.rsplit('/').next().unwrap_or(program)).arg(name)
}

/// Removes whatever is left of a container. Its failure does not matter; may be repeated.
pub(crate) fn remove(engine: &dyn Engine, container: &Container<'_>) -> Exec {
    in_order_to_remove(Exec::new("-/usr/libexec/conductor/remove"), engine, container.name.clone())
}

/// Fetches an image.
pub(crate) fn pull(engine: &dyn Engine, image: &str, pull: Pull, only_missing: bool) -> Exec {
    let fetch = engine.pull_image();
    let script = match (only_missing, pull.retries) {
        (true, 0) => [engine.has_image(), " || exec ", fetch].concat(),
        (false, 0) => ["exec ", fetch].concat(),
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
