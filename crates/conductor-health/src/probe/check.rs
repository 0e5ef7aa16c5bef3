//! What a check saw.

use super::meter::Meter;
use super::reason::{Phase, Reason};
use super::tls::Session;
use hyper::{StatusCode, Version};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What a check concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered as it should, and the body came.
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
    /// The version of HTTP that it came in.
    pub version: Option<Version>,
    /// Where the last connection went.
    pub address: Option<Address>,
    /// Whether that had served a check before.
    pub reused: bool,
    /// What was agreed upon over TLS.
    pub tls: Option<Session>,
    /// The URLs it was redirected to, in order.
    pub redirects: Vec<String>,
    /// How many bytes of the body were read.
    pub body_bytes: usize,
    /// Whether there was more body than [`super::MAX_BODY`].
    pub body_truncated: bool,
    /// How long each part took.
    pub timings: Timings,
}

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// To a port.
    Inet(SocketAddr),
    /// To a socket in the file system.
    Unix(Arc<Path>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// How long the parts of a check took; the parts are those of the last request, the total is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until the name was an address.
    pub resolve: Option<Duration>,
    /// Until the connection stood.
    pub connect: Option<Duration>,
    /// Until it was encrypted.
    pub tls: Option<Duration>,
    /// From then until the first byte of the answer.
    pub first_byte: Option<Duration>,
    /// From then until the last header.
    pub headers: Option<Duration>,
    /// From then until the body was read.
    pub body: Option<Duration>,
    /// From beginning to end.
    pub total: Duration,
}

/// What is known so far, kept outside of the future that the deadline drops.
pub(super) struct Progress {
    pub(super) phase: Phase,
    pub(super) check: Check,
    pub(super) deadline: Instant,
    /// That of the connection in use.
    pub(super) meter: Option<Arc<Meter>>,
    mark: Instant,
}

impl Progress {
    pub(super) fn new(now: Instant, deadline: Instant) -> Self {
        Self {
            phase: Phase::Resolve,
            check: Check {
                outcome: Outcome::Healthy,
                status: None,
                version: None,
                address: None,
                reused: false,
                tls: None,
                redirects: Vec::new(),
                body_bytes: 0,
                body_truncated: false,
                timings: Timings::default(),
            },
            deadline,
            meter: None,
            mark: now,
        }
    }

    /// Begins a request: what the one before it took is forgotten.
    pub(super) fn begin(&mut self) {
        self.check.timings = Timings::default();
        self.check.body_bytes = 0;
        self.check.body_truncated = false;
        self.check.tls = None;
        self.check.reused = false;
        self.meter = None;
        self.mark = Instant::now();
        self.phase = Phase::Resolve;
    }

    /// Notes the head of an answer.
    pub(super) fn answered(&mut self, status: StatusCode, version: Version) {
        self.check.status = Some(status.as_u16());
        self.check.version = Some(version);
        self.first_byte();
        self.check.timings.headers = Some(self.lap());
    }

    /// Whether something came that cannot be HTTP/2. What is encrypted looks like nothing, but then both have agreed.
    pub(super) fn is_not_http2(&self) -> bool {
        self.check.tls.is_none() && self.meter.as_ref().is_some_and(|meter| meter.is_not_http2())
    }

    /// Notes when the answer began, if it did.
    pub(super) fn first_byte(&mut self) {
        if let Some(at) = self.meter.as_ref().and_then(|meter| meter.first_byte()) {
            self.check.timings.first_byte = Some(at.saturating_duration_since(self.mark));
            self.mark = self.mark.max(at);
        }
    }

    /// The time since the last mark, which moves here.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now.saturating_duration_since(self.mark);
        self.mark = now;
        lap
    }
}
