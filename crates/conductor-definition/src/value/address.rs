//! Addresses of the network.

use std::net::{IpAddr, SocketAddr};
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

/// An address and a port of TCP, to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub(crate) SocketAddr);

impl FromStr for ListenAddress {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text.parse::<SocketAddr>() {
            // A zone is nothing that a proxy takes.
            Ok(SocketAddr::V6(address)) if address.scope_id() != 0 => Err(()),
            Ok(address) if address.port() > 0 && !address.ip().is_multicast() => Ok(Self(address)),
            _ => Err(()),
        }
        .map_err(|()| {
            InvalidValue::new(format!(
                "`{}` is not where a proxy can listen: write an address in numbers with its port, such as \
                 127.0.0.1:20999 or [::1]:20999",
                text.escape_debug()
            ))
        })
    }
}

deserialize_from_str!(ListenAddress, "an address with its port in quotes, such as \"127.0.0.1:20999\"");
// Characters only, as for addresses of version 6.
text_schema!(ListenAddress, "IP address and port", {
    let port = "(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})";
    format!(r"([0-9.]+|\[[0-9A-Fa-f:.]+\]):{port}")
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
        for text in ["127.0.0.1:1", "0.0.0.0:65535", "[::1]:80"] {
            assert!(text.parse::<ListenAddress>().is_ok(), "{text}");
        }
        for text in ["", "80", "localhost:80", "127.0.0.1:0", "127.0.0.1", "224.0.0.1:80", "[fe80::1%2]:80"] {
            let said = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(said.ends_with("such as 127.0.0.1:20999 or [::1]:20999"), "{said}");
        }
        assert!("host-gateway".parse::<HostAddress>().is_ok());
        assert!("gateway".parse::<HostAddress>().is_err());
    }
}
