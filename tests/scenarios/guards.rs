//! Guards of releases that come in by stages, when their command is killed, when the machine shuts down, and when
//! somebody comes meanwhile; and commands that are ended from elsewhere. Real systemd, podman and nginx.

use conductor_tests::Host;

use crate::common::{define, invocation, state};
use crate::mishap::{install, killed};
use crate::stages::{
    GUARD, SITE, SOON, answers, behind_nginx, conductor, customers, deploy, deployed, deploying, history,
    kill, last_line, none_was_lost, only, status, web,
};

fn guard_has_ended(host: &Host) {
    host.wait_property(GUARD, "ActiveState", "inactive", SOON).unwrap();
}

/// Reads a stream through nginx without an end, in the unit `reader`, and waits until it flows. Whoever drains waits for
/// it.
fn reader(host: &Host) {
    // A shutdown ends it after the guard.
    host.sh(&format!(
        "rm -f /run/read; systemd-run --quiet --unit=reader --property=StandardOutput=file:/run/read \
         --property=Before={GUARD} curl -sfN http://127.0.0.1:{SITE}/stream/100000/100"
    ))
    .unwrap();
    let flows = || Ok(host.run(["cat", "/run/read"])?.stdout.contains("line 3"));
    host.eventually(SOON, "it reads", flows).unwrap();
}

/// Ends what there is, as the unit `name`; lets the reader go when it has said this; and returns what it came to.
fn abort(host: &Host, name: &str, says: &str) -> String {
    host.sh(&format!("systemd-run --quiet --unit={name} --property=RemainAfterExit=yes conductor abort web"))
        .unwrap();
    let said = || Ok(host.journal(name)?.contains(says));
    host.eventually(SOON, &format!("it says {says}"), said).unwrap();
    assert_eq!(state(host, "reader.service"), "active", "it is waited for");
    host.ok(["systemctl", "stop", "reader"]).unwrap();
    host.wait_property(&format!("{name}.service"), "SubState", "exited", SOON).unwrap();
    let said = host.journal(name).unwrap();
    last_line(&said).split_once("]: ").unwrap().1.to_owned()
}

#[test]
fn whoever_is_killed_while_a_release_bakes_leaves_a_guard_who_takes_it_back() {
    let host = behind_nginx("");
    customers(&host);
    for (revision, step, stages) in
        [("canary", "bake-canary", "canary = { bake = \"1h\" }"), ("whole", "bake", "bake = \"1h\"")]
    {
        define(&host, "web", &web(stages));
        deploying(&host, revision, step);
        assert_eq!(state(&host, GUARD), "active");
        assert!(answers(&host, SITE, "").contains(&format!("r{revision} ")));
        kill(&host, revision);
        guard_has_ended(&host);
        only(&host, "r0", "blue");
        let why = format!(" undone: was interrupted at step {step}, and cleared up by its guard");
        assert!(history(&host).contains(&why), "{}", history(&host));
    }
    none_was_lost(&host);

    // At once when the guard has been started; and when the release is live, which is finished.
    install(&host);
    define(&host, "web", &web("bake = \"1s\""));
    killed(&host, &["web", "early"], &[], "guard:done");
    guard_has_ended(&host);
    only(&host, "r0", "blue");
    killed(&host, &["web", "1"], &[], "commit:done");
    guard_has_ended(&host);
    only(&host, "r1", "green");
    for why in
        [" undone: was interrupted at step guard, and", " released: was interrupted at step commit, and"]
    {
        assert!(history(&host).contains(&format!("{why} cleared up by its guard")), "{}", history(&host));
    }
    // Whoever promotes has one as well, although somebody has stopped it.
    define(&host, "web", &web("canary = { promote = \"manual\" }"));
    status(&deploy(&host, "2"), 0);
    host.ok(["systemctl", "stop", GUARD]).unwrap();
    killed(&host, &["--promote", "web"], &[], "switch:done");
    guard_has_ended(&host);
    only(&host, "r1", "green");
    // Without a release that has the requests already there is no guard, nor anything for one to do.
    define(&host, "web", &web(""));
    killed(&host, &["web", "plain"], &[], "settle:done");
    assert_eq!(state(&host, GUARD), "inactive");
}

#[test]
fn a_deploy_that_is_faster_than_the_guard_goes_on() {
    let host = behind_nginx("bake = \"1h\"");
    deploying(&host, "1", "bake");
    host.ok(["systemctl", "kill", "--signal=STOP", GUARD]).unwrap();
    kill(&host, "1");
    define(&host, "web", &web("bake = \"1s\""));
    status(&deploy(&host, "2"), 0);
    guard_has_ended(&host);
    only(&host, "r2", "green");
    let history = history(&host);
    assert!(history.contains(" undone: was interrupted\n") && !history.contains("its guard"), "{history}");
}

#[test]
fn while_the_guard_clears_up_others_are_told_and_abort_waits() {
    let host = behind_nginx("bake = \"1h\"\ndrain = \"10min\"");
    deploying(&host, "1", "bake");
    // What goes on at the release is waited for.
    reader(&host);
    kill(&host, "1");
    let at_it = || Ok(host.ok(["conductor", "status", "web"])?.contains("is under way (its guard, process "));
    host.eventually(SOON, "the guard is at it", at_it).unwrap();
    let said = status(&deploy(&host, "2"), 75);
    assert!(
        said.contains("a release of web that was interrupted, or got unhealthy, is being cleared up (its guard, process ")
            && said.contains("). That ends by itself: try again in a moment; `conductor abort web` waits for it"),
        "{said}"
    );
    let said = abort(&host, "aborts", "waits for its guard, process ");
    assert_eq!(said, "taken back: what was live before is live");
    only(&host, "r0", "blue");
    assert!(history(&host).contains(" undone: was interrupted at step bake, and cleared up by its guard"));
}

#[test]
fn what_the_guard_cannot_clear_up_it_tries_again() {
    let host = behind_nginx("bake = \"1h\"");
    deploying(&host, "1", "bake");
    let guard = host.property(GUARD, "MainPID").unwrap();
    let broken = "/etc/nginx/conf.d/broken.conf";
    host.write(broken, "nonsense;\n").unwrap();
    kill(&host, "1");
    let tries = || Ok(host.journal(GUARD)?.contains("tries again in 10 s: "));
    host.eventually(SOON, "nginx cannot be told", tries).unwrap();
    assert_eq!(host.property(GUARD, "MainPID").unwrap(), guard, "it has not ended for that");
    host.ok(["rm", broken]).unwrap();
    guard_has_ended(&host);
    only(&host, "r0", "blue");
    assert!(history(&host).contains(" undone: was interrupted at step bake, and cleared up by its guard"));
}

#[test]
fn abort_ends_a_command_that_runs_elsewhere() {
    let host = behind_nginx("bake = \"1h\"");
    customers(&host);
    deploying(&host, "1", "bake");
    let said = status(&conductor(&host, ["abort", "web"]), 0);
    assert!(
        said.contains("has asked root, process ") && said.contains(" to end, and waits for it"),
        "{said}"
    );
    assert_eq!(last_line(&said), "taken back: what was live before is live");
    let (code, said) = deployed(&host, "1");
    assert!(code == "4" && said.contains("bake: ended on request"), "{code}: {said}");
    only(&host, "r0", "blue");
    assert!(history(&host).contains(" undone: ended on request"), "{}", history(&host));
    none_was_lost(&host);

    // What is live is not taken back.
    define(&host, "web", &web("drain = \"10min\""));
    reader(&host);
    deploying(&host, "2", "drain");
    // However long that takes, whoever starts the service meanwhile starts what is live.
    let knows = || Ok(host.property("web.target", "Wants")?.contains("web-green.target"));
    host.eventually(SOON, "systemd knows which release is live", knows).unwrap();
    assert!(!host.property("web.target", "Wants").unwrap().contains("web-blue.target"));
    let said = abort(&host, "aborts-deploy", "has asked root, process ");
    assert_eq!(said, "finished: its release was live already, and is");
    assert_eq!(deployed(&host, "2").0, "0");
    only(&host, "r2", "green");

    // A restart ends before its next instance.
    let second = invocation(&host, "web-green@2.service");
    reader(&host);
    host.sh("systemd-run --quiet --unit=restart --property=SuccessExitStatus=4 conductor restart web --json")
        .unwrap();
    let drains = || Ok(host.journal("restart")?.contains("\"step\":\"drain\",\"state\":\"begins\""));
    host.eventually(SOON, "it waits for the reader", drains).unwrap();
    let said = abort(&host, "aborts-restart", "has asked root, process ");
    assert_eq!(said, "ended: no further instance is restarted, and none is left half-way");
    host.wait_property("restart.service", "ActiveState", "inactive", SOON).unwrap();
    assert_eq!(invocation(&host, "web-green@2.service"), second);
    only(&host, "r2", "green");

    // Others are not asked.
    host.sh("systemd-run --quiet --unit=other flock /run/conductor/deploy/web.lock sleep infinity").unwrap();
    let locked =
        || Ok(!host.run(["flock", "--nonblock", "/run/conductor/deploy/web.lock", "true"])?.success());
    host.eventually(SOON, "it has the lock", locked).unwrap();
    let said = status(&conductor(&host, ["abort", "web"]), 75);
    assert!(
        said.contains("which is no command of Conductor's: see what it does, and end it yourself"),
        "{said}"
    );
    assert_eq!(state(&host, "other.service"), "active");
    host.ok(["systemctl", "stop", "other"]).unwrap();
    let said = status(&conductor(&host, ["abort", "web"]), 0);
    assert_eq!(last_line(&said), "nothing runs or waits, and nothing was interrupted");
}

/// At a shutdown this script runs before anything is stopped that it is about.
fn at_shutdown(host: &Host, script: &str) {
    host.write("/usr/local/bin/last", &format!("#!/bin/sh -x\n{script}\n")).unwrap();
    host.sh(&format!(
        "chmod 755 /usr/local/bin/last; systemd-run --quiet --unit=last --property=RemainAfterExit=yes \
         --property='After={GUARD} web-green@1.service web-green@2.service nginx.service deployer-2.service' \
         --property=ExecStop=/usr/local/bin/last --property=TimeoutStopSec=60s true"
    ))
    .unwrap();
}

/// Waits until the guard has said so.
const SEEN: &str = "until journalctl --quiet --boot --unit=conductor-guard@web | grep 'the machine shuts down'; do \
     sleep 0.1; done";

#[test]
fn at_a_shutdown_the_guard_takes_nothing_back() {
    let mut host = behind_nginx("canary = { promote = \"manual\" }");
    status(&deploy(&host, "1"), 0);
    at_shutdown(&host, &format!("curl -sf http://127.0.0.1:20001/mode/500\n{SEEN}"));
    let back = |host: &mut Host, seen: &str| {
        host.reboot().unwrap();
        host.wait_active("web.target", SOON).unwrap();
        host.wait_active("nginx.service", SOON).unwrap();
        only(host, "r0", "blue");
        let said = host.journal(GUARD).unwrap();
        let left =
            "the machine shuts down, so all is left as it is: it comes up with the release that is live (";
        let found = said.lines().any(|line| line.contains(left) && line.contains(seen));
        assert!(found, "{said}\n{}", host.journal("last").unwrap());
        assert!(!said.contains("switch-back") && !said.contains("stop-new"), "{said}");
        assert!(!history(host).contains("its guard"), "{}", history(host));
    };
    back(&mut host, "web-green@1.service got unhealthy, 2 checks in a row failed");
    assert!(history(&host).contains("1 (by root) does not wait as a canary any more"), "{}", history(&host));
    status(&conductor(&host, ["abort", "web"]), 0);

    // The same if it is the command that the shutdown has killed.
    define(&host, "web", &web("bake = \"1h\""));
    deploying(&host, "2", "bake");
    at_shutdown(&host, &format!("systemctl kill --signal=KILL deployer-2\n{SEEN}"));
    back(&mut host, "was interrupted at step bake)");
    assert!(history(&host).contains("2  is not finished: `conductor abort web`"), "{}", history(&host));
    define(&host, "web", &web(""));
    status(&deploy(&host, "3"), 0);
    only(&host, "r3", "green");

    // Nor does a shutdown wait for what a guard waits for that has begun.
    define(&host, "web", &web("bake = \"1h\"\ndrain = \"10min\""));
    deploying(&host, "4", "bake");
    reader(&host);
    kill(&host, "4");
    let at_it = || Ok(host.ok(["conductor", "status", "web"])?.contains("is under way (its guard, process "));
    host.eventually(SOON, "the guard is at it", at_it).unwrap();
    let drains = || Ok(host.run(["pgrep", "--full", "nginx: worker process is shutting down"])?.success());
    host.eventually(SOON, "the reader's worker is waited for", drains).unwrap();
    host.reboot().unwrap();
    host.wait_active("web.target", SOON).unwrap();
    host.wait_active("nginx.service", SOON).unwrap();
    only(&host, "r3", "green");
    let said = host.ok(["journalctl", "--boot=-1", "--output=cat", "--unit", GUARD]).unwrap();
    let left = "the machine shuts down, so all is left as it is";
    assert!(said.contains(left) && !said.contains("stop-new") && !said.contains("timed out"), "{said}");
    define(&host, "web", &web(""));
    status(&deploy(&host, "5"), 0);
    let history = history(&host);
    let undone =
        history.lines().any(|line| line.contains("  4  ") && line.ends_with(" undone: was interrupted"));
    assert!(undone, "{history}");
}
