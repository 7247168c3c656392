use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A level of the Pod Security Standards, from lax to strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the Pod Security Standards define exactly three levels")]
pub enum Level {
    /// Everything is allowed.
    Privileged,
    /// Known privilege escalations are not.
    Baseline,
    /// Current hardening practice is required.
    Restricted,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        })
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "privileged" => Ok(Self::Privileged),
            "baseline" => Ok(Self::Baseline),
            "restricted" => Ok(Self::Restricted),
            _ => Err(Error::UnknownWord {
                what: "level",
                word: word.to_owned(),
                advice: "write privileged, baseline or restricted",
            }),
        }
    }
}

/// A version of the Pod Security Standards: that of a Kubernetes minor, or the newest this crate knows.
///
/// A minor above the newest known one (v1.36) is judged as that one, as the API server does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the API accepts v1.N and latest and nothing else")]
pub enum Version {
    /// `v1.N`
    Minor(u32),
    /// `latest`
    Latest,
}

impl Version {
    /// The number of the minor that is judged by.
    pub(crate) fn minor(self) -> u32 {
        match self {
            Self::Minor(minor) => minor,
            Self::Latest => u32::MAX,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minor(minor) => write!(f, "v1.{minor}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        if word == "latest" {
            return Ok(Self::Latest);
        }
        let digits = word.strip_prefix("v1.").filter(|digits| *digits == "0" || !digits.starts_with('0'));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse().ok()).map(Self::Minor).ok_or_else(|| Error::UnknownWord {
            what: "version",
            word: word.to_owned(),
            advice: "write v1.N, as v1.36, or latest",
        })
    }
}
