//! A connection that we have opened, whatever it goes over.

use super::meter::{Meter, Metered};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

/// A connection in the clear or encrypted. One type for all of them, so that the HTTP code exists
/// once in the program.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Metered<Socket>),
    Tls(Box<TlsStream<Metered<Socket>>>),
}

/// A socket.
///
/// Dropped before the answer is complete, a TCP connection is reset: nothing of it stays in the
/// kernel, and the server learns at once that nobody waits any more. It is no use otherwise. A
/// positive SO_LINGER time, which kubelet sets, shortens no TIME-WAIT on Linux; but close(2) then
/// waits for the other side for so long even if the socket is non-blocking, and with it would all
/// our other checks (seen on 6.18 with a peer that does not acknowledge; `inet_release` in
/// net/ipv4/af_inet.c).
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream, Arc<Meter>),
    Unix(UnixStream),
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Tcp(stream, meter) = self
            && !meter.is_complete()
        {
            // Fails only on sockets that are no longer connected, and then there is nothing to reset.
            let _ = stream.set_zero_linger();
        }
    }
}

/// The same call on whatever is inside.
macro_rules! inner {
    ($self:ident, $io:ident => $call:expr) => {
        match $self.get_mut() {
            Self::Plain($io) => $call,
            Self::Tls($io) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        inner!(self, io => Pin::new(io).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        inner!(self, io => Pin::new(io).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inner!(self, io => Pin::new(io).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inner!(self, io => Pin::new(io).poll_shutdown(cx))
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io, _) => Pin::new(io).poll_read(cx, buf),
            Self::Unix(io) => Pin::new(io).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(io, _) => Pin::new(io).poll_write(cx, buf),
            Self::Unix(io) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has nothing to flush.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(io, _) => Pin::new(io).poll_shutdown(cx),
            Self::Unix(io) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
