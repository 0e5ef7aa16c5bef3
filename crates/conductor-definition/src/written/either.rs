//! Values that may be written in two ways. Each has a visitor of its own, because serde's `untagged` loses
//! the places of what is inside.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::value::{
    EnvironmentName, FileMode, FilePath, InvalidValue, ObjectName, SecretTarget, Statuses, Text,
};
use crate::written::{Id, Spanned};

/// A port, or a range of them, both ends included; validation looks at their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Ports {
    /// What to say of a range that is none.
    pub(crate) const MISTAKEN: &str =
        "not a range of ports: write it as \"8000-8009\", or one port as a number";
}

/// A limit of setrlimit(2); -1 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ulimit {
    pub(crate) soft: i64,
    pub(crate) hard: i64,
}

impl Ulimit {
    /// No limit.
    pub(crate) const ENDLESS: i64 = -1;
}

/// Soft and hard limit.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
struct Limits {
    /// What counts.
    #[cfg_attr(feature = "schema", schemars(range(min = Ulimit::ENDLESS)))]
    soft: i64,
    /// What the program may raise it to.
    #[cfg_attr(feature = "schema", schemars(range(min = Ulimit::ENDLESS)))]
    hard: i64,
}

/// A secret's file.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) path: FilePath,
    pub(crate) encrypted: bool,
    pub(crate) target: Option<Spanned<SecretTarget>>,
    pub(crate) environment: Option<Spanned<EnvironmentName>>,
    pub(crate) uid: Option<Spanned<Id>>,
    pub(crate) gid: Option<Spanned<Id>>,
    pub(crate) mode: Option<Spanned<FileMode>>,
}

/// A file, and how it was made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = crate::schema::in_order::<Self>))]
struct SecretFile {
    /// The file.
    path: FilePath,
    /// Whether systemd-creds(1) made it.
    #[serde(default)]
    encrypted: bool,
    /// Where it is in the container: a name below `/run/secrets`, or a path. Without it, that is the secret's own name.
    target: Option<Spanned<SecretTarget>>,
    /// The variable that has it in the container, in place of a file: for programs that read no files. It has to be one
    /// line; blank lines at the end are left out. Whoever may ask the engine about the container (`podman inspect`)
    /// sees it, and so do all processes that the program starts. On the host it is in a file below `/run`, in a
    /// directory of root's, while the service runs.
    environment: Option<Spanned<EnvironmentName>>,
    /// The number of the user who owns it in the container; the default is root.
    uid: Option<Spanned<Id>>,
    /// The number of the group that owns it in the container.
    gid: Option<Spanned<Id>>,
    /// Its mode in the container. By default all users there may read it, or with `uid` or `gid` those alone
    /// (`"0400"`, with `gid` `"0440"`). A secret of root with `mode = "0400"` stays in systemd's memory, which is
    /// never swapped out; the others are copied to a file below `/run`, in a directory of root's, while the service
    /// runs.
    mode: Option<Spanned<FileMode>>,
}

/// One network, or several.
#[derive(Debug)]
pub(crate) struct Networks(pub(crate) Vec<ObjectName>);

impl Networks {
    /// Words for the engine's own network, the host's, and none.
    pub(crate) const WORDS: [&str; 3] = ["bridge", "host", "none"];
}

/// A number or a text, as text.
#[derive(Debug)]
pub(crate) struct Number(pub(crate) String);

/// A driver's option: a text, a number, true or false, as text.
#[derive(Debug)]
pub(crate) struct OptionValue(pub(crate) String);

/// The values of a directive, one for each time it is given.
#[derive(Debug)]
pub(crate) struct Lines(pub(crate) Vec<String>);

macro_rules! deserialize_any {
    ($type:ty, $expecting:literal, { $($visit:item)* }) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct AnyVisitor;
                impl<'de> Visitor<'de> for AnyVisitor {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    $($visit)*
                }
                deserializer.deserialize_any(AnyVisitor)
            }
        }
    };
}

deserialize_any!(Ports, "a port, or a range in quotes such as \"8000-8009\"", {
    fn visit_i64<E: Error>(self, port: i64) -> Result<Ports, E> {
        Ok(Ports { first: port, last: port })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Ports, E> {
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let range = text.split_once('-').and_then(|(first, last)| Some((number(first)?, number(last)?)));
        match range {
            Some((first, last)) => Ok(Ports { first, last }),
            None => Err(E::custom(InvalidValue::new(Ports::MISTAKEN))),
        }
    }
});

deserialize_any!(Ulimit, "a number, -1 for no limit, or a table such as { soft = 1024, hard = 4096 }", {
    fn visit_i64<E: Error>(self, both: i64) -> Result<Ulimit, E> {
        Ok(Ulimit { soft: both, hard: both })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Ulimit, A::Error> {
        let Limits { soft, hard } = Limits::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Ulimit { soft, hard })
    }
});

deserialize_any!(
    Secret,
    "the path of a file in quotes, or a table such as { path = \"/etc/credstore.encrypted/key\", encrypted = true }",
    {
        fn visit_str<E: Error>(self, path: &str) -> Result<Secret, E> {
            let path = path.parse().map_err(E::custom)?;
            Ok(Secret {
                path,
                encrypted: false,
                target: None,
                environment: None,
                uid: None,
                gid: None,
                mode: None,
            })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
            let SecretFile { path, encrypted, target, environment, uid, gid, mode } =
                SecretFile::deserialize(MapAccessDeserializer::new(map))?;
            Ok(Secret { path, encrypted, target, environment, uid, gid, mode })
        }
    }
);

deserialize_any!(Networks, "a network in quotes, or a list of networks", {
    fn visit_str<E: Error>(self, name: &str) -> Result<Networks, E> {
        Ok(Networks(vec![name.parse().map_err(E::custom)?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Networks, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        Ok(Networks(names))
    }
});

deserialize_any!(Number, "a number, or a text in quotes", {
    fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        let Text(text) = text.parse().map_err(E::custom)?;
        Ok(Number(text))
    }
});

deserialize_any!(OptionValue, "a text in quotes, a number, true or false", {
    fn visit_i64<E: Error>(self, number: i64) -> Result<OptionValue, E> {
        Ok(OptionValue(number.to_string()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<OptionValue, E> {
        Ok(OptionValue(value.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OptionValue, E> {
        let Text(text) = text.parse().map_err(E::custom)?;
        Ok(OptionValue(text))
    }
});

deserialize_any!(Statuses, "a status, or a list of them in quotes such as \"200-299,401\"", {
    fn visit_i64<E: Error>(self, status: i64) -> Result<Statuses, E> {
        status.to_string().parse().map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Statuses, E> {
        text.parse().map_err(E::custom)
    }
});

/// One value of a directive, without line breaks: those would begin another directive.
struct Line(String);

deserialize_any!(Line, "a text in quotes, a number, true or false", {
    fn visit_str<E: Error>(self, text: &str) -> Result<Line, E> {
        if text.chars().any(char::is_control) || text.ends_with('\\') {
            return Err(E::custom(InvalidValue::new("a directive is one line: write a list for several")));
        }
        Ok(Line(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Line, E> {
        Ok(Line(number.to_string()))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Line, E> {
        Ok(Line(if value { "yes" } else { "no" }.to_owned()))
    }
});

deserialize_any!(Lines, "a text in quotes, a number, true or false, or a list of these", {
    fn visit_str<E: Error>(self, text: &str) -> Result<Lines, E> {
        Line::deserialize(serde::de::value::StrDeserializer::new(text)).map(|Line(line)| Lines(vec![line]))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Lines, E> {
        Ok(Lines(vec![number.to_string()]))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Lines, E> {
        Ok(Lines(vec![if value { "yes" } else { "no" }.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Lines, A::Error> {
        let mut lines = Vec::new();
        while let Some(Line(line)) = list.next_element()? {
            lines.push(line);
        }
        Ok(Lines(lines))
    }
});

#[cfg(feature = "schema")]
mod schema {
    use serde_json::json;

    use super::{Limits, Line, Lines, Networks, Number, OptionValue, Ports, Secret, SecretFile, Ulimit};
    use crate::schema::{CONTROL, text};
    use crate::value::{FilePath, ObjectName, Statuses, Text, any_of_schema};
    use crate::written::PortNumber;

    // Five digits are not always a port: that is for the reader to say.
    any_of_schema!(
        Ports,
        generator,
        [
            generator.subschema_for::<PortNumber>(),
            text("range of ports", "0*[1-9][0-9]{0,4}-0*[1-9][0-9]{0,4}", None)
        ]
    );
    any_of_schema!(
        Ulimit,
        generator,
        [json!({ "type": "integer", "minimum": Ulimit::ENDLESS }), generator.subschema_for::<Limits>()]
    );
    any_of_schema!(
        Secret,
        generator,
        [generator.subschema_for::<FilePath>(), generator.subschema_for::<SecretFile>()]
    );
    any_of_schema!(
        Networks,
        generator,
        [
            json!({ "type": "string", "enum": Networks::WORDS }),
            generator.subschema_for::<ObjectName>(),
            generator.subschema_for::<Vec<ObjectName>>()
        ]
    );
    any_of_schema!(
        Statuses,
        _generator,
        [
            json!({ "type": "integer", "minimum": Statuses::FIRST, "maximum": Statuses::LAST }),
            text("list of statuses", Statuses::PATTERN, None)
        ]
    );
    any_of_schema!(Number, generator, [json!({ "type": "integer" }), generator.subschema_for::<Text>()]);
    any_of_schema!(
        OptionValue,
        generator,
        [generator.subschema_for::<Text>(), json!({ "type": "integer" }), json!({ "type": "boolean" })]
    );
    any_of_schema!(
        Line,
        _generator,
        [
            text("line of text", &format!(r"([^{CONTROL}]*[^\\{CONTROL}])?"), None),
            json!({ "type": "integer" }),
            json!({ "type": "boolean" })
        ]
    );
    any_of_schema!(
        Lines,
        generator,
        [generator.subschema_for::<Line>(), generator.subschema_for::<Vec<Line>>()]
    );
}
