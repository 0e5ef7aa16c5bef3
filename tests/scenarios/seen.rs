//! What the checkers tell: the journal in fields, Prometheus in figures, load balancers in a word.

use std::time::Duration;

use conductor_tests::{Entry, Host, Image, Suite, newest_package};

use crate::common::{SOON, WEB, ask, define, host_with, invocation, journal, tell};

const CHECKER: &str = "web-health.service";
const SOCKET: &str = "/run/conductor/health/web/socket";

#[test]
fn a_change_is_an_entry_with_fields() {
    let host = host_with(WEB);
    host.eventually(SOON, "it is healthy", || {
        Ok(host.property(CHECKER, "StatusText")?.contains("1/1 healthy"))
    })
    .unwrap();
    // Nothing happens, and nothing is said.
    let ours = |entry: &Entry| entry.unit() == CHECKER;
    assert!(journal(&host).until(Duration::from_secs(3), "a line", ours).is_err(), "it talks without need");

    let web = invocation(&host, "web.service");
    let mut log = journal(&host);
    tell(&host, "/mode/500");
    let entry = log.until_message(SOON, CHECKER, "failing (1 of 3)").unwrap();
    for (field, value) in [
        ("MESSAGE", "web.service: healthy -> failing (1 of 3): answered 500 Internal Server Error"),
        ("MESSAGE_ID", "c181bafbf54a4885b6a01551f6d7c359"),
        ("PRIORITY", "4"),
        ("SYSLOG_IDENTIFIER", "web-health"),
        ("CONDUCTOR_SERVICE", "web"),
        ("UNIT", "web.service"),
        ("INVOCATION_ID", &web),
        ("TARGET", "http://127.0.0.1:20000/healthz"),
        ("STATE_FROM", "healthy"),
        ("STATE_TO", "failing"),
        ("REASON", "answered 500 Internal Server Error"),
        ("HTTP_STATUS", "500"),
    ] {
        assert_eq!(entry.get(field), value, "{field}");
    }
    let latency: u64 = entry.get("LATENCY_USEC").parse().unwrap();
    assert!((1..500_000).contains(&latency), "{latency}");
    let entry = log.until_message(SOON, CHECKER, "SIGTERM sent").unwrap();
    assert_eq!((entry.get("SIGNAL"), entry.get("INVOCATION_ID")), ("SIGTERM", web.as_str()));
    log.until_message(SOON, "web.service", "Started ").unwrap();

    // As an administrator would look for them.
    let found =
        host.ok(["journalctl", "--quiet", "--output=cat", "CONDUCTOR_SERVICE=web", "STATE_TO=failing"]);
    assert_eq!(found.unwrap().lines().count(), 1);
    let of_that_run =
        host.ok(["journalctl", "--quiet", "--output=cat", &format!("INVOCATION_ID={web}")]).unwrap();
    for said in ["SIGTERM sent", "-> terminating", "Deactivated successfully"] {
        assert!(of_that_run.contains(said), "{said}:\n{of_that_run}");
    }
}

/// A machine with `web` on it, and those who ask.
fn watched() -> Host {
    let image = Image::base(Suite::Trixie).unwrap().add_observers().unwrap().add_payload().unwrap();
    let host = Host::boot(&image.add_package(&newest_package().unwrap()).unwrap()).unwrap();
    define(&host, "web", &format!("instances = 2\n{WEB}"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    host.eventually(SOON, "both are healthy", || {
        Ok(host.property(CHECKER, "StatusText")?.contains("2/2 healthy"))
    })
    .unwrap();
    host
}

/// Status and body; the status is 000 while nobody listens.
fn get(host: &Host, url: &str) -> (String, String) {
    let words = ["curl", "-sS", "--max-time", "5", "--write-out", "\n%{http_code}", url];
    let shown = host.run(words).unwrap().stdout;
    let (body, status) = shown.rsplit_once('\n').unwrap();
    (status.to_owned(), body.trim_end().to_owned())
}

/// A sample's value.
fn figure(metrics: &str, sample: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(sample));
    line.unwrap_or_else(|| panic!("no {sample} in\n{metrics}")).trim().parse().unwrap()
}

#[test]
fn figures_that_promtool_accepts() {
    let host = watched();
    ask(&host, 20001, "/mode/500").unwrap();
    let mut log = journal(&host);
    log.until_message(SOON, "web@2.service", "Started ").unwrap();
    host.eventually(SOON, "both are healthy", || {
        Ok(host.property(CHECKER, "StatusText")?.contains("2/2 healthy"))
    })
    .unwrap();

    // The checker's own socket, and nobody else's.
    let own = host.sh(&format!("curl -sS --unix-socket {SOCKET} http://x/metrics")).unwrap();
    let refused =
        host.run(["runuser", "-u", "nobody", "--", "curl", "--unix-socket", SOCKET, "http://x/metrics"]);
    assert!(!refused.unwrap().success(), "anybody may ask");

    host.ok(["systemctl", "start", "conductor-status.socket"]).unwrap();
    let (status, metrics) = get(&host, "http://127.0.0.1:9580/metrics");
    assert_eq!(status, "200");
    for text in [&own, &metrics] {
        host.write("/tmp/metrics", &format!("{}\n", text.trim_end())).unwrap();
        let checked = host.run(["sh", "-c", "promtool check metrics </tmp/metrics"]).unwrap();
        assert!(checked.success() && checked.stderr.is_empty(), "{}\n{text}", checked.describe());
    }
    let of = |unit: &str, rest: &str| format!("{{service=\"web\",unit=\"{unit}\"{rest}}} ");
    let value = |name: &str, unit: &str, rest: &str| figure(&metrics, &format!("{name}{}", of(unit, rest)));
    let checks = "conductor_health_checks_total";
    assert!(value(checks, "web@1.service", ",result=\"passed\"") > 2.0);
    assert!(value(checks, "web@1.service", ",result=\"failed\"") < 1.0);
    assert!(
        value(checks, "web@2.service", ",result=\"failed\"") >= 3.0,
        "it has counted through the restart"
    );
    assert_eq!(
        value("conductor_health_signals_total", "web@2.service", ",signal=\"SIGTERM\"").to_string(),
        "1"
    );
    assert_eq!(value("conductor_health_state", "web@2.service", ",state=\"healthy\"").to_string(), "1");
    let success = value("conductor_health_last_success_timestamp_seconds", "web@1.service", "");
    let now: f64 = host.ok(["date", "+%s.%N"]).unwrap().parse().unwrap();
    assert!(now - success < 5.0, "{now} {success}");
    assert_eq!(figure(&metrics, "conductor_health_checker_up{service=\"web\"} ").to_string(), "1");
}

const HAPROXY: &str = "
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    timeout check 2s
listen stats
    bind 127.0.0.1:8404
    stats enable
    stats uri /
listen asked
    bind 127.0.0.1:8081
    option httpchk GET /health/web
    server machine 127.0.0.1:20000 check port 9580 inter 200ms fall 1 rise 1
listen told
    bind 127.0.0.1:8082
    server machine 127.0.0.1:20000 weight 100 check inter 200ms agent-check agent-port 9580 agent-inter 200ms agent-send \"web\\n\"
";

/// What HAProxy makes of the machine.
struct Seen {
    status: String,
    weight: String,
    /// How often it has gone down.
    downs: String,
}

/// The server of `listen`; its fields are numbered in HAProxy's management guide.
fn haproxy(host: &Host, listen: &str) -> Seen {
    let shown = host.ok(["curl", "-sS", "--max-time", "5", "http://127.0.0.1:8404/;csv"]).unwrap();
    let line = shown.lines().find(|line| line.starts_with(&format!("{listen},machine,"))).unwrap_or_default();
    let fields: Vec<&str> = line.split(',').collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default().to_owned();
    Seen { status: field(17), weight: field(18), downs: field(22) }
}

#[test]
fn a_load_balancer_asks_whether_to_send_traffic_here() {
    let host = watched();
    host.write("/etc/haproxy/haproxy.cfg", HAPROXY).unwrap();
    host.ok(["systemctl", "start", "conductor-status.socket"]).unwrap();
    host.ok(["systemd-run", "--quiet", "haproxy", "-W", "-f", "/etc/haproxy/haproxy.cfg"]).unwrap();
    host.eventually(SOON, "HAProxy listens", || Ok(get(&host, "http://127.0.0.1:8404/;csv").0 == "200"))
        .unwrap();
    let sees = |asked: &str, told: &str, weight: &str| {
        let mut seen = [const { String::new() }; 3];
        let done = || {
            let (one, other) = (haproxy(&host, "asked"), haproxy(&host, "told"));
            seen = [one.status, other.status, other.weight];
            Ok(seen[0].starts_with(asked) && seen[1].starts_with(told) && seen[2] == weight)
        };
        let within = host.eventually(SOON, &format!("HAProxy sees {asked}, {told}, {weight}"), done);
        within.map_err(|error| format!("{error}: {seen:?}")).unwrap();
    };
    sees("UP", "UP", "100");

    // One of two: there is less of it, but it is there.
    host.ok(["systemctl", "stop", "web@2.service"]).unwrap();
    sees("UP", "UP", "50");
    assert_eq!(get(&host, "http://127.0.0.1:9580/health/web").1, "up, 1 of 2 instances are healthy");
    host.ok(["systemctl", "start", "web@2.service"]).unwrap();
    sees("UP", "UP", "100");

    // An administrator takes the service out, and in again.
    host.sh("mkdir -p /run/conductor/drain && touch /run/conductor/drain/web").unwrap();
    sees("DOWN", "DRAIN", "100");
    host.sh("rm /run/conductor/drain/web").unwrap();
    sees("UP", "UP", "100");

    // Upgrades restart the checkers; nobody outside notices.
    let downs = || (haproxy(&host, "asked").downs, haproxy(&host, "told").downs);
    let before = downs();
    host.ok(["systemctl", "restart", CHECKER]).unwrap();
    host.eventually(SOON, "both are healthy", || {
        Ok(host.property(CHECKER, "StatusText")?.contains("2/2 healthy"))
    })
    .unwrap();

    assert_eq!(downs(), before);

    // Stopped altogether.
    host.ok(["systemctl", "stop", "web.target"]).unwrap();
    sees("DOWN", "DOWN", "100");
    let (status, body) = get(&host, "http://127.0.0.1:9580/health/web");
    assert_eq!(
        (status.as_str(), body.as_str()),
        ("503", "down, no checker of web runs here: the service is stopped, or has no health check")
    );
    let (status, body) = get(&host, "http://127.0.0.1:9580/health");
    assert_eq!((status.as_str(), body.as_str()), ("503", "down, no service is checked here"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    sees("UP", "UP", "100");
    let (_, status) = get(&host, "http://127.0.0.1:9580/status");
    assert!(
        status.contains("\"traffic\":\"up\"") && status.contains("\"unit\":\"web@2.service\""),
        "{status}"
    );
}

const EXAMPLES: &str = "/usr/share/doc/conductor/examples/monitoring";

/// What Prometheus knows about this expression: one line of labels and value for each sample.
fn prometheus(host: &Host, expression: &str) -> Result<String, String> {
    let output = host.run(["promtool", "query", "instant", "http://127.0.0.1:9090", expression]).unwrap();
    if output.success() { Ok(output.stdout) } else { Err(output.describe()) }
}

#[test]
fn prometheus_reads_it_and_alerts_by_the_shipped_rules() {
    let host = watched();
    host.ok(["haproxy", "-c", "-f", &format!("{EXAMPLES}/haproxy.cfg")]).unwrap();
    host.ok(["promtool", "check", "config", &format!("{EXAMPLES}/prometheus.yml")]).unwrap();

    host.ok(["systemctl", "start", "conductor-status.socket"]).unwrap();
    // As shipped, but for the addresses and the pace.
    host.sh(&format!(
        "mkdir /root/prometheus && cp {EXAMPLES}/*.yml /root/prometheus/
         cd /root/prometheus; sed -i 's/15s$/200ms/; /192.0.2.12/d; s/192.0.2.11/127.0.0.1/' prometheus.yml
         systemd-run --quiet prometheus --config.file=/root/prometheus/prometheus.yml \\
             --storage.tsdb.path=/root/prometheus/data --web.listen-address=127.0.0.1:9090"
    ))
    .unwrap();
    let tells = |what: &str, expression: &str, says: &dyn Fn(&str) -> bool| {
        let mut last = Ok(String::new());
        let told = host.eventually(SOON * 2, what, || {
            last = prometheus(&host, expression);
            Ok(last.as_ref().is_ok_and(|text| says(text)))
        });
        told.map_err(|error| format!("{error}: {last:?}")).unwrap();
    };
    let healthy = "conductor_health_state{state=\"healthy\"} == 1";
    tells("both are healthy", healthy, &|text| {
        text.lines().count() == 2
            && text.contains("unit=\"web@1.service\"")
            && text.contains("job=\"conductor\"")
    });
    tells("checks are counted", "rate(conductor_health_checks_total{result=\"passed\"}[10s]) > 0", &|text| {
        text.lines().count() == 2
    });
    let slow =
        "histogram_quantile(0.99, sum by (le) (rate(conductor_health_check_duration_seconds_bucket[10s])))";
    tells("how long they take", slow, &|text| text.starts_with("{} => ") && !text.contains("NaN"));
    assert_eq!(prometheus(&host, "ALERTS").unwrap().trim(), "", "all is well");

    // One ends, and does not come back.
    host.write("/run/systemd/system/web@2.service.d/once.conf", "[Service]\nRestart=no\n").unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    host.ok(["systemctl", "kill", "--kill-whom=main", "--signal=KILL", "web@2.service"]).unwrap();
    tells("it has given up", "ALERTS{alertname=\"ConductorGaveUp\"}", &|text| {
        text.contains("alertstate=\"pending\"") && text.contains("unit=\"web@2.service\"")
    });
    // The other is unhealthy, and for now the last that runs.
    ask(&host, 20000, "/mode/500").unwrap();
    tells("it is unhealthy", "ALERTS{alertname=\"ConductorUnhealthy\"}", &|text| {
        text.contains("alertstate=\"pending\"") && text.contains("unit=\"web@1.service\"")
    });
}
