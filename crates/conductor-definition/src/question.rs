//! What a health check asks.

use std::collections::BTreeMap;

use crate::value::{FilePath, GrpcService, HeaderName, Statuses, TlsName, UrlPath};

/// What a check asks, and which answers are healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// HTTP.
    Http(Box<HttpQuestion>),
    /// The health service of gRPC.
    Grpc(Box<GrpcQuestion>),
    /// Whether it takes connections.
    Tcp,
}

/// A request of HTTP. What is `None` is left to the checker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpQuestion {
    /// Path and query.
    pub path: UrlPath,
    /// Over TLS.
    pub tls: Option<HealthTls>,
    /// HTTP/2 without asking.
    pub http2: bool,
    /// The method.
    pub method: Method,
    /// Header fields; an empty one is left out.
    pub headers: BTreeMap<HeaderName, String>,
    /// What is sent.
    pub body: Option<String>,
    /// The statuses that are healthy.
    pub expect_status: Option<Statuses>,
    /// A text that the answer holds.
    pub expect_body: Option<String>,
}

/// A question to the health service of gRPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcQuestion {
    /// The service that is asked about; `None` is the server.
    pub service: Option<GrpcService>,
    /// Over TLS.
    pub tls: Option<HealthTls>,
    /// Header fields; an empty one is left out.
    pub headers: BTreeMap<HeaderName, String>,
}

/// Whom a check over TLS trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthTls {
    /// The file of authorities; `None` is the system's.
    pub ca: Option<FilePath>,
    /// The file with the checker's own certificate and key.
    pub certificate: Option<FilePath>,
    /// The file of its key, if that is another.
    pub key: Option<FilePath>,
    /// What the server's certificate is for; `None` is the address that is asked.
    pub server_name: Option<TlsName>,
    /// Whether any certificate will do.
    pub accept_any: bool,
}

impl Method {
    /// What is used where none is written.
    pub fn usual(has_body: bool) -> Self {
        if has_body { Self::Post } else { Self::Get }
    }
}

/// How a container is asked for its health.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HealthProtocol {
    /// HTTP in the clear.
    #[default]
    Http,
    /// HTTP over TLS.
    Https,
    /// HTTP/2 in the clear.
    H2c,
    /// gRPC in the clear.
    Grpc,
    /// gRPC over TLS.
    Grpcs,
    /// A connection.
    Tcp,
}

/// A method of HTTP that a check may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    #[default]
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
}
