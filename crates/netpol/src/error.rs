use lotse_yaml::Position;

/// Why a set of documents gives no verdicts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file does not read.
    #[error("{file}:{source}")]
    Read {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: lotse_yaml::Error,
    },
    /// A document says something that the API server refuses, so that nobody knows what it would mean.
    #[error("{place}: {message}")]
    Invalid {
        /// Where.
        place: Box<Place>,
        /// What is wrong.
        message: String,
    },
    /// A kind of policy that this crate does not evaluate yet, and that would change verdicts.
    #[error(
        "{place}: {kind} is not evaluated here and may change every verdict; leave it out to judge without it"
    )]
    UnsupportedPolicy {
        /// Where.
        place: Box<Place>,
        /// The kind, with its API version.
        kind: String,
    },
    /// Two pods of one name.
    #[error("{place}: {name} is there twice")]
    Twice {
        /// Where the second one is.
        place: Box<Place>,
        /// Its name.
        name: String,
    },
    /// A word of a question that is no peer, port or address.
    #[error("`{word}` is no {what}: {advice}")]
    UnknownWord {
        /// What was expected.
        what: &'static str,
        /// The word.
        word: String,
        /// What it may be.
        advice: String,
    },
}

/// Where something stands: a file, a JSON pointer in one of its documents, and the line if it was read from text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// The file as the caller named it.
    pub file: String,
    /// The object, as `NetworkPolicy shop/web`.
    pub object: String,
    /// JSON pointer in the object.
    pub pointer: String,
    /// Line and column.
    pub position: Option<Position>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(position) = self.position {
            write!(f, ":{position}")?;
        }
        write!(f, ": {}", self.object)?;
        if !self.pointer.is_empty() {
            write!(f, " {}", self.pointer)?;
        }
        Ok(())
    }
}
