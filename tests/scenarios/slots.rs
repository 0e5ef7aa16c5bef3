//! Releases in two slots, without anybody who deploys: what the generator and systemd make of the files.

use conductor_tests::Host;

use crate::common::{SOON, WEB, ask, define, host, invocation, only_containers, state};

const RELEASES: &str = "/etc/conductor/releases/web";

/// [`WEB`] as a definition that is deployed blue-green.
fn blue_green(top: &str) -> String {
    format!("{top}\n{WEB}\n[deploy]\nstrategy = \"blue-green\"\n")
}

#[test]
fn before_the_first_deploy_the_definition_itself_is_in_the_blue_slot() {
    let host = host();
    define(&host, "web", &blue_green("instances = 2"));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    // The target's start job has waited for both; the ports between them are the other slot's.
    assert_eq!(ask(&host, 20000, "/instance").unwrap(), "1");
    assert_eq!(ask(&host, 20002, "/instance").unwrap(), "2");
    assert!(ask(&host, 20001, "/instance").is_err());
    only_containers(&host, &["conductor-web-blue.1", "conductor-web-blue.2"]);
    let status = host.ok(["conductor", "status", "web"]).unwrap();
    assert_eq!(status.matches("healthy").count(), 2, "{status}");
    host.ok(["systemctl", "stop", "web.target"]).unwrap();
    for unit in ["web-blue@1.service", "web-blue@2.service", "web-blue-health.service"] {
        host.wait_property(unit, "ActiveState", "inactive", SOON).unwrap();
    }
    only_containers(&host, &[]);
}

#[test]
fn the_live_release_is_the_one_that_boots_whatever_the_definition_says() {
    let mut host = host();
    define(&host, "web", &blue_green(""));
    host.sh(&format!("mkdir -p {RELEASES}")).unwrap();
    release(&host, "blue", "revision = \"1\"");
    live(&host, "blue");
    host.ok(["systemctl", "start", "web.target"]).unwrap();

    // The next one comes up beside it.
    release(&host, "green", "revision = \"2\"\ninstances = 2");
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    let blue = invocation(&host, "web-blue@1.service");
    host.ok(["systemctl", "start", "web-green.target"]).unwrap();
    assert_eq!([20001, 20003].map(|port| ask(&host, port, "/instance").unwrap()), ["1", "2"]);
    assert_eq!(invocation(&host, "web-blue@1.service"), blue, "nothing has happened to the live one");
    tells_of_the_service(&host);

    // A reboot now is one into the release that was live last, however broken the definition is.
    host.write("/etc/conductor/services/web.toml", "imgae = 5\n").unwrap();
    host.reboot().unwrap();
    host.wait_active("web.target", SOON).unwrap();
    only_containers(&host, &["conductor-web-blue.1"]);

    // The other way round, without a boot.
    host.ok(["systemctl", "start", "web-green.target"]).unwrap();
    live(&host, "green");
    host.ok(["systemctl", "stop", "web-blue.target"]).unwrap();
    host.wait_property("web-blue@1.service", "ActiveState", "inactive", SOON).unwrap();
    assert_eq!(state(&host, "web.target"), "active");
    only_containers(&host, &["conductor-web-green.1", "conductor-web-green.2"]);
    host.crash();
    host.power_on().unwrap();
    host.wait_active("web.target", SOON).unwrap();
    only_containers(&host, &["conductor-web-green.1", "conductor-web-green.2"]);

    // What cannot be read any more does not take supervision from what runs.
    host.write(&format!("{RELEASES}/green.toml"), "image = \"").unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    let found = host.run(["conductor", "check"]).unwrap().stderr;
    assert!(found.contains("green.toml:1:"), "{found}");
    host.ok(["systemctl", "stop", "web.target"]).unwrap();
    for unit in ["web-green@1.service", "web-green@2.service"] {
        host.wait_property(unit, "ActiveState", "inactive", SOON).unwrap();
    }
    only_containers(&host, &[]);
}

fn release(host: &Host, slot: &str, top: &str) {
    host.write(&format!("{RELEASES}/{slot}.toml"), &blue_green(top)).unwrap();
}

/// What a deploy does: one rename, and a reload.
fn live(host: &Host, slot: &str) {
    host.sh(&format!("cd {RELEASES} && ln -s {slot}.toml .live && mv -T .live live")).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
}

/// Whoever asks about health asks about the service, and both releases have figures of their own.
fn tells_of_the_service(host: &Host) {
    host.ok(["systemctl", "start", "conductor-status.socket"]).unwrap();
    let get = |path: &str| host.ok(["curl", "-sS", &format!("http://127.0.0.1:9580/{path}")]).unwrap();
    let up = || Ok(get("health/web").starts_with("up, "));
    host.eventually(SOON, "the service is up", up).unwrap();
    let all = || {
        Ok(get("metrics")
            .lines()
            .filter(|line| {
                line.starts_with("conductor_health_state{") && line.ends_with("state=\"healthy\"} 1")
            })
            .count()
            == 3)
    };
    host.eventually(SOON, "all instances of both are healthy", all).unwrap();
    let metrics = get("metrics");
    assert!(metrics.contains("conductor_health_checker_up{service=\"web\",slot=\"green\"} 1"), "{metrics}");
    let mut samples: Vec<&str> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect();
    let count = samples.len();
    samples.sort_unstable();
    samples.dedup();
    assert_eq!(samples.len(), count, "a sample comes twice:\n{metrics}");
}
