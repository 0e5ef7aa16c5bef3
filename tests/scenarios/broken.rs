//! Broken definitions hurt nobody else, and never what runs.

use conductor_tests::{Host, Image};

use crate::common::{
    SOON, WEB, ask, define, host, host_with, invocation, journal, only_containers, state, tell,
};

const BROKEN: &str = "imgae = \"localhost/web:1\"\n";

#[test]
fn one_broken_definition_at_boot() {
    let mut host = Host::prepare(&Image::with_conductor().unwrap()).unwrap();
    host.write("/etc/conductor/services/web.toml", WEB).unwrap();
    host.write("/etc/conductor/services/api.toml", BROKEN).unwrap();
    host.power_on().unwrap();

    assert_eq!(state(&host, "web.service"), "active");
    assert_eq!(ask(&host, 20000, "/healthz").unwrap(), "ok");
    // The other one is there, has failed, and explains itself.
    assert_eq!(state(&host, "api.service"), "failed");
    let status = host.run(["systemctl", "status", "--no-pager", "--full", "api.service"]).unwrap().stdout;
    for expected in ["/etc/conductor/services/api.toml:1:1", "unknown key `imgae`", "did you mean `image`?"] {
        assert!(status.contains(expected), "{expected} is not in:\n{status}");
    }
    assert!(!host.run(["systemctl", "start", "api.service"]).unwrap().success());

    // Mended, it is an ordinary service; the stub is gone.
    define(&host, "api", &WEB.replace("20000", "20001"));
    host.ok(["systemctl", "start", "api.service"]).unwrap();
    assert_eq!(ask(&host, 20001, "/healthz").unwrap(), "ok");
    only_containers(&host, &["conductor-api", "conductor-web"]);
}

#[test]
fn what_runs_keeps_its_last_good_units() {
    let host = host_with(WEB);
    let before = host.ok(["systemctl", "cat", "web.service"]).unwrap();
    let web = invocation(&host, "web.service");
    define(&host, "web", BROKEN);
    assert_eq!(host.ok(["systemctl", "cat", "web.service"]).unwrap(), before);
    assert_eq!(invocation(&host, "web.service"), web, "nothing happened to it");

    // It is still supervised, by the checks …
    let mut log = journal(&host);
    tell(&host, "/mode/500");
    log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    // … by systemd …
    tell(&host, "/exit/1");
    log.until_message(SOON, "web.service", "Scheduled restart job").unwrap();
    log.until_message(SOON, "web.service", "Started ").unwrap();
    // … over another reload, and stops in good order.
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    assert_eq!(state(&host, "web.service"), "inactive");
    only_containers(&host, &[]);
    host.ok(["systemctl", "start", "web.service"]).unwrap();
}

#[test]
fn after_a_reboot_a_broken_definition_is_a_stub() {
    let mut host = host_with(WEB);
    define(&host, "web", BROKEN);
    host.reboot().unwrap();
    assert_eq!(state(&host, "web.service"), "failed");
    only_containers(&host, &[]);
}

#[test]
fn what_runs_keeps_its_units_when_its_definition_is_removed() {
    let host = host_with(WEB);
    host.ok(["rm", "/etc/conductor/services/web.toml"]).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    assert_eq!(host.property("web.service", "LoadState").unwrap(), "loaded");
    // Its own way to stop still works: no container is left.
    host.ok(["systemctl", "stop", "web.service"]).unwrap();
    only_containers(&host, &[]);
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    assert_eq!(host.property("web.service", "LoadState").unwrap(), "not-found");
    assert_eq!(host.property("web-health.service", "LoadState").unwrap(), "not-found");
}

#[test]
fn unreadable_things_on_the_search_path() {
    let host = host_with(WEB);
    host.sh("cd /etc/conductor/services
         mkdir directory.toml; mkfifo fifo.toml; ln -s nowhere dangling.toml; ln -s loop.toml loop.toml
         printf 'image = \"\\377\"' > binary.toml; : > empty.toml; cp web.toml 'We B.toml'
         truncate -s 3M huge.toml
         systemctl daemon-reload")
        .unwrap();
    for name in ["directory", "fifo", "dangling", "loop", "binary", "huge"] {
        let description = host.property(&format!("{name}.service"), "Description").unwrap();
        assert!(
            description.starts_with(&format!("{name} cannot run: /etc/conductor/services/")),
            "{description}"
        );
    }
    // An empty file masks, as systemd's own units do.
    assert_eq!(host.property("empty.service", "LoadState").unwrap(), "not-found");
    assert_eq!(state(&host, "web.service"), "active");
    host.ok(["systemctl", "restart", "web.service"]).unwrap();
}

/// The generator's own mount namespace (systemd 253) does not keep it from linking, and what somebody has done to a
/// unit is gone with the next reload.
#[test]
fn a_unit_that_has_not_changed_stays_the_same_file_and_an_edited_one_does_not() {
    let host = host();
    define(&host, "web", WEB);
    let file = |path: &str| host.ok(["stat", "--format=%d:%i %h", path]).unwrap();
    let unit = "/run/systemd/generator/web.service";
    let (before, text) = (file(unit), host.read(unit).unwrap());
    assert_eq!(before, file("/run/conductor/units/web:web.service"));
    assert!(before.trim_end().ends_with(" 2"), "{before}");
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    assert_eq!(file(unit), before);
    assert_eq!(host.property("web.service", "NeedDaemonReload").unwrap(), "no");

    host.sh(&format!("echo '# by hand' >>{unit}")).unwrap();
    host.ok(["systemctl", "daemon-reload"]).unwrap();
    assert_eq!(host.read(unit).unwrap(), text);
    assert_ne!(file(unit), before);
}
