//! Canaries, dark releases and drains, with a real nginx.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // This is a test.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use conductor_proxy::{
    Dark, Difference, Door, Others, Proxy as _, Server as Instance, Share, Switch, Upstream, shared,
};
use support::backend::Backend;
use support::client::get;
use support::nginx::{Server, free};
use support::web;

const FAST: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_canary_gets_its_share() {
    let [live, canary] = ["live", "canary"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&live])).await;
    let nginx = server.nginx();
    let servers = shared(vec![live.address()], vec![canary.address()], Share::percent(10).unwrap());
    let wanted = Upstream { servers, ..web(&[]) };
    nginx.switch(&wanted).await.unwrap();
    let mut counts = BTreeMap::<String, u32>::new();
    for _ in 0..100 {
        *counts.entry(get(server.address, "").unwrap()).or_default() += 1;
    }
    // Two workers, one zone: the share holds for all requests.
    assert_eq!(counts, BTreeMap::from([("live".into(), 90), ("canary".into(), 10)]));
    // Aborted: the live one has everything again.
    nginx.switch(&web(&[&live])).await.unwrap();
    let answered = canary.answered();
    assert!((0..20).all(|_| get(server.address, "").unwrap() == "live"));
    assert_eq!(canary.answered(), answered);
}

#[tokio::test]
async fn a_dark_release_answers_those_who_ask_for_it() {
    let [live, dark] = ["live", "dark"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&live])).await;
    let nginx = server.nginx();
    let behind = |door| {
        let servers = vec![Instance::new(dark.address())];
        Upstream { dark: Some(Dark { servers, door }), ..web(&[&live]) }
    };
    let ask = |headers: &str| get(server.address, headers).unwrap();

    nginx.switch(&behind(Door::Header("X-Dark".parse().unwrap(), "s3cret".parse().unwrap()))).await.unwrap();
    assert_eq!([ask(""), ask("X-Dark: guess\r\n"), ask("X-Dark: s3cret\r\n")], ["live", "live", "dark"]);

    nginx.switch(&behind(Door::Cookie("Dark".parse().unwrap(), "yes".parse().unwrap()))).await.unwrap();
    assert_eq!([ask("Cookie: a=b; Dark=no\r\n"), ask("Cookie: a=b; Dark=yes\r\n")], ["live", "dark"]);

    let cookie = Door::Cookie("da-rk".parse().unwrap(), "yes".parse().unwrap());
    let error = nginx.check(&behind(cookie)).await.unwrap_err();
    assert!(error.to_string().contains("or a header"), "{error}");

    let address = free();
    nginx.switch(&behind(Door::Listen(address))).await.unwrap();
    assert_eq!([ask(""), get(address, "").unwrap()], ["live", "dark"]);

    // Promoted.
    nginx.switch(&web(&[&dark])).await.unwrap();
    assert_eq!(ask(""), "dark");
    assert!(get(address, "").is_err(), "the door is closed");
}

#[tokio::test]
async fn what_is_as_wanted_is_left_alone() {
    let [live, next] = ["live", "next"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&live])).await;
    let nginx = server.nginx();
    let wanted = web(&[&live]);
    assert_eq!(nginx.difference(&wanted).await.unwrap(), Difference::None);
    assert_eq!(nginx.switch(&wanted).await.unwrap(), Switch::Unchanged);
    let log = std::fs::read_to_string(server.path("error.log")).unwrap();
    assert!(!log.contains("SIGHUP"), "{log}");

    let Difference::Text(diff) = nginx.difference(&web(&[&next])).await.unwrap() else {
        panic!("no difference")
    };
    assert!(diff.contains(&format!("\n-    server {} weight=1 max_fails=0;", live.address())), "{diff}");
    assert!(diff.contains(&format!("\n+    server {} weight=1 max_fails=0;", next.address())), "{diff}");
}

#[tokio::test]
async fn nothing_is_there_before_the_first_release() {
    let first = Backend::start("first", FAST);
    let server = Server::start(&web(&[])).await;
    assert!(server.is_valid());
    let error = get(server.address, "").unwrap_err();
    assert!(error.contains(" 502 "), "{error}");
    server.nginx().switch(&web(&[&first])).await.unwrap();
    assert_eq!(get(server.address, "").unwrap(), "first");
}

#[tokio::test]
async fn before_nginx_starts_only_what_is_committed_is_there() {
    let [live, next] = ["live", "next"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&live])).await;
    server.write("conductor/gone.conf", "upstream gone { server 127.0.0.1:1; }\n");
    server.write("conductor/.gone.conf.before", "left by a deploy\n");
    server.write("conductor/.web.conf.before", "left by a deploy\n");
    let upstreams = [web(&[&next])];
    server.nginx().write_all(&upstreams, Others::Remove).await.unwrap();
    let files = server.files();
    assert_eq!(files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["web.conf"]);
    assert!(files[0].1.contains(&next.address().to_string()));
    assert_eq!(get(server.address, "").unwrap(), "live", "nginx was not told");
}
