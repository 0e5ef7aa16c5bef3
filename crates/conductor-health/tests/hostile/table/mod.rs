//! All the ways to be a bad server.

mod http1;
mod http2;
mod tls;

pub(crate) use http1::{BOMB, good};

use super::server::{Step, full, nobody, start};
use std::net::SocketAddr;

/// A bad server, and what a check says of it.
pub(crate) struct Bad {
    pub(crate) name: &'static str,
    /// Without the authority: `http`, `https` or `grpc`, and `h2` for HTTP/2 in the clear.
    pub(crate) scheme: &'static str,
    pub(crate) server: Server,
    /// What the reason holds; empty where the answer is healthy all the same.
    pub(crate) said: &'static str,
}

pub(crate) enum Server {
    Steps(Vec<Step>),
    Full,
    Nobody,
}

impl Server {
    pub(crate) fn start(self) -> SocketAddr {
        match self {
            Self::Steps(steps) => start(steps),
            Self::Full => full(),
            Self::Nobody => nobody(),
        }
    }
}

fn http(name: &'static str, steps: impl Into<Vec<Step>>, said: &'static str) -> Bad {
    Bad { name, scheme: "http", server: Server::Steps(steps.into()), said }
}

pub(crate) fn all() -> Vec<Bad> {
    [http1::all(), tls::all(), http2::all()].into_iter().flatten().collect()
}
