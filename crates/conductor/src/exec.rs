//! `conductor exec`

use std::io::IsTerminal as _;
use std::process::ExitCode;

use conductor_definition::Site;
use conductor_units::{InstanceUnit, systemctl};

use crate::ask::unit_status;
use crate::program::become_program;
use crate::services::{Root, Services, chosen, numbers};
use crate::terminal::{FAILURE, say};
use crate::whose::{Whose, manager, may_touch_containers};

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
    pub(crate) fn run(&self, whose: Whose) -> ExitCode {
        match self.root.site(whose).and_then(|site| self.container(&site)) {
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

    fn container(&self, site: &Site) -> Result<InstanceUnit, String> {
        let units = Services::look(site).running_units(&self.service)?;
        let service = &self.service;
        let chosen = chosen(service, &units, self.instance)?;
        let [instance] = chosen.as_slice() else {
            let numbers = numbers(&units).join(", ");
            return Err(format!(
                "`{service}` has several containers: choose one with --instance ({numbers})"
            ));
        };
        if self.root.is_running() {
            ready(site, &instance.unit)?;
        }
        Ok(instance.clone())
    }

    fn command(&self) -> Vec<String> {
        if self.command.is_empty() { vec!["/bin/sh".to_owned()] } else { self.command.clone() }
    }
}

/// Says in our words what the engine would say in terms of a container that nobody has heard of.
fn ready(site: &Site, unit: &str) -> Result<(), String> {
    may_touch_containers(site)?;
    let systemctl = systemctl(site.scope());
    // A container that is still being started may be looked into; one that systemd cannot be asked about too.
    match unit_status(manager(site), unit) {
        Ok(status) if matches!(status.active_state.as_str(), "inactive" | "failed") => Err(format!(
            "{unit} is not running ({}): start it with `{systemctl} start {unit}`, or read why not with `{systemctl} status {unit}`",
            status.active_state.as_str()
        )),
        _ => Ok(()),
    }
}
