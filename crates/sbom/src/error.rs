//! What can go wrong.

/// Why an inventory, a document or an advisory could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file is not what its name or format promises.
    #[error("{path}:{line}:{column}: {reason}")]
    Malformed {
        /// The file, or the name the caller gave the bytes.
        path: String,
        /// Line, from 1.
        line: u32,
        /// Column in bytes, from 1.
        column: u32,
        /// What was expected and what was found.
        reason: String,
    },
    /// A format version that this crate does not know; nothing of the file was used.
    #[error(
        "{path}: {format} version {version} is not known here (known: {known}); update lotse-sbom or write the file with an older tool"
    )]
    UnsupportedVersion {
        /// The file.
        path: String,
        /// The format, e.g. `package-lock.json`.
        format: &'static str,
        /// The version the file claims.
        version: String,
        /// The versions that are read.
        known: &'static str,
    },
    /// An input is larger than the caller's [`Limits`] allow.
    #[error("{path}: more than {limit} {what}; raise the limit if the input is trusted")]
    Limit {
        /// The file, or the name the caller gave the bytes.
        path: String,
        /// What was counted.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A path that is no plain relative path.
    #[error("{path:?} is no relative path inside the tree: no leading slash, no empty or `..` segment")]
    Path {
        /// The path as it was given.
        path: String,
    },
    /// The file system refused a file or directory.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file or directory.
        path: String,
        /// What the file system said.
        reason: String,
    },
    /// Several files could not be read; each error names its file.
    #[error("{} files could not be read: {}", .0.len(), .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Files(Vec<Error>),
}

/// How much untrusted input is read. There is no default: how much is too much is the caller's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file.
    pub file_bytes: usize,
    /// Components in one inventory.
    pub components: usize,
}

impl Limits {
    /// Limits that fit container images of some gigabytes: 64 MiB per package database, 200,000 components.
    #[must_use]
    pub fn for_images() -> Self {
        Self { file_bytes: 64 << 20, components: 200_000 }
    }
}

/// Line and column, both from 1, of a byte offset.
pub(crate) fn place(text: &[u8], offset: usize) -> (u32, u32) {
    let before = text.get(..offset.min(text.len())).unwrap_or_default();
    let line = before.iter().filter(|b| **b == b'\n').count();
    let column = before.iter().rev().take_while(|b| **b != b'\n').count();
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    (number(line), number(column))
}
