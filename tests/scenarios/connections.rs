//! Connections that outlast a switch: kept ones, slow answers, streams and WebSockets, while releases take over from
//! each other through `conductor deploy`.

use conductor_tests::{Host, Image, Suite, newest_package};

use crate::common::{HAPROXY, WEB, define};
use crate::deploys::{SITE, SOON, status};
use crate::mishap::{built, install, mishap};

/// The front door of `web`, as an administrator would write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    Nginx,
    Haproxy,
}

fn image(suite: Suite, front: Front) -> Image {
    let image = Image::base(suite).unwrap();
    let image = if front == Front::Haproxy { image.add_observers().unwrap() } else { image };
    image.add_payload().unwrap().add_package(&newest_package().unwrap()).unwrap()
}

/// `proxy_http_version` and `Connection` are what WebSockets take (nginx's documentation).
const NGINX: &str = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }
server {
    listen 127.0.0.1:8000;
    location / {
        proxy_pass http://web;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_read_timeout 60s;
    }
}
";

/// A machine with `web` behind one of them.
fn behind(suite: Suite, front: Front, deploy: &str) -> Host {
    let host = Host::boot(&image(suite, front)).unwrap();
    install(&host);
    let [customers] = built(&["--example", "customers"]).try_into().unwrap();
    host.copy_in(&customers, "/usr/bin/customers").unwrap();
    host.ok(["chmod", "755", "/usr/bin/customers"]).unwrap();
    let driver = if front == Front::Haproxy { "driver = \"haproxy\"\n" } else { "" };
    let definition = format!(
        "revision = \"0\"\nhostname = \"r${{revision}}\"\n{WEB}\n[deploy]\n{deploy}\n[proxy]\nupstream = \"web\"\n{driver}"
    );
    define(&host, "web", &definition);
    host.ok(["systemctl", "start", "web.target"]).unwrap();
    match front {
        Front::Nginx => {
            host.write("/etc/nginx/conf.d/site.conf", NGINX).unwrap();
            host.ok(["systemctl", "restart", "nginx"]).unwrap();
        }
        Front::Haproxy => {
            host.write("/etc/haproxy/haproxy.cfg", HAPROXY).unwrap();
            host.write("/etc/default/haproxy", "EXTRAOPTS=\"-f /run/conductor/haproxy\"\n").unwrap();
            host.sh("systemctl stop nginx; systemctl unmask haproxy; systemctl start haproxy").unwrap();
        }
    }
    host
}

/// What became of all requests: how many were answered, and the lines about lost ones.
struct Tally {
    answered: u64,
    lost: Vec<String>,
    text: String,
}

/// Somebody asks all the time, until [`ended`].
fn customers(host: &Host, how: &str, number: u32, path: &str) {
    let script = format!(
        "rm -f /run/enough; systemd-run --quiet --unit=customers-{how} sh -c 'exec customers 127.0.0.1:{SITE} {how} {number} {path} \
         /run/enough > /run/tally-{how}'"
    );
    host.sh(&script).unwrap();
}

fn ended(host: &Host, how: &str) -> Tally {
    host.sh("touch /run/enough").unwrap();
    let gone = || Ok(host.property(&format!("customers-{how}.service"), "ActiveState")? == "inactive");
    host.eventually(SOON, "the customers have gone", gone).unwrap();
    let text = host.read(&format!("/run/tally-{how}")).unwrap();
    let mut tally = Tally { answered: 0, lost: Vec::new(), text: text.clone() };
    for line in text.lines() {
        match line.split_once(' ').unwrap() {
            ("answered", rest) => tally.answered += rest.split(' ').next().unwrap().parse::<u64>().unwrap(),
            _ => tally.lost.push(line.to_owned()),
        }
    }
    tally
}

/// Releases in a row under load; every one of them has answered somebody.
fn deploys_in_a_row(host: &Host, how: &str, releases: u32) -> Tally {
    customers(host, how, 8, "/hostname");
    for release in 1..=releases {
        status(&host.run(["conductor", "deploy", "web", "--revision", &release.to_string()]).unwrap(), 0);
    }
    let tally = ended(host, how);
    for release in 1..=releases {
        assert!(tally.text.contains(&format!(" r{release}\n")), "release {release}: {}", tally.text);
    }
    assert!(tally.answered > 100 * u64::from(releases), "that was no load: {}", tally.text);
    tally
}

fn releases() -> u32 {
    std::env::var("CONDUCTOR_RELEASES").map_or(4, |number| number.parse().unwrap())
}

#[test]
fn kept_connections_lose_nothing_behind_haproxy() {
    let host = behind(Suite::Trixie, Front::Haproxy, "settle = \"1s\"");
    let tally = deploys_in_a_row(&host, "kept", releases());
    assert!(tally.lost.is_empty(), "{}", tally.text);
}

#[test]
fn kept_connections_lose_nothing_behind_a_new_nginx() {
    let host = behind(Suite::Forky, Front::Nginx, "settle = \"1s\"");
    let version = host.run(["nginx", "-v"]).unwrap().stderr;
    assert!(
        host.read("/run/conductor/nginx/_http.conf").unwrap().contains("keepalive_min_timeout"),
        "{version}"
    );
    for how in ["kept", "fresh"] {
        let tally = deploys_in_a_row(&host, how, releases());
        println!("{} {how}: {} answered, lost: {:?}", version.trim(), tally.answered, tally.lost);
        assert!(tally.lost.is_empty(), "{version}: {}", tally.text);
    }
}

/// An old nginx may close a kept connection at a reload although a request is on its way: counted, and nothing else may
/// happen.
#[test]
fn kept_connections_behind_an_old_nginx_are_counted() {
    let host = behind(Suite::Trixie, Front::Nginx, "settle = \"1s\"");
    let version = host.run(["nginx", "-v"]).unwrap().stderr;
    let tally = deploys_in_a_row(&host, "kept", releases());
    println!("{} kept: {} answered, lost: {:?}", version.trim(), tally.answered, tally.lost);
    assert!(tally.lost.iter().all(|line| line.contains(" reused: ")), "{}", tally.text);
}

/// The negative control: the same customers, but the old release is killed as soon as the traffic has moved.
#[test]
fn customers_notice_an_old_release_that_is_not_drained() {
    for (front, how) in [(Front::Nginx, "fresh"), (Front::Haproxy, "kept")] {
        let host = behind(Suite::Trixie, front, "settle = \"1s\"");
        // Longer than it takes to kill a container.
        customers(&host, how, 16, "/after/2000");
        for release in ["1", "2", "3"] {
            let old = if release == "2" { "green" } else { "blue" };
            let kill = format!("podman kill --signal KILL conductor-web-{old}.1 || true");
            mishap(&host, "web", release, &[("switch:done", &kill)]);
        }
        let tally = ended(&host, how);
        assert!(
            !tally.lost.is_empty(),
            "{front:?}: the load would not have noticed anything: {}",
            tally.text
        );
    }
}

/// Asks once, in the background; how curl ends is in `/run/NAME.status`.
fn ask(host: &Host, name: &str, path: &str) {
    let script = format!(
        "systemd-run --quiet --unit={name} sh -c 'curl -sSN --fail http://127.0.0.1:{SITE}{path} > /run/{name} 2>&1; \
         echo $? > /run/{name}.status'"
    );
    host.sh(&script).unwrap();
}

/// Waits until some lines of a stream have come.
fn flows(host: &Host, name: &str) {
    let some = || Ok(host.run(["cat", &format!("/run/{name}")])?.stdout.contains("line 3"));
    host.eventually(SOON, &format!("{name} flows"), some).unwrap();
}

fn outcome(host: &Host, name: &str) -> (String, String) {
    let status = format!("/run/{name}.status");
    let ended = || Ok(host.run(["test", "-s", &status])?.success());
    host.eventually(SOON, &format!("{name} has ended"), ended).unwrap();
    (host.read(&status).unwrap().trim().to_owned(), host.read(&format!("/run/{name}")).unwrap())
}

/// The old release's answers, streams and sockets go on until they end or the drain limit is reached; then they are cut.
fn what_lasts(front: Front) {
    let host = behind(Suite::Trixie, front, "settle = \"500ms\"\ndrain = \"8s\"");
    // Longer than start and settling, and over within the drain.
    ask(&host, "slow", "/after/6000");
    ask(&host, "stream", "/stream/60/100");
    flows(&host, "stream");
    let moved = "curl -sf http://127.0.0.1:8000/hostname > /run/answers";
    let output = mishap(&host, "web", "1", &[("switch:done", moved)]);
    assert!(output.success(), "{}", output.describe());
    assert_eq!(host.read("/run/answers").unwrap(), "r1", "whoever asks now gets the new release");
    assert_eq!(outcome(&host, "slow"), ("0".to_owned(), "ok\n".to_owned()));
    let (status_of_stream, text) = outcome(&host, "stream");
    assert_eq!((status_of_stream.as_str(), text.lines().count()), ("0", 60), "{text}");

    // What lasts for longer than the limit lasts until then, and is cut when the old release is stopped.
    customers(&host, "socket", 2, "/echo");
    ask(&host, "endless", "/stream/600/100");
    flows(&host, "endless");
    let whole = "test ! -s /run/endless.status && test ! -s /run/tally-socket && touch /run/whole";
    let output = mishap(&host, "web", "2", &[("drain:done", whole)]);
    assert!(output.success(), "{}", output.describe());
    assert!(host.run(["test", "-e", "/run/whole"]).unwrap().success(), "cut before the drain had ended");
    let (status_of_endless, text) = outcome(&host, "endless");
    assert_ne!(status_of_endless, "0", "{text}");
    assert!(text.lines().count() > 80, "it lasted for the drain: {text}");
    let tally = ended(&host, "socket");
    assert_eq!(tally.lost.len(), 2, "{}", tally.text);
    assert!(tally.answered > 100, "{}", tally.text);

    // People are told, and a deploy of which all was over has nothing to tell.
    let said = status(&host.run(["conductor", "deploy", "web", "--revision", "3"]).unwrap(), 0);
    assert!(said.contains("drained in "), "{said}");
    ask(&host, "last", "/stream/600/100");
    flows(&host, "last");
    let said = status(&host.run(["conductor", "deploy", "web", "--revision", "4"]).unwrap(), 0);
    assert!(said.contains("there are still requests to the old release: "), "{said}");
}

#[test]
fn slow_answers_streams_and_sockets_across_a_switch_of_nginx() {
    what_lasts(Front::Nginx);
}

#[test]
fn slow_answers_streams_and_sockets_across_a_switch_of_haproxy() {
    what_lasts(Front::Haproxy);
}
