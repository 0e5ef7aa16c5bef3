//! Why a check did not succeed, in words that an administrator can act on.

use super::expect::StatusSet;
use super::grpc::GrpcProblem;
use super::meter::MAX_READ;
use super::tls::TlsProblem;
use crate::Url;
use conductor_timespan::TimeSpan;
use hyper::StatusCode;
use rustix::io::Errno;
use std::error::Error;
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
    /// It was being encrypted.
    Tls,
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
    /// There is no such socket in the file system.
    NoSocket,
    /// Answered with a status outside 200 to 399.
    Status(StatusCode),
    /// Answered with a status outside of those that were asked for.
    OtherStatus {
        /// What it answered.
        status: StatusCode,
        /// What was wanted.
        wanted: String,
    },
    /// Answered well, but the body does not hold what it should.
    BodyLacks {
        /// What it answered.
        status: StatusCode,
        /// What was looked for.
        text: String,
        /// Whether there was more of the body.
        truncated: bool,
        /// Whether the body was compressed.
        compressed: bool,
    },
    /// The deadline passed.
    TimedOut {
        /// The time that the check had.
        after: Duration,
        /// How far it had come.
        phase: Phase,
        /// How many bytes of an answer there were by then.
        bytes: usize,
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
    /// Sent something else without end.
    Flood,
    /// Ended the answer or the connection with an error of HTTP/2.
    Http2(String),
    /// Does not speak HTTP/2.
    NoHttp2,
    /// The encryption did not come about.
    Tls(TlsProblem),
    /// Answered the question of gRPC's health service with something else than "serving".
    Grpc(GrpcProblem),
    /// Sent [`super::MAX_REDIRECTS`] redirects and then one more.
    TooManyRedirects,
    /// Redirects to another server, whose health would say nothing about this one.
    RedirectsAway(String),
    /// Redirects to something that cannot be asked.
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
        // Who answers for names is no part of the service behind the name.
        matches!(self, Self::Own(_) | Self::Late(_) | Self::TimedOut { phase: Phase::Resolve, .. })
    }

    /// A sentence about the URL, without a full stop.
    pub fn about(&self, url: &Url) -> String {
        match self {
            Self::Status(_)
            | Self::OtherStatus { .. }
            | Self::BodyLacks { .. }
            | Self::Garbage
            | Self::NoHttp2
            | Self::Grpc(_)
            | Self::RedirectsAway(_)
            | Self::BadRedirect(_)
            | Self::Tls(TlsProblem::Garbage | TlsProblem::Protocol | TlsProblem::ClientCertificate(_)) => {
                format!("{url} {self}")
            }
            _ => format!("{url}: {self}"),
        }
    }

    /// A status that is not welcome.
    pub(super) fn status(status: StatusCode, wanted: Option<&StatusSet>) -> Self {
        match wanted {
            None => Self::Status(status),
            Some(wanted) => Self::OtherStatus { status, wanted: wanted.to_string() },
        }
    }

    /// The same trouble, or what is behind it if it was us who read no further.
    pub(super) fn unless_flooded(self, is_flooded: bool) -> Self {
        match self {
            Self::Network(_) | Self::Closed | Self::BrokeOff(_) if is_flooded => Self::Flood,
            other => other,
        }
    }

    /// The same trouble, after the head of an answer had come.
    pub(super) fn in_body(self, status: StatusCode) -> Self {
        match self {
            Self::Closed | Self::Reset | Self::Garbage | Self::Network(_) => Self::BrokeOff(status),
            other => other,
        }
    }

    pub(super) fn from_io(error: &io::Error) -> Self {
        if let Some(problem) = error.get_ref().and_then(TlsProblem::from_error) {
            return Self::Tls(problem);
        }
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
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
            // h2 gives the kind alone on.
            None if error.kind() == io::ErrorKind::BrokenPipe => Self::Closed,
            None if error.kind() == io::ErrorKind::ConnectionReset => Self::Reset,
            _ => Self::Network(words(error)),
        }
    }

    pub(super) fn from_hyper(error: &hyper::Error) -> Self {
        let mut source: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(cause) = source {
            if let Some(error) = cause.downcast_ref::<io::Error>() {
                return Self::from_io(error);
            }
            // hyper has methods for these, but only with its server half compiled in, or not at all.
            let text = cause.to_string();
            if text.contains("too large") {
                return Self::HeadTooLarge;
            }
            if text.contains("unexpected message") {
                // Whoever speaks before being asked.
                return Self::Garbage;
            }
            source = cause.source();
        }
        if error.is_parse() { Self::Garbage } else { Self::Closed }
    }

    pub(super) fn from_h2(error: &h2::Error) -> Self {
        if let Some(error) = error.get_io() {
            return Self::from_io(error);
        }
        let Some(code) = error.reason() else {
            return Self::Closed;
        };
        if error.is_remote() {
            let what = if error.is_go_away() { "closed the connection" } else { "broke the answer off" };
            Self::Http2(format!("{what} with the HTTP/2 error {}", name(code)))
        } else {
            Self::Http2(format!("breaks the rules of HTTP/2 ({})", name(code)))
        }
    }
}

/// As RFC 9113, 7 spells it.
fn name(code: h2::Reason) -> String {
    format!("{code:?}")
}

/// The error without Rust's "(os error 24)".
pub(super) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::NoSocket => f.write_str("there is no such socket"),
            // StatusCode prints its number and the usual phrase, never what the server made up.
            Self::Status(status) => write!(f, "answered {}", Status(*status)),
            Self::OtherStatus { status, wanted } => {
                write!(f, "answered {} instead of {wanted}", Status(*status))
            }
            Self::BodyLacks { status, text, truncated, compressed } => {
                write!(f, "answered {}, but its body lacks {text:?}", Status(*status))?;
                match (compressed, truncated) {
                    (true, _) => f.write_str(" (it is compressed, and was not asked to be)"),
                    (_, true) => write!(f, " in its first {} bytes", super::MAX_BODY),
                    (false, false) => Ok(()),
                }
            }
            Self::TimedOut { phase: Phase::Resolve, after, .. } => {
                write!(f, "could not check: its name did not resolve within {}", Span(*after))
            }
            Self::TimedOut { after, phase, bytes } => {
                write!(f, "no answer within {} (", Span(*after))?;
                match phase {
                    Phase::Resolve | Phase::Connect => f.write_str("no connection)"),
                    Phase::Tls => f.write_str("connected, the TLS handshake never ended)"),
                    Phase::Headers if *bytes > 0 => {
                        write!(f, "connected, the headers had not ended after {bytes} bytes)")
                    }
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
            Self::Flood => write!(f, "sent {} KiB, and there was no end of the answer", MAX_READ / 1024),
            Self::NoHttp2 => f.write_str("does not speak HTTP/2"),
            Self::Tls(problem) => problem.fmt(f),
            Self::Grpc(problem) => problem.fmt(f),
            Self::TooManyRedirects => write!(f, "redirected more than {} times", super::MAX_REDIRECTS),
            Self::RedirectsAway(to) => write!(f, "redirects to another server ({to}), which is not followed"),
            Self::BadRedirect(to) => write!(f, "redirects to something that cannot be asked ({to})"),
            Self::Network(text) | Self::Http2(text) => f.write_str(text),
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
