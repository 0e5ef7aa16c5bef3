//! What `[health]` asks, and whether its keys go together.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Check;
use crate::value::{ExpectedText, GrpcService, HeaderName, HeaderValue, SentText, Statuses, UrlPath};
use crate::written::{self, Spanned};
use crate::{Diagnostic, GrpcQuestion, HealthProtocol, HealthTls, HttpQuestion, Method, Question};

/// The keys of `[health]` that say what is asked.
pub(super) struct Asked {
    pub(super) path: Option<Spanned<UrlPath>>,
    pub(super) service: Option<Spanned<GrpcService>>,
    pub(super) method: Option<Spanned<Method>>,
    pub(super) headers: Option<Spanned<BTreeMap<HeaderName, Spanned<HeaderValue>>>>,
    pub(super) body: Option<Spanned<SentText>>,
    pub(super) expect_status: Option<Spanned<Statuses>>,
    pub(super) expect_body: Option<Spanned<ExpectedText>>,
    pub(super) tls: Option<Spanned<written::HealthTls>>,
}

impl Check {
    pub(super) fn question(
        &mut self,
        protocol: HealthProtocol,
        asked: Asked,
        table: Range<usize>,
    ) -> Option<Question> {
        if self.removed.contains("health.protocol") {
            // What goes with it cannot be told.
            return None;
        }
        self.needless(protocol, &asked);
        let Asked { path, service, method, headers, body, expect_status, expect_body, tls } = asked;
        let tls = tls.map(|tls| self.health_tls(tls.into_inner()));
        let headers = headers.map(|headers| self.headers(headers.into_inner())).unwrap_or_default();
        match protocol {
            HealthProtocol::Tcp => Some(Question::Tcp),
            HealthProtocol::Grpc | HealthProtocol::Grpcs => {
                let tls = (protocol == HealthProtocol::Grpcs).then(|| tls.unwrap_or_default());
                let service = service.map(Spanned::into_inner);
                Some(Question::Grpc(Box::new(GrpcQuestion { service, tls, headers })))
            }
            HealthProtocol::Http | HealthProtocol::Https | HealthProtocol::H2c => {
                if path.is_none() {
                    self.missing(
                        "health.path",
                        "path",
                        Some(table),
                        "say what to ask for, such as path = \"/healthz\"",
                    );
                }
                self.bodies(
                    method.as_ref(),
                    [("body", body.is_some()), ("expect-body", expect_body.is_some())],
                );
                Some(Question::Http(Box::new(HttpQuestion {
                    path: path?.into_inner(),
                    tls: (protocol == HealthProtocol::Https).then(|| tls.unwrap_or_default()),
                    http2: protocol == HealthProtocol::H2c,
                    method: method.map_or_else(|| Method::usual(body.is_some()), Spanned::into_inner),
                    headers,
                    body: body.map(|body| body.into_inner().0),
                    expect_status: expect_status.map(Spanned::into_inner),
                    expect_body: expect_body.map(|text| text.into_inner().0),
                })))
            }
        }
    }

    /// Keys that mean nothing to this protocol.
    fn needless(&mut self, protocol: HealthProtocol, asked: &Asked) {
        use HealthProtocol::{Grpc, Grpcs, H2c, Http, Https, Tcp};
        let Asked { path, service, method, headers, body, expect_status, expect_body, tls } = asked;
        let is_http = matches!(protocol, Http | Https | H2c);
        let is_grpc = matches!(protocol, Grpc | Grpcs);
        let keys = [
            ("path", path.as_ref().map(Spanned::span), is_http),
            ("service", service.as_ref().map(Spanned::span), is_grpc),
            ("method", method.as_ref().map(Spanned::span), is_http),
            ("headers", headers.as_ref().map(Spanned::span), protocol != Tcp),
            ("body", body.as_ref().map(Spanned::span), is_http),
            ("expect-status", expect_status.as_ref().map(Spanned::span), is_http),
            ("expect-body", expect_body.as_ref().map(Spanned::span), is_http),
            ("tls", tls.as_ref().map(Spanned::span), matches!(protocol, Https | Grpcs)),
        ];
        for (key, span, _) in keys.into_iter().filter(|(.., has_meaning)| !has_meaning) {
            if let Some(span) = span {
                let help = match (key, protocol) {
                    ("tls", Http) => "write protocol = \"https\", or leave it out",
                    ("tls", Grpc) => "write protocol = \"grpcs\", or leave it out",
                    ("service", _) => "write protocol = \"grpc\", or leave it out",
                    _ => "leave it out",
                };
                self.report(
                    Diagnostic::error(
                        "contradiction",
                        format!("`{key}` means nothing to a check by {protocol}"),
                    )
                    .at(span, "not used")
                    .help(help),
                );
            }
        }
    }

    /// `HEAD` has neither of these.
    fn bodies(&mut self, method: Option<&Spanned<Method>>, keys: [(&str, bool); 2]) {
        let Some(method) = method.filter(|method| *method.get_ref() == Method::Head) else {
            return;
        };
        for (key, _) in keys.into_iter().filter(|(_, is_there)| *is_there) {
            self.report(
                Diagnostic::error("contradiction", format!("HEAD has no body, and there is `{key}`"))
                    .at(method.span(), "neither question nor answer have one")
                    .help("use another method"),
            );
        }
    }

    fn headers(
        &mut self,
        headers: BTreeMap<HeaderName, Spanned<HeaderValue>>,
    ) -> BTreeMap<HeaderName, String> {
        let mut fields = BTreeMap::new();
        for (name, value) in headers {
            let lower = name.as_str().to_ascii_lowercase();
            if HeaderName::OF_THE_CONNECTION.contains(&lower.as_str()) {
                self.report(
                    Diagnostic::error("contradiction", format!("`{name}` belongs to the connection"))
                        .at(value.span(), "a check sets it itself")
                        .help("leave it out"),
                );
            } else if lower == "host" && value.get_ref().0.is_empty() {
                self.report(
                    Diagnostic::error("contradiction", "`Host` cannot be left out")
                        .at(value.span(), "empty")
                        .help("HTTP/1.1 demands it: write a host, or leave the key out for the address that is asked"),
                );
            }
            fields.insert(name, value.into_inner().0);
        }
        fields
    }

    fn health_tls(&mut self, written: written::HealthTls) -> HealthTls {
        let written::HealthTls { ca, certificate, key, server_name, verify } = written;
        if let (Some(ca), Some(verify)) = (&ca, &verify)
            && !verify.get_ref()
        {
            self.report(
                Diagnostic::error("contradiction", "`ca` says whom to trust, and `verify` says everybody")
                    .at(ca.span(), "not used")
                    .help("leave one of them out"),
            );
        }
        if let (Some(key), None) = (&key, &certificate) {
            self.report(
                Diagnostic::error("contradiction", "`key` belongs to a `certificate`, and there is none")
                    .at(key.span(), "the key of nothing")
                    .help("name the file that the key belongs to"),
            );
        }
        HealthTls {
            ca: ca.map(Spanned::into_inner),
            certificate,
            key: key.map(Spanned::into_inner),
            server_name,
            accept_any: verify.is_some_and(|verify| !verify.into_inner()),
        }
    }
}
