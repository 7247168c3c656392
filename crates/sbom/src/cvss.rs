//! Severity: CVSS v3 base scores computed, everything else named.

use std::fmt;
use std::str::FromStr;

/// How bad it is. `Unknown` sorts above all: what nobody has judged is not harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Score 0.0.
    None,
    /// Score 0.1 to 3.9.
    Low,
    /// Score 4.0 to 6.9.
    Medium,
    /// Score 7.0 to 8.9.
    High,
    /// Score 9.0 to 10.0.
    Critical,
    /// No vector that is computed here and no word of the record's database.
    Unknown,
}

impl Severity {
    /// The rating of a CVSS v3 score given in tenths (0 to 100).
    #[must_use]
    pub fn of_tenths(tenths: u8) -> Self {
        match tenths {
            0 => Self::None,
            1..40 => Self::Low,
            40..70 => Self::Medium,
            70..90 => Self::High,
            _ => Self::Critical,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        })
    }
}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    /// The words that databases use, in any case; GitHub says `MODERATE`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "low" | "negligible" | "unimportant" => Ok(Self::Low),
            "medium" | "moderate" => Ok(Self::Medium),
            "high" | "important" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            _ => Err(UnknownSeverity { text: text.chars().take(60).collect() }),
        }
    }
}

/// A word that names no severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no severity: use none, low, medium, high or critical")]
pub struct UnknownSeverity {
    /// The word, cut to 60 characters.
    pub text: String,
}

/// The base score of a CVSS v3.0 or v3.1 vector in tenths, or none if the vector is malformed or of another
/// version (v2 and v4 are not computed). Temporal and environmental metrics are ignored: a record states the base.
///
/// ```
/// assert_eq!(lotse_sbom::cvss_v3_base("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), Some(98));
/// assert_eq!(lotse_sbom::cvss_v3_base("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"), None);
/// ```
#[must_use]
pub fn cvss_v3_base(vector: &str) -> Option<u8> {
    let (newer, metrics) = match (vector.strip_prefix("CVSS:3.1/"), vector.strip_prefix("CVSS:3.0/")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return None,
    };
    let mut values = std::collections::BTreeMap::new();
    for pair in metrics.split('/') {
        let (name, value) = pair.split_once(':')?;
        if values.insert(name, value).is_some() {
            return None;
        }
    }
    let pick = |name: &str, table: &[(&str, f64)]| {
        let value = values.get(name)?;
        table.iter().find(|(word, _)| word == value).map(|(_, weight)| *weight)
    };
    let changed = match *values.get("S")? {
        "U" => false,
        "C" => true,
        _ => return None,
    };
    let privileges: &[(&str, f64)] = if changed {
        &[("N", 0.85), ("L", 0.68), ("H", 0.5)]
    } else {
        &[("N", 0.85), ("L", 0.62), ("H", 0.27)]
    };
    let exploitability = 8.22
        * pick("AV", &[("N", 0.85), ("A", 0.62), ("L", 0.55), ("P", 0.2)])?
        * pick("AC", &[("L", 0.77), ("H", 0.44)])?
        * pick("PR", privileges)?
        * pick("UI", &[("N", 0.85), ("R", 0.62)])?;
    let loss = |name| pick(name, &[("H", 0.56), ("L", 0.22), ("N", 0.0)]);
    let sub = 1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact = if changed { 7.52 * (sub - 0.029) - 3.25 * (sub - 0.02_f64).powi(15) } else { 6.42 * sub };
    if impact <= 0.0 {
        return Some(0);
    }
    let raw = if changed { 1.08 * (impact + exploitability) } else { impact + exploitability };
    Some(round_up(raw.min(10.0), newer))
}

/// The specification's Roundup, in tenths: 3.1 defines it over integers to be the same everywhere.
fn round_up(score: f64, newer: bool) -> u8 {
    let tenths = if newer {
        let scaled = (score * 100_000.0).round();
        (scaled / 10_000.0).ceil()
    } else {
        (score * 10.0).ceil()
    };
    (0..=100_u8).find(|n| f64::from(*n) >= tenths).unwrap_or(100)
}
