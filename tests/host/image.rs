//! What a machine is booted from: a suite's root file system, perhaps with a package on top and containers ready.

use std::path::{Path, PathBuf};

use crate::cache::{self, Cached};
use crate::{Result, docker, observers, package, preflight, recipe, registry, rootless, storage};

/// The Debian releases Conductor is tested on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Suite {
    /// Debian 12: systemd 252, the oldest supported; podman 4.3.
    Bookworm,
    /// Debian 13: systemd 257, podman 5.4. Scenarios run here unless the version matters.
    Trixie,
    /// What is to be Debian 14: systemd 262, podman 5.8, and an nginx with `keepalive_min_timeout` (1.27.4).
    Forky,
}

impl Suite {
    /// The name the archive uses.
    pub fn codename(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Trixie => "trixie",
            Self::Forky => "forky",
        }
    }

    /// Suites on which a package built on this machine can be installed: it needs a libc as new as the one here. Forky is
    /// left to scenarios that need it.
    pub fn of_our_package() -> &'static [Self] {
        match preflight::os_release("VERSION_CODENAME").as_deref() {
            Some("bookworm") => &[Self::Bookworm, Self::Trixie],
            _ => &[Self::Trixie],
        }
    }

    /// The suite of a code name.
    pub fn of_codename(name: &str) -> Option<Self> {
        [Self::Bookworm, Self::Trixie, Self::Forky].into_iter().find(|suite| suite.codename() == name)
    }
}

/// A cached root file system. Cheap to clone; machines booted from it never change it.
#[derive(Debug, Clone)]
pub struct Image {
    pub(crate) suite: Suite,
    kind: String,
    /// Topmost first, as overlayfs lists them.
    layers: Vec<Cached>,
    /// Holds what becomes `/var/lib/containers` and `/var/lib/docker`.
    storage: Option<Cached>,
}

impl Image {
    /// A bare host of `suite`: systemd, podman, nginx, polkit, and nothing of ours.
    pub fn base(suite: Suite) -> Result<Self> {
        preflight::require(false)?;
        Self::bare(suite, false)
    }

    /// The usual host: trixie with the newest package built by `cargo xtask package` and the payload's image.
    pub fn with_conductor() -> Result<Self> {
        Self::base(Suite::Trixie)?.add_payload()?.add_package(&package::newest_package()?)
    }

    /// The same with docker and a kernel, for [`emulate`](crate::emulate).
    pub fn with_kernel() -> Result<Self> {
        Self::kernel()?.add_package(&package::newest_package()?)
    }

    /// What is below the package there.
    pub(crate) fn kernel() -> Result<Self> {
        preflight::require(true)?;
        Self::bare(Suite::Trixie, true)?.add_docker()?.add_payload()
    }

    fn bare(suite: Suite, kernel: bool) -> Result<Self> {
        let key = cache::key(&(suite, kernel, recipe::SOURCE));
        let kind = format!("{}{}", suite.codename(), if kernel { "-kernel" } else { "" });
        let base = cache::entry(&kind, &key, |root| recipe::build(suite, kernel, root))?;
        Ok(Self { suite, kind, layers: vec![base], storage: None })
    }

    /// With a .deb installed by the suite's own dpkg.
    pub fn add_package(self, deb: &Path) -> Result<Self> {
        let layer = package::layer(&self, deb)?;
        Ok(self.add_layer("package", layer))
    }

    /// With Debian's docker beside podman.
    pub fn add_docker(self) -> Result<Self> {
        let layer = docker::layer(&self)?;
        Ok(self.add_layer("docker", layer))
    }

    /// With HAProxy, Prometheus' `promtool` and strace.
    pub fn add_observers(self) -> Result<Self> {
        let layer = observers::layer(&self)?;
        Ok(self.add_layer("observers", layer))
    }

    /// With Debian's registry of images.
    pub fn add_registry(self) -> Result<Self> {
        let layer = registry::layer(&self)?;
        Ok(self.add_layer("registry", layer))
    }

    /// With `localhost/web:1`, our test server in a container image, in the storage of each engine.
    pub fn add_payload(mut self) -> Result<Self> {
        self.storage = Some(storage::with_payload(&self)?);
        Ok(self)
    }

    /// With users who can run containers of their own: `alice`, whose services run without her being logged in, and
    /// `bob`.
    pub fn add_users(self) -> Result<Self> {
        let layer = rootless::layer(&self)?;
        Ok(self.add_layer("users", layer))
    }

    pub(crate) fn add_layer(mut self, name: &str, layer: Cached) -> Self {
        self.layers.insert(0, layer);
        self.kind = format!("{}-{name}", self.kind);
        self
    }

    /// Names what it is, for what is built on top: the cache keeps the newest of each kind.
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }

    /// Read-only directories, topmost first. A layer keeps its files in `upper`, the base in itself.
    pub(crate) fn lower_dirs(&self) -> Vec<PathBuf> {
        let dirs = self.layers.iter().map(|layer| {
            let upper = layer.path.join("upper");
            if upper.is_dir() { upper } else { layer.path.clone() }
        });
        dirs.collect()
    }

    /// The directory to copy to `/var/lib`, if containers come with the image.
    pub(crate) fn storage_dir(&self) -> Option<&Path> {
        self.storage.as_ref().map(|storage| storage.path.as_path())
    }

    /// Identifies the content, for what is built on top.
    pub(crate) fn key(&self) -> String {
        cache::key(&self.layers.iter().map(|layer| &layer.path).collect::<Vec<_>>())
    }
}
