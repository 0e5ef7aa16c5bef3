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

    /// Debian 13 and its docker.
    pub(crate) fn docker() -> Self {
        Self { host: Host::boot(&docker_image(Suite::Trixie)).unwrap(), engine: Engine::Docker }
    }

    /// Debian 12: systemd 252, podman 4.3 and docker 20.10. None where the package was built for a newer libc.
    pub(crate) fn bookworm(engine: Engine) -> Option<Self> {
        if !Suite::of_our_package().contains(&Suite::Bookworm) {
            announce("left out: a package built here does not run on bookworm");
            return None;
        }
        let image = match engine {
            Engine::Podman => with_conductor(Image::base(Suite::Bookworm).unwrap()),
            Engine::Docker => docker_image(Suite::Bookworm),
        };
        Some(Self { host: Host::boot(&image).unwrap(), engine })
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

    /// Shuts the machine down and boots it.
    pub(crate) fn reboot(&mut self) {
        self.host.reboot().unwrap();
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

/// For machines that are not up yet.
pub(crate) fn docker_image(suite: Suite) -> Image {
    with_conductor(Image::base(suite).unwrap().add_docker().unwrap())
}

fn with_conductor(image: Image) -> Image {
    image.add_payload().unwrap().add_package(&newest_package().unwrap()).unwrap()
}
