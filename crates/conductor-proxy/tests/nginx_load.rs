//! Switches under load, with a real nginx.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // This is a test.

mod support;

use std::time::Duration;

use conductor_proxy::{Nginx, Proxy as _, Runner, Switch};
use support::backend::Backend;
use support::client::{Connections, Load, Tally};
use support::nginx::Server;
use support::web;

const ANSWER: Duration = Duration::from_millis(30);
const DRAIN: Duration = Duration::from_secs(30);

/// Moves the traffic so often from one release to the next, and kills each old one: after the drain, or at once.
async fn switches(count: usize, connections: Connections, drained: bool) -> Tally {
    let mut live = Backend::start("release 0", ANSWER);
    let server = Server::start(&web(&[&live])).await;
    let nginx = server.nginx();
    let load = Load::start(server.address, 8, connections);
    for release in 1..=count {
        let next = Backend::start(&format!("release {release}"), ANSWER);
        let wanted = web(&[&next]);
        let switch = nginx.switch(&wanted).await.unwrap();
        assert!(matches!(switch, Switch::Moved { .. }), "{switch:?}");
        if drained {
            let drain = nginx.drain(&wanted, DRAIN).await.unwrap();
            assert!(drain.is_complete(), "{drain}");
        }
        std::mem::replace(&mut live, next).kill();
    }
    let tally = load.end();
    assert!(tally.answered.contains_key(&format!("release {count}")), "{tally:?}");
    tally
}

#[tokio::test]
async fn no_request_is_lost_when_old_workers_are_waited_for() {
    let tally = switches(20, Connections::Fresh, true).await;
    assert_eq!(tally.lost(), 0, "{tally:?}");
    assert!(tally.total() > 200, "that was no load: {tally:?}");
}

/// Below nginx 1.27.4 an old worker closes a connection although a request may be on its way. That is all that may
/// happen, and from there on not even that.
#[tokio::test]
async fn over_kept_connections_none_is_lost_or_only_with_an_old_nginx() {
    let tally = switches(20, Connections::Kept, true).await;
    let nginx = Nginx::new(Runner::Process(rustix::process::getpid()));
    let version = nginx.version().await.unwrap().unwrap();
    println!(
        "nginx {version}: {} of {} lost over kept connections: {:?}",
        tally.lost(),
        tally.total(),
        tally.lost
    );
    assert!(tally.total() > 200, "that was no load: {tally:?}");
    if version.keeps_connections() {
        assert_eq!(tally.lost(), 0, "{tally:?}");
    }
    assert!(tally.lost.keys().all(|why| why.starts_with("reused: ")), "{tally:?}");
}

/// The negative control: the same, except for the wait.
#[tokio::test]
async fn requests_are_lost_without_that_wait() {
    let tally = switches(20, Connections::Fresh, false).await;
    assert!(tally.lost() > 0, "the load would not have noticed anything: {tally:?}");
}
