//! What is asked through a proxy after a switch, and what came of it.

use std::fmt;
use std::ops::RangeInclusive;

/// A request that every instance answers: that of the service's health check, in HTTP/1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields; a `Host` among them replaces ours.
    pub headers: Vec<(String, String)>,
    /// Statuses of an instance that works.
    pub expect: Vec<RangeInclusive<u16>>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// Requests through the proxy were answered by the instances.
    Answered {
        /// How many requests.
        requests: usize,
        /// How many of the instances answered one.
        instances: usize,
        /// How many there are.
        of: usize,
    },
    /// The proxy itself says that it passes requests on to them: nothing was sent through it.
    Said,
    /// Nobody can tell in this way, and why.
    Unclear(String),
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { requests, instances, of } => {
                write!(f, "{requests} requests through the proxy, answered by {instances} of {of}")
            }
            Self::Said => f.write_str("the proxy says that it passes requests on to all of them"),
            Self::Unclear(why) => write!(f, "not asked through the proxy: {why}"),
        }
    }
}
