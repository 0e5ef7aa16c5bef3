//! Switches under load, with a real nginx.

mod support;

use std::time::Duration;

use conductor_proxy::{Proxy as _, Switch};
use support::backend::Backend;
use support::client::{Connections, Load, Tally};
use support::nginx::Server;
use support::web;

const ANSWER: Duration = Duration::from_millis(30);
const DRAIN: Duration = Duration::from_secs(30);

/// Moves the traffic so often from one release to the next, and kills each old one: after the drain, or at once.
async fn switches(count: usize, drained: bool) -> Tally {
    let mut live = Backend::start("release 0", ANSWER);
    let server = Server::start(&web(&[&live])).await;
    let nginx = server.nginx();
    let load = Load::start(server.address, 8, Connections::Fresh);
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
    let tally = switches(20, true).await;
    assert_eq!(tally.lost(), 0, "{tally:?}");
    assert!(tally.total() > 200, "that was no load: {tally:?}");
}

/// The negative control: the same, except for the wait.
#[tokio::test]
async fn requests_are_lost_without_that_wait() {
    let tally = switches(20, false).await;
    assert!(tally.lost() > 0, "the load would not have noticed anything: {tally:?}");
}
