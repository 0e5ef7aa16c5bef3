//! One check: one request over one fresh connection, judged.
//!
//! One monotonic deadline spans everything from the name's resolution to the last byte that is read,
//! so that no server can hold a check up by answering slowly in small pieces. A check ends in one of
//! three ways, and the third is the one that other checkers lack: *unknown* is trouble of our own
//! (no file descriptors, no ports, a machine so busy that we ran late) and says nothing about the service.

mod connect;
mod drive;
mod exchange;
mod reason;
#[cfg(test)]
mod tests;

pub use reason::{Phase, Reason};

use crate::HttpUrl;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How many redirects are followed; as many as curl's and kubelet's users are used to.
pub const MAX_REDIRECTS: usize = 10;

/// How much of a body is read. More is fine and is left unread.
pub const MAX_BODY: usize = 10 * 1024;

/// What a check concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered 200 to 399, and the body came.
    Healthy,
    /// Did not.
    Unhealthy(Reason),
    /// Could not be asked properly, and that was not its fault.
    Unknown(Reason),
}

/// All that a check saw.
#[derive(Clone, Debug)]
pub struct Check {
    /// What it concluded.
    pub outcome: Outcome,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// Where the last connection went.
    pub address: Option<SocketAddr>,
    /// The URLs it was redirected to, in order.
    pub redirects: Vec<String>,
    /// How many bytes of the body were read.
    pub body_bytes: usize,
    /// Whether there was more body than [`MAX_BODY`].
    pub body_truncated: bool,
    /// How long each part took.
    pub timings: Timings,
}

/// How long the parts of a check took; the parts are those of the last request, the total is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until the name was an address.
    pub resolve: Option<Duration>,
    /// Until the connection stood.
    pub connect: Option<Duration>,
    /// From then until the last header.
    pub headers: Option<Duration>,
    /// From then until the body was read.
    pub body: Option<Duration>,
    /// From beginning to end.
    pub total: Duration,
}

/// Asks once.
pub async fn probe(url: &HttpUrl, timeout: Duration) -> Check {
    let started = Instant::now();
    let deadline = started + timeout;
    let mut progress = Progress::new();
    let asked = tokio::time::timeout_at(deadline, exchange::follow(url, &mut progress)).await;
    let now = Instant::now();
    let outcome = match asked {
        Ok(Ok(())) => Outcome::Healthy,
        Ok(Err(reason)) if reason.is_our_own() => Outcome::Unknown(reason),
        Ok(Err(reason)) => Outcome::Unhealthy(reason),
        Err(_) => match lateness(deadline, now, timeout) {
            Some(late) => Outcome::Unknown(Reason::Late(late)),
            None => Outcome::Unhealthy(Reason::TimedOut { after: timeout, phase: progress.phase }),
        },
    };
    let mut check = progress.check;
    check.outcome = outcome;
    check.timings.total = now - started;
    check
}

/// By how much a deadline was noticed too late to blame the service for it: a process that does not
/// get the processor sees its own timers expire first and the answer that lies waiting second.
fn lateness(deadline: Instant, now: Instant, timeout: Duration) -> Option<Duration> {
    const TOLERATED: Duration = Duration::from_millis(50);
    Some(now.saturating_duration_since(deadline)).filter(|late| *late > TOLERATED.max(timeout / 5))
}

/// What is known so far, kept outside of the future that the deadline drops.
struct Progress {
    phase: Phase,
    check: Check,
    mark: Instant,
}

impl Progress {
    fn new() -> Self {
        Self {
            phase: Phase::Resolve,
            check: Check {
                outcome: Outcome::Healthy,
                status: None,
                address: None,
                redirects: Vec::new(),
                body_bytes: 0,
                body_truncated: false,
                timings: Timings::default(),
            },
            mark: Instant::now(),
        }
    }

    /// Begins a request: what the one before it took is forgotten.
    fn begin(&mut self) {
        self.check.timings = Timings::default();
        self.check.body_bytes = 0;
        self.check.body_truncated = false;
        self.mark = Instant::now();
        self.phase = Phase::Resolve;
    }

    /// The time since the last mark, which moves here.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.mark;
        self.mark = now;
        lap
    }
}
