//! `probe`: one check, told in full.

use crate::HttpUrl;
use crate::probe::{Check, Outcome};
use serde_json::json;
use std::fmt::Write as _;
use std::time::Duration;

/// The exit status, by the convention of monitoring plugins: 0 fine, 2 critical, 3 unknown.
pub fn exit_status(check: &Check) -> u8 {
    match check.outcome {
        Outcome::Healthy => 0,
        Outcome::Unhealthy(_) => 2,
        Outcome::Unknown(_) => 3,
    }
}

/// For people: the verdict, and where the time went.
pub fn human(url: &HttpUrl, check: &Check) -> String {
    let verdict = match &check.outcome {
        Outcome::Healthy => {
            format!(
                "healthy: {url} answered {}",
                check.status.map_or_else(String::new, |status| status.to_string())
            )
        }
        Outcome::Unhealthy(reason) => format!("unhealthy: {}", reason.about(url)),
        Outcome::Unknown(reason) => format!("unknown: {}", reason.about(url)),
    };
    // Writing into a String cannot fail.
    let mut text = format!("{verdict}\n");
    for to in &check.redirects {
        let _ = writeln!(text, "  redirected to {to}");
    }
    let phases: Vec<String> = phases(check)
        .into_iter()
        .filter_map(|(name, time)| Some(format!("{name} {}", millis(time?))))
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

/// For programs: one object on one line. Times are in microseconds; what did not happen is null.
pub fn json(url: &HttpUrl, check: &Check) -> String {
    let (result, reason) = match &check.outcome {
        Outcome::Healthy => ("healthy", None),
        Outcome::Unhealthy(reason) => ("unhealthy", Some(reason.to_string())),
        Outcome::Unknown(reason) => ("unknown", Some(reason.to_string())),
    };
    let mut timings: serde_json::Map<String, serde_json::Value> = phases(check)
        .into_iter()
        .map(|(name, time)| (format!("{name}_us"), json!(time.map(micros))))
        .collect();
    timings.insert("total_us".to_owned(), json!(micros(check.timings.total)));
    json!({
        "url": url.to_string(),
        "result": result,
        "reason": reason,
        "status": check.status,
        "address": check.address.map(|address| address.to_string()),
        "redirects": check.redirects,
        "body_bytes": check.body_bytes,
        "body_truncated": check.body_truncated,
        "timings": timings,
    })
    .to_string()
}

fn phases(check: &Check) -> [(&'static str, Option<Duration>); 4] {
    let timings = &check.timings;
    [
        ("resolve", timings.resolve),
        ("connect", timings.connect),
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
    use crate::Reason;
    use crate::probe::Timings;
    use snapbox::{assert_data_eq, str};

    fn check(outcome: Outcome) -> Check {
        let time = |micros| Some(Duration::from_micros(micros));
        Check {
            outcome,
            status: Some(200),
            address: Some("127.0.0.1:20000".parse().unwrap()),
            redirects: vec!["http://127.0.0.1:20000/up".to_owned()],
            body_bytes: 2,
            body_truncated: false,
            timings: Timings {
                resolve: time(1),
                connect: time(90),
                headers: time(410),
                body: time(20),
                total: Duration::from_micros(1234),
            },
        }
    }

    fn url() -> HttpUrl {
        "http://127.0.0.1:20000/healthz".parse().unwrap()
    }

    #[test]
    fn for_people() {
        assert_data_eq!(
            human(&url(), &check(Outcome::Healthy)),
            str![[r"
healthy: http://127.0.0.1:20000/healthz answered 200
  redirected to http://127.0.0.1:20000/up
  took 1.23ms (resolve 0.00ms, connect 0.09ms, headers 0.41ms, body 0.02ms); 2 bytes of body

"]]
        );
        let refused = Check {
            redirects: Vec::new(),
            timings: Timings { total: Duration::from_micros(150), ..Timings::default() },
            ..check(Outcome::Unhealthy(Reason::Refused))
        };
        assert_data_eq!(
            human(&url(), &refused),
            str![[r"
unhealthy: http://127.0.0.1:20000/healthz: connection refused
  took 0.15ms

"]]
        );
        assert_eq!(exit_status(&refused), 2);
        assert_eq!(exit_status(&check(Outcome::Unknown(Reason::Refused))), 3);
    }

    #[test]
    fn for_programs() {
        assert_data_eq!(
            json(&url(), &check(Outcome::Unhealthy(Reason::Refused))),
            str![[
                r#"{"address":"127.0.0.1:20000","body_bytes":2,"body_truncated":false,"reason":"connection refused","redirects":["http://127.0.0.1:20000/up"],"result":"unhealthy","status":200,"timings":{"body_us":20,"connect_us":90,"headers_us":410,"resolve_us":1,"total_us":1234},"url":"http://127.0.0.1:20000/healthz"}"#
            ]]
        );
    }
}
