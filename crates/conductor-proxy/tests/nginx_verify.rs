//! A switch is verified through a real nginx, whatever the administrator's own servers do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // This is a test.

mod support;

use std::os::unix::net::UnixListener;
use std::time::Duration;

use conductor_proxy::{Ask, Others, Proxy as _, Verified};
use support::backend::Backend;
use support::nginx::Server;
use support::web;

const FAST: Duration = Duration::from_millis(1);

fn ask() -> Ask {
    Ask { method: "GET".into(), path: "/healthz".into(), headers: Vec::new(), expect: vec![200..=399] }
}

#[tokio::test]
async fn every_instance_answers_through_nginx() {
    let [old, one, two] = ["old", "one", "two"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[&old])).await;
    let nginx = server.nginx();
    let wanted = web(&[&one, &two]);

    // Nobody has switched yet.
    let error = nginx.verify(&wanted, &ask()).await.unwrap_err().to_string();
    assert!(error.contains(&format!("passes requests on to {}, which is not", old.address())), "{error}");

    nginx.switch(&wanted).await.unwrap();
    let verified = nginx.verify(&wanted, &ask()).await.unwrap();
    assert!(matches!(verified, Verified::Answered { instances: 2, of: 2, .. }), "{verified}");

    let picky = Ask { expect: vec![201..=201], ..ask() };
    let error = nginx.verify(&wanted, &picky).await.unwrap_err().to_string();
    assert!(error.contains("answers /healthz of it through nginx with 200"), "{error}");

    // One that nginx does not reach, though another one answers in its place.
    two.kill();
    let error = nginx.verify(&wanted, &ask()).await.unwrap_err().to_string();
    assert!(error.contains("nginx does not reach 127.0.0.1:"), "{error}");
    one.kill();
    let error = nginx.verify(&wanted, &ask()).await.unwrap_err().to_string();
    assert!(error.contains("nginx does not reach") || error.contains("with 502"), "{error}");
}

#[tokio::test]
async fn rules_for_all_servers_are_no_reason_to_go_back() {
    let live = Backend::start("live", FAST);
    let server = Server::start(&web(&[])).await;
    server.write("conf.d/rules.conf", "deny all;\n");
    let nginx = server.nginx();
    let wanted = web(&[&live]);
    nginx.switch(&wanted).await.unwrap();
    let verified = nginx.verify(&wanted, &ask()).await.unwrap();
    assert_eq!(
        verified.to_string(),
        "not asked through the proxy: nginx lets nobody in, with 403, by rules for all its servers"
    );
}

/// nginx that was killed leaves its sockets behind, and would not start over them.
#[tokio::test]
async fn what_a_killed_nginx_has_left_is_removed_before_the_next_starts() {
    let live = Backend::start("live", FAST);
    let server = Server::start(&web(&[&live])).await;
    let nginx = server.nginx();
    let stale = server.path("conductor.doors/gone.sock");
    drop(UnixListener::bind(&stale).unwrap());
    assert!(stale.exists());
    nginx.write_all(&[web(&[&live])], Others::Keep).await.unwrap();
    assert!(!stale.exists());
    // The one on which somebody listens stays.
    nginx.verify(&web(&[&live]), &ask()).await.unwrap();
    assert!(server.is_valid());
}
