use std::path::{Path, PathBuf};

use crate::Diagnostics;

/// Why a release was not made or not verified. A release that was made and refused by its gate is no error.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `lotse.yaml` has mistakes.
    #[error(transparent)]
    Spec(#[from] Diagnostics),
    /// The call is wrong.
    #[error("{0}")]
    Caller(String),
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
    /// The source: Git, or what the spec names in it.
    #[error("source")]
    Provenance(#[from] lotse_provenance::Error),
    /// An image.
    #[error("image")]
    Oci(#[from] lotse_oci::Error),
    /// An inventory or a record about it.
    #[error("inventory")]
    Sbom(#[from] lotse_sbom::Error),
    /// A manifest.
    #[error("manifest")]
    Manifest(#[from] lotse_gitops_manifest::Error),
    /// A key or signature.
    #[error("signature")]
    Sign(#[from] lotse_sign::Error),
    /// Something else that a crate below says, in its words.
    #[error("{what}: {reason}")]
    Below {
        /// What was being done.
        what: &'static str,
        /// What went wrong.
        reason: String,
    },
}

impl Error {
    /// The exit code that a program ends with: 2 if specification or call are wrong, 3 if it stays undecided.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Spec(_) | Self::Caller(_) => 2,
            _ => 3,
        }
    }

    /// The error with its causes, on one line.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    pub(crate) fn below(what: &'static str, error: &dyn std::error::Error) -> Self {
        Self::Below { what, reason: chain(error) }
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
