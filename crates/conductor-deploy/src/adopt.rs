//! Having systemd learn which release is live, beside whatever else has to be waited for.
//!
//! systemd takes a tenth of a second and more to run its generators and read its units again, in which nothing of ours
//! goes on. Old releases take about as long to end and do not need systemd for most of it. So the two are begun
//! together: after the commit, and in the order in which systemd is to take them in.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use conductor_proxy::{Driver, Error, Kind, Proxy as _, Upstream};
use conductor_systemd::Job;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::host::{Host, name};
use crate::progress::State;
use crate::{Failure, Step};

/// Who drains for longer than this is not waited for before systemd learns of the new release.
const SOON: Duration = Duration::from_millis(20);

impl Host<'_> {
    /// Has systemd read which release is live. May be repeated.
    async fn adopt(&self) -> Result<(), Failure> {
        self.store.set_trial(None)?;
        Ok(self.systemd.daemon_reload().await?)
    }

    /// The same, unless it was done beside something else, and starts the service as systemd knows it then.
    pub(crate) async fn adopt_unless_done(&mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.adopted) {
            self.adopt().await?;
        }
        let service = self.record.new.service.clone();
        self.job(Job::Start, &service).await.map(drop)
    }

    /// Waits until nobody uses the old release any more.
    pub(crate) async fn drain(&mut self) -> Result<String, Failure> {
        let (upstream, proxy) = (self.record.upstream(&self.record.new)?, self.proxy()?);
        let limit = self.drain;
        let mut drain = pin!(drained(&proxy, &upstream, limit));
        if let Ok(drained) = tokio::time::timeout(SOON, &mut drain).await {
            return drained;
        }
        // It may take minutes, in which whoever starts the service is to start what is live.
        let (drained, adopted) = tokio::join!(drain, self.adopt());
        self.note_adopted(adopted);
        drained
    }

    /// What failed beside something else is told, and done again at its own step.
    fn note_adopted(&mut self, adopted: Result<(), Failure>) {
        self.adopted = adopted.is_ok();
        if let Err(failure) = adopted {
            self.tell(
                Step::Adopt.word(),
                State::Note,
                format!("tries again when the old one is gone: {failure}"),
            );
        }
    }

    /// Stops the old release for good.
    pub(crate) async fn end_old(&mut self) -> Result<(), Failure> {
        let units = self.record.old.units();
        if self.adopted {
            return self.stop_units(units).await;
        }
        let (stopped, adopted) = self.stop_units_beside(units, self.adopt()).await;
        self.note_adopted(adopted);
        stopped
    }

    /// Stops units, and waits until they are gone.
    pub(crate) async fn stop_units(&self, units: impl IntoIterator<Item = String>) -> Result<(), Failure> {
        self.stop_units_beside(units, std::future::ready(())).await.0
    }

    /// Stops units, and does something else as soon as systemd has been told of all of them.
    async fn stop_units_beside<T>(
        &self,
        units: impl IntoIterator<Item = String>,
        beside: impl Future<Output = T>,
    ) -> (Result<(), Failure>, T) {
        let (untold, mut all_told) = mpsc::channel::<()>(1);
        let mut jobs = JoinSet::new();
        for unit in units {
            let (systemd, untold) = (self.systemd.clone(), untold.clone());
            jobs.spawn(async move {
                let asked = systemd.ask(Job::Stop, &name(&unit)?).await;
                drop(untold);
                // What is not there does not run.
                let asked = match asked {
                    Err(error) if error.name() == Some("org.freedesktop.systemd1.NoSuchUnit") => {
                        return Ok(());
                    }
                    asked => asked?,
                };
                let end = asked.ended().await?;
                if end.is_done() {
                    return Ok(());
                }
                // Somebody has started it meanwhile: it is not for us to do that again.
                Err(Failure::system(format!("stopping {unit}"), format!("the job ended as {end}")))
            });
        }
        drop(untold);
        let beside = async {
            // Nobody says anything: it is over when nobody could any more.
            let _ = all_told.recv().await;
            beside.await
        };
        let stopped = async {
            let mut first: Result<(), Failure> = Ok(());
            while let Some(ended) = jobs.join_next().await {
                let ended = ended.unwrap_or_else(|error| Err(Failure::system("stopping", error)));
                first = first.and(ended);
            }
            first
        };
        tokio::join!(stopped, beside)
    }
}

/// The same, of this proxy.
async fn drained(proxy: &Driver, upstream: &Upstream, limit: Duration) -> Result<String, Failure> {
    let draining = async {
        // A proxy that was restarted before the commit has started with the release that was live then.
        proxy.switch(upstream).await?;
        Ok::<_, Error>(proxy.drain(upstream, limit).await?.to_string())
    };
    match draining.await {
        // Nobody gets anything through it, and it starts with what stands in its files.
        Err(error) if error.kind() == Kind::Unreachable => {
            proxy.write(upstream).await?;
            Ok(format!("the proxy does not run, and will start with the new release: {error}"))
        }
        drained => Ok(drained?),
    }
}
