use lotse_digest::{Algorithm, Digest};

/// What was signed, as the verifier has it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Artifact<'a> {
    /// The bytes themselves.
    Bytes(&'a [u8]),
    /// Its digests, for content too large to hold: a signature needs the one of its own hash function (SHA-256 for P-256
    /// and RSA, SHA-384 for P-384, SHA-512 for P-521), and Ed25519 needs the bytes.
    Digests(&'a [Digest]),
}

impl Artifact<'_> {
    /// The digest of this kind, if it can be known.
    pub(crate) fn digest(&self, algorithm: Algorithm) -> Option<Digest> {
        match self {
            Self::Bytes(bytes) => Some(Digest::of(algorithm, bytes)),
            Self::Digests(digests) => digests.iter().find(|digest| digest.algorithm() == algorithm).cloned(),
        }
    }
}
