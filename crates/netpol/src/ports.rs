use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A protocol that NetworkPolicy knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "networking.k8s.io/v1 knows exactly these three")]
pub enum Protocol {
    /// TCP
    Tcp,
    /// UDP
    Udp,
    /// SCTP
    Sctp,
}

impl Protocol {
    /// Every protocol, in the order in which they are printed.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Sctp];
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        })
    }
}

impl FromStr for Protocol {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|protocol| protocol.to_string() == word).ok_or_else(|| {
            Error::UnknownWord {
                what: "protocol",
                word: word.to_owned(),
                advice: "write TCP, UDP or SCTP".to_owned(),
            }
        })
    }
}

/// A set of ports of the three protocols, or everything (what no policy restricts: ICMP too).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortSet {
    everything: bool,
    /// Sorted, apart and not touching; one list per protocol.
    ranges: [Vec<(u16, u16)>; 3],
}

impl PortSet {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Everything, other protocols included.
    #[must_use]
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// The ports from one to another, both included.
    #[must_use]
    pub fn range(protocol: Protocol, first: u16, last: u16) -> Self {
        let mut set = Self::default();
        set.add(protocol, first, last);
        set
    }

    /// `true` if no port is in it.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.everything && self.ranges.iter().all(Vec::is_empty)
    }

    /// `true` for the set that no policy restricts.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.everything
    }

    /// `true` if the port is in it.
    #[must_use]
    pub fn contains(&self, protocol: Protocol, port: u16) -> bool {
        self.everything || self.of(protocol).iter().any(|(first, last)| (*first..=*last).contains(&port))
    }

    /// The ranges of one protocol, sorted; empty for the set of everything.
    #[must_use]
    pub fn of(&self, protocol: Protocol) -> &[(u16, u16)] {
        let [tcp, udp, sctp] = &self.ranges;
        match protocol {
            Protocol::Tcp => tcp,
            Protocol::Udp => udp,
            Protocol::Sctp => sctp,
        }
    }

    fn of_mut(&mut self, protocol: Protocol) -> &mut Vec<(u16, u16)> {
        let [tcp, udp, sctp] = &mut self.ranges;
        match protocol {
            Protocol::Tcp => tcp,
            Protocol::Udp => udp,
            Protocol::Sctp => sctp,
        }
    }

    pub(crate) fn add(&mut self, protocol: Protocol, first: u16, last: u16) {
        if self.everything || first > last {
            return;
        }
        let list = self.of_mut(protocol);
        list.push((first, last));
        list.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::new();
        for &(first, last) in list.iter() {
            match merged.last_mut() {
                Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        *list = merged;
    }

    /// What is in one or the other.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.everything || other.everything {
            return Self::everything();
        }
        let mut set = self.clone();
        for protocol in Protocol::ALL {
            for &(first, last) in other.of(protocol) {
                set.add(protocol, first, last);
            }
        }
        set
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        if self.everything {
            return other.clone();
        }
        if other.everything {
            return self.clone();
        }
        let mut set = Self::default();
        for protocol in Protocol::ALL {
            for &(a, b) in self.of(protocol) {
                for &(c, d) in other.of(protocol) {
                    set.add(protocol, a.max(c), b.min(d));
                }
            }
        }
        set
    }
}

impl fmt::Display for PortSet {
    /// `*` for everything, `-` for nothing, else as `TCP 80,443-445;UDP 1-65535`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.everything {
            return f.write_str("*");
        }
        let mut parts = Vec::new();
        for protocol in Protocol::ALL {
            let ranges = self.of(protocol).iter().map(|(first, last)| {
                if first == last { first.to_string() } else { format!("{first}-{last}") }
            });
            let list: Vec<String> = ranges.collect();
            if !list.is_empty() {
                parts.push(format!("{protocol} {}", list.join(",")));
            }
        }
        f.write_str(if parts.is_empty() { "-" } else { "" })?;
        f.write_str(&parts.join(";"))
    }
}

impl FromStr for PortSet {
    type Err = Error;

    /// Reads what [`PortSet`] prints.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::UnknownWord {
            what: "set of ports",
            word: text.to_owned(),
            advice: "write it as `TCP 80,443-445;UDP 53`, `*` or `-`".to_owned(),
        };
        match text {
            "*" => return Ok(Self::everything()),
            "-" => return Ok(Self::nothing()),
            _ => {}
        }
        let mut set = Self::default();
        for part in text.split(';') {
            let (protocol, list) = part.split_once(' ').ok_or_else(wrong)?;
            let protocol: Protocol = protocol.parse()?;
            for range in list.split(',') {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let first: u16 = first.parse().map_err(|_| wrong())?;
                let last: u16 = last.parse().map_err(|_| wrong())?;
                if first == 0 || first > last {
                    return Err(wrong());
                }
                set.add(protocol, first, last);
            }
        }
        Ok(set)
    }
}
