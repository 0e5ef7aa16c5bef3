//! The steps of stages: showing a release to some, watching it, and leaving it there.

use std::time::{Duration, Instant};

use conductor_proxy::{Dark, Difference, Door, Proxy as _, Server, Share, Upstream, shared};
use conductor_systemd::Job;

use crate::bake::{Sight, bake};
use crate::host::{Host, name};
use crate::progress::State;
use crate::record::{Record, SideRecord};
use crate::settle::{Settling, look, settle};
use crate::stage::DoorRecord;
use crate::vigil::{Baking, Runs, Vigil};
use crate::{Failure, Stage, Step, proxied, why};

impl Record {
    /// The part of the new release that the first stage is about.
    pub(crate) fn first(&self) -> SideRecord {
        let SideRecord { mut instances, mut servers, .. } = self.new.clone();
        let number = self.stages.canary.as_ref().map_or(instances.len(), |canary| canary.instances);
        instances.truncate(number);
        servers.truncate(number);
        SideRecord { instances, servers, ..self.new.clone() }
    }

    /// The upstream as a stage has it.
    pub(crate) fn shown(&self, stage: Stage) -> Result<Upstream, Failure> {
        let old = self.upstream(&self.old)?;
        let first = self.upstream(&self.first())?.servers;
        match (stage, &self.stages.dark, &self.stages.canary) {
            (Stage::Dark, Some(dark), _) => {
                Ok(Upstream { dark: Some(Dark { servers: first, door: door(dark)? }), ..old })
            }
            (Stage::Canary, _, Some(canary)) => {
                let addresses =
                    |servers: Vec<Server>| servers.into_iter().map(|server| server.address).collect();
                let servers = match canary.share.and_then(Share::percent) {
                    Some(share) => shared(addresses(old.servers), addresses(first), share),
                    None => old.servers.into_iter().chain(first).collect(),
                };
                Ok(Upstream { servers, ..old })
            }
            _ => Err(Failure::system("the proxy", format!("this deploy is never {stage}"))),
        }
    }

    /// The upstream with the whole of one release.
    pub(crate) fn upstream(&self, side: &SideRecord) -> Result<Upstream, Failure> {
        proxied::upstream(self.proxy.as_ref(), side.servers.iter().map(String::as_str))
    }
}

fn door(door: &DoorRecord) -> Result<Door, Failure> {
    let word = |text: &String| text.parse().map_err(|error| Failure::system("the door", error));
    Ok(match door {
        DoorRecord::Header(name, value) => Door::Header(word(name)?, word(value)?),
        DoorRecord::Cookie(name, value) => Door::Cookie(word(name)?, word(value)?),
        DoorRecord::Listen(address) => {
            Door::Listen(address.parse().map_err(|error| Failure::system("the door", error))?)
        }
    })
}

/// The unit that watches a stage in which nobody else does, and clears up after those who were killed.
pub(crate) fn guard(service: &str) -> String {
    format!("conductor-guard@{service}.service")
}

impl Host<'_> {
    /// Starts the instances of the first stage alone.
    pub(crate) async fn start_first(&mut self) -> Result<String, Failure> {
        let first = self.record.first();
        self.start_instances(&first).await?;
        Ok(format!("{} of {} up", first.instances.len(), self.record.new.instances.len()))
    }

    pub(crate) async fn settle_first(&mut self) -> Result<(), Failure> {
        let units = self.record.first().instances;
        self.settle(&units).await
    }

    /// Watches instances until they have settled, and remembers in which runs.
    pub(crate) async fn settle(&mut self, units: &[String]) -> Result<(), Failure> {
        let Some(fresh) = &self.fresh else { return Ok(()) };
        let checks = fresh.settling.checks.iter().take(units.len()).cloned().collect();
        let settled = settle(&self.systemd, units, &Settling { checks, ..fresh.settling.clone() }).await;
        why::told(&self.systemd, self.store.scope(), units, settled).await?;
        self.record.runs = names(&look(&self.systemd, units).await?);
        Ok(())
    }

    /// Has the proxy show the first instances, and tells how they are reached.
    pub(crate) async fn show(&mut self, stage: Stage) -> Result<String, Failure> {
        let upstream = self.record.shown(stage)?;
        self.proxy()?.switch(&upstream).await?;
        Ok(match (stage, &self.record.stages.dark, &self.record.stages.canary) {
            (Stage::Dark, Some(door), _) => format!("reached by {door}"),
            (Stage::Canary, _, Some(canary)) => match canary.share {
                Some(share) => format!("{share} % of the requests"),
                None => {
                    format!("{} of {} servers", self.record.first().servers.len(), upstream.servers.len())
                }
            },
            _ => String::new(),
        })
    }

    /// Watches instances that have requests. `shown` is what the proxy has to know meanwhile.
    pub(crate) async fn bake(
        &mut self,
        step: Step,
        side: &SideRecord,
        shown: &Upstream,
        time: Duration,
    ) -> Result<String, Failure> {
        let begin = Instant::now();
        let baked = self.watched(step, side, shown, time).await;
        why::told(&self.systemd, self.store.scope(), &side.instances, baked).await?;
        Ok(format!("healthy for {} s", begin.elapsed().as_secs()))
    }

    async fn watched(
        &mut self,
        step: Step,
        side: &SideRecord,
        shown: &Upstream,
        time: Duration,
    ) -> Result<(), Failure> {
        let Some(fresh) = &self.fresh else { return Ok(()) };
        let runs = look(&self.systemd, &side.instances).await?;
        if names(&runs) != self.record.runs {
            return Err(Failure::gate("an instance was restarted since it had settled"));
        }
        let vigil = self.vigil((&side.instances, runs), fresh.baking, &fresh.settling.checks)?;
        bake(&mut Seen { host: self, vigil, shown, step }, time).await
    }

    pub(crate) fn vigil(
        &self,
        (units, runs): (&[String], Runs),
        how: Baking,
        checks: &[Vec<String>],
    ) -> Result<Vigil, Failure> {
        let checks = checks.iter().take(units.len()).cloned().collect();
        Vigil::new(&self.systemd, self.manager(), (units, runs), how, checks)
    }

    /// A proxy that was started anew has read which release is live, and nothing of stages.
    pub(crate) async fn still_shown(&self, shown: &Upstream) -> Result<(), Failure> {
        let proxy = self.proxy()?;
        if proxy.difference(shown).await? != Difference::None {
            proxy.switch(shown).await?;
        }
        Ok(())
    }

    /// Has a unit of its own look after the deploy. Anew: one that runs may be that of an earlier deploy, and about to end.
    pub(crate) async fn guarded(&self) -> Result<String, Failure> {
        let unit = guard(self.store.name());
        self.systemd.forget_failures(&name(&unit)?).await?;
        let end = self.job(Job::Restart, &unit).await?;
        if !end.is_done() {
            return Err(Failure::system(
                format!("starting {unit}, which is to look after the release"),
                format!("it ended with \"{end}\": `systemctl status {unit}` says why"),
            ));
        }
        Ok(format!("{unit} stands by"))
    }

    /// Leaves the release in a stage: from here on its guard watches it.
    pub(crate) async fn hold(&mut self, step: Step) -> Result<String, Failure> {
        let unit = guard(self.store.name());
        self.guarded().await?;
        // Only now: what is recorded as waiting has somebody who watches it.
        self.record.waits = step.holds();
        self.store.record(&self.record)?;
        Ok(format!("{unit} watches it"))
    }
}

/// A release of this machine, and its proxy.
struct Seen<'a, 'b> {
    host: &'a mut Host<'b>,
    vigil: Vigil,
    shown: &'a Upstream,
    step: Step,
}

impl Sight for Seen<'_, '_> {
    async fn look(&mut self, limit: Duration) -> Result<(), Failure> {
        self.vigil.look(limit).await?;
        self.host.still_shown(self.shown).await
    }

    fn is_well(&self) -> bool {
        self.vigil.is_well()
    }

    fn tell(&mut self, text: String) {
        self.host.tell(self.step.word(), State::Note, text);
    }
}

pub(crate) fn names(runs: &Runs) -> Vec<String> {
    runs.iter().map(|(run, _)| run.to_string()).collect()
}
