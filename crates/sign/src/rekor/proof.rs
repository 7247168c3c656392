use lotse_digest::{MerkleHash, MerkleTree, verify_inclusion};

use super::LogEntry;
use crate::trusted_root::Log;
use crate::{Checkpoint, SignedNote, encoding};

/// That the log signed the promise to include the entry, over body, time, log and index (Rekor v1, "SET").
pub(crate) fn verify_inclusion_promise(entry: &LogEntry, set: &[u8], log: &Log) -> Result<(), String> {
    // The canonical JSON (RFC 8785) of four members whose values need no escape.
    let signed = format!(
        r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
        encoding::encode(&entry.body),
        entry.integrated_time,
        encoding::to_hexadecimal(&entry.log_id),
        entry.index,
    );
    if log.key.verifies(signed.as_bytes(), set) {
        return Ok(());
    }
    Err("the signed entry timestamp does not verify".to_owned())
}

/// That the entry is in the tree of a checkpoint that the log signed; says which tree.
pub(crate) fn verify_inclusion_proof(entry: &LogEntry, log: &Log) -> Result<String, String> {
    let proof = entry.proof.as_ref().ok_or("it has no inclusion proof")?;
    let note = SignedNote::parse(&proof.checkpoint).map_err(|error| error.to_string())?;
    let checkpoint = checkpoint(&note, log, entry.is_v2())?;
    let index = if entry.is_v2() {
        // Version 2: index from the top, size and root from the checkpoint; the proof's own copies are to be ignored.
        entry.index
    } else {
        let size = u64::try_from(proof.size).map_err(|_| "the proof's tree size is negative")?;
        if size != checkpoint.size {
            return Err(format!(
                "the proof is for a tree of {size} entries, the checkpoint for {}",
                checkpoint.size
            ));
        }
        if MerkleHash::try_from(proof.root.as_slice()).ok() != Some(checkpoint.root) {
            return Err("the proof's root is not the checkpoint's".to_owned());
        }
        u64::try_from(proof.index).map_err(|_| "the proof's index is negative")?
    };
    let leaf = MerkleTree::leaf_hash(&entry.body);
    verify_inclusion(&leaf, index, checkpoint.size, &proof.hashes, &checkpoint.root)
        .map_err(|error| format!("the inclusion proof fails: {error}"))?;
    Ok(format!("entry {index} of {} in {}", checkpoint.size, checkpoint.origin))
}

/// The checkpoint in a note, if the log signed it under its own name and it is the log's own.
fn checkpoint(note: &SignedNote, log: &Log, v2: bool) -> Result<Checkpoint, String> {
    let host = log.host();
    let checkpoint = Checkpoint::verify_signed_by(note, host, &log.key).map_err(|error| error.to_string())?;
    let own = checkpoint.origin == host
        // A shard of version 1: `rekor.sigstore.dev - <tree id>`.
        || !v2
            && checkpoint
                .origin
                .strip_prefix(host)
                .and_then(|rest| rest.strip_prefix(" - "))
                .is_some_and(|tree| !tree.is_empty() && tree.bytes().all(|byte| byte.is_ascii_digit()));
    if own {
        Ok(checkpoint)
    } else {
        Err(format!("the checkpoint is of {:?}, not of {host:?}", checkpoint.origin))
    }
}
