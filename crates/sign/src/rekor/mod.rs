//! Entries of the transparency log Rekor: version 1 (signed entry timestamps, proofs on request) and version 2 (tiles).

mod body;
mod entry;
mod proof;

pub(crate) use self::body::{EntryBody, EntrySubject, Verifier, proto_digest, proto_hash_name};
pub(crate) use self::entry::{InclusionProof, LogEntry};
pub(crate) use self::proof::{verify_inclusion_promise, verify_inclusion_proof};
