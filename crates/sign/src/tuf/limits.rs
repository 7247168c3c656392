/// How much a TUF repository may ask of its client. What is over a limit is refused by name; nothing is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a root (512 KiB).
    pub root_bytes: usize,
    /// New roots in one update; after so many the update goes on with the last, as the specification has it (256).
    pub root_rotations: usize,
    /// Bytes of a timestamp (64 KiB).
    pub timestamp_bytes: usize,
    /// Bytes of a snapshot, also where the timestamp allows more (4 MiB).
    pub snapshot_bytes: usize,
    /// Bytes of the metadata of targets, also where the snapshot allows more (8 MiB).
    pub targets_bytes: usize,
    /// Bytes of a target, also where its metadata allows more (64 MiB).
    pub target_bytes: usize,
    /// Roles that are visited in the search for one target, which bounds the depth of delegations too (64).
    pub roles: usize,
    /// Signatures of one document, keys of one role, and delegations of one role (1024 each).
    pub entries: usize,
    /// Levels of nesting in a document (64).
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            root_bytes: 512 << 10,
            root_rotations: 256,
            timestamp_bytes: 64 << 10,
            snapshot_bytes: 4 << 20,
            targets_bytes: 8 << 20,
            target_bytes: 64 << 20,
            roles: 64,
            entries: 1024,
            depth: 64,
        }
    }
}
