//! Request and answer over a connection that stands.

use super::check::Progress;
use super::options::{Follow, Options};
use super::reason::{Phase, Reason};
use super::request::Prepared;
use super::wire::{Answer, Body, Wire};
use super::{MAX_BODY, grpc};
use hyper::header::LOCATION;
use hyper::{HeaderMap, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};

/// What an answer amounts to that is no failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A good one.
    Healthy,
    /// Go and ask there.
    Redirect { status: StatusCode, location: String },
}

/// Asks, and judges the answer. Says besides whether it came to its end, so that another request may follow.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    prepared: &Prepared,
    options: &Options,
    progress: &mut Progress,
) -> (Result<Step, Reason>, bool) {
    progress.phase = Phase::Headers;
    let mut answer = match wire.send(prepared).await {
        Ok(answer) => answer,
        Err(_) if prepared.is_http2() && progress.is_not_http2() => return (Err(Reason::NoHttp2), false),
        Err(reason) => return (Err(reason), false),
    };
    progress.answered(answer.status, answer.version);
    if prepared.is_grpc() {
        let judged = grpc::judge(wire, &mut answer, progress).await;
        let complete = judged.is_ok();
        return (judged.map(|()| Step::Healthy), complete);
    }
    // Whoever lists the status of a redirect wants to see that, and not where it leads.
    let is_listed = options.expect_status.as_ref().is_some_and(|set| set.contains(answer.status.as_u16()));
    let follow = if is_listed { Follow::None } else { options.follow };
    if let Some(location) = location(&answer, follow) {
        let step = Step::Redirect { status: answer.status, location };
        return (Ok(step), drain(wire, answer.body).await);
    }
    if !options.expects(answer.status.as_u16()) {
        let reason = Reason::status(answer.status, options.expect_status.as_ref());
        return (Err(reason), drain(wire, answer.body).await);
    }
    let judged = body(wire, answer, options.expect_body.as_deref(), progress).await;
    progress.check.timings.body = Some(progress.lap());
    let complete = judged.is_ok() && !progress.check.body_truncated;
    (judged.map(|()| Step::Healthy), complete)
}

/// Where the answer leads to, if it is one of the redirects that carry a new address.
fn location(answer: &Answer, follow: Follow) -> Option<String> {
    let is_redirect = matches!(
        answer.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    if !is_redirect || follow == Follow::None {
        return None;
    }
    let value = answer.headers.get(LOCATION)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Reads until the end or [`MAX_BODY`], whichever comes first. Nothing is decompressed: no header of
/// ours asks for compression, and a body that is compressed all the same counts by what came.
async fn body<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    answer: Answer,
    wanted: Option<&str>,
    progress: &mut Progress,
) -> Result<(), Reason> {
    let Answer { status, version: _, headers, mut body } = answer;
    let mut kept = Vec::new();
    while !progress.check.body_truncated {
        progress.phase = Phase::Body(status, progress.check.body_bytes);
        let part = match wire.next(&mut body).await {
            None => break,
            Some(Ok(part)) => part,
            Some(Err(reason)) => return Err(reason.in_body(status)),
        };
        let room = MAX_BODY - progress.check.body_bytes;
        let taken = part.get(..room).unwrap_or(&part);
        progress.check.body_bytes += taken.len();
        progress.check.body_truncated = part.len() > room;
        if wanted.is_some() {
            kept.extend_from_slice(taken);
        }
    }
    match wanted {
        Some(text) if !holds(&kept, text.as_bytes()) => Err(Reason::BodyLacks {
            status,
            text: text.to_owned(),
            truncated: progress.check.body_truncated,
            compressed: is_compressed(&headers),
        }),
        _ => Ok(()),
    }
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text)
}

fn is_compressed(headers: &HeaderMap) -> bool {
    let encodings = headers.get_all(hyper::header::CONTENT_ENCODING);
    encodings.iter().any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Takes what is there of a body that nobody cares for, so that the server sees its answer taken and no
/// reset. Never waits: the verdict is known. Says whether that was all.
async fn drain<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, mut body: Body) -> bool {
    let mut room = MAX_BODY;
    loop {
        match wire.next_at_once(&mut body).await {
            Some(None) => return true,
            Some(Some(Ok(part))) if part.len() <= room => room -= part.len(),
            _ => return false,
        }
    }
}
