//! Who says so: keys, Sigstore bundles, signatures of images, identities, admission policies, signed logs.
//!
//! It says who signed some bytes, when, who witnessed it, and why not if not. It keeps no key and asks no clock and no network.
//!
//! Is this image signed by this workflow? (The image stands in an OCI layout or a registry; what is attached to it is found with
//! [`Attachments::find`]. Here a Sigstore in memory, the feature `sandbox`, has signed it.)
//!
//! ```
//! # #[cfg(feature = "sandbox")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use lotse_digest::Digest;
//! # use lotse_sign::{AttachedBundle, Claims, Content, SubjectName, image_statement, sandbox::Sandbox};
//! use lotse_sign::{Attachments, Context, ExactIdentity, ExpectedSigner, Requirements, TrustedRoot, Verifier, Wanted};
//!
//! # let sigstore = Sandbox::new("front page", "2026-11-21T10:00:00Z".parse()?);
//! # let mut claims = Claims::new(SubjectName::Uri("https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1".into()));
//! # claims.issuer = Some("https://token.actions.githubusercontent.com".into());
//! # let (image, manifest, now) = (Digest::sha256(b"manifest"), Digest::sha256(b"referrer"), sigstore.now());
//! # let json = sigstore.sign(Content::Statement(image_statement(&image)), &claims)?.to_json()?;
//! # let attachments = Attachments { bundles: vec![AttachedBundle { manifest, json }], ..Attachments::default() };
//! # let trusted_root = sigstore.trusted_root_json();
//! let workflow = ExactIdentity::new(
//!     "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1",
//!     "https://token.actions.githubusercontent.com",
//! );
//! let signer = ExpectedSigner::Identity(&workflow);
//! let context = Context { signer, requirements: Requirements::sigstore(), at: now };
//! let verifier = Verifier::new(TrustedRoot::parse(&trusted_root)?);
//! let found = verifier.verify_image(&attachments, &image, Wanted::Signature, &context);
//! assert!(found.is_accepted(), "{found:#?}"); // each verdict has its steps, and why it stopped
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! With a key alone, without log or timestamp:
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
//! | `rsa` (default) | verification of RSA signatures, by the crate `rsa` |
//! | `client`, `rustls` | `Client`: HTTP and HTTPS to the services that keyless signing needs |
//! | `fs` | [`tuf::Cache`](tuf): what TUF delivers, in a directory |
//! | `encrypted-keys` | `SigningKey::from_encrypted_pem`: the private keys that cosign writes |
//! | `rego` | rules in Rego in [`policy`], by the crate `regorus` |
//! | `sandbox` | `sandbox`: a Sigstore in memory, for tests |
//! | `ring` | `VerifyingKey::verifies_with_ring`, a second implementation to compare with |
//!
//! # Specifications
//!
//! Sigstore bundle v0.1 to v0.3, trusted root v0.1, signing config v0.2 (proto3 JSON by the rules at [`Bundle`]); Rekor v1
//! (promise, proof, checkpoint; hashedrekord, dsse, intoto) and v2 (hashedrekord 0.0.2); RFC 3161 timestamps; RFC 6962 SCTs; X.509
//! by Fulcio's profile; DSSE v1.0.2; TUF 1.0.34, the client's side ([`tuf`]); cosign's simple signing, `.sig` and `.att` layers, and bundles as OCI referrers;
//! ClusterImagePolicy; C2SP signed-note, tlog-checkpoint, tlog-cosignature (Ed25519), tlog-policy and tlog-proof; FIPS 186-5 with
//! RFC 6979 (P-256, P-384; P-521 verified only), RFC 8032 (Ed25519), RFC 8017 (RSA PKCS#1 v1.5, verified only), RFC 5958 and 5280.
//!
//! Where it differs from other clients on purpose stands, with the reason, in DIVERGENCES.md. Not in this version, and refused by
//! name: PKCS#8 with a password, Ed25519ph, ML-DSA. The core has no files, sockets, clocks or threads; on wasm it is untested.

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
pub mod tuf;
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
