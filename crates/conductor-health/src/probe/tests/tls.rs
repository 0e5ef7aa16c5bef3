//! Who is trusted.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, crypto::ring, version};

/// An authority of this test's own, and a place for files.
struct Pki {
    directory: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { directory: tempfile::tempdir().unwrap(), authority }
    }

    /// Signed, for this name, with these changes.
    fn issue(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.authority).unwrap().pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The options that trust this authority.
    fn trusted(&self) -> Options {
        trusting(&self.file("ca.pem", &self.authority.pem()))
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        roots
    }
}

/// As `openssl req -x509` makes them: its own authority.
fn self_signed(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    Identity { certificate: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

fn trusting(ca: &Path) -> Options {
    Options { tls: TlsOptions { ca: Some(ca.to_owned()), ..TlsOptions::default() }, ..Options::default() }
}

struct Serving<'a> {
    identity: &'a Identity,
    versions: &'a [&'static SupportedProtocolVersion],
    clients: Option<RootCertStore>,
    alpn: &'a [&'a str],
}

impl<'a> Serving<'a> {
    fn new(identity: &'a Identity) -> Self {
        Self { identity, versions: tokio_rustls::rustls::ALL_VERSIONS, clients: None, alpn: &[] }
    }

    fn config(self) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(self.versions)
            .unwrap();
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(roots) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap(),
            ),
        };
        let chain = vec![CertificateDer::from_pem_slice(self.identity.certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.identity.key.as_bytes()).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = self.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// A server that answers [`OK`], and notes whether it saw a proper end.
    async fn start(self) -> String {
        let acceptor = TlsAcceptor::from(self.config());
        let url = server(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    head(&mut stream).await;
                    let _ = stream.write_all(OK).await;
                    let _ = stream.shutdown().await;
                }
            }
        })
        .await;
        url.replace("http:", "https:").replace("127.0.0.1", "localhost")
    }
}

#[tokio::test]
async fn an_authority_that_is_trusted() {
    let pki = Pki::new();
    let identity = pki.issue("localhost", |params| params.not_after = date_time_ymd(2101, 2, 3));
    for (version, name) in [(&version::TLS13, "TLSv1.3"), (&version::TLS12, "TLSv1.2")] {
        let url = Serving { versions: &[version], ..Serving::new(&identity) }.start().await;
        let check = ask(&url, pki.trusted()).await;
        assert_eq!(words(&check), "healthy");
        let session = check.tls.unwrap();
        assert_eq!((session.version, session.alpn), (name, None));
        assert_eq!(session.expires.unwrap().to_string(), "2101-02-03T00:00:00Z");
        assert!(check.timings.tls.is_some());
    }
}

#[tokio::test]
async fn anybody_else_is_not() {
    let (pki, other) = (Pki::new(), Pki::new());
    let identity = other.issue("localhost", |_| {});
    let url = Serving::new(&identity).start().await;
    let untrusted = "its certificate is signed by nobody who is trusted here: name the CA's file with --ca";
    assert_eq!(words(&ask(&url, pki.trusted()).await), untrusted);
    let own = self_signed("localhost", |_| {});
    let url = Serving::new(&own).start().await;
    assert_eq!(words(&ask(&url, pki.trusted()).await), untrusted);
}

#[tokio::test]
async fn a_certificate_that_was_named_itself() {
    let pki = Pki::new();
    let own = self_signed("localhost", |_| {});
    let trusted = || trusting(&pki.file("self.pem", &own.certificate));
    let url = Serving::new(&own).start().await;
    assert_eq!(words(&ask(&url, trusted()).await), "healthy");
    // Neither its name nor its time is forgotten over that.
    let said = words(&ask(&url.replace("localhost", "127.0.0.1"), trusted()).await);
    assert_eq!(
        said,
        "its certificate is not for 127.0.0.1 but for localhost: name one of these with --server-name"
    );
    let old = self_signed("localhost", |params| params.not_after = date_time_ymd(2021, 1, 1));
    let url = Serving::new(&old).start().await;
    let said = words(&ask(&url, trusting(&pki.file("old.pem", &old.certificate))).await);
    assert_eq!(said, "its certificate has expired");
    let young = self_signed("localhost", |params| params.not_before = date_time_ymd(2101, 1, 1));
    let url = Serving::new(&young).start().await;
    let said = words(&ask(&url, trusting(&pki.file("young.pem", &young.certificate))).await);
    assert_eq!(said, "its certificate is not valid yet");
}

#[tokio::test]
async fn names_and_times() {
    let pki = Pki::new();
    let serve = async |name: &str, change: fn(&mut CertificateParams)| {
        Serving::new(&pki.issue(name, change)).start().await
    };
    let url = serve("web.example", |_| {}).await;
    let said = words(&ask(&url, pki.trusted()).await);
    assert_eq!(
        said,
        "its certificate is not for localhost but for web.example: name one of these with --server-name"
    );
    let mut named = pki.trusted();
    named.tls.server_name = Some("web.example".try_into().unwrap());
    assert_eq!(words(&ask(&url, named).await), "healthy");
    let url = serve("127.0.0.1", |_| {}).await.replace("localhost", "127.0.0.1");
    assert_eq!(words(&ask(&url, pki.trusted()).await), "healthy");
    let url = serve("localhost", |params| params.not_after = date_time_ymd(2021, 6, 7)).await;
    assert_eq!(words(&ask(&url, pki.trusted()).await), "its certificate expired at 2021-06-07T00:00:00Z");
    let url = serve("localhost", |params| params.not_before = date_time_ymd(2101, 1, 1)).await;
    let said = words(&ask(&url, pki.trusted()).await);
    assert_eq!(said, "its certificate is valid from 2101-01-01T00:00:00Z on, and not yet");
    let url = serve("localhost", |params| params.subject_alt_names.clear()).await;
    let said = words(&ask(&url, pki.trusted()).await);
    assert_eq!(said, "its certificate is not for localhost, it names nobody (subjectAltName)");
}

#[tokio::test]
async fn whoever_answers_if_the_user_says_so() {
    let old = self_signed("web.example", |params| params.not_after = date_time_ymd(2021, 1, 1));
    let options =
        Options { tls: TlsOptions { accept_any: true, ..TlsOptions::default() }, ..Options::default() };
    for version in [&version::TLS13, &version::TLS12] {
        let url = Serving { versions: &[version], ..Serving::new(&old) }.start().await;
        let check = ask(&url, options.clone()).await;
        assert_eq!(words(&check), "healthy");
        assert_eq!(check.tls.unwrap().expires.unwrap().to_string(), "2021-01-01T00:00:00Z");
        // And nobody else is affected: Nomad once had one check's word count for all.
        assert!(
            words(&ask(&url, Options::default()).await).contains("certificate"),
            "by the system's authorities"
        );
    }
}

#[tokio::test]
async fn our_own_certificate() {
    let pki = Pki::new();
    let identity = pki.issue("localhost", |_| {});
    let own = pki.issue("checker", |_| {});
    for version in [&version::TLS13, &version::TLS12] {
        let serving = Serving { versions: &[version], clients: Some(pki.roots()), ..Serving::new(&identity) };
        let url = serving.start().await;
        let said = words(&ask(&url, pki.trusted()).await);
        assert!(said.starts_with("wants a client certificate that it trusts ("), "{said}");
        let mut options = pki.trusted();
        options.tls.certificate = Some(pki.file("own.pem", &own.certificate));
        options.tls.key = Some(pki.file("own.key", &own.key));
        assert_eq!(words(&ask(&url, options.clone()).await), "healthy");
        options.tls.certificate = Some(pki.file("both.pem", &format!("{}{}", own.certificate, own.key)));
        options.tls.key = None;
        assert_eq!(words(&ask(&url, options).await), "healthy");
    }
}

/// Files that are missing or wrong are no fault of the service.
#[tokio::test]
async fn files_that_cannot_be_used_are_our_own_trouble() {
    let pki = Pki::new();
    let identity = pki.issue("localhost", |_| {});
    let url = Serving::new(&identity).start().await;
    let said = async |tls: TlsOptions| words(&ask(&url, Options { tls, ..Options::default() }).await);
    let file = |name: &str, text: &str| Some(pki.file(name, text));
    let missing = TlsOptions { ca: Some("/nonexistent/ca.pem".into()), ..TlsOptions::default() };
    assert_eq!(
        said(missing).await,
        "unknown: could not check: cannot read /nonexistent/ca.pem: no such file or directory"
    );
    let empty = said(TlsOptions { ca: file("empty", "nothing\n"), ..TlsOptions::default() }).await;
    assert!(empty.ends_with("/empty holds no certificate in PEM"), "{empty}");
    let device = said(TlsOptions { ca: Some("/dev/zero".into()), ..TlsOptions::default() }).await;
    assert!(device.ends_with("/dev/zero is no file of certificates"), "{device}");
    let alone = TlsOptions { certificate: file("cert", &identity.certificate), ..TlsOptions::default() };
    let alone = said(TlsOptions { accept_any: true, ..alone }).await;
    assert!(alone.ends_with("/cert holds no private key in PEM"), "{alone}");
    let other = pki.issue("other", |_| {});
    let wrong = TlsOptions {
        certificate: file("cert", &identity.certificate),
        key: file("key", &other.key),
        accept_any: true,
        ..TlsOptions::default()
    };
    let wrong = said(wrong).await;
    assert!(wrong.contains("/key do not go together"), "{wrong}");
}

/// Who renews a certificate need not restart the checker, nor be quick about it.
#[tokio::test]
async fn files_are_read_again_when_they_change() {
    let (first, second) = (Pki::new(), Pki::new());
    let ca = first.file("ca.pem", &first.authority.pem());
    let prober = |url: &str| Prober::new(target(url, trusting(&ca)));
    let identity = first.issue("localhost", |_| {});
    let old = Serving::new(&identity).start().await;
    let identity = second.issue("localhost", |_| {});
    let new = Serving::new(&identity).start().await;
    let profile = Profile::new(trusting(&ca));
    let mut probers =
        [&old, &new].map(|url| Prober::new(Target::new(url.parse().unwrap(), &profile).unwrap()));
    let mut said = async || {
        let mut all = Vec::new();
        for prober in &mut probers {
            all.push(prober.probe(LONG).await.outcome == Outcome::Healthy);
        }
        all
    };
    assert_eq!(said().await, [true, false]);
    std::fs::write(&ca, "half a").unwrap();
    assert_eq!(said().await, [true, false], "the last good one serves");
    std::fs::write(&ca, second.authority.pem()).unwrap();
    assert_eq!(said().await, [false, true]);
    assert_eq!(prober(&new).probe(LONG).await.outcome, Outcome::Healthy);
}

#[tokio::test]
async fn nothing_is_loaded_before_it_is_needed() {
    let profile = Profile::new(trusting(Path::new("/nonexistent/ca.pem")));
    let options = Options { follow: Follow::Any, ..trusting(Path::new("/nonexistent/ca.pem")) };
    let url = says(OK).await;
    assert_eq!(words(&ask(&url, options).await), "healthy");
    assert!(format!("{profile:?}").contains("loaded: Mutex { data: None"), "{profile:?}");
}

#[tokio::test]
async fn protocols_are_agreed_upon() {
    let pki = Pki::new();
    let identity = pki.issue("localhost", |_| {});
    let http2 = || Options { http2: true, ..pki.trusted() };
    let url = Serving { alpn: &["http/1.1"], ..Serving::new(&identity) }.start().await;
    let check = ask(&url, pki.trusted()).await;
    assert_eq!((words(&check), check.tls.unwrap().alpn.as_deref()), ("healthy".to_owned(), Some("http/1.1")));
    assert_eq!(words(&ask(&url, http2()).await), "does not speak HTTP/2");
    let url = Serving { alpn: &["h2"], ..Serving::new(&identity) }.start().await;
    assert_eq!(words(&ask(&url, pki.trusted()).await), "speaks no HTTP/1.1 over TLS: ask with --http2");
    let url = Serving::new(&identity).start().await;
    assert_eq!(words(&ask(&url, http2()).await), "does not speak HTTP/2");
    let grpcs = url.replace("https:", "grpcs:").replace("/healthz", "");
    assert_eq!(words(&ask(&grpcs, pki.trusted()).await), "does not speak HTTP/2");
}

/// The word for the end is said, so that no server logs a truncated connection.
#[tokio::test]
async fn tls_ends_in_peace() {
    let pki = Pki::new();
    let identity = pki.issue("localhost", |_| {});
    let acceptor = TlsAcceptor::from(Serving::new(&identity).config());
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let url = server(move |stream| {
        let (acceptor, tell) = (acceptor.clone(), tell.clone());
        async move {
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut answered = 0;
            let end = loop {
                let request = head(&mut stream).await;
                if request.is_empty() {
                    break stream.read(&mut [0; 9]).await;
                }
                answered += 1;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
                stream.flush().await.unwrap();
            };
            tell.send((answered, end.map_err(|error| error.kind()))).unwrap();
        }
    })
    .await;
    let url = url.replace("http:", "https:").replace("127.0.0.1", "localhost");
    assert_eq!(words(&ask(&url, pki.trusted()).await), "healthy");
    // A plain end would be `UnexpectedEof`.
    assert_eq!(told.recv().await.unwrap(), (1, Ok(0)));
    let keep = Options { keep_alive: std::num::NonZeroU32::new(2), ..pki.trusted() };
    let mut prober = Prober::new(target(&url, keep));
    for _ in 0..2 {
        assert_eq!(words(&prober.probe(LONG).await), "healthy");
    }
    assert_eq!(told.recv().await.unwrap(), (2, Ok(0)));
}
