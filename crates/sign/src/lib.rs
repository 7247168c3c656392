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
//! | `ring` | `VerifyingKey::verifies_with_ring`, a second implementation to compare with |
//!
//! # Specifications
//!
//! DSSE v1.0.2, Sigstore bundle v0.3 (proto3 JSON; members it does not have are refused), C2SP signed-note and
//! tlog-checkpoint, FIPS 186-5 with RFC 6979 (P-256), RFC 8032 (Ed25519), RFC 5958 and 5280 (PKCS#8 and SPKI in PEM).
//!
//! Not in this version, and refused by name: keyless bundles, transparency log entries, timestamps, encrypted private keys,
//! P-384, checkpoints with extension lines.

mod bundle;
mod claims;
mod dsse;
mod encoding;
mod error;
mod key;
mod note;
pub mod policy;

pub use crate::bundle::{BUNDLE_MEDIA_TYPE, Bundle};
pub use crate::claims::{Claims, SubjectName};
pub use crate::dsse::Envelope;
pub use crate::error::Error;
pub use crate::key::{Scheme, SigningKey, VerifyingKey};
pub use crate::note::{Checkpoint, SignedNote};
