//! Connections that serve several checks.

use super::*;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

const KEPT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn keep(checks: u32) -> Options {
    Options { keep_alive: NonZeroU32::new(checks), ..Options::default() }
}

/// A server that answers each connection by these, one a request, and then hangs up; and how many it had.
async fn scripted(
    script: impl Fn(u32) -> Vec<&'static str> + Send + Sync + 'static,
) -> (String, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let url = server(move |mut stream| {
        let answers = script(counted.fetch_add(1, SeqCst));
        async move {
            for answer in answers {
                if head(&mut stream).await.is_empty() {
                    return;
                }
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    })
    .await;
    (url, count)
}

async fn said(prober: &mut Prober) -> (String, bool) {
    let check = prober.probe(LONG).await;
    (words(&check), check.reused)
}

fn healthy(reused: bool) -> (String, bool) {
    ("healthy".to_owned(), reused)
}

#[tokio::test]
async fn each_kth_check_has_a_fresh_one() {
    let (url, count) = scripted(|_| vec![KEPT; 100]).await;
    let mut prober = Prober::new(target(&url, keep(3)));
    for round in 0..9 {
        assert_eq!(said(&mut prober).await, healthy(round % 3 != 0), "round {round}");
    }
    assert_eq!(count.load(SeqCst), 3);
}

#[tokio::test]
async fn it_is_asked_for_in_so_many_words() {
    let (url, mut told) = answers(|_| KEPT.to_owned()).await;
    Prober::new(target(&url, keep(3))).probe(LONG).await;
    assert!(told.recv().await.unwrap().contains("\r\nConnection: keep-alive\r\n"));
}

#[tokio::test]
async fn without_the_option_all_are_fresh() {
    let (url, count) = scripted(|_| vec![KEPT; 100]).await;
    let mut prober = Prober::new(target(&url, Options::default()));
    for _ in 0..3 {
        assert_eq!(said(&mut prober).await, healthy(false));
    }
    assert_eq!(count.load(SeqCst), 3);
}

#[tokio::test]
async fn after_a_failure_it_is_fresh() {
    let (url, count) = scripted(|_| vec![KEPT, "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n", KEPT]).await;
    let mut prober = Prober::new(target(&url, keep(10)));
    assert_eq!(said(&mut prober).await, healthy(false));
    assert_eq!(said(&mut prober).await, ("answered 503 Service Unavailable".to_owned(), true));
    assert_eq!(said(&mut prober).await, healthy(false));
    assert_eq!(count.load(SeqCst), 2);
}

/// Servers close idle connections as they like, and some say so first.
#[tokio::test]
async fn a_server_that_closes_an_idle_connection_is_healthy() {
    for goodbye in ["", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"] {
        let url = server(move |mut stream| async move {
            head(&mut stream).await;
            let _ = stream.write_all(KEPT.as_bytes()).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
            let _ = stream.write_all(goodbye.as_bytes()).await;
        })
        .await;
        // Long after, and right in the moment.
        for pause in [60, 28, 29, 30, 31, 32] {
            let mut prober = Prober::new(target(&url, keep(10)));
            assert_eq!(said(&mut prober).await, healthy(false));
            tokio::time::sleep(Duration::from_millis(pause)).await;
            assert_eq!(said(&mut prober).await.0, "healthy", "after {pause} ms");
        }
    }
}

/// One that answers the second request with a hang-up, each time, has not closed an idle one.
#[tokio::test]
async fn a_fresh_connection_tells_whether_it_is_healthy() {
    let (url, count) = scripted(|n| if n == 0 { vec![KEPT, ""] } else { vec![""] }).await;
    let mut prober = Prober::new(target(&url, keep(10)));
    assert_eq!(said(&mut prober).await, healthy(false));
    assert_eq!(said(&mut prober).await, ("closed the connection without an answer".to_owned(), false));
    assert_eq!(count.load(SeqCst), 2);
}

#[tokio::test]
async fn only_a_connection_with_a_whole_answer_is_kept() {
    let close = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
    let (url, _) = scripted(move |_| vec![close; 9]).await;
    let mut prober = Prober::new(target(&url, keep(10)));
    assert_eq!(said(&mut prober).await, healthy(false));
    assert_eq!(said(&mut prober).await, healthy(false));
    let more = server(|mut stream| async move {
        head(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").await;
        while stream.write_all(&[b'x'; 100]).await.is_ok() {}
    })
    .await;
    let mut prober = Prober::new(target(&more, keep(10)));
    assert_eq!(said(&mut prober).await, healthy(false));
    assert_eq!(said(&mut prober).await, healthy(false));
}

#[tokio::test]
async fn a_redirect_goes_over_it_as_well() {
    let (url, count) =
        scripted(|_| ["HTTP/1.1 302 X\r\nLocation: /up\r\nContent-Length: 0\r\n\r\n", KEPT].repeat(5)).await;
    let mut prober = Prober::new(target(&url, keep(10)));
    assert_eq!(said(&mut prober).await, healthy(true));
    assert_eq!(said(&mut prober).await, healthy(true));
    assert_eq!(count.load(SeqCst), 1);
}
