//! Service definitions: TOML in, a validated [`Service`] or [`Diagnostic`]s with spans out.
//!
//! Two stages, as in cargo: [`written`] holds what stands in the file, every key optional; and
//! [`validate`] turns it into the model, where everything is present and possible. This crate knows
//! nothing of systemd's unit files: that is `conductor-units`.

mod diagnostic;
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
pub use search::{Candidate, SEARCH_PATH, SearchError, find, read};
pub use service::{
    Directives, Health, Log, Mount, MountSource, Network, NetworkMode, Port, Process, Protocol, Pull,
    PullPolicy, Resources, Restart, Runtime, Seccomp, Secret, Security, Service, StartLimit, Stop, Storage,
    Tmpfs, Ulimit,
};
pub use settings::Settings;
pub use source::{Position, Source};
pub use together::{Clash, clashes};
pub use value::{
    Capability, Cpus, Dependency, Device, Directive, EnvironmentName, FilePath, Group, HostName, HostPattern,
    Image, InvalidValue, LabelName, LimitName, Memory, ObjectName, OptionName, SecretName, ServiceName,
    Signal, SliceName, SysctlName, UrlPath, User,
};

/// A definition that could be read, and what is questionable about it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The validated service.
    pub service: Service,
    /// Findings that do not prevent it from running; never of [`Level::Error`].
    pub warnings: Vec<Diagnostic>,
}

/// Reads one definition. `source.path` gives the service its name.
///
/// # Errors
/// Every error found in the file, in the order of the text; never only the first.
pub fn parse(source: &Source) -> Result<Parsed, Vec<Diagnostic>> {
    let name =
        ServiceName::from_path(&source.path).map_err(|error| Diagnostic::error("name", error.to_string()));
    let read = match written::read(&source.text) {
        Ok(read) => read,
        Err(errors) => return Err(name.err().into_iter().chain(errors).collect()),
    };
    let (service, mut diagnostics) = validate::service(name, &source.path, read);
    diagnostics.sort_by_key(Diagnostic::offset);
    match service {
        Some(service) if !diagnostics.iter().any(Diagnostic::is_error) => {
            Ok(Parsed { service, warnings: diagnostics })
        }
        _ => Err(diagnostics),
    }
}
