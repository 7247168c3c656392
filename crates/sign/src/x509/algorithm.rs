use lotse_digest::{Algorithm, Digest};

use crate::der::{Der, OID, Tlv, dotted};
use crate::{Error, Scheme, VerifyingKey};

const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04];
const RSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const RSA_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0C];
const RSA_SHA512: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D];
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const ED25519: &[u8] = &[0x2B, 0x65, 0x70];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];

/// What an `AlgorithmIdentifier` of a signature says (RFC 5280, 4.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    Ecdsa(Algorithm),
    Rsa(Algorithm),
    Ed25519,
}

impl SignatureAlgorithm {
    /// `hash` is what another field says (CMS keeps it apart), for the identifier that names only RSA.
    pub(crate) fn parse(identifier: &Tlv<'_>, hash: Option<Algorithm>) -> Result<Self, Error> {
        let mut fields = identifier.reader();
        let oid = fields.take(OID)?;
        Ok(match oid.value {
            ECDSA_SHA256 => Self::Ecdsa(Algorithm::Sha256),
            ECDSA_SHA384 => Self::Ecdsa(Algorithm::Sha384),
            ECDSA_SHA512 => Self::Ecdsa(Algorithm::Sha512),
            RSA_SHA256 => Self::Rsa(Algorithm::Sha256),
            RSA_SHA384 => Self::Rsa(Algorithm::Sha384),
            RSA_SHA512 => Self::Rsa(Algorithm::Sha512),
            ED25519 => Self::Ed25519,
            other => match hash {
                Some(hash) if other == RSA => Self::Rsa(hash),
                _ => {
                    let reason = format!("signature algorithm {} is not supported", dotted(other));
                    return Err(oid.fault(reason));
                }
            },
        })
    }

    /// Whether `signature` over `message` is by `key`, which must be of this algorithm's kind.
    pub(crate) fn verifies(self, key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
        match (self, key.scheme()) {
            (
                Self::Ecdsa(hash),
                Scheme::EcdsaP256Sha256 | Scheme::EcdsaP384Sha384 | Scheme::EcdsaP521Sha512,
            )
            | (Self::Rsa(hash), Scheme::RsaPkcs1Sha256) => {
                key.verifies_digest(&Digest::of(hash, message), signature)
            }
            (Self::Ed25519, Scheme::Ed25519) => key.verifies(message, signature),
            _ => false,
        }
    }
}

/// The hash function that an `AlgorithmIdentifier` names. SHA-1 is refused like everything unknown.
pub(crate) fn hash_algorithm(identifier: &Tlv<'_>) -> Result<Algorithm, Error> {
    let mut fields: Der<'_> = identifier.reader();
    let oid = fields.take(OID)?;
    match oid.value {
        SHA256 => Ok(Algorithm::Sha256),
        SHA384 => Ok(Algorithm::Sha384),
        SHA512 => Ok(Algorithm::Sha512),
        other => Err(oid.fault(format!("hash function {} is not supported", dotted(other)))),
    }
}
