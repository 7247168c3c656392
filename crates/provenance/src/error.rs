use std::path::{Path, PathBuf};

use lotse_digest::ProofError;

use crate::Tampering;

/// Why provenance could not be read, written or recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system said no.
    #[error("{action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A document that is not what it claims to be.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Statement, log entry, tile, …
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// A signed document says something else than what was expected.
    #[error("{what}: expected {expected}, it says {actual}")]
    Refused {
        /// What was compared.
        what: &'static str,
        /// What the caller asked for.
        expected: String,
        /// What the document says.
        actual: String,
    },
    /// The Git repository does not say what is needed.
    #[error("Git: {0}")]
    Git(String),
    /// The log does not prove what it should.
    #[error("log: {what}")]
    Proof {
        /// What was to be proved.
        what: String,
        /// Why it is not.
        #[source]
        source: ProofError,
    },
    /// The log contradicts itself or its checkpoint.
    #[error("log: {0}")]
    Log(String),
    /// The log is not as it was signed or seen.
    #[error("log: {0}")]
    Tampered(Tampering),
    /// A key or signature.
    #[error("signature")]
    Sign(#[from] lotse_sign::Error),
    /// Over a limit.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What was counted.
        what: String,
        /// How many are allowed.
        limit: usize,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn malformed(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Malformed { what: what.into(), reason: reason.to_string() }
    }
}
