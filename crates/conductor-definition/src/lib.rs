//! Definitions: TOML in, a validated [`Service`] or [`Object`] or [`Diagnostic`]s with spans out.
//!
//! Two stages, as in cargo: [`written`] holds what stands in the file, every key optional; and
//! [`validate`] turns it into the model, where everything is present and possible. This crate knows
//! nothing of systemd's unit files: that is `conductor-units`.

mod abilities;
mod detection;
mod diagnostic;
mod drop_ins;
mod file;
mod freeze;
mod interpolate;
mod kind;
mod merge;
mod nesting;
mod object;
mod question;
mod release;
mod releases;
#[cfg(feature = "schema")]
pub mod schema;
mod search;
mod service;
mod settings;
mod site;
mod source;
mod suggest;
mod together;
mod validate;
mod value;
mod written;

use std::ops::Range;

pub use abilities::{Abilities, Controllers};
pub use diagnostic::{Diagnostic, Label, Level};
pub use drop_ins::Candidate;
pub use file::read_text;
pub use freeze::{Pins, freeze};
pub use kind::{DefinitionName, Kind};
pub use object::{NetworkSettings, Object, SubnetSettings, VolumeSettings, What};
pub use question::{GrpcQuestion, HealthProtocol, HealthTls, HttpQuestion, Method, Question};
pub use release::{Before, Canary, Deploy, Door, Promotion, Proxy, ProxyDriver, Slot, Strategy};
pub use releases::{Live, ReleaseFile, Releases};
pub use search::{File, Finding, Found, find};
pub use service::{
    Directives, Health, Log, Mount, MountSource, Network, NetworkMode, OnUnhealthy, Port, Process, Protocol,
    Pull, PullPolicy, Reload, Resources, Restart, Runtime, Seccomp, Secret, SecretPlace, Security, Service,
    StartLimit, Stop, Storage, Tmpfs, Ulimit,
};
pub use settings::Settings;
pub use site::{Scope, Site, UserDirectories};
pub use source::{Part, Place, Position, Source};
pub use suggest::nearest;
pub use together::{Claims, Clash, Places, Reference, clashes};
pub use value::{
    Capability, Cpus, Dependency, Device, Directive, DoorWord, DriverName, EnvironmentName, FileMode,
    FilePath, FileSystem, Group, GrpcService, HeaderName, HostName, HostPattern, Image, InterfaceName,
    InvalidValue, LabelName, LimitName, LogDriver, Memory, ObjectName, OptionName, SecretName, SecretTarget,
    ServiceName, Signal, SliceName, Statuses, Subnet, SysctlName, TimeZone, TlsName, UpstreamName, UrlPath,
    User,
};

/// A definition that could be read, and what is questionable about it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The validated service.
    pub service: Service,
    /// Findings that do not prevent it from running; never of [`Level::Error`].
    pub warnings: Vec<Diagnostic>,
}

/// A network or a volume that could be read, and what is questionable about it.
#[derive(Debug, Clone)]
pub struct ParsedObject {
    /// The validated object.
    pub object: Object,
    /// Where its subnets stand, in their order; none for a volume.
    pub subnets: Vec<Range<usize>>,
    /// Findings that do not prevent it from being made; never of [`Level::Error`].
    pub warnings: Vec<Diagnostic>,
}

/// Reads the definition of a service of the machine's, as [`parse_for`] does.
///
/// # Errors
/// Every error found in the files.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    parse_for(source, Abilities::ROOT)
}

/// Reads the definition of a service, for somebody who can do what `abilities` say. The main file's path gives the
/// service its name.
///
/// Drop-ins are merged into the main file ([`merge`]), then `${...}` is filled in ([`interpolate`]), and
/// only then is it decided what the keys mean: a drop-in may change `revision` alone.
///
/// # Errors
/// Every error found in the files, in the order of the text; never only the first.
pub fn parse_for(source: &Source, abilities: Abilities) -> Result<Parsed, Vec<Diagnostic>> {
    let name = ServiceName::from_path(source.path());
    let ((service, _), warnings) =
        parsed(source, name, |name, read| validate::service(name, source, read, abilities))?;
    Ok(Parsed { service, warnings })
}

/// What the definition of a service claims, and where it says so; nothing if it cannot be read. As much work as
/// [`parse_for`], for the few definitions that are in each other's way.
pub fn claims_in(source: &Source, abilities: Abilities) -> Option<(Claims, Places)> {
    let name = ServiceName::from_path(source.path());
    let found = parsed(source, name, |name, read| validate::service(name, source, read, abilities));
    let ((service, places), _) = found.ok()?;
    Some((Claims::of(&service), places))
}

/// Reads a release of service `name`, as [`parse_for`] does a definition.
///
/// # Errors
/// Every error found in the file.
pub fn parse_release(
    source: &Source,
    name: &ServiceName,
    abilities: Abilities,
) -> Result<Parsed, Vec<Diagnostic>> {
    let ((service, _), warnings) =
        parsed(source, Ok(name.clone()), |name, read| validate::service(name, source, read, abilities))?;
    Ok(Parsed { service: Service { is_release: true, ..service }, warnings })
}

/// Reads the definition of a network, as [`parse_for`] does that of a service.
///
/// # Errors
/// Every error found in the files.
pub fn parse_network(source: &Source, abilities: Abilities) -> Result<ParsedObject, Vec<Diagnostic>> {
    let name = kind::object_name(Kind::Network, source.path());
    let ((object, subnets), warnings) =
        parsed(source, name, |name, read| validate::network(name, source, read, abilities))?;
    Ok(ParsedObject { object, subnets, warnings })
}

/// Reads the definition of a volume, as [`parse_for`] does that of a service.
///
/// # Errors
/// Every error found in the files.
pub fn parse_volume(source: &Source, abilities: Abilities) -> Result<ParsedObject, Vec<Diagnostic>> {
    let name = kind::object_name(Kind::Volume, source.path());
    let (object, warnings) =
        parsed(source, name, |name, read| validate::volume(name, source, read, abilities))?;
    Ok(ParsedObject { object, subnets: Vec::new(), warnings })
}

/// What is written in all files together, validated; and warnings, unless one of the findings is an error.
fn parsed<N, W: written::Form, T>(
    source: &Source,
    name: Result<N, InvalidValue>,
    validate: impl FnOnce(Result<N, Diagnostic>, written::Read<W>) -> (Option<T>, Vec<Diagnostic>),
) -> Result<(T, Vec<Diagnostic>), Vec<Diagnostic>> {
    let name = name.map_err(|error| Diagnostic::error("name", error.to_string()));
    let make = || {
        let mut keys = merge::merged(source)?;
        let (removed, diagnostics) = interpolate::interpolate(keys.get_mut(), source)?;
        Ok(written::Table { keys, removed, diagnostics })
    };
    let read = match written::read(make, diagnostic::most_errors(source)) {
        Ok(read) => read,
        Err(errors) => {
            let mut errors = name.err().into_iter().chain(errors).collect();
            diagnostic::first(&mut errors);
            return Err(errors);
        }
    };
    let (value, mut diagnostics) = validate(name, read);
    diagnostic::first(&mut diagnostics);
    match value {
        Some(value) if !diagnostics.iter().any(Diagnostic::is_error) => Ok((value, diagnostics)),
        _ => Err(diagnostics),
    }
}
