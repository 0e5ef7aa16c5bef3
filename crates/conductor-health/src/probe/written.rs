//! What hyper writes for a request, so that it need not be asked each time.

use super::wire::http1_client;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::unconstrained;

/// Requests with more headers are written each time.
const MAX_HEADERS: usize = 100;

/// The bytes of this request; none if hyper would not write all of them at once.
pub(super) fn bytes(request: Request<Bytes>) -> Option<Bytes> {
    let mut cx = Context::from_waker(Waker::noop());
    let body = request.body().clone();
    let handshake = pin!(http1_client().handshake(TokioIo::new(Ear(Vec::new()))));
    let Poll::Ready(Ok((mut sender, mut connection))) = handshake.poll(&mut cx) else {
        return None;
    };
    // Dropped, it would be called off.
    let _answer = sender.send_request(request.map(Full::new));
    // Where many requests are made at once, tokio has those take turns that use its channels, as hyper does.
    let Poll::Pending = Pin::new(&mut unconstrained(&mut connection)).poll(&mut cx) else {
        return None;
    };
    let Ear(written) = connection.into_parts().io.into_inner();
    let written = Bytes::from(written.into_boxed_slice());
    // What cannot be read back is better not sent like this.
    (*read(&written).body() == body).then_some(written)
}

/// The request that these bytes are.
pub(super) fn read(written: &Bytes) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    // We have written them.
    let Ok(httparse::Status::Complete(length)) = head.parse(written) else {
        return request;
    };
    let method = head.method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    *request.method_mut() = method.unwrap_or_default();
    *request.uri_mut() = head.path.and_then(|path| path.parse().ok()).unwrap_or_default();
    for header in head.headers.iter() {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(header.name.as_bytes()), HeaderValue::from_bytes(header.value))
        {
            request.headers_mut().append(name, value);
        }
    }
    *request.body_mut() = written.slice(length..);
    request
}

/// A server that listens and says nothing.
struct Ear(Vec<u8>);

impl AsyncRead for Ear {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Ear {
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().0.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_it_goes_over_the_wire() {
        let request = Request::post("/a?b=c").header("host", "x:1").header("x-y", "z");
        let written = bytes(request.body(Bytes::from_static(b"body")).unwrap()).unwrap();
        assert_eq!(
            std::str::from_utf8(&written).unwrap(),
            "POST /a?b=c HTTP/1.1\r\nHost: x:1\r\nX-Y: z\r\nContent-Length: 4\r\n\r\nbody"
        );
        let again = read(&written);
        assert_eq!((again.method(), again.uri().to_string()), (&Method::POST, "/a?b=c".to_owned()));
        assert_eq!(bytes(again), Some(written));
        let large = Bytes::from(vec![b'x'; 1 << 20]);
        let written = bytes(Request::put("/").body(large.clone()).unwrap()).unwrap();
        assert!(written.ends_with(&large));
    }

    #[tokio::test]
    async fn of_many_requests_at_once() {
        for _ in 0..1000 {
            assert!(bytes(Request::new(Bytes::new())).is_some());
        }
    }
}
