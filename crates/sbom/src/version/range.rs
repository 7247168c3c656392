//! Conditions on versions as the tools write them.

use super::{VersionError, dpkg, npm_range};
use semver::{Version, VersionReq};
use std::cmp::Ordering;

/// Why a version could not be held against a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// The condition itself is malformed.
    #[error("{0:?} is no condition on versions")]
    Range(String),
    /// The version is refused.
    #[error(transparent)]
    Version(#[from] VersionError),
}

/// Whether a version meets a requirement of a `Cargo.toml` (`^1.2`, `>=1, <2`).
///
/// # Errors
/// [`RangeError`] says which of the two is malformed.
pub fn matches_cargo(range: &str, version: &str) -> Result<bool, RangeError> {
    let requirement =
        VersionReq::parse(range).map_err(|_| RangeError::Range(range.chars().take(200).collect()))?;
    let version = Version::parse(version)
        .map_err(|_| VersionError::new("cargo", version, "not a SemVer 2.0 version"))?;
    Ok(requirement.matches(&version))
}

/// Whether a version meets a range of a `package.json`, as node-semver's strict `satisfies` says.
///
/// # Errors
/// [`RangeError`] says which of the two is malformed; the range is looked at first.
pub fn matches_npm(range: &str, version: &str) -> Result<bool, RangeError> {
    npm_range::matches(range, version)
}

/// Whether a version meets a condition as `dpkg --compare-versions` takes it: an operator, a blank, a version. `<` and `>`
/// mean at most and at least, as they always did; an empty version is older than every other, with the operators
/// that end in `-nl` newer.
///
/// # Errors
/// [`RangeError`] if the operator is not known or dpkg refuses one of the versions.
pub fn matches_debian(condition: &str, version: &str) -> Result<bool, RangeError> {
    let (operator, bound) = condition.split_once(' ').unwrap_or((condition, ""));
    let (name, empty_is_newest) = match operator.strip_suffix("-nl") {
        Some(name) => (name, true),
        None => (operator, false),
    };
    let mut order = dpkg::compare(version, bound)?;
    if empty_is_newest && (version.is_empty() || bound.is_empty()) {
        order = order.reverse();
    }
    match name {
        "lt" | "<<" => Ok(order == Ordering::Less),
        "le" | "<=" | "<" => Ok(order != Ordering::Greater),
        "eq" | "=" => Ok(order == Ordering::Equal),
        "ne" => Ok(order != Ordering::Equal),
        "ge" | ">=" | ">" => Ok(order != Ordering::Less),
        "gt" | ">>" => Ok(order == Ordering::Greater),
        _ => Err(RangeError::Range(condition.chars().take(200).collect())),
    }
}
