//! The command that comes before a release.

use conductor_definition::{Before, DefinitionName, Service};
use conductor_systemd::{Scope, Systemd, TransientRun, TransientUnit};
use conductor_units::{Once, Setting, Transient, once};

use crate::{Failure, host};

/// One name for all runs: there are never two at a time.
const ID: &str = "before";

/// The unit of the command, by the unit that stands for the service.
pub(crate) fn unit(service: &str) -> String {
    let name = service.rsplit_once('.').map_or(service, |(name, _)| name);
    format!("{name}-run-{ID}.service")
}

/// What is run for a release.
pub(crate) fn transient(
    service: &Service,
    before: &Before,
    objects: &std::collections::BTreeSet<DefinitionName>,
    scope: conductor_definition::Scope,
) -> Result<TransientUnit, Failure> {
    let Before { command, timeout } = before;
    let run = Once { id: ID.to_owned(), command: Some(command.clone()), ..Once::default() };
    Ok(transient_unit(once(service, &run, objects, scope))?.set("RuntimeMaxUSec", timeout.as_micros()))
}

/// A unit in the words of the bus.
///
/// # Errors
/// If its name is none of a unit.
pub fn transient_unit(transient: Transient) -> Result<TransientUnit, Failure> {
    let Transient { unit, properties } = transient;
    let unit = TransientUnit::new(host::name(&unit)?);
    Ok(properties.into_iter().fold(unit, |unit, (name, setting)| match setting {
        Setting::Text(text) => unit.set(name, text),
        Setting::Flag(flag) => unit.set(name, flag),
        Setting::Number(number) => unit.set(name, number),
        Setting::Mode(mode) => unit.set(name, mode),
        Setting::Names(names) => unit.set(name, names),
        Setting::Pairs(pairs) => unit.set(name, pairs),
        Setting::Commands { commands, may_fail } => unit.commands(name, commands, may_fail),
    }))
}

/// Runs it to its end; its output is ours.
pub(crate) async fn run(systemd: &Systemd, scope: Scope, unit: TransientUnit) -> Result<(), Failure> {
    let streams = streams().map_err(|error| Failure::system("standard output", error))?;
    let mut run = TransientRun::start(systemd, scope, unit.standard_streams(streams)).await?;
    let end = run.ended().await?;
    match (end.result.as_str(), end.status) {
        ("success", Some(0)) => Ok(()),
        ("timeout", _) => Err(Failure::gate("it took longer than its timeout: nothing else was done")),
        (_, Some(status)) => {
            Err(Failure::gate(format!("it ended with status {status}: nothing else was done")))
        }
        (result, None) => {
            Err(Failure::gate(format!("it could not be run ({result}): nothing else was done")))
        }
    }
}

fn streams() -> std::io::Result<[std::os::fd::OwnedFd; 3]> {
    use std::os::fd::AsFd as _;
    // Output of the command is no result of ours, which programs may read.
    let error = std::io::stderr();
    Ok([
        std::fs::File::open("/dev/null")?.into(),
        error.as_fd().try_clone_to_owned()?,
        error.as_fd().try_clone_to_owned()?,
    ])
}
