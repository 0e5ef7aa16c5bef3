//! The services of the machine, for commands that are about one of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conductor_definition::{DefinitionName, Kind, ServiceName, Site, find};
use conductor_generator::{Log, Priority, preview};
use conductor_units::{InstanceUnit, ServiceUnits, Tree, objects_in, services_in};

use crate::whose::{Whose, conductor};

/// Where definitions and units are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Root {
    /// Use the machine, or the image of one, below this directory.
    #[arg(long, value_name = "DIR", env = "CONDUCTOR_ROOT", default_value = "/")]
    pub(crate) root: PathBuf,
}

impl Root {
    /// What the command reads.
    pub(crate) fn site(&self, whose: Whose) -> Result<Site, String> {
        whose.site(&self.root)
    }

    /// An error unless it is the machine that we are on; `what` is asked of it.
    pub(crate) fn must_run(&self, what: &str) -> Result<(), String> {
        if self.is_running() {
            return Ok(());
        }
        Err(format!("{what} that of the machine that runs: leave out --root and CONDUCTOR_ROOT"))
    }

    /// Whether it is the machine that we are on, so that its systemd can be asked.
    pub(crate) fn is_running(&self) -> bool {
        self.root == Path::new("/")
    }
}

/// Every service that has units or a definition.
#[derive(Debug)]
pub(crate) struct Services {
    tree: Tree,
    names: Vec<String>,
    /// Where a new definition goes.
    directory: PathBuf,
    /// How people call this program about them.
    conductor: &'static str,
}

impl Services {
    pub(crate) fn look(site: &Site) -> Self {
        let (tree, _) = preview(site, &mut Silent);
        let found = find(site, Kind::Service);
        let defined = found
            .candidates
            .iter()
            .filter_map(|found| ServiceName::from_path(&found.main.path).ok())
            .map(|n| n.to_string());
        let mut names: Vec<String> =
            services_in(&tree).into_iter().map(str::to_owned).chain(defined).collect();
        names.sort();
        names.dedup();
        Self { tree, names, directory: own_directory(site), conductor: conductor(site.scope()) }
    }

    /// The name if there is such a service. `web.service` and `web.target` are understood as well: people
    /// come from systemctl.
    pub(crate) fn name<'a>(&self, asked: &'a str) -> Result<&'a str, String> {
        let name = asked.strip_suffix(".service").or_else(|| asked.strip_suffix(".target")).unwrap_or(asked);
        if self.names.iter().any(|known| known == name) {
            return Ok(name);
        }
        let cure = match (nearest(name, &self.names), self.names.is_empty()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, true) => format!("write {}/{name}.toml to define it", self.directory.display()),
            (None, false) => format!("`{} status` lists all services", self.conductor),
        };
        Err(format!("there is no service `{name}`: {cure}"))
    }

    /// Networks and volumes that services can have made.
    pub(crate) fn objects(&self) -> BTreeSet<DefinitionName> {
        objects_in(&self.tree)
    }

    /// The units of a service.
    pub(crate) fn units(&self, asked: &str) -> Result<ServiceUnits, String> {
        Ok(ServiceUnits::find(&self.tree, self.name(asked)?))
    }

    /// The units of a service that has containers.
    pub(crate) fn running_units(&self, asked: &str) -> Result<ServiceUnits, String> {
        let units = self.units(asked)?;
        if units.instances.is_empty() {
            return Err(format!(
                "the definition of `{asked}` is broken and there is no earlier one: `{} check` says what to mend",
                self.conductor
            ));
        }
        Ok(units)
    }
}

/// Where definitions of services are that the caller may change: the first of the search path.
pub(crate) fn own_directory(site: &Site) -> PathBuf {
    site.search_path(Kind::Service).into_iter().next().unwrap_or_default()
}

/// The containers that `--instance` leaves, or all.
pub(crate) fn chosen(
    service: &str,
    units: &ServiceUnits,
    number: Option<u16>,
) -> Result<Vec<InstanceUnit>, String> {
    let Some(number) = number else { return Ok(units.instances.clone()) };
    let chosen: Vec<InstanceUnit> =
        units.instances.iter().filter(|instance| instance.number == Some(number)).cloned().collect();
    if !chosen.is_empty() {
        return Ok(chosen);
    }
    Err(match numbers(units).as_slice() {
        [] => format!("`{service}` is a single container: leave --instance out"),
        known => format!("`{service}` has no instance {number}: choose one of {}", known.join(", ")),
    })
}

/// The numbers of a service's instances, as text.
pub(crate) fn numbers(units: &ServiceUnits) -> Vec<String> {
    units.instances.iter().filter_map(|instance| instance.number).map(|number| number.to_string()).collect()
}

/// The name that was probably meant.
fn nearest<'a>(word: &str, names: &'a [String]) -> Option<&'a str> {
    let likeness = |name: &str| similar::TextDiff::from_chars(word, name).ratio();
    names
        .iter()
        .map(|name| (likeness(name), name.as_str()))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, name)| name)
}

/// For commands that are not about what is wrong with definitions.
#[derive(Debug)]
pub(crate) struct Silent;

impl Log for Silent {
    fn log(&mut self, _: Priority, _: &str) {}
}
