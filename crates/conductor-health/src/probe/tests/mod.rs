//! The probe against servers that behave badly, each in its own way, in this process.

use super::prober::lateness;
use super::*;
use crate::Url;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(5);

/// A server that does the same to everybody. Ends with the runtime of the test.
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

/// Reads the request's head, as every well-behaved server does first.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            break;
        }
        head.push(byte[0]);
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

/// A server that reads the request, writes this, and then neither writes more nor hangs up.
async fn stalls_after(answer: &'static [u8]) -> String {
    server(move |mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(answer).await;
        std::future::pending::<()>().await;
    })
    .await
}

/// A server that reads the request, writes the first text, and then the second for ever.
async fn endless(first: &'static [u8], then: &'static [u8]) -> String {
    server(move |mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(first).await;
        while stream.write_all(then).await.is_ok() {}
    })
    .await
}

async fn check(url: &str, timeout: Duration) -> Check {
    probe(&Target::from(url.parse::<Url>().unwrap()), timeout).await
}

async fn reason(url: &str, timeout: Duration) -> String {
    match check(url, timeout).await.outcome {
        Outcome::Unhealthy(reason) => reason.to_string(),
        other => format!("{other:?}"),
    }
}

/// The trap that a `select!` between the answer and the connection falls into; see `drive`.
#[tokio::test]
async fn an_answer_is_not_lost_when_the_server_hangs_up_at_once() {
    let url = says(OK).await;
    for round in 0..2000 {
        assert_eq!(check(&url, LONG).await.outcome, Outcome::Healthy, "round {round}");
    }
}

#[tokio::test]
async fn sends_exactly_four_headers() {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let url = server(move |mut stream| {
        let sender = sender.clone();
        async move {
            sender.send(head(&mut stream).await).unwrap();
            let _ = stream.write_all(OK).await;
        }
    })
    .await;
    assert_eq!(check(&url, LONG).await.outcome, Outcome::Healthy);
    let request = seen.recv().await.unwrap();
    let mut lines: Vec<&str> = request.trim_end().split("\r\n").collect();
    assert_eq!(lines.remove(0), "GET /healthz HTTP/1.1");
    lines.sort_unstable();
    let host = url.strip_prefix("http://").unwrap().strip_suffix("/healthz").unwrap();
    assert_eq!(
        lines,
        [
            "Accept: */*",
            "Connection: close",
            &format!("Host: {host}"),
            concat!("User-Agent: conductor-health/", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn statuses_from_200_to_399_are_healthy() {
    for (status, healthy) in
        [(200, true), (204, true), (304, true), (399, true), (400, false), (404, false), (500, false)]
    {
        let url = says(format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n")).await;
        let check = check(&url, LONG).await;
        assert_eq!(check.outcome == Outcome::Healthy, healthy, "{status}: {:?}", check.outcome);
        assert_eq!(check.status, Some(status));
    }
    let old = says("HTTP/1.0 200 OK\r\n\r\nuntil the end").await;
    assert_eq!(check(&old, LONG).await.body_bytes, 13);
}

#[tokio::test]
async fn the_reason_names_the_status_in_our_words_not_the_servers() {
    let url = says("HTTP/1.1 503 all is well\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(reason(&url, LONG).await, "answered 503 Service Unavailable");
    let url = says("HTTP/1.1 599 odd\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(reason(&url, LONG).await, "answered 599");
}

#[tokio::test]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(reason(&format!("http://{free}/"), LONG).await, "connection refused");
}

#[tokio::test]
async fn silence_is_told_apart_by_how_far_it_came() {
    let mute = server(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(reason(&mute, SHORT).await, "no answer within 200ms (connected, headers never came)");

    let half = stalls_after(b"HTTP/1.1 200 OK\r\nContent-Le").await;
    assert_eq!(
        reason(&half, SHORT).await,
        "no answer within 200ms (connected, the headers had not ended after 27 bytes)"
    );

    let body = stalls_after(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert_eq!(
        reason(&body, SHORT).await,
        "no answer within 200ms (answered 200 OK, the body stalled after 4 bytes)"
    );
}

#[tokio::test]
async fn a_byte_at_a_time_does_not_stretch_the_deadline() {
    let url = server(|mut stream| async move {
        head(&mut stream).await;
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n".iter().chain([b'x'; 2000].iter()) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    let check = check(&url, SHORT).await;
    assert!(matches!(check.outcome, Outcome::Unhealthy(Reason::TimedOut { .. })), "{:?}", check.outcome);
    assert!(check.timings.total < SHORT * 2, "{:?}", check.timings.total);
}

#[tokio::test]
async fn a_full_backlog_is_no_connection() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    for _ in 0..4 {
        queue.push(tokio::time::timeout(SHORT, TcpStream::connect(address)).await);
    }
    assert_eq!(reason(&format!("http://{address}/"), SHORT).await, "no answer within 200ms (no connection)");
}

#[tokio::test]
async fn garbage() {
    let url = says("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n").await;
    assert_eq!(reason(&url, LONG).await, "answered something that is not HTTP");
    let url = says(vec![0_u8; 5000]).await;
    assert_eq!(reason(&url, LONG).await, "answered something that is not HTTP");
    let url = says("").await;
    assert_eq!(reason(&url, LONG).await, "closed the connection without an answer");
    let url = says("HTTP/1.1 200 OK\r\nContent-").await;
    assert_eq!(reason(&url, LONG).await, "closed the connection without an answer");
}

#[tokio::test]
async fn a_reset() {
    let url = server(|mut stream| async move {
        head(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    assert_eq!(reason(&url, LONG).await, "connection reset");
}

#[tokio::test]
async fn headers_without_end() {
    let url =
        endless(b"HTTP/1.1 200 OK\r\n", b"X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
            .await;
    assert_eq!(reason(&url, LONG).await, "sent headers without end");
    let url = endless(b"HTTP/1.1 200 ", b"a very long status line indeed ").await;
    assert_eq!(reason(&url, LONG).await, "sent headers without end");
}

#[tokio::test]
async fn more_body_than_wanted_is_fine_and_left_unread() {
    let url = endless(b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096]).await;
    let check = check(&url, LONG).await;
    assert_eq!(check.outcome, Outcome::Healthy);
    assert!(check.body_truncated);
    assert_eq!(check.body_bytes, MAX_BODY);
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let url = says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert_eq!(reason(&url, LONG).await, "answered 200 OK and broke off in the body");
    let url = says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
    assert_eq!(reason(&url, LONG).await, "answered 200 OK and broke off in the body");
}

#[tokio::test]
async fn redirects() {
    let circle = says("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n").await;
    let check_circle = check(&circle, LONG).await;
    assert_eq!(check_circle.outcome, Outcome::Unhealthy(Reason::TooManyRedirects));
    assert_eq!(check_circle.redirects.len(), MAX_REDIRECTS);

    let away = says("HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.1/x\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(
        reason(&away, LONG).await,
        "redirects to another server (http://192.0.2.1/x), which is not followed"
    );
    let tls = says("HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n").await;
    assert!(reason(&tls, LONG).await.contains("https://127.0.0.1/x"));
    let odd = says("HTTP/1.1 301 Moved\r\nLocation: http://\x01\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(check(&odd, LONG).await.outcome, Outcome::Unhealthy(_)));
    let nowhere = says("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(check(&nowhere, LONG).await.outcome, Outcome::Healthy);

    let twice = server(|mut stream| async move {
        let request = head(&mut stream).await;
        let answer: &[u8] = if request.starts_with("GET /healthz ") {
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: up?deep=1\r\nContent-Length: 0\r\n\r\n"
        } else {
            assert!(request.starts_with("GET /up?deep=1 "), "{request}");
            OK
        };
        let _ = stream.write_all(answer).await;
    })
    .await;
    let check = check(&twice, LONG).await;
    assert_eq!(check.outcome, Outcome::Healthy);
    assert_eq!(check.redirects.len(), 1);
}

#[tokio::test]
async fn our_own_lack_of_descriptors_is_unknown() {
    assert!(Reason::from_io(&std::io::Error::from_raw_os_error(24)).is_our_own());
    assert!(Reason::from_io(&std::io::Error::from_raw_os_error(99)).is_our_own());
    assert!(!Reason::from_io(&std::io::Error::from_raw_os_error(111)).is_our_own());
    assert!(!Reason::from_io(&std::io::Error::from_raw_os_error(113)).is_our_own());
    assert_eq!(
        Reason::from_io(&std::io::Error::from_raw_os_error(24)).to_string(),
        "could not check: too many open files"
    );
}

#[test]
fn lateness_is_ours_only_when_it_is_large() {
    let due = Instant::now();
    let timeout = Duration::from_secs(2);
    assert_eq!(lateness(due, due + Duration::from_millis(399), timeout), None);
    assert_eq!(lateness(due, due + Duration::from_millis(500), timeout), Some(Duration::from_millis(500)));
    assert_eq!(lateness(due, due + Duration::from_millis(40), Duration::from_millis(100)), None);
}

#[tokio::test]
async fn names_resolve_and_bad_names_are_our_own_trouble() {
    let url = says(OK).await.replace("127.0.0.1", "localhost");
    assert_eq!(check(&url, LONG).await.outcome, Outcome::Healthy);
    let check = check("http://no-such-host.invalid/", LONG).await;
    assert!(matches!(check.outcome, Outcome::Unknown(_)), "{:?}", check.outcome);
}
