//! What the health checker's user may do: kill what Conductor generated, and nothing else.

use std::time::Duration;

use conductor_tests::{Host, Image, Output, Suite, repository};

use crate::fake;

const SOON: Duration = Duration::from_secs(10);

#[test]
fn checker_may_kill_only_generated_units() {
    // polkit 122 and 126; the rule is installed by hand, so that the suites do not depend on what the package needs.
    for suite in [Suite::Bookworm, Suite::Trixie] {
        let host = Host::boot(&Image::base(suite).unwrap()).unwrap();
        prepare(&host);
        assert_allowed(&host);
        assert_refused(&host);
    }
}

fn prepare(host: &Host) {
    let units = repository().join("units");
    host.copy_in(&units.join("60-conductor.rules"), "/usr/share/polkit-1/rules.d/60-conductor.rules")
        .unwrap();
    host.copy_in(&units.join("conductor.sysusers"), "/usr/lib/sysusers.d/conductor.conf").unwrap();
    host.sh("systemd-sysusers; systemctl restart polkit").unwrap();
    fake::install(host, false).unwrap();
    let sleeper = "ExecStart=sleep infinity";
    fake::unit(host, "web.service", true, sleeper).unwrap();
    fake::unit(host, "api@.service", true, sleeper).unwrap();
    fake::unit(host, "alien.service", false, sleeper).unwrap();
    host.write("/etc/systemd/system/native.service", "[Service]\nExecStart=sleep infinity\n").unwrap();
    // An administrator's unit over a generated one.
    fake::unit(host, "over.service", true, sleeper).unwrap();
    host.write("/etc/systemd/system/over.service", "[Service]\nExecStart=sleep infinity\n").unwrap();
    host.sh("systemctl daemon-reload; systemctl start web api@1 alien native over").unwrap();
}

fn assert_allowed(host: &Host) {
    for unit in ["web.service", "api@1.service"] {
        let path = host.invocation_path(unit).unwrap();
        kill(host, &path, "15").ok().unwrap();
        host.wait_property(unit, "ActiveState", "inactive", SOON).unwrap();

        host.ok(["systemctl", "start", unit]).unwrap();
        let path = host.invocation_path(unit).unwrap();
        kill(host, &path, "9").ok().unwrap();
        host.wait_property(unit, "ActiveState", "failed", SOON).unwrap();
        manager(host, "ResetFailedUnit", &["s", unit]).ok().unwrap();
        assert_eq!(host.property(unit, "ActiveState").unwrap(), "inactive");
        host.ok(["systemctl", "start", unit]).unwrap();
    }
}

fn assert_refused(host: &Host) {
    let before = host.ok(["systemctl", "show", "--property=InvocationID", "web", "alien", "native"]).unwrap();
    for unit in ["native.service", "alien.service", "over.service", "dbus.service"] {
        let path = host.invocation_path(unit).unwrap();
        refused(&kill(host, &path, "15"));
        refused(&manager(host, "KillUnit", &["ssi", unit, "main", "15"]));
        refused(&manager(host, "ResetFailedUnit", &["s", unit]));
    }
    for unit in ["web.service", "native.service"] {
        for verb in ["StartUnit", "StopUnit", "RestartUnit", "TryRestartUnit", "ReloadOrRestartUnit"] {
            refused(&manager(host, verb, &["ss", unit, "replace"]));
        }
        refused(&manager(host, "SetUnitProperties", &["sba(sv)", unit, "true", "1", "TasksMax", "t", "1"]));
    }
    refused(&manager(host, "Reload", &[]));
    refused(&manager(host, "PowerOff", &[]));
    refused(&manager(host, "StartTransientUnit", &["ssa(sv)a(sa(sv))", "x.service", "fail", "0", "0"]));
    let after = host.ok(["systemctl", "show", "--property=InvocationID", "web", "alien", "native"]).unwrap();
    assert_eq!(before, after, "none of it had an effect");
}

/// `Unit.Kill` as the health checker calls it: on the path of one invocation.
fn kill(host: &Host, path: &str, signal: &str) -> Output {
    busctl(host, &[path, "org.freedesktop.systemd1.Unit", "Kill", "si", "main", signal])
}

fn manager(host: &Host, method: &str, arguments: &[&str]) -> Output {
    let mut all = vec!["/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", method];
    all.extend(arguments);
    busctl(host, &all)
}

fn busctl(host: &Host, arguments: &[&str]) -> Output {
    let mut all =
        vec!["runuser", "-u", "conductor-health", "--", "busctl", "call", "org.freedesktop.systemd1"];
    all.extend(arguments);
    host.run(all).unwrap()
}

fn refused(output: &Output) {
    let denied = ["Access denied", "Permission denied", "authentication required"];
    let said = denied.iter().any(|text| output.stderr.contains(text));
    assert!(!output.success() && said, "not refused: {}", output.describe());
}
