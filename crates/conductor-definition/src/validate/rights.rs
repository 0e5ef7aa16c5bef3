//! What not everybody can do: users run containers without root.

use std::collections::BTreeMap;

use super::Check;
use crate::value::{SecretName, UserNamespace};
use crate::written::{Id, Spanned};
use crate::{Controllers, Diagnostic, FileMode, Resources, Runtime, Secret, written};

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

    pub(super) fn secrets(
        &mut self,
        written: BTreeMap<SecretName, Spanned<written::Secret>>,
        user_namespace: Option<&Spanned<UserNamespace>>,
    ) -> BTreeMap<SecretName, Secret> {
        if !self.abilities.encrypted_secrets {
            for secret in written.values().filter(|secret| secret.get_ref().encrypted) {
                self.report(
                    Diagnostic::error("not-for-users", "this systemd does not decrypt secrets for users")
                        .at(secret.span(), "is encrypted")
                        .help(
                            "systemd 258 and later do; until then name a plain file that only you may read",
                        ),
                );
            }
        }
        let namespace = user_namespace.filter(|written| written.get_ref().0 != "host");
        let plain = |(name, secret): (SecretName, Spanned<written::Secret>)| {
            let place = secret.span();
            let written::Secret { path, encrypted, uid, gid, mode } = secret.into_inner();
            let for_all = uid.is_none() && gid.is_none() && mode.is_none_or(FileMode::is_for_all);
            if let Some(namespace) = namespace.filter(|_| !for_all) {
                self.report(
                    Diagnostic::error("contradiction", "in a user namespace of its own nobody has these numbers")
                        .at(place, "is for some of the container's users")
                        .and(namespace.span(), "gives them other numbers on the host")
                        .help("leave out uid, gid and mode: then all users of this container can read it, and nobody else"),
                );
            }
            let mut id = |id: Option<Spanned<Id>>| id.and_then(|id| self.number(&id));
            let (uid, gid) = (id(uid), id(gid));
            // As the engines have it for secrets of their own, where nobody says otherwise.
            let default = match (uid, gid) {
                (None, None) => FileMode::ALL_READ,
                (Some(_), None) => FileMode::OWNER_READS,
                (_, Some(_)) => FileMode::GROUP_READS,
            };
            let [uid, gid] = [uid, gid].map(Option::unwrap_or_default);
            (name, Secret { path, encrypted, uid, gid, mode: mode.unwrap_or(default) })
        };
        written.into_iter().map(plain).collect()
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
