//! From a text to a URL.

use super::unix;
use super::{Host, Scheme, Server, Url};
use hyper::http::uri::{Authority, PathAndQuery};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

impl FromStr for Url {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        parse(text).map_err(|why| InvalidUrl { url: text.to_owned(), why })
    }
}

fn parse(text: &str) -> Result<Url, Why> {
    let (scheme, rest) = text.split_once(':').ok_or(Why::Scheme)?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        "tcp" => Scheme::Tcp,
        "grpc" => Scheme::Grpc,
        "grpcs" => Scheme::Grpcs,
        "unix" | "http+unix" => {
            return Err(Why::UnixSpelling(unix::guess(rest).to_string_lossy().into_owned()));
        }
        "h2c" | "h2" => return Err(Why::Http2),
        _ => return Err(Why::Scheme),
    };
    let rest = rest.strip_prefix("//").ok_or(Why::Scheme)?;
    let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
    let socket = rest.strip_prefix("unix:").filter(|rest| rest.starts_with(['/', '%']));
    let (server, target) = if let Some(rest) = socket {
        let (path, target) = unix::split(rest);
        (Server::Unix(unix::decode(path).ok_or(Why::UnixPath)?.into()), target)
    } else {
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(at).ok_or(Why::Syntax)?;
        (server(scheme, authority)?, target)
    };
    let target = target_of(target)?;
    match (scheme, target.as_str()) {
        (Scheme::Tcp, path) if path != "/" => Err(Why::TcpPath),
        (Scheme::Grpc | Scheme::Grpcs, path)
            if path.contains(['?', '%']) || path.matches('/').count() > 1 =>
        {
            Err(Why::GrpcService)
        }
        _ => Ok(Url { scheme, server, target }),
    }
}

fn server(scheme: Scheme, text: &str) -> Result<Server, Why> {
    if text.is_empty() {
        return Err(Why::NoHost);
    }
    if text.contains('@') {
        return Err(Why::Credentials);
    }
    let authority: Authority = text.parse().map_err(|_| Why::Syntax)?;
    let host = host(authority.host()).ok_or(Why::NoHost)?;
    let port = match authority.port() {
        Some(port) if port.as_u16() == 0 => return Err(Why::Port),
        Some(port) => port.as_u16(),
        // The parser lets a port pass that is not a number, and then says that there is none.
        None if authority.as_str().len() > authority.host().len() => return Err(Why::Port),
        None => scheme.usual_port().ok_or(Why::NoPort(scheme))?,
    };
    Ok(Server::Inet(host, port))
}

/// An empty path is sent as "/" (RFC 9112, 3.2.1).
fn target_of(text: &str) -> Result<PathAndQuery, Why> {
    match text {
        "" => Ok(PathAndQuery::from_static("/")),
        path if path.starts_with('/') => path.parse().map_err(|_| Why::Syntax),
        query if query.starts_with('?') => format!("/{query}").parse().map_err(|_| Why::Syntax),
        _ => Err(Why::UnixTarget),
    }
}

fn host(text: &str) -> Option<Host> {
    if let Some(inner) = text.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(Host::Ip(address.into()));
    }
    // The parser lets brackets pass anywhere, and then does not read what it has printed.
    if text.is_empty() || text.contains(['[', ']']) {
        return None;
    }
    Some(match text.parse() {
        Ok(address) => Host::Ip(IpAddr::V4(address)),
        Err(_) => Host::Name(text.to_ascii_lowercase()),
    })
}

/// Why a text is not the address of a health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUrl {
    url: String,
    why: Why,
}

impl InvalidUrl {
    pub(super) fn syntax(url: &str) -> Self {
        Self { url: url.to_owned(), why: Why::Syntax }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Scheme,
    Http2,
    UnixSpelling(String),
    UnixPath,
    UnixTarget,
    Syntax,
    NoHost,
    Port,
    NoPort(Scheme),
    Credentials,
    TcpPath,
    GrpcService,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LIKE: &str = "write it like `http://127.0.0.1:8080/healthz`";
        let url = &self.url;
        match &self.why {
            Why::Scheme => write!(
                f,
                "`{url}` is no URL that can be asked: {LIKE}, or with https://, tcp://, grpc:// or grpcs://"
            ),
            Why::Http2 => write!(f, "`{url}`: write http:// and --http2 for HTTP/2 without TLS"),
            Why::UnixSpelling(path) => {
                let path = if path.is_empty() { "run/web.sock" } else { path };
                write!(f, "`{url}`: a unix socket is written as `http://unix:/{path}:/healthz`")
            }
            Why::UnixPath => write!(
                f,
                "`{url}`: a socket has an absolute path of at most 107 bytes, other characters than letters and \
                 digits as %XX: write it like `http://unix:/run/web.sock:/healthz`"
            ),
            Why::UnixTarget => write!(
                f,
                "`{url}`: after the second colon comes the path to ask for: write it like \
                 `http://unix:/run/web.sock:/healthz`"
            ),
            Why::Syntax => write!(f, "`{url}` is no URL: it holds a character that must be written as %XX"),
            Why::NoHost => write!(f, "`{url}` names no host: {LIKE}"),
            Why::Port => write!(f, "`{url}`: the port is a number from 1 to 65535"),
            Why::NoPort(scheme) => {
                write!(f, "`{url}` names no port: write it like `{}://127.0.0.1:9000`", scheme.as_str())
            }
            Why::Credentials => write!(
                f,
                "`{url}`: a user name and password in a URL are not supported: send them with --header"
            ),
            Why::TcpPath => write!(f, "`{url}`: a connection has no path: leave out what follows the port"),
            Why::GrpcService => write!(
                f,
                "`{url}`: what follows the port is the name of one service, such as \
                 `grpc://127.0.0.1:9000/shop.Cart`, or nothing for the whole server"
            ),
        }
    }
}

impl std::error::Error for InvalidUrl {}
