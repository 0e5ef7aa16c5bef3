//! One check: one question to one server, judged.
//!
//! One monotonic deadline spans everything from the name's resolution to the last byte that is read,
//! so that no server can hold a check up by answering slowly in small pieces. A check ends in one of
//! three ways, and the third is the one that other checkers lack: *unknown* is trouble of our own
//! (no file descriptors, no ports, a machine so busy that we ran late) and says nothing about the service.
//!
//! A check is one future and owns all that it opens: whoever drops it leaves nothing behind.

mod check;
mod connect;
mod drive;
mod exchange;
mod expect;
mod follow;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod grpc;
mod header;
mod meter;
mod options;
mod plain;
mod prober;
mod reason;
mod replay;
mod request;
mod resolve;
mod socket;
mod stream;
mod target;
mod tls;
mod whole;
mod wire;
mod within;
mod written;

#[cfg(test)]
mod tests;

pub use check::{Address, Check, Outcome, Timings};
pub use expect::StatusSet;
pub use grpc::GrpcProblem;
pub use header::Header;
pub use options::{Follow, Mismatch, Options, TlsOptions};
pub use prober::Prober;
pub use reason::{Phase, Reason};
pub use target::{Profile, Target};
pub use tls::{Moment, Session, TlsProblem};

use std::time::Duration;

/// How many redirects are followed; as many as curl's and kubelet's users are used to.
pub const MAX_REDIRECTS: usize = 10;

/// How much of a body is read. More is fine and is left unread.
pub const MAX_BODY: usize = 10 * 1024;

/// Asks once, over a connection of its own.
pub async fn probe(target: &Target, timeout: Duration) -> Check {
    Prober::new(target.clone()).probe(timeout).await
}
