//! What is passed on to the engine and to systemd: limits, rights, stopping, pulling, logging, directives.

use std::collections::BTreeMap;

use super::Check;
use crate::value::{LimitName, Text, UserNamespace};
use crate::written::{self, Spanned, default};
use crate::{Diagnostic, Directives, Log, Pull, PullPolicy, Reload, Resources, Security, Stop, Ulimit};

impl Check {
    pub(super) fn resources(&mut self, written: written::Resources) -> Resources {
        // `shm` is a matter of storage.
        let written::Resources { memory, memory_high, cpus, pids, cpu_weight, io_weight, shm: _, slice } =
            written;
        let memory_high = memory_high.map(|high| {
            if memory.is_some_and(|max| max < *high.get_ref()) {
                self.report(
                    Diagnostic::error("contradiction", "`memory-high` is above `memory`")
                        .at(high.span(), "never reached")
                        .help("above memory-high it is slowed down, above memory it is killed"),
                );
            }
            high.into_inner()
        });
        let pids = pids.and_then(|pids| self.number(&pids));
        let cpu_weight = cpu_weight.and_then(|weight| self.number(&weight));
        let io_weight = io_weight.and_then(|weight| self.number(&weight));
        Resources { memory, memory_high, cpus, cpu_weight, io_weight, pids, slice }
    }

    pub(super) fn ulimits(
        &mut self,
        written: BTreeMap<LimitName, Spanned<written::Ulimit>>,
    ) -> BTreeMap<LimitName, Ulimit> {
        let endless = written::Ulimit::ENDLESS;
        let size = |value: i64| if value == endless { i64::MAX } else { value };
        let limits = written.into_iter().map(|(name, limit)| {
            let written::Ulimit { soft, hard } = *limit.get_ref();
            let code = if soft < endless || hard < endless { "out-of-range" } else { "contradiction" };
            if code == "out-of-range" || size(soft) > size(hard) {
                self.report(
                    Diagnostic::error(code, "a soft limit lies between 0 and the hard limit; -1 is no limit")
                        .at(limit.span(), "not possible"),
                );
            }
            (name, Ulimit { soft, hard })
        });
        limits.collect()
    }

    pub(super) fn security(&mut self, written: written::Security) -> Security {
        let written::Security { no_new_privileges, capabilities, seccomp, user_namespace } = written;
        let written::Capabilities { add, drop } = capabilities.unwrap_or_default();
        let add = add.unwrap_or_default();
        if let Some(drop) = &drop {
            for both in drop.get_ref().iter().filter(|capability| add.contains(capability)) {
                self.report(
                    Diagnostic::error("contradiction", format!("`{both}` is both added and dropped"))
                        .at(drop.span(), "takes away what `add` gives")
                        .help("leave it out of one of the lists"),
                );
            }
        }
        Security {
            no_new_privileges: no_new_privileges.unwrap_or(false),
            add_capabilities: add,
            drop_capabilities: drop.map(Spanned::into_inner).unwrap_or_default(),
            seccomp,
            user_namespace: user_namespace.map(|namespace| {
                let UserNamespace(text) = namespace.into_inner();
                text
            }),
        }
    }

    pub(super) fn stop(&mut self, written: written::Stop) -> Stop {
        let written::Stop { signal, timeout } = written;
        Stop { signal, timeout: self.timer(timeout, default::STOP_TIMEOUT) }
    }

    pub(super) fn reload(&mut self, written: Spanned<written::Reload>) -> Option<Reload> {
        let table = written.span();
        let written::Reload { command, signal } = written.into_inner();
        let mistake = match (command, signal) {
            (Some(command), None) if !command.get_ref().is_empty() => {
                let words = command.into_inner().into_iter().map(|Text(word)| word);
                return Some(Reload::Command(words.collect()));
            }
            (None, Some(signal)) => return Some(Reload::Signal(signal.into_inner())),
            // What was there and could not be read has been reported.
            (None, None)
                if ["reload.command", "reload.signal"].iter().any(|key| self.removed.contains(key)) =>
            {
                return None;
            }
            (Some(command), None) => {
                Diagnostic::error("contradiction", "there is no command").at(command.span(), "is empty")
            }
            (Some(command), Some(signal)) => {
                Diagnostic::error("contradiction", "a reload is either a command or a signal")
                    .at(signal.span(), "by a signal")
                    .and(command.span(), "by a command")
            }
            (None, None) => Diagnostic::error("contradiction", "[reload] does not say how")
                .at(table, "has neither `command` nor `signal`"),
        };
        self.report(mistake.help("write command = [\"bin/reload\"] or signal = \"HUP\""));
        None
    }

    pub(super) fn pull(&mut self, written: written::Pull) -> Pull {
        let written::Pull { policy, retries, retry_delay } = written;
        if let Some(retries) = retries.as_ref().filter(|_| policy == Some(PullPolicy::Never)) {
            self.report(
                Diagnostic::error("contradiction", "an image that is never pulled is not tried again either")
                    .at(retries.span(), "without effect")
                    .help("leave it out, or the policy"),
            );
        }
        Pull {
            policy: policy.unwrap_or_default(),
            retries: retries.and_then(|retries| self.number(&retries)).unwrap_or(default::PULL_RETRIES),
            retry_delay: self.timer(retry_delay, default::PULL_RETRY_DELAY),
        }
    }

    pub(super) fn log(written: written::Log) -> Log {
        let written::Log { driver, options } = written;
        let options = options.map(Spanned::into_inner).unwrap_or_default();
        let options = options.into_iter().map(|(name, Text(value))| (name, value));
        Log { driver: driver.unwrap_or_default(), options: options.collect() }
    }

    pub(super) fn directives(&mut self, written: written::Systemd) -> Directives {
        let written::Systemd { unit, service } = written;
        let unit = unit.unwrap_or_default().into_iter();
        Directives {
            unit: unit.map(|(directive, written::Lines(lines))| (directive, lines)).collect(),
            service: self.service_directives(service.unwrap_or_default()),
        }
    }
}
