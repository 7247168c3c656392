//! What can go wrong.

/// Why a source could not be scanned. A file that is only too large or not opened is no error: it is listed in
/// [`crate::Findings::not_scanned`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused a file or directory.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The file or directory.
        path: String,
        /// What the file system said.
        reason: String,
    },
    /// The Git repository cannot be read.
    #[error("the Git repository {path} cannot be read: {reason}")]
    Git {
        /// The directory that was given.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The rules contradict themselves; a mistake in a rule, not in the input.
    #[error("rule {rule:?} cannot be used: {reason}")]
    Rule {
        /// The rule's id.
        rule: String,
        /// What is wrong.
        reason: String,
    },
}

/// How much of untrusted input is scanned. There is no default: what is left out is the caller's decision, and is
/// listed in the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file, blob or layer entry; larger ones are listed as not scanned.
    pub file_bytes: usize,
    /// Findings in one file; from there on the file is listed as not scanned to its end.
    pub findings_per_file: usize,
}

impl Limits {
    /// 64 MiB per file and 10,000 findings in it.
    #[must_use]
    pub fn for_repositories() -> Self {
        Self { file_bytes: 64 << 20, findings_per_file: 10_000 }
    }
}
