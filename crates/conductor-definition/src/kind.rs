//! What a definition can define, and the names that definitions have.

use std::fmt;
use std::path::Path;

use crate::value::{InvalidValue, ObjectName, ServiceName};

/// What a definition defines. Each kind has directories of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Containers that run: [`Service`](crate::Service).
    Service,
    /// A network of an engine's: [`Object`](crate::Object).
    Network,
    /// A volume of an engine's: [`Object`](crate::Object).
    Volume,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Service, Self::Network, Self::Volume];

    /// The name of each of its directories on the search path ([`Site::search_path`](crate::Site::search_path)).
    pub fn directory(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Network => "networks",
            Self::Volume => "volumes",
        }
    }

    /// What a file defines, by the name of its directory: a service, unless that is `networks` or `volumes`.
    pub fn of(path: &Path) -> Self {
        let directory = path.parent().and_then(Path::file_name);
        let is_named = |kind: &Self| directory.is_some_and(|name| name == kind.directory());
        Self::ALL.into_iter().find(is_named).unwrap_or(Self::Service)
    }

    /// The word for one of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Network => "network",
            Self::Volume => "volume",
        }
    }

    /// The same with a capital letter.
    pub fn title(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Network => "Network",
            Self::Volume => "Volume",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.noun())
    }
}

/// The name of a definition: no two on a machine have the same. Shown as `web`, `network backend`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DefinitionName {
    /// Of a service.
    Service(ServiceName),
    /// Of a network.
    Network(ObjectName),
    /// Of a volume.
    Volume(ObjectName),
}

impl DefinitionName {
    /// The name that a definition's file name gives.
    ///
    /// # Errors
    /// If the file name does not end in `.toml` or the rest cannot be the name of such a thing.
    pub fn from_path(kind: Kind, path: &Path) -> Result<Self, InvalidValue> {
        match kind {
            Kind::Service => ServiceName::from_path(path).map(Self::Service),
            Kind::Network => object_name(kind, path).map(Self::Network),
            Kind::Volume => object_name(kind, path).map(Self::Volume),
        }
    }

    /// What it is the name of.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Service(_) => Kind::Service,
            Self::Network(_) => Kind::Network,
            Self::Volume(_) => Kind::Volume,
        }
    }

    /// The name, without what it is the name of.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Service(name) => name.as_str(),
            Self::Network(name) | Self::Volume(name) => name.as_str(),
        }
    }

    /// The name and what it is the name of, as one word: `web`, `backend.network`. A service's name has no dot,
    /// so no two names have the same.
    pub fn key(&self) -> String {
        match self {
            Self::Service(name) => name.to_string(),
            Self::Network(name) | Self::Volume(name) => format!("{name}.{}", self.kind()),
        }
    }

    /// The name, if it is a service's.
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Service(name) => Some(name),
            Self::Network(_) | Self::Volume(_) => None,
        }
    }
}

impl fmt::Display for DefinitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => name.fmt(f),
            Self::Network(name) | Self::Volume(name) => write!(f, "{} {name}", self.kind()),
        }
    }
}

/// Longest name of a network or a volume: leaves room in systemd's 255 bytes for `-network.service`.
const LONGEST_OBJECT_NAME: usize = 128;

/// What `--network` takes for something else (`podman network create` refuses all of these, as of 5.4;
/// docker has the first three and `default`), and the network that podman has by itself.
const RESERVED_NETWORKS: &[&str] =
    &["bridge", "host", "none", "container", "default", "ns", "pasta", "podman", "private", "slirp4netns"];

/// The engine's own rule for names, unlike a service's, so that objects that exist already can be defined too.
pub(crate) fn object_name(kind: Kind, path: &Path) -> Result<ObjectName, InvalidValue> {
    let file = path.file_name().unwrap_or(path.as_os_str());
    let Some(stem) = file.to_str().and_then(|file| file.strip_suffix(".toml")) else {
        let file = file.to_string_lossy();
        let file = file.escape_debug();
        return Err(InvalidValue::new(format!(
            "the file name {file} does not give a {kind} name: call it NAME.toml"
        )));
    };
    let refuse = |why: &str| {
        Err(InvalidValue::new(format!("`{}` cannot be a {kind}'s name: {why}", stem.escape_debug())))
    };
    let Ok(name) = stem.parse() else {
        return refuse("use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit");
    };
    if stem.len() > LONGEST_OBJECT_NAME {
        return refuse("it is longer than 128 characters");
    }
    if kind == Kind::Network && RESERVED_NETWORKS.contains(&stem) {
        return refuse("the engines have a meaning of their own for it");
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Site;

    #[test]
    fn the_directory_says_what_it_is() {
        for (path, kind) in [
            ("/etc/conductor/networks/a.toml", Kind::Network),
            ("volumes/a.toml", Kind::Volume),
            ("/srv/a.toml", Kind::Service),
            ("networks.toml", Kind::Service),
            ("/networks", Kind::Service),
        ] {
            assert_eq!(Kind::of(Path::new(path)), kind, "{path}");
        }
        for kind in Kind::ALL {
            for directory in Site::system("/").search_path(kind) {
                assert_eq!(Kind::of(&directory.join("a.toml")), kind, "{}", directory.display());
            }
        }
    }

    #[test]
    fn objects_are_called_as_the_engines_allow() {
        let name = |kind, file: &str| DefinitionName::from_path(kind, Path::new(file)).map(|n| n.key());
        assert_eq!(name(Kind::Network, "/x/Back_end.1.toml").unwrap(), "Back_end.1.network");
        assert_eq!(name(Kind::Volume, "podman.toml").unwrap(), "podman.volume");
        assert_eq!(name(Kind::Service, "web.toml").unwrap(), "web");
        let long = format!("{}.toml", "x".repeat(129));
        for file in ["-a.toml", ".toml", "a b.toml", "a.conf", "é.toml", "a@b.toml", &long] {
            assert!(name(Kind::Volume, file).is_err(), "{file}");
        }
        for file in RESERVED_NETWORKS {
            assert!(name(Kind::Network, &format!("{file}.toml")).is_err(), "{file}");
        }
    }
}
