//! What goes wrong around a release, on a machine with real containers behind a real nginx: the old one goes on
//! untouched, and the message says what happened.

use std::thread;

use conductor_tests::{Host, Output};

use crate::common::{ask, define, invocation, only_containers, state};
use crate::deploys::{SITE, SOON, behind_nginx, deploy, only, serving, status, web};
use crate::mishap::{KILL, install, killed, mishap, moments};

/// A machine on which release 1 is live, in the green slot, and the run in which it is.
fn released() -> (Host, String) {
    let host = behind_nginx();
    install(&host);
    status(&deploy(&host, "1"), 0);
    let run = invocation(&host, "web-green@1.service");
    (host, run)
}

/// Release 1 serves as if nothing had been.
fn untouched(host: &Host, run: &str) {
    only(host, "r1", "green");
    assert_eq!(invocation(host, "web-green@1.service"), run);
    assert!(!host.run(["test", "-e", "/etc/conductor/releases/web/blue.toml"]).unwrap().success());
    assert!(!host.run(["test", "-e", "/var/lib/conductor/deploys/web/current"]).unwrap().success());
    host.ok(["nginx", "-t"]).unwrap();
}

fn failed(output: &Output, says: &[&str]) {
    assert!(!output.success(), "{}", output.describe());
    for says in says {
        assert!(output.stderr.contains(says), "{says:?} is missing: {}", output.describe());
    }
}

#[test]
fn a_release_that_dies_or_fails_while_it_settles() {
    let (host, run) = released();
    // The new one is in the blue slot.
    let output =
        mishap(&host, "web", "2", &[("settle:begins", "curl -s http://127.0.0.1:20000/exit/3 || true")]);
    failed(&output, &[" and does not run any more", "payload: listening"]);
    assert!(moments(&output).contains(&"settle:failed".to_owned()), "{}", output.describe());
    untouched(&host, &run);

    // Its checker would end it before.
    let patient =
        web("").replace("unhealthy-after = 3", "unhealthy-after = 100").replace("\"20s\"", "\"2s\"");
    define(&host, "web", &patient);
    let sick = [("settle:begins", "curl -sf http://127.0.0.1:20000/mode/500")];
    let output = mishap(&host, "web", "2", &sick);
    failed(&output, &["it does not stay healthy: ", "500"]);
    untouched(&host, &run);
}

#[test]
fn a_port_that_is_taken_keeps_nginx_from_reloading() {
    let (host, run) = released();
    host.sh("systemd-run --quiet --unit=holder busybox httpd -f -p 127.0.0.1:9003 -h /").unwrap();
    let answers = || Ok(host.run(["curl", "-s", "http://127.0.0.1:9003/"])?.success());
    host.eventually(SOON, "somebody has the port", answers).unwrap();
    let other = "/etc/nginx/conf.d/other.conf";
    host.write(other, "server { listen 127.0.0.1:9003; }\n").unwrap();
    let said = status(&deploy(&host, "2"), 70);
    assert!(said.contains("bind() to 127.0.0.1:9003 failed (98: Address already in use)"), "{said}");
    assert!(said.contains("works on with the workers from before"), "{said}");
    host.ok(["rm", other]).unwrap();
    untouched(&host, &run);
    status(&deploy(&host, "2"), 0);
    only(&host, "r2", "blue");
}

/// A file system of its own for a directory, which is then full.
fn fill(host: &Host, directory: &str) {
    host.sh(&format!(
        "cp -a {directory} /root/copy && mount -t tmpfs -o size=64k,mode=755 tmpfs {directory}
         cp -a /root/copy/. {directory}/ && rm -r /root/copy
         ! dd if=/dev/zero of={directory}/filler bs=1k 2>/dev/null"
    ))
    .unwrap();
}

fn empty(host: &Host, directory: &str) {
    host.sh(&format!(
        "rm {directory}/filler; cp -a {directory} /root/copy; umount {directory}; cp -a /root/copy/. {directory}/"
    ))
    .unwrap();
}

#[test]
fn a_disk_that_is_full() {
    let (host, run) = released();
    let releases = "/etc/conductor/releases";
    fill(&host, releases);
    let said = status(&deploy(&host, "2"), 70);
    assert!(
        said.contains("writing /etc/conductor/releases/web/blue.toml: No space left on device"),
        "{said}"
    );
    untouched(&host, &run);
    empty(&host, releases);

    // Nothing can be written down of a deploy, so nothing is done.
    fill(&host, "/var/lib/conductor");
    let said = status(&deploy(&host, "2"), 70);
    assert!(
        said.contains("/var/lib/conductor/deploys/web/") && said.contains("No space left on device"),
        "{said}"
    );
    untouched(&host, &run);
    empty(&host, "/var/lib/conductor");

    status(&deploy(&host, "2"), 0);
    only(&host, "r2", "blue");
}

#[test]
fn a_service_that_is_removed() {
    let (host, run) = released();
    host.sh("rm /etc/conductor/services/web.toml; systemctl daemon-reload").unwrap();
    // What runs goes on, supervised.
    untouched(&host, &run);
    let said = status(&deploy(&host, "2"), 3);
    assert!(said.contains("web"), "{said}");
    untouched(&host, &run);
    host.ok(["systemctl", "stop", "web.target"]).unwrap();
    let gone = || Ok(state(&host, "web-green@1.service") == "inactive");
    host.eventually(SOON, "it has stopped", gone).unwrap();
    only_containers(&host, &[]);
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    for unit in ["web.target", "web-green.target", "web-green@1.service", "web-green-health.service"] {
        assert_eq!(host.property(unit, "LoadState").unwrap(), "not-found", "{unit}");
    }
    // nginx does not start with an upstream that nobody has: the administrator's file has to go as well.
    host.sh("rm /etc/nginx/conf.d/site.conf; systemctl restart nginx").unwrap();
    assert!(!host.run(["test", "-e", "/run/conductor/nginx/web.conf"]).unwrap().success());
}

#[test]
fn more_and_fewer_instances() {
    let (host, _) = released();
    let with = |host: &Host, instances: usize, revision: &str, slot: &str| {
        define(host, "web", &format!("instances = {instances}\n{}", web("")));
        status(&deploy(host, revision), 0);
        let names: Vec<String> =
            (1..=instances).map(|number| format!("conductor-web-{slot}.{number}")).collect();
        only_containers(host, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let upstream = host.read("/run/conductor/nginx/web.conf").unwrap();
        assert_eq!(upstream.matches("server 127.0.0.1:").count(), instances, "{upstream}");
        let answers: Vec<String> = (0..6).map(|_| ask(host, SITE, "/instance").unwrap()).collect();
        for number in 1..=instances {
            assert!(answers.contains(&number.to_string()), "{number} gets nothing: {answers:?}");
        }
        assert_eq!(serving(host), format!("r{revision}"));
    };
    with(&host, 3, "2", "blue");
    with(&host, 1, "3", "green");
    with(&host, 2, "4", "blue");
    // One of more instances that does not get healthy, beside one that does.
    define(&host, "web", &format!("instances = 3\n{}", web("").replace("20s", "3s")));
    let taken = "systemd-run --quiet --unit=holder busybox httpd -f -p 127.0.0.1:20003 -h /";
    host.sh(taken).unwrap();
    let said = status(&deploy(&host, "5"), 1);
    assert!(said.contains("web-green@2.service did not get healthy"), "{said}");
    only_containers(&host, &["conductor-web-blue.1", "conductor-web-blue.2"]);
    assert_eq!(serving(&host), "r4");
}

/// nginx is restarted at each moment of a deploy, and starts with what is live at that moment.
#[test]
fn nginx_that_is_restarted_at_every_moment() {
    let (host, _) = released();
    let all = moments(&mishap(&host, "web", "2", &[]));
    for (number, moment) in all.iter().filter(|moment| moment.ends_with(":done")).enumerate() {
        let revision = format!("n{number}");
        let output = mishap(&host, "web", &revision, &[(moment, "systemctl restart nginx")]);
        assert!(output.success(), "restarted at {moment}: {}", output.describe());
        let live = host.ok(["readlink", "/etc/conductor/releases/web/live"]).unwrap();
        only(&host, &format!("r{revision}"), live.trim().trim_end_matches(".toml"));
    }
    // And one that has gone for good.
    let stop = [("settle:done", "systemctl stop nginx")];
    let output = mishap(&host, "web", "no-nginx", &stop);
    failed(&output, &["nginx.service is not running", "systemctl start nginx.service"]);
    host.ok(["systemctl", "start", "nginx"]).unwrap();
    status(&host.run(["conductor", "abort", "web"]).unwrap(), 0);
    assert_ne!(serving(&host), "rno-nginx");
    status(&deploy(&host, "last"), 0);
    assert_eq!(serving(&host), "rlast");
}

/// Nobody gets anything through it then: that is no reason to leave the old release running, nor to go on for ever.
#[test]
fn nginx_that_is_stopped_when_the_release_is_live() {
    let (host, _) = released();
    let output = mishap(&host, "web", "2", &[("commit:done", "systemctl stop nginx")]);
    assert!(output.success(), "{}", output.describe());
    host.ok(["systemctl", "start", "nginx"]).unwrap();
    only(&host, "r2", "blue");
    // And whoever clears up after a command that was killed.
    killed(&host, &["web", "3"], &[("commit:done", "systemctl stop nginx")], "drain:begins");
    let said = status(&host.run(["conductor", "abort", "web"]).unwrap(), 0);
    assert!(said.contains("will start with the new release"), "{said}");
    host.ok(["systemctl", "start", "nginx"]).unwrap();
    only(&host, "r3", "green");
}

/// It runs on then, and that is told and not forgotten.
#[test]
fn an_old_release_that_somebody_starts_while_it_stops() {
    let (host, _) = released();
    let slow = "/etc/systemd/system/web-green@1.service.d/slow.conf";
    host.write(slow, "[Service]\nExecStopPost=sleep 3\n").unwrap();
    let start = "(until systemctl list-jobs --no-legend | grep -q 'web-green@1.service *stop'; do sleep 0.05; done; \
                 systemctl start --no-block web-green@1.service) >/dev/null 2>&1 </dev/null &";
    let output = mishap(&host, "web", "2", &[("stop-old:begins", start)]);
    assert!(moments(&output).contains(&"stop-old:failed".to_owned()), "{}", output.describe());
    let told = host.ok(["journalctl", "--quiet", "--output=cat", "--grep=leftovers"]).unwrap();
    assert!(told.contains("stopping web-green@1.service: the job ended as canceled"), "{told}");
    assert_eq!(serving(&host), "r2");
    host.ok(["rm", slow]).unwrap();
    let said = status(&host.run(["conductor", "abort", "web"]).unwrap(), 0);
    assert!(said.contains("finished: its release was live already, and is"), "{said}");
    only(&host, "r2", "blue");
}

#[test]
fn two_services_that_switch_at_once() {
    let host = behind_nginx();
    install(&host);
    let api = web("").replace("20000", "20010").replace("upstream = \"web\"", "upstream = \"api\"");
    define(&host, "api", &api);
    host.ok(["systemctl", "start", "api.target"]).unwrap();
    let site = "server { listen 127.0.0.1:8001; location / { proxy_pass http://api; } }\n";
    host.write("/etc/nginx/conf.d/api.conf", site).unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    for round in 1..=3 {
        let revision = round.to_string();
        // Each waits until the other is there as well.
        let meet = |own: &str, other: &str| {
            format!("touch /run/{own}-{round}; until test -e /run/{other}-{round}; do sleep 0.01; done")
        };
        thread::scope(|scope| {
            for (own, other) in [("web", "api"), ("api", "web")] {
                let (host, revision) = (&host, &revision);
                let meet = meet(own, other);
                scope.spawn(move || {
                    let output = mishap(host, own, revision, &[("settle:done", &meet)]);
                    assert!(output.success(), "{own}: {}", output.describe());
                });
            }
        });
        assert_eq!(serving(&host), format!("r{revision}"));
        assert_eq!(ask(&host, 8001, "/hostname").unwrap(), format!("r{revision}"));
    }
}

/// What is written beside its place when the deployer is killed does not stay there.
#[test]
fn what_a_killed_deployer_had_begun_to_write_is_cleared_away() {
    let (host, _) = released();
    let half = [
        "/etc/conductor/releases/web/.tmpAbCdEf",
        "/var/lib/conductor/deploys/web/.tmpAbCdEf",
        "/var/lib/conductor/deploys/web/releases/.tmpAbCdEf",
        "/run/conductor/nginx/.xYz.new",
        "/run/conductor/.nginx-candidate-AbCdEf/web.conf",
    ];
    for path in half {
        host.write(path, "half").unwrap();
    }
    assert!(!mishap(&host, "web", "2", &[("freeze:done", KILL)]).success());
    status(&deploy(&host, "3"), 0);
    for path in half {
        assert!(!host.run(["test", "-e", path]).unwrap().success(), "{path}");
    }
}
