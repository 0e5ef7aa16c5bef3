//! What a deploy asks of a proxy.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::{Ask, Error, Upstream, UpstreamName, Verified};

/// A program that passes requests on to the instances of a release.
///
/// A deploy calls, in this order: [`check`](Self::check) before anything starts, so that a configuration that is broken
/// anyway is known early; [`switch`](Self::switch) when the new release has settled; [`drain`](Self::drain) before the
/// old one is stopped. To go back is another `switch`, to the upstream as it was.
///
/// Every call takes the whole upstream, needs nothing remembered from an earlier call, and may be repeated: whoever
/// carries on after a crash calls `switch` and `drain` again, and what is done already is not done twice.
///
/// All futures may be dropped. A `switch` that is dropped half-way leaves a valid configuration, and the next one makes
/// up for the reload that may be missing.
pub trait Proxy {
    /// How far what is in effect differs from what is wanted. Changes nothing.
    fn difference(&self, wanted: &Upstream) -> impl Future<Output = Result<Difference, Error>>;

    /// Whether the proxy would take it, judged with everything else that is in its configuration. Changes nothing.
    fn check(&self, wanted: &Upstream) -> impl Future<Output = Result<(), Error>>;

    /// Makes it so: requests that begin after this has returned are answered by these servers. With nginx that is for
    /// new connections; what an old worker still has open goes where it went, until [`drain`](Self::drain) is done.
    ///
    /// # Errors
    /// Then what was before is in effect, and in the configuration; [`Error::is_restored`] is false in the one case in
    /// which that is not certain.
    fn switch(&self, wanted: &Upstream) -> impl Future<Output = Result<Switch, Error>>;

    /// Shows that requests reach the servers of `wanted` through the proxy, after a [`switch`](Self::switch) to it: each
    /// is asked once at least. A proxy that was started anew since is told again.
    ///
    /// # Errors
    /// If an answer is one that no customer should get, or one of the servers is not asked. What `switch` has moved
    /// stays.
    fn verify(&self, wanted: &Upstream, ask: &Ask) -> impl Future<Output = Result<Verified, Error>>;

    /// Forgets the upstream: its service is gone. With HAProxy the backend stays, without servers, since nothing says
    /// whether the configuration names it.
    ///
    /// # Errors
    /// As for [`switch`](Self::switch); one with [`Kind::Configuration`](crate::Kind::Configuration) if nginx's
    /// configuration still names it.
    fn remove(&self, name: &UpstreamName) -> impl Future<Output = Result<Switch, Error>>;

    /// Waits until no server that is not in `wanted` has a request any more, or until the limit is reached.
    fn drain(&self, wanted: &Upstream, limit: Duration) -> impl Future<Output = Result<Drain, Error>>;
}

/// What becomes of upstreams that are not among those that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They stay: not everything is known that should be there.
    Keep,
    /// They go.
    Remove,
}

/// What is in effect, compared with what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Nothing: a switch would do nothing.
    None,
    /// The text differs: a unified diff, to be shown.
    Text(String),
    /// The text is as it should be, but it was never shown that the program uses it: a switch was interrupted.
    Unproved,
}

/// What a switch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Nothing: everything was as wanted, and known to be in effect.
    Unchanged,
    /// Traffic moved.
    Moved {
        /// From the request to the program until it was shown to have followed.
        took: Duration,
    },
}

/// How a drain ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drain {
    /// How long it took.
    pub took: Duration,
    /// What still had requests when the limit was reached, in words, such as "nginx worker 4711"; empty if the old
    /// release can be stopped without loss.
    pub left: Vec<String>,
}

impl Drain {
    /// Whether nothing is left.
    pub fn is_complete(&self) -> bool {
        self.left.is_empty()
    }
}

impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.took.as_millis();
        if self.is_complete() {
            write!(f, "drained in {took} ms")
        } else {
            write!(f, "after {took} ms there are still requests to the old release: {}", self.left.join(", "))
        }
    }
}
