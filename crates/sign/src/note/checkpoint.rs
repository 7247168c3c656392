use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_digest::MerkleHash;

use super::{SignedNote, decimal, decode};
use crate::{Error, SigningKey, VerifyingKey};

/// Extension lines of a checkpoint.
const EXTENSIONS: usize = 64;

/// A checkpoint (C2SP tlog-checkpoint): which log, how many entries, which root.
///
/// ```
/// use lotse_sign::Checkpoint;
/// let text = "log.example/releases\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n";
/// let checkpoint = Checkpoint::parse(text)?;
/// assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("log.example/releases", 1));
/// assert_eq!(checkpoint.to_text(), text);
/// # Ok::<(), lotse_sign::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkpoint {
    /// The name of the log, which as a rule is also the name of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// The root over them (RFC 6962).
    pub root: MerkleHash,
    /// Lines behind the root, such as Rekor's `Timestamp: …`. They are signed, but no witness vouches for them.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    #[must_use]
    pub fn new(origin: impl Into<String>, size: u64, root: MerkleHash) -> Self {
        Self { origin: origin.into(), size, root, extensions: Vec::new() }
    }

    /// Reads the body of a checkpoint: origin, size without leading zeros, root, optional lines that are not empty.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`]; [`Error::Limit`] over 64 extension lines.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("checkpoint", reason);
        let body = text.strip_suffix('\n').ok_or_else(|| fault("it does not end in a newline"))?;
        if body.chars().any(|character| character < ' ' && character != '\n') {
            return Err(fault("it holds control characters"));
        }
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(fault("it must have three lines: origin, size, root"));
        };
        if origin.is_empty() {
            return Err(fault("its origin is empty"));
        }
        let size = decimal(size).ok_or_else(|| fault("its size is no decimal number"))?;
        let bytes = decode("checkpoint's root", root)?;
        let root = MerkleHash::try_from(bytes.as_slice()).map_err(|_| fault("its root has not 32 bytes"))?;
        let mut extensions = Vec::new();
        for line in lines {
            if line.is_empty() {
                return Err(fault("it has an empty line behind its root"));
            }
            if extensions.len() == EXTENSIONS {
                return Err(Error::Limit { what: "extension lines of a checkpoint", limit: EXTENSIONS });
            }
            extensions.push(line.to_owned());
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions })
    }

    /// The body of the checkpoint.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root));
        for line in &self.extensions {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Signs the checkpoint in the name of its log.
    ///
    /// # Errors
    ///
    /// Those of [`SignedNote::sign`]; [`Error::Malformed`] for an origin or extension that breaks its line.
    pub fn sign(&self, key: &SigningKey) -> Result<SignedNote, Error> {
        self.sign_as(&self.origin, key)
    }

    /// Signs the checkpoint under a name that is not its origin, as Rekor v1 does.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign).
    pub fn sign_as(&self, name: &str, key: &SigningKey) -> Result<SignedNote, Error> {
        let text = self.to_text();
        if Self::parse(&text)? != *self {
            return Err(Error::malformed("checkpoint", "its origin or an extension is not one line"));
        }
        SignedNote::sign(&text, name, key)
    }

    /// The checkpoint in a note, if the log named `origin` signed it with `key`.
    ///
    /// # Errors
    ///
    /// Those of [`SignedNote::verify`] and [`parse`](Self::parse); [`Error::Mismatch`] for another log's checkpoint.
    pub fn verify(note: &SignedNote, origin: &str, key: &VerifyingKey) -> Result<Self, Error> {
        let checkpoint = Self::verify_signed_by(note, origin, key)?;
        if checkpoint.origin != origin {
            let (expected, actual) = (origin.to_owned(), checkpoint.origin);
            return Err(Error::Mismatch { what: "origin of the checkpoint", expected, actual });
        }
        Ok(checkpoint)
    }

    /// The checkpoint in a note, if `key` signed it as `name`. Its origin may be another: a Rekor v1 shard has the origin
    /// `rekor.sigstore.dev - <tree id>` and signs as `rekor.sigstore.dev`. The caller compares it.
    ///
    /// # Errors
    ///
    /// Those of [`SignedNote::verify`] and [`parse`](Self::parse).
    pub fn verify_signed_by(note: &SignedNote, name: &str, key: &VerifyingKey) -> Result<Self, Error> {
        Self::parse(note.verify(name, key)?)
    }
}
