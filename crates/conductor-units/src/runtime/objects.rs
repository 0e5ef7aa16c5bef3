//! Networks and volumes, with commands that podman and docker have alike.

use conductor_definition::{DriverName, InterfaceName, Kind, Object, VolumeSettings};

use crate::exec::Exec;

/// It tells of networks and volumes what the engines do not tell by their exit status.
pub(crate) const SCRIPT: &str = "/usr/libexec/conductor/objects";

/// All options for the engine's `create`, a word each: the driver, those of the kind, and the user's own.
pub(super) fn options_of(object: &Object, own: Vec<String>) -> Vec<String> {
    let mut words: Vec<String> =
        object.driver.iter().map(|driver| format!("--driver={driver}")).chain(own).collect();
    words.extend(object.options.iter().map(|(name, value)| format!("--opt={name}={value}")));
    words.extend(object.labels.iter().map(|(name, value)| format!("--label={name}={value}")));
    words.extend(object.runtime_args.iter().cloned());
    words
}

/// The host's interface that a network is on, with drivers that put it on one.
pub(super) fn parent(object: &Object, interface: &InterfaceName) -> Option<String> {
    let driver = object.driver.as_ref().map(DriverName::as_str);
    matches!(driver, Some("macvlan" | "ipvlan")).then(|| format!("--opt=parent={interface}"))
}

/// What the driver `local` mounts.
pub(super) fn mount_options(volume: &VolumeSettings, options: &str) -> Vec<String> {
    let mut words: Vec<String> = volume.file_system.iter().map(|name| format!("--opt=type={name}")).collect();
    words.extend(volume.device.iter().map(|device| format!("--opt=device={device}")));
    words.extend((!options.is_empty()).then(|| format!("--opt=o={options}")));
    words
}

/// Options of mount(8) in one text.
pub(super) fn join(options: &[String], more: impl IntoIterator<Item = String>) -> String {
    options.iter().cloned().chain(more).collect::<Vec<_>>().join(",")
}

/// Makes the object with `options` if it is not there; `units/objects` says what happens if it is.
pub(super) fn make(program: &'static str, object: &Object, options: &[String]) -> Exec {
    let exec = Exec::new(SCRIPT).arg("make").arg(program).arg(object.kind().noun()).arg(object.name.as_str());
    options.iter().fold(exec.line(), |exec, option| exec.arg(option.as_str()).line())
}

/// Fails unless all `volumes` are there.
pub(super) fn check_volumes(script: Exec, program: &'static str, volumes: &[&str]) -> Exec {
    script.arg("check").arg(program).arg(Kind::Volume.noun()).args(volumes.iter().copied())
}
