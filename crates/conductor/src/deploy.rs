//! `conductor deploy`, `rollback`, `abort` and `history`.

use std::path::Path;
use std::process::ExitCode;

use conductor_definition::Site;
use conductor_deploy::{
    Asked, Entry, Event, Failure, FailureKind, Outcome, Progress, Request, Rollback as Wanted, State, Store,
    abort, deploy,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::ask::{connect, wait_for};
use crate::json;
use crate::services::Services;
use crate::terminal::{FAILURE, print, say};
use crate::whose::{Whose, manager, may_touch_containers};

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
/// Settled means: for the time that `settle` says, every instance is up in the run in which it was started, and no check
/// of it has failed. A failed check begins the time anew; a restart fails the deploy.
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
    output: Output,
}

/// Take back a release that waits in a stage, or clean up after a deploy that was interrupted.
///
/// What waits is stopped, and the old release has all requests again. Of a deploy that was interrupted: if its release
/// is live already, what is left of the old one is stopped; otherwise the new one is, and everything is as it was. The
/// next deploy does that by itself. Exit status: as with `conductor deploy`.
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
pub(crate) struct Output {
    /// One JSON object a line on stdout, for each thing that happens.
    #[arg(long)]
    json: bool,
}

impl Output {
    /// Lines for people.
    pub(crate) const PLAIN: Self = Self { json: false };
}

impl Deploy {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, revision, image, dark, canary, no_canary, output } = self;
        let canary = (canary || no_canary).then_some(canary);
        let stages = Asked { dark, canary };
        run(whose, &Request { revision, image, stages, ..Request::about(service, who()) }, output)
    }
}

impl Rollback {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, to, output } = self;
        let rollback = Some(to.map_or(Wanted::Previous, Wanted::To));
        run(whose, &Request { rollback, ..Request::about(service, who()) }, output)
    }
}

impl Abort {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, output } = self;
        let result = ready(whose, &Request::about(service, who())).and_then(|(site, request)| {
            within(&site, async |systemd, interrupt| {
                abort(&site, &systemd, &request, &mut Teller::new(output), &interrupt).await
            })
        });
        match result {
            Ok(None) => {
                say("nothing waits, and nothing was interrupted");
                ExitCode::SUCCESS
            }
            Ok(Some(_)) => ExitCode::SUCCESS,
            Err(failure) => fail(&failure),
        }
    }
}

impl History {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        let read = whose.site(Path::new("/")).and_then(|site| {
            let services = Services::look(&site);
            let store = Store::new(&site, services.name(&self.service)?);
            Ok((
                store.history().map_err(|failure| failure.text)?,
                store.unfinished().map_err(|failure| failure.text)?,
            ))
        });
        let (entries, unfinished) = match read {
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
            Some(stage) => format!("{}  {}", time(record.started), record.waiting(&self.service, stage)),
            None => format!("{}  is not finished: `conductor abort {}`", record.revision, self.service),
        });
        let lines = entries.iter().map(line).chain(open);
        print(&lines.map(|line| line + "\n").collect::<String>())
    }
}

fn line(entry: &Entry) -> String {
    let how = match entry.outcome {
        Outcome::Released => "released",
        Outcome::Leftovers => "released, with leftovers",
        Outcome::Waiting => "waiting",
        Outcome::Undone => "undone",
        Outcome::Stuck => "stuck",
    };
    let what = if entry.rollback { "rollback" } else { "deploy" };
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

fn run(whose: Whose, request: &Request, output: Output) -> ExitCode {
    let result = ready(whose, request).and_then(|(site, request)| {
        within(&site, async |systemd, interrupt| {
            deploy(&site, &systemd, &request, &mut Teller::new(output), interrupt).await
        })
        .map(|entry| (entry, request.service))
    });
    tell_end(result)
}

/// How a deploy of a service ended.
pub(crate) fn tell_end(result: Result<(Entry, String), Failure>) -> ExitCode {
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

pub(crate) fn fail(failure: &Failure) -> ExitCode {
    say(&format!("error: {failure}"));
    ExitCode::from(match failure.kind {
        FailureKind::Gate => FAILURE,
        FailureKind::Configuration => CONFIGURATION,
        FailureKind::Interrupted => INTERRUPTED,
        FailureKind::System => SYSTEM,
        FailureKind::Locked => LOCKED,
    })
}

/// The site, and the request with the name that the service really has.
pub(crate) fn ready(whose: Whose, request: &Request) -> Result<(Site, Request), Failure> {
    let wrong = |text| Failure::new(FailureKind::Configuration, text);
    let site = whose.site(Path::new("/")).map_err(wrong)?;
    may_touch_containers(&site).map_err(wrong)?;
    let service = Services::look(&site).name(&request.service).map_err(wrong)?.to_owned();
    Ok((site, Request { service, ..request.clone() }))
}

/// Runs with a connection to systemd, and listens for those who ask for an end.
pub(crate) fn within<T>(
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
        let mut work = std::pin::pin!(work(systemd, interrupt));
        loop {
            tokio::select! {
                result = &mut work => return Ok(result),
                _ = int.recv() => {}
                _ = term.recv() => {}
                _ = hup.recv() => {}
            }
            asked.send_replace(true);
        }
    })
    .map_err(system)?
}

/// Who runs it, by name; behind sudo, who ran that.
pub(crate) fn who() -> String {
    let sudo = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    let user = || nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|user| user.name);
    sudo.or_else(user).unwrap_or_else(|| nix::unistd::getuid().to_string())
}

/// Tells what happens, a line for each thing.
pub(crate) struct Teller {
    output: Output,
    /// Whether something has failed: what did first is told in full at the end, as the reason for all the rest.
    has_failed: bool,
}

impl Teller {
    pub(crate) fn new(output: Output) -> Self {
        Self { output, has_failed: false }
    }
}

impl Progress for Teller {
    fn tell(&mut self, event: &Event) {
        if self.output.json {
            print(&json::line(event));
            return;
        }
        let Event { at, step, state, text } = event;
        let rest = match state {
            State::Begins => return,
            State::Done if text.is_empty() => String::new(),
            State::Note | State::Done => format!(": {text}"),
            State::Failed if std::mem::replace(&mut self.has_failed, true) => format!(" failed: {text}"),
            State::Failed => format!(" failed: {}", text.lines().next().unwrap_or_default()),
        };
        say(&format!("[{:>3}.{} s] {step}{rest}", at / 1000, at % 1000 / 100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(time(1_795_305_599), "2026-11-21T23:59:59Z");
    }
}
