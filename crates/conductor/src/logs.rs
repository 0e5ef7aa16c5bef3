//! `conductor logs`

use std::process::ExitCode;

use conductor_definition::{Scope, Site};

use crate::program::become_program;
use crate::services::{Root, Services, chosen};
use crate::terminal::{FAILURE, say};
use crate::whose::Whose;

/// Show what a service's containers have written.
///
/// Runs journalctl(1) with the names of the service's units, so its pager, its filters by time and its
/// rules about who may read the journal apply. With --all, the health checker and the fetching of the
/// image are shown as well.
///
/// Exit status: that of journalctl; 1 if there is no such service, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// The service.
    service: String,
    /// Show new lines as they are written.
    #[arg(long, short)]
    follow: bool,
    /// Show the last N lines; `all` shows every one, even with --follow.
    #[arg(long, short = 'n', value_name = "N")]
    lines: Option<String>,
    /// Begin here, such as `today`, `-1h` or `2026-11-22 04:00`; see systemd.time(7).
    #[arg(long, short = 'S', value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only the container of this number.
    #[arg(long, short, value_name = "NUMBER")]
    instance: Option<u16>,
    /// The health checker and the fetching of the image too.
    #[arg(long, short)]
    all: bool,
    #[command(flatten)]
    root: Root,
}

impl Logs {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        match self.root.site(whose).and_then(|site| self.arguments(&site)) {
            Ok(arguments) => become_program("journalctl", &arguments),
            Err(error) => {
                say(&format!("error: {error}"));
                ExitCode::from(FAILURE)
            }
        }
    }

    fn arguments(&self, site: &Site) -> Result<Vec<String>, String> {
        let units = Services::look(site).units(&self.service)?;
        let containers =
            chosen(&self.service, &units, self.instance)?.into_iter().map(|instance| instance.unit);
        let others = self.all.then(|| units.health.iter().chain(&units.pull).cloned());
        let mut names: Vec<String> = containers.chain(others.into_iter().flatten()).collect();
        if names.is_empty() {
            // A stub, whose log says what is wrong with the definition.
            names.push(units.start);
        }
        let unit_options = names.into_iter().map(|unit| format!("--unit={unit}"));
        let rest = [
            self.follow.then(|| "--follow".to_owned()),
            self.lines.as_ref().map(|lines| format!("--lines={lines}")),
            self.since.as_ref().map(|since| format!("--since={since}")),
        ];
        // The journal of the machine or image that the definitions are from.
        let root = (!self.root.is_running()).then(|| format!("--root={}", self.root.root.display()));
        let whose = (site.scope() == Scope::User).then(|| "--user".to_owned());
        Ok(root.into_iter().chain(whose).chain(unit_options).chain(rest.into_iter().flatten()).collect())
    }
}
