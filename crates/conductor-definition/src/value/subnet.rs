//! Subnets of networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{InvalidValue, deserialize_from_str, text_schema};

/// A subnet in CIDR notation (RFC 4632), such as `10.89.4.0/24` or `fd00:4::/64`, with room for a gateway
/// and containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    address: IpAddr,
    prefix: u8,
}

/// Prefixes between which a subnet is a network's and not a slip of the finger.
const SHORTEST: u8 = 8;
/// Bits that are left at least: for the subnet itself, a gateway, a container and a broadcast address.
const FEWEST_BITS: u8 = 2;

impl Subnet {
    /// Whether it is one of IPv6.
    pub fn is_ipv6(self) -> bool {
        self.address.is_ipv6()
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: IpAddr) -> bool {
        masked(address, self.prefix) == self.address
    }

    /// Whether all of `other` lies in it.
    pub fn covers(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.contains(other.address)
    }

    /// Whether they have addresses in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Its first address, which engines give to the gateway.
    pub fn first(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() | 1).into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() | 1).into(),
        }
    }

    /// Whether a machine in it can have the address: neither the subnet's own nor, with IPv4, the one for all.
    pub fn has_machine(self, address: IpAddr) -> bool {
        let last = match self.address {
            IpAddr::V4(first) => Some(Ipv4Addr::from_bits(first.to_bits() | !mask_v4(self.prefix)).into()),
            IpAddr::V6(_) => None,
        };
        self.contains(address) && address != self.address && last != Some(address)
    }
}

fn mask_v4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

fn mask_v6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix.min(128))).unwrap_or(0)
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & mask_v4(prefix)).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & mask_v6(prefix)).into(),
    }
}

impl FromStr for Subnet {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let shown = text.escape_debug();
        let parts = text.split_once('/').and_then(|(address, prefix)| {
            let plain = |number: &u8| number.to_string() == prefix;
            Some((address.parse::<IpAddr>().ok()?, prefix.parse().ok().filter(plain)?))
        });
        let Some((address, prefix)) = parts else {
            return Err(InvalidValue::new(format!(
                "`{shown}` is not a subnet: write address and prefix, such as 10.89.4.0/24 or fd00:4::/64"
            )));
        };
        let longest = if address.is_ipv4() { 32 } else { 128 } - FEWEST_BITS;
        if !(SHORTEST..=longest).contains(&prefix) {
            return Err(InvalidValue::new(format!(
                "`{shown}` cannot be a network's: its prefix is not between /{SHORTEST} and /{longest}"
            )));
        }
        let begins = masked(address, prefix);
        if begins != address {
            return Err(InvalidValue::new(format!(
                "`{shown}` is not where its subnet begins: write {begins}/{prefix}"
            )));
        }
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

deserialize_from_str!(Subnet, "a subnet in quotes, such as \"10.89.4.0/24\"");
// Whether the address is where the subnet begins is beyond it; and of version 6 it has only the characters.
text_schema!(Subnet, "subnet", {
    let byte = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    let four = format!(r"({byte}\.){{3}}{byte}");
    let six = format!("[0-9A-Fa-f]*:[0-9A-Fa-f:]*(:{four})?");
    format!("{four}/([89]|[12][0-9]|30)|{six}/([89]|[1-9][0-9]|1[01][0-9]|12[0-6])")
});

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn begins_at_its_address() {
        for text in ["10.89.4.0/24", "10.0.0.0/8", "192.168.1.252/30", "fd00:4::/64", "fd00::fc/126"] {
            assert_eq!(subnet(text).to_string(), text);
        }
        let refused = |text: &str| text.parse::<Subnet>().unwrap_err().to_string();
        assert_eq!(
            refused("10.89.4.7/24"),
            "`10.89.4.7/24` is not where its subnet begins: write 10.89.4.0/24"
        );
        assert!(refused("fd00::1/64").ends_with("write fd00::/64"));
        for text in ["10.0.0.0/31", "10.0.0.0/33", "0.0.0.0/0", "fd00::/127", "fd00::/999", "::/0"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
        for text in
            ["", "10.89.4.0", "10.89.4.0/", "10.89.4.0/+24", "10.89.4.0/024", "10.89.4/24", "/24", "a/24"]
        {
            assert!(refused(text).contains("is not a subnet"), "{text}");
        }
    }

    #[test]
    fn holds_addresses_and_subnets() {
        let net = subnet("10.89.4.0/22");
        assert!(net.contains("10.89.7.255".parse().unwrap()) && !net.contains("10.89.8.0".parse().unwrap()));
        assert!(!net.contains("fd00::1".parse().unwrap()));
        assert!(net.covers(subnet("10.89.5.0/24")) && !net.covers(subnet("10.89.0.0/16")));
        assert!(net.overlaps(subnet("10.89.0.0/16")) && !net.overlaps(subnet("10.89.8.0/24")));
        assert!(!net.overlaps(subnet("fd00::/64")) && !subnet("fd00::/64").overlaps(net));
        assert_eq!(net.first().to_string(), "10.89.4.1");
        assert_eq!(subnet("fd00:4::/64").first().to_string(), "fd00:4::1");
    }

    #[test]
    fn a_machine_has_neither_the_first_nor_the_last_address() {
        let machine = |net: &str, address: &str| subnet(net).has_machine(address.parse().unwrap());
        assert!(machine("10.89.4.0/24", "10.89.4.1") && machine("10.89.4.0/24", "10.89.4.254"));
        assert!(!machine("10.89.4.0/24", "10.89.4.0") && !machine("10.89.4.0/24", "10.89.4.255"));
        assert!(!machine("10.89.4.0/24", "10.89.5.1"));
        assert!(!machine("fd00::/64", "fd00::") && machine("fd00::/64", "fd00::ffff:ffff:ffff:ffff"));
    }
}
