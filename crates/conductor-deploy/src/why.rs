//! Why an instance did not get healthy, in words.

use conductor_definition::Scope;
use conductor_systemd::{JobEnd, Systemd, UnitStatus};

use crate::{Failure, FailureKind, host, logs};

/// What is to be said of a unit whose start job did not end well, with the last lines of its log.
pub(crate) async fn not_healthy(systemd: &Systemd, scope: Scope, unit: &str, end: &JobEnd) -> String {
    let status = match host::name(unit) {
        Ok(name) => systemd.status(&name).await.ok(),
        Err(_) => None,
    };
    let reason = reason(unit, end.as_str(), status.as_ref());
    let log = logs::last(systemd, scope, unit).await;
    format!("{}{log}", sentence(unit, &reason))
}

fn sentence(unit: &str, reason: &str) -> String {
    match reason.strip_prefix("did not become healthy") {
        // It says the same, and how long it had.
        Some(rest) => format!("{unit} did not get healthy{rest}"),
        None => format!("{unit} did not get healthy: {reason}"),
    }
}

/// With the last lines of the log of the instance that a failure is about, or of the first one if it names none.
pub(crate) async fn told(
    systemd: &Systemd,
    scope: Scope,
    units: &[String],
    result: Result<(), Failure>,
) -> Result<(), Failure> {
    let Err(failure) = result else { return Ok(()) };
    let named = units.iter().find(|unit| failure.text.contains(unit.as_str())).or(units.first());
    match named.filter(|_| failure.kind == FailureKind::Gate) {
        Some(unit) => {
            Err(Failure { text: failure.text + &logs::last(systemd, scope, unit).await, ..failure })
        }
        None => Err(failure),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_systemd::{ActiveState, LoadState};

    fn said(end: &str, result: &str, text: &str) -> String {
        let status = UnitStatus {
            load_state: LoadState::Loaded,
            active_state: ActiveState::Failed,
            sub_state: "failed".to_owned(),
            result: Some(result.to_owned()),
            status_text: Some(text.to_owned()),
            need_daemon_reload: false,
            restarts: None,
            memory: None,
            cpu: None,
            since: None,
        };
        reason("web.service", end, Some(&status))
    }

    #[test]
    fn sentences() {
        let within = "did not become healthy within 3s: 4 checks";
        assert_eq!(sentence("a.service", within), "a.service did not get healthy within 3s: 4 checks");
        assert_eq!(sentence("a.service", "it ended"), "a.service did not get healthy: it ended");
    }

    #[test]
    fn reasons() {
        let gate = "web.service did not become healthy within 3s: 4 checks, the last: 500";
        assert_eq!(
            said("failed", "exit-code", gate),
            "did not become healthy within 3s: 4 checks, the last: 500"
        );
        let ended = "web.service: its main process ended after 1s, before it was healthy";
        assert_eq!(
            said("failed", "exit-code", ended),
            "its main process ended after 1s, before it was healthy"
        );
        assert_eq!(
            said("failed", "exit-code", "Waiting: 500"),
            "it ended with an error before it was healthy"
        );
        assert_eq!(
            said("failed", "success", ""),
            "it ended by itself, without an error, before it was healthy"
        );
        assert!(said("failed", "start-limit-hit", ended).starts_with("it failed so often that systemd"));
        assert!(said("failed", "oom-kill", "").contains("more memory than it may"));
        assert!(said("dependency", "success", "").contains("something that it needs"));
        assert!(said("canceled", "success", "").contains("somebody stopped it"));
        assert!(said("skipped", "success", "").contains("a condition of its unit"));
        assert_eq!(said("odd", "new", ""), "its start ended with \"odd\", the unit with \"new\"");
        assert_eq!(
            reason("web.service", "failed", None),
            "its start ended with \"failed\", the unit with \"\""
        );
    }
}
