//! podman, 4.3 and later.

use conductor_definition::{NetworkSettings, Object, Scope, Service, VolumeSettings, What};

use super::objects::{check_volumes, join, make, mount_options, options_of, parent};
use super::options::{image_and_command, options};
use super::{Container, Engine};
use crate::exec::{Exec, Shown};
use crate::limits::{engine_stop, seconds};
use crate::unit_file::UnitFile;

const PODMAN: &str = "/usr/bin/podman";

/// Runs containers without a daemon: conmon is the unit's main process and the container lives in a
/// control group below the unit's own, so systemd's limits and `systemctl kill` mean the container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Podman;

impl Engine for Podman {
    fn program(&self) -> &'static str {
        PODMAN
    }

    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    fn storage(&self, scope: Scope) -> Option<&'static str> {
        match scope {
            Scope::System => Some("/var/lib/containers"),
            // In the home directory, or where containers-storage.conf(5) says; it is mounted when the manager runs.
            Scope::User => None,
        }
    }

    fn is_in_unit(&self) -> bool {
        true
    }

    fn supervision(&self, unit: UnitFile, service: &Service) -> UnitFile {
        unit
            // conmon says READY=1 and MAINPID= when the container runs (--sdnotify=conmon).
            .set("Type", "notify")
            .set("NotifyAccess", "all")
            // --cgroups=split makes control groups of its own below the unit's.
            .set("Delegate", "yes")
            // SIGTERM for conmon only, which passes it on; the rest is killed when conmon has gone.
            .set("KillMode", "mixed")
            .set("TimeoutStopSec", engine_stop(service))
            // conmon's status for a container that SIGTERM ended: a stop, not a failure.
            .set("SuccessExitStatus", 143)
    }

    fn prepare(&self, _: &Container<'_>) -> Option<Exec> {
        None // `run --replace` does it.
    }

    fn run(&self, container: &Container<'_>) -> Exec {
        let exec = Exec::new(PODMAN)
            .args(["run", "--name"])
            .arg(container.name.clone())
            .args(["--replace", "--rm", "-d"])
            .line()
            // The pull unit has fetched the image; a second try here would use up the start timeout.
            .args(["--cgroups=split", "--sdnotify=conmon", "--pull=never"])
            .line();
        image_and_command(options(exec, container, self), container.service)
    }

    fn run_once(&self, container: &Container<'_>, terminal: bool) -> Exec {
        let exec = Exec::in_words(PODMAN).args(["run", "--name"]).arg(container.name.clone()).args([
            "--rm",
            "--interactive",
            "--cgroups=split",
        ]);
        let exec = if terminal { exec.arg("--tty") } else { exec };
        let exec = exec.arg(format!("--pull={}", container.service.pull.policy));
        image_and_command(options(exec, container, self), container.service)
    }

    fn stop(&self, container: &Container<'_>) -> Exec {
        Exec::new(PODMAN)
            .args(["stop", "--ignore"])
            .arg(Shown(format_args!("--time={}", seconds(container.service.stop.timeout))))
            .arg(container.name.clone())
    }

    fn has_image(&self) -> &'static str {
        "podman image exists \"$1\""
    }

    fn pull_image(&self) -> &'static str {
        // `podman pull --policy=missing` would do for both, but not before podman 5.
        "podman pull --quiet \"$1\""
    }

    fn network(&self, name: &str, alias: &str) -> String {
        format!("{name}:alias={alias}")
    }

    fn make(&self, object: &Object) -> Exec {
        let own = match &object.what {
            What::Network(network) => network_options(object, network),
            What::Volume(volume) => volume_options(volume),
        };
        make("podman", object, &options_of(object, own))
    }

    fn check_volumes(&self, script: Exec, volumes: &[&str]) -> Exec {
        check_volumes(script, "podman", volumes)
    }
}

fn network_options(object: &Object, network: &NetworkSettings) -> Vec<String> {
    let NetworkSettings { subnets, ipv6, internal, dns, dns_servers, interface } = network;
    let mut words: Vec<String> = subnets.iter().map(|one| format!("--subnet={}", one.subnet)).collect();
    // The n-th gateway and the n-th range belong to the n-th subnet (`networkCreate()`, cmd/podman/networks/create.go),
    // so those before one that is given are given too, as what podman would choose.
    let given = subnets.iter().rposition(|one| one.gateway.is_some()).map_or(0, |last| last + 1);
    let gateways = subnets.iter().take(given);
    words.extend(gateways.map(|one| {
        let gateway = one.gateway.unwrap_or_else(|| one.subnet.first());
        format!("--gateway={gateway}")
    }));
    let given = subnets.iter().rposition(|one| one.ip_range.is_some()).map_or(0, |last| last + 1);
    let ranges = subnets.iter().take(given);
    words.extend(ranges.map(|one| format!("--ip-range={}", one.ip_range.unwrap_or(one.subnet))));
    words.extend(ipv6.then(|| "--ipv6".to_owned()));
    words.extend(internal.then(|| "--internal".to_owned()));
    words.extend((!dns).then(|| "--disable-dns".to_owned()));
    words.extend(dns_servers.iter().map(|server| format!("--dns={server}")));
    words.extend(interface.as_ref().map(|interface| match parent(object, interface) {
        // The same, and podman 4.3 knows it.
        Some(option) => option,
        None => format!("--interface-name={interface}"),
    }));
    words
}

fn volume_options(volume: &VolumeSettings) -> Vec<String> {
    let VolumeSettings { device: _, file_system: _, mount_options: options, uid, gid } = volume;
    // Not options of mount(8), but podman finds them among those (podman-volume-create(1), --opt).
    let owner = [uid.map(|uid| format!("uid={uid}")), gid.map(|gid| format!("gid={gid}"))];
    mount_options(volume, &join(options, owner.into_iter().flatten()))
}
