//! `conductor deploy`, `rollback`, `restart`, `abort` and `history`.

mod block;
mod dry;
mod live;
mod promote;
mod restart;

use std::path::Path;
use std::process::ExitCode;

use conductor_definition::Site;
use conductor_deploy::{
    Asked, Entry, Failure, FailureKind, Outcome, Request, Rollback as Wanted, Store, Waits, abort, deploy,
    look_ahead,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::ask::{connect, wait_for};
use crate::json;
use crate::services::Services;
use crate::terminal::{FAILURE, print, say};
use crate::whose::{Whose, conductor, manager, may_touch_containers};
use live::Shown;

pub(crate) use promote::{Guard, Promote};
pub(crate) use restart::Restart;

/// Exit statuses, those of sysexits(3) where it has one.
const CONFIGURATION: u8 = 3;
const INTERRUPTED: u8 = 4;
const SYSTEM: u8 = 70;
const LOCKED: u8 = 75;

/// Bring a new release of a service in.
///
/// The definition as it is now, with its image pinned to a digest, becomes a release in the slot that is free. Its
/// instances start beside those that are live; when all are healthy and have settled, the proxy passes requests on to
/// them, the release is made the live one, and the old one is drained and stopped. With strategy = "recreate" the old
/// one is stopped first.
///
/// Healthy and settled is what a release has to be before it takes over. Healthy: the start job of every instance has
/// ended, which it does when the health check was answered well `healthy-after` times in a row. Settled: from then on,
/// for the time that `settle` says, all of it holds for all instances at once: the unit is active, in the run in which it
/// was started (the same InvocationID), systemd has not restarted it (NRestarts), and no health check has failed. A
/// failed check begins the time anew, for as long as `start-within` allows. Nobody waits for what cannot come any more:
/// an instance that ends, with an error or without one, or that systemd gives up (start limit) fails the deploy at once.
/// Without a health check an instance is healthy when it runs.
///
/// Behind a proxy there is a third thing, verified: after the switch each instance has to answer the health check
/// through the proxy. nginx has a socket for that, which only root can open, in /run/conductor/nginx.doors, from the
/// switch until it reloads again; it takes nothing of your own `server` blocks, and so shows nothing of their names,
/// certificates and rules. What is not a request of HTTP/1.1 to the port that the proxy uses is not asked in this way,
/// and HAProxy is asked what it does instead: then the proof is that of the switch itself (nginx's new workers, HAProxy's
/// own answer). So it is too, and said, where nginx may not have a socket there, or rules for all its servers keep us out
/// (`deny`, `auth_basic`) or hold us up for 10 s (`limit_req`). An answer that is not as it should be, or an instance that
/// nginx passes nothing on to, takes the release back: then the old one gets the requests again. No file of nginx's names
/// the socket when the deploy is over. Should a power cut or a kill have come while nginx was told to reload, and nginx
/// not start by hand for an address in use, `conductor proxy render` writes the files anew.
///
/// Every deploy, rollback and restart leaves an entry in the journal when it begins
/// (MESSAGE_ID=873c15ca39f54be89e0e3402039127a9) and when it has ended (21527732a6d54571b439f5a728ffddbd), with the
/// fields CONDUCTOR_SERVICE, CONDUCTOR_ACTION (`deploy`, `rollback`, `restart`), CONDUCTOR_DEPLOY (the same in both),
/// CONDUCTOR_RELEASE and CONDUCTOR_BY; the second has CONDUCTOR_OUTCOME (`released`, `leftovers`, `waiting` in a stage,
/// `undone`, `stuck`; `refused` before anything was changed), CONDUCTOR_IMAGE, CONDUCTOR_SECONDS and CONDUCTOR_FAILURE as well. `journalctl
/// CONDUCTOR_SERVICE=web` shows them among the containers' own lines.
///
/// With `canary` in [deploy], or --canary, some instances start first and get a share of the requests; the others follow
/// after `bake`, or with promote = "manual" when `conductor promote` says so. With --dark the release waits first where
/// only those requests reach it that `dark` of [proxy] describes. What waits outlasts this command, which ends with exit
/// status 0: `conductor promote` lets it go on, `conductor abort` takes it back, and conductor-guard@SERVICE.service does
/// so if it gets unhealthy. With `bake` in [deploy] the old release stays up after the switch, and takes over again if
/// the new one gets unhealthy. A machine that boots during any of this comes up with the release that was live last.
///
/// Whatever goes wrong before the release is live is undone, and the old one is untouched. What was interrupted, by a
/// kill or a power cut, is undone or finished by the next deploy or by `conductor abort`; a machine that boots meanwhile
/// comes up with the release that was live last. SIGINT, SIGTERM and SIGHUP end a deploy before its release is live,
/// and do nothing after that.
///
/// On a terminal the instances are shown as they come up, below a line for each step; where stderr is none, or TERM is
/// `dumb`, there are only the lines. NO_COLOR is respected.
///
/// With --dry-run nothing is done, and it is shown on stdout what would be: the image, pinned if it is on this machine
/// (nothing is fetched); the steps in their order; how the service's units and the proxy's file would differ. What a
/// deploy would refuse before it changes anything, this refuses too, with the same exit status; otherwise it is 0. With
/// --json it is one object: `revision`, `image`, `fetch` (`no`, `yes`, `anew`), `strategy`, `slot`, `live_slot`, `steps`
/// (each with `step` and `text`), `units` and `proxy` (unified diffs, `proxy` null if there is no difference),
/// `running` (who deploys at this moment, or null) and `unfinished` (what would be cleaned up first, or null).
///
/// Exit status: 0 the release is live, or waits in a stage; 1 it does not work; 2 wrong usage; 3 the definition, the image or the proxy's
/// configuration is wrong; 4 it was ended on request; 70 files, systemd or the engine fail; 75 somebody else deploys
/// this service, or a release of it waits in a stage. Only with 0 anything has changed, unless the message says otherwise.
#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    /// The service.
    service: String,
    /// What the release is called, in place of the definition's `revision`.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// Its image, in place of the definition's.
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Leave the release in the dark first, for those who know the door.
    #[arg(long)]
    dark: bool,
    /// Have a canary first, although the definition has none.
    #[arg(long, overrides_with = "no_canary")]
    canary: bool,
    /// Have none, although the definition has one.
    #[arg(long)]
    no_canary: bool,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    output: Output,
}

/// Bring an earlier release back.
///
/// The same walk as that of `conductor deploy`, with a release that was live before and without the command that comes
/// before a release. Exit status: as with `conductor deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// The service.
    service: String,
    /// The last release of this name instead of the one before the live one.
    #[arg(long, value_name = "REV")]
    to: Option<String>,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    output: Output,
}

/// Take back a release that waits in a stage, or clean up after a deploy that was interrupted.
///
/// What waits is stopped, and the old release has all requests again. Of a deploy that was interrupted: if its release
/// is live already, what is left of the old one is stopped; otherwise the new one is, and everything is as it was. Which
/// it was is the last line. The next deploy does that by itself. Exit status: as with `conductor deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Abort {
    /// The service.
    service: String,
    #[command(flatten)]
    output: Output,
}

/// Show the deploys of a service.
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// The service.
    service: String,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct Output {
    /// One JSON object a line on stdout, for each thing that happens.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct Look {
    /// Show what would be done, and do nothing: the image, the steps, and how units and the proxy's file would change.
    #[arg(long)]
    dry_run: bool,
}

impl Deploy {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, revision, image, dark, canary, no_canary, look, output } = self;
        let canary = (canary || no_canary).then_some(canary);
        let stages = Asked { dark, canary };
        let request = Request { revision, image, stages, ..Request::about(service, who()) };
        run(whose, &request, look, output)
    }
}

impl Rollback {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, to, look, output } = self;
        let rollback = Some(to.map_or(Wanted::Previous, Wanted::To));
        run(whose, &Request { rollback, ..Request::about(service, who()) }, look, output)
    }
}

impl Abort {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, output } = self;
        let result = ready(whose, &Request::about(service, who())).and_then(|(site, request)| {
            within(&site, async |systemd, interrupt| {
                let shown = Shown::start(output.json, &systemd);
                abort(&site, &systemd, &request, &mut shown.progress(), &interrupt).await
            })
        });
        match result {
            Ok(None) => {
                say("nothing waits, and nothing was interrupted");
                ExitCode::SUCCESS
            }
            Ok(Some(outcome)) => {
                say(came_of(outcome));
                ExitCode::SUCCESS
            }
            Err(failure) => fail(&failure),
        }
    }
}

/// Where what was not finished has gone.
fn came_of(outcome: Outcome) -> &'static str {
    if outcome.is_live() {
        "finished: its release was live already, and is"
    } else {
        "taken back: what was live before is live"
    }
}

impl History {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        let read = whose.site(Path::new("/")).and_then(|site| {
            let services = Services::look(&site);
            let service = services.name(&self.service)?.to_owned();
            let store = Store::new(&site, &service);
            Ok((
                (manager(&site), conductor(site.scope()), service),
                store.history().map_err(|failure| failure.text)?,
                store.unfinished().map_err(|failure| failure.text)?,
                store.unfinished_restart().map_err(|failure| failure.text)?,
            ))
        });
        let ((scope, conductor, service), entries, unfinished, restart) = match read {
            Ok(read) => read,
            Err(error) => {
                say(&format!("error: {error}"));
                return ExitCode::from(FAILURE);
            }
        };
        // What waits is an entry that has no end yet.
        let waiting = unfinished.as_ref().filter(|record| record.waits.is_some());
        let waiting = waiting.map(|record| record.entry(record.started, Outcome::Waiting, None));
        if self.json {
            return print(&entries.iter().chain(&waiting).map(json::line).collect::<String>());
        }
        let open = unfinished.map(|record| match record.waits {
            Some(stage) => {
                let asking = async {
                    let systemd = connect(scope).await?;
                    Ok(Waits::ask(&systemd, &service, &record).await)
                };
                let said = wait_for(asking).unwrap_or_else(Waits::Unknown);
                let said = said.tell(stage, conductor, &service);
                format!("{}  {} (by {}) {said}", time(record.started), record.revision, record.by)
            }
            None => format!("{}  is not finished: `conductor abort {}`", record.revision, self.service),
        });
        let restart =
            restart.map(|_| format!("a restart  is not finished: `conductor abort {}`", self.service));
        let lines = entries.iter().map(line).chain(open).chain(restart);
        print(&lines.map(|line| line + "\n").collect::<String>())
    }
}

fn line(entry: &Entry) -> String {
    let how = match entry.outcome {
        Outcome::Released if entry.restart => "restarted",
        Outcome::Undone if entry.restart => "ended early",
        Outcome::Released => "released",
        Outcome::Leftovers => "released, with leftovers",
        Outcome::Waiting => "waiting",
        Outcome::Undone => "undone",
        Outcome::Stuck => "stuck",
    };
    let what = match (entry.restart, entry.rollback) {
        (true, _) => "restart",
        (false, true) => "rollback",
        (false, false) => "deploy",
    };
    let why = entry.failure.as_ref().and_then(|text| text.lines().next());
    let why = why.map(|text| format!(": {text}")).unwrap_or_default();
    let took = entry.ended.saturating_sub(entry.started);
    format!("{}  {}  {what} by {} took {took}s, {how}{why}", time(entry.started), entry.revision, entry.by)
}

/// A moment as UTC, in the form of RFC 3339.
fn time(since_1970: u64) -> String {
    let (days, seconds) = (since_1970 / 86_400, since_1970 % 86_400);
    // Days from the civil calendar's eras of 400 years, which begin in March.
    let day = days + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn run(whose: Whose, request: &Request, look: Look, output: Output) -> ExitCode {
    if look.dry_run {
        let result = ready(whose, request).and_then(|(site, request)| {
            let ahead = within(&site, async |systemd, _| look_ahead(&site, &systemd, &request).await)?;
            Ok(dry::show(&site, &ahead, output.json))
        });
        return result.unwrap_or_else(|failure| fail(&failure));
    }
    let result = ready(whose, request).and_then(|(site, request)| {
        within(&site, async |systemd, interrupt| {
            let shown = Shown::start(output.json, &systemd);
            deploy(&site, &systemd, &request, &mut shown.progress(), interrupt).await
        })
        .map(|entry| (entry, request.service))
    });
    tell_end(result)
}

/// How a deploy of a service ended.
fn tell_end(result: Result<(Entry, String), Failure>) -> ExitCode {
    match result {
        Ok((entry, service)) => {
            let end = match entry.outcome {
                Outcome::Leftovers => {
                    "is live, and not all of the old one is gone: run it again or `conductor abort`"
                        .to_owned()
                }
                Outcome::Waiting => {
                    format!("waits: `conductor promote {service}` or `conductor abort {service}`")
                }
                _ => "is live".to_owned(),
            };
            say(&format!("{} {end}", entry.revision));
            ExitCode::SUCCESS
        }
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    let step = failure.step.map(|step| format!("{step}: ")).unwrap_or_default();
    say(&format!("error: {step}{failure}"));
    ExitCode::from(match failure.kind {
        FailureKind::Gate => FAILURE,
        FailureKind::Configuration => CONFIGURATION,
        FailureKind::Interrupted => INTERRUPTED,
        FailureKind::System => SYSTEM,
        FailureKind::Locked => LOCKED,
    })
}

/// The site, and the request with the name that the service really has.
fn ready(whose: Whose, request: &Request) -> Result<(Site, Request), Failure> {
    let wrong = |text| Failure::new(FailureKind::Configuration, text);
    let site = whose.site(Path::new("/")).map_err(wrong)?;
    may_touch_containers(&site).map_err(wrong)?;
    let service = Services::look(&site).name(&request.service).map_err(wrong)?.to_owned();
    Ok((site, Request { service, ..request.clone() }))
}

/// Runs with a connection to systemd, and listens for those who ask for an end.
fn within<T>(
    site: &Site,
    work: impl AsyncFnOnce(conductor_systemd::Systemd, watch::Receiver<bool>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let system = |text: String| Failure::new(FailureKind::System, text);
    wait_for(async {
        let (asked, interrupt) = watch::channel(false);
        let listen = |kind| signal(kind).map_err(|error| format!("cannot listen for signals: {error}"));
        let (mut int, mut term, mut hup) = (
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        );
        let systemd = connect(manager(site)).await?;
        let listening = async {
            let mut work = std::pin::pin!(work(systemd, interrupt));
            loop {
                tokio::select! {
                    result = &mut work => return result,
                    _ = int.recv() => {}
                    _ = term.recv() => {}
                    _ = hup.recv() => {}
                }
                asked.send_replace(true);
            }
        };
        Ok(tokio::task::LocalSet::new().run_until(listening).await)
    })
    .map_err(system)?
}

/// Who runs it, by name; behind sudo, who ran that.
fn who() -> String {
    let sudo = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    let user = || nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|user| user.name);
    sudo.or_else(user).unwrap_or_else(|| nix::unistd::getuid().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_abort_comes_to() {
        assert_eq!(came_of(Outcome::Undone), "taken back: what was live before is live");
        assert_eq!(came_of(Outcome::Leftovers), "finished: its release was live already, and is");
    }

    #[test]
    fn moments() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(time(1_795_305_599), "2026-11-21T23:59:59Z");
    }
}
