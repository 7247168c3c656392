use std::fmt;
use std::sync::Arc;

use ed25519_dalek::pkcs8::DecodePublicKey as _;
#[cfg(feature = "rsa")]
use lotse_digest::Algorithm;
use lotse_digest::Digest;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;

use super::curve::{self, Prepared};
use super::pem;
use crate::{Error, Scheme};

/// The least and the greatest modulus that an RSA key may have, in bits: Sigstore's registry of algorithms names 2048, 3072
/// and 4096.
#[cfg(feature = "rsa")]
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// A public key. Cheap to clone.
#[derive(Clone)]
pub struct VerifyingKey {
    public: Public,
    spki: Arc<[u8]>,
}

#[derive(Clone)]
enum Public {
    P256(p256::ecdsa::VerifyingKey, Option<Arc<Prepared<p256::NistP256>>>),
    P384(p384::ecdsa::VerifyingKey, Option<Arc<Prepared<p384::NistP384>>>),
    P521(Arc<p521::ecdsa::VerifyingKey>),
    Ed25519(ed25519_dalek::VerifyingKey),
    #[cfg(feature = "rsa")]
    Rsa(Arc<rsa::RsaPublicKey>),
}

impl VerifyingKey {
    /// Reads a `SubjectPublicKeyInfo` in PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for what is none or of another scheme.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let block = pem::single(text).map_err(|error| fault(error.to_string()))?;
        if block.label != "PUBLIC KEY" {
            return Err(fault(format!("the PEM is of type {:?}, not \"PUBLIC KEY\"", block.label)));
        }
        Self::from_der(&block.bytes)
    }

    /// Reads a `SubjectPublicKeyInfo` in DER (RFC 5280, 4.1.2.7).
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for what is none, of another scheme, or an RSA key of an unusual size.
    pub fn from_der(spki: &[u8]) -> Result<Self, Error> {
        let public = if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(spki) {
            Public::P256(key, None)
        } else if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(spki) {
            Public::P384(key, None)
        } else if let Ok(key) = p521::ecdsa::VerifyingKey::from_public_key_der(spki) {
            Public::P521(Arc::new(key))
        } else if let Ok(key) = ed25519_dalek::VerifyingKey::from_public_key_der(spki) {
            Public::Ed25519(key)
        } else {
            other(spki)?
        };
        Ok(Self { public, spki: spki.into() })
    }

    /// The same key, ready to verify many signatures: after some of them it makes a table of 0.3 MiB (P-256) or 0.6 MiB
    /// (P-384), with which each takes a quarter of the time. The answers are the same; other keys stay as they are.
    #[must_use]
    pub fn prepared(mut self) -> Self {
        match &mut self.public {
            Public::P256(_, prepared @ None) => *prepared = Some(Arc::new(Prepared::new())),
            Public::P384(_, prepared @ None) => *prepared = Some(Arc::new(Prepared::new())),
            _ => {}
        }
        self
    }

    /// The key as `SubjectPublicKeyInfo` in PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.spki)
    }

    /// The key as `SubjectPublicKeyInfo` in DER, as it was read.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.spki
    }

    /// How this key signs.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        match self.public {
            Public::P256(..) => Scheme::EcdsaP256Sha256,
            Public::P384(..) => Scheme::EcdsaP384Sha384,
            Public::P521(_) => Scheme::EcdsaP521Sha512,
            Public::Ed25519(_) => Scheme::Ed25519,
            #[cfg(feature = "rsa")]
            Public::Rsa(_) => Scheme::RsaPkcs1Sha256,
        }
    }

    /// The SHA-256 of the key in DER, by which people and bundles name it.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        Digest::sha256(&self.spki)
    }

    /// The raw point of an Ed25519 key, which note key ids are made of.
    pub(crate) fn ed25519_bytes(&self) -> Option<[u8; 32]> {
        match &self.public {
            Public::Ed25519(key) => Some(key.to_bytes()),
            _ => None,
        }
    }

    /// Whether `signature` is this key's for `message`. Ed25519 is checked strictly: keys of small order are refused.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match (&self.public, self.scheme().hash()) {
            (Public::Ed25519(key), _) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            (_, Some(hash)) => self.verifies_digest(&Digest::of(hash, message), signature),
            (_, None) => false,
        }
    }

    /// Whether `signature` is this key's for the message with this digest. The hash function is the digest's, whatever the
    /// key's [`Scheme`] would choose; Ed25519 signs no digests, so the answer is then no.
    #[must_use]
    pub fn verifies_digest(&self, digest: &Digest, signature: &[u8]) -> bool {
        let hash = digest.as_bytes();
        match &self.public {
            Public::P256(key, prepared) => {
                p256::ecdsa::Signature::from_der(signature).is_ok_and(|signature| {
                    let (r, s) = signature.split_scalars();
                    curve::verifies::<p256::NistP256>(prepared.as_deref(), key.as_affine(), hash, (*r, *s))
                })
            }
            Public::P384(key, prepared) => {
                p384::ecdsa::Signature::from_der(signature).is_ok_and(|signature| {
                    let (r, s) = signature.split_scalars();
                    curve::verifies::<p384::NistP384>(prepared.as_deref(), key.as_affine(), hash, (*r, *s))
                })
            }
            Public::P521(key) => p521::ecdsa::DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify_prehash(hash, &signature).is_ok()),
            Public::Ed25519(_) => false,
            #[cfg(feature = "rsa")]
            Public::Rsa(key) => rsa_verifies(key, digest, signature),
        }
    }

    /// The same answer as [`verifies`](Self::verifies), computed by the crate `ring`; `None` for keys it does not have.
    #[cfg(feature = "ring")]
    #[must_use]
    pub fn verifies_with_ring(&self, message: &[u8], signature: &[u8]) -> Option<bool> {
        use ring::signature::{
            ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, UnparsedPublicKey, VerificationAlgorithm,
        };
        let (algorithm, point): (&dyn VerificationAlgorithm, Vec<u8>) = match &self.public {
            Public::P256(key, _) => (&ECDSA_P256_SHA256_ASN1, key.to_sec1_point(false).as_bytes().to_vec()),
            Public::P384(key, _) => (&ECDSA_P384_SHA384_ASN1, key.to_sec1_point(false).as_bytes().to_vec()),
            Public::Ed25519(key) => (&ED25519, key.as_bytes().to_vec()),
            _ => return None,
        };
        Some(UnparsedPublicKey::new(algorithm, point).verify(message, signature).is_ok())
    }
}

impl PartialEq for VerifyingKey {
    /// Two keys are one if their `SubjectPublicKeyInfo` is.
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scheme(), self.fingerprint())
    }
}

#[cfg(not(feature = "rsa"))]
fn other(_spki: &[u8]) -> Result<Public, Error> {
    Err(fault("it is neither P-256, P-384, P-521 nor Ed25519 (RSA stands behind the feature `rsa`)"))
}

#[cfg(feature = "rsa")]
fn other(spki: &[u8]) -> Result<Public, Error> {
    use rsa::traits::PublicKeyParts as _;
    let key = rsa::RsaPublicKey::from_public_key_der(spki)
        .map_err(|_| fault("it is neither P-256, P-384, P-521, Ed25519 nor RSA"))?;
    let bits = u32::try_from(key.size()).unwrap_or(u32::MAX).saturating_mul(8);
    if !RSA_BITS.contains(&bits) {
        return Err(fault(format!("an RSA key of {bits} bits; 2048 to 4096 are read")));
    }
    Ok(Public::Rsa(Arc::new(key)))
}

#[cfg(feature = "rsa")]
fn rsa_verifies(key: &rsa::RsaPublicKey, digest: &Digest, signature: &[u8]) -> bool {
    use rsa::Pkcs1v15Sign;
    let padding = match digest.algorithm() {
        Algorithm::Sha256 => Pkcs1v15Sign::new::<sha2::Sha256>(),
        Algorithm::Sha384 => Pkcs1v15Sign::new::<sha2::Sha384>(),
        Algorithm::Sha512 => Pkcs1v15Sign::new::<sha2::Sha512>(),
        _ => return false,
    };
    key.verify(padding, digest.as_bytes(), signature).is_ok()
}

fn fault(reason: impl Into<String>) -> Error {
    Error::Key { what: "public key", reason: reason.into() }
}
