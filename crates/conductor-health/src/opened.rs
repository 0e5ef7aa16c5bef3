//! The line that `wait` leaves as the status of a unit: `systemctl status` shows it to people, and it
//! tells `watch` where this very run is to be asked.
//!
//! A unit's definition can change while the unit runs, and so can the command line of `watch` with it.
//! What runs still listens where it did when it started, which nobody knows better than the check that
//! its start waited for.

use crate::HttpUrl;
use conductor_timespan::TimeSpan;
use std::time::Duration;

/// The status of a unit that answered so long after the wait began.
pub fn status(url: &HttpUrl, after: Duration) -> String {
    line(url, span(after))
}

/// The URL in such a status; none if somebody else wrote it.
pub fn url(status: &str) -> Option<HttpUrl> {
    let (url, after) = status.strip_prefix("Healthy at ")?.split_once(" after ")?;
    let (url, after) = (url.parse().ok()?, after.parse().ok()?);
    // To the letter: what only looks alike may mean something else.
    (line(&url, after) == status).then_some(url)
}

fn line(url: &HttpUrl, after: TimeSpan) -> String {
    format!("Healthy at {url} after {after}")
}

/// A duration in systemd's syntax, as exact as people care for: tenths from a second on, whole
/// milliseconds below, and never nothing at all.
pub(crate) fn span(time: Duration) -> TimeSpan {
    match u64::try_from(time.as_millis()).unwrap_or(u64::MAX) {
        0 => TimeSpan::from_micros(u64::from(time.subsec_micros()).max(1)),
        millis if millis < 1000 => TimeSpan::from_millis(millis),
        millis => TimeSpan::from_millis(millis - millis % 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watch_reads_what_wait_writes() {
        for text in
            ["http://127.0.0.1:20000/healthz", "http://[::1]/", "http://web.example:81/a%20after/?b=c"]
        {
            for micros in [0, 1, 999, 1000, 2500, 999_999, 61_234_567, u64::MAX] {
                let address: HttpUrl = text.parse().unwrap();
                let said = status(&address, Duration::from_micros(micros));
                assert_eq!(url(&said), Some(address), "{said}");
            }
        }
        let address = "http://127.0.0.1:20000/healthz".parse().unwrap();
        let said = |micros| status(&address, Duration::from_micros(micros));
        assert_eq!(said(2100), "Healthy at http://127.0.0.1:20000/healthz after 2ms");
        assert_eq!(said(300), "Healthy at http://127.0.0.1:20000/healthz after 300us");
        assert_eq!(said(1_234_567), "Healthy at http://127.0.0.1:20000/healthz after 1s 200ms");
    }

    #[test]
    fn anything_else_is_no_url() {
        for status in [
            "",
            "Answered after 2ms",
            "Healthy at http://127.0.0.1/",
            "Healthy at http://127.0.0.1/ after",
            "Healthy at http://127.0.0.1/ after ",
            "Healthy at http://127.0.0.1/ after 2",
            "Healthy at http://127.0.0.1/ after 2ms.",
            "Healthy at http://127.0.0.1/ after 2ms after 2ms",
            "Healthy at http://127.0.0.1 after 2ms",
            "Healthy at http://127.0.0.1:80/ after 2ms",
            "Healthy at http://LOCALHOST/ after 2ms",
            "Healthy at https://127.0.0.1/ after 2ms",
            "Healthy at http://user@127.0.0.1/ after 2ms",
            "Healthy at unix:/run/web.sock after 2ms",
            "Healthy at  after 2ms",
            " Healthy at http://127.0.0.1/ after 2ms",
            "healthy at http://127.0.0.1/ after 2ms",
        ] {
            assert_eq!(url(status), None, "{status}");
        }
    }
}
