//! Values of `[security]` that are not capabilities.

use std::str::FromStr;

use super::form::Form;
use super::{InvalidValue, deserialize_from_str, form_schema};
use crate::Seccomp;

/// The engines' word for no filter at all.
const UNCONFINED: &str = "unconfined";

impl FromStr for Seccomp {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            UNCONFINED => Ok(Self::Unconfined),
            path => path.parse().map(Self::Profile),
        }
    }
}

deserialize_from_str!(Seccomp, "the path of a file in quotes, or \"unconfined\"");
#[cfg(feature = "schema")]
super::any_of_schema!(
    Seccomp,
    generator,
    [
        generator.subschema_for::<super::FilePath>(),
        serde_json::json!({ "type": "string", "enum": [UNCONFINED] })
    ]
);

/// A user namespace as the engine's `--userns` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserNamespace(pub(crate) String);

impl UserNamespace {
    pub(crate) const FORM: Form = Form::new("A-Za-z0-9:=,_/-", "A-Za-z0-9:=,_/-");
}

impl FromStr for UserNamespace {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if Self::FORM.fits(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue::new(format!(
            "`{}` is not a user namespace: write it as the engine's --userns takes it, such as \"auto\" or \"keep-id\"",
            text.escape_debug()
        )))
    }
}

deserialize_from_str!(UserNamespace, "a user namespace in quotes, such as \"auto\"");
form_schema!(UserNamespace, "user namespace");
