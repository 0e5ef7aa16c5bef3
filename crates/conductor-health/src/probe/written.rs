//! What hyper writes for a request, so that it need not be asked each time.

use super::wire::http1_client;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

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
    let Poll::Pending = Pin::new(&mut connection).poll(&mut cx) else {
        return None;
    };
    let Ear(written) = connection.into_parts().io.into_inner();
    let is_all = written.ends_with(&body) && written.windows(4).any(|window| window == b"\r\n\r\n");
    is_all.then(|| written.into_boxed_slice().into())
}

/// A server that listens and says nothing.
struct Ear(Vec<u8>);

impl AsyncRead for Ear {
    fn poll_read(self: Pin<&mut Self>, _cx: &mut Context<'_>, _buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
        let large = Bytes::from(vec![b'x'; 1 << 20]);
        let written = bytes(Request::put("/").body(large.clone()).unwrap()).unwrap();
        assert!(written.ends_with(&large));
    }
}
