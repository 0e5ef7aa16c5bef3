//! `conductor abort`.

use std::process::ExitCode;

use conductor_deploy::{Aborted, Request, abort};

use super::live::Shown;
use super::{Output, fail, ready, who, within};
use crate::terminal::say;
use crate::whose::Whose;

/// End a deploy: one that runs, one that waits in a stage, or what is left of one that was interrupted.
///
/// A deploy, rollback, promotion or restart that runs in another terminal is asked to end, as Ctrl-C does it there, and
/// waited for, up to five minutes. What waits is stopped, and the old release has all requests again. Of a deploy that was
/// interrupted: if its release is live already, what is left of the old one is stopped; otherwise the new one is, and
/// everything is as it was. Which it was is the last line. The next deploy cleans up by itself, and so does
/// conductor-guard@SERVICE.service after a deploy that has stages: if that is at it, it is waited for.
///
/// Exit status: as with `conductor deploy`; 75 if whoever was asked to end is still at it, or is no command of
/// Conductor's.
#[derive(Debug, clap::Args)]
pub(crate) struct Abort {
    /// The service.
    service: String,
    #[command(flatten)]
    output: Output,
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
            Ok(aborted) => {
                say(came_of(aborted));
                ExitCode::SUCCESS
            }
            Err(failure) => fail(&failure),
        }
    }
}

/// Where what was not finished has gone.
fn came_of(aborted: Aborted) -> &'static str {
    match aborted {
        Aborted::Nothing => "nothing runs or waits, and nothing was interrupted",
        Aborted::Ended => "ended: nothing was to be undone",
        Aborted::Finished(outcome) if outcome.is_live() => "finished: its release was live already, and is",
        Aborted::Finished(_) => "taken back: what was live before is live",
        Aborted::Restart => "ended: no further instance is restarted, and none is left half-way",
    }
}

#[cfg(test)]
mod tests {
    use conductor_deploy::Outcome;

    use super::*;

    #[test]
    fn what_an_abort_comes_to() {
        for (aborted, said) in [
            (Aborted::Nothing, "nothing runs or waits, and nothing was interrupted"),
            (Aborted::Ended, "ended: nothing was to be undone"),
            (Aborted::Finished(Outcome::Undone), "taken back: what was live before is live"),
            (Aborted::Restart, "ended: no further instance is restarted, and none is left half-way"),
            (Aborted::Finished(Outcome::Leftovers), "finished: its release was live already, and is"),
        ] {
            assert_eq!(came_of(aborted), said);
        }
    }
}
