//! The one timer of the loop.

use std::pin::Pin;
use tokio::time::{Instant, Sleep, sleep_until};

/// Rings once, at the moment it was last set to.
#[derive(Debug)]
pub(super) struct Alarm {
    at: Option<Instant>,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    /// One that is not set.
    pub(super) fn new() -> Self {
        Self { at: None, sleep: Box::pin(sleep_until(Instant::now())) }
    }

    /// When it is to ring.
    pub(super) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// Sets it to this moment, or to none.
    pub(super) fn set(&mut self, at: Option<Instant>) {
        if at != self.at {
            self.at = at;
            if let Some(at) = at {
                self.sleep.as_mut().reset(at);
            }
        }
    }

    /// Waits until it rings; for ever if it is not set.
    pub(super) async fn ring(&mut self) {
        match self.at {
            Some(_) => self.sleep.as_mut().await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn rings_when_it_was_set_to_last() {
        let second = Duration::from_secs(1);
        let start = Instant::now();
        let mut alarm = Alarm::new();
        assert!(timeout(second, alarm.ring()).await.is_err(), "it is not set");
        alarm.set(Some(start + second * 9));
        alarm.set(Some(start + second * 3));
        alarm.ring().await;
        assert_eq!(start.elapsed(), second * 3);
        alarm.ring().await;
        assert_eq!(start.elapsed(), second * 3, "until it is set again");
        alarm.set(None);
        assert!(timeout(second, alarm.ring()).await.is_err());
        alarm.set(Some(start + second * 3));
        alarm.ring().await;
        assert_eq!(start.elapsed(), second * 4, "that was past");
    }
}
