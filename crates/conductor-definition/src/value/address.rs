//! Addresses of the network.

use std::net::IpAddr;
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// An IP address in numbers, of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address(pub(crate) IpAddr);

impl FromStr for Address {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        text.parse().map(Self).map_err(|_| {
            InvalidValue::new(format!(
                "`{}` is not an IP address: write it in numbers, such as 127.0.0.1 or ::1",
                text.escape_debug()
            ))
        })
    }
}

deserialize_from_str!(Address, "an IP address in quotes, such as \"127.0.0.1\"");
// Exact for version 4. For version 6 only the characters: its grammar would fill a page.
text_schema!(Address, "IP address", {
    let byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    let four = format!(r"({byte}\.){{3}}{byte}");
    format!("{four}|[0-9A-Fa-f]*:[0-9A-Fa-f:]*(:{four})?")
});

/// What a name in /etc/hosts stands for: an address, or the host's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostAddress(pub(crate) String);

/// Both engines' word for the host's own address.
const HOST_GATEWAY: &str = "host-gateway";

impl FromStr for HostAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text == HOST_GATEWAY || text.parse::<IpAddr>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidValue::new(format!(
            "`{}` is not an address: write an IP address, or \"{HOST_GATEWAY}\" for the host's own",
            text.escape_debug()
        )))
    }
}

deserialize_from_str!(HostAddress, "an IP address in quotes, or \"host-gateway\"");
#[cfg(feature = "schema")]
super::any_of_schema!(
    HostAddress,
    generator,
    [generator.subschema_for::<Address>(), serde_json::json!({ "type": "string", "enum": [HOST_GATEWAY] })]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_only() {
        for text in ["127.0.0.1", "::", "::1", "fd00::5", "::ffff:1.2.3.4"] {
            assert!(text.parse::<Address>().is_ok(), "{text}");
        }
        for text in ["", "localhost", "1.2.3", "1.2.3.4/8", "[::1]", "host-gateway"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        assert!("host-gateway".parse::<HostAddress>().is_ok());
        assert!("gateway".parse::<HostAddress>().is_err());
    }
}
