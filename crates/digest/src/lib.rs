//! Identity of content: digests, image references, streaming hashers, tree hashes and Merkle trees.
//!
//! It names and checks bytes. It signs nothing, stores nothing and opens no file: readers and writers are the caller's.
//!
//! ```
//! use lotse_digest::{Algorithm, Digest};
//!
//! let digest: Digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".parse()?;
//! digest.verify(b"abc")?; // the only way to know is to hash
//! assert_eq!(Digest::of(Algorithm::Sha256, b"abc"), digest);
//! assert!(digest.verify(b"abd").is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Many small things are hashed side by side in the lanes of vectors ([`Lanes`]), which [`MerkleTree`], [`ChunkList`],
//! [`FsVerity`] and [`ContentHash::files`] do by themselves. Large blobs are checked piece by piece against a [`ChunkList`], and a
//! [`Hasher`] can be [saved](Hasher::save) and [resumed](Hasher::resume) by another process.
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `serde` | `Digest` and `Reference` as strings in serialised documents |
//!
//! # Specifications
//!
//! OCI image-spec 1.1 (descriptor digests; `sha384` is our addition and not registered there), FIPS 180-4, the reference
//! grammar of distribution-spec 1.1, RFC 9162 section 2.1 (Merkle trees, equal to RFC 6962), the Linux kernel's fs-verity, Go's `h1:` directory hash.
//!
//! Deviations: digests of unregistered algorithms are refused, not carried along; a reference without a registry host is
//! kept as written ([`Reference::host`] is then `None`), because which registry it means is a client's decision.

mod algorithm;
mod base64;
mod chunks;
mod digest;
mod fsverity;
mod hasher;
mod hex;
mod io;
mod lanes;
mod merkle;
mod reference;
mod tree;

pub use crate::algorithm::Algorithm;
pub use crate::chunks::{ChunkError, ChunkList, ChunkReader};
pub use crate::digest::{Digest, Mismatch, ParseDigestError};
pub use crate::fsverity::FsVerity;
pub use crate::hasher::{Hasher, MultiHasher, ResumeError};
pub use crate::io::{HashingReader, HashingWriter, VerifyingReader};
pub use crate::lanes::Lanes;
pub use crate::merkle::{MerkleHash, MerkleTree, ProofError, verify_consistency, verify_inclusion};
pub use crate::reference::{ParseReferenceError, Reference};
pub use crate::tree::{ContentHash, GoDirHash, TreeHashError};
