use std::path::{Path, PathBuf};

use lotse_digest::{Digest, Mismatch};

/// Why an image, a layer or a layout could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system said no.
    #[error("{action} {}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `create`, …
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are not what they claim to be.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Which document or archive, and where in it.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// It may be right, but this version does not read it.
    #[error("{what} is not supported; {advice}")]
    Unsupported {
        /// What was met.
        what: String,
        /// What to do instead.
        advice: &'static str,
    },
    /// Content that is not what its digest says.
    #[error("blob does not match its descriptor")]
    Mismatch(#[from] Mismatch),
    /// Content that does not have the size its descriptor says.
    #[error("blob {digest} has {actual} bytes, its descriptor says {expected}")]
    Size {
        /// The digest in the descriptor.
        digest: Digest,
        /// The size in the descriptor.
        expected: u64,
        /// Bytes found.
        actual: u64,
    },
    /// Untrusted input over one of the [`Limits`](crate::Limits).
    #[error("{what} exceeds the limit of {limit}; raise the limit if the source is trusted")]
    Limit {
        /// What was counted.
        what: String,
        /// How many are allowed.
        limit: u64,
    },
    /// A blob, tag or manifest that is not there.
    #[error("{what} is not in {place}")]
    NotFound {
        /// What was looked for.
        what: String,
        /// Where.
        place: String,
    },
    /// A registry, or the token service it names, said no.
    #[error("{0}")]
    Registry(Box<crate::distribution::Refusal>),
    /// No connection was made, or it broke, until patience was at its end.
    #[error("{request} was not answered: {reason}; check the address, or try again")]
    Broken {
        /// What was asked, without the query.
        request: String,
        /// What happened, the last time.
        reason: String,
    },
    /// The caller asked for something that cannot be right.
    #[error("{0}")]
    Caller(String),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn malformed(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Malformed { what: what.into(), reason: reason.into() }
    }
}

impl From<crate::distribution::Refusal> for Error {
    fn from(refusal: crate::distribution::Refusal) -> Self {
        Self::Registry(Box::new(refusal))
    }
}
