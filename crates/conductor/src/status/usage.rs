//! Memory and processor time of containers that are not in their units' control groups.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use conductor_systemd::{Systemd, UnitStatus};
use conductor_units::{InstanceUnit, Whereabouts};

use crate::ask::ask;

/// What a container uses; `None` is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) memory: Option<u64>,
    pub(super) cpu: Option<Duration>,
}

impl Usage {
    fn of(unit: &UnitStatus) -> Self {
        Self { memory: unit.memory.filter(|_| unit.is_active()), cpu: unit.cpu }
    }
}

/// The units that have the control groups of containers, by the containers' names.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(BTreeMap<String, String>);

impl Elsewhere {
    /// Asks the engines, those that run. None answers where one cannot be asked, which leaves columns empty and is no
    /// reason to show nothing.
    pub(super) async fn find(instances: &[InstanceUnit], systemd: &Systemd) -> Result<Self, String> {
        let mut found = BTreeMap::new();
        for question in Whereabouts::of(instances) {
            let mut up = true;
            for unit in question.needs() {
                up = up && ask(systemd, unit).await?.is_active();
            }
            if up {
                found.extend(question.read(&answer(&question)));
            }
        }
        Ok(Self(found))
    }

    /// What the container of an instance uses.
    pub(super) async fn usage(
        &self,
        instance: &InstanceUnit,
        seen: &UnitStatus,
        systemd: &Systemd,
    ) -> Result<Usage, String> {
        if instance.has_container_inside() {
            return Ok(Usage::of(seen));
        }
        match self.0.get(&instance.container) {
            Some(unit) => Ok(Usage::of(&ask(systemd, unit).await?)),
            None => Ok(Usage::default()),
        }
    }
}

fn answer(question: &Whereabouts) -> String {
    let (program, arguments) = question.question();
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
