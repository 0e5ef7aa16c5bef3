//! Keeps a connection moving while something is awaited from it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// A connection that somebody has to poll.
pub(super) trait Connection {
    /// Moves it on. Ready is the end of it.
    fn advance(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()>;
}

/// A connection that is polled by whoever waits for its answer, without a task of its own.
///
/// The obvious `select!` between connection and answer loses answers: a server that answers and hangs
/// up at once finishes the connection, whose branch then wins although the answer lies ready. So the
/// end of the connection is noted here and never decides anything: the answer future does. It cannot
/// hang, because a finished connection has fulfilled or dropped all that it owed.
///
/// Without a task, a check is one future: when its deadline drops it, nothing of it is left.
#[derive(Debug)]
pub(super) struct Driver<C> {
    connection: Pin<Box<C>>,
    ended: bool,
}

impl<C: Connection> Driver<C> {
    pub(super) fn new(connection: C) -> Self {
        Self { connection: Box::pin(connection), ended: false }
    }

    pub(super) fn connection(&self) -> &C {
        &self.connection
    }

    /// Waits for `answer`, moving the connection on.
    pub(super) async fn drive<F: Future>(&mut self, answer: F) -> F::Output {
        let mut answer = pin!(answer);
        poll_fn(|cx| {
            self.advance(cx);
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// Moves the connection on once, without waiting for anything. Says whether it is still there.
    pub(super) async fn nudge(&mut self) -> bool {
        poll_fn(|cx| {
            self.advance(cx);
            Poll::Ready(!self.ended)
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
        if !self.ended {
            // Its error, if any, comes out of the answer as well, with more to say.
            self.ended = self.connection.as_mut().advance(cx).is_ready();
        }
    }
}
