//! Releases take over from each other: real systemd, podman and nginx, and deployers that are killed.

use std::time::Duration;

use conductor_tests::{Host, Output};

use crate::common::{WEB, ask, define, host, invocation, only_containers, state};
use crate::mishap::{install, killed};

pub(crate) const SOON: Duration = Duration::from_secs(30);

/// nginx listens here.
pub(crate) const SITE: u16 = 8000;

/// [`WEB`] behind nginx; its host name says which release it is.
pub(crate) fn web(more: &str) -> String {
    format!(
        "revision = \"0\"\nhostname = \"r${{revision}}\"\n{WEB}\n[deploy]\nsettle = \"1s\"\n{more}\n\
         [proxy]\nupstream = \"web\"\n"
    )
}

/// A machine with `web`, which was never deployed, behind nginx.
pub(crate) fn behind_nginx() -> Host {
    let host = host();
    define(&host, "web", &web(""));
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    let site = format!("server {{ listen 127.0.0.1:{SITE}; location / {{ proxy_pass http://web; }} }}\n");
    host.write("/etc/nginx/conf.d/site.conf", &site).unwrap();
    host.ok(["systemctl", "restart", "nginx"]).unwrap();
    assert_eq!(serving(&host), "r0");
    host
}

pub(crate) fn deploy(host: &Host, revision: &str) -> Output {
    host.run(["conductor", "deploy", "web", "--revision", revision]).unwrap()
}

/// The release that answers through nginx.
pub(crate) fn serving(host: &Host) -> String {
    let env = ask(host, SITE, "/env").unwrap();
    let name = env.lines().find_map(|line| line.strip_prefix("HOSTNAME="));
    name.unwrap_or_else(|| panic!("no host name in {env}")).to_owned()
}

/// Exactly this release serves and is the one that would boot, and nothing of another is left.
pub(crate) fn only(host: &Host, release: &str, slot: &str) {
    assert_eq!(serving(host), release);
    only_containers(host, &[&format!("conductor-web-{slot}.1")]);
    assert_eq!(state(host, "web.target"), "active");
}

pub(crate) fn status(output: &Output, expected: i32) -> String {
    assert_eq!(output.code, Some(expected), "{}", output.describe());
    output.stderr.clone()
}

#[test]
fn a_first_release_a_second_one_and_back() {
    let host = behind_nginx();
    status(&deploy(&host, "1"), 0);
    only(&host, "r1", "green");
    status(&deploy(&host, "2"), 0);
    only(&host, "r2", "blue");
    // What is live does not follow the definition.
    define(&host, "web", "imgae = 5\n");
    only(&host, "r2", "blue");
    let said = status(&deploy(&host, "3"), 3);
    assert!(said.contains("web.toml:1:1: unknown key `imgae`"), "{said}");
    status(&host.run(["conductor", "rollback", "web"]).unwrap(), 0);
    only(&host, "r1", "green");
    status(&host.run(["conductor", "rollback", "web"]).unwrap(), 0);
    only(&host, "r2", "blue");
    status(&host.run(["conductor", "rollback", "web", "--to", "1"]).unwrap(), 0);
    only(&host, "r1", "green");
    let history = host.ok(["conductor", "history", "web"]).unwrap();
    assert_eq!(history.matches(" released").count(), 5, "{history}");
    assert_eq!(history.matches("rollback by root").count(), 3, "{history}");
}

/// Asks through nginx all the time, each time over a new connection and never twice: curl retries nothing by itself.
const CUSTOMERS: &str = "systemd-run --quiet --unit=customers sh -c 'all=0; failed=0; until test -e /run/enough; do \
     all=$((all + 1)); curl -sf -o /dev/null http://127.0.0.1:8000/ || failed=$((failed + 1)); done; \
     echo \"asked $all times, $failed failed\"'";

#[test]
fn releases_in_a_row_under_load_lose_no_request() {
    let host = behind_nginx();
    let releases: u32 = std::env::var("CONDUCTOR_RELEASES").map_or(6, |number| number.parse().unwrap());
    host.sh(CUSTOMERS).unwrap();
    for release in 1..=releases {
        status(&deploy(&host, &release.to_string()), 0);
    }
    host.sh("touch /run/enough").unwrap();
    let ended = || Ok(host.journal("customers.service")?.contains("]: asked "));
    host.eventually(SOON, "the customers have gone", ended).unwrap();
    let journal = host.journal("customers.service").unwrap();
    let said = journal.lines().find_map(|line| line.split_once("]: asked ")).unwrap().1;
    let asked: u32 = said.split(' ').next().unwrap().parse().unwrap();
    assert!(said.ends_with(" times, 0 failed"), "{said}");
    assert!(asked > 10 * releases, "{said}");
    only(&host, &format!("r{releases}"), if releases.is_multiple_of(2) { "blue" } else { "green" });
}

#[test]
fn what_does_not_work_changes_nothing() {
    let host = behind_nginx();
    status(&deploy(&host, "1"), 0);
    let run = invocation(&host, "web-green@1.service");
    let untouched = |host: &Host| {
        only(host, "r1", "green");
        assert_eq!(invocation(host, "web-green@1.service"), run);
        assert!(!host.run(["test", "-e", "/etc/conductor/releases/web/blue.toml"]).unwrap().success());
    };

    define(&host, "web", &format!("{}[environment]\nPAYLOAD_MODE = \"500\"\n", web("").replace("20s", "3s")));
    let said = status(&deploy(&host, "never-healthy"), 1);
    assert!(
        said.contains("web-blue@1.service did not get healthy") && said.contains("payload: starting"),
        "{said}"
    );
    untouched(&host);

    define(&host, "web", &web("before = { command = [\"sh\", \"-c\", \"echo migrating; exit 7\"] }"));
    let said = status(&deploy(&host, "no-migration"), 1);
    assert!(said.contains("migrating") && said.contains("ended with status 7"), "{said}");
    untouched(&host);

    define(&host, "web", &web("").replace("localhost/web:1", "localhost/nothing:1"));
    let said = status(&deploy(&host, "no-image"), 3);
    assert!(said.contains("the image localhost/nothing:1 cannot be fetched"), "{said}");
    untouched(&host);

    define(&host, "web", &web(""));
    host.write("/etc/nginx/conf.d/broken.conf", "nonsense;\n").unwrap();
    let said = status(&deploy(&host, "no-proxy"), 3);
    assert!(said.contains("broken.conf"), "{said}");
    untouched(&host);
    host.ok(["rm", "/etc/nginx/conf.d/broken.conf"]).unwrap();

    status(&deploy(&host, "2"), 0);
    only(&host, "r2", "blue");
}

#[test]
fn the_second_of_two_at_once_is_refused_and_a_request_to_end_is_followed() {
    let host = behind_nginx();
    define(&host, "web", &web("").replace("settle = \"1s\"", "settle = \"1h\""));
    host.sh("systemd-run --quiet --unit=deployer --property=SuccessExitStatus=4 conductor deploy web --revision 1").unwrap();
    let settles = || Ok(host.journal("deployer.service")?.contains("] start"));
    host.eventually(SOON, "it settles", settles).unwrap();
    let said = status(&deploy(&host, "2"), 75);
    assert!(said.contains("is being deployed by somebody else (root, process "), "{said}");
    assert!(said.contains(": wait for its end, or end it with `conductor abort web`"), "{said}");
    host.ok(["systemctl", "stop", "deployer"]).unwrap();
    only(&host, "r0", "blue");
    assert!(host.ok(["conductor", "history", "web"]).unwrap().contains("undone: ended on request"));
}

#[test]
fn recreate_goes_back_to_the_old_release_by_itself() {
    let host = host();
    install(&host);
    let recreate = |more: &str| {
        format!(
            "revision = \"0\"\nhostname = \"r${{revision}}\"\n{WEB}\n[deploy]\nstrategy = \"recreate\"\nsettle = \"1s\"\n{more}"
        )
    };
    let name = |host: &Host| {
        let env = ask(host, 20000, "/env").unwrap();
        env.lines().find_map(|line| line.strip_prefix("HOSTNAME=").map(str::to_owned)).unwrap()
    };
    define(&host, "web", &recreate(""));
    status(&deploy(&host, "1"), 0);
    assert_eq!(name(&host), "r1");
    status(&deploy(&host, "2"), 0);
    assert_eq!(name(&host), "r2");
    let broken = recreate("[environment]\nPAYLOAD_MODE = \"500\"\n").replace("20s", "3s");
    define(&host, "web", &broken);
    status(&deploy(&host, "3"), 1);
    assert_eq!(name(&host), "r2");
    only_containers(&host, &["conductor-web"]);
    define(&host, "web", &recreate(""));
    killed(&host, &["web", "4"], &[], "settle:begins");
    assert_eq!(name(&host), "r4", "it is on trial");
    status(&host.run(["conductor", "abort", "web"]).unwrap(), 0);
    assert_eq!(name(&host), "r2");
    status(&host.run(["conductor", "rollback", "web"]).unwrap(), 0);
    assert_eq!(name(&host), "r1");
    only_containers(&host, &["conductor-web"]);
}
