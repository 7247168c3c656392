/// Why something was not signed, or is not accepted as signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no key that we can read.
    #[error("no usable {what}: {reason}")]
    Key {
        /// `private key` or `public key`.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A document that is not what it claims to be.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Envelope, bundle, note, …
        what: &'static str,
        /// What is wrong, and where.
        reason: String,
    },
    /// It may be right, but this version does not verify it.
    #[error("{what} is not supported; {advice}")]
    Unsupported {
        /// What was met.
        what: String,
        /// What to do instead.
        advice: &'static str,
    },
    /// No signature verifies with the given key.
    #[error("{what} has no valid signature by key {key}")]
    Signature {
        /// What is signed.
        what: &'static str,
        /// The fingerprint of the key that was tried.
        key: String,
    },
    /// The signature is good, but for something else.
    #[error("{what}: expected {expected}, the signed document says {actual}")]
    Mismatch {
        /// What was compared.
        what: &'static str,
        /// What the caller asked for.
        expected: String,
        /// What was signed.
        actual: String,
    },
    /// A service did not do what it was asked.
    #[error("{service} refused: {reason}")]
    Service {
        /// Which.
        service: &'static str,
        /// What it said.
        reason: String,
    },
    /// Metadata or a target of a TUF repository is not accepted.
    #[error(transparent)]
    Tuf(#[from] crate::tuf::Refusal),
    /// The file system did not do what it was asked.
    #[cfg(feature = "fs")]
    #[error("cannot {verb} {}", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// Where.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Untrusted input over a limit.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What was counted.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
}

impl Error {
    pub(crate) fn malformed(what: &'static str, reason: impl ToString) -> Self {
        Self::Malformed { what, reason: reason.to_string() }
    }
}
