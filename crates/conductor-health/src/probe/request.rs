//! The request, made once and copied for each check.

use super::grpc;
use super::options::{Mismatch, Options};
use super::written;
use crate::url::{Scheme, Url};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, TE, USER_AGENT};
use hyper::http::uri::{Authority, PathAndQuery, Uri};
use hyper::{HeaderMap, Method, Request, Version};

const AGENT: &str = concat!("conductor-health/", env!("CARGO_PKG_VERSION"));

/// What is sent to a server.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    form: Form,
    is_head: bool,
    is_http2: bool,
    is_grpc: bool,
}

#[derive(Clone, Debug)]
enum Form {
    /// As it is sent over HTTP/1. Nine in ten requests are needed in no other form, which would take six times the memory.
    Written(Bytes),
    /// To be written by those who send it.
    Whole(Box<Request<Bytes>>),
}

impl Prepared {
    /// The error is a `Host` that is none.
    pub(super) fn new(url: &Url, options: &Options) -> Result<Self, Mismatch> {
        let authority = match options.headers.iter().find(|header| header.name == HOST) {
            None => own_authority(url),
            Some(header) => {
                let value = header.value.as_ref().map_or(&[][..], HeaderValue::as_bytes);
                let is_host = |authority: &Authority| !authority.as_str().contains('@');
                Authority::try_from(value).ok().filter(is_host).ok_or_else(|| {
                    Mismatch::host(url.scheme(), String::from_utf8_lossy(value).into_owned())
                })?
            }
        };
        Ok(Self::build(url, options, &authority).write())
    }

    /// With the default options.
    pub(super) fn usual(url: &Url) -> Self {
        Self::build(url, &Options::default(), &own_authority(url)).write()
    }

    /// Of a request that is made more than once.
    fn write(mut self) -> Self {
        if let Form::Whole(request) = &self.form
            && !self.is_http2
            && let Some(bytes) = written::bytes((**request).clone())
        {
            self.form = Form::Written(bytes);
        }
        self
    }

    /// After a redirect. Nothing of what the user has us send goes to a server that the user did not
    /// name: a header may be a password.
    pub(super) fn redirected(&self, to: &Url, options: &Options, status: u16, is_same_server: bool) -> Self {
        let request = self.request();
        let was = request.method();
        // RFC 9110, 15.4.2 to 15.4.4: what every client does.
        let method = match status {
            301..=303 if *was != Method::GET && *was != Method::HEAD => Method::GET,
            _ => was.clone(),
        };
        let mut next = if is_same_server {
            let authority = self.authority().unwrap_or_else(|| own_authority(to));
            Self::build(to, options, &authority)
        } else {
            let options = Options { http2: options.http2, ..Options::default() };
            Self::build(to, &options, &own_authority(to))
        };
        next.is_head = method == Method::HEAD;
        if let Form::Whole(request) = &mut next.form {
            if method == Method::GET || method == Method::HEAD {
                *request.body_mut() = Bytes::new();
            }
            *request.method_mut() = method;
        }
        next
    }

    /// Who the server is told that it is.
    pub(super) fn authority(&self) -> Option<Authority> {
        let request = self.request();
        let from_header = || Authority::try_from(request.headers().get(HOST)?.as_bytes()).ok();
        request.uri().authority().cloned().or_else(from_header)
    }

    /// A copy to be sent.
    pub(super) fn request(&self) -> Request<Bytes> {
        match &self.form {
            Form::Written(bytes) => written::read(bytes),
            Form::Whole(request) => (**request).clone(),
        }
    }

    /// The same as bytes, if they are there.
    pub(super) fn written(&self) -> Option<&Bytes> {
        match &self.form {
            Form::Written(bytes) => Some(bytes),
            Form::Whole(_) => None,
        }
    }

    pub(super) fn is_head(&self) -> bool {
        self.is_head
    }

    pub(super) fn is_http2(&self) -> bool {
        self.is_http2
    }

    pub(super) fn is_grpc(&self) -> bool {
        self.is_grpc
    }

    fn build(url: &Url, options: &Options, authority: &Authority) -> Self {
        let is_grpc = url.scheme().is_grpc();
        let request =
            if is_grpc { question(url, options, authority) } else { usual(url, options, authority) };
        Self {
            is_head: *request.method() == Method::HEAD,
            is_http2: request.version() == Version::HTTP_2,
            is_grpc,
            form: Form::Whole(Box::new(request)),
        }
    }
}

/// What gRPC is asked.
fn question(url: &Url, options: &Options, authority: &Authority) -> Request<Bytes> {
    let mut request = Request::new(grpc::question(url.service()));
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = absolute(url, authority, &PathAndQuery::from_static(grpc::METHOD));
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    apply(options, headers);
    request
}

/// What all others are.
fn usual(url: &Url, options: &Options, authority: &Authority) -> Request<Bytes> {
    let mut request = Request::new(options.body.clone().map_or_else(Bytes::new, Bytes::from));
    *request.method_mut() = options.method();
    let headers = request.headers_mut();
    if !options.http2
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        headers.insert(HOST, host);
    }
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if !options.http2 {
        let connection = if options.keep_alive.is_some() { "keep-alive" } else { "close" };
        headers.insert(CONNECTION, HeaderValue::from_static(connection));
    }
    apply(options, headers);
    if options.http2 {
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = absolute(url, authority, url.target());
    } else {
        *request.uri_mut() = Uri::from(url.target().clone());
    }
    request
}

/// The user's fields: the first of a name takes the place of ours, further ones are added.
fn apply(options: &Options, headers: &mut HeaderMap) {
    let mut replaced = Vec::new();
    for header in options.headers.iter().filter(|header| header.name != HOST) {
        if !replaced.contains(&&header.name) {
            headers.remove(&header.name);
            replaced.push(&header.name);
        }
        if let Some(value) = &header.value {
            headers.append(&header.name, value.clone());
        }
    }
}

/// A URL's own authority has been read as one before.
fn own_authority(url: &Url) -> Authority {
    url.authority().parse().unwrap_or_else(|_| Authority::from_static("localhost"))
}

/// HTTP/2 has the authority in the request target.
fn absolute(url: &Url, authority: &Authority, path: &PathAndQuery) -> Uri {
    let scheme = if url.scheme().is_tls() { Scheme::Https } else { Scheme::Http };
    let uri =
        Uri::builder().scheme(scheme.as_str()).authority(authority.clone()).path_and_query(path.clone());
    uri.build().unwrap_or_else(|_| Uri::from(path.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_by_default() {
        let url: Url = "http://127.0.0.1:20000/healthz".parse().unwrap();
        let written = Prepared::usual(&url).written().cloned().unwrap();
        assert_eq!(
            std::str::from_utf8(&written).unwrap(),
            format!(
                "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:20000\r\nAccept: */*\r\nUser-Agent: {AGENT}\r\nConnection: close\r\n\r\n"
            )
        );
    }
}
