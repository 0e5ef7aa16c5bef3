//! `conductor enable` and `conductor disable`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use conductor_definition::{Candidate, Kind, ServiceName, find};

use crate::edit::{Edit, set_enabled};
use crate::program;
use crate::services::{Root, Services};
use crate::terminal::{FAILURE, say};

/// Have a service start at boot.
///
/// Sets `enabled = true` in its definition in /etc/conductor/services; everything else in the file, comments
/// included, stays as it is. Generated units cannot be enabled with systemctl.
///
/// Exit status: 0 done or already so, 1 not possible, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Enable {
    #[command(flatten)]
    what: What,
}

/// Have a service not start at boot.
///
/// Sets `enabled = false` in its definition in /etc/conductor/services; everything else in the file, comments
/// included, stays as it is. It can still be started with systemctl.
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
    pub(crate) fn run(&self) -> ExitCode {
        self.what.run(true)
    }
}

impl Disable {
    pub(crate) fn run(&self) -> ExitCode {
        self.what.run(false)
    }
}

impl What {
    fn run(&self, enabled: bool) -> ExitCode {
        match self.all(enabled) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say(&format!("error: {error}"));
                ExitCode::from(FAILURE)
            }
        }
    }

    fn all(&self, enabled: bool) -> Result<(), String> {
        if self.now && !self.root.is_running() {
            return Err("--now is for the machine that runs: leave out --now, or --root".to_owned());
        }
        let services = Services::look(&self.root.root);
        // Everything is looked up before anything is changed.
        let files: Vec<(&str, Candidate)> = self
            .services
            .iter()
            .map(|asked| services.name(asked).and_then(|name| Ok((name, editable(&self.root.root, name)?))))
            .collect::<Result<_, _>>()?;
        let word = if enabled { "enabled" } else { "disabled" };
        let mut changed = false;
        for (name, file) in &files {
            match set_enabled(&file.main.real, enabled)
                .map_err(|why| format!("{}: {why}", file.main.path.display()))?
            {
                Edit::Changed => {
                    changed = true;
                    say(&format!("{name} is {word} now ({})", file.main.path.display()));
                    if !file.drop_ins.is_empty() {
                        say(
                            "it has drop-ins, which have the last word: `conductor status` shows what counts",
                        );
                    }
                }
                Edit::Same => say(&format!("{name} is {word} already")),
            }
        }
        if self.now {
            return self.apply(enabled, &files);
        }
        if changed && self.root.is_running() {
            say("`systemctl daemon-reload` makes it known to systemd; what runs is not touched");
        }
        Ok(())
    }

    fn apply(&self, enabled: bool, files: &[(&str, Candidate)]) -> Result<(), String> {
        program::run("systemctl", &["daemon-reload"])?;
        let services = Services::look(&self.root.root);
        for (name, _) in files {
            let unit = services.units(name)?.start;
            program::run("systemctl", &[if enabled { "start" } else { "stop" }, &unit])?;
        }
        Ok(())
    }
}

/// The definition that counts, if it is the administrator's.
fn editable(root: &Path, name: &str) -> Result<Candidate, String> {
    let [own, ..] = Kind::Service.search_path();
    let is_named =
        |file: &Candidate| ServiceName::from_path(&file.main.path).is_ok_and(|found| found.as_str() == name);
    let Some(file) = find(root, Kind::Service).candidates.into_iter().find(is_named) else {
        return Err(format!(
            "the definition of `{name}` is gone, its units stay until it stops: `systemctl stop {name}` ends it"
        ));
    };
    if file.main.path.starts_with(own) {
        return Ok(file);
    }
    let copy: PathBuf = Path::new(own).join(format!("{name}.toml"));
    Err(format!(
        "`{name}` is defined in {0}, which is not yours to edit: copy it first with `cp {0} {1}`, which takes its place, then try again",
        file.main.path.display(),
        copy.display()
    ))
}
