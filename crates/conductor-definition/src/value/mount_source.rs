//! What can be mounted.

use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str};
use crate::MountSource;

impl FromStr for MountSource {
    type Err = InvalidValue;

    /// A path begins with `/`; everything else is a volume's name, as with both engines.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.starts_with(['/', '.', '~']) {
            text.parse().map(Self::Path)
        } else {
            text.parse().map(Self::Volume)
        }
    }
}

deserialize_from_str!(MountSource, "an absolute path, or the name of a volume, in quotes");
#[cfg(feature = "schema")]
super::any_of_schema!(
    MountSource,
    generator,
    [
        generator.subschema_for::<super::FilePath>(),
        crate::schema::text("name of a volume", &super::ObjectName::FORM.pattern(), None)
    ]
);
