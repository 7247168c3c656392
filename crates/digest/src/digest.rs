use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

use crate::{Algorithm, Hasher, base64, hex};

/// The digest of some content: an algorithm and as many bytes as it produces.
///
/// Parsed from and printed as `algorithm:hex` (OCI image-spec, descriptor). Two digests of different algorithms are never
/// equal, whatever they were computed from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: Bytes,
}

/// SHA-256 stands in the value itself: most digests are of it, and a heap allocation costs more than half a short hash.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Bytes {
    Short([u8; 32]),
    Long(Box<[u8]>),
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        <[u8; 32]>::try_from(bytes).map_or_else(|_| Self::Long(bytes.into()), Self::Short)
    }
}

impl Digest {
    /// Hashes `content` at once.
    #[must_use]
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        if algorithm == Algorithm::Sha256 {
            return Self::sha256(content);
        }
        let mut hasher = Hasher::new(algorithm);
        hasher.update(content);
        hasher.finish()
    }

    /// Hashes `content` with SHA-256, the algorithm of image digests.
    #[must_use]
    pub fn sha256(content: &[u8]) -> Self {
        Self { algorithm: Algorithm::Sha256, bytes: Bytes::Short(sha2::Sha256::digest(content).into()) }
    }

    /// A digest from the raw output of `algorithm`.
    ///
    /// # Errors
    ///
    /// [`ParseDigestError::Length`] if `bytes` is not as long as the algorithm's output.
    pub fn from_bytes(algorithm: Algorithm, bytes: &[u8]) -> Result<Self, ParseDigestError> {
        if bytes.len() != algorithm.output_len() {
            let (expected, actual) = (algorithm.output_len() * 2, bytes.len() * 2);
            return Err(ParseDigestError::Length { algorithm, expected, actual });
        }
        Ok(Self { algorithm, bytes: bytes.into() })
    }

    pub(crate) fn computed(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self { algorithm, bytes: bytes.into() }
    }

    /// The algorithm before the colon.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw hash, [`Algorithm::output_len`] bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Short(bytes) => bytes,
            Bytes::Long(bytes) => bytes,
        }
    }

    /// The part after the colon, in lower-case hexadecimal. Safe as a file name.
    #[must_use]
    pub fn encoded(&self) -> String {
        hex::encode(self.as_bytes())
    }

    /// The hash in standard base64 with padding, as `go.sum` and content security policies write it.
    #[must_use]
    pub fn base64(&self) -> String {
        base64::encode(self.as_bytes())
    }

    /// Hashes `content` and compares.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] with both digests and the length of `content`.
    pub fn verify(&self, content: &[u8]) -> Result<(), Mismatch> {
        let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.verify_computed(Self::of(self.algorithm, content), length)
    }

    pub(crate) fn verify_computed(&self, actual: Self, length: u64) -> Result<(), Mismatch> {
        if actual == *self { Ok(()) } else { Err(Mismatch { expected: self.clone(), actual, length }) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm, self.encoded())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let (name, encoded) = text.split_once(':').ok_or(ParseDigestError::NoColon)?;
        let algorithm = Algorithm::from_name(name)
            .ok_or_else(|| ParseDigestError::UnknownAlgorithm(name.chars().take(64).collect()))?;
        let expected = algorithm.output_len() * 2;
        if encoded.len() != expected {
            return Err(ParseDigestError::Length { algorithm, expected, actual: encoded.len() });
        }
        match hex::decode(encoded) {
            Ok(bytes) => Ok(Self { algorithm, bytes: bytes.as_slice().into() }),
            Err(offset) => Err(ParseDigestError::NotLowerHex { offset: name.len() + 1 + offset }),
        }
    }
}

/// Why a text is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDigestError {
    /// There is no `:` between algorithm and hash.
    #[error("a digest is written algorithm:hex, and there is no colon")]
    NoColon,
    /// The algorithm is not one that we compute, so the digest could never be verified.
    #[error("digest algorithm {0:?} is not supported; use sha256, sha384 or sha512 (lower-case)")]
    UnknownAlgorithm(String),
    /// The hash has the wrong number of hexadecimal characters.
    #[error("a {algorithm} digest has {expected} hexadecimal characters, not {actual}")]
    Length {
        /// The algorithm named before the colon.
        algorithm: Algorithm,
        /// Hexadecimal characters of that algorithm.
        expected: usize,
        /// Characters found.
        actual: usize,
    },
    /// A character of the hash is not `0`-`9` or `a`-`f`. Upper case is refused (image-spec: MUST NOT).
    #[error("character at byte {offset} of the digest is not lower-case hexadecimal")]
    NotLowerHex {
        /// Byte offset in the whole text.
        offset: usize,
    },
}

/// Content that does not have the digest it should have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("content of {length} bytes has digest {actual}, expected {expected}")]
pub struct Mismatch {
    /// The digest that was asked for.
    pub expected: Digest,
    /// The digest that the content has.
    pub actual: Digest,
    /// Bytes hashed.
    pub length: u64,
}

#[cfg(feature = "serde")]
mod serde_impl {
    use super::Digest;

    impl serde::Serialize for Digest {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> serde::Deserialize<'de> for Digest {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        }
    }
}
