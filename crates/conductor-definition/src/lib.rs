//! Service definitions: TOML in, a validated [`Service`] or [`Diagnostic`]s with spans out.
//!
//! Two stages, as in cargo: [`written`] holds what stands in the file, every key optional; and
//! [`validate`] turns it into the model, where everything is present and possible. This crate knows
//! nothing of systemd's unit files: that is `conductor-units`.

mod diagnostic;
mod drop_ins;
mod file;
mod interpolate;
mod merge;
mod question;
#[cfg(feature = "schema")]
pub mod schema;
mod search;
mod service;
mod settings;
mod source;
mod suggest;
mod together;
mod validate;
mod value;
mod written;

pub use diagnostic::{Diagnostic, Label, Level};
pub use drop_ins::Candidate;
pub use file::read_text;
pub use question::{GrpcQuestion, HealthProtocol, HealthTls, HttpQuestion, Method, Question};
pub use search::{File, Finding, Found, SEARCH_PATH, find};
pub use service::{
    Directives, Health, Log, Mount, MountSource, Network, NetworkMode, Port, Process, Protocol, Pull,
    PullPolicy, Resources, Restart, Runtime, Seccomp, Secret, Security, Service, StartLimit, Stop, Storage,
    Tmpfs, Ulimit,
};
pub use settings::Settings;
pub use source::{Part, Place, Position, Source};
pub use together::{Clash, clashes};
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

/// Reads one definition. The main file's path gives the service its name.
///
/// Drop-ins are merged into the main file ([`merge`]), then `${...}` is filled in ([`interpolate`]), and
/// only then is it decided what the keys mean: a drop-in may change `revision` alone.
///
/// # Errors
/// Every error found in the files, in the order of the text; never only the first.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    let name =
        ServiceName::from_path(source.path()).map_err(|error| Diagnostic::error("name", error.to_string()));
    let read = merge::merged(source).and_then(|mut table| {
        let (removed, diagnostics) = interpolate::interpolate(table.get_mut(), source)?;
        written::read(table, removed, diagnostics)
    });
    let read = match read {
        Ok(read) => read,
        Err(errors) => return Err(name.err().into_iter().chain(errors).collect()),
    };
    let (service, mut diagnostics) = validate::service(name, source, read);
    diagnostics.sort_by_key(Diagnostic::offset);
    match service {
        Some(service) if !diagnostics.iter().any(Diagnostic::is_error) => {
            Ok(Parsed { service, warnings: diagnostics })
        }
        _ => Err(diagnostics),
    }
}
