//! Releases come in by stages: in the dark, as a canary, and with the old one kept warm. Real systemd, podman and nginx.

use std::time::Duration;

use conductor_tests::{Host, Image, Output, Suite, announce, newest_package};

use crate::common::{HAPROXY, WEB, ask, define, host, only_containers, state};
use crate::mishap::{install, killed};

pub(crate) const SOON: Duration = Duration::from_secs(60);

/// nginx listens here for everybody, and here for those who know the door.
pub(crate) const SITE: u16 = 8000;
const DOOR: u16 = 20999;

pub(crate) const GUARD: &str = "conductor-guard@web.service";

/// Two instances of [`WEB`] behind nginx; the host name says which release it is.
pub(crate) fn web(deploy: &str) -> String {
    format!(
        "revision = \"0\"\nhostname = \"r${{revision}}\"\ninstances = 2\n{WEB}\n[deploy]\nsettle = \"1s\"\n{deploy}\n\
         [proxy]\nupstream = \"web\"\ndark.listen = \"127.0.0.1:{DOOR}\"\n"
    )
}

/// A machine with `web`, which was never deployed, behind nginx.
pub(crate) fn behind_nginx(deploy: &str) -> Host {
    let host = host();
    define(&host, "web", &web(deploy));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    let site = format!("server {{ listen 127.0.0.1:{SITE}; location / {{ proxy_pass http://web; }} }}\n");
    host.write("/etc/nginx/conf.d/site.conf", &site).unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    only(&host, "r0", "blue");
    host
}

pub(crate) fn conductor<const N: usize>(host: &Host, words: [&str; N]) -> Output {
    host.run(["conductor"].into_iter().chain(words)).unwrap()
}

pub(crate) fn deploy(host: &Host, revision: &str) -> Output {
    conductor(host, ["deploy", "web", "--revision", revision])
}

pub(crate) fn status(output: &Output, expected: i32) -> String {
    assert_eq!(output.code, Some(expected), "{}", output.describe());
    output.stderr.clone()
}

/// How many of 100 requests each release answers, as `r0 80, r1 20`.
pub(crate) fn answers(host: &Host, port: u16, options: &str) -> String {
    let script = format!(
        "curl -sf --max-time 30 {options} 'http://127.0.0.1:{port}/env?[1-100]' | sed -n 's/^HOSTNAME=//p' | sort | \
         uniq -c | awk '{{ printf \"%s%s %s\", sep, $2, $1; sep = \", \" }}'"
    );
    host.sh(&script).unwrap()
}

/// A canary gets about this share of the requests: the customers have a part of them too.
fn gets(host: &Host, percent: i32, release: &str) {
    let shares = answers(host, SITE, "");
    announce(format!("a share of {percent} % of 100 requests: {shares}"));
    let found = shares.split(", ").find_map(|share| share.strip_prefix(release)?.trim().parse::<i32>().ok());
    assert!(found.is_some_and(|found| (found - percent).abs() <= 5), "{shares}");
}

/// Exactly this release serves and is the one that would boot, and nothing of another is left, nor of a stage.
pub(crate) fn only(host: &Host, release: &str, slot: &str) {
    assert_eq!(answers(host, SITE, ""), format!("{release} 100"));
    only_containers(
        host,
        &[1, 2].map(|n| format!("conductor-web-{slot}.{n}")).each_ref().map(String::as_str),
    );
    assert_eq!(state(host, "web.target"), "active");
    assert!(ask(host, DOOR, "/env").is_err(), "the door is shut");
    let left = || Ok(state(host, GUARD) == "inactive");
    host.eventually(SOON, "nobody guards anything", left).unwrap();
}

/// Deploys as a unit, named after the revision, until it has come to a step.
pub(crate) fn deploying(host: &Host, revision: &str, step: &str) {
    let unit = format!("deployer-{revision}");
    host.sh(&format!(
        "systemd-run --quiet --unit={unit} --property=RemainAfterExit=yes conductor deploy web --revision {revision} --json"
    ))
    .unwrap();
    let begins = format!("\"step\":\"{step}\",\"state\":\"begins\"");
    let comes =
        host.eventually(SOON, &format!("it comes to {step}"), || Ok(host.journal(&unit)?.contains(&begins)));
    comes.unwrap_or_else(|error| panic!("{error}: {}", host.journal(&unit).unwrap()));
}

/// The exit status of that unit, and what it said.
pub(crate) fn deployed(host: &Host, revision: &str) -> (String, String) {
    let unit = format!("deployer-{revision}.service");
    let ended = || {
        let state = host.property(&unit, "SubState")?;
        Ok(state == "exited" || state == "failed")
    };
    host.eventually(SOON, "the deploy has ended", ended).unwrap();
    (host.property(&unit, "ExecMainStatus").unwrap(), host.journal(&unit).unwrap())
}

/// Kills it, as the kernel does for want of memory, and waits until it is dead.
pub(crate) fn kill(host: &Host, revision: &str) {
    host.ok(["systemctl", "kill", "--signal=KILL", &format!("deployer-{revision}.service")]).unwrap();
    assert_eq!(deployed(host, revision).0, "9");
}

/// Asks through nginx all the time, each time over a new connection and never twice. A release that is told to answer
/// its checks with 500 goes on to answer this.
pub(crate) fn customers(host: &Host) {
    host.sh(&format!(
        "systemd-run --quiet --unit=customers sh -c \
         'all=0; failed=0; until test -e /run/enough; do all=$((all + 1)); curl -sf -o /dev/null \
         http://127.0.0.1:{SITE}/env || failed=$((failed + 1)); done; echo \"asked $all times, $failed failed\"'"
    ))
    .unwrap();
}

pub(crate) fn none_was_lost(host: &Host) {
    host.sh("touch /run/enough").unwrap();
    let ended = || Ok(host.journal("customers.service")?.contains("]: asked "));
    host.eventually(SOON, "the customers have gone", ended).unwrap();
    let journal = host.journal("customers.service").unwrap();
    let said = journal.lines().rev().find_map(|line| line.split_once("]: asked ")).unwrap().1;
    announce(format!("customers asked {said}"));
    assert!(said.ends_with(" times, 0 failed"), "{said}");
    let asked: u32 = said.split(' ').next().unwrap().parse().unwrap();
    assert!(asked > 50, "{said}");
}

pub(crate) fn last_line(said: &str) -> &str {
    said.trim_end().lines().next_back().unwrap_or_default()
}

pub(crate) fn history(host: &Host) -> String {
    host.ok(["conductor", "history", "web"]).unwrap()
}

#[test]
fn in_the_dark_only_those_reach_it_who_know_the_door() {
    let host = behind_nginx("");
    customers(&host);
    let said = status(&conductor(&host, ["deploy", "web", "--revision", "1", "--dark"]), 0);
    assert!(said.contains("reached by http://127.0.0.1:20999/"), "{said}");
    assert!(said.contains("1 waits: `conductor promote web` or `conductor abort web`"), "{said}");
    assert_eq!([answers(&host, SITE, ""), answers(&host, DOOR, "")], ["r0 100", "r1 100"]);
    // It is seen by those who ask, and in nobody's way by mistake.
    let waits = "1 (by root) waits in the dark: `conductor promote web` lets it go on, `conductor abort web` takes it back";
    assert!(history(&host).contains(waits), "{}", history(&host));
    assert!(host.ok(["conductor", "history", "web", "--json"]).unwrap().contains("\"outcome\":\"waiting\""));
    let shown = host.ok(["conductor", "status", "web"]).unwrap();
    assert!(shown.contains(waits.strip_prefix("1 (by root) ").unwrap()), "{shown}");
    assert!(host.ok(["conductor", "status", "web", "--json"]).unwrap().contains("\"waits\": \"dark\""));
    for words in [["deploy", "web"], ["rollback", "web"]] {
        let said = status(&conductor(&host, words), 75);
        assert!(said.contains(waits), "{said}");
    }
    status(&conductor(&host, ["promote", "web"]), 0);
    only(&host, "r1", "green");
    none_was_lost(&host);

    // By a header, and taken back.
    let header = "dark.header = { name = \"X-Dark\", value = \"yes\" }";
    define(&host, "web", &web("").replace(&format!("dark.listen = \"127.0.0.1:{DOOR}\""), header));
    // What leads nobody to the door is refused, and so foreseen.
    let dark = ["conductor", "deploy", "web", "--revision", "2", "--dark"];
    let refused = status(&host.run(dark).unwrap(), 3);
    assert!(refused.contains("$web_pool"), "{refused}");
    let foreseen = status(&host.run(dark.iter().chain(&["--dry-run"])).unwrap(), 3);
    assert_eq!(last_line(&foreseen), last_line(&refused));
    host.sh(
        "sed -i 's#http://web;#http://$web_pool;#' /etc/nginx/conf.d/site.conf && systemctl restart nginx",
    )
    .unwrap();
    let said = status(&conductor(&host, ["deploy", "web", "--revision", "2", "--dark"]), 0);
    assert!(said.contains("reached by the header X-Dark: yes"), "{said}");
    let by_header = |value: &str| answers(&host, SITE, &format!("-H 'X-Dark: {value}'"));
    assert_eq!([by_header("yes"), by_header("no"), answers(&host, SITE, "")], ["r2 100", "r1 100", "r1 100"]);
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    let again = || Ok(by_header("yes") == "r2 100");
    host.eventually(SOON, "the guard has shown it to the new nginx", again).unwrap();
    let said = status(&conductor(&host, ["abort", "web"]), 0);
    assert_eq!(last_line(&said), "taken back: what was live before is live");
    only(&host, "r1", "green");
    assert!(history(&host).contains("undone: taken back on request while it waited in the dark"));
    let said = status(&conductor(&host, ["promote", "web"]), 3);
    assert!(said.contains("no release of web waits for it"), "{said}");

    // Without a release that runs there is no canary, and none is foreseen.
    let foreseen = || conductor(&host, ["deploy", "web", "--revision", "3", "--canary", "--dry-run"]).stdout;
    let (note, step) = ("note: no release runs beside which it could be a canary", ". bake-canary ");
    assert!(foreseen().contains(step) && !foreseen().contains(note), "{}", foreseen());
    host.ok(["systemctl", "stop", "web.target"]).unwrap();
    host.eventually(SOON, "it is down", || Ok(foreseen().contains(note))).unwrap();
    assert!(!foreseen().contains(step), "{}", foreseen());
}

#[test]
fn a_canary_gets_its_share_and_becomes_the_release() {
    let host = behind_nginx("canary = { share = 20, bake = \"10s\" }");
    customers(&host);
    deploying(&host, "1", "bake-canary");
    only_containers(&host, &["conductor-web-blue.1", "conductor-web-blue.2", "conductor-web-green.1"]);
    gets(&host, 20, "r1");
    let (code, said) = deployed(&host, "1");
    assert_eq!(code, "0", "{said}");
    only(&host, "r1", "green");

    // Without one for once; and one that is asked for although the definition has none.
    status(&conductor(&host, ["deploy", "web", "--revision", "2", "--no-canary"]), 0);
    only(&host, "r2", "blue");
    none_was_lost(&host);
    // A way back takes no time.
    define(&host, "web", &web("bake = \"1h\"\ncanary.bake = \"1h\""));
    status(&conductor(&host, ["rollback", "web"]), 0);
    only(&host, "r1", "green");
}

#[test]
fn who_gets_unhealthy_while_it_is_watched_is_taken_back() {
    let host = behind_nginx("bake = \"1h\"\ncanary = { bake = \"1h\" }");
    customers(&host);
    deploying(&host, "canary", "bake-canary");
    ask(&host, 20001, "/mode/500").unwrap();
    let (code, said) = deployed(&host, "canary");
    assert!(
        code == "1" && said.contains("got unhealthy, 2 checks in a row failed: http://127.0.0.1:2000"),
        "{code}: {said}"
    );
    only(&host, "r0", "blue");

    // One failed check ends nothing, and a canary by number gets as much as any other instance.
    define(&host, "web", &web("bake = \"1h\"\ncanary = { bake = \"4s\" }"));
    deploying(&host, "1", "bake");
    assert_eq!(answers(&host, SITE, ""), "r1 100");
    only_containers(
        &host,
        &["blue.1", "blue.2", "green.1", "green.2"]
            .map(|name| format!("conductor-web-{name}"))
            .each_ref()
            .map(String::as_str),
    );
    ask(&host, 20003, "/mode/500").unwrap();
    let (code, said) = deployed(&host, "1");
    assert!(
        code == "1" && said.contains("got unhealthy, 2 checks in a row failed: http://127.0.0.1:2000"),
        "{code}: {said}"
    );
    only(&host, "r0", "blue");
    none_was_lost(&host);
    assert_eq!(history(&host).matches(".service got unhealthy, 2 checks").count(), 2, "{}", history(&host));

    // nginx that is started anew while it bakes is told again, and a restart is as bad as failed checks.
    deploying(&host, "2", "bake");
    // As when nginx cannot start: its files have been written for it, from what is live.
    host.sh("systemctl stop nginx && systemctl start conductor-proxy").unwrap();
    let noted = || Ok(host.journal("deployer-2")?.contains("nginx.service is not running"));
    host.eventually(SOON, "it is seen that nginx is away", noted).unwrap();
    host.ok(["systemctl", "start", "nginx"]).unwrap();
    host.eventually(SOON, "the new nginx is told", || Ok(answers(&host, SITE, "") == "r2 100")).unwrap();
    drop(ask(&host, 20001, "/exit/1"));
    let (code, said) = deployed(&host, "2");
    assert!(code == "1" && said.contains("web-green@1.service ended"), "{code}: {said}");
    only(&host, "r0", "blue");
}

#[test]
fn what_waits_is_guarded() {
    let host = behind_nginx("canary = { promote = \"manual\" }");
    install(&host);
    let said = status(&deploy(&host, "1"), 0);
    assert!(said.contains("share: 1 of 3 servers") && said.contains("hold-canary"), "{said}");
    assert_eq!(state(&host, GUARD), "active");
    gets(&host, 33, "r1");
    // nginx that is started anew has read only which release is live.
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    let again = || Ok(answers(&host, SITE, "").contains(", r1 3"));
    host.eventually(SOON, "the guard has told the new nginx", again).unwrap();
    // A guard that is killed comes back.
    host.ok(["systemctl", "kill", "--signal=KILL", GUARD]).unwrap();
    host.eventually(SOON, "the guard is back", || Ok(state(&host, GUARD) == "active")).unwrap();
    // One that is stopped is missed.
    host.ok(["systemctl", "stop", GUARD]).unwrap();
    let missed = format!("nobody watches it: `systemctl restart {GUARD}` has that done");
    let shown = host.ok(["conductor", "status", "web"]).unwrap();
    assert!(history(&host).contains(&missed) && shown.contains(&missed), "{shown}");
    host.ok(["systemctl", "restart", GUARD]).unwrap();
    assert!(!history(&host).contains(&missed));
    customers(&host);
    ask(&host, 20001, "/mode/500").unwrap();
    let undone = || {
        Ok(history(&host)
            .contains("undone: taken back by its guard while it waited as a canary: web-green@1.service got"))
    };
    host.eventually(SOON, "the guard has taken it back", undone).unwrap();
    only(&host, "r0", "blue");

    // With all stages, and somebody who says so each time.
    status(&conductor(&host, ["deploy", "web", "--revision", "2", "--dark"]), 0);
    only_containers(&host, &["conductor-web-blue.1", "conductor-web-blue.2", "conductor-web-green.1"]);
    assert_eq!([answers(&host, SITE, ""), answers(&host, DOOR, "")], ["r0 100", "r2 100"]);
    status(&conductor(&host, ["promote", "web"]), 0);
    gets(&host, 33, "r2");
    status(&conductor(&host, ["promote", "web"]), 0);
    only(&host, "r2", "green");
    none_was_lost(&host);

    // Whoever promotes and is killed has a guard who clears up.
    status(&deploy(&host, "3"), 0);
    killed(&host, &["--promote", "web"], &[], "settle:begins");
    let undone =
        || Ok(history(&host).matches(" undone: was interrupted at step settle, and cleared").count() == 1);
    host.eventually(SOON, "the guard has cleared up", undone).unwrap();
    only(&host, "r2", "green");
}

#[test]
fn stages_behind_haproxy() {
    let image = Image::base(Suite::Trixie).unwrap().add_observers().unwrap();
    let image = image.add_payload().unwrap().add_package(&newest_package().unwrap()).unwrap();
    let host = Host::boot(&image).unwrap();
    let definition = web("canary = { share = 10, promote = \"manual\" }").replace(
        &format!("dark.listen = \"127.0.0.1:{DOOR}\""),
        "driver = \"haproxy\"\ndark.header = { name = \"X-Dark\", value = \"yes\" }",
    );
    define(&host, "web", &definition);
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    let door = "use_backend web_dark if { req.hdr(x-dark) -m str yes }";
    let haproxy = HAPROXY.replace("default_backend", &format!("{door}\n    default_backend"));
    host.write("/etc/haproxy/haproxy.cfg", &haproxy).unwrap();
    host.write("/etc/default/haproxy", "EXTRAOPTS=\"-f /run/conductor/haproxy\"\n").unwrap();
    host.sh("systemctl stop nginx; systemctl unmask haproxy; systemctl restart haproxy").unwrap();
    only(&host, "r0", "blue");
    customers(&host);
    status(&conductor(&host, ["deploy", "web", "--revision", "1", "--dark"]), 0);
    assert_eq!([answers(&host, SITE, ""), answers(&host, SITE, "-H 'X-Dark: yes'")], ["r0 100", "r1 100"]);
    status(&conductor(&host, ["promote", "web"]), 0);
    gets(&host, 10, "r1");
    ask(&host, 20001, "/mode/500").unwrap();
    host.eventually(SOON, "the guard has taken it back", || {
        Ok(history(&host).contains("taken back by its guard"))
    })
    .unwrap();
    only(&host, "r0", "blue");
    status(&deploy(&host, "2"), 0);
    status(&conductor(&host, ["promote", "web"]), 0);
    only(&host, "r2", "green");
    none_was_lost(&host);
}

/// The next deploy, once a guard of one that was killed has done what it began.
fn next(host: &Host, revision: &str, slot: &str) {
    let mut last = None;
    host.eventually(SOON, "the next deploy has begun", || {
        let output = conductor(host, ["deploy", "web", "--revision", revision, "--no-canary"]);
        let locked = output.code == Some(75);
        last = Some(output);
        Ok(!locked)
    })
    .unwrap();
    status(&last.unwrap(), 0);
    only(host, &format!("r{revision}"), slot);
}

#[test]
fn whoever_is_killed_in_a_stage_leaves_a_release_that_serves_and_the_next_one_succeeds() {
    let host = behind_nginx("bake = \"2s\"\ncanary = { bake = \"2s\" }");
    install(&host);
    let mut slots = ["green", "blue"].into_iter().cycle();
    customers(&host);
    let steps = ["start-canary", "settle-canary", "share", "bake-canary", "start", "switch", "bake"];
    for (number, step) in steps.into_iter().enumerate() {
        killed(&host, &["web", step], &[], &format!("{step}:begins"));
        next(&host, &number.to_string(), slots.next().unwrap());
    }
    for (number, step) in ["dark", "hold-dark"].into_iter().enumerate() {
        killed(&host, &["--dark", "web", step], &[], &format!("{step}:begins"));
        next(&host, &format!("d{number}"), slots.next().unwrap());
    }
    none_was_lost(&host);

    // Nobody needs a proxy to go back: it starts with the old release.
    define(&host, "web", &web("bake = \"1h\""));
    deploying(&host, "away", "bake");
    assert_eq!(answers(&host, SITE, ""), "raway 100");
    host.ok(["systemctl", "stop", "nginx"]).unwrap();
    kill(&host, "away");
    let cleared = || Ok(history(&host).contains("was interrupted at step bake, and cleared up by its guard"));
    host.eventually(SOON, "the guard has cleared up", cleared).unwrap();
    let said = host.journal(GUARD).unwrap();
    assert!(said.contains("will start with the old release: nginx.service is not running"), "{said}");
    host.ok(["systemctl", "start", "nginx"]).unwrap();
    only(&host, "rd1", slots.nth(1).unwrap());
}

#[test]
fn a_boot_in_a_stage_comes_back_to_the_release_that_was_live() {
    let mut host = behind_nginx("bake = \"1h\"\ncanary = { promote = \"manual\" }");
    let boots = |host: &mut Host, crash: bool| {
        if crash {
            host.crash();
            host.power_on().unwrap();
        } else {
            host.reboot().unwrap();
        }
        host.wait_active("web.target", SOON).unwrap();
        host.wait_active("nginx.service", SOON).unwrap();
        only(host, "r0", "blue");
    };
    // Both in which it waits.
    for (crash, options, stage) in [(false, "--dark", "in the dark"), (true, "--canary", "as a canary")] {
        status(&conductor(&host, ["deploy", "web", "--revision", "1", options]), 0);
        boots(&mut host, crash);
        let gone = format!("does not wait {stage} any more: web-green@1.service ");
        let shown = host.ok(["conductor", "status", "web"]).unwrap();
        assert!(history(&host).contains(&gone) && shown.contains(&gone), "{shown}");
        let said = status(&conductor(&host, ["promote", "web"]), 1);
        let expected = format!(
            "1 does not wait {stage} any more: web-green@1.service is inactive, as after a boot or a stop"
        );
        assert!(
            said.contains(&expected) && said.contains("`conductor abort web` or the next deploy"),
            "{said}"
        );
    }
    status(&conductor(&host, ["abort", "web"]), 0);
    status(&conductor(&host, ["abort", "web"]), 0);
    // And both in which it is watched.
    define(&host, "web", &web("bake = \"1h\"\ncanary = { bake = \"2s\" }"));
    for (crash, step) in [(true, "bake-canary"), (true, "bake")] {
        deploying(&host, step, step);
        boots(&mut host, crash);
    }
    define(&host, "web", &web(""));
    status(&deploy(&host, "3"), 0);
    only(&host, "r3", "green");
}
