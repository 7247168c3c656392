use std::fmt;

use super::image::ImageName;
use super::json::go_quote;
use super::wildcard::Wildcard;

/// Bytes of a glob.
const BYTES: usize = 4096;

/// The pattern of `spec.images[].glob`.
///
/// `*` stands for anything but `/` (it does cross `:` and `@`), `**` for anything; the whole name must match. `*` alone means
/// Docker Hub's `library/*`, `*/*` alone any repository of two parts there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glob {
    source: String,
    parts: Wildcard,
}

/// A text that is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid glob {}", go_quote(.text))]
pub struct ParseGlobError {
    text: String,
}

impl Glob {
    /// Reads a glob: letters, digits and `-_:/*.@`.
    ///
    /// # Errors
    ///
    /// [`ParseGlobError`] for other characters, an empty text, and one over 4096 bytes.
    pub fn parse(text: &str) -> Result<Self, ParseGlobError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:/*.@".contains(&byte);
        if text.is_empty() || text.len() > BYTES || !text.bytes().all(fits) {
            return Err(ParseGlobError { text: text.to_owned() });
        }
        let meant = match text {
            "*/*" => "index.docker.io/*/*",
            "*" => "index.docker.io/library/*",
            other => other,
        };
        Ok(Self { source: text.to_owned(), parts: Wildcard::parse(meant) })
    }

    /// The glob as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether this very text matches; names are not normalised.
    #[must_use]
    pub fn matches_text(&self, text: &str) -> bool {
        self.parts.matches(text)
    }

    /// Whether the image is covered, as the controller's matcher has it: the fully qualified name, then the name as written.
    ///
    /// Admission itself hands over the fully qualified name: see [`Glob::admits`].
    #[must_use]
    pub fn matches(&self, name: &ImageName, written: &str) -> bool {
        let full = name.to_string();
        self.matches_text(&full) || (full != written && self.matches_text(written))
    }

    /// Whether the image is covered at admission, where only the fully qualified name is known.
    #[must_use]
    pub fn admits(&self, name: &ImageName) -> bool {
        self.matches_text(&name.to_string())
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
