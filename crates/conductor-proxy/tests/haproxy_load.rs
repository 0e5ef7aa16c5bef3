//! Switches under load, with a real HAProxy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // This is a test.

mod support;

use std::time::Duration;

use conductor_proxy::{Proxy as _, Switch};
use support::backend::Backend;
use support::client::{Connections, Load, Tally};
use support::haproxy::{Config, Server};
use support::web;

const ANSWER: Duration = Duration::from_millis(30);
const DRAIN: Duration = Duration::from_secs(30);

/// Moves the traffic so often from one release to the next, and kills each old one: after the drain, or at once.
async fn switches(count: usize, connections: Connections, drained: bool) -> Tally {
    let mut live = Backend::start("release 0", ANSWER);
    let server = Server::start(&web(&[&live]), Config::USUAL);
    let haproxy = server.haproxy();
    let load = Load::start(server.address, 8, connections);
    for release in 1..=count {
        let next = Backend::start(&format!("release {release}"), ANSWER);
        let wanted = web(&[&next]);
        let switch = haproxy.switch(&wanted).await.unwrap();
        assert!(matches!(switch, Switch::Moved { .. }), "{switch:?}");
        if drained {
            let drain = haproxy.drain(&wanted, DRAIN).await.unwrap();
            assert!(drain.is_complete(), "{drain}");
        }
        std::mem::replace(&mut live, next).kill();
        // Each release gets something to do.
        tokio::time::sleep(ANSWER * 2).await;
    }
    let tally = load.end();
    assert!(tally.answered.contains_key(&format!("release {count}")), "{tally:?}");
    tally
}

#[tokio::test]
async fn no_request_is_lost_over_kept_connections() {
    let tally = switches(20, Connections::Kept, true).await;
    assert_eq!(tally.lost(), 0, "{tally:?}");
    assert!(tally.total() > 200, "that was no load: {tally:?}");
}

#[tokio::test]
async fn no_request_is_lost_over_fresh_connections() {
    let tally = switches(20, Connections::Fresh, true).await;
    assert_eq!(tally.lost(), 0, "{tally:?}");
    assert!(tally.total() > 200, "that was no load: {tally:?}");
}

/// The negative control: the same, except for the drain.
#[tokio::test]
async fn requests_are_lost_without_the_drain() {
    let tally = switches(20, Connections::Kept, false).await;
    assert!(tally.lost() > 0, "the load would not have noticed anything: {tally:?}");
}
