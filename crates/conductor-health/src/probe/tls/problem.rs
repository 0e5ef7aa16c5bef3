//! Why a connection could not be encrypted.

use super::certificate::Moment;
use std::error::Error as StdError;
use std::fmt;
use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

/// What was wrong, as far as an administrator can do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsProblem {
    /// What answers does not speak TLS.
    Garbage,
    /// The certificate's time is over, since when if that is known.
    Expired(Option<Moment>),
    /// The certificate's time is still to come.
    NotYet(Option<Moment>),
    /// The certificate is for somebody else.
    Name {
        /// Who was asked.
        asked: Option<String>,
        /// Whom it is for.
        names: Vec<String>,
    },
    /// Nobody that is trusted has signed it.
    Untrusted,
    /// Anything else that is wrong with a certificate.
    Certificate(String),
    /// The server wants to know who we are.
    ClientCertificate(String),
    /// The server said no.
    Alert(String),
    /// The server speaks no protocol over TLS that we would.
    Protocol,
    /// There is no version of TLS, or no cipher, that both speak.
    Incompatible,
    /// Anything else.
    Other(String),
}

impl TlsProblem {
    /// Out of an error of a connection, if it has to do with TLS.
    pub(in crate::probe) fn from_error(error: &(dyn StdError + Send + Sync + 'static)) -> Option<Self> {
        let error = error.downcast_ref::<Error>()?;
        Some(match error {
            Error::InvalidCertificate(error) => certificate(error),
            Error::AlertReceived(alert) => alert_of(*alert),
            Error::InvalidMessage(_)
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerSentOversizedRecord => Self::Garbage,
            Error::PeerIncompatible(_) => Self::Incompatible,
            other => Self::Other(other.to_string()),
        })
    }
}

fn certificate(error: &CertificateError) -> TlsProblem {
    match error {
        CertificateError::Expired => TlsProblem::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => TlsProblem::Expired(Some(moment(*not_after))),
        CertificateError::NotValidYet => TlsProblem::NotYet(None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            TlsProblem::NotYet(Some(moment(*not_before)))
        }
        CertificateError::NotValidForName => TlsProblem::Name { asked: None, names: Vec::new() },
        CertificateError::NotValidForNameContext { expected, presented } => TlsProblem::Name {
            asked: Some(name(expected)),
            names: presented.iter().take(4).map(|name| plain(name)).collect(),
        },
        // An authority that was made anew has the old one's name and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsProblem::Untrusted,
        // One that a server has made for itself, and that was not named as trusted.
        CertificateError::Other(error) if format!("{error:?}").contains("CaUsedAsEndEntity") => {
            TlsProblem::Untrusted
        }
        other => TlsProblem::Certificate(other.to_string()),
    }
}

/// RFC 8446, 6.2: what a server says to somebody whose certificate is missing or not to its liking.
fn alert_of(alert: AlertDescription) -> TlsProblem {
    let words = alert.as_str().map_or_else(|| u8::from(alert).to_string(), ToOwned::to_owned);
    match alert {
        AlertDescription::CertificateRequired
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => TlsProblem::ClientCertificate(words),
        AlertDescription::NoApplicationProtocol => TlsProblem::Protocol,
        _ => TlsProblem::Alert(words),
    }
}

fn moment(time: UnixTime) -> Moment {
    Moment::from_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

fn name(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

/// rustls shows what a certificate names as `DnsName("web.example")` and `IpAddress(127.0.0.1)`.
fn plain(presented: &str) -> String {
    let inner = presented.split_once('(').map_or(presented, |(_, inner)| inner.trim_end_matches(')'));
    inner.trim_matches('"').chars().map(|c| if c.is_control() { '?' } else { c }).take(100).collect()
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Garbage => f.write_str("answered something that is not TLS"),
            Self::Expired(None) => f.write_str("its certificate has expired"),
            Self::Expired(Some(when)) => write!(f, "its certificate expired at {when}"),
            Self::NotYet(None) => f.write_str("its certificate is not valid yet"),
            Self::NotYet(Some(when)) => write!(f, "its certificate is valid from {when} on, and not yet"),
            Self::Name { asked, names } => {
                f.write_str("its certificate is not for ")?;
                f.write_str(asked.as_deref().unwrap_or("this server"))?;
                if names.is_empty() {
                    return f.write_str(", it names nobody (subjectAltName)");
                }
                write!(f, " but for {}: name one of these with --server-name", names.join(", "))
            }
            Self::Untrusted => f.write_str(
                "its certificate is signed by nobody who is trusted here: name the CA's file with --ca",
            ),
            Self::Certificate(text) => write!(f, "its certificate cannot be accepted: {text}"),
            Self::ClientCertificate(alert) => {
                write!(f, "wants a client certificate that it trusts ({alert}): name its file with --cert")
            }
            Self::Alert(alert) => write!(f, "refused the TLS connection ({alert})"),
            Self::Protocol => f.write_str("speaks no HTTP/1.1 over TLS: ask with --http2"),
            Self::Incompatible => {
                f.write_str("has no version of TLS from 1.2 on, or no cipher, in common with us")
            }
            Self::Other(text) => write!(f, "TLS failed: {text}"),
        }
    }
}
