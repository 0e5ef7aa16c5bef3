//! What is counted of one target.

use crate::serve::exposition::{Exposition, Kind};
use crate::verdict::{Act, Away, Finding, Hold, State};
use std::time::{Duration, SystemTime};

/// Upper bounds of how long checks took, in seconds and as Prometheus writes them.
const BUCKETS: [(f64, &str); 12] = [
    (0.0005, "0.0005"),
    (0.001, "0.001"),
    (0.0025, "0.0025"),
    (0.005, "0.005"),
    (0.01, "0.01"),
    (0.025, "0.025"),
    (0.05, "0.05"),
    (0.1, "0.1"),
    (0.25, "0.25"),
    (0.5, "0.5"),
    (1.0, "1"),
    (2.5, "2.5"),
];

/// States in the order in which they are shown.
const STATES: [&str; 9] =
    ["unknown", "deferred", "starting", "healthy", "failing", "unhealthy", "held", "terminating", "killing"];

/// Since the checker was started.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    passed: u64,
    failed: u64,
    unknown: u64,
    /// Each in the first bucket that it fits.
    durations: [u64; BUCKETS.len()],
    took: Duration,
    terminated: u64,
    killed: u64,
    forgiven: u64,
    holds: [u64; Hold::ALL.len()],
    changes: [u64; STATES.len()],
    last_success: Option<SystemTime>,
}

/// What is shown beside the counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) unit: &'a str,
    pub(super) state: State,
    pub(super) is_flapping: bool,
    pub(super) counts: &'a Counts,
}

impl Counts {
    /// A check ended.
    pub(super) fn checked(&mut self, finding: Finding, took: Duration) {
        match finding {
            Finding::Passed => {
                self.passed += 1;
                self.last_success = Some(SystemTime::now());
            }
            Finding::Failed | Finding::Slow => self.failed += 1,
            Finding::Late | Finding::Unknown => self.unknown += 1,
        }
        self.took += took;
        let seconds = took.as_secs_f64();
        let fits = BUCKETS.iter().position(|(bound, _)| seconds <= *bound);
        if let Some(bucket) = fits.and_then(|at| self.durations.get_mut(at)) {
            *bucket += 1;
        }
    }

    /// It went over into another state.
    pub(super) fn changed(&mut self, to: State) {
        let at = STATES.iter().position(|word| *word == to.word());
        if let Some(count) = at.and_then(|at| self.changes.get_mut(at)) {
            *count += 1;
        }
        if let State::Held(hold) = to {
            let at = Hold::ALL.iter().position(|one| *one == hold);
            if let Some(count) = at.and_then(|at| self.holds.get_mut(at)) {
                *count += 1;
            }
        }
    }

    /// Something was done to it.
    pub(super) fn done(&mut self, act: Act) {
        match act {
            Act::Terminate => self.terminated += 1,
            Act::Kill => self.killed += 1,
            Act::Forgive => self.forgiven += 1,
        }
    }

    /// When it last passed a check, as seconds since 1970.
    pub(super) fn last_success(&self) -> Option<f64> {
        let since = self.last_success?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let millis = u64::try_from(since.as_millis()).ok()?;
        Some(Duration::from_millis(millis).as_secs_f64())
    }

    fn checks(&self) -> u64 {
        self.passed + self.failed + self.unknown
    }
}

/// All figures of all targets; `own` are the labels that all of them have. Names follow prometheus.io/docs/practices/naming: base units, `_total` for what
/// only grows; and a moment rather than an age, so that a checker that hangs shows as well.
pub(super) fn exposition(targets: &[Shown<'_>], own: &[(&str, &str)], is_connected: bool) -> String {
    let mut text = Exposition::default();

    text.family("conductor_health_build_info", Kind::Gauge, "The version of the health checker.");
    text.sample("conductor_health_build_info", &with(own, "version", env!("CARGO_PKG_VERSION")), 1);

    text.family(
        "conductor_health_connected",
        Kind::Gauge,
        "Whether systemd can be asked; nothing is checked without.",
    );
    text.sample("conductor_health_connected", own, u8::from(is_connected));

    let mut family = |name: &str, kind, help, samples: &Samples<'_>| {
        text.family(name, kind, help);
        for target in targets {
            samples(target, &mut text, &with(own, "unit", target.unit));
        }
    };

    let name = "conductor_health_checks_total";
    family(
        name,
        Kind::Counter,
        "Checks by result; unknown are those that could not be made.",
        &|target, text, labels| {
            let Counts { passed, failed, unknown, .. } = target.counts;
            for (result, count) in [("passed", passed), ("failed", failed), ("unknown", unknown)] {
                text.sample(name, &with(labels, "result", result), count);
            }
        },
    );

    let name = "conductor_health_check_duration_seconds";
    family(name, Kind::Histogram, "How long checks took.", &|target, text, labels| {
        let bucket = format!("{name}_bucket");
        let mut below = 0;
        for ((_, bound), count) in BUCKETS.iter().zip(target.counts.durations) {
            below += count;
            text.sample(&bucket, &with(labels, "le", bound), below);
        }
        text.sample(&bucket, &with(labels, "le", "+Inf"), target.counts.checks());
        text.sample(&format!("{name}_sum"), labels, target.counts.took.as_secs_f64());
        text.sample(&format!("{name}_count"), labels, target.counts.checks());
    });

    let name = "conductor_health_last_success_timestamp_seconds";
    family(name, Kind::Gauge, "When a check last passed.", &|target, text, labels| {
        if let Some(at) = target.counts.last_success() {
            text.sample(name, labels, at);
        }
    });

    let name = "conductor_health_state";
    family(name, Kind::Gauge, "1 for the state that the unit is in.", &|target, text, labels| {
        for word in STATES {
            text.sample(name, &with(labels, "state", word), u8::from(word == target.state.word()));
        }
    });

    let name = "conductor_health_state_changes_total";
    family(name, Kind::Counter, "Changes by the state that they led to.", &|target, text, labels| {
        for (word, count) in STATES.iter().zip(target.counts.changes) {
            text.sample(name, &with(labels, "state", word), count);
        }
    });

    let name = "conductor_health_failed";
    let help =
        "Whether the unit has failed and systemd does not start it again; a moment of each restart, too.";
    family(name, Kind::Gauge, help, &|target, text, labels| {
        text.sample(name, labels, u8::from(target.state == State::Deferred(Away::Failed)));
    });

    let name = "conductor_health_flapping";
    family(name, Kind::Gauge, "Whether the unit goes up and down all the time.", &|target, text, labels| {
        text.sample(name, labels, u8::from(target.is_flapping));
    });

    let name = "conductor_health_signals_total";
    family(name, Kind::Counter, "Signals sent to an unhealthy unit.", &|target, text, labels| {
        let Counts { terminated, killed, .. } = target.counts;
        for (signal, count) in [("SIGTERM", terminated), ("SIGKILL", killed)] {
            text.sample(name, &with(labels, "signal", signal), count);
        }
    });

    let name = "conductor_health_holds_total";
    family(
        name,
        Kind::Counter,
        "How often an unhealthy unit was left alone, by reason.",
        &|target, text, labels| {
            for (hold, count) in Hold::ALL.iter().zip(target.counts.holds) {
                text.sample(name, &with(labels, "reason", hold.word()), count);
            }
        },
    );

    let name = "conductor_health_forgiven_total";
    family(
        name,
        Kind::Counter,
        "How often past restarts of a stable unit were forgiven.",
        &|target, text, labels| text.sample(name, labels, target.counts.forgiven),
    );
    text.into_text()
}

/// Writes one target's samples of a family.
type Samples<'a> = dyn Fn(&Shown<'_>, &mut Exposition, &[(&str, &str)]) + 'a;

fn with<'a>(labels: &[(&'a str, &'a str)], label: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    labels.iter().copied().chain([(label, value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_word() {
        let all = [
            State::Unknown,
            State::Deferred(Away::Failed),
            State::Starting,
            State::Healthy,
            State::Failing(1, 3),
            State::Unhealthy,
            State::Held(Hold::Rate),
            State::Terminating,
            State::Killing,
        ];
        assert_eq!(all.map(State::word), STATES);
    }

    #[test]
    fn figures_are_counted_and_shown() {
        let mut counts = Counts::default();
        counts.checked(Finding::Passed, Duration::from_micros(700));
        counts.checked(Finding::Slow, Duration::from_secs(5));
        counts.checked(Finding::Late, Duration::from_millis(1));
        counts.changed(State::Held(Hold::Budget));
        counts.done(Act::Terminate);
        let shown = Shown {
            unit: "web.service",
            state: State::Held(Hold::Budget),
            is_flapping: false,
            counts: &counts,
        };
        let text = exposition(&[shown], &[("service", "web")], true);
        let labels = "service=\"web\",unit=\"web.service\"";
        for line in [
            "conductor_health_connected{service=\"web\"} 1".to_owned(),
            format!("conductor_health_checks_total{{{labels},result=\"failed\"}} 1"),
            format!("conductor_health_check_duration_seconds_bucket{{{labels},le=\"0.0005\"}} 0"),
            format!("conductor_health_check_duration_seconds_bucket{{{labels},le=\"0.001\"}} 2"),
            format!("conductor_health_check_duration_seconds_bucket{{{labels},le=\"2.5\"}} 2"),
            format!("conductor_health_check_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("conductor_health_check_duration_seconds_count{{{labels}}} 3"),
            format!("conductor_health_state{{{labels},state=\"held\"}} 1"),
            format!("conductor_health_state{{{labels},state=\"healthy\"}} 0"),
            format!("conductor_health_failed{{{labels}}} 0"),
            format!("conductor_health_signals_total{{{labels},signal=\"SIGTERM\"}} 1"),
            format!("conductor_health_holds_total{{{labels},reason=\"budget\"}} 1"),
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\nis not in\n{text}");
        }
        assert!(counts.last_success().unwrap() > 1.7e9);
        let text = exposition(
            &[Shown { state: State::Deferred(Away::Failed), ..shown }],
            &[("service", "web"), ("slot", "blue")],
            true,
        );
        let labels = "service=\"web\",slot=\"blue\",unit=\"web.service\"";
        assert!(text.contains(&format!("\nconductor_health_failed{{{labels}}} 1\n")), "{text}");
    }
}
