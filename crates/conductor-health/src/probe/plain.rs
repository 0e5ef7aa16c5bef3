//! HTTP/1 for as long as answers come whole.

use super::reason::Reason;
use super::replay::Replay;
use super::request::Prepared;
use super::whole::{self, MAX_WHOLE, Whole};
use hyper::body::Bytes;
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that hyper has not been needed for yet.
pub(super) struct Plain<S> {
    io: Option<S>,
    says_goodbye: bool,
    /// Whether the last answer left the connection as it was.
    stays: bool,
}

/// What came.
pub(super) enum Came<S> {
    Whole(Whole),
    /// Something else: hyper is to go on from here.
    Other(Replay<S>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Plain<S> {
    pub(super) fn new(io: S, says_goodbye: bool) -> Self {
        Self { io: Some(io), says_goodbye, stays: true }
    }

    /// Asks, and waits for the first that comes.
    pub(super) async fn ask(&mut self, prepared: &Prepared) -> Result<Came<S>, Reason> {
        let Some(io) = &mut self.io else {
            return Err(Reason::Closed);
        };
        let Some(bytes) = prepared.written() else {
            return self.leave(0, Bytes::new());
        };
        let sent = poll_fn(|cx| {
            Poll::Ready(match Pin::new(&mut *io).poll_write(cx, bytes) {
                Poll::Ready(sent) => sent,
                Poll::Pending => Ok(0),
            })
        });
        let sent = sent.await.map_err(|error| Reason::from_io(&error))?;
        if sent < bytes.len() {
            // The answer may come before the rest is sent.
            return self.leave(sent, Bytes::new());
        }
        let mut flushed = false;
        let came = poll_fn(|cx| {
            if !flushed && let Poll::Ready(done) = Pin::new(&mut *io).poll_flush(cx) {
                done?;
                flushed = true;
            }
            let mut space = [MaybeUninit::uninit(); MAX_WHOLE];
            let mut space = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut *io).poll_read(cx, &mut space))?;
            let came = space.filled();
            Poll::Ready(Ok(match whole::read(came, prepared.is_head()) {
                Some(whole) => Ok(whole),
                None => Err(Bytes::copy_from_slice(came)),
            }))
        });
        match came.await.map_err(|error| Reason::from_io(&error))? {
            Ok(whole) => {
                self.stays = whole.stays;
                Ok(Came::Whole(whole))
            }
            Err(nothing) if nothing.is_empty() => Err(Reason::Closed),
            Err(came) => self.leave(sent, came),
        }
    }

    fn leave(&mut self, sent: usize, came: Bytes) -> Result<Came<S>, Reason> {
        let io = self.io.take().ok_or(Reason::Closed)?;
        Ok(Came::Other(Replay { io, sent, came }))
    }

    /// Whether another request can be sent: nobody has hung up or spoken unasked.
    pub(super) async fn is_open(&mut self) -> bool {
        let Some(io) = self.io.as_mut().filter(|_| self.stays) else {
            return false;
        };
        poll_fn(|cx| {
            let mut space = [0];
            let read = Pin::new(&mut *io).poll_read(cx, &mut ReadBuf::new(&mut space));
            Poll::Ready(read.is_pending())
        })
        .await
    }

    /// Whether the connection has a word for the end.
    pub(super) fn says_goodbye(&self) -> bool {
        self.says_goodbye
    }

    /// Says it, as far as that can be done without waiting.
    pub(super) async fn close(mut self) {
        if let Some(io) = self.io.as_mut().filter(|_| self.says_goodbye) {
            poll_fn(|cx| {
                // It is no longer of use if that fails.
                let _ = Pin::new(&mut *io).poll_shutdown(cx);
                Poll::Ready(())
            })
            .await;
        }
    }
}
