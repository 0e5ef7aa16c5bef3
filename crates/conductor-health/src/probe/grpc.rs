//! `grpc.health.v1.Health/Check`, the health service that gRPC servers share.
//!
//! Question and answer have one field each, so that their encoding is written out here; the rest is
//! HTTP/2 (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>).

use super::MAX_BODY;
use super::check::Progress;
use super::reason::{Phase, Reason};
use super::wire::{Answer, Wire};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, StatusCode};
use std::fmt;
use tokio::io::{AsyncRead, AsyncWrite};

/// The path of the only method.
pub(super) const METHOD: &str = "/grpc.health.v1.Health/Check";

/// Before each message: one byte that says whether it is compressed, four for its length.
const PREFIX: usize = 5;

/// What a server says about a service, other than that it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcProblem {
    /// `UNKNOWN`
    Unknown,
    /// `NOT_SERVING`
    NotServing,
    /// `SERVICE_UNKNOWN`, or the status `NOT_FOUND`.
    NoSuchService,
    /// It does not have the health service.
    NoHealthService,
    /// Any other status of gRPC's.
    Status(u32),
    /// Something that is no answer to this question.
    Garbage,
}

/// `HealthCheckRequest { string service = 1; }` with its prefix.
pub(super) fn question(service: &str) -> Bytes {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        put_varint(&mut message, service.len());
        message.extend_from_slice(service.as_bytes());
    }
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(&message);
    framed.into()
}

/// Reads the rest of an answer and judges it.
pub(super) async fn judge<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    answer: &mut Answer,
    progress: &mut Progress,
) -> Result<(), Reason> {
    if answer.status != StatusCode::OK {
        return Err(Reason::Status(answer.status));
    }
    let is_grpc =
        answer.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    if !is_grpc {
        return Err(Reason::Grpc(GrpcProblem::Garbage));
    }
    let mut body = Vec::new();
    loop {
        progress.phase = Phase::Body(answer.status, body.len());
        match wire.next(&mut answer.body).await {
            None => break,
            Some(Ok(part)) if body.len() + part.len() <= MAX_BODY => body.extend_from_slice(&part),
            Some(Ok(_)) => return Err(Reason::Grpc(GrpcProblem::Garbage)),
            Some(Err(reason)) => return Err(reason.in_body(answer.status)),
        }
        progress.check.body_bytes = body.len();
    }
    let trailers = wire.trailers(&mut answer.body).await?;
    progress.check.timings.body = Some(progress.lap());
    // An answer without a message has everything in its head.
    let status = trailers.as_ref().and_then(status).or_else(|| status(&answer.headers));
    let problem = match status {
        Some(0) => match serving(&body) {
            Some(1) => return Ok(()),
            Some(0) => GrpcProblem::Unknown,
            Some(2) => GrpcProblem::NotServing,
            Some(3) => GrpcProblem::NoSuchService,
            _ => GrpcProblem::Garbage,
        },
        Some(5) => GrpcProblem::NoSuchService,
        Some(12) => GrpcProblem::NoHealthService,
        Some(code) => GrpcProblem::Status(code),
        None => GrpcProblem::Garbage,
    };
    Err(Reason::Grpc(problem))
}

fn status(headers: &HeaderMap) -> Option<u32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

/// `HealthCheckResponse { ServingStatus status = 1; }` with its prefix. Fields that we do not know are
/// skipped, as the encoding has it.
fn serving(framed: &[u8]) -> Option<u64> {
    let (prefix, message) = framed.split_at_checked(PREFIX)?;
    let [0, length @ ..] = prefix else {
        return None;
    };
    let length = u32::from_be_bytes(length.try_into().ok()?);
    if usize::try_from(length).ok()? != message.len() {
        return None;
    }
    let mut rest = message;
    // What is left out is 0 (proto3).
    let mut status = 0;
    while !rest.is_empty() {
        let tag = take_varint(&mut rest)?;
        let skip = match tag & 7 {
            0 => {
                let value = take_varint(&mut rest)?;
                if tag >> 3 == 1 {
                    status = value;
                }
                0
            }
            1 => 8,
            2 => usize::try_from(take_varint(&mut rest)?).ok()?,
            5 => 4,
            _ => return None,
        };
        rest = rest.get(skip..)?;
    }
    Some(status)
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value > 0x7f {
        let [low, ..] = value.to_le_bytes();
        out.push(low | 0x80);
        value >>= 7;
    }
    let [low, ..] = value.to_le_bytes();
    out.push(low);
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

impl fmt::Display for GrpcProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("says that its health is UNKNOWN"),
            Self::NotServing => f.write_str("says NOT_SERVING"),
            Self::NoSuchService => f.write_str("knows no service of this name"),
            Self::NoHealthService => f.write_str("does not offer grpc.health.v1.Health"),
            Self::Status(code) => write!(f, "answered gRPC status {code}{}", name(*code)),
            Self::Garbage => f.write_str("answered something that is not gRPC"),
        }
    }
}

/// The names of the statuses that a server gives for itself.
fn name(code: u32) -> &'static str {
    match code {
        1 => " (CANCELLED)",
        2 => " (UNKNOWN)",
        4 => " (DEADLINE_EXCEEDED)",
        7 => " (PERMISSION_DENIED)",
        8 => " (RESOURCE_EXHAUSTED)",
        13 => " (INTERNAL)",
        14 => " (UNAVAILABLE)",
        16 => " (UNAUTHENTICATED)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_question_on_the_wire() {
        assert_eq!(&question("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&question("shop.Cart")[..], b"\0\0\0\0\x0b\x0a\x09shop.Cart");
        let long = question(&"a".repeat(300));
        assert_eq!(&long[..8], [0, 0, 0, 1, 47, 0x0a, 0xac, 0x02]);
    }

    #[test]
    fn the_answer_on_the_wire() {
        assert_eq!(serving(b"\0\0\0\0\x02\x08\x01"), Some(1));
        assert_eq!(serving(b"\0\0\0\0\0"), Some(0));
        // Fields of the future, before and after.
        assert_eq!(serving(b"\0\0\0\0\x0b\x12\x02hi\x08\x02\x1d\x00\x00\x00\x00"), Some(2));
        for bad in [
            &b""[..],
            b"\0\0\0\0",
            b"\x01\0\0\0\x02\x08\x01",
            b"\0\0\0\0\x03\x08\x01",
            b"\0\0\0\0\x01\x08\x01",
            b"\0\0\0\0\x02\x08\x81",
            b"\0\0\0\0\x02\x0f\x01",
            b"\0\0\0\0\x02\x12\x7f",
        ] {
            assert_eq!(serving(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut framed = vec![0, 0, 0, 0, u8::try_from(bytes.len()).unwrap()];
            framed.extend(&bytes);
            let _ = serving(&framed);
            let _ = serving(&bytes);
        }
    }
}
