//! What `conductor status` shows of one unit.

use crate::view::{ActiveState, LoadState};
use crate::{Error, Systemd, UnitName};
use std::time::Duration;
use zbus::proxy::CacheProperties;

/// Read by one call: asked for the interface with the empty name, systemd answers with the properties
/// of all of them, as `systemctl show` has it.
#[derive(Debug, Default, zbus::DeserializeDict, zbus::Type)]
#[zbus(signature = "a{sv}", rename_all = "PascalCase")]
pub(crate) struct StatusProperties {
    load_state: Option<String>,
    active_state: Option<String>,
    sub_state: Option<String>,
    result: Option<String>,
    status_text: Option<String>,
    need_daemon_reload: Option<bool>,
    #[zbus(rename = "NRestarts")]
    n_restarts: Option<u32>,
    memory_current: Option<u64>,
    #[zbus(rename = "CPUUsageNSec")]
    cpu_usage_nsec: Option<u64>,
    active_enter_timestamp: Option<u64>,
    inactive_enter_timestamp: Option<u64>,
    state_change_timestamp: Option<u64>,
}

/// A unit as people want to see it, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitStatus {
    /// Whether the unit has a file.
    pub load_state: LoadState,
    /// The state that all types of unit share.
    pub active_state: ActiveState,
    /// The state of its own type, such as `running` or `auto-restart`.
    pub sub_state: String,
    /// How the last run of a service ended, such as `exit-code`; `success` while nothing is wrong.
    pub result: Option<String>,
    /// What the service says of itself (`STATUS=`).
    pub status_text: Option<String>,
    /// Whether the unit's files were changed since systemd read them.
    pub need_daemon_reload: bool,
    /// How often systemd has restarted the service by itself.
    pub restarts: Option<u32>,
    /// Bytes of memory; none without accounting or control group.
    pub memory: Option<u64>,
    /// Processor time; none without accounting.
    pub cpu: Option<Duration>,
    /// Since when it is in this state, after the beginning of 1970; none if it never was in another.
    pub since: Option<Duration>,
}

impl UnitStatus {
    pub(crate) fn new(read: StatusProperties) -> Self {
        let word = |text: Option<String>| text.unwrap_or_default();
        let active_state = ActiveState::from(word(read.active_state).as_str());
        // systemd's way of saying that it does not know (UINT64_MAX, CGROUP_LIMIT_MAX).
        let known = |number: Option<u64>| number.filter(|number| *number != u64::MAX);
        let since = match active_state {
            ActiveState::Active | ActiveState::Reloading => read.active_enter_timestamp,
            ActiveState::Inactive | ActiveState::Failed => read.inactive_enter_timestamp,
            _ => read.state_change_timestamp,
        };
        Self {
            load_state: word(read.load_state).as_str().into(),
            active_state,
            sub_state: word(read.sub_state),
            result: read.result,
            status_text: read.status_text.filter(|text| !text.is_empty()),
            need_daemon_reload: read.need_daemon_reload.unwrap_or(false),
            restarts: read.n_restarts,
            memory: known(read.memory_current),
            cpu: known(read.cpu_usage_nsec).map(Duration::from_nanos),
            since: since.filter(|at| *at != 0).map(Duration::from_micros),
        }
    }

    /// Whether the unit is up.
    pub fn is_active(&self) -> bool {
        matches!(self.active_state, ActiveState::Active | ActiveState::Reloading)
    }
}

impl Systemd {
    /// Reads what there is to show of a unit. One that does not exist reads as [`LoadState::NotFound`].
    pub async fn status(&self, name: &UnitName) -> Result<UnitStatus, Error> {
        let path = self.load_unit(name).await?;
        let reading = async {
            let properties = crate::proxy::PropertiesAsShownProxy::builder(self.connection())
                .path(path)
                .cache_properties(CacheProperties::No)
                .build()
                .await?;
            Ok::<_, zbus::Error>(UnitStatus::new(properties.get_all("").await?))
        };
        reading.await.map_err(|error| Error::new(format!("reading {name}"), &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_numbers_are_none() {
        let status = UnitStatus::new(StatusProperties {
            active_state: Some("inactive".into()),
            memory_current: Some(u64::MAX),
            cpu_usage_nsec: Some(1_500_000_000),
            active_enter_timestamp: Some(7),
            inactive_enter_timestamp: Some(0),
            status_text: Some(String::new()),
            ..StatusProperties::default()
        });
        assert_eq!(status.memory, None);
        assert_eq!(status.cpu, Some(Duration::from_millis(1500)));
        assert_eq!(status.since, None, "it was never active, or systemd forgot it");
        assert_eq!(status.status_text, None);
        assert!(!status.is_active());
    }
}
