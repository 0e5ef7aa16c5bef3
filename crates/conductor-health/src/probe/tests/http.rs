//! What is sent, and which answers are good.

use super::super::prober::lateness;
use super::*;
use hyper::Method;
use tokio::time::Instant;

/// The trap that a `select!` between the answer and the connection falls into; see `drive`.
#[tokio::test]
async fn an_answer_is_not_lost_when_the_server_hangs_up_at_once() {
    let url = says(OK).await;
    for round in 0..2000 {
        assert_eq!(check(&url, LONG).await.outcome, Outcome::Healthy, "round {round}");
    }
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
    assert_eq!(words(&check(&url, LONG).await), "answered 503 Service Unavailable");
    let url = says("HTTP/1.1 599 odd\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(words(&check(&url, LONG).await), "answered 599");
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

/// A request's lines but the first, in order, and its body.
fn fields(request: &str) -> (Vec<&str>, &str) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<&str> = head.split("\r\n").skip(1).collect();
    lines.sort_unstable();
    (lines, body)
}

#[tokio::test]
async fn sends_exactly_four_headers() {
    let (url, mut told) = answers(|_| String::from_utf8(OK.to_vec()).unwrap()).await;
    assert_eq!(check(&url, LONG).await.outcome, Outcome::Healthy);
    let request = told.recv().await.unwrap();
    assert!(request.starts_with("GET /healthz HTTP/1.1\r\n"), "{request}");
    let host = url.strip_prefix("http://").unwrap().strip_suffix("/healthz").unwrap();
    assert_eq!(
        fields(&request).0,
        [
            "Accept: */*",
            "Connection: close",
            &format!("Host: {host}"),
            concat!("User-Agent: conductor-health/", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn sends_what_it_is_told_to() {
    let (url, mut told) = answers(|_| String::from_utf8(OK.to_vec()).unwrap()).await;
    let headers = ["Host: shop.example:8080", "accept:", "User-Agent: me", "X-Token: a", "X-Token: b"];
    let options = Options {
        method: Some(Method::PUT),
        headers: headers.map(|header| header.parse().unwrap()).to_vec(),
        body: Some("{\"deep\": true}".to_owned()),
        ..Options::default()
    };
    assert_eq!(words(&ask(&url, options).await), "healthy");
    let request = told.recv().await.unwrap();
    assert!(request.starts_with("PUT /healthz HTTP/1.1\r\n"), "{request}");
    assert_eq!(
        fields(&request),
        (
            vec![
                "Connection: close",
                "Content-Length: 14",
                "Host: shop.example:8080",
                "User-Agent: me",
                "X-Token: a",
                "X-Token: b",
            ],
            "{\"deep\": true}"
        )
    );
    let options = Options { body: Some("x".to_owned()), ..Options::default() };
    ask(&url, options).await;
    assert!(told.recv().await.unwrap().starts_with("POST "));
    let options = Options { method: Some(Method::HEAD), ..Options::default() };
    let head = says("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n").await;
    assert_eq!(words(&ask(&head, options).await), "healthy", "no body follows, whatever the length says");
}

#[tokio::test]
async fn statuses_that_are_expected() {
    let answer = |status: u16| says(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"));
    let expect = |list: &str| Options { expect_status: Some(list.parse().unwrap()), ..Options::default() };
    assert_eq!(words(&ask(&answer(401).await, expect("200-299,401")).await), "healthy");
    assert_eq!(
        words(&ask(&answer(302).await, expect("401,200-299")).await),
        "answered 302 Found instead of 200-299,401"
    );
    assert_eq!(words(&ask(&answer(200).await, expect("503")).await), "answered 200 OK instead of 503");
}

#[tokio::test]
async fn bodies_that_are_expected() {
    let expect = |text: &str| Options { expect_body: Some(text.to_owned()), ..Options::default() };
    let split = server(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"status\":").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ = stream.write_all(b" \"up\"}").await;
    })
    .await;
    assert_eq!(words(&ask(&split, expect("\"status\": \"up\"")).await), "healthy");
    assert_eq!(
        words(&ask(&split, expect("down\n")).await),
        "answered 200 OK, but its body lacks \"down\\n\""
    );
    let long = |at: usize| {
        says(
            [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; at], b"needle".to_vec(), vec![b'x'; 100]]
                .concat(),
        )
    };
    let check = ask(&long(MAX_BODY - 6).await, expect("needle")).await;
    assert_eq!(words(&check), "healthy");
    assert_eq!(
        words(&ask(&long(MAX_BODY - 5).await, expect("needle")).await),
        "answered 200 OK, but its body lacks \"needle\" in its first 10240 bytes"
    );
}

#[tokio::test]
async fn more_body_than_wanted_is_fine_and_left_unread() {
    for (length, truncated) in
        [(MAX_BODY - 1, false), (MAX_BODY, false), (MAX_BODY + 1, true), (MAX_BODY * 30, true)]
    {
        let url = says([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; length]].concat()).await;
        let check = check(&url, LONG).await;
        assert_eq!(words(&check), "healthy");
        assert_eq!((check.body_bytes, check.body_truncated), (length.min(MAX_BODY), truncated));
    }
}

#[tokio::test]
async fn phases_add_up() {
    let slow = server(|mut stream| async move {
        head(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        tokio::time::sleep(Duration::from_millis(40)).await;
        let _ = stream.write_all(b"Content-Length: 2\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ = stream.write_all(b"ok").await;
    })
    .await;
    let timings = check(&slow, LONG).await.timings;
    let parts = [timings.resolve, timings.connect, timings.first_byte, timings.headers, timings.body];
    let parts = parts.map(Option::unwrap);
    for (part, least) in parts.iter().zip([0, 0, 60, 40, 20]) {
        assert!(*part + Duration::from_millis(1) >= Duration::from_millis(least), "{timings:?}");
    }
    let sum: Duration = parts.iter().sum();
    assert!(sum <= timings.total && timings.total < sum + Duration::from_millis(20), "{timings:?}");
    assert_eq!(timings.tls, None);
}

/// A check is awaited in a task of its own: what its future holds is allocated each time.
#[test]
fn the_future_of_a_check_is_small() {
    let mut prober = Prober::new("http://127.0.0.1/".parse::<Url>().unwrap().into());
    let size = size_of_val(&prober.probe(LONG));
    assert!(size <= 3072, "{size} bytes");
}

/// Parts of it are sent before anybody has to wait, and the rest by hyper.
#[tokio::test]
async fn a_request_may_be_larger_than_a_socket_takes_at_once() {
    let (url, mut told) = answers(|_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    let body = "0123456789abcdef".repeat(1 << 19);
    let options = Options { body: Some(body.clone()), ..Options::default() };
    assert_eq!(words(&ask(&url, options).await), "healthy");
    let request = told.recv().await.unwrap();
    assert!(request.starts_with("POST /healthz HTTP/1.1\r\n"));
    assert!(request.ends_with(&format!("\r\n\r\n{body}")), "byte for byte");
}

/// Over one connection: whole answers before and after one that hyper has to read.
#[tokio::test]
async fn kinds_of_answers_follow_each_other() {
    let mut number = 0;
    let (url, _told) = answers_in_turn(move || {
        number += 1;
        match number {
            3 => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n".to_owned(),
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(),
        }
    })
    .await;
    let options = Options {
        keep_alive: std::num::NonZeroU32::new(100),
        expect_body: Some("ok".to_owned()),
        ..Options::default()
    };
    let mut prober = Prober::new(target(&url, options));
    for number in 1..=6 {
        let check = prober.probe(LONG).await;
        assert_eq!((words(&check).as_str(), check.reused, check.body_bytes), ("healthy", number > 1, 2));
    }
}
