//! From the sockets, whose tasks know nothing, to the loop that knows.

use crate::serve::{Address, Answer, Listener, Question, serve};
use tokio::sync::{mpsc, oneshot};

/// Somebody wants to know.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) question: Question,
    reply: oneshot::Sender<Answer>,
}

impl Query {
    /// Whoever asked may have gone.
    pub(super) fn reply(self, answer: Answer) {
        let _ = self.reply.send(answer);
    }
}

/// Queries as they come in.
#[derive(Debug)]
pub(super) struct Queries {
    incoming: mpsc::Receiver<Query>,
    /// Keeps the channel open though nobody may ever ask.
    outgoing: mpsc::Sender<Query>,
}

impl Queries {
    pub(super) fn new() -> Self {
        let (outgoing, incoming) = mpsc::channel(8);
        Self { incoming, outgoing }
    }

    /// Lets people ask here.
    pub(super) fn listen(&self, address: &Address) -> Result<(), String> {
        let listener = Listener::bind(address)?;
        let outgoing = self.outgoing.clone();
        tokio::spawn(serve(listener, move |question| {
            let outgoing = outgoing.clone();
            async move {
                let (reply, answer) = oneshot::channel();
                let busy = || Answer::text(503, "the checker is ending\n");
                if outgoing.send(Query { question, reply }).await.is_err() {
                    return busy();
                }
                answer.await.unwrap_or_else(|_| busy())
            }
        }));
        Ok(())
    }

    /// The next one. Nothing is lost if this is dropped.
    pub(super) async fn next(&mut self) -> Option<Query> {
        self.incoming.recv().await
    }
}
