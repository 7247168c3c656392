//! Who says so: keys, DSSE envelopes, Sigstore bundles and signed checkpoints.
//!
//! It says whether a key signed some bytes. It does not say whether to trust the key, keeps no key and asks no clock.
//!
//! ```
//! use lotse_sign::{Bundle, Scheme, SigningKey};
//!
//! let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[7; 32])?; // in earnest: 32 random bytes
//! let statement = br#"{"_type":"https://in-toto.io/Statement/v1"}"#.to_vec();
//! let bundle = Bundle::sign_statement(statement.clone(), &key)?.to_json()?;
//!
//! let bundle = Bundle::parse(&bundle)?;
//! assert_eq!(bundle.verify_statement(&key.verifying_key())?, statement);
//! # Ok::<(), lotse_sign::Error>(())
//! ```
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `rego` | rules in Rego in [`policy`], by the crate `regorus` |
//! | `ring` | `VerifyingKey::verifies_with_ring`, a second implementation to compare with |
//!
//! # Specifications
//!
//! DSSE v1.0.2, Sigstore bundle v0.3 (proto3 JSON; members it does not have are refused), C2SP signed-note,
//! tlog-checkpoint, tlog-cosignature (Ed25519), tlog-policy and tlog-proof, FIPS 186-5 with RFC 6979 (P-256), RFC 8032 (Ed25519), RFC 5958 and 5280 (PKCS#8 and SPKI in PEM).
//!
//! Not in this version, and refused by name: keyless bundles, transparency log entries, timestamps, encrypted private keys,
//! P-384, ML-DSA-44 cosignatures.

mod bundle;
mod claims;
#[cfg(feature = "client")]
mod client;
mod cosign;
mod der;
mod dsse;
mod encoding;
mod error;
mod key;
mod note;
pub mod policy;
mod proto;
mod rekor;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod service;
mod statement;
mod time;
mod timestamp;
mod trusted_root;
mod verify;
mod x509;

pub use crate::bundle::{BUNDLE_MEDIA_TYPE, Bundle, BundleBuilder};
pub use crate::claims::{Claims, SubjectName};
#[cfg(feature = "client")]
pub use crate::client::Client;
pub use crate::cosign::{
    AttachedBundle, AttachmentStore, Attachments, CosignLayer, CosignManifest, DSSE_MEDIA_TYPE,
    SIMPLE_SIGNING_MEDIA_TYPE, SimpleSigning, cosign_predicate_type,
};
pub use crate::dsse::Envelope;
pub use crate::error::Error;
pub use crate::key::{Scheme, Signer, SigningKey, VerifyingKey};
pub use crate::note::{
    Checkpoint, NoteKey, NoteKeyKind, NoteSignature, SignedNote, TlogProof, WitnessPolicy, Witnessed,
    cosignature_key_id, note_key_id,
};
pub use crate::service::{
    Content, Fulcio, IdentityToken, Rekor, Request, Response, Service, SigningCertificate, SigningConfig,
    SigningSession, TimestampAuthority, TokenSource, Transport,
};
pub use crate::statement::image_statement;
pub use crate::time::{ParseTimeError, Time};
pub use crate::trusted_root::TrustedRoot;
pub use crate::verify::{
    Artifact, Attached, COSIGN_SIGN, Context, ExactIdentity, ExpectedSigner, Finding, IdentityRule,
    ImageVerdict, Proved, Question, Refusal, Requirements, Rule, SignedBy, Step, Verdict, VerdictCache,
    VerifiedTime, Verifier, Wanted,
};
