//! docker, with its daemon.

use conductor_definition::{NetworkSettings, Object, Service, SubnetSettings, VolumeSettings, What};

use super::objects::{check_volumes, join, make, mount_options, options_of, parent};
use super::options::{image_and_command, options};
use super::{Container, Engine};
use crate::exec::Exec;
use crate::limits::{engine_stop, seconds};
use crate::unit_file::UnitFile;

const DOCKER: &str = "/usr/bin/docker";

/// The client is the unit's main process: attached, without a terminal, so that it passes signals on
/// (`--sig-proxy`) and ends with the container's status. The container itself is a child of the daemon's,
/// in a control group of the daemon's: limits are given to it, and what is left of it is removed by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Docker;

impl Engine for Docker {
    fn needs(&self) -> &'static [&'static str] {
        &["docker.service"]
    }

    fn storage(&self) -> &'static str {
        "/var/lib/docker"
    }

    fn is_in_unit(&self) -> bool {
        false
    }

    fn supervision(&self, unit: UnitFile, service: &Service) -> UnitFile {
        unit.set("Type", "exec")
            .set("KillMode", "mixed")
            .set("TimeoutStopSec", engine_stop(service))
            .set("SuccessExitStatus", 143)
    }

    fn prepare(&self, container: &Container<'_>) -> Option<Exec> {
        Some(self.remove(container))
    }

    fn run(&self, container: &Container<'_>) -> Exec {
        let exec = Exec::new(DOCKER)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--rm", "--pull=never"])
            .line();
        let exec = limits(exec, container.service);
        image_and_command(options(exec, container, self), container.service)
    }

    fn run_once(&self, container: &Container<'_>, terminal: bool) -> Exec {
        let exec = Exec::in_words(DOCKER)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--rm", "--interactive"]);
        let exec = if terminal { exec.arg("--tty") } else { exec };
        let exec = exec.arg(format!("--pull={}", container.service.pull.policy.as_str()));
        let exec = limits(exec, container.service);
        image_and_command(options(exec, container, self), container.service)
    }

    fn stop(&self, container: &Container<'_>) -> Exec {
        Exec::new(DOCKER)
            .arg("stop")
            .arg(format!("--time={}", seconds(container.service.stop.timeout)))
            .arg(container.name.clone())
    }

    fn remove(&self, container: &Container<'_>) -> Exec {
        // With --force it is no mistake that there is none.
        Exec::new("-/usr/bin/docker").args(["rm", "--force", "--volumes"]).arg(container.name.clone())
    }

    fn has_image(&self) -> &'static str {
        "docker image inspect \"$1\" >/dev/null 2>&1"
    }

    fn pull_image(&self) -> &'static str {
        "docker pull --quiet \"$1\""
    }

    fn remove_quietly(&self) -> &'static str {
        "docker rm --force --volumes \"$1\" >/dev/null 2>&1"
    }

    fn network(&self, name: &str, alias: &str) -> String {
        format!("name={name},alias={alias}")
    }

    fn make(&self, object: &Object) -> Exec {
        let own = match &object.what {
            What::Network(network) => network_options(object, network),
            What::Volume(volume) => {
                // No owner: validation refuses one.
                let VolumeSettings { device: _, file_system: _, mount_options: options, uid: _, gid: _ } =
                    volume;
                mount_options(volume, &join(options, []))
            }
        };
        make("docker", object, &options_of(object, own))
    }

    fn check_volumes(&self, script: Exec, volumes: &[&str]) -> Exec {
        check_volumes(script, "docker", volumes)
    }
}

/// docker finds the subnet of a gateway and of a range by itself.
fn network_options(object: &Object, network: &NetworkSettings) -> Vec<String> {
    // Names are always resolved, and there are no servers for it: validation refuses both.
    let NetworkSettings { subnets, ipv6, internal, dns: _, dns_servers: _, interface } = network;
    let mut words = Vec::new();
    for SubnetSettings { subnet, gateway, ip_range } in subnets {
        words.push(format!("--subnet={subnet}"));
        words.extend(gateway.map(|gateway| format!("--gateway={gateway}")));
        words.extend(ip_range.map(|range| format!("--ip-range={range}")));
    }
    // Without it, docker passes over subnets of IPv6.
    words.extend(ipv6.then(|| "--ipv6".to_owned()));
    words.extend(internal.then(|| "--internal".to_owned()));
    words.extend(interface.as_ref().map(|interface| {
        let bridge = || format!("--opt=com.docker.network.bridge.name={interface}");
        parent(object, interface).unwrap_or_else(bridge)
    }));
    words
}

/// The unit's limits would be the client's.
fn limits(exec: Exec, service: &Service) -> Exec {
    let resources = &service.resources;
    let mut words = Vec::new();
    if let Some(memory) = resources.memory {
        // Without a limit for both together docker grants as much swap again.
        words.push(format!("--memory={}b", memory.bytes()));
        words.push(format!("--memory-swap={}b", memory.bytes()));
    }
    words.extend(resources.memory_high.map(|memory| format!("--memory-reservation={}b", memory.bytes())));
    words.extend(resources.cpus.map(|cpus| format!("--cpus={}", cpus.decimal())));
    words.extend(resources.pids.map(|pids| format!("--pids-limit={pids}")));
    if words.is_empty() { exec } else { exec.args(words).line() }
}
