//! HTTP/2 and gRPC with servers that mean well.

use super::*;
use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Request, Response};
use std::num::NonZeroU32;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What a server answers: a status, headers, a body, and for gRPC its status.
#[derive(Clone, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static [u8],
    trailers: Vec<(&'static str, &'static str)>,
}

type Seen = (Request<()>, Vec<u8>);

/// A server of HTTP/2 in the clear that gives this answer to all, and tells what it was asked.
async fn speaks(answer: Answer) -> (String, UnboundedReceiver<Seen>) {
    let (tell, told) = unbounded_channel();
    let url = server(move |stream| {
        let (answer, tell) = (answer.clone(), tell.clone());
        async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let (answer, tell) = (answer.clone(), tell.clone());
                tokio::spawn(async move {
                    let (head, mut body) = request.into_parts();
                    let mut read = Vec::new();
                    while let Some(Ok(part)) = body.data().await {
                        read.extend_from_slice(&part);
                    }
                    let mut response = Response::builder().status(answer.status);
                    for (name, value) in &answer.headers {
                        response = response.header(*name, *value);
                    }
                    let is_all = answer.body.is_empty() && answer.trailers.is_empty();
                    let mut stream = respond.send_response(response.body(()).unwrap(), is_all).unwrap();
                    if !is_all {
                        let is_all = answer.trailers.is_empty();
                        stream.send_data(Bytes::from_static(answer.body), is_all).unwrap();
                    }
                    if !answer.trailers.is_empty() {
                        let trailers: HeaderMap = answer
                            .trailers
                            .iter()
                            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                            .collect();
                        stream.send_trailers(trailers).unwrap();
                    }
                    let _ = tell.send((Request::from_parts(head, ()), read));
                });
            }
        }
    })
    .await;
    (url, told)
}

fn http2() -> Options {
    Options { http2: true, ..Options::default() }
}

fn plain(status: u16, body: &'static [u8]) -> Answer {
    Answer { status, body, ..Answer::default() }
}

#[tokio::test]
async fn without_asking() {
    let (url, mut told) = speaks(plain(200, b"all is well")).await;
    let check = ask(&url, Options { expect_body: Some("well".to_owned()), ..http2() }).await;
    assert_eq!(words(&check), "healthy");
    assert_eq!((check.version, check.body_bytes), (Some(hyper::Version::HTTP_2), 11));
    let (request, _) = told.recv().await.unwrap();
    assert_eq!((request.method(), request.uri().to_string()), (&Method::GET, url.clone()));
    let mut names: Vec<&str> = request.headers().keys().map(hyper::header::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "user-agent"]);
    let (url, _told) = speaks(plain(503, b"down")).await;
    assert_eq!(words(&ask(&url, http2()).await), "answered 503 Service Unavailable");
    // Who has not been told so does not speak it.
    let said = words(&check_plainly(&url).await);
    assert_eq!(said, "answered something that is not HTTP");
}

async fn check_plainly(url: &str) -> Check {
    check(url, LONG).await
}

#[tokio::test]
async fn what_is_sent() {
    let (url, mut told) = speaks(plain(200, b"")).await;
    let headers = ["Host: shop.example", "X-A: b"].map(|header| header.parse().unwrap()).to_vec();
    let options = Options { headers, body: Some("x".repeat(30_000)), ..http2() };
    assert_eq!(words(&ask(&url, options).await), "healthy");
    let (request, body) = told.recv().await.unwrap();
    assert_eq!((request.method(), body.len()), (&Method::POST, 30_000));
    assert_eq!(request.uri().to_string(), "http://shop.example/healthz");
    assert_eq!(request.headers()["x-a"], "b");
}

#[tokio::test]
async fn several_over_one_connection() {
    let (url, _told) = speaks(plain(200, b"ok")).await;
    let mut prober = Prober::new(target(&url, Options { keep_alive: NonZeroU32::new(3), ..http2() }));
    for round in 0..7 {
        let check = prober.probe(LONG).await;
        assert_eq!((words(&check), check.reused), ("healthy".to_owned(), round % 3 != 0), "round {round}");
    }
}

/// A server of gRPC that answers with this message and status.
async fn grpc(message: &'static [u8], status: &'static str) -> (String, UnboundedReceiver<Seen>) {
    let answer = Answer {
        status: 200,
        headers: vec![("content-type", "application/grpc")],
        body: message,
        trailers: vec![("grpc-status", status)],
    };
    let (url, told) = speaks(answer).await;
    (url.replace("http:", "grpc:").replace("/healthz", ""), told)
}

#[tokio::test]
async fn grpc_health() {
    const SERVING: &[u8] = b"\0\0\0\0\x02\x08\x01";
    let (url, mut told) = grpc(SERVING, "0").await;
    let options = Options { headers: vec!["Authorization: Bearer x".parse().unwrap()], ..Options::default() };
    assert_eq!(words(&ask(&format!("{url}/shop.Cart"), options).await), "healthy");
    let (request, body) = told.recv().await.unwrap();
    assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
    assert_eq!(body, b"\0\0\0\0\x0b\x0a\x09shop.Cart");
    let headers = request.headers();
    assert_eq!(
        (&headers["content-type"], &headers["te"]),
        (&"application/grpc".parse().unwrap(), &"trailers".parse().unwrap())
    );
    assert_eq!(headers["authorization"], "Bearer x");
    assert_eq!(words(&check(&url, LONG).await), "healthy");
    assert_eq!(told.recv().await.unwrap().1, b"\0\0\0\0\0");
    for (message, status, said) in [
        (&b"\0\0\0\0\x02\x08\x02"[..], "0", "says NOT_SERVING"),
        (b"\0\0\0\0\0", "0", "says that its health is UNKNOWN"),
        (b"\0\0\0\0\x02\x08\x03", "0", "knows no service of this name"),
        (b"", "5", "knows no service of this name"),
        (b"", "12", "does not offer grpc.health.v1.Health"),
        (b"", "14", "answered gRPC status 14 (UNAVAILABLE)"),
        (SERVING, "13", "answered gRPC status 13 (INTERNAL)"),
    ] {
        let (url, _told) = grpc(message, status).await;
        assert_eq!(words(&check(&url, LONG).await), said);
    }
    // An error may come as the whole answer.
    let headers = vec![("content-type", "application/grpc"), ("grpc-status", "12")];
    let (url, _told) = speaks(Answer { status: 200, headers, ..Answer::default() }).await;
    let url = url.replace("http:", "grpc:").replace("/healthz", "");
    assert_eq!(words(&check(&url, LONG).await), "does not offer grpc.health.v1.Health");
}
