//! HTTP over a connection that stands, whatever it goes over and whichever version is spoken.

use super::drive::{Connection, Driver};
use super::plain::{Came, Plain};
use super::reason::Reason;
use super::replay::Replay;
use super::request::Prepared;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, StatusCode, Version};
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite};

/// Headers beyond this are a fault. It bounds what a hostile answer costs us in memory.
const MAX_HEAD: u32 = 64 * 1024;

/// A connection over which requests can be sent, one after the other.
pub(super) enum Wire<S: AsyncRead + AsyncWrite + Unpin> {
    /// HTTP/1 too, as long as nothing has come that takes a client to understand.
    Plain(Plain<S>),
    Http1(http1::SendRequest<Full<Bytes>>, Driver<Http1<S>>),
    Http2(h2::client::SendRequest<Bytes>, Driver<Http2<S>>),
}

/// The head of an answer, and the rest as it comes.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) version: Version,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// What follows the head.
pub(super) enum Body {
    /// All of it.
    Whole(Bytes),
    Http1(Incoming),
    Http2(h2::RecvStream),
}

/// A connection of HTTP/1, and whether to say good-bye on it: TLS has a word for that.
pub(super) struct Http1<S: AsyncRead + AsyncWrite + Unpin> {
    connection: http1::Connection<TokioIo<Replay<S>>, Full<Bytes>>,
    says_goodbye: bool,
}

/// A connection of HTTP/2.
pub(super) struct Http2<S: AsyncRead + AsyncWrite + Unpin>(h2::client::Connection<S, Bytes>);

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Speaks HTTP/1.1 over this.
    pub(super) fn http1(io: S, says_goodbye: bool) -> Self {
        Self::Plain(Plain::new(io, says_goodbye))
    }

    /// Has hyper go on with this.
    pub(super) async fn hyper(io: Replay<S>, says_goodbye: bool) -> Result<Self, Reason> {
        let (sender, connection) =
            http1_client().handshake(TokioIo::new(io)).await.map_err(|error| Reason::from_hyper(&error))?;
        Ok(Self::Http1(sender, Driver::new(Http1 { connection, says_goodbye })))
    }

    /// Speaks HTTP/2 over this.
    pub(super) async fn http2(io: S) -> Result<Self, Reason> {
        let (sender, connection) = h2::client::Builder::new()
            .max_header_list_size(MAX_HEAD)
            .enable_push(false)
            .max_concurrent_streams(0)
            .handshake(io)
            .await
            .map_err(|error| Reason::from_h2(&error))?;
        Ok(Self::Http2(sender, Driver::new(Http2(connection))))
    }

    /// Sends a request and waits for the head of the answer.
    pub(super) async fn send(&mut self, prepared: &Prepared) -> Result<Answer, Reason> {
        if let Self::Plain(plain) = self {
            match plain.ask(prepared).await? {
                Came::Whole(whole) => {
                    return Ok(Answer {
                        status: whole.status,
                        version: whole.version,
                        headers: HeaderMap::new(),
                        body: Body::Whole(whole.body),
                    });
                }
                // Boxed: a check has room for the largest of its parts.
                Came::Other(io) => *self = Box::pin(Self::hyper(io, plain.says_goodbye())).await?,
            }
        }
        Box::pin(self.send_request(prepared.request())).await
    }

    async fn send_request(&mut self, request: Request<Bytes>) -> Result<Answer, Reason> {
        match self {
            // Was replaced above.
            Self::Plain(_) => Err(Reason::Closed),
            Self::Http1(sender, driver) => {
                let answer = driver.drive(sender.send_request(request.map(Full::new))).await?;
                let (head, body) = answer.map_err(|error| Reason::from_hyper(&error))?.into_parts();
                Ok(Answer {
                    status: head.status,
                    version: head.version,
                    headers: head.headers,
                    body: Body::Http1(body),
                })
            }
            Self::Http2(sender, driver) => {
                let failed = |error| Reason::from_h2(&error);
                driver.drive(poll_fn(|cx| sender.poll_ready(cx))).await?.map_err(failed)?;
                let (head, body) = request.into_parts();
                let request = Request::from_parts(head, ());
                let (answer, mut stream) = sender.send_request(request, body.is_empty()).map_err(failed)?;
                if !body.is_empty() {
                    // h2 keeps what the server's window has no room for yet.
                    stream.send_data(body, true).map_err(failed)?;
                }
                let (head, body) = driver.drive(answer).await?.map_err(failed)?.into_parts();
                Ok(Answer {
                    status: head.status,
                    version: head.version,
                    headers: head.headers,
                    body: Body::Http2(body),
                })
            }
        }
    }

    /// Waits for the next part of a body; none is its end.
    pub(super) async fn next(&mut self, body: &mut Body) -> Option<Result<Bytes, Reason>> {
        match (self, body) {
            (_, Body::Whole(body)) => rest_of_whole(body),
            (Self::Http1(_, driver), Body::Http1(body)) => {
                driver.drive(next_of_http1(body)).await.unwrap_or_else(|reason| Some(Err(reason)))
            }
            (Self::Http2(_, driver), Body::Http2(body)) => {
                driver.drive(next_of_http2(body)).await.unwrap_or_else(|reason| Some(Err(reason)))
            }
            // An answer comes from the wire that it was asked over.
            _ => None,
        }
    }

    /// The next part of a body, if it is there already.
    pub(super) async fn next_at_once(&mut self, body: &mut Body) -> Option<Option<Result<Bytes, Reason>>> {
        match (self, body) {
            (_, Body::Whole(body)) => Some(rest_of_whole(body)),
            (Self::Http1(_, driver), Body::Http1(body)) => driver.at_once(next_of_http1(body)).await,
            (Self::Http2(_, driver), Body::Http2(body)) => driver.at_once(next_of_http2(body)).await,
            _ => None,
        }
    }

    /// Waits for what follows the body of an answer.
    pub(super) async fn trailers(&mut self, body: &mut Body) -> Result<Option<HeaderMap>, Reason> {
        match (self, body) {
            (Self::Http2(_, driver), Body::Http2(body)) => {
                driver.drive(body.trailers()).await?.map_err(|error| Reason::from_h2(&error))
            }
            _ => Ok(None),
        }
    }

    /// Whether another request can be sent, as far as one can tell from here.
    pub(super) async fn is_open(&mut self) -> bool {
        match self {
            Self::Plain(plain) => plain.is_open().await,
            Self::Http1(sender, driver) => driver.nudge().await && sender.is_ready(),
            // What it has to write comes first, and then it would wait for the answer to that before it reads.
            Self::Http2(_, driver) => driver.nudge().await && driver.nudge().await,
        }
    }

    /// Whether the protocol has a word for the end.
    pub(super) fn has_goodbye(&self) -> bool {
        match self {
            Self::Plain(plain) => plain.says_goodbye(),
            Self::Http1(_, driver) => driver.connection().says_goodbye,
            Self::Http2(..) => true,
        }
    }

    /// Ends the connection as the protocol has it, as far as that can be done without waiting.
    pub(super) async fn close(self) {
        match self {
            Self::Plain(plain) => plain.close().await,
            Self::Http1(sender, mut driver) => {
                drop(sender);
                driver.nudge().await;
            }
            Self::Http2(sender, mut driver) => {
                drop(sender);
                driver.nudge().await;
            }
        }
    }
}

/// How requests of HTTP/1 are written and answers are read.
pub(super) fn http1_client() -> http1::Builder {
    let mut client = http1::Builder::new();
    client
        .max_buf_size(usize::try_from(MAX_HEAD).unwrap_or(usize::MAX))
        // HTTP/1 names are case-insensitive, but not to every home-made server.
        .title_case_headers(true);
    client
}

fn rest_of_whole(body: &mut Bytes) -> Option<Result<Bytes, Reason>> {
    let rest = std::mem::take(body);
    (!rest.is_empty()).then_some(Ok(rest))
}

async fn next_of_http1(body: &mut Incoming) -> Option<Result<Bytes, Reason>> {
    loop {
        match body.frame().await? {
            // Trailers are none of ours.
            Ok(frame) => {
                if let Ok(data) = frame.into_data() {
                    return Some(Ok(data));
                }
            }
            Err(error) => return Some(Err(Reason::from_hyper(&error))),
        }
    }
}

async fn next_of_http2(body: &mut h2::RecvStream) -> Option<Result<Bytes, Reason>> {
    let part = body.data().await?;
    Some(part.map_err(|error| Reason::from_h2(&error)).inspect(|data| {
        // An error means that the stream is over, which the next part will say.
        let _ = body.flow_control().release_capacity(data.len());
    }))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection for Http1<S> {
    fn advance(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Reason>> {
        let this = self.get_mut();
        let ended = if this.says_goodbye {
            Pin::new(&mut this.connection).poll(cx)
        } else {
            // To close the socket says as much, in one call less.
            this.connection.poll_without_shutdown(cx)
        };
        ended.map_err(|error| Reason::from_hyper(&error))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection for Http2<S> {
    fn advance(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Reason>> {
        Pin::new(&mut self.get_mut().0).poll(cx).map_err(|error| Reason::from_h2(&error))
    }
}
