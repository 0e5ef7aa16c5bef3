//! What an engine cannot do, though the key as such is fine: said here, so that nothing is silently without effect.

use std::ops::Range;

use super::Check;
use crate::value::{LogDriver, TimeZone, UserNamespace};
use crate::written::Spanned;
use crate::{Diagnostic, Runtime, written};

/// Keys that not every engine can do, and where they stand.
#[derive(Debug)]
pub(super) struct Asked {
    /// Keys of `[resources]` that are directives of the unit's control group, with the directive.
    of_the_unit: Vec<(&'static str, &'static str, Range<usize>)>,
    /// That the program says itself when it is ready.
    notify: Option<Range<usize>>,
    /// The host's own time zone.
    local_time: Option<Range<usize>>,
    user_namespace: Option<(String, Range<usize>)>,
    /// Options of the journald driver.
    journald_options: Option<Range<usize>>,
}

impl Asked {
    pub(super) fn of(
        timezone: Option<&Spanned<TimeZone>>,
        notify: Option<&Spanned<bool>>,
        resources: &written::Resources,
        security: &written::Security,
        log: &written::Log,
    ) -> Self {
        let of_the_unit = [
            ("memory-high", "MemoryHigh=", resources.memory_high.as_ref().map(Spanned::span)),
            ("cpu-weight", "CPUWeight=", resources.cpu_weight.as_ref().map(Spanned::span)),
            ("io-weight", "IOWeight=", resources.io_weight.as_ref().map(Spanned::span)),
        ];
        let journald = log.driver.as_ref().is_none_or(LogDriver::is_journald);
        Self {
            of_the_unit: of_the_unit
                .into_iter()
                .filter_map(|(key, directive, span)| Some((key, directive, span?)))
                .collect(),
            notify: notify.filter(|notify| *notify.get_ref()).map(Spanned::span),
            local_time: timezone.filter(|zone| zone.get_ref().as_str() == TimeZone::LOCAL).map(Spanned::span),
            user_namespace: security.user_namespace.as_ref().map(|written| {
                let UserNamespace(text) = written.get_ref();
                (text.clone(), written.span())
            }),
            journald_options: log.options.as_ref().filter(|_| journald).map(Spanned::span),
        }
    }
}

impl Check {
    pub(super) fn engine(&mut self, runtime: Runtime, asked: Asked) {
        match runtime {
            Runtime::Podman => {}
            Runtime::Docker => self.docker(asked),
        }
    }

    /// Containers are children of docker's daemon, and on cgroup v2 docker has no option that means what these keys
    /// do: `--memory-reservation` is memory.low, `--cpu-shares` is converted by a formula that runc has changed, and
    /// `--blkio-weight` ends at 1000.
    fn docker(&mut self, asked: Asked) {
        let Asked { of_the_unit, notify, local_time, user_namespace, journald_options } = asked;
        for (key, directive, span) in of_the_unit {
            self.report(
                Diagnostic::error("contradiction", format!("`{key}` has no effect with docker"))
                    .at(span, "docker's containers are not in the unit's control group")
                    .help(format!(
                        "write slice = \"NAME\" and limit that: `systemctl set-property NAME.slice {directive}VALUE`"
                    )),
            );
        }
        if let Some(span) = notify {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    "docker does not let a container tell systemd that it is ready",
                )
                .at(span, "nothing would be heard")
                .help("have it asked instead: [health] with path = \"/healthz\""),
            );
        }
        if let Some(span) = local_time {
            self.report(
                Diagnostic::error("contradiction", "docker has no time zone `local`")
                    .at(span, "would be the name of a zone")
                    .help("name the zone, or mount the host's /etc/localtime with [[volumes]]"),
            );
        }
        if let Some((text, span)) = user_namespace.filter(|(text, _)| text != "host") {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    format!("docker has no user namespace `{}`", text.escape_debug()),
                )
                .at(span, "\"host\" is the only one")
                .help("leave it out; \"userns-remap\" in /etc/docker/daemon.json is for all containers"),
            );
        }
        if let Some(span) = journald_options {
            self.report(
                Diagnostic::error(
                    "contradiction",
                    "options of the journald driver have no effect with docker",
                )
                .at(span, "the unit itself brings the output to the journal")
                .help("leave them out, or name the driver that they are for"),
            );
        }
    }
}
