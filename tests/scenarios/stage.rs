//! Where a scenario plays that has to play out alike with every engine and on every release.

use std::ops::Deref;

use conductor_tests::{Host, Image, Suite, announce, newest_package};

use crate::common;

/// A machine with Conductor, and the engine that its services run on.
pub(crate) struct Stage {
    host: Host,
    pub(crate) engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Podman,
    Docker,
}

impl Engine {
    /// Its program, which is also its name in definitions.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Podman => "podman",
            Self::Docker => "docker",
        }
    }
}

impl Deref for Stage {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Stage {
    /// Debian 13 and podman, where most scenarios play.
    pub(crate) fn podman() -> Self {
        Self { host: common::host(), engine: Engine::Podman }
    }

    /// Debian 13 and Debian's docker.
    pub(crate) fn docker() -> Self {
        Self { host: Host::boot(&Self::docker_image()).unwrap(), engine: Engine::Docker }
    }

    /// What [`docker`](Self::docker) boots, for machines that are not up yet.
    pub(crate) fn docker_image() -> Image {
        let image = Image::base(Suite::Trixie).unwrap().add_docker().unwrap().add_payload().unwrap();
        image.add_package(&newest_package().unwrap()).unwrap()
    }

    /// Debian 12: systemd 252 and podman 4.3. None where the package was built for a newer libc.
    pub(crate) fn bookworm() -> Option<Self> {
        if !Suite::of_our_package().contains(&Suite::Bookworm) {
            announce("left out: a package built here does not run on bookworm");
            return None;
        }
        let image = Image::base(Suite::Bookworm).unwrap().add_payload().unwrap();
        let image = image.add_package(&newest_package().unwrap()).unwrap();
        Some(Self { host: Host::boot(&image).unwrap(), engine: Engine::Podman })
    }

    /// Writes a definition for this engine and reloads.
    pub(crate) fn define(&self, name: &str, definition: &str) {
        common::define(&self.host, name, &self.with_runtime(definition));
    }

    /// The definition with `runtime`, which stands at the top.
    pub(crate) fn with_runtime(&self, definition: &str) -> String {
        format!("runtime = \"{}\"\n{definition}", self.engine.name())
    }

    /// Defines `web` and starts it, anew if it runs.
    pub(crate) fn start(&self, definition: &str) {
        self.define("web", definition);
        self.ok(["systemctl", "restart", "web.service"]).unwrap();
    }

    /// Runs the engine's program.
    pub(crate) fn cli<const N: usize>(&self, arguments: [&str; N]) -> String {
        self.ok([self.engine.name()].into_iter().chain(arguments)).unwrap()
    }

    /// A script in the container of `web`.
    pub(crate) fn inside(&self, script: &str) -> String {
        self.cli(["exec", "conductor-web", "sh", "-c", script])
    }

    /// Exactly these containers exist, as [`common::only_containers`] has it.
    pub(crate) fn only_containers(&self, names: &[&str]) {
        common::only_containers_of(self.engine, &self.host, names);
    }
}
