use lotse_digest::MerkleHash;

/// A log entry as a bundle carries it (protobuf-specs, `TransparencyLogEntry`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogEntry {
    /// The index in the whole log; in version 1 the shard's index in the proof differs.
    pub(crate) index: u64,
    pub(crate) log_id: Vec<u8>,
    pub(crate) kind: String,
    pub(crate) version: String,
    /// Seconds since 1970; 0 where there is none. It counts only below a signed promise.
    pub(crate) integrated_time: i64,
    /// The signed entry timestamp of version 1.
    pub(crate) promise: Option<Vec<u8>>,
    pub(crate) proof: Option<InclusionProof>,
    /// The entry's bytes: what the log hashed.
    pub(crate) body: Vec<u8>,
}

/// That an entry is in a tree, and the log's word for the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InclusionProof {
    pub(crate) index: i64,
    pub(crate) root: Vec<u8>,
    pub(crate) size: i64,
    pub(crate) hashes: Vec<MerkleHash>,
    pub(crate) checkpoint: String,
}

impl LogEntry {
    /// Whether the entry is of Rekor version 2, whose rules differ: told by kind *and* version, since other kinds of
    /// version 1 have a "0.0.2" too.
    pub(crate) fn is_v2(&self) -> bool {
        self.kind == "hashedrekord" && self.version == "0.0.2"
    }
}
