//! Watching a release for a time. It is the release that is judged: a proxy, or systemd, that is away meanwhile says
//! nothing of it, and is waited for, but not for ever.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{Failure, FailureKind};

/// From one look at the proxy to the next: somebody may have started it anew, and then it knows the live release only.
const PROXY: Duration = Duration::from_secs(1);

/// For how long the proxy, or systemd, may be away while a release is watched: somebody may be at work there.
const TROUBLE: Duration = Duration::from_secs(300);

/// What can be seen of a release, and of what stands before it.
pub(crate) trait Sight {
    /// Waits until there may be something to see, for so long at the most, and looks.
    async fn look(&mut self, limit: Duration) -> Result<(), Failure>;

    /// Whether the last check went well.
    fn is_well(&self) -> bool;

    /// Tells of something that is none of the release's, when it begins.
    fn tell(&mut self, text: String);
}

/// Watches for so long, and until all is well.
///
/// # Errors
/// The release is unhealthy, or something else is away for too long.
pub(crate) async fn bake(sight: &mut impl Sight, time: Duration) -> Result<(), Failure> {
    let (begin, mut trouble) = (Instant::now(), None::<Instant>);
    loop {
        let left = time.saturating_sub(begin.elapsed());
        if left.is_zero() && sight.is_well() && trouble.is_none() {
            return Ok(());
        }
        match sight.look(if left.is_zero() { PROXY } else { left.min(PROXY) }).await {
            Ok(()) => trouble = None,
            Err(failure) if failure.kind != FailureKind::Gate => {
                if trouble.is_none() {
                    sight.tell(format!("{}; it looks again for {} s", failure.text, TROUBLE.as_secs()));
                }
                if trouble.get_or_insert_with(Instant::now).elapsed() > TROUBLE {
                    return Err(failure);
                }
                sleep(PROXY).await;
            }
            Err(failure) => return Err(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A release that is well, behind a proxy that is away at times; all of it since the beginning.
    struct Fake {
        begin: Instant,
        away: Vec<(u64, u64)>,
        unhealthy: Option<u64>,
        told: Vec<(u64, String)>,
    }

    impl Fake {
        fn new(away: &[(u64, u64)]) -> Self {
            Self { begin: Instant::now(), away: away.to_vec(), unhealthy: None, told: Vec::new() }
        }

        fn at(&self) -> u64 {
            self.begin.elapsed().as_secs()
        }
    }

    impl Sight for Fake {
        async fn look(&mut self, limit: Duration) -> Result<(), Failure> {
            sleep(limit).await;
            let at = self.at();
            if self.unhealthy.is_some_and(|since| at >= since) {
                return Err(Failure::gate("it got unhealthy"));
            }
            let is_away = self.away.iter().any(|(from, to)| (*from..*to).contains(&at));
            if is_away { Err(Failure::configuration("nginx.service is not running")) } else { Ok(()) }
        }

        fn is_well(&self) -> bool {
            true
        }

        fn tell(&mut self, text: String) {
            self.told.push((self.at(), text));
        }
    }

    async fn baked(fake: &mut Fake, seconds: u64) -> (u64, Result<(), String>) {
        let baked = bake(fake, Duration::from_secs(seconds)).await;
        (fake.at(), baked.map_err(|failure| failure.text))
    }

    #[tokio::test(start_paused = true)]
    async fn it_takes_the_time_that_is_given() {
        assert_eq!(baked(&mut Fake::new(&[]), 600).await, (600, Ok(())));
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_after_five_minutes_without_a_proxy() {
        let mut fake = Fake::new(&[(100, u64::MAX)]);
        let (at, baked) = baked(&mut fake, 3600).await;
        assert_eq!(baked, Err("nginx.service is not running".to_owned()));
        assert!((400..405).contains(&at), "after {at} s");
        // Once: it is the same trouble.
        assert_eq!(fake.told, [(100, "nginx.service is not running; it looks again for 300 s".to_owned())]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_comes_back_has_its_five_minutes_again() {
        let mut fake = Fake::new(&[(100, 390), (400, 690)]);
        assert_eq!(baked(&mut fake, 3600).await, (3600, Ok(())));
        assert_eq!(fake.told.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [100, 400]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_end_well_while_the_proxy_is_away() {
        let (at, baked) = baked(&mut Fake::new(&[(5, 100)]), 10).await;
        assert_eq!(baked, Ok(()));
        assert!((100..105).contains(&at), "after {at} s");
        assert!(self::baked(&mut Fake::new(&[(5, u64::MAX)]), 10).await.1.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_unhealthy_one_ends_at_once() {
        let mut fake = Fake { unhealthy: Some(20), ..Fake::new(&[]) };
        assert_eq!(baked(&mut fake, 3600).await, (20, Err("it got unhealthy".to_owned())));
    }
}
