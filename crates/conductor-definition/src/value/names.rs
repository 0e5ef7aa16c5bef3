//! Names that the engine, the kernel or systemd has rules for.

use std::fmt;
use std::str::FromStr;

use super::form::{Class, Form, LETTERS_AND_DIGITS};
use super::{InvalidValue, deserialize_from_str, form_schema};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $title:literal, $form:expr, $refusal:literal, $expecting:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(String);

        impl $type {
            /// As written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub(crate) const FORM: Form = $form;
        }

        impl FromStr for $type {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                if Self::FORM.fits(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(InvalidValue::new(format!(concat!("`{}` ", $refusal), text.escape_debug())))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        deserialize_from_str!($type, $expecting);
        form_schema!($type, $title);
    };
}

name!(
    /// A host name (RFC 1123), at most 64 bytes as sethostname(2) takes.
    HostName,
    "host name",
    Form {
        last: Class::new(LETTERS_AND_DIGITS),
        parts: Some(('.', 1)),
        longest: Some(64),
        ..Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9-")
    },
    "is not a host name: use letters, digits, `-` and `.`",
    "a host name in quotes"
);
name!(
    /// A time zone as tzdata names it, or `local`.
    TimeZone,
    "time zone",
    Form { parts: Some(('/', 1)), longest: Some(255), ..Form::new("A-Za-z", "A-Za-z0-9_+-") },
    "is not a time zone: write it as `timedatectl list-timezones` does, such as Europe/London",
    "a time zone in quotes, such as \"Europe/London\""
);
impl TimeZone {
    /// podman's word for the zone of the host.
    pub const LOCAL: &str = "local";
}

name!(
    /// A name that podman and docker give to volumes and networks.
    ObjectName,
    "name",
    Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9_.-"),
    "cannot be its name: use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit",
    "a name in quotes"
);
name!(
    /// A label of a container, a network or a volume.
    LabelName,
    "label",
    Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._/-"),
    "cannot be a label: use letters, digits, `.`, `_`, `-` and `/`",
    "a label in quotes"
);
name!(
    /// A kernel parameter of the container's namespaces.
    SysctlName,
    "kernel parameter",
    Form { parts: Some(('.', 2)), ..Form::new("A-Za-z0-9_/-", "A-Za-z0-9_/-") },
    "is not a kernel parameter: write it with dots, such as net.core.somaxconn",
    "a kernel parameter in quotes"
);
name!(
    /// A name in `$CREDENTIALS_DIRECTORY`, and of the file in the container.
    SecretName,
    "name",
    Form { longest: Some(255), ..Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9_.-") },
    "cannot be a secret's name: use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit",
    "a name in quotes"
);
name!(
    /// A host name, a machine ID or a pattern (glob(7)) for `ConditionHost=`.
    HostPattern,
    "host name or pattern",
    Form::new("A-Za-z0-9.*?[]-", "A-Za-z0-9.*?[]-"),
    "is not a pattern for host names: use letters, digits, `-`, `.`, `*` and `?`",
    "a host name or a pattern in quotes, such as \"web-*\""
);
name!(
    /// A slice with or without its suffix. A dash makes it a part of another: `team-web` lies in `team`.
    SliceName,
    "name of a slice",
    Form { parts: Some(('-', 1)), longest: Some(200), ..Form::new("A-Za-z0-9:_", "A-Za-z0-9:_.") },
    "is not the name of a slice: write it as in systemd.slice(5), such as team-storefront",
    "the name of a slice in quotes, such as \"team-storefront\""
);
name!(
    /// The name of a directive of a unit file.
    Directive,
    "directive",
    Form::new("A-Z", LETTERS_AND_DIGITS),
    "is not a directive: write it as systemd does, such as LimitNOFILE",
    "a directive"
);
name!(
    /// The name of an engine's log driver.
    LogDriver,
    "name of a log driver",
    Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._-"),
    "is not the name of a log driver",
    "the name of a log driver in quotes, such as \"journald\""
);
name!(
    /// The name of a driver's option.
    OptionName,
    "name of an option",
    Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._-"),
    "is not the name of an option",
    "the name of an option"
);
name!(
    /// The driver of a network or a volume: a word, or the name of a plugin (an image, for docker).
    DriverName,
    "name of a driver",
    Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._/:-"),
    "is not the name of a driver: use letters, digits, `.`, `_`, `-`, `/` and `:`",
    "the name of a driver in quotes"
);
name!(
    /// A network interface; the kernel's own rule (`dev_valid_name()`, net/core/dev.c) for its length, fewer
    /// characters.
    InterfaceName,
    "name of an interface",
    Form { longest: Some(15), ..Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._-") },
    "is not the name of an interface: use at most 15 letters, digits, `_`, `.` and `-`, and begin with a letter or a digit",
    "the name of an interface in quotes, such as \"br-backend\""
);
name!(
    /// An upstream of nginx or a backend of HAProxy, and a part of the names of files about it.
    UpstreamName,
    "name of an upstream",
    Form { longest: Some(100), ..Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9_.-") },
    "is not the name of an upstream: use letters, digits, `_`, `.` and `-`, and begin with a letter or a digit",
    "the name of an upstream in quotes, such as \"storefront\""
);
name!(
    /// A type of file system for mount(8).
    FileSystem,
    "type of file system",
    Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9._-"),
    "is not a type of file system: write it as mount(8) takes it, such as \"nfs\"",
    "a type of file system in quotes, such as \"nfs\""
);

name!(
    /// The name of a header field (RFC 9110, 5.6.2).
    HeaderName,
    "name of a header field",
    Form::new("A-Za-z0-9!#$%&'*+.^_`|~-", "A-Za-z0-9!#$%&'*+.^_`|~-"),
    "is not the name of a header field",
    "the name of a header field, such as Authorization"
);
name!(
    /// A service of gRPC with its package.
    GrpcService,
    "name of a gRPC service",
    Form { parts: Some(('.', 1)), ..Form::new("A-Za-z_", "A-Za-z0-9_") },
    "is not the name of a gRPC service: write it with its package, such as shop.Cart",
    "the name of a gRPC service in quotes, such as \"shop.Cart\""
);
name!(
    /// What a server's certificate is for: a host name, or an IPv4 address.
    TlsName,
    "name in a certificate",
    Form {
        last: Class::new(LETTERS_AND_DIGITS),
        parts: Some(('.', 1)),
        longest: Some(253),
        ..Form::new(LETTERS_AND_DIGITS, "A-Za-z0-9-")
    },
    "is not a name that a certificate can be for: write it like web.example.com",
    "a host name in quotes, such as \"web.example.com\""
);

impl HeaderName {
    /// Fields that belong to the connection, of which a check has its own idea.
    pub(crate) const OF_THE_CONNECTION: [&str; 9] = [
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
}

impl SliceName {
    /// The unit's name.
    pub fn unit(&self) -> String {
        format!("{}.slice", self.0.strip_suffix(".slice").unwrap_or(&self.0))
    }
}

impl LogDriver {
    pub(crate) const DEFAULT: &str = "journald";

    /// Whether it is the one whose output journalctl shows.
    pub fn is_journald(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl Default for LogDriver {
    /// The one whose output journalctl shows.
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        for text in ["web", "web-1.example.com", "3com"] {
            assert!(text.parse::<HostName>().is_ok(), "{text}");
        }
        for text in ["", "-web", "web-", "a..b", "a_b", "a b", "."] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }

    #[test]
    fn slices() {
        assert_eq!("team-web".parse::<SliceName>().unwrap().unit(), "team-web.slice");
        assert_eq!("team.slice".parse::<SliceName>().unwrap().unit(), "team.slice");
        for text in ["", "-a", "a-", "a--b", "a/b", ".slice", "%i"] {
            assert!(text.parse::<SliceName>().is_err(), "{text}");
        }
    }

    #[test]
    fn interfaces() {
        for text in ["br-backend", "eth0.100", "0123456789abcde"] {
            assert!(text.parse::<InterfaceName>().is_ok(), "{text}");
        }
        for text in ["", ".", "-a", "a b", "a/b", "a:1", "0123456789abcdef"] {
            assert!(text.parse::<InterfaceName>().is_err(), "{text}");
        }
    }

    #[test]
    fn directives_and_parameters() {
        assert!("LimitNOFILE".parse::<Directive>().is_ok());
        for text in ["", "limit", "A B", "A=B", "A\n"] {
            assert!(text.parse::<Directive>().is_err(), "{text}");
        }
        assert!("net.core.somaxconn".parse::<SysctlName>().is_ok());
        assert!("somaxconn".parse::<SysctlName>().is_err());
    }
}
