use std::fmt;

use lotse_yaml::Value;

use crate::cluster::Pod;
use crate::matrix::{find, is_traffic, ports_of};
use crate::peers::{self, Peer};
use crate::{Cluster, Direction, Error, Place, Profile, Protocol};

/// Why one connection is allowed or not: what decided at each end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// `true` if both ends let it pass.
    pub allowed: bool,
    /// The profile of the verdict.
    pub profile: Profile,
    /// The packet that was judged: who, from which address; `-` for a pod without an address.
    pub source: (String, String),
    /// To whom, at which address.
    pub destination: (String, String),
    /// The protocol.
    pub protocol: Protocol,
    /// The port on the destination, after any translation by a service.
    pub port: u16,
    /// What decided at the source.
    pub egress: Side,
    /// What decided at the destination.
    pub ingress: Side,
}

/// What decided at one end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Side {
    /// No policy has a say; the text says why.
    Open(&'static str),
    /// These rules let it pass; one would do.
    Allowed(Vec<Match>),
    /// These policies select the pod in this direction, and none of their rules lets it pass.
    Denied {
        /// The policies.
        policies: Vec<Place>,
        /// Rules that name the other end, but not this port.
        other_ports: Vec<Match>,
        /// Rules that have this port, but do not name the other end.
        other_peers: Vec<Place>,
    },
}

/// A rule, and which of its items names the other end (`None`: it names everybody).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match {
    /// The rule.
    pub rule: Place,
    /// Number of the item in its `from` or `to`.
    pub item: Option<usize>,
}

impl Cluster {
    /// The rules that decide one connection. Ends are peers as [`crate::Matrix`] names them, pods as `namespace/pod`,
    /// or addresses; the port is a number on the destination.
    ///
    /// # Errors
    /// [`Error::UnknownWord`] for an end that is not there, and for two ends without traffic (two outside addresses,
    /// two families, a pod and itself).
    pub fn explain(
        &self,
        profile: Profile,
        from: &str,
        to: &str,
        protocol: Protocol,
        port: u16,
    ) -> Result<Explanation, Error> {
        let (mut source, mut target) = (find(self, from)?, find(self, to)?);
        // `namespace/pod` without a family takes the family of the other end.
        source = self.same_family(from, source, target);
        target = self.same_family(to, target, source);
        if !is_traffic(source, target) {
            return Err(Error::UnknownWord {
                what: "pair with traffic",
                word: format!("{from} {to}"),
                advice: "take a pod at one end at least, one family, and two different pods".to_owned(),
            });
        }
        let egress = match source.pod(self) {
            Some(pod) => {
                self.side(profile, Direction::Egress, pod, target, target.pod(self), (protocol, port))
            }
            None => Side::Open("an outside address has no policies"),
        };
        let ingress = match target.pod(self) {
            Some(pod) if peers::is_own_node(self, profile, source, pod) => {
                Side::Open("what comes from the pod's own node is always let in")
            }
            Some(pod) => self.side(profile, Direction::Ingress, pod, source, Some(pod), (protocol, port)),
            None => Side::Open("an outside address has no policies"),
        };
        let end = |peer: Peer| {
            let address = peer.address().map_or_else(|| "-".to_owned(), |address| address.to_string());
            (peer.name(self), address)
        };
        let passes = |side: &Side| !matches!(side, Side::Denied { .. });
        Ok(Explanation {
            allowed: passes(&egress) && passes(&ingress),
            profile,
            source: end(source),
            destination: end(target),
            protocol,
            port,
            egress,
            ingress,
        })
    }

    fn same_family(&self, word: &str, peer: Peer, other: Peer) -> Peer {
        let (Peer::Pod(index, _), Some(pod), Some(wanted)) = (peer, peer.pod(self), other.address()) else {
            return peer;
        };
        let loose = word == format!("{}/{}", pod.namespace, pod.name);
        let address = pod.addresses.iter().find(|address| address.is_v6() == wanted.is_v6());
        address.filter(|_| loose).map_or(peer, |address| Peer::Pod(index, Some(*address)))
    }

    fn side(
        &self,
        profile: Profile,
        direction: Direction,
        pod: &Pod,
        other: Peer,
        target: Option<&Pod>,
        (protocol, port): (Protocol, u16),
    ) -> Side {
        if !peers::is_policed(pod, profile) {
            return Side::Open("a pod on the host's network is its node: policies do not select it");
        }
        let policies = peers::selecting(self, profile, direction, pod);
        if policies.is_empty() {
            return Side::Open("no policy selects the pod in this direction");
        }
        let (mut allowed, mut other_ports, mut other_peers, mut places) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for policy in policies.iter().filter_map(|index| self.policies.get(*index)) {
            places.push(policy.place.clone());
            for rule in policy.rules(direction).unwrap_or_default() {
                let named = peers::names(self, profile, &policy.namespace, rule, other);
                let item = named.filter(|_| rule.peers.is_some());
                let open = ports_of(rule, target).contains(protocol, port);
                match (named, open) {
                    (Some(_), true) => allowed.push(Match { rule: rule.place.clone(), item }),
                    (Some(_), false) => other_ports.push(Match { rule: rule.place.clone(), item }),
                    (None, true) => other_peers.push(rule.place.clone()),
                    (None, false) => {}
                }
            }
        }
        if allowed.is_empty() {
            Side::Denied { policies: places, other_ports, other_peers }
        } else {
            Side::Allowed(allowed)
        }
    }
}

impl Explanation {
    /// As one JSON object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        lotse_yaml::value!({
            "allowed": self.allowed,
            "profile": self.profile.to_string(),
            "from": { "peer": &self.source.0, "address": &self.source.1 },
            "to": { "peer": &self.destination.0, "address": &self.destination.1 },
            "protocol": self.protocol.to_string(),
            "port": self.port,
            "egress": self.egress.to_value(),
            "ingress": self.ingress.to_value(),
        })
    }
}

impl Side {
    fn to_value(&self) -> Value {
        let places = |places: &[Place]| places.iter().map(ToString::to_string).collect::<Value>();
        let matches = |matches: &[Match]| matches.iter().map(ToString::to_string).collect::<Value>();
        match self {
            Self::Open(why) => lotse_yaml::value!({ "verdict": "open", "why": *why }),
            Self::Allowed(rules) => lotse_yaml::value!({ "verdict": "allowed", "rules": matches(rules) }),
            Self::Denied { policies, other_ports, other_peers } => lotse_yaml::value!({
                "verdict": "denied",
                "policies": places(policies),
                "other_ports": matches(other_ports),
                "other_peers": places(other_peers),
            }),
        }
    }
}

impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Some(item) => write!(f, "{} (item {item})", self.rule),
            None => write!(f, "{} (everybody)", self.rule),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(why) => write!(f, "open: {why}"),
            Self::Allowed(rules) => {
                write!(f, "allowed by")?;
                rules.iter().try_for_each(|rule| write!(f, "\n    {rule}"))
            }
            Self::Denied { policies, other_ports, other_peers } => {
                write!(f, "denied: these select the pod, and no rule fits")?;
                policies.iter().try_for_each(|place| write!(f, "\n    {place}"))?;
                other_ports.iter().try_for_each(|rule| write!(f, "\n    other ports: {rule}"))?;
                other_peers.iter().try_for_each(|place| write!(f, "\n    other peers: {place}"))
            }
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} ({}) -> {} ({}) {} {}: {} (profile {})",
            self.source.0,
            self.source.1,
            self.destination.0,
            self.destination.1,
            self.protocol,
            self.port,
            if self.allowed { "allowed" } else { "denied" },
            self.profile,
        )?;
        writeln!(f, "  egress: {}", self.egress)?;
        write!(f, "  ingress: {}", self.ingress)
    }
}
