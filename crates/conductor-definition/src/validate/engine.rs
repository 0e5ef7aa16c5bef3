//! What is passed on to the engine and to systemd: limits, rights, stopping, pulling, logging, directives.

use std::collections::BTreeMap;

use conductor_timespan::TimeSpan;
use toml::Spanned;

use super::Check;
use crate::value::{InvalidValue, LimitName, OptionName, Text};
use crate::{
    Diagnostic, Directives, Log, Pull, PullPolicy, Resources, Seccomp, Security, Stop, Ulimit, written,
};

const POLICIES: &[(&str, PullPolicy)] =
    &[("missing", PullPolicy::Missing), ("always", PullPolicy::Always), ("never", PullPolicy::Never)];

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
        // TasksMax= counts podman while it starts the container (some ten threads), and conmon later.
        let pids = pids.and_then(|pids| self.number(&pids, 32..=4_194_304));
        let cpu_weight = cpu_weight.and_then(|weight| self.number(&weight, 1..=10_000));
        let io_weight = io_weight.and_then(|weight| self.number(&weight, 1..=10_000));
        Resources { memory, memory_high, cpus, cpu_weight, io_weight, pids, slice }
    }

    pub(super) fn ulimits(
        &mut self,
        written: BTreeMap<Spanned<String>, Spanned<written::Ulimit>>,
    ) -> BTreeMap<LimitName, Ulimit> {
        for limit in written.values() {
            let written::Ulimit { soft, hard } = *limit.get_ref();
            let endless = |value: i64| if value == -1 { i64::MAX } else { value };
            if soft < -1 || hard < -1 || endless(soft) > endless(hard) {
                self.report(
                    Diagnostic::error(
                        "out-of-range",
                        "a soft limit lies between 0 and the hard limit; -1 is no limit",
                    )
                    .at(limit.span(), "not possible"),
                );
            }
        }
        self.table(written, |limit| {
            let written::Ulimit { soft, hard } = limit.into_inner();
            Ulimit { soft, hard }
        })
    }

    pub(super) fn security(&mut self, written: written::Security) -> Security {
        let written::Security { no_new_privileges, capabilities, seccomp, user_namespace } = written;
        let written::Capabilities { add, drop } = capabilities.unwrap_or_default();
        Security {
            no_new_privileges: no_new_privileges.unwrap_or(false),
            add_capabilities: add.unwrap_or_default(),
            drop_capabilities: drop.unwrap_or_default(),
            seccomp: seccomp.and_then(|seccomp| self.seccomp(&seccomp)),
            user_namespace: user_namespace.and_then(|namespace| self.user_namespace(&namespace)),
        }
    }

    fn seccomp(&mut self, written: &Spanned<Text>) -> Option<Seccomp> {
        let Text(text) = written.get_ref();
        if text == "unconfined" {
            return Some(Seccomp::Unconfined);
        }
        text.parse()
            .map(Seccomp::Profile)
            .map_err(|InvalidValue(message)| {
                self.report(
                    Diagnostic::error("invalid-value", message)
                        .at(written.span(), "neither a file nor \"unconfined\""),
                );
            })
            .ok()
    }

    fn user_namespace(&mut self, written: &Spanned<Text>) -> Option<String> {
        let Text(text) = written.get_ref();
        let allowed = |c: char| c.is_ascii_alphanumeric() || ":=,-_/".contains(c);
        if !text.is_empty() && text.chars().all(allowed) {
            return Some(text.clone());
        }
        self.report(
            Diagnostic::error("invalid-value", format!("`{}` is not a user namespace", text.escape_debug()))
                .at(written.span(), "not possible here")
                .help("write it as the engine's --userns takes it, such as \"auto\" or \"keep-id\""),
        );
        None
    }

    pub(super) fn stop(&mut self, written: written::Stop) -> Stop {
        let written::Stop { signal, timeout } = written;
        Stop { signal, timeout: self.timer(timeout, TimeSpan::from_secs(10)) }
    }

    pub(super) fn pull(&mut self, written: written::Pull) -> Pull {
        let written::Pull { policy, retries, retry_delay } = written;
        Pull {
            policy: policy.and_then(|policy| self.word(&policy, POLICIES)).unwrap_or_default(),
            retries: retries.and_then(|retries| self.number(&retries, 0..=100)).unwrap_or(0),
            retry_delay: self.timer(retry_delay, TimeSpan::from_secs(5)),
        }
    }

    pub(super) fn log(&mut self, written: written::Log) -> Log {
        let written::Log { driver, options } = written;
        let options = self.table(options.unwrap_or_default(), |Text(value)| value);
        let name = |text: &str| text.parse::<OptionName>();
        let driver = match &driver {
            None => name("journald"),
            Some(driver) => name(driver.get_ref()).inspect_err(|InvalidValue(message)| {
                let message = message.replace("an option", "a log driver");
                self.report(
                    Diagnostic::error("invalid-value", message).at(driver.span(), "not possible here"),
                );
            }),
        };
        Log { driver: driver.unwrap_or_else(|_| OptionName::journald()), options }
    }

    pub(super) fn directives(&mut self, written: written::Systemd) -> Directives {
        let written::Systemd { unit, service } = written;
        let mut table = |written: Option<BTreeMap<Spanned<String>, written::Lines>>| {
            self.table(written.unwrap_or_default(), |written::Lines(lines)| lines)
        };
        Directives { unit: table(unit), service: table(service) }
    }
}
