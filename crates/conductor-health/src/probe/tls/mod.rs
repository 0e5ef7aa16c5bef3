//! Encrypted connections. Nothing in here is loaded before the first one is made.

mod certificate;
mod problem;
mod source;
mod verify;

pub use certificate::Moment;
pub use problem::TlsProblem;
pub(super) use source::Source;

use super::Reason;
use super::meter::Metered;
use super::socket::Socket;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ProtocolVersion;
use tokio_rustls::rustls::pki_types::ServerName;

/// What was agreed upon, and what the server has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Such as `TLSv1.3`.
    pub version: &'static str,
    /// The protocol that both chose for what goes over it.
    pub alpn: Option<String>,
    /// When the server's certificate expires.
    pub expires: Option<Moment>,
}

/// Encrypts a connection.
pub(super) async fn handshake(
    source: &Source,
    name: ServerName<'static>,
    http2: bool,
    io: Metered<Socket>,
) -> Result<(TlsStream<Metered<Socket>>, Session), Reason> {
    let config = source.config(http2).map_err(Reason::Own)?;
    let stream =
        TlsConnector::from(config).connect(name, io).await.map_err(|error| {
            match Reason::from_io(&error) {
                Reason::Tls(TlsProblem::Protocol) if http2 => Reason::NoHttp2,
                other => other,
            }
        })?;
    let (_, connection) = stream.get_ref();
    if http2 && connection.alpn_protocol() != Some(source::H2) {
        return Err(Reason::NoHttp2);
    }
    let session = Session {
        version: match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLS",
        },
        alpn: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        expires: connection.peer_certificates().and_then(<[_]>::first).and_then(certificate::expires),
    };
    Ok((stream, session))
}
