//! Values that may be written in two ways. Each has a visitor of its own, because serde's `untagged` loses
//! the places of what is inside.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::value::{FilePath, InvalidValue, ObjectName, Text};

/// A port, or a range of them, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// A limit of setrlimit(2); -1 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ulimit {
    pub(crate) soft: i64,
    pub(crate) hard: i64,
}

/// A secret's file.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) path: FilePath,
    pub(crate) encrypted: bool,
}

/// One network, or several.
#[derive(Debug)]
pub(crate) struct Networks(pub(crate) Vec<ObjectName>);

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
        let range =
            text.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
        match range {
            Some((first, last)) if first <= last => Ok(Ports { first, last }),
            _ => Err(E::custom(InvalidValue::new(
                "not a range of ports: write it as \"8000-8009\", or one port as a number",
            ))),
        }
    }
});

deserialize_any!(Ulimit, "a number, -1 for no limit, or a table such as { soft = 1024, hard = 4096 }", {
    fn visit_i64<E: Error>(self, both: i64) -> Result<Ulimit, E> {
        Ok(Ulimit { soft: both, hard: both })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Ulimit, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            soft: i64,
            hard: i64,
        }
        let Table { soft, hard } = Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Ulimit { soft, hard })
    }
});

deserialize_any!(
    Secret,
    "the path of a file in quotes, or a table such as { path = \"/etc/credstore.encrypted/key\", encrypted = true }",
    {
        fn visit_str<E: Error>(self, path: &str) -> Result<Secret, E> {
            Ok(Secret { path: path.parse().map_err(E::custom)?, encrypted: false })
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Table {
                path: FilePath,
                #[serde(default)]
                encrypted: bool,
            }
            let Table { path, encrypted } = Table::deserialize(MapAccessDeserializer::new(map))?;
            Ok(Secret { path, encrypted })
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
