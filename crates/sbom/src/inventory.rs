//! What was found: components, how they hang together, and what could not be read.

use crate::licence::Licence;
use crate::purl::Purl;
use crate::version::Ecosystem;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Everything found in one tree. Components are sorted by id; the same files in any order give the same value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    pub(crate) components: Vec<Component>,
    pub(crate) dependencies: BTreeMap<String, BTreeSet<String>>,
    pub(crate) distro: Option<Distro>,
    pub(crate) not_read: Vec<NotRead>,
    pub(crate) problems: Vec<Problem>,
}

impl Inventory {
    /// The components, sorted by id.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// One component by its id.
    #[must_use]
    pub fn component(&self, id: &str) -> Option<&Component> {
        self.components.binary_search_by(|c| c.id.as_str().cmp(id)).ok().and_then(|i| self.components.get(i))
    }

    /// The ids a component directly depends on, sorted.
    pub fn dependencies(&self, id: &str) -> impl Iterator<Item = &str> {
        self.dependencies.get(id).into_iter().flatten().map(String::as_str)
    }

    /// The components the whole tree stands on: the projects of the lock files, then whatever nothing else
    /// depends on. From them every component can be reached.
    #[must_use]
    pub fn roots(&self) -> Vec<&str> {
        let mut needed: BTreeSet<&str> = BTreeSet::new();
        for (from, targets) in &self.dependencies {
            needed.extend(targets.iter().map(String::as_str).filter(|to| to != from));
        }
        let mut roots: Vec<&str> = Vec::new();
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let first = self.components.iter().filter(|c| c.project || !needed.contains(c.id.as_str()));
        // A ring that nothing points to has no natural root: its first member becomes one.
        for component in first.chain(&self.components) {
            if reached.contains(component.id.as_str()) {
                continue;
            }
            roots.push(&component.id);
            let mut open = vec![component.id.as_str()];
            while let Some(id) = open.pop() {
                if reached.insert(id) {
                    open.extend(self.dependencies(id));
                }
            }
        }
        roots.sort_unstable();
        roots
    }

    /// The distribution, if an os-release file said so.
    #[must_use]
    pub fn distro(&self) -> Option<&Distro> {
        self.distro.as_ref()
    }

    /// Files that look like package databases or lock files and were not read, each with the reason.
    #[must_use]
    pub fn not_read(&self) -> &[NotRead] {
        &self.not_read
    }

    /// Records inside a readable file that were left out, each with the reason.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether everything that looked like a package database was read to the last record.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.not_read.is_empty() && self.problems.is_empty()
    }

    /// The OSV ecosystem a component's advisories are filed under, if its version order is known here.
    #[must_use]
    pub fn ecosystem(&self, component: &Component) -> Option<Ecosystem> {
        match component.kind {
            Kind::Npm => Some(Ecosystem::Npm),
            Kind::Composer => Some(Ecosystem::Packagist),
            Kind::Cargo => Some(Ecosystem::CratesIo),
            Kind::Apk | Kind::Deb => self.distro.as_ref().and_then(Distro::ecosystem),
            Kind::OperatingSystem => None,
        }
    }
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Component {
    /// Unique in the inventory and stable: the purl, or `kind:name@version`, with `#2` and so on where two
    /// different components share it.
    pub id: String,
    /// What sort of package it is.
    pub kind: Kind,
    /// The name as its database writes it.
    pub name: String,
    /// The version as its database writes it; none if the database has none (a local project).
    pub version: Option<String>,
    /// Its package URL; none for what has no place in a registry (local projects) or in no known distribution.
    pub purl: Option<Purl>,
    /// Licences as declared by the package; all of them apply unless one entry is an expression.
    pub licences: Vec<Licence>,
    /// Checksums of the archive as the lock file states them; not computed here.
    pub checksums: BTreeSet<Checksum>,
    /// The files that list it.
    pub locations: BTreeSet<String>,
    /// The source package that advisories of a distribution name.
    pub source: Option<SourcePackage>,
    /// Where its code comes from.
    pub origin: Origin,
    /// Whether it is needed at run time.
    pub scope: Scope,
    /// The project a lock file belongs to, as opposed to what it depends on.
    pub project: bool,
    /// Names it depends on that nothing in the tree provides.
    pub unresolved: BTreeSet<String>,
}

/// The sort of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// An npm package.
    Npm,
    /// A Composer package.
    Composer,
    /// A Rust crate.
    Cargo,
    /// An Alpine package.
    Apk,
    /// A Debian package (or of one of its children).
    Deb,
    /// The distribution itself.
    OperatingSystem,
}

impl Kind {
    /// The purl type, or `os`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Composer => "composer",
            Self::Cargo => "cargo",
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::OperatingSystem => "os",
        }
    }
}

/// A checksum that a lock file states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: ChecksumAlgorithm,
    /// Lower-case hex.
    pub hex: String,
}

/// Algorithms that lock files use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ChecksumAlgorithm {
    /// SHA-1 (Composer, old npm, apk).
    Sha1,
    /// SHA-256 (Cargo).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512 (npm).
    Sha512,
}

impl ChecksumAlgorithm {
    /// Length of the hex text.
    #[must_use]
    pub fn hex_length(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

/// The source package a binary package was built from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// Its version; binary rebuilds have another one than their source.
    pub version: String,
}

/// Where the code of a component comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// The registry or archive of its kind; advisories apply.
    Registry,
    /// A version control address.
    Vcs(String),
    /// An archive at an address outside the registry.
    Url(String),
    /// A directory of the project itself.
    Local,
}

/// When a component is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Scope {
    /// At run time.
    Required,
    /// At run time, but the program works without it.
    Optional,
    /// For development and tests only.
    Development,
}

/// The distribution a tree belongs to (os-release(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distro {
    /// `ID`, e.g. `alpine`.
    pub id: String,
    /// `VERSION_ID`, e.g. `3.20.3`; rolling distributions have none.
    pub version_id: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
    /// The file it was read from.
    pub location: String,
}

impl Distro {
    /// `Alpine:v3.20` or `Debian:12`; none for distributions whose advisories are not matched here.
    #[must_use]
    pub fn ecosystem(&self) -> Option<Ecosystem> {
        let version = self.version_id.as_deref();
        match self.id.as_str() {
            "alpine" => {
                let release = version.and_then(|v| {
                    if v.contains("alpha") || v.contains("edge") {
                        return Some("edge".to_owned());
                    }
                    let mut parts = v.split('.');
                    Some(format!("v{}.{}", parts.next()?, parts.next()?))
                });
                release.map(|r| Ecosystem::Alpine(Some(r)))
            }
            "debian" => version.map(|v| Ecosystem::Debian(Some(v.split('.').next().unwrap_or(v).to_owned()))),
            _ => None,
        }
    }

    /// The customary `distro` qualifier, e.g. `alpine-3.20.3`.
    pub(crate) fn qualifier(&self) -> String {
        match &self.version_id {
            Some(version) => format!("{}-{version}", self.id),
            None => self.id.clone(),
        }
    }
}

/// A file that looks like a package database and was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotRead {
    /// The file.
    pub path: String,
    /// Why not.
    pub reason: Cow<'static, str>,
}

/// A record that was left out of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// Line, from 1; 0 if it concerns the whole file.
    pub line: u32,
    /// What is wrong and what was done about it.
    pub reason: String,
}
