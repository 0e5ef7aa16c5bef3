//! A deadline for work that is mostly over before it has to wait.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use tokio::time::{Instant, timeout_at};

/// What comes of this work until then; the error is the deadline that has passed.
///
/// A timer of tokio's costs a write(2) that wakes its own event loop whenever no earlier one is known
/// (`Handle::reregister` of its time driver), which is as much as a tenth of a check. So there is one only for work that
/// has not come to its end after everybody else has had a turn.
pub(super) async fn within<F: Future>(
    deadline: Instant,
    mut work: Pin<&mut F>,
) -> Result<F::Output, Instant> {
    let mut had_a_turn = false;
    let soon = poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if had_a_turn => Poll::Ready(None),
        Poll::Pending => {
            had_a_turn = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    match soon.await {
        Some(output) => Ok(output),
        // Boxed: a future has room for the largest of its parts, and most do without this one.
        None => Box::pin(timeout_at(deadline, work)).await.map_err(|_| deadline),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::time::Duration;
    use tokio::time::sleep;

    #[tokio::test(start_paused = true)]
    async fn ends_with_the_work_or_at_the_deadline() {
        let deadline = Instant::now() + Duration::from_secs(2);
        assert_eq!(within(deadline, pin!(async { 1 })).await, Ok(1));
        assert_eq!(within(deadline, pin!(tokio::task::yield_now())).await, Ok(()));
        assert_eq!(within(deadline, pin!(sleep(Duration::from_secs(1)))).await, Ok(()));
        assert_eq!(within(deadline, pin!(sleep(Duration::from_secs(3)))).await, Err(deadline));
        assert_eq!(Instant::now(), deadline);
        assert_eq!(
            within(deadline, pin!(std::future::pending::<()>())).await,
            Err(deadline),
            "that has passed already"
        );
        assert_eq!(Instant::now(), deadline);
    }
}
