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

use conductor_proxy::{Ask, Difference, Others, Proxy as _, Upstream, Verified};
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
    let server = Server::start(&web(&[])).await;
    let nginx = server.nginx();
    let wanted = web(&[&one, &two]);

    // Nobody has switched to them yet.
    nginx.switch(&web(&[&old])).await.unwrap();
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

/// An instance that nginx passes nothing on to is not one that has answered.
#[tokio::test]
async fn one_that_has_no_turn_is_not_verified() {
    let [one, two] = ["one", "two"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[])).await;
    server.nginx().switch(&web(&[&one])).await.unwrap();
    let error = server.nginx().verify(&web(&[&one, &two]), &ask()).await.unwrap_err().to_string();
    assert_eq!(error, format!("nginx passes nothing on to {} in 100 requests", two.address()));
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

/// A limit of nginx's is waited for, and says nothing of the release.
#[tokio::test]
async fn limits_for_all_servers_are_no_reason_to_go_back() {
    let [one, two] = ["one", "two"].map(|name| Backend::start(name, FAST));
    let server = Server::start(&web(&[])).await;
    server.write("conf.d/limit.conf", "limit_req_zone all zone=all:64k rate=2r/s;\nlimit_req zone=all;\n");
    let nginx = server.nginx();
    let wanted = web(&[&one, &two]);
    nginx.switch(&wanted).await.unwrap();
    let verified = nginx.verify(&wanted, &ask()).await.unwrap();
    assert!(matches!(verified, Verified::Answered { instances: 2, of: 2, .. }), "{verified}");
    // One that lets nobody in any more.
    server.write("conf.d/limit.conf", "limit_req_zone all zone=all:64k rate=1r/m;\nlimit_req zone=all;\n");
    nginx.switch(&web(&[&two, &one])).await.unwrap();
    let verified = nginx.verify(&web(&[&two, &one]), &ask()).await.unwrap();
    assert_eq!(
        verified.to_string(),
        "not asked through the proxy: 2 of 2 instances had no turn in 10 s: nginx answers by itself, with 503, as by a \
         limit for all its servers"
    );
}

/// After a deploy no file has the door: nginx that is killed, and started by hand, comes up over the socket that is left.
#[tokio::test]
async fn nginx_that_was_killed_starts_without_us() {
    let live = Backend::start("live", FAST);
    let mut server = Server::start(&web(&[])).await;
    let wanted = web(&[&live]);
    server.nginx().switch(&wanted).await.unwrap();
    server.nginx().verify(&wanted, &ask()).await.unwrap();
    server.kill();
    assert!(server.path("conductor.doors/web.sock").exists(), "what it has left");
    server.start_again();
    assert_eq!(server.nginx().difference(&wanted).await.unwrap(), Difference::None);
    // And the next one is verified as ever.
    let verified = server.nginx().verify(&wanted, &ask()).await.unwrap();
    assert!(matches!(verified, Verified::Answered { instances: 1, .. }), "{verified}");
}

/// Somebody has removed the sockets while nginx listens on them, or has reloaded it since.
#[tokio::test]
async fn a_door_that_is_gone_is_made_again() {
    let live = Backend::start("live", FAST);
    let server = Server::start(&web(&[])).await;
    let (nginx, wanted) = (server.nginx(), web(&[&live]));
    nginx.switch(&wanted).await.unwrap();
    std::fs::remove_dir_all(server.path("conductor.doors")).unwrap();
    let verified = nginx.verify(&wanted, &ask()).await.unwrap();
    assert!(matches!(verified, Verified::Answered { instances: 1, .. }), "{verified}");
    let other = Upstream { name: "other".parse().unwrap(), ..wanted.clone() };
    nginx.switch(&other).await.unwrap();
    let verified = nginx.verify(&wanted, &ask()).await.unwrap();
    assert!(matches!(verified, Verified::Answered { instances: 1, .. }), "{verified}");
    assert!(server.files().iter().all(|(_, text)| !text.contains(".sock")), "{:?}", server.files());
}

/// Where nginx may not have its socket, it is switched all the same. (bind(2) fails over a link that leads nowhere.)
#[tokio::test]
async fn a_door_that_cannot_be_is_no_reason_to_go_back() {
    let live = Backend::start("live", FAST);
    let server = Server::start(&web(&[])).await;
    let (nginx, wanted) = (server.nginx(), web(&[&live]));
    let door = server.path("conductor.doors/web.sock");
    std::os::unix::fs::symlink("/nowhere/at/all", &door).unwrap();
    nginx.switch(&wanted).await.unwrap();
    assert_eq!(nginx.difference(&wanted).await.unwrap(), Difference::None);
    let verified = nginx.verify(&wanted, &ask()).await.unwrap();
    assert_eq!(
        verified.to_string(),
        format!("not asked through the proxy: nginx does not listen on {}; its log says why", door.display())
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
