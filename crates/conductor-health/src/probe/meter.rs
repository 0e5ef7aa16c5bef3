//! Counts what a server sends, and stops it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
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
    complete: AtomicBool,
}

impl Meter {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            read: AtomicUsize::new(0),
            first_byte: AtomicU64::new(0),
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

    /// When the first byte of this answer came.
    pub(super) fn first_byte(&self) -> Option<Instant> {
        let nanos = self.first_byte.load(Relaxed).checked_sub(1)?;
        Some(self.begun + Duration::from_nanos(nanos))
    }

    fn count(&self, more: usize) {
        if self.read.fetch_add(more, Relaxed) == 0 && more > 0 {
            let nanos = u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX - 1);
            self.first_byte.store(nanos + 1, Relaxed);
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

/// The server sent [`MAX_READ`] bytes, and still there was no end.
#[derive(Debug)]
pub(super) struct Flood;

impl fmt::Display for Flood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more than a check reads")
    }
}

impl std::error::Error for Flood {}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.meter.read() >= MAX_READ {
            return Poll::Ready(Err(io::Error::other(Flood)));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.io).poll_read(cx, buf))?;
        this.meter.count(buf.filled().len() - before);
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
