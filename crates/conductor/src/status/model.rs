//! What is shown, in the form that --json has.

use conductor_systemd::UnitName;
use serde::Serialize;

use super::health::Health;
use super::text::utc;

/// Everything.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Status {
    pub(super) services: Vec<Service>,
}

/// A service.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) definition: Option<String>,
    /// The first error of a broken definition.
    pub(super) problem: Option<String>,
    /// What wants a hand.
    pub(super) notes: Vec<String>,
    /// What the health checker says of itself.
    pub(super) checks: Option<String>,
    pub(super) instances: Vec<Instance>,
    /// A deploy or a restart that has not ended.
    pub(super) deploy: Option<Deploy>,
}

/// A deploy, a rollback or a restart that has not ended.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Deploy {
    pub(super) what: &'static str,
    pub(super) release: Option<String>,
    pub(super) by: Option<String>,
    #[serde(serialize_with = "as_utc")]
    pub(super) since: Option<std::time::Duration>,
    /// The last step that was begun.
    pub(super) step: Option<&'static str>,
    /// The stage in which it waits until somebody says how it goes on.
    pub(super) waits: Option<conductor_deploy::Stage>,
    /// How it fares there.
    pub(super) waiting: Option<conductor_deploy::Waits>,
    /// Who is at it; none if it was interrupted, or waits.
    pub(super) running: Option<String>,
}

/// A container.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Instance {
    /// None where there is only one.
    #[serde(rename = "instance")]
    pub(super) number: Option<u16>,
    /// What runs, or, while nothing does, what would be started.
    pub(super) release: Option<String>,
    pub(super) unit: String,
    pub(super) load: String,
    pub(super) active: String,
    pub(super) sub: String,
    pub(super) result: Option<String>,
    pub(super) health: Option<Health>,
    #[serde(serialize_with = "as_utc")]
    pub(super) since: Option<std::time::Duration>,
    pub(super) restarts: Option<u32>,
    pub(super) memory: Option<u64>,
    #[serde(serialize_with = "as_seconds")]
    pub(super) cpu: Option<std::time::Duration>,
    pub(super) daemon_reload_needed: bool,
    pub(super) restart_needed: bool,
}

impl Status {
    /// The units that it is about.
    pub(super) fn units(&self) -> Vec<UnitName> {
        let instances = self.services.iter().flat_map(|service| &service.instances);
        instances.filter_map(|instance| instance.unit.parse().ok()).collect()
    }
}

#[allow(clippy::ref_option, reason = "serde passes the field by reference")]
fn as_utc<S: serde::Serializer>(at: &Option<std::time::Duration>, to: S) -> Result<S::Ok, S::Error> {
    at.map(utc).serialize(to)
}

#[allow(clippy::ref_option, reason = "serde passes the field by reference")]
fn as_seconds<S: serde::Serializer>(spent: &Option<std::time::Duration>, to: S) -> Result<S::Ok, S::Error> {
    spent.map(|spent| spent.as_secs_f64()).serialize(to)
}
