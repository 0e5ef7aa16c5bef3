//! The services that are soaked.

use super::fault::Target;

/// So many services of so many instances, which differ in name and ports only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// How many services.
    pub services: u32,
    /// How many instances each of them has.
    pub instances: u32,
}

/// The port of the first instance of the first service; those of a service follow each other.
const FIRST_PORT: u32 = 20000;

impl Fleet {
    /// All instances.
    pub fn targets(self) -> impl Iterator<Item = Target> {
        (1..=self.services)
            .flat_map(move |service| (1..=self.instances).map(move |instance| Target { service, instance }))
    }

    /// Where an instance answers on the machine.
    pub fn port(self, target: Target) -> u32 {
        FIRST_PORT + (target.service - 1) * self.instances + target.instance - 1
    }

    /// The definition of a service. Checks are quick, so that a soak of minutes sees many verdicts; all that
    /// they have an excuse for is kept, because the machine will be busy.
    pub fn definition(self, service: u32) -> String {
        let port = self.port(Target { service, instance: 1 });
        let instances = self.instances;
        format!(
            r#"image = "localhost/web:1"
command = ["payload"]
instances = {instances}

[[ports]]
container = 8080
host = {port}

[health]
path = "/healthz"
interval = "1s"
timeout = "1s"
unhealthy-after = 3
start-within = "30s"
kill-grace = "3s"
max-hold = "10s"

[restart]
delay = "2s"
max-delay = "2s"
limit = {{ starts = 20, within = "auto" }}
"#
        )
    }
}
