//! The probe against servers in this process. The bad ones are in `tests/hostile`.

mod ends;
mod http;
mod http2;
mod kept;
mod places;
mod redirects;
mod tls;

use super::*;
use crate::Url;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(5);

/// A server that does the same to everybody, and its URL. Ends with the runtime of the test.
async fn server<F, S>(serve: S) -> String
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    format!("http://{address}/healthz")
}

/// Reads the request's head, as every well-behaved server does first; empty if there is none.
async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A server that reads the request, writes this, and hangs up.
async fn says(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    server(move |mut stream| {
        let answer = answer.clone();
        async move {
            head(&mut stream).await;
            let _ = stream.write_all(&answer).await;
        }
    })
    .await
}

/// A server that answers each request by its head, and tells all of them.
async fn answers<F>(answer: F) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>)
where
    F: Fn(&str) -> String + Clone + Send + Sync + 'static,
{
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let url = server(move |mut stream| {
        let (tell, answer) = (tell.clone(), answer.clone());
        async move {
            loop {
                let mut request = head(&mut stream).await;
                let length = request.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                if let Some(length) = length.map(|length| length.parse().unwrap()) {
                    let mut body = vec![0; length];
                    stream.read_exact(&mut body).await.unwrap();
                    request.push_str(std::str::from_utf8(&body).unwrap());
                }
                if request.is_empty() || stream.write_all(answer(&request).as_bytes()).await.is_err() {
                    return;
                }
                let _ = tell.send(request);
            }
        }
    })
    .await;
    (url, told)
}

/// A server that gives these answers one after the other.
async fn answers_in_turn<F>(answer: F) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>)
where
    F: FnMut() -> String + Send + 'static,
{
    let answer = std::sync::Arc::new(std::sync::Mutex::new(answer));
    answers(move |_| (*answer.lock().unwrap())()).await
}

fn target(url: &str, options: Options) -> Target {
    Target::new(url.parse().unwrap(), &Profile::new(options)).unwrap()
}

async fn ask(url: &str, options: Options) -> Check {
    probe(&target(url, options), LONG).await
}

async fn check(url: &str, timeout: Duration) -> Check {
    probe(&Target::from(url.parse::<Url>().unwrap()), timeout).await
}

/// What is said of a check; `healthy` if there is nothing to say.
fn words(check: &Check) -> String {
    match &check.outcome {
        Outcome::Healthy => "healthy".to_owned(),
        Outcome::Unhealthy(reason) => reason.to_string(),
        Outcome::Unknown(reason) => format!("unknown: {reason}"),
    }
}
