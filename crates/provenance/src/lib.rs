//! Where it came from: in-toto statements, SLSA provenance, the audit log, and the chain from an image to its commit.
//!
//! It records and checks what others built and signed. It builds nothing, and what a log does not hold it does not know.
//!
//! ```
//! use lotse_digest::Digest;
//! use lotse_provenance::{Provenance, ResourceDescriptor, Statement, Subject};
//!
//! let source = ResourceDescriptor::git(Some("https://git.example/app"), "513167b3b49f4c6aeec82c14b4db965623680059");
//! let image = Digest::sha256(b"manifest");
//! let statement = Provenance::new("https://example.com/build/v1", "https://ci.example/runner", source)
//!     .statement(vec![Subject::new("app", &image)])?;
//!
//! let statement = Statement::parse(&statement.to_json()?)?; // signed in between, see `lotse-sign`
//! assert!(statement.is_about(&image));
//! assert_eq!(Provenance::parse(&statement)?.commit(), Some("513167b3b49f4c6aeec82c14b4db965623680059"));
//! # Ok::<(), lotse_provenance::Error>(())
//! ```
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `git` (default) | `GitFacts`: the commit, its time and its files, read by the crate `gix` |
//!
//! # Specifications
//!
//! in-toto Attestation 1.2 (Statement v1; v0.1 is read), SLSA provenance v1, C2SP tlog-tiles (files, tiles, entry bundles)
//! and tlog-checkpoint.
//!
//! Limits of this version: parameters of SLSA provenance are strings; SLSA v0.2, VSAs and link metadata are not read; a log
//! holds up to a million entries, all in memory; repositories with SHA-256 object names are refused.

mod chain;
mod ci;
mod error;
mod event;
#[cfg(feature = "git")]
mod git;
mod json;
mod log;
mod metrics;
mod predicate;
mod slsa;
mod statement;
mod steps;
mod time;

pub use crate::chain::{Chain, ChainEvidence, Link, LinkKind, LinkState};
pub use crate::ci::{CiCaution, CiDisagreement, CiFacts, CiField, CiSource, Reconciled, RepositoryIdentity};
pub use crate::error::Error;
pub use crate::event::{Actor, ActorKind, Event, Outcome};
#[cfg(feature = "git")]
pub use crate::git::{Change, GitFacts, GitFile};
pub use crate::json::Json;
pub use crate::log::{
    Anchor, Audit, DirectoryStore, Hit, Log, LogLock, LogStore, MemoryStore, Query, Tampering, Witness,
};
pub use crate::metrics::{Branch, Commit, DeliveryMetrics, Figure, History, Rate, Sample};
pub use crate::predicate::{
    Document, DocumentEncoding, DocumentFormat, LinkPredicate, Predicate, ReleasePredicate, Scanner,
    TestResult, TestVerdict, Vsa, VsaExpectations, VsaResult, VulnerabilityScan,
};
pub use crate::slsa::{
    BuildDefinition, BuildFacts, Builder, BuilderRule, Dependency, Expectations, Expected, Provenance,
    ResourceDescriptor, RunDetails, RunMetadata, SLSA_PROVENANCE, SLSA_PROVENANCE_0_2, Signer, SlsaCheck,
    SlsaVerdict,
};
pub use crate::statement::{DigestMatch, Statement, Subject, match_digests};
pub use crate::steps::{Step, StepCount, StepKind, StepSource, StepWindow};
pub use crate::time::{ParseTimestampError, Timestamp};
