//! How long the engine may take, and when systemd should give up.

use conductor_definition::{Service, StartLimit};
use conductor_timespan::TimeSpan;

/// Time for the engine to create and start a container whose image is there.
pub(crate) const ENGINE_START: TimeSpan = TimeSpan::from_secs(30);
/// Time for the engine to stop and remove a container: its own stop timeout, and some for the engine.
pub(crate) fn engine_stop(service: &Service) -> TimeSpan {
    service.stop.timeout.plus(TimeSpan::from_secs(20))
}

/// Whole seconds, which is what engines take, rounded up.
pub(crate) fn seconds(span: TimeSpan) -> u64 {
    span.as_micros().div_ceil(1_000_000)
}

/// Time for a program to say that it is ready, if nothing else is asked of it: systemd's own default
/// (`DefaultTimeoutStartSec=`), which an administrator may have changed, and the start limit has to know it.
const READY: TimeSpan = TimeSpan::from_secs(90);

/// `TimeoutStartSec=`, where systemd's own will not do. With a health check it is longer than `conductor-health wait`
/// takes, which ends by itself and says what it saw: systemd's own time-out only says "timeout".
pub(crate) fn start_timeout(service: &Service) -> Option<TimeSpan> {
    match &service.health {
        Some(health) => Some(ENGINE_START.plus(health.start_within)),
        None => service.process.notify.then_some(READY),
    }
}

/// `StartLimitIntervalSec=`: the time in which the limit's starts count.
///
/// systemd's default (10 s) can never be reached by a container that starts, works for a while and is
/// terminated by its health check. So the window spans as many of the longest possible cycles as the
/// limit allows starts, and a service that never works ends `failed` instead of restarting for ever.
pub(crate) fn start_limit_window(service: &Service, limit: StartLimit) -> TimeSpan {
    limit.within.unwrap_or_else(|| longest_cycle(service).times(u64::from(limit.starts)))
}

/// How long a run has to be healthy until those before it are forgiven, unless that is never: longer than the
/// window of the start limit, because what clears the restart counter clears the limit's count too.
pub(crate) fn stable_for(service: &Service) -> Option<TimeSpan> {
    let window = match service.restart.limit {
        Some(limit) => start_limit_window(service, limit),
        // Nothing is counted; then as for a limit of a few starts.
        None => longest_cycle(service).times(5),
    };
    // The checker waits for nothing longer, and no container runs that long either.
    Some(window.plus(TimeSpan::from_secs(60))).filter(|span| *span <= A_YEAR)
}

/// The time after which an instance that is not healthy again is no longer waited for.
pub(crate) fn recover_within(service: &Service) -> TimeSpan {
    longest_cycle(service).min(A_YEAR)
}

const A_YEAR: TimeSpan = TimeSpan::from_secs(365 * 24 * 60 * 60);

fn longest_cycle(service: &Service) -> TimeSpan {
    let start = if service.process.notify && service.health.is_none() { READY } else { ENGINE_START };
    let engine = start.plus(engine_stop(service)).plus(service.restart.max_delay);
    match &service.health {
        None => engine,
        Some(health) => engine
            .plus(health.start_within)
            .plus(health.interval.plus(health.timeout).times(u64::from(health.unhealthy_after)))
            .plus(health.kill_grace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use conductor_definition::{Source, parse};

    fn window(text: &str) -> String {
        let text = format!("image = \"web\"\n{text}");
        let service = parse(&Source::new("web.toml", text)).unwrap().service;
        start_limit_window(&service, service.restart.limit.unwrap()).to_string()
    }

    #[test]
    fn spans_all_cycles_of_a_service_that_never_works() {
        // 30 s start + 30 s stop + 60 s delay, ten times.
        assert_eq!(window(""), "20min");
        // … + 60 s to get healthy + 3 × (5 s + 2 s) + 10 s grace, ten times.
        assert_eq!(window("[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = \"/\""), "35min 10s");
        // 90 s to get ready + 30 s stop + 60 s delay, ten times.
        assert_eq!(window("notify = true"), "30min");
        assert_eq!(window("[restart]\nmax-delay = \"5s\"\nlimit = { starts = 2 }"), "2min 10s");
        assert_eq!(window("[restart]\nlimit = { starts = 2, within = \"1h\" }"), "1h");
    }

    #[test]
    fn forgiveness_comes_after_the_window() {
        let stable = |text: &str| {
            let text = format!("image = \"web\"\n{text}");
            let service = parse(&Source::new("web.toml", text)).unwrap().service;
            stable_for(&service).map(|span| span.to_string())
        };
        assert_eq!(stable("").unwrap(), "21min");
        assert_eq!(stable("[restart]\nlimit = \"none\"").unwrap(), "11min");
        assert_eq!(stable("[restart]\nlimit = { starts = 2, within = \"1h\" }").unwrap(), "1h 1min");
        assert_eq!(stable("[restart]\ndelay = \"1d\"\nlimit = { starts = 1000 }"), None);
    }
}
