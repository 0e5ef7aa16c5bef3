//! Service definitions: TOML in, a validated [`Service`] or [`Diagnostic`]s with spans out.
//!
//! Two stages, as in cargo: [`written`] holds what stands in the file, every key optional; and
//! [`validate`] turns it into the model, where everything is present and possible. This crate knows
//! nothing of systemd's unit files: that is `conductor-units`.

mod abilities;
mod diagnostic;
mod drop_ins;
mod file;
mod interpolate;
mod merge;
mod nesting;
mod question;
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

pub use abilities::{Abilities, Controllers};
pub use diagnostic::{Diagnostic, Label, Level};
pub use drop_ins::Candidate;
pub use file::read_text;
pub use question::{GrpcQuestion, HealthProtocol, HealthTls, HttpQuestion, Method, Question};
pub use search::{File, Finding, Found, find};
pub use service::{
    Directives, Health, Log, Mount, MountSource, Network, NetworkMode, OnUnhealthy, Port, Process, Protocol,
    Pull, PullPolicy, Resources, Restart, Runtime, Seccomp, Secret, Security, Service, StartLimit, Stop,
    Storage, Tmpfs, Ulimit,
};
pub use settings::Settings;
pub use site::{Scope, Site, UserDirectories};
pub use source::{Part, Place, Position, Source};
pub use together::{Claims, Clash, Reference, clashes};
pub use value::{
    Capability, Cpus, Dependency, Device, Directive, EnvironmentName, FilePath, Group, GrpcService,
    HeaderName, HostName, HostPattern, Image, InvalidValue, LabelName, LimitName, LogDriver, Memory,
    ObjectName, OptionName, SecretName, ServiceName, Signal, SliceName, Statuses, SysctlName, TlsName,
    UrlPath, User,
};

/// A definition that could be read, and what is questionable about it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The validated service.
    pub service: Service,
    /// Findings that do not prevent it from running; never of [`Level::Error`].
    pub warnings: Vec<Diagnostic>,
}

/// Reads one definition of the machine's, as [`parse_for`] does.
///
/// # Errors
/// Every error found in the files.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    parse_for(source, Abilities::ROOT)
}

/// Reads one definition, for somebody who can do what `abilities` say. The main file's path gives the service
/// its name.
///
/// Drop-ins are merged into the main file ([`merge`]), then `${...}` is filled in ([`interpolate`]), and
/// only then is it decided what the keys mean: a drop-in may change `revision` alone.
///
/// # Errors
/// Every error found in the files, in the order of the text; never only the first.
pub fn parse_for(source: &Source, abilities: Abilities) -> Result<Parsed, Vec<Diagnostic>> {
    let name =
        ServiceName::from_path(source.path()).map_err(|error| Diagnostic::error("name", error.to_string()));
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
    let (service, mut diagnostics) = validate::service(name, source, read, abilities);
    diagnostic::first(&mut diagnostics);
    match service {
        Some(service) if !diagnostics.iter().any(Diagnostic::is_error) => {
            Ok(Parsed { service, warnings: diagnostics })
        }
        _ => Err(diagnostics),
    }
}
