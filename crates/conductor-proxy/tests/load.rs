//! Switches and drains under load, with a real nginx and a real HAProxy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)] // This is a test.

mod support;

use conductor_proxy::{Nginx, Runner};
use support::client::Connections;
use support::front::Front;

/// So many releases in a row.
const COUNT: usize = 20;

#[tokio::test]
async fn nginx_loses_no_request_when_old_workers_are_waited_for() {
    let tally = Front::Nginx.switches(COUNT, Connections::Fresh, true).await;
    assert_eq!(tally.lost(), 0, "{tally:?}");
}

/// Below nginx 1.27.4 an old worker closes a connection although a request may be on its way. That is all that may
/// happen, and from there on not even that.
#[tokio::test]
async fn over_kept_connections_none_is_lost_or_only_with_an_old_nginx() {
    let tally = Front::Nginx.switches(COUNT, Connections::Kept, true).await;
    let nginx = Nginx::new(Runner::Process(rustix::process::getpid()));
    let version = nginx.version().await.unwrap().unwrap();
    println!(
        "nginx {version}: {} of {} lost over kept connections: {:?}",
        tally.lost(),
        tally.total(),
        tally.lost
    );
    if version.keeps_connections() {
        assert_eq!(tally.lost(), 0, "{tally:?}");
    }
    assert!(tally.lost.keys().all(|why| why.starts_with("reused: ")), "{tally:?}");
}

/// The negative control: the same, except for the wait.
#[tokio::test]
async fn nginx_loses_requests_without_that_wait() {
    let tally = Front::Nginx.switches(COUNT, Connections::Fresh, false).await;
    assert!(tally.lost() > 0, "the load would not have noticed anything: {tally:?}");
}

#[tokio::test]
async fn haproxy_loses_no_request_over_kept_connections() {
    let tally = Front::Haproxy.switches(COUNT, Connections::Kept, true).await;
    assert_eq!(tally.lost(), 0, "{tally:?}");
}

#[tokio::test]
async fn haproxy_loses_no_request_over_fresh_connections() {
    let tally = Front::Haproxy.switches(COUNT, Connections::Fresh, true).await;
    assert_eq!(tally.lost(), 0, "{tally:?}");
}

/// The negative control: the same, except for the drain.
#[tokio::test]
async fn haproxy_loses_requests_without_the_drain() {
    let tally = Front::Haproxy.switches(COUNT, Connections::Kept, false).await;
    assert!(tally.lost() > 0, "the load would not have noticed anything: {tally:?}");
}

#[tokio::test]
async fn a_drain_of_nginx_lasts_as_long_as_the_slowest_request() {
    Front::Nginx.drains(|_| "nginx worker ".to_owned()).await;
}

#[tokio::test]
async fn a_drain_of_haproxy_lasts_as_long_as_the_slowest_request() {
    Front::Haproxy.drains(|slow| format!("1 at web/{}", slow.address())).await;
}
