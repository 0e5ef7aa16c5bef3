//! A connection that hyper comes to in the middle of a request.

use hyper::body::Bytes;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What hyper writes first has been written already, and what came since is what it reads first.
#[derive(Debug)]
pub(super) struct Replay<S> {
    pub(super) io: S,
    /// How many bytes of what is written next have been sent.
    pub(super) sent: usize,
    /// What is read next.
    pub(super) came: Bytes,
}

impl<S: AsyncRead + Unpin> AsyncRead for Replay<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.came.is_empty() {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        }
        if this.sent > 0 {
            // hyper looks for answers that nobody has asked for before it asks.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        buf.put_slice(&this.came.split_to(this.came.len().min(buf.remaining())));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replay<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = this.sent.min(buf.len());
        if sent > 0 {
            this.sent -= sent;
            return Poll::Ready(Ok(sent));
        }
        Pin::new(&mut this.io).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
