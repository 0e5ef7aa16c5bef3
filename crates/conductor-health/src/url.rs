//! The address of a health check.

use hyper::Uri;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// An `http://` URL that can be asked: a host, a port, a path with its query.
///
/// ```
/// use conductor_health::HttpUrl;
/// let url: HttpUrl = "http://[::1]:8080/healthz?deep=1".parse().unwrap();
/// assert_eq!(url.port(), 8080);
/// assert!("https://localhost/".parse::<HttpUrl>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    host: Host,
    port: u16,
    path_and_query: String,
}

/// Where to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// An address, asked as it is.
    Ip(IpAddr),
    /// A name, resolved anew for each check.
    Name(String),
}

impl HttpUrl {
    /// The host to connect to.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The port to connect to; 80 if the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The request target.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The value of the `Host` header: without the port if it is the usual one.
    pub fn authority(&self) -> String {
        if self.port == 80 { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }

    /// Whether both URLs are served by the same host on the same port. Another port is another
    /// program, and its health says nothing about this one.
    pub fn is_same_server(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port
    }

    /// Where a `Location` header leads to from here (RFC 3986, 5.2, as far as servers use it).
    pub fn join(&self, location: &str) -> Result<Self, InvalidUrl> {
        let location = location.split_once('#').map_or(location, |(before, _)| before);
        if has_scheme(location) {
            return location.parse();
        }
        if let Some(rest) = location.strip_prefix("//") {
            return format!("http://{rest}").parse();
        }
        let (path, _) = self.path_and_query.split_once('?').unwrap_or((&self.path_and_query, ""));
        let target = if location.starts_with('/') {
            location.to_owned()
        } else if location.starts_with('?') || location.is_empty() {
            format!("{path}{location}")
        } else {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{location}")
        };
        format!("http://{}{target}", self.authority()).parse()
    }
}

/// Whether the text starts with `letters:`, so that it is not relative.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.path_and_query)
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

impl FromStr for HttpUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let refuse = |why| Err(InvalidUrl { url: text.to_owned(), why });
        match text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
            Some("http") => {}
            Some(scheme @ ("https" | "unix")) => return refuse(Why::NotYet(scheme.to_owned())),
            _ => return refuse(Why::Scheme),
        }
        let Ok(uri) = text.parse::<Uri>() else {
            return refuse(Why::Syntax);
        };
        let Some(authority) = uri.authority() else {
            return refuse(Why::NoHost);
        };
        if authority.as_str().contains('@') {
            return refuse(Why::Credentials);
        }
        let Some(host) = parse_host(authority.host()) else {
            return refuse(Why::NoHost);
        };
        let port = match authority.port() {
            Some(port) if port.as_u16() == 0 => return refuse(Why::Port),
            Some(port) => port.as_u16(),
            // The parser lets a port pass that is not a number, and then says that there is none.
            None if authority.as_str().len() > authority.host().len() => return refuse(Why::Port),
            None => 80,
        };
        // An empty path is sent as "/" (RFC 9112, 3.2.1).
        let path_and_query = match uri.path_and_query().map(hyper::http::uri::PathAndQuery::as_str) {
            None | Some("") => "/".to_owned(),
            Some(query) if query.starts_with('?') => format!("/{query}"),
            Some(path) => path.to_owned(),
        };
        Ok(Self { host, port, path_and_query })
    }
}

fn parse_host(text: &str) -> Option<Host> {
    if let Some(inner) = text.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(Host::Ip(address.into()));
    }
    if text.is_empty() {
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

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Scheme,
    NotYet(String),
    Syntax,
    NoHost,
    Port,
    Credentials,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.why {
            Why::Scheme => write!(f, "`{url}` is no URL: write it like `http://127.0.0.1:8080/healthz`"),
            Why::NotYet(scheme) => write!(f, "`{url}`: {scheme} is not supported yet, only http:// is"),
            Why::Syntax => write!(f, "`{url}` is no URL: it holds a character that must be written as %XX"),
            Why::NoHost => write!(f, "`{url}` names no host: write it like `http://127.0.0.1:8080/healthz`"),
            Why::Port => write!(f, "`{url}`: the port is a number from 1 to 65535"),
            Why::Credentials => write!(f, "`{url}`: a user name and password in a URL are not supported"),
        }
    }
}

impl std::error::Error for InvalidUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> HttpUrl {
        text.parse().unwrap()
    }

    #[test]
    fn fills_in_what_is_usual() {
        assert_eq!(url("http://localhost").to_string(), "http://localhost/");
        assert_eq!(url("http://LOCALHOST:80?x=1").to_string(), "http://localhost/?x=1");
        assert_eq!(url("http://[::1]:8080/a").authority(), "[::1]:8080");
        assert_eq!(url("http://127.0.0.1:20000/healthz?a=b#c").path_and_query(), "/healthz?a=b");
    }

    #[test]
    fn says_what_is_wrong_and_what_to_write() {
        for (text, said) in [
            ("https://localhost/", "https is not supported yet"),
            ("unix:/run/web.sock", "unix is not supported yet"),
            ("127.0.0.1:80", "write it like"),
            ("/healthz", "write it like"),
            ("http:///x", "no URL"),
            ("http://a b/", "%XX"),
            ("http://a:0/", "1 to 65535"),
            ("http://a:99999/", "1 to 65535"),
            ("http://a:x/", "1 to 65535"),
            ("http://[::g]/", "names no host"),
            ("http://u:p@a/", "password"),
        ] {
            let error = text.parse::<HttpUrl>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn follows_locations_as_a_browser_would() {
        let base = url("http://127.0.0.1:20000/a/b?c");
        for (location, target) in [
            ("/x?y", "http://127.0.0.1:20000/x?y"),
            ("x", "http://127.0.0.1:20000/a/x"),
            ("?z", "http://127.0.0.1:20000/a/b?z"),
            ("", "http://127.0.0.1:20000/a/b"),
            ("x#frag", "http://127.0.0.1:20000/a/x"),
            ("//example.com/x", "http://example.com/x"),
            ("http://example.com", "http://example.com/"),
        ] {
            assert_eq!(base.join(location).unwrap().to_string(), target, "{location}");
        }
        assert!(base.join("https://127.0.0.1/").is_err());
        assert!(!base.is_same_server(&url("http://127.0.0.1:20001/")));
    }
}
