//! Why a check did not succeed, in words that an administrator can act on.

use crate::HttpUrl;
use conductor_timespan::TimeSpan;
use hyper::StatusCode;
use rustix::io::Errno;
use std::fmt;
use std::io;
use std::time::Duration;

/// The part of a check that was going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The name was being resolved.
    Resolve,
    /// The connection was being made.
    Connect,
    /// The request was sent, the answer awaited.
    Headers,
    /// The body was being read, after this status and this many bytes.
    Body(StatusCode, usize),
}

/// Why a check did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody listens there.
    Refused,
    /// Answered with a status outside 200 to 399.
    Status(StatusCode),
    /// The deadline passed.
    TimedOut {
        /// The time that the check had.
        after: Duration,
        /// How far it had come.
        phase: Phase,
    },
    /// Hung up before the headers were complete.
    Closed,
    /// Hung up in the middle of the body.
    BrokeOff(StatusCode),
    /// Sent a reset.
    Reset,
    /// Answered something that is not HTTP.
    Garbage,
    /// Sent headers without end.
    HeadTooLarge,
    /// Sent [`super::MAX_REDIRECTS`] redirects and then one more.
    TooManyRedirects,
    /// Redirects to another server, whose health would say nothing about this one.
    RedirectsAway(String),
    /// Redirects to something that is no URL.
    BadRedirect(String),
    /// Any other trouble on the way, such as an unreachable host.
    Network(String),
    /// Ours: something that this machine or process lacks.
    Own(String),
    /// Ours: the deadline was noticed this much too late.
    Late(Duration),
}

impl Reason {
    /// Whether the trouble is the checker's and not the service's.
    pub fn is_our_own(&self) -> bool {
        matches!(self, Self::Own(_) | Self::Late(_))
    }

    /// A sentence about the URL, without a full stop.
    pub fn about(&self, url: &HttpUrl) -> String {
        match self {
            Self::Status(_) | Self::Garbage | Self::RedirectsAway(_) => format!("{url} {self}"),
            _ => format!("{url}: {self}"),
        }
    }

    pub(super) fn from_io(error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::CONNREFUSED) => Self::Refused,
            Some(Errno::CONNRESET | Errno::PIPE) => Self::Reset,
            // Descriptors, memory, ports, or a sandbox or firewall of our own: not the service's doing.
            Some(
                Errno::MFILE
                | Errno::NFILE
                | Errno::NOBUFS
                | Errno::NOMEM
                | Errno::ADDRNOTAVAIL
                | Errno::ADDRINUSE
                | Errno::AGAIN
                | Errno::ACCESS
                | Errno::PERM
                | Errno::AFNOSUPPORT
                | Errno::PROTONOSUPPORT,
            ) => Self::Own(words(error)),
            _ => Self::Network(words(error)),
        }
    }

    pub(super) fn from_hyper(error: &hyper::Error) -> Self {
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                return Self::from_io(error);
            }
            source = cause.source();
        }
        if error.is_parse() {
            // hyper has a method for this, but only with its server half compiled in.
            if error.to_string().contains("too large") { Self::HeadTooLarge } else { Self::Garbage }
        } else {
            Self::Closed
        }
    }
}

/// The error without Rust's "(os error 24)".
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            // StatusCode prints its number and the usual phrase, never what the server made up.
            Self::Status(status) => write!(f, "answered {}", Status(*status)),
            Self::TimedOut { after, phase } => {
                write!(f, "no answer within {} (", Span(*after))?;
                match phase {
                    Phase::Resolve => f.write_str("its name did not resolve)"),
                    Phase::Connect => f.write_str("no connection)"),
                    Phase::Headers => f.write_str("connected, headers never came)"),
                    Phase::Body(status, bytes) => {
                        write!(f, "answered {}, the body stalled after {bytes} bytes)", Status(*status))
                    }
                }
            }
            Self::Closed => f.write_str("closed the connection without an answer"),
            Self::BrokeOff(status) => write!(f, "answered {} and broke off in the body", Status(*status)),
            Self::Reset => f.write_str("connection reset"),
            Self::Garbage => f.write_str("answered something that is not HTTP"),
            Self::HeadTooLarge => f.write_str("sent headers without end"),
            Self::TooManyRedirects => write!(f, "redirected more than {} times", super::MAX_REDIRECTS),
            Self::RedirectsAway(to) => write!(f, "redirects to another server ({to}), which is not followed"),
            Self::BadRedirect(to) => write!(f, "redirects to something that is no URL ({to})"),
            Self::Network(text) => f.write_str(text),
            Self::Own(text) => write!(f, "could not check: {text}"),
            Self::Late(late) => {
                write!(f, "could not check: this machine was too busy, the checker ran {} late", Span(*late))
            }
        }
    }
}

/// `503 Service Unavailable`, or the number alone where it has no usual phrase.
struct Status(StatusCode);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())?;
        self.0.canonical_reason().map_or(Ok(()), |phrase| write!(f, " {phrase}"))
    }
}

/// A duration in systemd's syntax, to the millisecond where it has some.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        write!(f, "{}", TimeSpan::from_millis(millis))
    }
}
