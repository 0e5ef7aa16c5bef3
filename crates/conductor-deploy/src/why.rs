//! Why an instance did not get healthy, in words.

use conductor_definition::Scope;
use conductor_systemd::{JobEnd, Systemd, UnitStatus};

use crate::{host, logs};

/// What is to be said of a unit whose start job did not end well, with the last lines of its log.
pub(crate) async fn not_healthy(systemd: &Systemd, scope: Scope, unit: &str, end: &JobEnd) -> String {
    let status = match host::name(unit) {
        Ok(name) => systemd.status(&name).await.ok(),
        Err(_) => None,
    };
    let reason = reason(unit, end.as_str(), status.as_ref());
    let log = logs::last(scope, unit).await;
    format!("{unit} did not get healthy: {reason}{log}")
}

/// The reason, from how its start ended and what systemd says of the unit afterwards.
fn reason(unit: &str, end: &str, status: Option<&UnitStatus>) -> String {
    let result = status.and_then(|status| status.result.as_deref()).unwrap_or_default();
    // What the gate said last, as long as the next start has not overwritten it.
    let said = status.and_then(|status| status.status_text.as_deref()).filter(|text| text.starts_with(unit));
    let said = said.map(|text| text.trim_start_matches(unit).trim_start_matches([':', ' ']));
    let by = |text: &str| said.map_or_else(|| text.to_owned(), |said| format!("{text} ({said})"));
    match (end, result) {
        ("dependency", _) => {
            "something that it needs could not be started; `systemctl status` of it and of its \
                              -pull.service say what"
                .to_owned()
        }
        ("canceled", _) => "somebody stopped it meanwhile".to_owned(),
        ("skipped" | "assert", _) => "a condition of its unit does not hold on this machine".to_owned(),
        (_, "start-limit-hit") => by("it failed so often that systemd starts it no more ([restart] limit)"),
        (_, "oom-kill") => by("it was killed because it took more memory than it may"),
        (_, "timeout") => by("its start took longer than its unit allows"),
        (_, "signal" | "core-dump") => by("a signal ended it"),
        (_, "watchdog") => by("its watchdog ended it"),
        (_, "success") if said.is_none() => {
            "it ended by itself, without an error, before it was healthy".to_owned()
        }
        (_, "exit-code" | "protocol" | "success") if said.is_some() => said.unwrap_or_default().to_owned(),
        (_, "exit-code" | "protocol") => "it ended with an error before it was healthy".to_owned(),
        ("timeout", _) => by("its start took longer than it may"),
        (end, result) => by(&format!("its start ended with \"{end}\", the unit with \"{result}\"")),
    }
}
