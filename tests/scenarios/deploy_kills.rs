//! Deployers that are killed at every step of theirs, forward and back. The steps are those that the machine goes
//! through: each is tried that a deploy told of.
//!
//! `CONDUCTOR_EVERY_MOMENT=1` kills before, within and after each; without it after each, which is before the next one.

use conductor_tests::Host;

use crate::common::{WEB, ask, define, host, only_containers, state};
use crate::deploys::{behind_nginx, deploy, only, serving, status, web};
use crate::mishap::{install, killed, mishap, moments};

/// Within a step that takes longer than that.
const SOON_AFTER: &str = "parent=$PPID; (sleep 0.03; kill -9 $parent) >/dev/null 2>&1 </dev/null &";

pub(crate) fn every_moment() -> bool {
    std::env::var_os("CONDUCTOR_EVERY_MOMENT").is_some()
}

/// What a release is committed by; to have it fail, as on a file system that turned read-only.
const FAIL: (&str, &str) = (
    "commit:begins",
    "mount --bind /etc/conductor/releases/web /etc/conductor/releases/web && \
     mount -o remount,bind,ro /etc/conductor/releases/web",
);
/// And writable again, so that it can be undone.
const MEND: (&str, &str) = ("uncommit:begins", "umount /etc/conductor/releases/web");

/// Both ways to take over, with what must hold between.
trait Way {
    fn host(&self) -> Host;
    /// Right after a kill: whether somebody has to answer.
    fn survives(&self, host: &Host, moment: &str);
    /// Exactly this release serves, and nothing of another is left.
    fn only(&self, host: &Host, release: &str);
}

struct BlueGreen;
struct Recreate;

const MIGRATION: &str = "before = { command = [\"true\"] }";

impl Way for BlueGreen {
    fn host(&self) -> Host {
        let host = behind_nginx();
        define(&host, "web", &web(MIGRATION).replace("settle = \"1s\"", "settle = \"100ms\""));
        host
    }

    fn survives(&self, host: &Host, moment: &str) {
        assert!(serving(host).starts_with('r'), "{moment}: nobody answers");
    }

    fn only(&self, host: &Host, release: &str) {
        let live = host.ok(["readlink", "/etc/conductor/releases/web/live"]).unwrap();
        only(host, release, live.trim().trim_end_matches(".toml"));
        host.ok(["nginx", "-t"]).unwrap();
    }
}

impl Way for Recreate {
    fn host(&self) -> Host {
        let host = host();
        let definition = format!(
            "revision = \"0\"\nhostname = \"r${{revision}}\"\n{WEB}\n\
             [deploy]\nstrategy = \"recreate\"\nsettle = \"100ms\"\n{MIGRATION}\n"
        );
        define(&host, "web", &definition);
        host.ok(["systemctl", "start", "web.service"]).unwrap();
        host
    }

    // Between the two releases nobody does.
    fn survives(&self, _: &Host, _: &str) {}

    fn only(&self, host: &Host, release: &str) {
        assert_eq!(ask(host, 20000, "/hostname").unwrap(), release);
        only_containers(host, &["conductor-web"]);
        assert_eq!(state(host, "web.service"), "active");
    }
}

/// Nothing that a killed deployer had in its hands is left anywhere.
fn no_leftovers(host: &Host, moment: &str) {
    let left = host
        .sh("find /etc/conductor/releases /run/conductor /var/lib/conductor -name '.*' ! -name '.' -print; \
             test ! -e /var/lib/conductor/deploys/web/current || echo current")
        .unwrap();
    assert_eq!(left, "", "after {moment}");
}

fn killed_forward(way: &dyn Way) {
    let host = way.host();
    install(&host);
    let output = mishap(&host, "web", "first", &[]);
    let all = moments(&output);
    assert!(output.success() && all.len() > 16, "{}", output.describe());
    for (number, moment) in
        all.iter().filter(|moment| every_moment() || moment.ends_with(":done")).enumerate()
    {
        killed(&host, &["web", &format!("k{number}")], &[], moment);
        way.survives(&host, moment);
        next_one_succeeds(way, &host, moment, &number.to_string());
        if every_moment() && moment.ends_with(":begins") {
            let output = mishap(&host, "web", &format!("w{number}"), &[(moment, SOON_AFTER)]);
            // The last step may be over by then, and the deploy with it.
            let is_last = number + 2 == all.len();
            assert!(!output.success() || is_last, "within {moment}: {}", output.describe());
            way.survives(&host, moment);
            next_one_succeeds(way, &host, moment, &format!("{number}x"));
        }
    }
}

fn next_one_succeeds(way: &dyn Way, host: &Host, moment: &str, revision: &str) {
    let output = deploy(host, revision);
    assert!(output.success(), "after a kill at {moment}: {}", output.describe());
    way.only(host, &format!("r{revision}"));
    no_leftovers(host, moment);
}

fn killed_backward(way: &dyn Way) {
    let host = way.host();
    install(&host);
    status(&deploy(&host, "0"), 0);
    let output = mishap(&host, "web", "first", &[FAIL, MEND]);
    let all = moments(&output);
    let back = all.iter().position(|moment| moment == MEND.0);
    let back = &all[back.unwrap_or_else(|| panic!("it did not go back: {}", output.describe()))..];
    assert!(back.len() > 6 && output.stderr.contains("live: Read-only file system"), "{}", output.describe());
    way.only(&host, "r0");
    let which = back.iter().filter(|moment| every_moment() || moment.ends_with(":done"));
    for (number, moment) in which.enumerate() {
        killed(&host, &["web", &format!("k{number}")], &[FAIL, MEND], moment);
        way.survives(&host, moment);
        // Whoever finishes it may be killed as well.
        killed(&host, &["web", "again"], &[], "stop-new:done");
        status(&host.run(["conductor", "abort", "web"]).unwrap(), 0);
        way.only(&host, "r0");
        no_leftovers(&host, moment);
    }
    status(&deploy(&host, "1"), 0);
    way.only(&host, "r1");
}

#[test]
fn blue_green_is_killed_at_each_step() {
    killed_forward(&BlueGreen);
}

#[test]
fn blue_green_is_killed_at_each_step_back() {
    killed_backward(&BlueGreen);
}

#[test]
fn recreate_is_killed_at_each_step() {
    killed_forward(&Recreate);
}

#[test]
fn recreate_is_killed_at_each_step_back() {
    killed_backward(&Recreate);
}
