//! What only volumes have: what the driver `local` mounts, and who owns it.

use std::ops::Range;

use super::Check;
use super::object::{Options, place_of};
use crate::value::{DriverName, EngineOption, FileSystem, MountDevice};
use crate::written::{Id, Spanned};
use crate::{Diagnostic, Runtime, VolumeSettings};

/// What is written about it.
pub(super) struct Written<'a> {
    pub(super) driver: Option<&'a Spanned<DriverName>>,
    pub(super) device: Option<Spanned<MountDevice>>,
    pub(super) file_system: Option<Spanned<FileSystem>>,
    pub(super) mount_options: Option<Spanned<Vec<EngineOption>>>,
    pub(super) uid: Option<Spanned<Id>>,
    pub(super) gid: Option<Spanned<Id>>,
    pub(super) options: &'a Options,
}

/// What is said of a mount anywhere, `[options]` included.
#[derive(Debug, Clone, Copy)]
struct Mounted {
    device: bool,
    file_system: bool,
}

/// The one driver that has these settings.
const LOCAL: &str = "local";

/// A directory of the host is mounted without a file system of its own (mount(8), "Bind mount operation").
const BIND: &str = "bind";
const NO_FILE_SYSTEM: &str = "none";

impl Check {
    pub(super) fn volume_settings(&mut self, written: Written<'_>, runtime: Runtime) -> VolumeSettings {
        self.only_for_local(&written);
        self.in_options_too(&written);
        let Written { driver: _, device, file_system, mount_options, uid, gid, options } = written;
        let options_place = mount_options.as_ref().map(Spanned::span);
        let mut mount_options: Vec<String> = mount_options
            .map(Spanned::into_inner)
            .unwrap_or_default()
            .into_iter()
            .map(|EngineOption(option)| option)
            .collect();
        self.owner(
            [("uid", uid.as_ref()), ("gid", gid.as_ref())],
            &mount_options,
            options_place.as_ref(),
            runtime,
        );
        let is = |name: &str| file_system.as_ref().is_some_and(|written| written.get_ref().as_str() == name);
        let is_bind = |option: &String| option == BIND || option == "rbind";
        if is(BIND) && !mount_options.iter().any(is_bind) {
            mount_options.insert(0, BIND.to_owned());
        }
        let binds = mount_options.iter().any(is_bind);
        let there = Mounted {
            device: device.is_some() || place_of("device", options).is_some(),
            file_system: file_system.is_some() || place_of("type", options).is_some(),
        };
        self.device(device.as_ref(), file_system.as_ref(), binds, there);
        let nothing = matches!(there, Mounted { device: false, file_system: false });
        if let Some(place) = options_place.filter(|_| {
            // podman has some of its own, such as `size`, for volumes on a disk with quotas.
            let needs_a_mount = match runtime {
                Runtime::Podman => false,
                Runtime::Docker => true,
            };
            nothing && needs_a_mount && !mount_options.is_empty()
        }) {
            self.report(
                Diagnostic::error("half-a-mount", format!("{runtime} has options for what it mounts only"))
                    .at(place, "options of nothing")
                    .help("write `device` and `type` too, or leave them out"),
            );
        }
        let tmpfs = is("tmpfs");
        let file_system = match file_system.map(Spanned::into_inner) {
            Some(written) if written.as_str() != BIND => Some(written),
            None if !binds || there.file_system => None,
            _ => NO_FILE_SYSTEM.parse().ok(),
        };
        VolumeSettings {
            // docker insists on one; the name shows in the list of mounts.
            device: device.map(|device| device.into_inner().0).or_else(|| tmpfs.then(|| "tmpfs".to_owned())),
            file_system,
            mount_options,
            uid: uid.and_then(|uid| self.number(&uid)),
            gid: gid.and_then(|gid| self.number(&gid)),
        }
    }

    /// What is mounted, and as what: the one says little without the other.
    fn device(
        &mut self,
        device: Option<&Spanned<MountDevice>>,
        file_system: Option<&Spanned<FileSystem>>,
        binds: bool,
        there: Mounted,
    ) {
        let tmpfs = file_system.is_some_and(|written| written.get_ref().as_str() == "tmpfs");
        match (device, file_system) {
            (Some(device), _) if binds && !is_directory(&device.get_ref().0) => self.report(
                Diagnostic::error("contradiction", "only a directory of the host can be bound")
                    .at(device.span(), "not the absolute path of one")
                    .help("write its path without `..`, such as \"/srv/data\""),
            ),
            (Some(device), None) if !binds && !there.file_system => {
                let help =
                    "say what file system it has, such as type = \"nfs\"; type = \"bind\" for a directory";
                self.half_a_mount("type", device.span(), help);
            }
            (None, Some(file_system)) if !tmpfs && !there.device => {
                let help = "say what is mounted, such as device = \"nas:/export/data\"";
                self.half_a_mount("device", file_system.span(), help);
            }
            _ => {}
        }
    }

    fn half_a_mount(&mut self, key: &str, place: Range<usize>, help: &str) {
        if !self.removed.contains(key) {
            self.report(
                Diagnostic::error("half-a-mount", format!("`{key}` is missing"))
                    .at(place, format!("not without `{key}`"))
                    .help(help),
            );
        }
    }

    fn owner(
        &mut self,
        owner: [(&str, Option<&Spanned<Id>>); 2],
        mount_options: &[String],
        options_place: Option<&Range<usize>>,
        runtime: Runtime,
    ) {
        for (key, written) in owner {
            let Some(written) = written else { continue };
            let has_owners = match runtime {
                Runtime::Podman => true,
                Runtime::Docker => false,
            };
            if !has_owners {
                self.report(
                    Diagnostic::error("contradiction", format!("{runtime} gives volumes no owner"))
                        .at(written.span(), format!("not possible with {runtime}"))
                        .help(
                            "change the owner in the container or its image; tmpfs takes it in mount-options",
                        ),
                );
            }
            let again = mount_options.iter().any(|option| option.starts_with(&format!("{key}=")));
            if let Some(place) = options_place.filter(|_| again) {
                self.report(
                    Diagnostic::error("contradiction", format!("`{key}` is written twice"))
                        .at(written.span(), "here")
                        .and(place.clone(), "and in here")
                        .help("leave one of the two out"),
                );
            }
        }
    }

    fn only_for_local(&mut self, written: &Written<'_>) {
        let Some(driver) = written.driver.filter(|driver| driver.get_ref().as_str() != LOCAL) else { return };
        for (key, _, place) in keys(written) {
            self.report(
                Diagnostic::error("contradiction", format!("`{key}` is for the driver local"))
                    .at(place, "not for another driver")
                    .and(driver.span(), "which this is")
                    .help("write what the driver takes into [options]"),
            );
        }
    }

    /// The keys are the options of these names.
    fn in_options_too(&mut self, written: &Written<'_>) {
        for (key, option, place) in keys(written) {
            let Some(again) = place_of(option, written.options) else { continue };
            self.report(
                Diagnostic::error("contradiction", format!("`{key}` is the option `{option}`"))
                    .at(place, "written here")
                    .and(again, "and here")
                    .help("leave one of the two out"),
            );
        }
    }
}

/// What systemd can wait for the mounting of (`RequiresMountsFor=` takes normalized paths).
fn is_directory(path: &str) -> bool {
    path.starts_with('/') && path.len() < 4096 && !path.split('/').any(|part| part == "..")
}

/// The keys that are written, the option that each becomes, and where they stand.
fn keys(written: &Written<'_>) -> impl Iterator<Item = (&'static str, &'static str, Range<usize>)> {
    let Written { driver: _, device, file_system, mount_options, uid, gid, options: _ } = written;
    [
        ("device", "device", device.as_ref().map(Spanned::span)),
        ("type", "type", file_system.as_ref().map(Spanned::span)),
        ("mount-options", "o", mount_options.as_ref().map(Spanned::span)),
        ("uid", "o", uid.as_ref().map(Spanned::span)),
        ("gid", "o", gid.as_ref().map(Spanned::span)),
    ]
    .into_iter()
    .filter_map(|(key, option, place)| Some((key, option, place?)))
}
