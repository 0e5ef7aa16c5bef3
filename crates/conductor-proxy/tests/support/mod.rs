//! What the tests with real programs share.

#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod front;
pub(crate) mod haproxy;
pub(crate) mod nginx;

use conductor_proxy::Upstream;

use backend::Backend;

/// The upstream `web`, shared evenly by these.
pub(crate) fn web(backends: &[&Backend]) -> Upstream {
    Upstream::even("web".parse().unwrap(), backends.iter().map(|backend| backend.address()))
}
