use crate::Position;

/// Why an input was not read, converted or changed. Positions are of the original text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not YAML (or not JSON where JSON was asked for).
    #[error("{position}: {message}")]
    Syntax {
        /// Where.
        position: Position,
        /// What the parser found.
        message: String,
    },
    /// The input is larger than its [`crate::Limits`] allow.
    #[error("{position}: more than {limit} {what}: raise the limit if the input is trusted")]
    Limit {
        /// What there is too much of: `bytes`, `levels`, `documents`, `nodes`, `values after aliases`.
        what: &'static str,
        /// The limit that was passed.
        limit: usize,
        /// Where it was passed.
        position: Position,
    },
    /// The text parses, but has no value in this dialect: the reader it stands for refuses it too.
    #[error("{position}: {message}")]
    NoValue {
        /// Where.
        position: Position,
        /// Why.
        message: String,
    },
    /// Real readers differ or lose data here, so this crate does not choose.
    #[error("{position}: {message}")]
    Undecided {
        /// Where.
        position: Position,
        /// What is undecided and how to write it instead.
        message: String,
    },
    /// Not text this crate reads (UTF-16, or invalid UTF-8 in a dialect that refuses it).
    #[error("{position}: {message}")]
    Encoding {
        /// Where.
        position: Position,
        /// What was found.
        message: String,
    },
    /// A scalar was not replaced; the source is as it was.
    #[error("{pointer} of document {document} was not changed: {reason}")]
    Edit {
        /// Document, counted from 0.
        document: usize,
        /// The JSON pointer asked for.
        pointer: String,
        /// Why not.
        reason: EditRefusal,
    },
}

impl Error {
    /// Where the error is, if it has a place in the text.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match self {
            Self::Syntax { position, .. }
            | Self::Limit { position, .. }
            | Self::NoValue { position, .. }
            | Self::Undecided { position, .. }
            | Self::Encoding { position, .. } => Some(*position),
            Self::Edit { .. } => None,
        }
    }
}

/// Why one scalar was not replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditRefusal {
    /// The stream has fewer documents.
    #[error("there is no such document; count from 0")]
    NoDocument,
    /// Nothing is at that pointer.
    #[error("nothing is there; check the JSON pointer")]
    NotFound,
    /// The pointer leads to a sequence or mapping.
    #[error("it is not a scalar; point at the value itself")]
    NotScalar,
    /// The value, or something above it, is an alias of another place.
    #[error("it is reached through the alias *{0}; change the anchored place instead")]
    Alias(String),
    /// The value, or something above it, is anchored and used elsewhere too.
    #[error("it lies under the anchor &{0} that other places use; they would change too")]
    Shared(String),
    /// The mapping takes this entry from a merge key, or a merge key overrides it.
    #[error("a merge key (<<) has a say in it; write the entry out first")]
    Merge,
    /// The key occurs more than once in its mapping.
    #[error("its key occurs more than once; remove the others first")]
    DuplicateKey,
    /// The value is the empty text after a key: there are no bytes to replace.
    #[error("its value is left empty; write a value there first")]
    Empty,
    /// The scalar carries a tag.
    #[error("it carries the tag {0}; edit it by hand")]
    Tagged(String),
    /// A folded block, whose folding would change.
    #[error("it is a folded block (>); edit it by hand")]
    Folded,
    /// The new text cannot be written in the literal block that stands there.
    #[error("the new text does not fit its literal block (|): {0}")]
    Literal(&'static str),
    /// The text holds bytes that are not UTF-8.
    #[error("the file is not valid UTF-8")]
    NotUtf8,
    /// After the change something else would read differently.
    #[error("more than this value would change; edit it by hand")]
    NotAlone,
}
