//! Whom we trust and who we are: read from files, and read again when the files change.

use super::verify::{Anybody, Somebody};
use crate::probe::options::TlsOptions;
use crate::probe::reason::words;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// HTTP/2 as ALPN has it.
pub(super) const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What distributions call the certificates that they trust: Debian, Fedora, Alpine and others.
const SYSTEM: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Where the configuration of TLS comes from, and the one that was loaded last.
#[derive(Debug, Default)]
pub(in crate::probe) struct Source {
    options: TlsOptions,
    loaded: Mutex<Option<Loaded>>,
}

#[derive(Debug)]
struct Loaded {
    from: Vec<Stamp>,
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

/// What changes when a file is replaced or written to.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    of: Option<(SystemTime, u64, u64)>,
}

impl Source {
    pub(in crate::probe) fn new(options: TlsOptions) -> Self {
        Self { options, loaded: Mutex::new(None) }
    }

    /// The configuration for one connection. Certificates are short-lived these days: whoever renews
    /// them need not tell us.
    pub(super) fn config(&self, http2: bool) -> Result<Arc<ClientConfig>, String> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = self.stamps();
        if loaded.as_ref().is_none_or(|loaded| loaded.from != stamps) {
            match self.load(stamps) {
                Ok(fresh) => *loaded = Some(fresh),
                // A renewal that is half done: what was good a moment ago serves until it is complete.
                Err(_) if loaded.is_some() => {}
                Err(error) => return Err(error),
            }
        }
        let config = loaded.as_ref().map(|loaded| if http2 { &loaded.http2 } else { &loaded.http1 });
        config.cloned().ok_or_else(|| "TLS has no configuration".to_owned())
    }

    fn stamps(&self) -> Vec<Stamp> {
        let TlsOptions { ca, certificate, key, server_name: _, accept_any } = &self.options;
        let system = || SYSTEM.map(PathBuf::from).into_iter().find(|path| path.exists());
        let ca = ca.clone().or_else(system).filter(|_| !accept_any);
        let stamp = |path: PathBuf| {
            let of = fs::metadata(&path).ok();
            let of = of.and_then(|file| Some((file.modified().ok()?, file.len(), file.ino())));
            Stamp { path, of }
        };
        [ca, certificate.clone(), key.clone()].into_iter().flatten().map(stamp).collect()
    }

    fn load(&self, from: Vec<Stamp>) -> Result<Loaded, String> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = if self.options.accept_any {
            Arc::new(Anybody::new(&provider))
        } else {
            let certificates = self.trusted()?;
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates.iter().cloned());
            // Only of a file that the user has named: there they are few.
            let named = if self.options.ca.is_some() { certificates } else { Vec::new() };
            Arc::new(Somebody::new(roots, named, Arc::clone(&provider)).map_err(|error| error.to_string())?)
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut http1 = match &self.options.certificate {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let key = self.options.key.as_ref().unwrap_or(file);
                builder.with_client_auth_cert(certificates(file)?, private_key(key)?).map_err(|error| {
                    format!("{} and {} do not go together: {error}", file.display(), key.display())
                })?
            }
        };
        // A resumed session shows no certificate, and one that has expired since would not be seen.
        http1.resumption = Resumption::disabled();
        http1.alpn_protocols = vec![HTTP1.to_vec()];
        let mut http2 = http1.clone();
        http2.alpn_protocols = vec![H2.to_vec()];
        Ok(Loaded { from, http1: Arc::new(http1), http2: Arc::new(http2) })
    }

    fn trusted(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        if let Some(file) = &self.options.ca {
            return certificates(file);
        }
        let Some(file) = SYSTEM.iter().map(Path::new).find(|path| path.exists()) else {
            return Err(
                "the system has no CA certificates: install the package ca-certificates, or name a file \
                        with --ca"
                    .to_owned(),
            );
        };
        certificates(file)
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(file)?;
    let found = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{}: {error}", file.display()))?;
    if found.is_empty() {
        return Err(format!("{} holds no certificate in PEM", file.display()));
    }
    Ok(found)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&read(file)?).map_err(|error| match error {
        pem::Error::NoItemsFound => format!("{} holds no private key in PEM", file.display()),
        error => format!("{}: {error}", file.display()),
    })
}

/// No certificate needs more, and a device or a pipe has no end.
const MAX_FILE: u64 = 4 * 1024 * 1024;

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: io::Error| format!("cannot read {}: {}", file.display(), words(&error));
    let meta = fs::metadata(file).map_err(failed)?;
    if !meta.is_file() || meta.len() > MAX_FILE {
        return Err(format!("{} is no file of certificates", file.display()));
    }
    fs::read(file).map_err(failed)
}
