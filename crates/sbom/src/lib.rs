//! What is inside an image or a directory: its packages, as CycloneDX and SPDX, and the advisories that concern them.
//!
//! It reads files that the caller hands in and looks nothing up: no network, no clock, no directory walk.
//!
//! ```
//! use lotse_sbom::{Database, Advisory, Limits, catalogue};
//!
//! let lock = br#"{"packages": [{"name": "acme/mail", "version": "v1.2.3", "license": ["MIT"]}]}"#;
//! let inventory = catalogue([("composer.lock", lock)], Limits::for_images())?;
//! assert_eq!(inventory.components()[0].id, "pkg:composer/acme/mail@v1.2.3");
//!
//! let record = br#"{"id": "EX-1", "affected": [{"package": {"ecosystem": "Packagist", "name": "acme/mail"},
//!     "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2.4"}]}]}]}"#;
//! let mut database = Database::default();
//! database.insert(Advisory::parse("EX-1.json", record, Limits::for_images())?);
//! assert_eq!(database.matches(&inventory).found[0].fixed, ["1.2.4"]);
//! # Ok::<(), lotse_sbom::Error>(())
//! ```
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `fs` | `catalogue_directory`: a directory on disk |
//! | `cyclonedx-bom` | conversions to and from the types of the crate `cyclonedx-bom` |
//! | `spdx-rs` | conversions to and from the types of the crate `spdx-rs` |
//!
//! # Specifications
//!
//! CycloneDX 1.6 and SPDX 2.3 (written), package URLs (ECMA-427), OSV schema 1.7, OpenVEX 0.2, CVSS 3.0 and 3.1 base
//! scores. Read: composer.lock, vendor/composer/installed.json, package-lock.json 1 to 3, Cargo.lock 1 to 4, the apk and
//! dpkg databases, os-release. Version orders: npm, Packagist, crates.io, Alpine (apk-tools 2 and 3), Debian.
//!
//! Deviations: other package databases are listed as not read, never skipped; CVSS 4 vectors are not computed (the word of
//! the record's database counts, else the severity is unknown and weighs as the worst); checksums are taken from lock
//! files, not computed.

mod catalogue;
#[cfg(any(feature = "cyclonedx-bom", feature = "spdx-rs"))]
mod convert;
mod cvss;
mod error;
#[cfg(feature = "fs")]
mod fs;
mod inventory;
mod json;
mod judge;
mod licence;
mod matching;
mod osv;
mod purl;
mod read;
mod time;
mod version;
mod vex;
mod write;
pub use crate::catalogue::{Catalogue, catalogue};
#[cfg(any(feature = "cyclonedx-bom", feature = "spdx-rs"))]
pub use crate::convert::ConvertError;
#[cfg(feature = "cyclonedx-bom")]
pub use crate::convert::{from_cyclonedx_bom, to_cyclonedx_bom};
#[cfg(feature = "spdx-rs")]
pub use crate::convert::{from_spdx_rs, to_spdx_rs};
pub use crate::cvss::{Severity, UnknownSeverity, cvss_v3_base};
pub use crate::error::{Error, Limits};
#[cfg(feature = "fs")]
pub use crate::fs::catalogue_directory;
pub use crate::inventory::{
    Checksum, ChecksumAlgorithm, Component, Distro, Inventory, Kind, NotRead, Origin, Problem, Scope,
    SourcePackage,
};
pub use crate::judge::{Allow, AllowError, Concern, Excuse, Gate, GateVerdict, Judgement, judge};
pub use crate::licence::Licence;
pub use crate::matching::{Because, Database, Match, Matches, Undecided};
pub use crate::osv::{Advisory, Affected, Event, Range};
pub use crate::purl::{Purl, PurlError};
pub use crate::time::{Date, TimeError, Timestamp};
pub use crate::version::{
    ApkGeneration, Ecosystem, RangeError, UnsupportedEcosystem, VersionError, compare_apk,
    compare_cargo_total, compare_npm_build, compare_npm_loose, composer_stability, is_valid_apk,
    matches_cargo, matches_debian, matches_npm, normalise_composer,
};
pub use crate::vex::{Product, Statement, Status, Vex};
pub use crate::write::{DocumentInfo, Subject, cyclonedx, inventory_json, spdx};
