//! Where it came from: in-toto statements, SLSA provenance, the audit log, the chain between a commit and what runs, and how delivery
//! flows.
//!
//! It records and checks what others built and signed. It builds nothing, asks no clock and no network, and what a log does not hold it
//! does not know.
//!
//! ```
//! use lotse_digest::Digest;
//! use lotse_provenance::{Chain, ChainRules, Evidence, KeyVerifier, LinkKind, Provenance, ResourceDescriptor, Start, Subject};
//! use lotse_sign::{Bundle, Scheme, SigningKey};
//!
//! # let (key, image) = (SigningKey::from_secret(Scheme::Ed25519, &[7; 32])?, Digest::sha256(b"manifest"));
//! let source = ResourceDescriptor::git(Some("https://git.example/app"), "513167b3b49f4c6aeec82c14b4db965623680059");
//! let provenance = Provenance::new("https://lotse.dev/build/release/v1", "https://ci.example/runner", source);
//! let statement = provenance.statement(vec![Subject::new("app", &image)])?.to_json()?;
//!
//! let mut evidence = Evidence::default(); // what was found in the registry, in Git and in the cluster
//! evidence.bundles = vec![Bundle::sign_statement(statement, &key)?.to_json()?];
//! let verifying_key = key.verifying_key();
//! let chain = Chain::walk(&Start::Image(image), &evidence, &ChainRules::new(&KeyVerifier(&verifying_key)));
//! assert_eq!(chain.commit.as_deref(), Some("513167b3b49f4c6aeec82c14b4db965623680059"));
//! assert!(chain.broken().is_none() && chain.missing().any(|link| link.kind == LinkKind::Log)); // no log was given
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `fs` (default) | `Log::open` and `DirectoryStore`: the audit log in a directory |
//! | `git` (default) | `GitFacts` and `History::read`: commits, their times and their files, read by the crate `gix` |
//!
//! # Specifications
//!
//! in-toto Attestation 1.2 (Statement v1; v0.1 is read), SLSA provenance v1 (read and written) and v0.2 (read), verification summary v1,
//! the predicates release v0.1, test-result v0.1, link v0.3, cosign's vulnerability scan, and SPDX, CycloneDX and OpenVEX as carried
//! documents; C2SP tlog-tiles, tlog-checkpoint, tlog-cosignature, tlog-proof (with `lotse-sign`).
//!
//! Where we differ or go further:
//!
//! - A set of digests of which one accepted algorithm is right and another wrong is refused; the specification is silent.
//! - Facts are taken from provenance of known build types alone (GitHub's workflow v1, the SLSA generators and npm, GitLab's runner,
//!   ours); an unknown one is refused by name. GitLab's fields are not tested against a live sample.
//! - An attached bundle that does not verify breaks the chain even if a good one is beside it.
//! - Partial tiles go once the full tile is there; nothing else of a log is ever removed.
//!
//! Limits of this version: ML-DSA-44 cosignatures and pruned logs are not read; a store of objects needs one writer at a time;
//! repositories with SHA-256 object names are refused; branches that were squashed or rebased leave no lifetime in Git.
//!
//! # Personal data
//!
//! What is in an append-only log cannot be deleted. Give people by [`Actor::pseudonym`], keep salt and names elsewhere, and keep
//! messages, user names and addresses out of events.

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

pub use crate::chain::{
    Attested, AttestedBy, BundleVerifier, Chain, ChainRules, CommitEvidence, ContainerEvidence, Evidence,
    KeyVerifier, Link, LinkKind, LinkState, LogEvidence, LoggedEntry, ManifestEvidence, PodEvidence,
    ReleaseEvidence, SigstoreVerifier, Start,
};
pub use crate::ci::{CiCaution, CiDisagreement, CiFacts, CiField, CiSource, Reconciled, RepositoryIdentity};
pub use crate::error::Error;
pub use crate::event::{Actor, ActorKind, Event, Outcome};
#[cfg(feature = "git")]
pub use crate::git::{Change, GitFacts, GitFile};
pub use crate::json::Json;
#[cfg(feature = "fs")]
pub use crate::log::DirectoryStore;
pub use crate::log::{Anchor, Audit, Hit, Log, LogLock, LogStore, MemoryStore, Query, Tampering, Witness};
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
