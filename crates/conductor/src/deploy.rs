//! `conductor deploy` and `rollback`, and what the other commands about deploys have in common with them.

mod abort;
mod block;
mod dry;
mod history;
mod live;
mod promote;
mod restart;
mod within;

use std::path::Path;
use std::process::ExitCode;

use conductor_definition::Site;
use conductor_deploy::{
    Asked, Entry, Failure, FailureKind, Outcome, Request, Rollback as Wanted, deploy, look_ahead,
};

use crate::services::Services;
use crate::terminal::{FAILURE, say};
use crate::whose::{Whose, may_touch_containers};
use live::Shown;
use within::within;

pub(crate) use abort::Abort;
pub(crate) use history::History;
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
/// comes up with the release that was live last. Should a deploy that has stages be killed, its guard, the unit
/// conductor-guard@SERVICE.service, undoes or finishes it at once: no release keeps requests that nobody watches. SIGINT,
/// SIGTERM and SIGHUP end a deploy before its release is live, as `conductor abort` does from elsewhere, and do nothing
/// after that. While the machine shuts down they end it at once, wherever it is: a shutdown waits for no drain.
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
/// this service, its guard clears up, or a release of it waits in a stage. Only with 0 anything has changed, unless the message says otherwise.
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

/// Who runs it, by name; behind sudo, who ran that.
fn who() -> String {
    let sudo = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    let user = || nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|user| user.name);
    sudo.or_else(user).unwrap_or_else(|| nix::unistd::getuid().to_string())
}
