//! `conductor restart`.

use std::process::ExitCode;

use conductor_deploy::{Request, restart};

use super::live::Shown;
use super::{Output, fail, ready, who, within};
use crate::terminal::say;
use crate::whose::Whose;

/// Restart a service, one instance at a time.
///
/// Each instance is restarted by systemd, and the next one only when it is healthy again. What does not come back ends
/// the restart: the instances that are left are not touched. Behind a proxy each instance leaves the upstream before it
/// is restarted, and is waited for until nobody uses it any more (`drain`); it comes back when it is healthy. A single
/// instance behind a proxy is deployed anew, as the release that it is, into the other slot. So no request is lost, as
/// with `conductor deploy`. Without a proxy, or with a single instance and strategy = "recreate", the requests to the
/// instance that is being restarted are lost.
///
/// `systemctl restart` restarts all instances at once, and asks no proxy.
///
/// SIGINT, SIGTERM and SIGHUP end it before the next instance. What was interrupted, by a kill or a power cut, is
/// cleaned up by the next `conductor restart`, `deploy` or `abort`: the one instance is started, and all are in the upstream.
///
/// Exit status: as with `conductor deploy`; 1 if an instance did not get healthy.
#[derive(Debug, clap::Args)]
pub(crate) struct Restart {
    /// The service.
    service: String,
    #[command(flatten)]
    output: Output,
}

impl Restart {
    pub(crate) fn run(self, whose: Whose) -> ExitCode {
        let Self { service, output } = self;
        let request = Request::about(service, who());
        let result = ready(whose, &request).and_then(|(site, request)| {
            within(&site, async |systemd, interrupt| {
                let shown = Shown::start(output.json, &systemd);
                restart(&site, &systemd, &request, &mut shown.progress(), interrupt).await
            })
        });
        match result {
            Ok(entry) => {
                say(&format!("{} is restarted", name(&request.service, &entry.revision)));
                ExitCode::SUCCESS
            }
            Err(failure) => fail(&failure),
        }
    }
}

fn name(service: &str, revision: &str) -> String {
    if revision.is_empty() { service.to_owned() } else { format!("{service} {revision}") }
}
