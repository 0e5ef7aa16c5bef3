//! `conductor exec`

use std::io::IsTerminal as _;
use std::process::ExitCode;

use conductor_units::InstanceUnit;

use crate::ask::unit_status;
use crate::program::become_program;
use crate::services::{Root, Services, chosen, numbers};
use crate::terminal::{FAILURE, say};

/// Run a command in a service's running container.
///
/// On a terminal the command gets one of its own; otherwise input and output pass through, as in a
/// pipe. Without a command it is /bin/sh.
///
/// Exit status: that of the command; 125, 126 and 127 as podman-exec(1) says, for docker too; 1 if there is no
/// such container, 2 wrong usage.
#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// The service.
    service: String,
    /// The container of this number; needed where there are several.
    #[arg(long, short, value_name = "NUMBER")]
    instance: Option<u16>,
    /// The command and its arguments.
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
    #[command(flatten)]
    root: Root,
}

impl Exec {
    pub(crate) fn run(&self) -> ExitCode {
        match self.container() {
            Ok(instance) => {
                let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
                let (program, arguments) = instance.exec(terminal, &self.command());
                become_program(program, &arguments)
            }
            Err(error) => {
                say(&format!("error: {error}"));
                ExitCode::from(FAILURE)
            }
        }
    }

    fn container(&self) -> Result<InstanceUnit, String> {
        let units = Services::look(&self.root.root).running_units(&self.service)?;
        let service = &self.service;
        let chosen = chosen(service, &units, self.instance)?;
        let [instance] = chosen.as_slice() else {
            let numbers = numbers(&units).join(", ");
            return Err(format!(
                "`{service}` has several containers: choose one with --instance ({numbers})"
            ));
        };
        if self.root.is_running() {
            ready(&instance.unit)?;
        }
        Ok(instance.clone())
    }

    fn command(&self) -> Vec<String> {
        if self.command.is_empty() { vec!["/bin/sh".to_owned()] } else { self.command.clone() }
    }
}

/// Says in our words what the engine would say in terms of a container that nobody has heard of.
fn ready(unit: &str) -> Result<(), String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("the machine's containers are root's: run it with sudo".to_owned());
    }
    // A container that is still being started may be looked into; one that systemd cannot be asked about too.
    match unit_status(unit) {
        Ok(status) if matches!(status.active_state.as_str(), "inactive" | "failed") => Err(format!(
            "{unit} is not running ({}): start it with `systemctl start {unit}`, or read why not with `systemctl status {unit}`",
            status.active_state.as_str()
        )),
        _ => Ok(()),
    }
}
