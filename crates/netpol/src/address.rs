use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An address as a number, so that blocks are ranges. IPv4 and IPv6 are kept apart by [`Address::is_v6`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    v6: bool,
    number: u128,
}

impl Address {
    /// `true` for IPv6. An IPv4 address written as IPv6 (`::ffff:1.2.3.4`) is IPv6 here.
    #[must_use]
    pub fn is_v6(self) -> bool {
        self.v6
    }

    pub(crate) fn first(v6: bool) -> Self {
        Self { v6, number: 0 }
    }

    pub(crate) fn last(v6: bool) -> Self {
        Self { v6, number: if v6 { u128::MAX } else { u128::from(u32::MAX) } }
    }

    /// The first 32 bits of an IPv6 address, as IPv4.
    pub(crate) fn first_bits(self) -> Self {
        Self { v6: false, number: self.number >> 96 }
    }

    pub(crate) fn next(self) -> Option<Self> {
        (self != Self::last(self.v6)).then(|| Self { v6: self.v6, number: self.number + 1 })
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { v6: false, number: u128::from(u32::from(v4)) },
            IpAddr::V6(v6) => Self { v6: true, number: u128::from(v6) },
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match u32::try_from(address.number) {
            Ok(number) if !address.v6 => IpAddr::V4(Ipv4Addr::from(number)),
            _ => IpAddr::V6(Ipv6Addr::from(address.number)),
        }
    }
}

impl FromStr for Address {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<IpAddr>().map(Self::from)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

/// A block of addresses, `10.0.0.0/8`. Bits after the prefix are ignored, as the API server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) first: Address,
    pub(crate) last: Address,
}

impl Block {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: Address = address.parse().ok()?;
        let bits: u32 = if address.v6 { 128 } else { 32 };
        let plain = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix: u32 = prefix.parse().ok().filter(|prefix| plain && *prefix <= bits)?;
        let host = u128::MAX.checked_shr(128 - (bits - prefix)).unwrap_or(0);
        Some(Self {
            first: Address { number: address.number & !host, ..address },
            last: Address { number: address.number | host, ..address },
        })
    }

    pub(crate) fn contains(&self, address: Address) -> bool {
        self.first.v6 == address.v6 && self.first <= address && address <= self.last
    }

    pub(crate) fn is_strictly_inside(&self, other: &Self) -> bool {
        other.contains(self.first) && other.contains(self.last) && self != other
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.first == Address::first(self.first.v6) && self.last == Address::last(self.first.v6)
    }
}
