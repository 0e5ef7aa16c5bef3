//! The machine: a [`World`] of files, systemd, engines and proxies.

use std::time::{Duration, Instant};

use conductor_definition::{Runtime, Scope, Strategy};
use conductor_proxy::{Ask, Driver, Kind, Proxy as _, Switch};
use conductor_systemd::{Job, LoadState, Systemd, TransientUnit, UnitName};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::progress::{Event, Progress, State};
use crate::prune::Prune;
use crate::record::{Record, SideRecord};
use crate::settle::Settling;
use crate::store::Store;
use crate::vigil::Baking;
use crate::{
    Action, Failure, FailureKind, Stage, Step, Undo, World, before, image, proxied, prune, verify, why,
};

/// What of a release only its own deploy needs: one that finishes another's goes back, or has it behind it.
#[derive(Debug)]
pub(crate) struct Fresh {
    pub(crate) text: String,
    pub(crate) before: Option<TransientUnit>,
    pub(crate) settling: Settling,
    pub(crate) baking: Baking,
    pub(crate) ask: Result<Ask, String>,
}

pub(crate) struct Host<'a> {
    pub(crate) store: Store,
    pub(crate) systemd: Systemd,
    pub(crate) record: Record,
    pub(crate) fresh: Option<Fresh>,
    pub(crate) drain: Duration,
    /// Whether systemd knows already that the new release is live.
    pub(crate) adopted: bool,
    pub(crate) keep: usize,
    pub(crate) runtime: Runtime,
    pub(crate) began: Instant,
    pub(crate) progress: &'a mut dyn Progress,
    pub(crate) interrupt: watch::Receiver<bool>,
}

impl World for Host<'_> {
    fn record(&mut self, action: Action, reached: Option<Step>) -> Result<(), Failure> {
        self.record.reached = reached;
        // On disk it is said that it waits: nobody may go on from there any more.
        let waited = self.record.waits.take().is_some();
        if waited || action.outlasts_a_boot() {
            self.store.record(&self.record)
        } else {
            self.store.record_until_boot(&self.record)
        }
    }

    async fn perform(&mut self, action: Action, interruptible: bool) -> Result<(), Failure> {
        self.tell(action.word(), State::Begins, String::new());
        let mut interrupt = self.interrupt.clone();
        let done = tokio::select! {
            done = self.act(action) => done?,
            Ok(_) = interrupt.wait_for(|asked| *asked), if interruptible => {
                return Err(Failure::new(FailureKind::Interrupted, "ended on request"));
            }
        };
        self.tell(action.word(), State::Done, done);
        Ok(())
    }

    fn failed(&mut self, action: Action, failure: &Failure) {
        self.tell(action.word(), State::Failed, failure.text.clone());
    }
}

impl Host<'_> {
    pub(crate) fn tell(&mut self, step: &'static str, state: State, text: String) {
        let at = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.progress.tell(&Event { at, step, state, text });
    }

    async fn act(&mut self, action: Action) -> Result<String, Failure> {
        match action {
            Action::Step(step) => self.step(step).await,
            Action::Undo(undo) => self.undo(undo).await.map(|()| String::new()),
        }
    }

    async fn step(&mut self, step: Step) -> Result<String, Failure> {
        let (to, new) = (self.record.to, self.record.new.clone());
        match step {
            Step::Freeze => {
                let text = self.fresh.as_ref().map(|fresh| fresh.text.clone());
                let text = text.ok_or_else(|| Failure::system("freezing", "there is no release"))?;
                self.store.keep(&self.record.id, &text)?;
                self.store.put(to, Some(&text))?;
                return Ok(format!("{} in {to}", self.record.image));
            }
            Step::Load => {
                self.systemd.daemon_reload().await?;
                self.loaded(&new).await?;
            }
            Step::Guard => return self.guarded().await,
            Step::Before => {
                let unit = self.fresh.as_mut().and_then(|fresh| fresh.before.take());
                let unit = unit.ok_or_else(|| Failure::system("the command before", "there is none"))?;
                before::run(&self.systemd, self.manager(), unit).await?;
            }
            Step::StopOld if self.record.strategy == Strategy::BlueGreen => self.end_old().await?,
            Step::StopOld => self.stop_units(self.record.old.units()).await?,
            Step::Trial => {
                self.store.set_trial(Some(to))?;
                self.systemd.daemon_reload().await?;
                self.loaded(&new).await?;
            }
            Step::Start => {
                self.start(&new).await?;
                return Ok(format!("{} up", plural(new.instances.len())));
            }
            Step::Settle => {
                self.settle(&new.instances).await?;
            }
            Step::StartCanary => return self.start_first().await,
            Step::SettleCanary => self.settle_first().await?,
            Step::Dark => return self.show(Stage::Dark).await,
            Step::Share => return self.show(Stage::Canary).await,
            Step::HoldDark | Step::HoldCanary => return self.hold(step).await,
            Step::BakeCanary => {
                let time = self.record.stages.canary.as_ref().map(|canary| canary.bake).unwrap_or_default();
                let (first, shown) = (self.record.first(), self.record.shown(Stage::Canary)?);
                return self.bake(step, &first, &shown, time).await;
            }
            Step::Switch => {
                let upstream = self.record.upstream(&new)?;
                if let Switch::Moved { took } = self.proxy()?.switch(&upstream).await? {
                    return Ok(format!("moved in {} ms", took.as_millis()));
                }
            }
            Step::Verify => {
                let Some(fresh) = &self.fresh else { return Ok(String::new()) };
                let upstream = self.record.upstream(&new)?;
                return verify::through(&self.proxy()?, &upstream, &fresh.ask).await;
            }
            Step::Bake => {
                let (shown, time) = (self.record.upstream(&new)?, self.record.stages.bake);
                return self.bake(step, &new, &shown, time).await;
            }
            Step::Commit => self.store.set_live(Some(to))?,
            Step::Adopt => self.adopt_unless_done().await?,
            Step::Drain => return self.drain().await,
            Step::Prune => return self.prune().await,
        }
        Ok(String::new())
    }

    async fn undo(&mut self, undo: Undo) -> Result<(), Failure> {
        match undo {
            Undo::Uncommit => self.store.set_live(self.record.from),
            Undo::SwitchBack => {
                let upstream = self.record.upstream(&self.record.old)?;
                let proxy = self.proxy()?;
                let back = async {
                    proxy.switch(&upstream).await?;
                    proxy.drain(&upstream, self.drain).await
                };
                match back.await {
                    // Nobody gets anything through it, and it starts with what stands in its files.
                    Err(error) if error.kind() == Kind::Unreachable => {
                        proxy.write(&upstream).await?;
                        let said =
                            format!("the proxy does not run, and will start with the old release: {error}");
                        self.tell(undo.word(), State::Note, said);
                    }
                    done => drop(done?),
                }
                Ok(())
            }
            Undo::StopNew => self.stop_units(self.record.new.units()).await,
            Undo::EndTrial => {
                self.store.set_trial(None)?;
                Ok(self.systemd.daemon_reload().await?)
            }
            Undo::StartOld if self.record.old.runs => {
                let old = self.record.old.clone();
                self.start(&old).await
            }
            Undo::StartOld => Ok(()),
            Undo::EndBefore => self.stop_units([before::unit(&self.record.new.service)]).await,
            Undo::Restore => {
                self.store.put(self.record.to, self.record.displaced.as_deref())?;
                Ok(self.systemd.daemon_reload().await?)
            }
        }
    }

    /// The generator may have refused it: then systemd knows nothing of it, or something older.
    async fn loaded(&self, side: &SideRecord) -> Result<(), Failure> {
        for unit in &side.instances {
            let status = self.systemd.status(&name(unit)?).await?;
            if status.load_state != LoadState::Loaded {
                return Err(Failure::configuration(format!(
                    "there is no unit {unit}: `conductor check` says what is wrong with the release"
                )));
            }
        }
        Ok(())
    }

    pub(crate) async fn job(&self, job: Job, unit: &str) -> Result<conductor_systemd::JobEnd, Failure> {
        Ok(self.systemd.job(job, &name(unit)?).await?)
    }

    async fn start(&self, side: &SideRecord) -> Result<(), Failure> {
        self.start_instances(side).await?;
        self.job(Job::Start, &side.start).await.map(drop)
    }

    /// Starts all instances at once. A start job ends when its instance is healthy, or cannot get so.
    pub(crate) async fn start_instances(&self, side: &SideRecord) -> Result<(), Failure> {
        let mut jobs = JoinSet::new();
        for unit in &side.instances {
            let (systemd, unit) = (self.systemd.clone(), name(unit)?);
            // Those of an earlier release in this slot are none of this one's.
            systemd.forget_failures(&unit).await?;
            jobs.spawn(async move { (systemd.job(Job::Start, &unit).await, unit) });
        }
        while let Some(ended) = jobs.join_next().await {
            let (end, unit) = ended.map_err(|error| Failure::system("starting", error))?;
            let end = end?;
            if !end.is_done() {
                let scope = self.store.scope();
                return Err(Failure::gate(why::not_healthy(&self.systemd, scope, unit.as_str(), &end).await));
            }
        }
        Ok(())
    }

    /// Whether the proxy would take the new release.
    pub(crate) async fn check_proxy(&self) -> Result<(), Failure> {
        proxied::check(&self.record, &self.systemd).await
    }

    pub(crate) fn proxy(&self) -> Result<Driver, Failure> {
        proxied::driver(self.record.proxy.as_ref(), &self.systemd)
    }

    /// Forgets the oldest releases, and images that none of those uses that are left.
    async fn prune(&mut self) -> Result<String, Failure> {
        let Prune { releases, images } =
            prune::plan(&self.store.history()?, &self.record, self.store.all_kept(), self.keep);
        for id in releases {
            self.store.forget(&id)?;
        }
        let mut removed = 0;
        for image in images {
            if self.store.is_released(&image) {
                continue;
            }
            // Others may use it under the same name; then the engine keeps it, and so do we.
            match image::remove(self.runtime, image).await {
                Ok(was_there) => removed += usize::from(was_there),
                Err(failure) => self.tell(Step::Prune.word(), State::Note, failure.text),
            }
        }
        Ok(match removed {
            0 => String::new(),
            1 => "1 old image".to_owned(),
            _ => format!("{removed} old images"),
        })
    }

    pub(crate) fn manager(&self) -> conductor_systemd::Scope {
        match self.store.scope() {
            Scope::System => conductor_systemd::Scope::System,
            Scope::User => conductor_systemd::Scope::User,
        }
    }
}

pub(crate) fn name(unit: &str) -> Result<UnitName, Failure> {
    unit.parse().map_err(|error: conductor_systemd::InvalidUnitName| Failure::system("systemd", error))
}

fn plural(instances: usize) -> String {
    if instances == 1 { "1 instance".to_owned() } else { format!("{instances} instances") }
}
