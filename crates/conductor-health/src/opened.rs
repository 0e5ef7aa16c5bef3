//! The line that `wait` leaves as the status of a unit: `systemctl status` shows it to people, and it
//! tells `watch` where this very run is to be asked.
//!
//! A unit's definition can change while the unit runs, and so can the command line of `watch` with it.
//! What runs still listens where it did when it started, which nobody knows better than the check that
//! its start waited for.

use crate::Url;
use crate::probe::Target;
use conductor_timespan::TimeSpan;
use std::time::Duration;

/// What such a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where it answered.
    pub url: Url,
    /// The fingerprint of the options that it was asked with; none if they were the default.
    ///
    /// No more than that: options may be secrets, and whoever sets the status of a unit should not be
    /// able to have us send whatever they like.
    pub check: Option<u32>,
}

/// The status of a unit that answered so long after the wait began.
pub fn status(target: &Target, after: Duration) -> String {
    line(target.url(), span(after), target.options().fingerprint())
}

/// What such a status says; none if somebody else wrote it.
pub fn read(status: &str) -> Option<Opened> {
    let (url, rest) = status.strip_prefix("Healthy at ")?.split_once(" after ")?;
    let (after, check) = match rest.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (check ")) {
        Some((after, check)) => (after, Some(u32::from_str_radix(check, 16).ok()?)),
        None => (rest, None),
    };
    let (url, after) = (url.parse().ok()?, after.parse().ok()?);
    // To the letter: what only looks alike may mean something else.
    (line(&url, after, check) == status).then_some(Opened { url, check })
}

fn line(url: &Url, after: TimeSpan, check: Option<u32>) -> String {
    match check {
        None => format!("Healthy at {url} after {after}"),
        Some(check) => format!("Healthy at {url} after {after} (check {check:08x})"),
    }
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
    use crate::probe::{Options, Profile};

    #[test]
    fn watch_reads_what_wait_writes() {
        let options = Options { expect_body: Some("ok".to_owned()), ..Options::default() };
        for text in [
            "http://127.0.0.1:20000/healthz",
            "http://[::1]/",
            "http://web.example:81/a%20after/?b=c",
            "http://unix:/run/a%20after%20b.sock:/healthz",
            "https://localhost/",
        ] {
            for micros in [0, 1, 999, 1000, 2500, 999_999, 61_234_567, u64::MAX] {
                for options in [Options::default(), options.clone()] {
                    let url: Url = text.parse().unwrap();
                    let target = Target::new(url.clone(), &Profile::new(options)).unwrap();
                    let said = status(&target, Duration::from_micros(micros));
                    let check = target.options().fingerprint();
                    assert_eq!(read(&said), Some(Opened { url, check }), "{said}");
                }
            }
        }
        let url: Url = "http://127.0.0.1:20000/healthz".parse().unwrap();
        let said = |micros| status(&url.clone().into(), Duration::from_micros(micros));
        assert_eq!(said(2100), "Healthy at http://127.0.0.1:20000/healthz after 2ms");
        assert_eq!(said(300), "Healthy at http://127.0.0.1:20000/healthz after 300us");
        assert_eq!(said(1_234_567), "Healthy at http://127.0.0.1:20000/healthz after 1s 200ms");
        let target = Target::new(url, &Profile::new(options)).unwrap();
        assert_eq!(
            status(&target, Duration::from_millis(2)),
            "Healthy at http://127.0.0.1:20000/healthz after 2ms (check b81e2600)"
        );
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
            "Healthy at ftp://127.0.0.1/ after 2ms",
            "Healthy at http://127.0.0.1/ after 2ms (check )",
            "Healthy at http://127.0.0.1/ after 2ms (check 49d543c)",
            "Healthy at http://127.0.0.1/ after 2ms (check 49D543C2)",
            "Healthy at http://127.0.0.1/ after 2ms (check 49d543c2",
            "Healthy at http://127.0.0.1/ (check 49d543c2) after 2ms",
            "Healthy at http://user@127.0.0.1/ after 2ms",
            "Healthy at unix:/run/web.sock after 2ms",
            "Healthy at  after 2ms",
            " Healthy at http://127.0.0.1/ after 2ms",
            "healthy at http://127.0.0.1/ after 2ms",
        ] {
            assert_eq!(read(status), None, "{status}");
        }
    }
}
