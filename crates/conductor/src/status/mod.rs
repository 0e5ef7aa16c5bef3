//! `conductor status`

mod collect;
mod deploy;
mod health;
mod model;
mod release;
mod show;
mod text;
mod usage;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use conductor_definition::Site;
use conductor_systemd::{UnitName, Watch};

use crate::ask::{connect, wait_for};
use crate::json;
use crate::services::{Root, Services, own_directory};
use crate::terminal::{FAILURE, colour_on_stdout, print, print_next, say};
use crate::whose::{Whose, manager};
use collect::collect;
use model::Status;

/// Show services and what their containers are doing.
///
/// One line a container: the release that it was started with, the state of its unit, health, since when it is in that state, how often
/// systemd restarted it by itself, memory and processor time so far. Below stands what wants a hand: a
/// broken definition, a reload or a restart that is due, a deploy that runs or was interrupted, and what the health checker says where not all
/// is well. Health is that of the service where the checker watches several containers: `1 of 2` says so.
///
/// With --json: `services`, each with `name`, `definition` (its file or null), `problem` (the first error
/// of a broken definition, or null), `notes`, `checks` (what the health checker says, or null) and
/// `instances`, each with `instance` (null where there is only one), `release` (the definition's revision, or what the
/// image's name says), `unit`, `load`, `active`, `sub`, `result`,
/// `health` (`healthy`, `partly`, `unhealthy`, `unchecked`, `unknown`; null without health check), `since` (UTC),
/// `restarts`, `memory` (bytes), `cpu` (seconds), `daemon_reload_needed` and `restart_needed`. What is not known
/// is null. `deploy` is null, or a deploy or restart that has not ended: `what` (`deploy`, `rollback`, `restart`),
/// `release`, `by`, `since`, `step` (the last one that was begun), `waits` (`dark` or `canary` if it was left in that stage, or null),
/// `waiting` (how it fares there: `watched`, `unwatched`, or an object with `gone` or `unknown` and the reason; null if it
/// does not wait) and `running` (who is at it, or null if it waits or was interrupted). With --watch, one such object a line.
///
/// Exit status: 0 shown, whatever the state; 1 no such service, or systemd cannot be asked; 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusCommand {
    /// The services; all, if none is named.
    #[arg(value_name = "SERVICE")]
    services: Vec<String>,
    /// For scripts.
    #[arg(long)]
    json: bool,
    /// Show it again whenever something changes, at the latest every two seconds; Ctrl-C ends it.
    #[arg(long, short)]
    watch: bool,
    #[command(flatten)]
    root: Root,
}

/// What changes without a signal, such as memory, is read this often.
const PERIOD: Duration = Duration::from_secs(2);

/// A start is a burst of signals: they are shown together.
const BURST: Duration = Duration::from_millis(100);

impl StatusCommand {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        let done = self.root.site(whose).and_then(|site| {
            wait_for(async { if self.watch { self.follow(&site).await } else { self.once(&site).await } })
        });
        match done {
            Ok(code) => code,
            Err(error) => {
                say(&format!("error: {error}"));
                ExitCode::from(FAILURE)
            }
        }
    }

    async fn once(&self, site: &Site) -> Result<ExitCode, String> {
        // Names are checked before systemd is asked: the mistake that is ours to explain comes first.
        let asked = self.names(site)?;
        let status = collect(site, &asked, &connect(manager(site)).await?).await?;
        Ok(if self.json {
            print_json(&status)
        } else {
            print(&show::text(&status, &own_directory(site), now(), colour_on_stdout()))
        })
    }

    async fn follow(&self, site: &Site) -> Result<ExitCode, String> {
        let asked = self.names(site)?;
        let manager = manager(site);
        let mut watched: Vec<UnitName> = Vec::new();
        let mut watch = Watch::start(manager, Vec::new());
        let mut systemd = connect(manager).await?;
        loop {
            match collect(site, &asked, &systemd).await {
                Ok(status) => {
                    if !self.draw(site, &status) {
                        return Ok(ExitCode::SUCCESS);
                    }
                    let units = status.units();
                    if units != watched {
                        watch = Watch::start(manager, units.clone());
                        watched = units;
                    }
                }
                // systemd leaves the bus for a moment at daemon-reexec.
                Err(error) => {
                    say(&format!("error: {error}"));
                    tokio::time::sleep(PERIOD).await;
                    if let Ok(again) = connect(manager).await {
                        systemd = again;
                    }
                }
            }
            // The end of the period is no error.
            let _ = tokio::time::timeout(PERIOD, watch.changed()).await;
            tokio::time::sleep(BURST).await;
            drop(watch.seen());
        }
    }

    fn names(&self, site: &Site) -> Result<Vec<String>, String> {
        let services = Services::look(site);
        let asked: Vec<String> = self
            .services
            .iter()
            .map(|asked| services.name(asked).map(str::to_owned))
            .collect::<Result<_, _>>()?;
        self.root.must_run("status is")?;
        Ok(asked)
    }

    /// False if nobody looks any more.
    fn draw(&self, site: &Site, status: &Status) -> bool {
        if self.json {
            return print_next(&json::line(status));
        }
        let text = show::text(status, &own_directory(site), now(), colour_on_stdout());
        // To the upper left corner, and what is below is cleared.
        let clear = if std::io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        print_next(&format!("{clear}{text}"))
    }
}

fn print_json(status: &Status) -> ExitCode {
    match serde_json::to_string_pretty(status) {
        Ok(text) => print(&format!("{text}\n")),
        Err(error) => {
            say(&format!("error: cannot be written as JSON: {error}: please report it"));
            ExitCode::from(FAILURE)
        }
    }
}

/// The time since 1970.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
