use std::fmt;

use lotse_digest::Algorithm;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// ECDSA over NIST P-256 with SHA-256; signatures in DER, deterministic (RFC 6979).
    EcdsaP256Sha256,
    /// ECDSA over NIST P-384 with SHA-384; signatures in DER, deterministic.
    EcdsaP384Sha384,
    /// ECDSA over NIST P-521 with SHA-512; signatures in DER. Verified only.
    EcdsaP521Sha512,
    /// Ed25519 over the message itself (RFC 8032); deterministic, 64 bytes.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 to 4096 bits (RFC 8017, 8.2). Verified only.
    RsaPkcs1Sha256,
}

impl Scheme {
    /// The hash function that the message goes through first; `None` where the scheme hashes by itself.
    #[must_use]
    pub const fn hash(self) -> Option<Algorithm> {
        match self {
            Self::EcdsaP256Sha256 | Self::RsaPkcs1Sha256 => Some(Algorithm::Sha256),
            Self::EcdsaP384Sha384 => Some(Algorithm::Sha384),
            Self::EcdsaP521Sha512 => Some(Algorithm::Sha512),
            Self::Ed25519 => None,
        }
    }

    /// The name in lower case: `ecdsa-p256-sha256`, `ed25519`, ….
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::EcdsaP521Sha512 => "ecdsa-p521-sha512",
            Self::Ed25519 => "ed25519",
            Self::RsaPkcs1Sha256 => "rsa-pkcs1-sha256",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
