//! `conductor promote` and `conductor guard`: releases that wait in a stage.

use std::process::ExitCode;

use conductor_deploy::{FailureKind, GUARD, Request, guard, promote};

use super::live::Shown;
use super::{Output, fail, ready, tell_end, who, within};
use crate::terminal::say;
use crate::whose::Whose;

/// Let a release go on that waits in a stage.
///
/// From the dark it becomes a canary, if the deploy has one, and otherwise the live release; a canary becomes the live
/// release. All that is left of the walk of `conductor deploy` follows: the other instances start and settle, and the
/// proxy switches. Should that fail, everything is undone, and the old release has all requests again.
///
/// Nothing is done if the release is not any more what it was when it settled: after a boot, or if an instance was
/// restarted. Exit status: as with `conductor deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Promote {
    /// The service.
    service: String,
    #[command(flatten)]
    output: Output,
}

/// Look after a release that comes in by stages: take it back if it gets unhealthy while it waits, and clear up after
/// commands that are killed.
///
/// `conductor deploy` and `conductor promote` have systemd start it, as conductor-guard@SERVICE.service, if the deploy has
/// stages. It ends when the deploy has ended; while a command is at it, it only waits, and should that command be killed,
/// it goes back, or forward if the release is live already, as `conductor abort` would. Of a release that waits it is the
/// only one that watches: what is unhealthy is told in conductor-service(5) under Stages. While the machine shuts down it
/// takes nothing back, and ends at once. What it cannot clear up it tries again, after ten seconds at first and five minutes
/// in the end. What it does is in its log and in `conductor history`.
///
/// Exit status: 0 the deploy has ended; otherwise as with `conductor deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Guard {
    /// The service.
    service: String,
}

impl Promote {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, output } = self;
        let result = ready(whose, &Request::about(service, who())).and_then(|(site, request)| {
            within(&site, async |systemd, interrupt| {
                let shown = Shown::start(output.json, &systemd);
                promote(&site, &systemd, &request, &mut shown.progress(), interrupt).await
            })
            .map(|entry| (entry, request.service))
        });
        tell_end(result)
    }
}

impl Guard {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let result = ready(whose, &Request::about(self.service, GUARD)).and_then(|(site, request)| {
            within(&site, async |systemd, interrupt| {
                let shown = Shown::start(false, &systemd);
                guard(&site, &systemd, &request, &mut shown.progress(), interrupt).await
            })
        });
        match result {
            Ok(None) => ExitCode::SUCCESS,
            Ok(Some(_)) => {
                say("`conductor history` says what the guard has ended, and why");
                ExitCode::SUCCESS
            }
            // It has ended with the machine, in good order.
            Err(failure) if failure.kind == FailureKind::Interrupted => {
                say(&failure.text);
                ExitCode::SUCCESS
            }
            Err(failure) => fail(&failure),
        }
    }
}
