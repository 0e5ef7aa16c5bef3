//! `conductor history`.

use std::path::Path;
use std::process::ExitCode;

use conductor_deploy::{Entry, Outcome, Store, Waits};

use crate::ask::{connect, wait_for};
use crate::json;
use crate::services::Services;
use crate::terminal::{FAILURE, print, say};
use crate::whose::{Whose, conductor, manager};

/// Show the deploys of a service.
#[derive(Debug, clap::Args)]
pub(crate) struct History {
    /// The service.
    service: String,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
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
