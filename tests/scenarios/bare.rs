//! The test host itself, before anything of ours is on it.

use std::time::Duration;

use conductor_tests::{Host, Image, Suite};

#[test]
fn boots_to_running_and_reboots() {
    for suite in [Suite::Trixie, Suite::Bookworm] {
        let mut host = Host::boot(&Image::base(suite).unwrap()).unwrap();
        assert_running(&host);
        let boot_id = host.read("/proc/sys/kernel/random/boot_id").unwrap();
        host.sh("echo kept > /var/lib/kept; echo lost > /run/lost").unwrap();
        host.reboot().unwrap();
        assert_running(&host);
        assert_ne!(host.read("/proc/sys/kernel/random/boot_id").unwrap(), boot_id);
        assert_eq!(host.read("/var/lib/kept").unwrap(), "kept\n");
        assert!(!host.run(["test", "-e", "/run/lost"]).unwrap().success());
        host.crash();
        host.power_on().unwrap();
        assert_running(&host);
    }
}

fn assert_running(host: &Host) {
    let state = host.run(["systemctl", "is-system-running"]).unwrap();
    let failed = host.ok(["systemctl", "--failed", "--no-legend"]).unwrap();
    assert_eq!(state.stdout, "running\n", "{failed}");
}

#[test]
fn payload_answers_and_can_be_told_to_misbehave() {
    let host = Host::boot(&Image::base(Suite::Trixie).unwrap().add_payload().unwrap()).unwrap();
    let curl =
        |path: &str| host.run(["curl", "-sS", "-m", "2", &format!("http://127.0.0.1:20000{path}")]).unwrap();
    let script = "systemd-run --unit=web -p Type=notify -p NotifyAccess=all -p Delegate=yes -p Restart=always -- \
         podman run --name web --replace --rm --cgroups=split --sdnotify=conmon -d -e CONDUCTOR_INSTANCE=7 \
         -p 127.0.0.1:20000:8080 localhost/web:1 payload --an-argument";
    host.sh(script).unwrap();
    let healthy = || Ok(curl("/healthz").stdout == "ok\n");
    host.eventually(Duration::from_secs(10), "the payload answers", healthy).unwrap();
    assert_eq!(curl("/instance").stdout, "7\n");
    assert_eq!(curl("/args").stdout, "payload\n--an-argument\n");

    curl("/mode/500");
    assert_eq!(curl("/healthz").stdout, "told to fail\n");
    curl("/mode/hang");
    assert_eq!(curl("/healthz").code, Some(28), "curl's status for a timeout");
    curl("/mode/refuse");
    let refused = || Ok(curl("/healthz").code.is_some_and(|code| code != 0 && code != 28));
    host.eventually(Duration::from_secs(5), "nobody listens", refused).unwrap();

    let mark = host.mark().unwrap();
    let mut journal = host.follow(&mark).unwrap();
    host.ok(["podman", "kill", "--signal=TERM", "web"]).unwrap();
    journal.until_message(Duration::from_secs(5), "web.service", "ending on SIGTERM").unwrap();
    host.wait_property("web.service", "NRestarts", "1", Duration::from_secs(10)).unwrap();
    host.wait_active("web.service", Duration::from_secs(10)).unwrap();
    host.eventually(Duration::from_secs(10), "the payload answers again", healthy).unwrap();
}
