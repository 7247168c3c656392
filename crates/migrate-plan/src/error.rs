//! What can go wrong.

/// Why a migration could not be read or a plan not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text ends inside a string, comment or body, or holds a form that no engine reads.
    #[error("{path}:{line}: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// Line, from 1.
        line: u32,
        /// What is wrong.
        reason: &'static str,
    },
    /// The text is larger than this crate reads.
    #[error("{path}: {bytes} bytes are more than {limit}; data belongs into a seeder, not into a migration")]
    TooLarge {
        /// The file.
        path: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A file whose kind is not known.
    #[error(
        "{path}: migrations are read from `.sql` and Laravel's `.php` files; move other files out of the folder"
    )]
    UnknownFile {
        /// The file.
        path: String,
    },
    /// An engine that is not known.
    #[error("engine {name:?} is not known: use mysql, mariadb, postgres or sqlite")]
    UnknownEngine {
        /// The name as it was given.
        name: String,
    },
    /// A statement that the ledger has as done reads differently now.
    #[error(
        "{path}, statement {index}: it has already run and was changed since; write a new migration instead"
    )]
    ChangedAfterRun {
        /// The file.
        path: String,
        /// Its place in the file, from 0.
        index: usize,
    },
}
