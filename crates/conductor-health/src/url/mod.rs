//! The address of a health check.

mod parse;
mod unix;

pub use parse::InvalidUrl;

use hyper::http::uri::PathAndQuery;
use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

/// What is asked: a way of asking, a server, and mostly a path.
///
/// ```
/// use conductor_health::Url;
/// let url: Url = "http://[::1]:8080/healthz?deep=1".parse().unwrap();
/// assert_eq!(url.path_and_query(), "/healthz?deep=1");
/// assert!("http://unix:/run/web.sock:/healthz".parse::<Url>().is_ok());
/// assert!("ftp://localhost/".parse::<Url>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: Scheme,
    server: Server,
    target: PathAndQuery,
}

/// How a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP in the clear.
    Http,
    /// HTTP over TLS.
    Https,
    /// A connection, and nothing over it.
    Tcp,
    /// `grpc.health.v1.Health/Check`, over HTTP/2 in the clear.
    Grpc,
    /// The same over TLS.
    Grpcs,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// A port of a host.
    Inet(Host, u16),
    /// A socket in the file system, by its absolute path.
    Unix(Arc<Path>),
}

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address, asked as it is.
    Ip(IpAddr),
    /// A name in small letters, resolved anew for each connection.
    Name(String),
}

impl Scheme {
    /// As it is written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Grpc => "grpc",
            Self::Grpcs => "grpcs",
        }
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Grpcs)
    }

    /// Whether what is asked is HTTP with everything that can be said about it.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    /// Whether it is gRPC.
    pub fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc | Self::Grpcs)
    }

    /// The port that goes without saying.
    fn usual_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            // 50051 is a habit of gRPC's examples and assigned to nobody.
            Self::Tcp | Self::Grpc | Self::Grpcs => None,
        }
    }
}

impl Url {
    /// How the server is asked.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Who is asked.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The request target; for gRPC the name of the service after a slash, for TCP nothing but a slash.
    pub fn path_and_query(&self) -> &str {
        self.target.as_str()
    }

    /// The request target, in a form that costs nothing to copy.
    pub(crate) fn target(&self) -> &PathAndQuery {
        &self.target
    }

    /// The service that gRPC is asked about; empty means the server as a whole.
    pub fn service(&self) -> &str {
        self.path_and_query().trim_start_matches('/')
    }

    /// The value of the `Host` header: without the port if it is the usual one. A unix socket has no
    /// name, and `localhost` is what other clients send there.
    pub fn authority(&self) -> String {
        match &self.server {
            Server::Unix(_) => "localhost".to_owned(),
            Server::Inet(host, port) if self.scheme.usual_port() == Some(*port) => host.to_string(),
            Server::Inet(host, port) => format!("{host}:{port}"),
        }
    }

    /// The name that the server's certificate must be for.
    pub fn tls_name(&self) -> String {
        match &self.server {
            Server::Unix(_) => "localhost".to_owned(),
            Server::Inet(Host::Ip(address), _) => address.to_string(),
            Server::Inet(Host::Name(name), _) => name.clone(),
        }
    }

    /// Whether both URLs are served by the same host on the same port in the same way. Another port is
    /// another program, and its health says nothing about this one.
    pub fn is_same_server(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.server == other.server
    }

    /// The same server, asked for something else.
    pub(crate) fn with_target(&self, target: PathAndQuery) -> Self {
        Self { scheme: self.scheme, server: self.server.clone(), target }
    }

    /// Where a `Location` header leads to from here (RFC 3986, 5.2, as far as servers use it).
    pub fn join(&self, location: &str) -> Result<Self, InvalidUrl> {
        let location = location.split_once('#').map_or(location, |(before, _)| before);
        if has_scheme(location) {
            return location.parse();
        }
        if let Some(rest) = location.strip_prefix("//") {
            return format!("{}://{rest}", self.scheme.as_str()).parse();
        }
        let path = self.target.path();
        let target = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') || location.is_empty() {
            format!("{path}{location}")
        } else {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{location}")
        };
        target.parse().map(|target| self.with_target(target)).map_err(|_| InvalidUrl::syntax(&target))
    }
}

/// Whether the text starts with `letters:`, so that it is not relative.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        let is_bare = !self.scheme.is_http() && self.path_and_query() == "/";
        match &self.server {
            Server::Inet(..) => f.write_str(&self.authority())?,
            Server::Unix(path) => {
                write!(f, "unix:{}", unix::Encoded(path))?;
                if !is_bare {
                    f.write_str(":")?;
                }
            }
        }
        if is_bare { Ok(()) } else { f.write_str(self.path_and_query()) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests;
