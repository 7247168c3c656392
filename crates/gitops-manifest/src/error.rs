use lotse_digest::ParseReferenceError;

/// Why documents could not be rendered, changed or committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The application cannot be rendered as it is.
    #[error("{what}: {advice}")]
    Caller {
        /// What is wrong.
        what: String,
        /// What to do.
        advice: &'static str,
    },
    /// An image without a digest.
    #[error("image {0:?} has no digest; pin it as name:tag@sha256:…")]
    Unpinned(String),
    /// A text that is no image reference.
    #[error("image {text:?}")]
    Reference {
        /// The text.
        text: String,
        /// Why not.
        #[source]
        source: ParseReferenceError,
    },
    /// A document that cannot be read or edited.
    #[error("YAML")]
    Yaml(#[from] lotse_yaml::Error),
    /// The Git repository refuses.
    #[error("Git: {0}")]
    Git(String),
}
