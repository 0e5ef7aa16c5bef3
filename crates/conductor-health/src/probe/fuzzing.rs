//! The path of an answer, with bytes from anywhere as the server: for the fuzzer and for property tests.
//!
//! Compiled in only for these (feature `fuzzing`), because it stops the clock. Every way in which a server can
//! end, and every way in which its bytes can be cut into pieces, is part of the input.

use super::check::Progress;
use super::exchange::{Step, ask};
use super::follow;
use super::meter::{MAX_READ, Meter, Metered};
use super::options::{Follow, Options};
use super::prober::conclude;
use super::replay::Replay;
use super::target::{Profile, Target};
use super::wire::Wire;
use super::{Check, MAX_BODY, Outcome};
use crate::once;
use hyper::body::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

const TIMEOUT: Duration = Duration::from_secs(2);
/// What the buffers above a connection may have read besides.
const READ_AHEAD: usize = 128 * 1024;
const WANTED: &str = "ok";

/// Has a server say this, and checks what must hold whatever it says. The first byte chooses how it is asked, the
/// second how its bytes arrive and end; the rest is what it says.
///
/// # Panics
///
/// If something does not hold that should.
pub fn answer(input: &[u8]) {
    let Some((&[how, pace], said)) = input.split_first_chunk() else {
        return;
    };
    let Some(target) = target(how) else {
        return;
    };
    let peer = Peer::new(said, pace, target.prepared().is_http2());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let Ok(runtime) = runtime else {
        return;
    };
    let (check, read) = runtime.block_on(over(&target, peer, Client::Usual));
    if !target.prepared().is_http2() {
        let peer = Peer::new(said, pace, false);
        let (hyper, _) = runtime.block_on(over(&target, peer, Client::Hyper));
        let seen = |check: &Check| {
            let Check { outcome, status, version, redirects, body_bytes, body_truncated, .. } = check.clone();
            (outcome, status, version, redirects, body_bytes, body_truncated)
        };
        assert_eq!(seen(&check), seen(&hyper), "an answer that is read without hyper is what hyper reads");
    }
    assert!(check.timings.total <= TIMEOUT, "a check is over at its deadline");
    assert!(check.body_bytes <= MAX_BODY, "the body is bounded");
    assert!(read <= MAX_READ + READ_AHEAD, "what is read is bounded");
    let url = target.url();
    let texts = [once::json(url, &check, &[]), once::human(url, &check, &[]).replace('\n', "")];
    let reason = match &check.outcome {
        Outcome::Healthy => {
            let status = check.status.unwrap_or_default();
            // Of a redirect only the first step is gone here: what it leads to is judged, and not its own status.
            let judged = check.redirects.is_empty();
            assert!(!judged || target.options().expects(status), "the status was expected: {status}");
            String::new()
        }
        Outcome::Unhealthy(reason) | Outcome::Unknown(reason) => {
            assert!(!reason.is_our_own(), "a server cannot make itself our own trouble: {reason}");
            reason.about(url)
        }
    };
    for text in texts.iter().chain([&reason]) {
        assert!(
            !text.chars().any(char::is_control),
            "nothing of a server's reaches a terminal unseen: {text:?}"
        );
    }
}

/// What the first byte chooses.
fn target(how: u8) -> Option<Target> {
    let has = |bit: u8| how & (1 << bit) > 0;
    let mut options = Options::default();
    let scheme = if has(0) && has(1) { "grpc" } else { "http" };
    if scheme == "http" {
        options.http2 = has(1);
        options.expect_body = has(2).then(|| WANTED.to_owned());
        options.follow = if has(3) { Follow::None } else { Follow::Any };
        options.expect_status = if has(4) { Some("204,307,500-599".parse().ok()?) } else { None };
        options.method = has(5).then_some(hyper::Method::POST);
        options.keep_alive = has(6).then_some(std::num::NonZeroU32::MIN);
    }
    Target::new(format!("{scheme}://127.0.0.1:20000").parse().ok()?, &Profile::new(options)).ok()
}

/// Who reads the answers of HTTP/1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    /// As checks are made.
    Usual,
    /// hyper, all of them.
    Hyper,
}

async fn over(target: &Target, peer: Peer<'_>, client: Client) -> (Check, usize) {
    let started = Instant::now();
    let deadline = started + TIMEOUT;
    let mut progress = Progress::new(started, deadline);
    let meter = Meter::new();
    progress.meter = Some(Arc::clone(&meter));
    let asked = tokio::time::timeout_at(deadline, async {
        let (url, prepared, options) = (target.url(), target.prepared(), target.options());
        let io = Metered::new(peer, Arc::clone(&meter));
        let mut wire = match client {
            _ if prepared.is_http2() => Wire::http2(io).await?,
            Client::Usual => Wire::http1(io, false),
            Client::Hyper => Wire::hyper(Replay { io, sent: 0, came: Bytes::new() }, false).await?,
        };
        let (judged, _) = ask(&mut wire, prepared, options, &mut progress).await;
        match judged? {
            Step::Healthy => Ok(()),
            Step::Redirect { status, location } => {
                let (to, _) = follow::next(url, url, prepared, options, status, &location)?;
                progress.check.redirects.push(to.to_string());
                Ok(())
            }
        }
    })
    .await
    .map_err(|_| deadline);
    (conclude(asked, progress, started, TIMEOUT), meter.read())
}

/// A server that has these bytes to say as soon as it has heard a request.
struct Peer<'a> {
    /// How many bytes of a request are still to come.
    listens_for: usize,
    /// Who waits for us to speak.
    waiting: Option<Waker>,
    bytes: &'a [u8],
    left: &'a [u8],
    /// How many at a time.
    piece: usize,
    /// Whether it lets us wait between two pieces.
    waits: bool,
    waited: bool,
    end: End,
}

/// What comes after the last byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Close,
    Reset,
    Silence,
    /// The first.
    Again,
}

impl<'a> Peer<'a> {
    fn new(bytes: &'a [u8], pace: u8, is_http2: bool) -> Self {
        // Of HTTP/2 the preface and SETTINGS, which say nothing yet, and the beginning of the question.
        let listens_for = if is_http2 { 64 } else { 1 };
        let end = match pace & 3 {
            0 => End::Close,
            1 => End::Reset,
            3 if !bytes.is_empty() => End::Again,
            _ => End::Silence,
        };
        let piece = match usize::from(pace >> 3) {
            0 => usize::MAX,
            // Single bytes without end would be slow to fuzz and show nothing new.
            n if end == End::Again => n * n + 64,
            n => n * n,
        };
        Self {
            listens_for,
            waiting: None,
            bytes,
            left: bytes,
            piece,
            waits: pace & 4 > 0,
            waited: false,
            end,
        }
    }
}

impl AsyncRead for Peer<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.listens_for > 0 {
            this.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if this.waits && !std::mem::replace(&mut this.waited, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        this.waited = false;
        if this.left.is_empty() {
            match this.end {
                End::Close => return Poll::Ready(Ok(())),
                End::Reset => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
                End::Silence => return Poll::Pending,
                End::Again => this.left = this.bytes,
            }
        }
        let length = this.piece.min(buf.remaining()).min(this.left.len());
        if let Some((piece, left)) = this.left.split_at_checked(length) {
            buf.put_slice(piece);
            this.left = left;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer<'_> {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.listens_for = this.listens_for.saturating_sub(buf.len());
        if this.listens_for == 0
            && let Some(waker) = this.waiting.take()
        {
            waker.wake();
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    /// What answers are made of, good and bad.
    const PIECES: &[&str] = &[
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 204 \r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 302 Found\r\n",
        "HTTP/1.1 503 x\r\n",
        "HTTP/1.1 101 x\r\n",
        "HTTP/1.1 2",
        "HTTP/2 200\r\n",
        "Content-Length: 2\r\n",
        "Content-Length: 99999999999\r\n",
        "Content-Length: x\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Connection: close\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: h2c\r\n",
        "Location: /x\r\n",
        "Location: //y\r\n",
        "Location: http://\x1b[31m/\r\n",
        "Location: \r\n",
        "Content-Encoding: gzip\r\n",
        "\r\n",
        "\n",
        "ok",
        "2\r\nok\r\n",
        "0\r\n\r\n",
        "0\r\nA: b\r\n\r\n",
        "ffffffffffffffff\r\n",
        "-1\r\n",
        "2;a=b\r\n",
        "\0",
        "\u{1b}[2J",
        "\u{ff}",
        "A: b\r\n",
        "A : b\r\n",
        " folded\r\n",
        ":\r\n",
    ];

    /// Frames of HTTP/2, which begin with a length that is right.
    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let payload = prop_oneof![
            vec(any::<u8>(), 0..24),
            select(vec![
                b"\x88".to_vec(),
                b"\x88\x5f\x10application/grpc".to_vec(),
                b"\0\0\0\0\x02\x08\x01".to_vec()
            ]),
        ];
        (0_u8..10, any::<u8>(), prop_oneof![Just(0_u8), Just(1), any::<u8>()], payload).prop_map(
            |(kind, flags, stream, payload)| {
                let length = u8::try_from(payload.len()).unwrap();
                [&[0, 0, length, kind, flags, 0, 0, 0, stream], &payload[..]].concat()
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn whatever_a_server_of_http1_says(
            how in any::<u8>(),
            pace in any::<u8>(),
            pieces in vec(prop_oneof![
                9 => select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
                1 => vec(any::<u8>(), 0..40),
            ], 0..14),
        ) {
            answer(&[&[how & !2, pace], &pieces.concat()[..]].concat());
        }

        #[test]
        fn whatever_a_server_of_http2_says(how in any::<u8>(), pace in any::<u8>(), frames in vec(frame(), 0..10)) {
            let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
            answer(&[&[how | 2, pace], &settings[..], &frames.concat()].concat());
        }
    }

    #[test]
    fn good_answers_are_among_them() {
        let heard = |how: u8, said: &[u8]| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap();
            let target = target(how).unwrap();
            let peer = Peer::new(said, 0, target.prepared().is_http2());
            runtime.block_on(over(&target, peer, Client::Usual)).0.outcome
        };
        assert_eq!(heard(0, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Outcome::Healthy);
        assert_eq!(heard(4, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), Outcome::Healthy);
        let frames = b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x01\x88";
        assert_eq!(heard(2, frames), Outcome::Healthy);
    }
}
