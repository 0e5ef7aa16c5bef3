//! What a check asks, as words of the checker's command line (conductor-health(1)).

use conductor_definition::{GrpcQuestion, HealthTls, HttpQuestion, Method, Question};

use crate::exec::{Exec, Word};

/// The URL for a server; `authority` is its address and port.
pub(crate) fn url(question: &Question, authority: &Word) -> Word {
    match question {
        Question::Http(http) => {
            let scheme = if http.tls.is_some() { "https://" } else { "http://" };
            Word::literal(scheme).then(authority).then(&http.path.as_str().into())
        }
        Question::Grpc(grpc) => {
            let scheme = if grpc.tls.is_some() { "grpcs://" } else { "grpc://" };
            let service = grpc.service.as_ref().map(|service| format!("/{service}")).unwrap_or_default();
            Word::literal(scheme).then(authority).then(&service.into())
        }
        Question::Tcp => Word::literal("tcp://").then(authority),
    }
}

/// The options, which are the same for `wait` and `watch`. Each is one word, so that no value can be taken for
/// another option.
pub(crate) fn options(exec: Exec, question: &Question) -> Exec {
    let mut words = Vec::new();
    let mut add = |name: &str, value: &str| words.push(format!("--{name}={value}"));
    let (tls, headers) = match question {
        Question::Http(http) => {
            let HttpQuestion { path: _, tls, http2: _, method, headers, body, expect_status, expect_body } =
                &**http;
            if *method != Method::usual(body.is_some()) {
                add("method", &method.to_string());
            }
            if let Some(body) = body {
                add("body", body);
            }
            if let Some(statuses) = expect_status {
                add("expect-status", &statuses.to_string());
            }
            if let Some(text) = expect_body {
                add("expect-body", text);
            }
            (tls, Some(headers))
        }
        Question::Grpc(grpc) => {
            let GrpcQuestion { service: _, tls, headers } = &**grpc;
            (tls, Some(headers))
        }
        Question::Tcp => (&None, None),
    };
    for (name, value) in headers.into_iter().flatten() {
        add("header", format!("{name}: {value}").trim_end());
    }
    if let Some(HealthTls { ca, certificate, key, server_name, accept_any: _ }) = tls {
        for (name, file) in [("ca", ca), ("cert", certificate), ("key", key)] {
            if let Some(file) = file {
                add(name, file.as_str());
            }
        }
        if let Some(name) = server_name {
            add("server-name", name.as_str());
        }
    }
    if matches!(question, Question::Http(http) if http.http2) {
        words.push("--http2".to_owned());
    }
    if tls.as_ref().is_some_and(|tls| tls.accept_any) {
        words.push("--no-tls-verify".to_owned());
    }
    words.into_iter().fold(exec, |exec, word| exec.arg(word).line())
}
