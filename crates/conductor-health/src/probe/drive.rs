//! Keeps a connection moving while something is awaited from it.

use super::reason::Reason;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// A connection that somebody has to poll.
pub(super) trait Connection {
    /// Moves it on. Ready is its end, and why, unless that was in order.
    fn advance(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Reason>>;
}

/// A connection that is polled by whoever waits for its answer, without a task of its own.
///
/// The obvious `select!` between connection and answer loses answers: a server that answers and hangs
/// up at once finishes the connection, whose branch then wins although the answer lies ready. So the
/// end of the connection is noted here and the answer is asked first. Only when that is still to come
/// and nobody is left to bring it, the end of the connection is the answer.
///
/// Without a task, a check is one future: when its deadline drops it, nothing of it is left.
#[derive(Debug)]
pub(super) struct Driver<C> {
    connection: Pin<Box<C>>,
    ended: Option<Result<(), Reason>>,
}

impl<C: Connection> Driver<C> {
    pub(super) fn new(connection: C) -> Self {
        Self { connection: Box::pin(connection), ended: None }
    }

    pub(super) fn connection(&self) -> &C {
        &self.connection
    }

    /// Waits for `answer`, moving the connection on.
    pub(super) async fn drive<F: Future>(&mut self, answer: F) -> Result<F::Output, Reason> {
        let mut answer = pin!(answer);
        poll_fn(|cx| {
            self.advance(cx);
            match (answer.as_mut().poll(cx), &self.ended) {
                (Poll::Ready(output), _) => Poll::Ready(Ok(output)),
                (Poll::Pending, None) => Poll::Pending,
                (Poll::Pending, Some(Err(reason))) => Poll::Ready(Err(reason.clone())),
                (Poll::Pending, Some(Ok(()))) => Poll::Ready(Err(Reason::Closed)),
            }
        })
        .await
    }

    /// Moves the connection on once, without waiting for anything. Says whether it is still there.
    pub(super) async fn nudge(&mut self) -> bool {
        poll_fn(|cx| {
            self.advance(cx);
            Poll::Ready(self.ended.is_none())
        })
        .await
    }

    /// What `answer` has already, if anything.
    pub(super) async fn at_once<F: Future>(&mut self, answer: F) -> Option<F::Output> {
        let mut answer = pin!(answer);
        poll_fn(|cx| {
            self.advance(cx);
            Poll::Ready(match answer.as_mut().poll(cx) {
                Poll::Ready(output) => Some(output),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn advance(&mut self, cx: &mut Context<'_>) {
        if self.ended.is_none()
            && let Poll::Ready(end) = self.connection.as_mut().advance(cx)
        {
            self.ended = Some(end);
        }
    }
}
