//! The options that say how a target is asked: the same for all subcommands.

use crate::Url;
use crate::probe::{Follow, Header, Mismatch, Options, Profile, StatusSet, Target, TlsOptions};
use clap::Args;
use hyper::Method;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::ServerName;

/// What is sent is bounded by what a server takes at once; more would be no health check.
const MAX_SENT: usize = 64 * 1024;
/// It is looked for in 10 KiB.
const MAX_LOOKED_FOR: usize = 1024;
const EACH_FRESH_AFTER: &str = "10";

/// How to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "How to ask")]
pub struct AskArgs {
    /// The method; GET, or POST with --body
    #[arg(long, value_name = "METHOD", value_parser = method)]
    pub method: Option<Method>,
    /// Send this header field; `NAME:` leaves out one that is sent otherwise; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<Header>,
    /// Send this body
    #[arg(long, value_name = "TEXT", value_parser = sent)]
    pub body: Option<String>,
    /// The statuses that are healthy; a redirect that is listed is not followed [default: 200-399]
    #[arg(long, value_name = "LIST")]
    pub expect_status: Option<StatusSet>,
    /// A text that the answer must hold within its first 10 KiB
    #[arg(long, value_name = "TEXT", value_parser = looked_for)]
    pub expect_body: Option<String>,
    /// Speak HTTP/2: agreed upon over https, without asking over http
    #[arg(long)]
    pub http2: bool,
    /// Trust the certificates in this file, and no others [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Show this certificate, with its chain
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The key of --cert [default: in the same file]
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The name that the server's certificate must be for [default: the host]
    #[arg(long, visible_alias = "sni", value_name = "NAME", value_parser = server_name)]
    pub server_name: Option<ServerName<'static>>,
    /// Accept any certificate
    #[arg(long, conflicts_with = "ca")]
    pub no_tls_verify: bool,
    /// Which redirects to follow
    #[arg(long, value_enum, value_name = "WHICH", default_value_t)]
    pub follow: Follow,
    /// Ask so many times over one connection [default: 1; without N: 10]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = EACH_FRESH_AFTER)]
    pub keep_alive: Option<NonZeroU32>,
}

impl AskArgs {
    /// The same as values.
    pub fn options(&self) -> Options {
        let Self {
            method,
            headers,
            body,
            expect_status,
            expect_body,
            http2,
            ca,
            cert,
            key,
            server_name,
            no_tls_verify,
            follow,
            keep_alive,
        } = self.clone();
        let tls = TlsOptions { ca, certificate: cert, key, server_name, accept_any: no_tls_verify };
        Options { method, headers, body, expect_status, expect_body, http2, tls, follow, keep_alive }
    }

    /// A target with these options; the error is why they do not fit its URL.
    pub fn target(&self, url: Url) -> Result<Target, Mismatch> {
        Target::new(url, &self.profile())
    }

    /// For several targets.
    pub fn profile(&self) -> Arc<Profile> {
        Profile::new(self.options())
    }
}

fn method(text: &str) -> Result<Method, String> {
    let method = Method::from_bytes(text.as_bytes())
        .map_err(|_| format!("`{}` is no method: write it like HEAD", text.escape_default()))?;
    // Methods are case-sensitive, and nobody means another one by `head`.
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    match known.iter().find(|known| known.as_str().eq_ignore_ascii_case(text)) {
        Some(known) if *known != method => Err(format!("`{text}` is written in capitals: {known}")),
        _ if method == Method::CONNECT => {
            Err("CONNECT opens a tunnel and tells nothing: use another one".to_owned())
        }
        _ => Ok(method),
    }
}

fn sent(text: &str) -> Result<String, String> {
    if text.len() > MAX_SENT {
        return Err(format!("longer than {} KiB: a health check sends less", MAX_SENT / 1024));
    }
    Ok(text.to_owned())
}

fn looked_for(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("every answer holds an empty text: leave it out".to_owned()),
        1..=MAX_LOOKED_FOR => Ok(text.to_owned()),
        _ => Err(format!("longer than {MAX_LOOKED_FOR} bytes: look for a part of it")),
    }
}

fn server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned()).map_err(|_| {
        format!("`{text}` is no name that a certificate can be for: write it like web.example.com")
    })
}
