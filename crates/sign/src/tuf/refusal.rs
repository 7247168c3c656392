use std::fmt;

/// Why metadata or a target of a TUF repository is not accepted. Nothing of the refused file is used; what was accepted before
/// it stays, and the next update begins where this one ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct Refusal {
    /// Whose file: `root`, `timestamp`, `snapshot`, `targets`, the name of a delegated role, or the path of a target. Of what
    /// others wrote, here and in the reason, only a beginning is repeated, control characters escaped.
    pub role: String,
    /// The version that the file claims or should have, where it is known.
    pub version: Option<u64>,
    /// What it breaks.
    pub rule: Rule,
    /// What was found, and where.
    pub reason: String,
}

/// What a file of a TUF repository must keep to; named by the attack that each is against (specification, 1.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// It is metadata of version 1 of the specification, of the role that it was asked as (section 4).
    Form,
    /// A threshold of the role's keys signed it: against arbitrary software and the compromise of single keys.
    Signatures,
    /// It is not older than what was trusted before: against rollback.
    Rollback,
    /// It has not expired: against indefinite freezing.
    Freeze,
    /// It is the file that the role above it names, by version, length and hashes: against mix-and-match.
    MixAndMatch,
    /// It is not longer than it may be: against endless data.
    EndlessData,
    /// It is there.
    Absence,
    /// Some role that may speak for the path lists the target.
    NoSuchTarget,
    /// Counts stay within [`Limits`](super::Limits).
    Limit,
    /// This version can read it.
    Support,
}

impl Rule {
    const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Signatures => "signatures",
            Self::Rollback => "rollback",
            Self::Freeze => "freeze",
            Self::MixAndMatch => "mix-and-match",
            Self::EndlessData => "endless data",
            Self::Absence => "absence",
            Self::NoSuchTarget => "no such target",
            Self::Limit => "limit",
            Self::Support => "support",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Form | Self::Support => "ask whoever runs the repository, or update this program",
            Self::Signatures => {
                "do not go on: the repository, the way to it or the first root is not the one you mean"
            }
            Self::Rollback => "an older state is served; try again later or another mirror",
            Self::Freeze => {
                "refresh; if it stays, the repository is not signed in time or newer files are withheld"
            }
            Self::MixAndMatch | Self::EndlessData => {
                "refresh; if it stays, the mirror does not serve what was signed"
            }
            Self::Absence => "refresh; if it stays, the mirror is incomplete",
            Self::NoSuchTarget => "check the spelling of the path",
            Self::Limit => "raise the limit if the repository is known to be that large",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TUF: {}", self.role)?;
        if let Some(version) = self.version {
            write!(f, " version {version}")?;
        }
        write!(f, ": {}: {}; {}", self.rule, self.reason, self.rule.advice())
    }
}

impl Refusal {
    pub(super) fn new(role: &str, version: Option<u64>, rule: Rule, reason: impl AsRef<str>) -> Self {
        Self { role: plain(role, 256), version, rule, reason: plain(reason.as_ref(), 1024) }
    }
}

/// The beginning of a text that others wrote, without what a terminal would obey.
fn plain(text: &str, most: usize) -> String {
    let mut out = String::new();
    for character in text.chars().take(most) {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}
