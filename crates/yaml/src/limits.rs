/// How much of an untrusted input is read before it is refused.
///
/// There is no `Default`: how much is too much is a decision. [`Limits::manifests`] suits files of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest input, in bytes.
    pub bytes: usize,
    /// Deepest nesting of collections; alias targets count with the depth of the place that uses them.
    pub depth: usize,
    /// Most documents in one stream.
    pub documents: usize,
    /// Most nodes (scalars, collections, aliases) in one stream.
    pub nodes: usize,
    /// Most values made from one document once aliases are followed.
    pub expanded: usize,
}

impl Limits {
    /// Limits for manifests of a repository: 64 MiB, 100 levels, 100,000 documents, 8 million nodes, and
    /// 2 million values per document after aliases.
    #[must_use]
    pub fn manifests() -> Self {
        Self { bytes: 64 << 20, depth: 100, documents: 100_000, nodes: 8_000_000, expanded: 2_000_000 }
    }

    /// Limits for one small file that a person writes: 1 MiB, 32 levels, 100 documents, 100,000 nodes and values.
    #[must_use]
    pub fn small_file() -> Self {
        Self { bytes: 1 << 20, depth: 32, documents: 100, nodes: 100_000, expanded: 100_000 }
    }
}
