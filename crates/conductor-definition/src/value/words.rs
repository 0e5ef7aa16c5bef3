//! Names that come from a closed list: a slip of the finger is caught here and not by the engine.

use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str};
use crate::suggest::nearest;
use crate::written::DriverWord;
use crate::{HealthProtocol, Method, OnUnhealthy, Promotion, Protocol, PullPolicy, Runtime, Strategy};

/// capabilities(7), Linux 6.12, without their prefix; and the engines' word for all of them.
const CAPABILITIES: &[&str] = &[
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// getrlimit(2), as `--ulimit` names them.
const LIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// signal(7) without the real-time ones.
const SIGNALS: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "KILL", "PIPE", "PROF", "PWR",
    "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2",
    "VTALRM", "WINCH", "XCPU", "XFSZ",
];

fn pick(what: &str, text: &str, word: &str, list: &[&'static str]) -> Result<&'static str, InvalidValue> {
    if let Some(found) = list.iter().find(|known| **known == word) {
        return Ok(found);
    }
    let hint = nearest(word, list.iter().copied()).map(|near| format!(": did you mean `{near}`?"));
    Err(InvalidValue::new(format!("`{}` is not {what}{}", text.escape_debug(), hint.unwrap_or_default())))
}

macro_rules! word {
    ($(#[$doc:meta])* $type:ident, $prefix:literal, $case:ident, $list:ident, $what:literal, $expecting:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(&'static str);

        impl FromStr for $type {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                let word = text.$case();
                pick($what, text, word.strip_prefix($prefix).unwrap_or(&word), $list).map(Self)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.0 {
                    "ALL" => f.write_str("ALL"),
                    word => write!(f, "{}{word}", $prefix),
                }
            }
        }

        deserialize_from_str!($type, $expecting);

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            /// Editors offer the names as they are printed; every other way to write them is right too.
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let names: Vec<String> = $list.iter().map(|word| Self(word).to_string()).collect();
                let words = crate::schema::in_any_case(&$list.join("|"));
                let prefix = match $prefix {
                    "" => String::new(),
                    prefix => format!("({})?", crate::schema::in_any_case(prefix)),
                };
                schemars::json_schema!({
                    "title": $what.trim_start_matches("a "),
                    "anyOf": [
                        { "type": "string", "enum": names },
                        { "type": "string", "pattern": format!("^{prefix}({words})$") },
                    ],
                })
            }
        }
    };
}

word!(
    /// A capability, such as `CAP_NET_ADMIN`, or `ALL`.
    Capability, "CAP_", to_ascii_uppercase, CAPABILITIES,
    "a capability", "a capability in quotes, such as \"CAP_NET_ADMIN\""
);
word!(
    /// A signal, such as `SIGTERM`.
    Signal, "SIG", to_ascii_uppercase, SIGNALS,
    "a signal", "a signal in quotes, such as \"SIGTERM\""
);
word!(
    /// A resource limit, such as `nofile`.
    LimitName, "", to_ascii_lowercase, LIMITS,
    "a limit of setrlimit(2)", "the name of a limit, such as \"nofile\""
);

/// An enumeration whose variants have one way each to be written; and which counts where none is, if that is always the
/// same.
macro_rules! closed {
    ($type:ident, $expecting:literal, $default:expr, { $($word:literal => $variant:ident),+ }) => {
        impl FromStr for $type {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(unknown(text, &[$($word),+])),
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $word),+
                })
            }
        }

        deserialize_from_str!($type, $expecting);

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!({ "type": "string", "enum": [$($word),+] });
                let default: Option<Self> = $default;
                if let Some(default) = default {
                    schema.insert("default".to_owned(), default.to_string().into());
                }
                schema
            }
        }
    };
}

fn unknown(text: &str, known: &[&'static str]) -> InvalidValue {
    let help = match nearest(text, known.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write one of \"{}\"", known.join("\", \"")),
    };
    InvalidValue::new(format!("`{}` is not known here: {help}", text.escape_debug()))
}

closed!(Runtime, "an engine in quotes, such as \"podman\"", Some(Self::default()), { "podman" => Podman, "docker" => Docker });
closed!(Protocol, "a protocol in quotes, such as \"udp\"", Some(Self::default()), { "tcp" => Tcp, "udp" => Udp });
closed!(OnUnhealthy, "what to do in quotes, such as \"none\"", Some(Self::default()), { "restart" => Restart, "none" => None });
closed!(PullPolicy, "a policy in quotes, such as \"always\"", Some(Self::default()), {
    "missing" => Missing, "always" => Always, "never" => Never
});
closed!(HealthProtocol, "a protocol in quotes, such as \"https\"", Some(Self::default()), {
    "http" => Http, "https" => Https, "h2c" => H2c, "grpc" => Grpc, "grpcs" => Grpcs, "tcp" => Tcp
});
closed!(Method, "a method in quotes, such as \"HEAD\"", Some(Self::default()), {
    "GET" => Get, "HEAD" => Head, "POST" => Post, "PUT" => Put, "PATCH" => Patch, "DELETE" => Delete,
    "OPTIONS" => Options
});
closed!(Strategy, "a strategy in quotes, such as \"recreate\"", None, {
    "blue-green" => BlueGreen, "recreate" => Recreate
});
closed!(Promotion, "who promotes it in quotes, such as \"manual\"", Some(Self::default()), {
    "auto" => Auto, "manual" => Manual
});
closed!(DriverWord, "a driver in quotes, such as \"nginx\"", Some(Self::default()), {
    "nginx" => Nginx, "haproxy" => Haproxy
});

#[cfg(test)]
mod tests {
    use super::*;

    fn shown<T: FromStr<Err = InvalidValue> + fmt::Display>(text: &str) -> String {
        text.parse::<T>().map_or_else(|error| error.to_string(), |word| word.to_string())
    }

    #[test]
    fn with_and_without_prefix() {
        assert_eq!(shown::<Capability>("net_admin"), "CAP_NET_ADMIN");
        assert_eq!(shown::<Capability>("CAP_CHOWN"), "CAP_CHOWN");
        assert_eq!(shown::<Capability>("all"), "ALL");
        assert_eq!(shown::<Signal>("SIGINT"), "SIGINT");
        assert_eq!(shown::<Signal>("quit"), "SIGQUIT");
        assert_eq!(shown::<LimitName>("nofile"), "nofile");
    }

    #[test]
    fn slips_are_named() {
        assert_eq!(
            shown::<Capability>("CAP_NET_ADMN"),
            "`CAP_NET_ADMN` is not a capability: did you mean `NET_ADMIN`?"
        );
        assert_eq!(shown::<Signal>("SIGTREM"), "`SIGTREM` is not a signal: did you mean `TERM`?");
        assert_eq!(shown::<LimitName>("files"), "`files` is not a limit of setrlimit(2)");
    }
}
