//! What a TUF repository delivers: the trusted root and the signing config of a Sigstore, kept in local storage and refreshed only
//! when asked (The Update Framework, specification 1.0, the client's side).
//!
//! [`Update`] is the protocol without sockets, files and clock: [`Step`] by step it says which file it wants, from local storage
//! or from the repository, and takes the bytes. The caller gives the first root: it is the anchor, and nothing stored is believed
//! that does not follow from it, since whoever can write to a cache would else decide what is trusted.
//!
//! ```
//! # #[cfg(feature = "sandbox")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use lotse_sign::sandbox::Sandbox;
//! use lotse_sign::TrustedRoot;
//! use lotse_sign::tuf::{Limits, MemoryStore, TRUSTED_ROOT, Update};
//!
//! # let sigstore = Sandbox::new("tuf", "2026-11-21T10:00:00Z".parse()?);
//! # let (repository, now) = (sigstore.tuf()?, sigstore.now());
//! # let initial_root = repository.initial_root();
//! let mut store = MemoryStore::new(); // or `Cache`, a directory, by the feature `fs`
//! let mut update = Update::new(&initial_root, now, Limits::default())?;
//! let json = update.fetch(TRUSTED_ROOT, &mut store, &repository)?; // or `HttpRepository`, by the feature `client`
//! assert_eq!(TrustedRoot::parse(&json)?.digest(), sigstore.trusted_root()?.digest());
//!
//! // Later, without a network:
//! let mut reading = Update::offline(&initial_root, now, Limits::default())?;
//! assert_eq!(reading.read(TRUSTED_ROOT, &store)?, json);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sandbox"))]
//! # fn main() {}
//! ```
//!
//! # How far it goes
//!
//! Section 5 of version 1.0.34 in full: chains of roots, thresholds of different keys, rollback, freeze and mix-and-match checks of
//! every role, recovery from fast-forward attacks, delegations by pattern and by hash, terminating ones, consistent snapshots.
//! Keys: `ed25519`, `ecdsa-sha2-nistp256` (and `-nistp384`), and `rsassa-pss-sha256` with the feature `rsa`. How much is read is
//! bounded by [`Limits`].
//!
//! Where the specification leaves a choice, or we differ:
//!
//! - A key whose id is not the SHA-256 of its canonical form counts for nothing; the document around it is read (4.3).
//! - Two key ids of one key count once towards a threshold; signatures and roles that name a key id twice are refused.
//! - "Rotated" (5.3.11) means that a key which was trusted for the role is no more. Stored timestamp and snapshot are removed before
//!   the new root is stored.
//! - Each update starts at the caller's root, over the stored chain (`root_history/`), instead of at the stored root.
//! - A hash by a function that is not known here is passed over where a known one stands beside it.
//! - Patterns may have `[…]`; a leading dot is matched like any character.
//! - Not read, and refused by name: TAP 15 (succinct roles), mirrors, roots of Sigstore before version 5 (other keys and dates).

#[cfg(feature = "fs")]
mod cache;
mod canonical;
mod document;
mod fields;
mod file;
mod key;
mod limits;
mod meta;
mod offline;
mod pattern;
mod refusal;
mod root;
mod search;
mod step;
mod targets;
mod update;

#[cfg(feature = "fs")]
pub use self::cache::Cache;
pub use self::file::File;
pub use self::limits::Limits;
pub use self::offline::{SIGNING_CONFIG, TRUSTED_ROOT};
pub use self::refusal::{Refusal, Rule};
pub use self::step::{MemoryStore, Repository, Step, Store, Wanted};
pub use self::targets::TargetFile;
pub use self::update::Update;
#[cfg(feature = "client")]
pub use crate::client::HttpRepository;

#[cfg(feature = "sandbox")]
pub(crate) use self::canonical::canonical;
use self::root::Root;
