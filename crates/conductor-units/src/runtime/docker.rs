//! docker, with its daemon. Tried with 26.1.

use conductor_definition::{
    Log, Mount, MountSource, NetworkSettings, Object, Scope, Service, SubnetSettings, VolumeSettings, What,
};

use super::objects::{check_volumes, join, make, mount_options, options_of, parent};
use super::options::{self, image_and_command, options};
use super::{Container, Engine, remove};
use crate::container::slice;
use crate::exec::Exec;
use crate::limits::{engine_stop, seconds};
use crate::unit_file::UnitFile;

const DOCKER: &str = "/usr/bin/docker";

/// Stops container `$1`, if it is there: otherwise docker would complain in the unit's log, and `stop` fail,
/// each time that a container has ended by itself.
///
/// Not when docker is down: its socket would start it again, and the command wait for that. When the daemon crashes,
/// systemd orders its restart after our stop (`PartOf=`), and both would wait for each other until a time-out. What
/// is left behind then is removed before the next start (`units/remove`).
const STOP: &str = "systemctl is-active --quiet docker.service && \
    docker container inspect \"$1\" >/dev/null 2>&1 || exit 0; \
    exec docker stop -t \"$2\" \"$1\" >/dev/null";

/// The client is the unit's main process: attached, without a terminal, so that it passes signals on
/// (`--sig-proxy`) and ends with the container's status. The container itself is a child of the daemon's,
/// in a control group of the daemon's: limits are given to it, and what is left of it is removed by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Docker;

impl Engine for Docker {
    fn program(&self) -> &'static str {
        DOCKER
    }

    fn needs(&self) -> &'static [&'static str] {
        &["docker.service"]
    }

    fn storage(&self, _: Scope) -> Option<&'static str> {
        Some("/var/lib/docker")
    }

    fn is_in_unit(&self) -> bool {
        false
    }

    fn supervision(&self, unit: UnitFile, service: &Service) -> UnitFile {
        unit.set("Type", "exec")
            .set("KillMode", "mixed")
            .set("TimeoutStopSec", engine_stop(service))
            .set("SuccessExitStatus", 143)
            .with(|unit| output(unit, &service.log))
    }

    fn prepare(&self, container: &Container<'_>) -> Option<Exec> {
        Some(remove(self, container))
    }

    fn run(&self, container: &Container<'_>) -> Exec {
        let service = container.service;
        let exec = Exec::new(DOCKER)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--rm", "--pull=never"])
            .line();
        let exec = limits(within(exec, service), service).line();
        image_and_command(options(exec, container, self), service)
    }

    fn mount(&self, exec: Exec, mount: &Mount) -> Exec {
        // `--volume` would make an empty directory of a source that is not there.
        let Mount { source, target, read_only, options } = mount;
        match source {
            MountSource::Path(source) if options.is_empty() => {
                let (source, target) = (field("source", source.as_str()), field("target", target.as_str()));
                let read_only = if *read_only { ",readonly" } else { "" };
                exec.arg("--mount").arg(format!("type=bind,{source},{target}{read_only}")).line()
            }
            _ => options::volume(exec, mount),
        }
    }

    fn log(&self, exec: Exec, log: &Log) -> Exec {
        let Log { driver, options: _ } = log;
        if driver.is_journald() {
            // The client prints what the container prints, which systemd brings to the journal. docker's own
            // driver would write each line a second time, as docker.service's.
            exec.arg("--log-driver=none").line()
        } else {
            // Signals are passed on only while something is attached.
            options::log(exec.arg("--attach=stdout").line(), log)
        }
    }

    fn run_once(&self, container: &Container<'_>, terminal: bool) -> Exec {
        let exec = Exec::in_words(DOCKER)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--rm", "--interactive"]);
        let exec = if terminal { exec.arg("--tty") } else { exec };
        let exec = exec.arg(format!("--pull={}", container.service.pull.policy));
        let exec = limits(within(exec, container.service), container.service);
        image_and_command(options(exec, container, self), container.service)
    }

    fn stop(&self, container: &Container<'_>) -> Exec {
        // If it fails, the log says why, and systemd goes on with signals.
        let timeout = seconds(container.service.stop.timeout);
        shell(STOP, "stop", container).arg(timeout.to_string())
    }

    fn has_image(&self) -> &'static str {
        "docker image inspect \"$1\" >/dev/null 2>&1"
    }

    fn pull_image(&self) -> &'static str {
        "docker pull --quiet \"$1\""
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

    fn whereabouts(&self) -> Option<&'static [&'static str]> {
        Some(&["container", "inspect", "--format", "{{.Name}} {{.Id}}"])
    }

    fn scope<'a>(&self, line: &'a str) -> Option<(&'a str, String)> {
        // With docker's cgroup driver "systemd", the default on cgroup v2.
        let (name, id) = line.strip_prefix('/')?.split_once(' ')?;
        Some((name, format!("docker-{id}.scope")))
    }
}

fn shell(script: &'static str, name: &'static str, container: &Container<'_>) -> Exec {
    Exec::new("-/bin/sh").arg("-c").arg(script).arg(name).arg(container.name.clone())
}

/// Its control group, a scope, is where the unit's own would be.
fn within(exec: Exec, service: &Service) -> Exec {
    exec.arg(format!("--cgroup-parent={}", slice(service)))
}

/// One field of what `--mount` takes, which is a line of CSV (RFC 4180). Commas are not in validated paths.
fn field(key: &str, value: &str) -> String {
    let field = format!("{key}={value}");
    if field.contains('"') { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

/// With another driver the output is where that brings it, and only there. docker's own complaints still reach the
/// journal.
fn output(unit: UnitFile, log: &Log) -> UnitFile {
    if log.driver.is_journald() {
        unit
    } else {
        unit.set("StandardOutput", "null").set("StandardError", "journal")
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
    words.extend(resources.cpus.map(|cpus| format!("--cpus={}", cpus.decimal())));
    words.extend(resources.pids.map(|pids| format!("--pids-limit={pids}")));
    exec.args(words)
}
