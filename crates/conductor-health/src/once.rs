//! `probe`: one check, told in full.

use crate::Url;
use crate::opened::span;
use crate::probe::{Check, Moment, Outcome, Session};
use crate::url::Scheme;
use serde_json::json;
use std::fmt::Write as _;
use std::time::Duration;

/// From when on a healthy answer is worth a warning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// It took longer.
    pub slow: Option<Duration>,
    /// The server's certificate expires within this time.
    pub expiry: Option<Duration>,
}

impl Limits {
    /// What there is to warn of in a healthy answer.
    pub fn warnings(&self, check: &Check) -> Vec<String> {
        let Self { slow, expiry } = *self;
        let mut warnings = Vec::new();
        if check.outcome != Outcome::Healthy {
            return warnings;
        }
        let took = check.timings.total;
        if let Some(limit) = slow.filter(|limit| took > *limit) {
            warnings.push(format!("took {}, which is more than {}", millis(took), span(limit)));
        }
        let expires = check.tls.as_ref().and_then(|tls| tls.expires);
        if let (Some(limit), Some(expires)) = (expiry, expires)
            && expires.from_now().is_none_or(|left| left < limit)
        {
            warnings.push(format!("the certificate expires {}", when(expires)));
        }
        warnings
    }
}

/// The exit status, by the convention of monitoring plugins: 0 fine, 1 warning, 2 critical, 3 unknown.
pub fn exit_status(check: &Check, warnings: &[String]) -> u8 {
    match check.outcome {
        Outcome::Healthy if warnings.is_empty() => 0,
        Outcome::Healthy => 1,
        Outcome::Unhealthy(_) => 2,
        Outcome::Unknown(_) => 3,
    }
}

/// For people: the verdict, and where the time went.
pub fn human(url: &Url, check: &Check, warnings: &[String]) -> String {
    let mut text = match &check.outcome {
        Outcome::Healthy => {
            let level = if warnings.is_empty() { "healthy" } else { "warning" };
            let status = check.status.map_or_else(String::new, |status| format!(" {status}"));
            match url.scheme() {
                Scheme::Http | Scheme::Https => format!("{level}: {url} answered{status}"),
                Scheme::Tcp => format!("{level}: {url} takes connections"),
                Scheme::Grpc | Scheme::Grpcs => format!("{level}: {url} says SERVING"),
            }
        }
        Outcome::Unhealthy(reason) => format!("unhealthy: {}", reason.about(url)),
        Outcome::Unknown(reason) => format!("unknown: {}", reason.about(url)),
    };
    for warning in warnings {
        text.push_str(", ");
        text.push_str(warning);
    }
    // Writing into a String cannot fail.
    text.push('\n');
    for to in &check.redirects {
        let _ = writeln!(text, "  redirected to {to}");
    }
    if let Some(address) = &check.address {
        let _ = write!(text, "  asked {address}");
        let spoken = check.version.map(|version| format!("{version:?}"));
        let parts: Vec<String> = spoken.into_iter().chain(check.tls.as_ref().map(certificate)).collect();
        if !parts.is_empty() {
            let _ = write!(text, " ({})", parts.join(", "));
        }
        text.push('\n');
    }
    let phases: Vec<String> = phases(check)
        .into_iter()
        .filter_map(|(name, time)| Some(format!("{} {}", name.replace('_', " "), millis(time?))))
        .collect();
    let _ = write!(text, "  took {}", millis(check.timings.total));
    if !phases.is_empty() {
        let _ = write!(text, " ({})", phases.join(", "));
    }
    if check.timings.headers.is_some() {
        let more = if check.body_truncated { "more than " } else { "" };
        let _ = write!(text, "; {more}{} bytes of body", check.body_bytes);
    }
    text.push('\n');
    text
}

fn certificate(tls: &Session) -> String {
    let expiry = tls.expires.map_or_else(String::new, |at| format!(", certificate expires {}", when(at)));
    format!("{}{expiry}", tls.version)
}

/// `2027-01-31T12:00:00Z, in 67 days`
fn when(moment: Moment) -> String {
    match moment.from_now().map(|left| left.as_secs() / 86400) {
        None => format!("{moment}, which is past"),
        Some(0) => format!("{moment}, in less than a day"),
        Some(1) => format!("{moment}, in 1 day"),
        Some(days) => format!("{moment}, in {days} days"),
    }
}

/// For programs: one object on one line. Times are in microseconds; what did not happen is null.
pub fn json(url: &Url, check: &Check, warnings: &[String]) -> String {
    let Check {
        outcome,
        status,
        version,
        address,
        // One check is always the first of its connection.
        reused: _,
        tls,
        redirects,
        body_bytes,
        body_truncated,
        timings: _,
    } = check;
    let (result, reason) = match outcome {
        Outcome::Healthy if warnings.is_empty() => ("healthy", None),
        Outcome::Healthy => ("warning", None),
        Outcome::Unhealthy(reason) => ("unhealthy", Some(reason.to_string())),
        Outcome::Unknown(reason) => ("unknown", Some(reason.to_string())),
    };
    let mut timings: serde_json::Map<String, serde_json::Value> = phases(check)
        .into_iter()
        .map(|(name, time)| (format!("{name}_us"), json!(time.map(micros))))
        .collect();
    timings.insert("total_us".to_owned(), json!(micros(check.timings.total)));
    let tls = tls.as_ref().map(|Session { version, alpn, expires }| {
        json!({
            "version": version,
            "alpn": alpn,
            "certificate_expires": expires.map(|at| at.to_string()),
            "certificate_expires_in_s": expires.map(|at| at.from_now().map_or(0, |left| left.as_secs())),
        })
    });
    json!({
        "url": url.to_string(),
        "result": result,
        "reason": reason,
        "warnings": warnings,
        "status": status,
        "version": version.map(|version| format!("{version:?}")),
        "address": address.as_ref().map(ToString::to_string),
        "tls": tls,
        "redirects": redirects,
        "body_bytes": body_bytes,
        "body_truncated": body_truncated,
        "timings": timings,
    })
    .to_string()
}

fn phases(check: &Check) -> [(&'static str, Option<Duration>); 6] {
    let timings = &check.timings;
    [
        ("resolve", timings.resolve),
        ("connect", timings.connect),
        ("tls", timings.tls),
        ("first_byte", timings.first_byte),
        ("headers", timings.headers),
        ("body", timings.body),
    ]
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn millis(time: Duration) -> String {
    format!("{:.2}ms", time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{Address, Reason, Timings};
    use hyper::Version;
    use snapbox::{assert_data_eq, str};
    use std::time::SystemTime;

    fn check(outcome: Outcome) -> Check {
        let time = |micros| Some(Duration::from_micros(micros));
        Check {
            outcome,
            status: Some(200),
            version: Some(Version::HTTP_11),
            address: Some(Address::Inet("127.0.0.1:20000".parse().unwrap())),
            reused: false,
            tls: None,
            redirects: vec!["http://127.0.0.1:20000/up".to_owned()],
            body_bytes: 2,
            body_truncated: false,
            timings: Timings {
                resolve: time(1),
                connect: time(90),
                tls: None,
                first_byte: time(400),
                headers: time(10),
                body: time(20),
                total: Duration::from_micros(1234),
            },
        }
    }

    fn encrypted(expires: Moment) -> Check {
        let tls = Session { version: "TLSv1.3", alpn: Some("h2".to_owned()), expires: Some(expires) };
        Check {
            tls: Some(tls),
            version: Some(Version::HTTP_2),
            redirects: Vec::new(),
            ..check(Outcome::Healthy)
        }
    }

    /// So many seconds from now.
    fn moment(seconds: i64) -> Moment {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Moment::from_seconds(i64::try_from(now.as_secs()).unwrap() + seconds)
    }

    fn url() -> Url {
        "http://127.0.0.1:20000/healthz".parse().unwrap()
    }

    #[test]
    fn for_people() {
        assert_data_eq!(
            human(&url(), &check(Outcome::Healthy), &[]),
            str![[r"
healthy: http://127.0.0.1:20000/healthz answered 200
  redirected to http://127.0.0.1:20000/up
  asked 127.0.0.1:20000 (HTTP/1.1)
  took 1.23ms (resolve 0.00ms, connect 0.09ms, first byte 0.40ms, headers 0.01ms, body 0.02ms); 2 bytes of body

"]]
        );
        assert_data_eq!(
            human(
                &url(),
                &encrypted(moment(86400 * 3 + 100)),
                &["took 1.23ms, which is more than 1ms".to_owned()]
            ),
            str![[r"
warning: http://127.0.0.1:20000/healthz answered 200, took 1.23ms, which is more than 1ms
  asked 127.0.0.1:20000 (HTTP/2.0, TLSv1.3, certificate expires [..]Z, in 3 days)
  took 1.23ms (resolve 0.00ms, connect 0.09ms, first byte 0.40ms, headers 0.01ms, body 0.02ms); 2 bytes of body

"]]
        );
        let refused = Check {
            redirects: Vec::new(),
            address: None,
            timings: Timings { total: Duration::from_micros(150), ..Timings::default() },
            ..check(Outcome::Unhealthy(Reason::Refused))
        };
        assert_data_eq!(
            human(&url(), &refused, &[]),
            str![[r"
unhealthy: http://127.0.0.1:20000/healthz: connection refused
  took 0.15ms

"]]
        );
        assert_eq!(exit_status(&refused, &[]), 2);
        assert_eq!(exit_status(&check(Outcome::Unknown(Reason::Refused)), &[]), 3);
    }

    #[test]
    fn for_programs() {
        assert_data_eq!(
            json(&url(), &check(Outcome::Unhealthy(Reason::Refused)), &[]),
            str![[
                r#"{"address":"127.0.0.1:20000","body_bytes":2,"body_truncated":false,"reason":"connection refused","redirects":["http://127.0.0.1:20000/up"],"result":"unhealthy","status":200,"timings":{"body_us":20,"connect_us":90,"first_byte_us":400,"headers_us":10,"resolve_us":1,"tls_us":null,"total_us":1234},"tls":null,"url":"http://127.0.0.1:20000/healthz","version":"HTTP/1.1","warnings":[]}"#
            ]]
        );
        let said = json(&url(), &encrypted(Moment::from_seconds(0)), &[]);
        assert!(
            said.contains(
                r#""tls":{"alpn":"h2","certificate_expires":"1970-01-01T00:00:00Z","certificate_expires_in_s":0,"version":"TLSv1.3"}"#
            ),
            "{said}"
        );
    }

    #[test]
    fn warnings() {
        let limits =
            Limits { slow: Some(Duration::from_millis(1)), expiry: Some(Duration::from_secs(86400 * 14)) };
        let slow = limits.warnings(&check(Outcome::Healthy));
        assert_eq!(slow, ["took 1.23ms, which is more than 1ms"]);
        assert_eq!(exit_status(&check(Outcome::Healthy), &slow), 1);
        assert!(limits.warnings(&check(Outcome::Unhealthy(Reason::Refused))).is_empty());
        assert!(Limits::default().warnings(&encrypted(moment(5))).is_empty());
        let soon = Limits { slow: None, ..limits };
        assert!(soon.warnings(&encrypted(moment(86400 * 15))).is_empty());
        assert!(soon.warnings(&check(Outcome::Healthy)).is_empty());
        let said = soon.warnings(&encrypted(moment(86400 * 13 + 100))).concat();
        assert!(said.starts_with("the certificate expires 2") && said.ends_with("Z, in 13 days"), "{said}");
        let said = soon.warnings(&encrypted(moment(-5))).concat();
        assert!(said.ends_with("which is past"), "{said}");
    }
}
