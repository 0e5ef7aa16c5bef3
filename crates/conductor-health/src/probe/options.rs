//! How a target is asked, and which answers are good.

use super::expect::StatusSet;
use super::header::Header;
use crate::url::{Scheme, Url};
use hyper::Method;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use tokio_rustls::rustls::pki_types::ServerName;

/// Everything about a check but its URL. The default is what kubelet's users know: GET, 200 to 399,
/// redirects on the same server, a connection for each check; TLS is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The method; none is GET, or POST where there is a body.
    pub method: Option<Method>,
    /// Header fields besides or instead of the usual ones.
    pub headers: Vec<Header>,
    /// What is sent.
    pub body: Option<String>,
    /// Which statuses are good, redirects among them; none is 200 to 399 where redirects have led to.
    pub expect_status: Option<StatusSet>,
    /// A text that the first [`super::MAX_BODY`] bytes of the answer must hold.
    pub expect_body: Option<String>,
    /// HTTP/2: agreed upon over TLS, taken for granted without.
    pub http2: bool,
    /// What is special about TLS.
    pub tls: TlsOptions,
    /// Which redirects are followed.
    pub follow: Follow,
    /// How many checks go over one connection; none is one.
    pub keep_alive: Option<NonZeroU32>,
}

/// How a server proves who it is, and we who we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// The certificates that are trusted, in PEM; none is what the system trusts.
    pub ca: Option<PathBuf>,
    /// Our own certificate with its chain, in PEM.
    pub certificate: Option<PathBuf>,
    /// Its key, in PEM; none if it is in the same file.
    pub key: Option<PathBuf>,
    /// The name that the server's certificate is for, instead of the host.
    pub server_name: Option<ServerName<'static>>,
    /// Whether any certificate will do.
    pub accept_any: bool,
}

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Follow {
    /// None: a redirect is judged by its status like any other answer
    None,
    /// Those to the same host, port and scheme; any other is a failure
    #[default]
    SameHost,
    /// All
    Any,
}

/// As kubelet and most load balancers have it.
const USUAL: RangeInclusive<u16> = 200..=399;

impl Options {
    /// The method that is used.
    pub fn method(&self) -> Method {
        let usual = || if self.body.is_some() { Method::POST } else { Method::GET };
        self.method.clone().unwrap_or_else(usual)
    }

    /// Whether an answer with this status is a good one.
    pub fn expects(&self, status: u16) -> bool {
        self.expect_status.as_ref().map_or_else(|| USUAL.contains(&status), |set| set.contains(status))
    }

    /// Whether all of this means something to such a URL, and no two parts contradict each other.
    pub fn fit(&self, url: &Url) -> Result<(), Mismatch> {
        let scheme = url.scheme();
        let refuse = |why| Err(Mismatch { scheme, why });
        let needless =
            self.words().into_iter().map(|(name, _)| name).find(|name| !suits(name, scheme, self.follow));
        if let Some(option) = needless {
            return refuse(Why::Means(option));
        }
        let method = self.method();
        if method == Method::CONNECT {
            return refuse(Why::Connect);
        }
        if method == Method::HEAD && (self.body.is_some() || self.expect_body.is_some()) {
            return refuse(Why::Head);
        }
        if self.tls.accept_any && self.tls.ca.is_some() {
            return refuse(Why::Trust);
        }
        if self.tls.key.is_some() && self.tls.certificate.is_none() {
            return refuse(Why::KeyAlone);
        }
        Ok(())
    }

    /// What differs from the default, as options of the command line and their values, always in the
    /// same order.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        let Self { method, headers, body, expect_status, expect_body, http2, tls, follow, keep_alive } = self;
        let TlsOptions { ca, certificate, key, server_name, accept_any } = tls;
        let path = |path: &PathBuf| path.to_string_lossy().into_owned();
        let mut words = Vec::new();
        let mut add = |name, value: Option<String>| words.extend(value.map(|value| (name, value)));
        add("--method", method.as_ref().map(ToString::to_string));
        for header in headers {
            add("--header", Some(header.to_string()));
        }
        add("--body", body.clone());
        add("--expect-status", expect_status.as_ref().map(ToString::to_string));
        add("--expect-body", expect_body.clone());
        add("--http2", http2.then(String::new));
        add("--ca", ca.as_ref().map(path));
        add("--cert", certificate.as_ref().map(path));
        add("--key", key.as_ref().map(path));
        add("--server-name", server_name.as_ref().map(|name| name.to_str().into_owned()));
        add("--no-tls-verify", accept_any.then(String::new));
        add(
            "--follow",
            match follow {
                Follow::SameHost => None,
                Follow::None => Some("none".to_owned()),
                Follow::Any => Some("any".to_owned()),
            },
        );
        add("--keep-alive", keep_alive.map(|checks| checks.to_string()));
        words
    }

    /// A number for this way of asking, the same in every version; none for the default. Which
    /// connections are used is no part of it: the answer does not depend on that.
    pub fn fingerprint(&self) -> Option<u32> {
        let words = self.words();
        let mut words = words.iter().filter(|(name, _)| *name != "--keep-alive").peekable();
        words.peek()?;
        // FNV-1a: tells a handful of definitions apart, and is not meant to withstand anybody.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let bytes = words.flat_map(|(name, value)| name.bytes().chain([0]).chain(value.bytes()).chain([0]));
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        u32::try_from((hash >> 32) ^ (hash & 0xffff_ffff)).ok()
    }
}

/// Whether an option means something to URLs of this kind.
fn suits(option: &str, scheme: Scheme, follow: Follow) -> bool {
    match option {
        "--ca" | "--cert" | "--key" | "--server-name" | "--no-tls-verify" => {
            // A redirect to https needs them as well.
            scheme.is_tls() || (scheme.is_http() && follow == Follow::Any)
        }
        "--header" | "--keep-alive" => scheme.is_http() || scheme.is_grpc(),
        _ => scheme.is_http(),
    }
}

/// Why options do not go together, or not with a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    scheme: Scheme,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Means(&'static str),
    Connect,
    Head,
    Trust,
    KeyAlone,
    Host(String),
}

impl Mismatch {
    pub(super) fn host(scheme: Scheme, value: String) -> Self {
        Self { scheme, why: Why::Host(value) }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Means(option) => {
                write!(f, "{option} means nothing to {}://: leave it out", self.scheme.as_str())
            }
            Why::Connect => f.write_str("CONNECT opens a tunnel and tells nothing: use another --method"),
            Why::Head => {
                f.write_str("HEAD has no body, neither --body nor --expect-body: use another --method")
            }
            Why::Trust => f.write_str("--no-tls-verify trusts everybody: leave it out, or --ca"),
            Why::KeyAlone => f.write_str("--key belongs to a certificate: name that with --cert"),
            Why::Host(value) => {
                write!(f, "`{value}` is no host: write it like `--header 'Host: shop.example.com'`")
            }
        }
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(url: &str, options: &Options) -> String {
        options.fit(&url.parse().unwrap()).map_or_else(|mismatch| mismatch.to_string(), |()| String::new())
    }

    #[test]
    fn the_default_fits_everything() {
        for url in ["http://a/", "https://a/", "tcp://a:1", "grpc://a:1", "grpcs://a:1", "http://unix:/a:/"] {
            assert_eq!(said(url, &Options::default()), "");
        }
        assert_eq!(Options::default().fingerprint(), None);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let head = Options { method: Some(Method::HEAD), ..Options::default() };
        assert_eq!(said("http://a/", &head), "");
        assert_eq!(said("tcp://a:1", &head), "--method means nothing to tcp://: leave it out");
        assert_eq!(said("grpc://a:1", &head), "--method means nothing to grpc://: leave it out");
        let tls = TlsOptions { ca: Some("/ca.pem".into()), ..TlsOptions::default() };
        let ca = Options { tls, ..Options::default() };
        assert_eq!(said("http://a/", &ca), "--ca means nothing to http://: leave it out");
        assert_eq!(said("https://a/", &ca), "");
        assert_eq!(said("http://a/", &Options { follow: Follow::Any, ..ca.clone() }), "");
        let header = Options { headers: vec!["A: b".parse().unwrap()], ..Options::default() };
        assert_eq!(said("grpc://a:1", &header), "");
        assert_eq!(said("tcp://a:1", &header), "--header means nothing to tcp://: leave it out");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let text = || Some("x".to_owned());
        let head = Some(Method::HEAD);
        let options = Options { method: head.clone(), expect_body: text(), ..Options::default() };
        assert!(said("http://a/", &options).contains("HEAD has no body"));
        let options = Options { method: head, body: text(), ..Options::default() };
        assert!(said("http://a/", &options).contains("HEAD has no body"));
        let options = Options { method: Some(Method::CONNECT), ..Options::default() };
        assert!(said("http://a/", &options).contains("another --method"));
        let file = || Some("/x".into());
        let tls = TlsOptions { ca: file(), accept_any: true, ..TlsOptions::default() };
        assert!(said("https://a/", &Options { tls, ..Options::default() }).contains("or --ca"));
        let tls = TlsOptions { key: file(), ..TlsOptions::default() };
        assert!(said("https://a/", &Options { tls, ..Options::default() }).contains("with --cert"));
    }

    #[test]
    fn fingerprints_last() {
        let options = Options { expect_body: Some("ok".to_owned()), ..Options::default() };
        // Never to be changed: units that run have it in their status.
        assert_eq!(options.fingerprint(), Some(0xb81e_2600));
        let kept = Options { keep_alive: NonZeroU32::new(10), ..options.clone() };
        assert_eq!(kept.fingerprint(), options.fingerprint());
        let other = Options { expect_body: Some("OK".to_owned()), ..Options::default() };
        assert_ne!(other.fingerprint(), options.fingerprint());
        assert_eq!(Options { keep_alive: NonZeroU32::new(10), ..Options::default() }.fingerprint(), None);
    }
}
