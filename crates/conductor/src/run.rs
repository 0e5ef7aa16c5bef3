//! `conductor run`

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::IsTerminal as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use conductor_definition::{
    DefinitionName, Diagnostic, EnvironmentName, Kind, Parsed, Service, Site, find, parse_for,
};
use conductor_deploy::transient_unit;
use conductor_generator::Host;
use conductor_systemd::{End, Scope, Signal, TransientRun, TransientUnit};
use conductor_units::{Once, Transient, once};
use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{Signal as Arriving, SignalKind, signal};

use crate::ask::{connect, wait_for};
use crate::services::Services;
use crate::terminal::say;
use crate::whose::{Whose, conductor, manager, may_touch_containers};

/// What podman-run(1) and docker answer where not the command has failed but running it.
const NOT_RUN: u8 = 125;

/// Run a command once in a container like the service's.
///
/// The container has the image, environment, secrets, volumes, networks and limits that the service's
/// definition says now, but none of its ports, and nothing checks or restarts it. It is a transient unit,
/// SERVICE-run-ID.service, in the service's slice: `systemctl status` shows it, `systemctl stop` ends it.
/// Directives in [systemd.unit] and [systemd.service] do not apply.
///
/// Without a command it is the service's own. On a terminal the container gets one of its own; otherwise
/// input and output pass through, as in a pipe. SIGINT, SIGTERM, SIGQUIT and SIGHUP are handed on; a second
/// SIGINT or SIGTERM kills. If conductor itself is killed, the run goes on without it.
///
/// Exit status: that of the command, 128 and the signal's number if one ended it; 125 if it could not be
/// run, 126 and 127 as podman-run(1) says; 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The service.
    service: String,
    /// A further variable of its environment; wins over the definition's.
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = assignment)]
    env: Vec<(EnvironmentName, String)>,
    /// The program, in place of the definition's or the image's entry point.
    #[arg(long, value_name = "PROGRAM")]
    entrypoint: Option<String>,
    /// The command and its arguments.
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

fn assignment(text: &str) -> Result<(EnvironmentName, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((
        name.parse().map_err(|error: conductor_definition::InvalidValue| error.to_string())?,
        value.to_owned(),
    ))
}

impl Run {
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        match whose.site(Path::new("/")).and_then(|site| Ok((self.end(&site)?, site.scope()))) {
            Ok(((unit, end), scope)) => {
                if let Some(said) = unusual(&unit, &end, scope) {
                    say(&said);
                }
                ExitCode::from(end.status.unwrap_or(NOT_RUN))
            }
            Err(error) => {
                say(&format!("error: {error}"));
                ExitCode::from(NOT_RUN)
            }
        }
    }

    fn end(&self, site: &Site) -> Result<(String, End), String> {
        let (service, objects) = self.definition(site)?;
        may_touch_containers(site)?;
        let terminal = Terminal::of_ours();
        let transient = once(
            &service,
            &Once {
                id: id(),
                entrypoint: self.entrypoint.clone().map(|program| vec![program]),
                command: (!self.command.is_empty()).then(|| self.command.clone()),
                environment: self.env.iter().cloned().collect::<BTreeMap<_, _>>(),
                terminal: terminal.is_some(),
            },
            &objects,
            site.scope(),
        );
        let name = transient.unit.clone();
        let end = wait_for(follow(unit(transient)?, manager(site)));
        drop(terminal); // Restored before anything is said on it.
        Ok((name, end?))
    }

    /// The service, and the networks and volumes that services can have made.
    fn definition(&self, site: &Site) -> Result<(Service, BTreeSet<DefinitionName>), String> {
        let services = Services::look(site);
        let name = services.name(&self.service)?;
        let candidate = find(site, Kind::Service).named(name).ok_or_else(|| {
            format!("`{name}` has no definition any more: write {name}.toml again to run it")
        })?;
        let conductor = conductor(site.scope());
        let broken = || format!("the definition of `{name}` has errors: `{conductor} check` shows them");
        let Some((source, problems)) = candidate.read() else {
            return Err(format!("`{name}` is masked: {} is empty", candidate.main.path.display()));
        };
        if problems.iter().any(Diagnostic::is_error) {
            return Err(broken());
        }
        let Parsed { service, warnings: _ } =
            parse_for(&source, Host::look(site).0.abilities()).map_err(|_| broken())?;
        Ok((service, services.objects()))
    }
}

/// Tells one run from another that may go on at the same time.
fn id() -> String {
    // Each state has keys of its own.
    format!("{:08x}", RandomState::new().build_hasher().finish() >> 32)
}

fn unit(transient: Transient) -> Result<TransientUnit, String> {
    let unit = transient_unit(transient).map_err(|failure| failure.text)?;
    let [input, output, error] = streams().map_err(|error| {
        format!("standard input, output and error have to be open: {error}: give it /dev/null")
    })?;
    Ok(unit.standard_streams([input, output, error]))
}

fn streams() -> std::io::Result<[OwnedFd; 3]> {
    Ok([
        std::io::stdin().as_fd().try_clone_to_owned()?,
        std::io::stdout().as_fd().try_clone_to_owned()?,
        std::io::stderr().as_fd().try_clone_to_owned()?,
    ])
}

/// Starts it and hands signals on until it has ended.
async fn follow(unit: TransientUnit, scope: Scope) -> Result<End, String> {
    let mut signals = Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let systemd = connect(scope).await?;
    let mut run = TransientRun::start(&systemd, scope, unit).await.map_err(|error| error.to_string())?;
    let mut asked = false;
    loop {
        tokio::select! {
            end = run.ended() => return end.map_err(|error| error.to_string()),
            arrived = signals.next() => {
                let ends = arrived == Signal::INT || arrived == Signal::TERM;
                let sent = if ends && asked { Signal::KILL } else { arrived };
                asked |= ends;
                if let Err(error) = run.signal(sent).await {
                    say(&format!("error: {error}"));
                }
            }
        }
    }
}

/// The signals that are handed on.
struct Signals {
    hup: Arriving,
    int: Arriving,
    quit: Arriving,
    term: Arriving,
    winch: Arriving,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            term: signal(SignalKind::terminate())?,
            winch: signal(SignalKind::window_change())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.hup.recv() => Signal::HUP,
            _ = self.int.recv() => Signal::INT,
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.term.recv() => Signal::TERM,
            _ = self.winch.recv() => Signal::WINCH,
        }
    }
}

/// Our terminal's settings, which the engine changes for the container's; put back when dropped, should the
/// engine have been killed before it could.
struct Terminal(Termios);

impl Terminal {
    fn of_ours() -> Option<Self> {
        let ours = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        ours.then(|| tcgetattr(std::io::stdin()).ok().map(Self)).flatten()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that has gone needs no settings.
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}

/// What the command's own output does not tell.
fn unusual(unit: &str, end: &End, scope: conductor_definition::Scope) -> Option<String> {
    let log = match scope {
        conductor_definition::Scope::System => format!("`journalctl --unit={unit}` tells more"),
        conductor_definition::Scope::User => format!("`journalctl --user --unit={unit}` tells more"),
    };
    match (end.result.as_str(), end.status) {
        (_, None) => Some(format!("error: {unit} could not be started ({}): {log}", end.result)),
        ("success" | "exit-code" | "signal", _) => None,
        ("oom-kill", _) => Some(format!("error: {unit} was killed at its memory limit: {log}")),
        (result, _) => Some(format!("error: {unit} ended by {result}: {log}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_have_names_of_their_own() {
        let (one, other) = (id(), id());
        assert_ne!(one, other);
        assert_eq!(one.len(), 8);
    }

    #[test]
    fn variables_are_assignments() {
        assert_eq!(assignment("A=b=c").unwrap().1, "b=c");
        assert!(assignment("A").is_err() && assignment("1 A=b").is_err());
    }

    #[test]
    fn only_what_the_output_does_not_tell_is_told() {
        let told = |result: &str, status| {
            unusual("u", &End { result: result.to_owned(), status }, conductor_definition::Scope::System)
        };
        assert_eq!(told("exit-code", Some(3)), None);
        assert!(told("oom-kill", Some(137)).unwrap().contains("memory limit"));
        assert!(told("resources", None).unwrap().contains("could not be started (resources)"));
    }
}
