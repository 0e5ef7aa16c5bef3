//! What not everybody can do: users run containers without root.

use super::Check;
use crate::written::Spanned;
use crate::{Controllers, Diagnostic, Resources, Runtime};

impl Check {
    pub(super) fn runtime(&mut self, written: &Spanned<Runtime>) -> Runtime {
        let runtime = *written.get_ref();
        if runtime == Runtime::Docker && !self.abilities.docker {
            self.report(
                Diagnostic::error("not-for-users", "docker runs the machine's containers, not a user's")
                    .at(written.span(), "not possible here")
                    .help(
                        "leave `runtime` out: podman needs no root; or define it for the machine, in /etc/conductor",
                    ),
            );
        }
        runtime
    }

    /// Not an error: whether a port may be published is decided when it is, and root can change it.
    pub(super) fn lint_low_ports(&mut self) {
        let lowest = self.abilities.lowest_port;
        for (port, place) in std::mem::take(&mut self.low_ports) {
            self.report(
                Diagnostic::warning("low-port", format!("only root may publish ports below {lowest}"))
                    .at(place, format!("{port} is below"))
                    .help("take a higher one, or have root lower the sysctl net.ipv4.ip_unprivileged_port_start"),
            );
        }
    }

    /// systemd ignores limits that it cannot set. root passes controllers on to users' managers.
    pub(super) fn lint_controllers(&mut self, resources: &Resources) {
        let Resources { memory, memory_high, cpus, cpu_weight, io_weight, pids, slice: _ } = resources;
        let Controllers { cpu, io, memory: has_memory, pids: has_pids } = self.abilities.controllers;
        let keys = [
            (memory.is_some(), has_memory, "memory", "memory"),
            (memory_high.is_some(), has_memory, "memory-high", "memory"),
            (cpus.is_some(), cpu, "cpus", "cpu"),
            (cpu_weight.is_some(), cpu, "cpu-weight", "cpu"),
            (io_weight.is_some(), io, "io-weight", "io"),
            (pids.is_some(), has_pids, "pids", "pids"),
        ];
        for (_, _, key, controller) in keys.into_iter().filter(|(asked, able, ..)| *asked && !able) {
            let message = format!("`{key}` has no effect: users' systemd may not limit `{controller}` here");
            self.report(Diagnostic::warning("not-delegated", message).help(
                "root can change that: `systemctl edit user@.service`, [Service] Delegate=cpu io memory pids",
            ));
        }
    }
}
