//! Counts what a server sends, and stops it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// More than this is read for no request. An honest answer is 64 KiB of headers at the very most, 10 KiB
/// of body, one buffer read ahead, and a chain of certificates. Everything that a protocol allows
/// without end (`100 Continue`, SETTINGS, PING, KeyUpdate, empty chunks) ends here, before it
/// costs a processor for the whole time that a check has.
pub(super) const MAX_READ: usize = 256 * 1024;

/// What one connection has brought for the request at hand.
#[derive(Debug)]
pub(super) struct Meter {
    begun: Instant,
    read: AtomicUsize,
    /// Nanoseconds from `begun` to the first byte, plus one; 0 is "not yet".
    first_byte: AtomicU64,
    /// The first four bytes of all, if they came together; 0 if not.
    beginning: AtomicU32,
    complete: AtomicBool,
}

impl Meter {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            read: AtomicUsize::new(0),
            first_byte: AtomicU64::new(0),
            beginning: AtomicU32::new(0),
            complete: AtomicBool::new(false),
        })
    }

    /// Begins a request.
    pub(super) fn begin(&self) {
        self.read.store(0, Relaxed);
        self.first_byte.store(0, Relaxed);
        self.complete.store(false, Relaxed);
    }

    /// Notes that the answer has come to its end, so that the connection may end in peace.
    pub(super) fn complete(&self) {
        self.complete.store(true, Relaxed);
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete.load(Relaxed)
    }

    /// How much came.
    pub(super) fn read(&self) -> usize {
        self.read.load(Relaxed)
    }

    /// Whether that is so much that no more is read.
    pub(super) fn is_flooded(&self) -> bool {
        self.read() >= MAX_READ
    }

    /// When the first byte of this answer came.
    pub(super) fn first_byte(&self) -> Option<Instant> {
        let nanos = self.first_byte.load(Relaxed).checked_sub(1)?;
        Some(self.begun + Duration::from_nanos(nanos))
    }

    /// Whether what came is certainly not HTTP/2: that begins with a SETTINGS frame, whose type is the fourth byte
    /// (RFC 9113, 3.4 and 4.1).
    pub(super) fn is_not_http2(&self) -> bool {
        let beginning = self.beginning.load(Relaxed);
        beginning != 0 && beginning & 0xff != 4
    }

    fn count(&self, came: &[u8]) {
        if self.read.fetch_add(came.len(), Relaxed) > 0 {
            return;
        }
        let nanos = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX - 1);
        self.first_byte.store(nanos + 1, Relaxed);
        if let Some(beginning) = came.first_chunk() {
            self.beginning.store(u32::from_be_bytes(*beginning), Relaxed);
        }
    }
}

/// A connection with a meter in it.
#[derive(Debug)]
pub(super) struct Metered<S> {
    io: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    pub(super) fn new(io: S, meter: Arc<Meter>) -> Self {
        Self { io, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.meter.is_flooded() {
            return Poll::Ready(Err(io::Error::other("more than a check reads")));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        if let Some(came @ [_, ..]) = buf.filled().get(before..) {
            this.meter.count(came);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
