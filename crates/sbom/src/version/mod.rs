//! Which of two versions is the newer one: each ecosystem has its own exact answer.

mod apk;
mod cargo;
mod composer;
mod dpkg;
mod npm;
mod npm_range;
mod range;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

pub use apk::ApkGeneration;
pub use range::{RangeError, matches_cargo, matches_debian, matches_npm};

/// A family of packages with its own version order, named as OSV names it.
///
/// ```
/// use lotse_sbom::Ecosystem;
/// use std::cmp::Ordering;
///
/// let debian: Ecosystem = "Debian:12".parse()?;
/// assert_eq!(debian.compare("1.0~rc1", "1.0")?, Some(Ordering::Less));
/// let packagist: Ecosystem = "Packagist".parse()?;
/// assert_eq!(packagist.compare("dev-main", "1.0")?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Ecosystem {
    /// The npm registry; node-semver's strict order.
    Npm,
    /// PHP packages; the order of composer/semver over normalised versions.
    Packagist,
    /// Rust packages; SemVer 2.0 precedence, build metadata ignored.
    CratesIo,
    /// Alpine with its release (`v3.20`, `edge`), or none if the record names none.
    Alpine(Option<String>),
    /// Debian with its release (`12`), or none if the record names none.
    Debian(Option<String>),
}

impl Ecosystem {
    /// Orders two versions; `Ok(None)` means that the ecosystem knows no order between them
    /// (Composer's `dev-` branches).
    ///
    /// # Errors
    /// [`VersionError`] names the version that the ecosystem's own tool refuses.
    pub fn compare(&self, a: &str, b: &str) -> Result<Option<Ordering>, VersionError> {
        match self {
            Self::Npm => npm::compare(a, b, npm::Mode::Strict).map(Some),
            Self::Packagist => composer::compare(a, b),
            Self::CratesIo => cargo::compare(a, b).map(Some),
            Self::Alpine(release) => {
                Ok(Some(apk::compare(a, b, ApkGeneration::of_release(release.as_deref()))))
            }
            Self::Debian(_) => dpkg::compare(a, b).map(Some),
        }
    }

    /// Says whether the ecosystem's own tool takes this text as a version. Where [`Ecosystem::compare`] never
    /// fails (apk orders nonsense too) a caller who judges wants to know it.
    ///
    /// # Errors
    /// [`VersionError`] with the reason if it does not.
    pub fn validate(&self, version: &str) -> Result<(), VersionError> {
        match self {
            Self::Npm => npm::compare(version, version, npm::Mode::Strict).map(drop),
            Self::Packagist => composer::normalise(version).map(drop),
            Self::CratesIo => cargo::compare(version, version).map(drop),
            Self::Debian(_) => dpkg::validate(version),
            Self::Alpine(release) => {
                if apk::valid(version, ApkGeneration::of_release(release.as_deref())) {
                    Ok(())
                } else {
                    Err(VersionError::new("apk", version, "not of the form 1.2.3a_rc1-r0"))
                }
            }
        }
    }
}

/// npm's loose order, which forgives `v`, `=`, leading zeros and a missing hyphen.
///
/// # Errors
/// [`VersionError`] if even the loose grammar refuses one of the two.
pub fn compare_npm_loose(a: &str, b: &str) -> Result<Ordering, VersionError> {
    npm::compare(a, b, npm::Mode::Loose)
}

/// npm's strict order with build metadata as the last criterion (node-semver's `compareBuild`).
///
/// # Errors
/// [`VersionError`] if one of the two is no strict version.
pub fn compare_npm_build(a: &str, b: &str) -> Result<Ordering, VersionError> {
    npm::compare(a, b, npm::Mode::StrictWithBuild)
}

/// Cargo's total order, in which build metadata counts (the `Ord` of a parsed version).
///
/// # Errors
/// [`VersionError`] if one of the two is no SemVer 2.0 version.
pub fn compare_cargo_total(a: &str, b: &str) -> Result<Ordering, VersionError> {
    cargo::compare_total(a, b)
}

/// apk's order as one generation of apk-tools computes it; it orders invalid versions too.
#[must_use]
pub fn compare_apk(a: &str, b: &str, generation: ApkGeneration) -> Ordering {
    apk::compare(a, b, generation)
}

/// Whether one generation of apk-tools calls this a valid version.
#[must_use]
pub fn is_valid_apk(version: &str, generation: ApkGeneration) -> bool {
    apk::valid(version, generation)
}

/// The normalised form that Composer compares and stores (`v1.2-beta1` becomes `1.2.0.0-beta1`).
///
/// # Errors
/// [`VersionError`] if Composer refuses the version.
pub fn normalise_composer(version: &str) -> Result<String, VersionError> {
    composer::normalise(version)
}

/// The stability Composer reads from a version: `stable`, `RC`, `beta`, `alpha` or `dev`.
#[must_use]
pub fn composer_stability(version: &str) -> &'static str {
    composer::stability(version)
}

impl FromStr for Ecosystem {
    type Err = UnsupportedEcosystem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, suffix) = match text.split_once(':') {
            Some((name, suffix)) => (name, Some(suffix)),
            None => (text, None),
        };
        let refused = || UnsupportedEcosystem { name: text.to_owned() };
        match (name, suffix) {
            ("npm", None) => Ok(Self::Npm),
            ("Packagist", None) => Ok(Self::Packagist),
            ("crates.io", None) => Ok(Self::CratesIo),
            ("Alpine", release) if release != Some("") => Ok(Self::Alpine(release.map(str::to_owned))),
            ("Debian", release) if release != Some("") => Ok(Self::Debian(release.map(str::to_owned))),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Npm => f.write_str("npm"),
            Self::Packagist => f.write_str("Packagist"),
            Self::CratesIo => f.write_str("crates.io"),
            Self::Alpine(Some(release)) => write!(f, "Alpine:{release}"),
            Self::Alpine(None) => f.write_str("Alpine"),
            Self::Debian(Some(release)) => write!(f, "Debian:{release}"),
            Self::Debian(None) => f.write_str("Debian"),
        }
    }
}

/// An ecosystem whose version order this crate does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "ecosystem {name:?} is not supported: its version order is not known here; known are npm, Packagist, crates.io, Alpine[:vX.Y] and Debian[:N]"
)]
pub struct UnsupportedEcosystem {
    /// The name as it was given.
    pub name: String,
}

/// A text that the ecosystem's own tool does not take as a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{version:?} is no {order} version: {reason}")]
pub struct VersionError {
    /// The order that refused: `npm`, `composer`, `cargo`, `apk` or `dpkg`.
    pub order: &'static str,
    /// The text as it was given, cut to 200 characters.
    pub version: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl VersionError {
    fn new(order: &'static str, version: &str, reason: &'static str) -> Self {
        Self { order, version: version.chars().take(200).collect(), reason }
    }
}
