//! Jobs of systemd's, and how they end.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;

use futures_core::Stream as _;

use crate::proxy::JobRemovedStream;
use crate::{Error, Systemd, UnitName};

/// What systemd says of a unit that is not loaded.
const NO_SUCH_UNIT: &str = "org.freedesktop.systemd1.NoSuchUnit";

/// What systemd is to do with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Start it, unless it runs.
    Start,
    /// Stop it.
    Stop,
    /// Stop it if it runs, and start it.
    Restart,
    /// Have it read its configuration again.
    Reload,
}

/// How a job ended, in the word that systemd has for it (`JobRemoved` in org.freedesktop.systemd1(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd(String);

impl JobEnd {
    /// Whether what was asked for was done.
    pub fn is_done(&self) -> bool {
        self.0 == "done"
    }

    /// The word: `done`, `failed`, `timeout`, `canceled`, `dependency`, `skipped` and so on.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Job {
    fn word(self) -> &'static str {
        match self {
            Self::Start => "starting",
            Self::Stop => "stopping",
            Self::Restart => "restarting",
            Self::Reload => "reloading",
        }
    }
}

impl Systemd {
    /// Has systemd run its generators and read all unit files again, and waits until it has.
    ///
    /// # Errors
    /// If it takes longer than [`crate::METHOD_TIMEOUT`], or we may not do it. It may be repeated.
    pub async fn daemon_reload(&self) -> Result<(), Error> {
        let reloading = async { self.manager().await?.reload().await };
        reloading.await.map_err(|error| Error::new("reloading systemd's units", &error))
    }

    /// Forgets the failures of a unit, so that they are not counted for its start limit. Nothing if it has none.
    pub async fn forget_failures(&self, name: &UnitName) -> Result<(), Error> {
        let forgetting = async { self.manager().await?.reset_failed_unit(name.as_str()).await };
        match forgetting
            .await
            .map_err(|error| Error::new(format!("resetting the failures of {name}"), &error))
        {
            Err(error) if error.name() == Some(NO_SUCH_UNIT) => Ok(()),
            forgotten => forgotten,
        }
    }

    /// Whether the machine shuts down, or the user's manager ends.
    pub async fn is_stopping(&self) -> Result<bool, Error> {
        let asking = async { self.manager().await?.system_state().await };
        let state =
            asking.await.map_err(|error| Error::new("asking how the system is".to_owned(), &error))?;
        Ok(state == "stopping")
    }

    /// Asks for a job and waits for its end, however long it takes: how long is for the unit's own timeouts to say.
    /// An older job of that unit that is in the way is replaced. Dropping the future does not cancel the job.
    ///
    /// # Errors
    /// If systemd does not take the job, as a reload of a unit that does not run, or cannot be heard any more.
    pub async fn job(&self, job: Job, name: &UnitName) -> Result<JobEnd, Error> {
        self.ask(job, name).await?.ended().await
    }

    /// Asks for a job, and does not wait for it: systemd takes in what is asked of it in this order.
    ///
    /// # Errors
    /// As for [`Self::job`].
    pub async fn ask(&self, job: Job, name: &UnitName) -> Result<Asked, Error> {
        let doing = format!("{} {name}", job.word());
        let fail = |error| Error::new(doing.clone(), &error);
        self.subscribe().await?;
        let manager = self.manager().await.map_err(fail)?;
        // Listening begins before asking: a job may end before its own name has reached us.
        let removed = manager.receive_job_removed().await.map_err(fail)?;
        let asked = match job {
            Job::Start => manager.start_unit(name.as_str(), "replace").await,
            Job::Stop => manager.stop_unit(name.as_str(), "replace").await,
            Job::Restart => manager.restart_unit(name.as_str(), "replace").await,
            Job::Reload => manager.reload_unit(name.as_str(), "replace").await,
        };
        let path = asked.map_err(fail)?.as_str().to_owned();
        Ok(Asked { doing, path, removed })
    }
}

/// A job that systemd has taken.
#[derive(Debug)]
pub struct Asked {
    doing: String,
    path: String,
    removed: JobRemovedStream,
}

impl Asked {
    /// Waits for its end. What is told of other jobs is kept for this until then, so it is not to be put off.
    ///
    /// # Errors
    /// If systemd cannot be heard any more.
    pub async fn ended(mut self) -> Result<JobEnd, Error> {
        while let Some(signal) = poll_fn(|cx| Pin::new(&mut self.removed).poll_next(cx)).await {
            let signal = signal.args().map_err(|error| Error::new(self.doing.clone(), &error))?;
            if signal.job.as_str() == self.path {
                return Ok(JobEnd(signal.result.to_owned()));
            }
        }
        Err(Error::transport(self.doing, "the bus closed the connection"))
    }
}
