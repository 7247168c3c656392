//! SemVer 2.0 as Cargo reads it.

use super::VersionError;
use semver::Version;
use std::cmp::Ordering;

/// Precedence: build metadata does not count.
pub(super) fn compare(a: &str, b: &str) -> Result<Ordering, VersionError> {
    Ok(parse(a)?.cmp_precedence(&parse(b)?))
}

/// The total order of the parsed type, in which build metadata breaks ties.
pub(super) fn compare_total(a: &str, b: &str) -> Result<Ordering, VersionError> {
    Ok(parse(a)?.cmp(&parse(b)?))
}

fn parse(text: &str) -> Result<Version, VersionError> {
    Version::parse(text).map_err(|_| VersionError::new("cargo", text, "not a SemVer 2.0 version"))
}
