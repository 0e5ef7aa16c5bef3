//! `conductor enable` and `conductor disable`

use std::process::ExitCode;

use conductor_definition::{Candidate, Kind, Scope, Site, find};
use conductor_units::systemctl;

use crate::edit::{Edit, set_enabled};
use crate::program;
use crate::services::{Root, Services, own_directory};
use crate::terminal::{FAILURE, say};
use crate::whose::{Whose, conductor};

/// Have a service start at boot.
///
/// Sets `enabled = true` in its definition in /etc/conductor/services, or with --user in
/// ~/.config/conductor/services; everything else in the file, comments included, stays as it is. Generated units
/// cannot be enabled with systemctl. A user's services start with the user's systemd: at login, or at boot after
/// `loginctl enable-linger`.
///
/// Exit status: 0 done or already so, 1 not possible, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Enable {
    #[command(flatten)]
    what: What,
}

/// Have a service not start at boot.
///
/// Sets `enabled = false` in its definition in /etc/conductor/services, or with --user in
/// ~/.config/conductor/services; everything else in the file, comments included, stays as it is. It can still be started with systemctl.
///
/// Exit status: 0 done or already so, 1 not possible, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Disable {
    #[command(flatten)]
    what: What,
}

#[derive(Debug, clap::Args)]
struct What {
    /// The services.
    #[arg(required = true, value_name = "SERVICE")]
    services: Vec<String>,
    /// Reload systemd, and start or stop the services at once.
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    root: Root,
}

impl Enable {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        self.what.run(whose, true)
    }
}

impl Disable {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        self.what.run(whose, false)
    }
}

impl What {
    fn run(&self, whose: Whose, enabled: bool) -> ExitCode {
        match self.root.site(whose).and_then(|site| self.all(&site, enabled)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&format!("error: {error}"));
                ExitCode::from(FAILURE)
            }
        }
    }

    fn all(&self, site: &Site, enabled: bool) -> Result<(), String> {
        if self.now && !self.root.is_running() {
            return Err("--now is for the machine that runs: leave out --now, or --root".to_owned());
        }
        let services = Services::look(site);
        // Everything is looked up before anything is changed.
        let files: Vec<(&str, Candidate)> = self
            .services
            .iter()
            .map(|asked| services.name(asked).and_then(|name| Ok((name, editable(site, name)?))))
            .collect::<Result<_, _>>()?;
        let word = if enabled { "enabled" } else { "disabled" };
        let mut changed = false;
        for (name, file) in &files {
            match set_enabled(file.main.real(), enabled, site.scope())
                .map_err(|why| format!("{}: {why}", file.main.path.display()))?
            {
                Edit::Changed => {
                    changed = true;
                    say(&format!("{name} is {word} now ({})", file.main.path.display()));
                    if !file.drop_ins().is_empty() {
                        let conductor = conductor(site.scope());
                        say(&format!(
                            "it has drop-ins, which have the last word: `{conductor} status` shows what counts"
                        ));
                    }
                }
                Edit::Same => say(&format!("{name} is {word} already")),
            }
        }
        if self.now {
            return apply(site, enabled, &files);
        }
        if changed && self.root.is_running() {
            let systemctl = systemctl(site.scope());
            say(&format!("`{systemctl} daemon-reload` makes it known to systemd; what runs is not touched"));
        }
        Ok(())
    }
}

fn apply(site: &Site, enabled: bool, files: &[(&str, Candidate)]) -> Result<(), String> {
    let whose: &[&str] = match site.scope() {
        Scope::System => &[],
        Scope::User => &["--user"],
    };
    let systemctl = |words: &[&str]| program::run("systemctl", &[whose, words].concat());
    systemctl(&["daemon-reload"])?;
    let services = Services::look(site);
    for (name, _) in files {
        let unit = services.units(name)?.start;
        systemctl(&[if enabled { "start" } else { "stop" }, &unit])?;
    }
    Ok(())
}

/// The definition that counts, if it is the administrator's, or the user's own.
fn editable(site: &Site, name: &str) -> Result<Candidate, String> {
    let own = own_directory(site);
    let Some(file) = find(site, Kind::Service).named(name) else {
        return Err(format!(
            "the definition of `{name}` is gone, its units stay until it stops: `{} stop {name}` ends it",
            systemctl(site.scope())
        ));
    };
    if file.main.path.starts_with(&own) {
        return Ok(file);
    }
    let copy = own.join(format!("{name}.toml"));
    let command = match site.scope() {
        Scope::System => "cp",
        // The directory is made by whoever needs it.
        Scope::User => "install -D -m 644",
    };
    Err(format!(
        "`{name}` is defined in {0}, which is not yours to edit: copy it first with `{command} {0} {1}`, which takes its place, then try again",
        file.main.path.display(),
        copy.display()
    ))
}
