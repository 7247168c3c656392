/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field has a type that the API server would refuse.
    #[error("{object}: {pointer} must be {expected}, and is {found}")]
    WrongType {
        /// The object, as `Pod shop/web`.
        object: String,
        /// JSON pointer of the field.
        pointer: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The object makes no pods, so that a check of pods says nothing about it.
    #[error("{0} makes no pods: pod security does not speak of it")]
    NoPods(String),
    /// A word for a level or a version that does not exist.
    #[error("`{word}` is no {what}: {advice}")]
    UnknownWord {
        /// `level` or `version`.
        what: &'static str,
        /// The word.
        word: String,
        /// What it may be.
        advice: &'static str,
    },
    /// A kind whose plural name is not known here.
    #[error(
        "the plural name of {kind} ({api_version}) is not known: leave it out and write its rule by hand"
    )]
    UnknownKind {
        /// `apiVersion` of the object.
        api_version: String,
        /// `kind` of the object.
        kind: String,
    },
}
