//! What the driver does with a real HAProxy, and what it says when it cannot.

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
    Ask, Dark, Difference, Door, Haproxy, Kind, Others, Proxy as _, Server as Instance, Share, Switch,
    Upstream, Verified, shared,
};
use support::backend::Backend;
use support::client::get;
use support::haproxy::{Config, Server};
use support::web;

const FAST: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_restart_comes_back_with_the_servers_of_now() {
    let [old, new] = ["old", "new"].map(|name| Backend::start(name, FAST));
    let mut server = Server::start(&web(&[&old]), Config::USUAL);
    let haproxy = server.haproxy();
    let wanted = web(&[&new]);
    assert_eq!(haproxy.difference(&web(&[&old])).await.unwrap(), Difference::None);
    assert_eq!(haproxy.switch(&web(&[&old])).await.unwrap(), Switch::Unchanged);
    let Difference::Text(diff) = haproxy.difference(&wanted).await.unwrap() else { panic!("no difference") };
    assert!(diff.contains(&format!("\n+    server {0} {0} weight 1", new.address())), "{diff}");

    let ask = Ask { method: "GET".into(), path: "/".into(), headers: Vec::new(), expect: vec![200..=399] };
    let error = haproxy.verify(&wanted, &ask).await.unwrap_err().to_string();
    assert!(error.contains("is to be done"), "{error}");
    assert!(matches!(haproxy.switch(&wanted).await.unwrap(), Switch::Moved { .. }));
    assert_eq!(haproxy.verify(&wanted, &ask).await.unwrap(), Verified::Said);
    assert!(haproxy.drain(&wanted, Duration::from_secs(30)).await.unwrap().is_complete());
    old.kill();
    server.restart();
    assert_eq!(get(server.address, "").unwrap(), "new");
    // Under the same names: there is nothing to tell it.
    assert_eq!(haproxy.difference(&wanted).await.unwrap(), Difference::None);
    assert_eq!(haproxy.switch(&wanted).await.unwrap(), Switch::Unchanged);
}

#[tokio::test]
async fn whoever_was_killed_half_way_is_made_up_for() {
    let [old, new] = ["old", "new"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&old]), Config::USUAL);
    let haproxy = server.haproxy();
    let wanted = web(&[&new]);
    // After the file, before the first command.
    haproxy.write_all(std::slice::from_ref(&wanted), Others::Remove).unwrap();
    assert_eq!(get(server.address, "").unwrap(), "old");
    assert_eq!(haproxy.difference(&wanted).await.unwrap(), Difference::Unproved);
    assert!(matches!(haproxy.switch(&wanted).await.unwrap(), Switch::Moved { .. }));
    assert_eq!(get(server.address, "").unwrap(), "new");
}

#[tokio::test]
async fn there_and_back_many_times() {
    let [blue, green] = ["blue", "green"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&blue]), Config::USUAL);
    let haproxy = server.haproxy();
    for _ in 0..5 {
        for (backend, name) in [(&green, "green"), (&blue, "blue")] {
            let wanted = web(&[backend]);
            haproxy.switch(&wanted).await.unwrap();
            assert!((0..4).all(|_| get(server.address, "").unwrap() == name));
            assert!(haproxy.drain(&wanted, Duration::from_secs(30)).await.unwrap().is_complete());
        }
    }
    haproxy.remove(&"web".parse().unwrap()).await.unwrap();
    let error = get(server.address, "").unwrap_err();
    assert!(error.contains(" 503 "), "{error}");
}

#[tokio::test]
async fn canaries_and_dark_releases() {
    let [live, canary] = ["live", "canary"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&live]), Config::USUAL);
    let haproxy = server.haproxy();
    let door = Door::Header("x-dark".parse().unwrap(), "s3cret".parse().unwrap());
    let dark = Some(Dark { servers: vec![Instance::new(canary.address())], door });
    haproxy.switch(&Upstream { dark, ..web(&[&live]) }).await.unwrap();
    let ask = |headers: &str| get(server.address, headers).unwrap();
    assert_eq!([ask(""), ask("X-Dark: guess\r\n"), ask("X-Dark: s3cret\r\n")], ["live", "live", "canary"]);

    let servers = shared(vec![live.address()], vec![canary.address()], Share::percent(10).unwrap());
    haproxy.switch(&Upstream { servers, ..web(&[]) }).await.unwrap();
    let mut counts = BTreeMap::<String, u32>::new();
    for _ in 0..200 {
        *counts.entry(ask("")).or_default() += 1;
    }
    // Where in its round it begins is HAProxy's matter.
    let canaries = counts.get("canary").copied().unwrap_or_default();
    assert!((19..=21).contains(&canaries), "{counts:?}");
    assert!(get(server.address, "X-Dark: s3cret\r\n").is_err(), "the door is closed");
}

/// A switch that must fail and leave everything as it is.
async fn refused(config: Config, kind: Kind, says: &str) {
    let [old, new] = ["old", "new"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&old]), config);
    let file = server.file();
    let error = server.haproxy().switch(&web(&[&new])).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(error.is_restored(), "{error}");
    assert_eq!(server.file(), file);
    if config.reads {
        assert_eq!(get(server.address, "").unwrap(), "old");
    }
}

#[tokio::test]
async fn a_socket_that_allows_nothing() {
    let config = Config { level: "operator", ..Config::USUAL };
    refused(config, Kind::Configuration, "whose level is \"operator\"").await;
}

#[tokio::test]
async fn a_balance_that_takes_no_servers() {
    let config = Config { defaults: "balance static-rr", ..Config::USUAL };
    refused(config, Kind::Refused, "dynamic load balancing").await;
}

#[tokio::test]
async fn a_restart_that_would_lose_the_servers() {
    let backends = "backend web\nbackend web_dark\n";
    let config = Config { backends, reads: false, ..Config::USUAL };
    refused(config, Kind::Configuration, "in /etc/default/haproxy").await;
}

#[tokio::test]
async fn nobody_and_nothing_there() {
    let old = Backend::start("old", FAST);
    let mut server = Server::start(&web(&[&old]), Config::USUAL);
    let haproxy = server.haproxy();
    let api = Upstream::even("api".parse().unwrap(), [old.address()]);
    let error = haproxy.check(&api).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration, "{error}");
    assert!(error.to_string().contains("has no backend api"), "{error}");
    server.kill();
    let error = haproxy.switch(&web(&[&old])).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
    assert!(error.to_string().contains("level admin"), "{error}");
    let error = Haproxy::new("/nowhere/api.sock").check(&api).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable);
}
