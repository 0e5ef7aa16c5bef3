//! How soon a failure is noticed.

use conductor_timespan::TimeSpan;

use crate::service::Health;

impl Health {
    /// The longest time from a failure to the verdict on it: `unhealthy-after` checks, the last of which takes all of
    /// its time, and a tenth more for their jitter and for a checker that has other things to do.
    ///
    /// Checks that may take longer than the interval leave out those that would begin meanwhile. Whatever keeps
    /// the checker from acting on its verdict, such as other instances that are being restarted, is not in it.
    pub fn noticed_within(&self) -> TimeSpan {
        let Self { interval, timeout, unhealthy_after, .. } = self;
        let (interval, timeout) = (interval.as_micros().max(1), timeout.as_micros());
        // One that takes exactly as long is a moment too late for the next.
        let left_out = timeout / interval;
        let checks = u64::from(*unhealthy_after);
        // The first of them is waited for no longer than the interval: what it follows was an answer.
        let begun =
            interval.saturating_mul(left_out.saturating_add(1).saturating_mul(checks - 1).saturating_add(1));
        let all = begun.saturating_add(timeout);
        let with_a_tenth = all.saturating_add(all.div_ceil(10));
        TimeSpan::from_millis(with_a_tenth.div_ceil(1000))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Source, parse};

    fn noticed(health: &str) -> String {
        let text = format!(
            "image = \"web\"\n[[ports]]\ncontainer = 80\nhost = 2000\n[health]\npath = \"/\"\n{health}"
        );
        let service = parse(&Source::new("web.toml", text)).unwrap().service;
        service.health.unwrap().noticed_within().to_string()
    }

    #[test]
    fn a_failure_is_noticed_after_so_many_checks() {
        // (3 × 5 s + 2 s) × 1.1
        assert_eq!(noticed(""), "18s 700ms");
        assert_eq!(noticed("interval = \"1s\"\ntimeout = \"500ms\"\nunhealthy-after = 1"), "1s 650ms");
        // A check that hangs for 2 s, or for 3 s, leaves room for one every 4 s: (2 + 4 + 4 + 3 s) × 1.1.
        assert_eq!(noticed("interval = \"2s\"\ntimeout = \"2s\""), "13s 200ms");
        assert_eq!(noticed("interval = \"2s\"\ntimeout = \"3s\""), "14s 300ms");
    }
}
