//! A socket that we have opened.
//!
//! tokio's own streams wait for the event loop between connect(2) and the first send(2). On one machine there is
//! nothing to wait for: the handshake is over when connect(2) returns, and there is always room for a request. So both
//! are tried first and waited for only if they have to be, which saves a turn of the event loop and two system calls.
//!
//! Nor has the event loop to watch for an answer that is there by the time that all others who were due have asked:
//! whoever has asked lets those go first, and looks then. That saves epoll_ctl(2), twice, and most of what tokio does
//! for a socket.

use super::meter::Meter;
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connected socket.
///
/// Dropped before the answer is complete, a TCP connection is reset: nothing of it stays in the
/// kernel, and the server learns at once that nobody waits any more. It is no use otherwise. A
/// positive SO_LINGER time, which kubelet sets, shortens no TIME-WAIT on Linux; but close(2) then
/// waits for the other side for so long even if the socket is non-blocking, and with it would all
/// our other checks (seen on 6.18 with a peer that does not acknowledge; `inet_release` in
/// net/ipv4/af_inet.c).
#[derive(Debug)]
pub(super) struct Socket {
    state: State,
    patience: Patience,
    /// Of a TCP connection; none of one within the machine.
    meter: Option<Arc<Meter>>,
}

#[derive(Debug)]
enum State {
    /// There was nothing to wait for yet.
    Unwatched(OwnedFd),
    Tcp(TcpStream),
    Unix(UnixStream),
    /// It could not be watched.
    Gone,
}

/// What is done before the event loop is asked to watch for something to read.
#[derive(Debug)]
enum Patience {
    /// Something was sent just now: others go first.
    Asked,
    /// Something has come already: the next part is looked for, and then others go first. Whoever looks whether a
    /// connection is still open looks only once.
    Answered,
    /// It is looked for, for the last time.
    Spent,
}

impl Socket {
    /// Connects; the meter is that of a TCP connection.
    pub(super) async fn connect(
        family: AddressFamily,
        address: &impl SocketAddrArg,
        meter: Option<Arc<Meter>>,
    ) -> io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let fd = net::socket_with(family, SocketType::STREAM, flags, None)?;
        // The second call tells what has become of the first.
        let connected = match net::connect(&fd, address) {
            Err(Errno::INPROGRESS) => net::connect(&fd, address),
            done => done,
        };
        let mut socket = Self { state: State::Unwatched(fd), patience: Patience::Spent, meter };
        match connected {
            Err(Errno::ALREADY) => {
                socket.watch()?;
                if let State::Tcp(stream) = &socket.state {
                    stream.writable().await?;
                    stream.take_error()?.map_or(Ok(()), Err)?;
                }
            }
            done => done?,
        }
        Ok(socket)
    }

    /// Has the event loop watch it.
    fn watch(&mut self) -> io::Result<()> {
        if let State::Unwatched(_) = &self.state {
            self.state = match mem::replace(&mut self.state, State::Gone) {
                State::Unwatched(fd) if self.meter.is_some() => State::Tcp(TcpStream::from_std(fd.into())?),
                State::Unwatched(fd) => State::Unix(UnixStream::from_std(fd.into())?),
                other => other,
            };
        }
        Ok(())
    }

    /// Looks for something to read as long as that may save watching for it; none if it is to be watched for.
    fn look(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Option<Poll<io::Result<()>>> {
        let State::Unwatched(fd) = &self.state else {
            return None;
        };
        if !matches!(self.patience, Patience::Asked) {
            match net::recv(fd, buf.initialize_unfilled(), RecvFlags::empty()) {
                Ok((came, _)) => {
                    buf.advance(came);
                    self.patience = Patience::Answered;
                    return Some(Poll::Ready(Ok(())));
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(error) => return Some(Poll::Ready(Err(error.into()))),
            }
        }
        match mem::replace(&mut self.patience, Patience::Spent) {
            Patience::Spent => None,
            Patience::Asked | Patience::Answered => {
                cx.waker().wake_by_ref();
                Some(Poll::Pending)
            }
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Unwatched(fd) => Some(fd.as_fd()),
            State::Tcp(stream) => Some(stream.as_fd()),
            State::Unix(stream) => Some(stream.as_fd()),
            State::Gone => None,
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.meter.as_ref().is_some_and(|meter| !meter.is_complete())
            && let Some(fd) = self.fd()
        {
            // Fails only on sockets that are no longer connected, and then there is nothing to reset.
            let _ = sockopt::set_socket_linger(fd, Some(Duration::ZERO));
        }
    }
}

/// The same call on the stream inside, which is watched from now on.
macro_rules! inner {
    ($this:ident, $io:ident => $call:expr) => {{
        $this.watch()?;
        match &mut $this.state {
            State::Tcp($io) => $call,
            State::Unix($io) => $call,
            State::Unwatched(_) | State::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }};
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(looked) = this.look(cx, buf) {
            return looked;
        }
        inner!(this, io => Pin::new(io).poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let State::Unwatched(fd) = &this.state {
            match net::send(fd, buf, SendFlags::NOSIGNAL) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                done => {
                    this.patience = Patience::Asked;
                    return Poll::Ready(done.map_err(io::Error::from));
                }
            }
        }
        inner!(this, io => Pin::new(io).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has nothing to flush.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        inner!(this, io => Pin::new(io).poll_shutdown(cx))
    }
}
