//! How a server sees the end of a check.

use super::*;
use std::io::ErrorKind;
use tokio::sync::mpsc;

/// What a server sees after it has answered with this and waited for the check's next word.
async fn seen(answer: Vec<u8>, options: Options, timeout: Duration) -> (String, Result<usize, ErrorKind>) {
    let (tell, mut told) = mpsc::unbounded_channel();
    let url = server(move |mut stream| {
        let (tell, answer) = (tell.clone(), answer.clone());
        async move {
            head(&mut stream).await;
            stream.write_all(&answer).await.unwrap();
            let next = stream.read(&mut [0; 64]).await;
            tell.send(next.map_err(|error| error.kind())).unwrap();
        }
    })
    .await;
    let check = probe(&target(&url, options), timeout).await;
    (words(&check), told.recv().await.unwrap())
}

#[tokio::test]
async fn a_whole_answer_ends_in_peace() {
    let answer = |status: u16| format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok").into_bytes();
    let (said, end) = seen(answer(200), Options::default(), LONG).await;
    assert_eq!((said.as_str(), end), ("healthy", Ok(0)));
    // An answer that is no good was still taken: a server need not log an error of its own on top.
    let (said, end) = seen(answer(503), Options::default(), LONG).await;
    assert_eq!((said.as_str(), end), ("answered 503 Service Unavailable", Ok(0)));
    let (said, end) = seen(answer(302), Options { follow: Follow::None, ..Options::default() }, LONG).await;
    assert_eq!((said.as_str(), end), ("healthy", Ok(0)));
}

/// No connection of a check that was given up stays in the kernel, on neither side.
#[tokio::test]
async fn anything_else_is_reset() {
    let (said, end) = seen(b"HTTP/1.1 200 OK\r\n".to_vec(), Options::default(), SHORT).await;
    assert!(said.starts_with("no answer within 200ms"), "{said}");
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    let endless = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &vec![b'x'; MAX_BODY * 2]].concat();
    let (said, end) = seen(endless, Options::default(), LONG).await;
    assert_eq!((said.as_str(), end), ("healthy", Err(ErrorKind::ConnectionReset)));
    let (said, end) = seen(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec(), Options::default(), LONG).await;
    assert_eq!(said, "answered something that is not HTTP");
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_check_that_is_dropped_leaves_nothing_behind() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let url = server(move |mut stream| {
        let tell = tell.clone();
        async move {
            head(&mut stream).await;
            tell.send(None).unwrap();
            let end = stream.read_to_end(&mut Vec::new()).await;
            tell.send(Some(end.map_err(|error| error.kind()))).unwrap();
        }
    })
    .await;
    for (url, options) in
        [(url.clone(), Options::default()), (url, Options { http2: true, ..Options::default() })]
    {
        let target = target(&url, options);
        let running = tokio::spawn(async move { probe(&target, LONG).await });
        assert_eq!(told.recv().await.unwrap(), None);
        running.abort();
        assert_eq!(told.recv().await.unwrap(), Some(Err(ErrorKind::ConnectionReset)));
    }
}

/// What every checker does to a port that takes connections and is not asked anything.
#[tokio::test]
async fn a_tcp_check_ends_in_peace() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let url = server(move |mut stream| {
        let tell = tell.clone();
        async move { tell.send(stream.read(&mut [0; 64]).await.map_err(|error| error.kind())).unwrap() }
    })
    .await;
    let url = url.replace("http:", "tcp:").replace("/healthz", "");
    let check = check(&url, LONG).await;
    assert_eq!(words(&check), "healthy");
    assert_eq!((check.status, check.timings.headers), (None, None));
    assert!(check.timings.connect.is_some());
    assert_eq!(told.recv().await.unwrap(), Ok(0));
}
