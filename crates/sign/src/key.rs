use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
};
use lotse_digest::Digest;
use p256::ecdsa::signature::{Signer as _, Verifier as _};

use crate::Error;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// ECDSA over NIST P-256 with SHA-256; signatures in DER, deterministic (RFC 6979).
    EcdsaP256Sha256,
    /// Ed25519 over the message itself (RFC 8032); deterministic, 64 bytes.
    Ed25519,
}

/// A private key. It signs deterministically and shows itself to nobody: `Debug` prints the public fingerprint.
#[derive(Clone)]
pub struct SigningKey(Private);

#[derive(Clone)]
enum Private {
    P256(p256::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    /// A key from 32 secret random bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for the few values that are no P-256 scalar (about one in 2^32): draw again.
    pub fn from_secret(scheme: Scheme, secret: &[u8; 32]) -> Result<Self, Error> {
        match scheme {
            Scheme::EcdsaP256Sha256 => p256::ecdsa::SigningKey::from_slice(secret)
                .map(|key| Self(Private::P256(key)))
                .map_err(|_| private("the bytes are no P-256 scalar")),
            Scheme::Ed25519 => {
                Ok(Self(Private::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(secret)))))
            }
        }
    }

    /// Reads a PKCS#8 private key in PEM (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for encrypted keys and other containers, [`Error::Key`] for what is none or of another scheme.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        match label(pem) {
            Some("PRIVATE KEY") => {}
            Some(other) => {
                return Err(Error::Unsupported {
                    what: format!("PEM of type {other:?}"),
                    advice: "give a PKCS#8 key without password, for example by `openssl pkcs8 -topk8 -nocrypt`",
                });
            }
            None => return Err(private("the text is no PEM")),
        }
        if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_pem(pem) {
            return Ok(Self(Private::P256(key)));
        }
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem)
            .map(|key| Self(Private::Ed25519(Box::new(key))))
            .map_err(|_| private("it is neither P-256 nor Ed25519"))
    }

    /// The key as PKCS#8 in PEM. Whoever has this text is the signer: write it readable for nobody else.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the key cannot be encoded.
    pub fn to_pem(&self) -> Result<String, Error> {
        let pem = match &self.0 {
            Private::P256(key) => {
                key.to_pkcs8_pem(LineEnding::LF).map_err(|error| private(error.to_string()))
            }
            // Version 1 without the public key, as openssl writes and reads it.
            Private::Ed25519(key) => {
                ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None }
                    .to_pkcs8_pem(LineEnding::LF)
                    .map_err(|error| private(error.to_string()))
            }
        }?;
        Ok(pem.to_string())
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(match &self.0 {
            Private::P256(key) => Public::P256(*key.verifying_key()),
            Private::Ed25519(key) => Public::Ed25519(key.verifying_key()),
        })
    }

    /// Signs a message. The same message gives the same signature.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the scheme fails, which it does for no key that was read.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Private::P256(key) => {
                let signature: p256::ecdsa::DerSignature =
                    key.try_sign(message).map_err(|error| private(error.to_string()))?;
                Ok(signature.as_bytes().to_vec())
            }
            Private::Ed25519(key) => {
                let signature = key.try_sign(message).map_err(|error| private(error.to_string()))?;
                Ok(signature.to_bytes().to_vec())
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.verifying_key())
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey(Public);

#[derive(Clone, PartialEq, Eq)]
enum Public {
    P256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl VerifyingKey {
    /// Reads a `SubjectPublicKeyInfo` in PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for what is none or of another scheme.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        if label(pem) != Some("PUBLIC KEY") {
            return Err(public("the text is no PEM of type \"PUBLIC KEY\""));
        }
        if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_pem(pem) {
            return Ok(Self(Public::P256(key)));
        }
        ed25519_dalek::VerifyingKey::from_public_key_pem(pem)
            .map(|key| Self(Public::Ed25519(key)))
            .map_err(|_| public("it is neither P-256 nor Ed25519"))
    }

    /// The key as `SubjectPublicKeyInfo` in PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the key cannot be encoded.
    pub fn to_pem(&self) -> Result<String, Error> {
        match &self.0 {
            Public::P256(key) => key.to_public_key_pem(LineEnding::LF),
            Public::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
        }
        .map_err(|error| public(error.to_string()))
    }

    /// The key as `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the key cannot be encoded.
    pub fn to_der(&self) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Public::P256(key) => key.to_public_key_der(),
            Public::Ed25519(key) => key.to_public_key_der(),
        }
        .map(|der| der.as_bytes().to_vec())
        .map_err(|error| public(error.to_string()))
    }

    /// How this key signs.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        match self.0 {
            Public::P256(_) => Scheme::EcdsaP256Sha256,
            Public::Ed25519(_) => Scheme::Ed25519,
        }
    }

    /// The SHA-256 of the key in DER, by which people and bundles name it.
    ///
    /// # Errors
    ///
    /// As [`to_der`](Self::to_der).
    pub fn fingerprint(&self) -> Result<Digest, Error> {
        Ok(Digest::sha256(&self.to_der()?))
    }

    /// The raw point of an Ed25519 key, which note key ids are made of.
    pub(crate) fn ed25519_bytes(&self) -> Option<[u8; 32]> {
        match &self.0 {
            Public::P256(_) => None,
            Public::Ed25519(key) => Some(key.to_bytes()),
        }
    }

    /// Whether `signature` is this key's for `message`. Ed25519 is checked strictly: keys of small order are refused.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Public::P256(key) => p256::ecdsa::DerSignature::from_bytes(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }

    /// The same answer as [`verifies`](Self::verifies), computed by the crate `ring`.
    #[cfg(feature = "ring")]
    #[must_use]
    pub fn verifies_with_ring(&self, message: &[u8], signature: &[u8]) -> bool {
        use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
        match &self.0 {
            Public::P256(key) => {
                let point = key.to_sec1_point(false);
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point.as_bytes())
                    .verify(message, signature)
                    .is_ok()
            }
            Public::Ed25519(key) => {
                UnparsedPublicKey::new(&ED25519, key.as_bytes()).verify(message, signature).is_ok()
            }
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fingerprint() {
            Ok(digest) => write!(f, "{:?} {digest}", self.scheme()),
            Err(_) => write!(f, "{:?}", self.scheme()),
        }
    }
}

fn label(pem: &str) -> Option<&str> {
    pem.trim_start().strip_prefix("-----BEGIN ")?.split_once("-----").map(|(label, _)| label)
}

fn private(reason: impl Into<String>) -> Error {
    Error::Key { what: "private key", reason: reason.into() }
}

fn public(reason: impl Into<String>) -> Error {
    Error::Key { what: "public key", reason: reason.into() }
}
