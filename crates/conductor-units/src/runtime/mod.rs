//! Container engines: how each is told to run, stop and remove a container under systemd.

mod podman;

use conductor_definition::{EnvironmentName, Image};

use crate::exec::{Exec, Word};
use crate::unit_file::UnitFile;

pub(crate) use podman::Podman;

/// What an engine needs to know of a container.
#[derive(Debug)]
pub(crate) struct Container<'a> {
    /// The container's name.
    pub(crate) name: Word,
    /// The service's name, for labels.
    pub(crate) service: &'a str,
    pub(crate) image: &'a Image,
    pub(crate) command: &'a [String],
    /// Set by us, before the user's.
    pub(crate) own_environment: Vec<(&'static str, Word)>,
    pub(crate) environment: Vec<(&'a EnvironmentName, &'a str)>,
    /// Host port and container port.
    pub(crate) ports: Vec<(Word, u16)>,
}

/// One engine.
pub(crate) trait Engine {
    /// How systemd follows the container: `Type=` and what goes with it.
    fn supervision(&self, unit: UnitFile) -> UnitFile;
    /// Starts the container; its image is on the machine.
    fn run(&self, container: &Container<'_>) -> Exec;
    /// Stops it and waits.
    fn stop(&self, container: &Container<'_>) -> Exec;
    /// Removes whatever is left of it. Never fails, may be repeated.
    fn remove(&self, container: &Container<'_>) -> Exec;
    /// Fetches an image unless it is there.
    fn pull(&self, image: &Image) -> Exec;
    /// Where images and containers are stored.
    fn storage(&self) -> &'static str;
}
