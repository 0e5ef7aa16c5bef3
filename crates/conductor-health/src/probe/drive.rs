//! Keeps a connection moving while something is awaited from it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};

/// A hyper connection that is polled by whoever waits for its answer, without a task of its own.
///
/// The obvious `select!` between connection and answer loses answers: a server that answers and hangs
/// up at once finishes the connection, whose branch then wins although the answer lies ready. So the
/// end of the connection is noted here and never decides anything: the answer future does. It cannot
/// hang, because a finished connection has fulfilled or dropped all that it owed.
pub(super) struct Driver<C> {
    connection: Pin<Box<C>>,
    ended: bool,
}

impl<C: Future> Driver<C> {
    pub(super) fn new(connection: C) -> Self {
        Self { connection: Box::pin(connection), ended: false }
    }

    /// Waits for `answer`, moving the connection on.
    pub(super) async fn drive<F: Future>(&mut self, answer: F) -> F::Output {
        let mut answer = pin!(answer);
        poll_fn(|cx| {
            if !self.ended {
                // Its error, if any, comes out of the answer as well, with more to say.
                self.ended = self.connection.as_mut().poll(cx).is_ready();
            }
            answer.as_mut().poll(cx)
        })
        .await
    }
}
