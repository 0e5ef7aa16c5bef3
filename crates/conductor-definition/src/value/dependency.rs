//! What a service is ordered after or needs.

use std::fmt;
use std::str::FromStr;

use super::form::{Class, Form};
use super::{InvalidValue, deserialize_from_str, text_schema};

/// Unit types that can be depended on (systemd.unit(5)).
const SUFFIXES: &[&str] = &[
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

/// The characters of systemd.unit(5); everything else is written as \xNN in a unit's name.
const CHARACTERS: Class = Class::new(r"A-Za-z0-9:_.\@-");

/// A name begins with one of these: before the `@` of an instance stands its template's name.
const FIRST: Class = Class::new(r"A-Za-z0-9:_.\-");

/// Bytes of the longest unit name (systemd.unit(5)).
const LONGEST: usize = 255;

/// A service's name, as far as a slip of the finger would show.
const SERVICE: Form = Form::new("a-z0-9-", "a-z0-9-");

/// A unit name such as `postgresql.service`, or the name of another Conductor service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency(String);

impl Dependency {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a definition of ours may make what it names: services and targets are all that those make for others.
    pub fn may_be_ours(&self) -> bool {
        !self.is_unit() || [".service", ".target"].iter().any(|suffix| self.0.ends_with(suffix))
    }

    /// Whether it names a unit and not a service of ours.
    pub fn is_unit(&self) -> bool {
        SUFFIXES.iter().any(|suffix| self.0.ends_with(suffix))
    }
}

impl FromStr for Dependency {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let stem = SUFFIXES.iter().find_map(|suffix| text.strip_suffix(suffix));
        let unit = stem.is_some_and(|stem| {
            stem.starts_with(|c| FIRST.has(c)) && stem.chars().all(|c| CHARACTERS.has(c))
        });
        if text.len() > LONGEST || !(unit || SERVICE.fits(text)) {
            return Err(InvalidValue::new(format!(
                "`{}` names neither a unit (such as `postgresql.service`) nor a service (such as `web`)",
                text.escape_debug()
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

deserialize_from_str!(Dependency, "the name of a unit or of a service in quotes");
text_schema!(
    Dependency,
    "name of a unit or of a service",
    {
        let [first, characters] = [FIRST, CHARACTERS].map(Class::bracketed);
        let suffixes = SUFFIXES.join("|").replace('.', r"\.");
        format!("{first}{characters}*({suffixes})|{}", SERVICE.pattern())
    },
    LONGEST
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_unit_or_a_service() {
        assert!("postgresql.service".parse::<Dependency>().unwrap().is_unit());
        assert!("dev-sda\\x2d1.mount".parse::<Dependency>().unwrap().is_unit());
        assert!(!"web".parse::<Dependency>().unwrap().is_unit());
        for text in
            ["", "web.toml", "Web", "a b.service", "%n.service", "x\n.service", ".service", "@a.service"]
        {
            assert!(text.parse::<Dependency>().is_err(), "{text}");
        }
    }
}
