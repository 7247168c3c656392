use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How a network plugin fills in what the API leaves open. There is no default: the choice changes verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Profile {
    /// An `ipBlock` matches the addresses of pods too. Pods on the host's network are traffic of their node: no policy
    /// selects them, their address is the node's. What comes from a pod's own node is always let in.
    Node,
    /// An `ipBlock` never matches a pod; otherwise as [`Profile::Node`].
    External,
    /// An `ipBlock` never matches a pod, pods on the host's network are ordinary pods, and nothing is exempt.
    Podlike,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Node, Self::External, Self::Podlike];
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::External => "external",
            Self::Podlike => "podlike",
        })
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|profile| profile.to_string() == word).ok_or_else(|| Error::UnknownWord {
            what: "profile",
            word: word.to_owned(),
            advice: "write node, external or podlike".to_owned(),
        })
    }
}

/// A direction, seen from the pod that a policy selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "traffic comes in or goes out")]
pub enum Direction {
    /// To the pod.
    Ingress,
    /// From the pod.
    Egress,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        })
    }
}
