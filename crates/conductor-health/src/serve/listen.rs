//! Where questions come in.

use listenfd::ListenFd;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Unix(PathBuf::from(text)));
        }
        let wrong = || {
            format!(
                "`{text}` is no address to listen on: write it like 127.0.0.1:9580, [::1]:9580 or /run/web.sock"
            )
        };
        text.parse().map(Self::Tcp).map_err(|_| wrong())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A socket that is listened on.
#[derive(Debug)]
pub enum Listener {
    /// Of the network.
    Tcp(TcpListener),
    /// In the file system.
    Unix(UnixListener),
}

impl Listener {
    /// Opens it. To be called on a tokio runtime.
    pub fn bind(address: &Address) -> Result<Self, String> {
        let bound = match address {
            Address::Tcp(address) => std::net::TcpListener::bind(address).and_then(Self::tcp),
            Address::Unix(path) => {
                // What a process that was killed has left there answers nobody.
                let _ = std::fs::remove_file(path);
                UnixListener::bind(path).map(Self::Unix)
            }
        };
        bound.map_err(|error| format!("cannot listen on {address}: {error}"))
    }

    fn tcp(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Self::Tcp)
    }

    fn unix(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        UnixListener::from_std(listener).map(Self::Unix)
    }

    /// Lets the next one in, and leaves them to a task of `then`'s.
    pub(super) async fn accept<T, F>(&self, then: T) -> io::Result<()>
    where
        T: FnOnce(Box<dyn Stream>) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let stream: Box<dyn Stream> = match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Unix(listener) => Box::new(listener.accept().await?.0),
        };
        tokio::spawn(then(stream));
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn local_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }
}

/// What comes in, whatever it came in by.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The sockets that systemd has opened for us (`Sockets=`, systemd.socket(5)); none if it has none.
pub fn inherited() -> Result<Vec<Listener>, String> {
    let mut sockets = ListenFd::from_env();
    let mut listeners = Vec::new();
    for at in 0..sockets.len() {
        let said = |error: io::Error| format!("socket {at} of this unit: {error}");
        // The wrong kind of socket is left where it is.
        let listener = match sockets.take_tcp_listener(at) {
            Ok(Some(listener)) => Listener::tcp(listener),
            Ok(None) => continue,
            Err(_) => match sockets.take_unix_listener(at).map_err(said)? {
                Some(listener) => Listener::unix(listener),
                None => continue,
            },
        };
        listeners.push(listener.map_err(said)?);
    }
    Ok(listeners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["127.0.0.1:9580", "[::1]:9580", "/run/conductor/health/web/socket"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let error = "localhost:9580".parse::<Address>().unwrap_err();
        assert!(error.contains("write it like 127.0.0.1:9580"), "{error}");
    }

    #[tokio::test]
    async fn a_socket_that_was_left_behind_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let address = Address::Unix(directory.path().join("socket"));
        drop(Listener::bind(&address).unwrap());
        assert!(Listener::bind(&address).is_ok());
        let missing = Address::Unix(directory.path().join("no/such/socket"));
        assert!(Listener::bind(&missing).unwrap_err().starts_with("cannot listen on /"));
    }
}
