use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use p256::ecdsa::signature::Signer as _;

use super::pem;
use crate::{Error, Scheme, VerifyingKey};

/// A private key. It signs deterministically and shows itself to nobody: `Debug` prints the public fingerprint.
#[derive(Clone)]
pub struct SigningKey {
    private: Private,
    public: VerifyingKey,
}

#[derive(Clone)]
enum Private {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    /// A key from 32 secret random bytes. For P-384 the bytes are the lower part of the scalar: 256 bits of entropy, which
    /// is more than the 192 bits of security that the curve offers.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for the few values that are no P-256 scalar (about one in 2^32): draw again. [`Error::Unsupported`]
    /// for schemes that are only verified.
    pub fn from_secret(scheme: Scheme, secret: &[u8; 32]) -> Result<Self, Error> {
        match scheme {
            Scheme::EcdsaP256Sha256 => p256::ecdsa::SigningKey::from_slice(secret)
                .map_err(|_| fault("the bytes are no P-256 scalar"))
                .and_then(|key| Self::new(Private::P256(key))),
            Scheme::EcdsaP384Sha384 => {
                let mut scalar = [0; 16].to_vec();
                scalar.extend_from_slice(secret);
                p384::ecdsa::SigningKey::from_slice(&scalar)
                    .map_err(|_| fault("the bytes are no P-384 scalar"))
                    .and_then(|key| Self::new(Private::P384(key)))
            }
            Scheme::Ed25519 => {
                Self::new(Private::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(secret))))
            }
            other => Err(Error::Unsupported {
                what: format!("signing with {other}"),
                advice: "take P-256, P-384 or Ed25519",
            }),
        }
    }

    /// Reads a PKCS#8 private key in PEM (`BEGIN PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for encrypted keys and other containers, [`Error::Key`] for what is none or of another scheme.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let block = pem::single(text).map_err(|error| fault(error.to_string()))?;
        if block.label != "PRIVATE KEY" {
            return Err(Error::Unsupported {
                what: format!("PEM of type {:?}", block.label),
                advice: "give a PKCS#8 key without password (`openssl pkcs8 -topk8 -nocrypt`); cosign's own are read by \
                         `from_encrypted_pem`",
            });
        }
        Self::from_pkcs8(&block.bytes)
    }

    /// Reads a PKCS#8 private key in DER.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for what is none or of another scheme.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_der(der) {
            return Self::new(Private::P256(key));
        }
        if let Ok(key) = p384::ecdsa::SigningKey::from_pkcs8_der(der) {
            return Self::new(Private::P384(key));
        }
        ed25519_dalek::SigningKey::from_pkcs8_der(der)
            .map_err(|_| fault("it is neither P-256, P-384 nor Ed25519"))
            .and_then(|key| Self::new(Private::Ed25519(Box::new(key))))
    }

    fn new(private: Private) -> Result<Self, Error> {
        let spki = match &private {
            Private::P256(key) => key.verifying_key().to_public_key_der(),
            Private::P384(key) => key.verifying_key().to_public_key_der(),
            Private::Ed25519(key) => key.verifying_key().to_public_key_der(),
        }
        .map_err(|error| fault(error.to_string()))?;
        Ok(Self { private, public: VerifyingKey::from_der(spki.as_bytes())? })
    }

    /// The key as PKCS#8 in PEM. Whoever has this text is the signer: write it readable for nobody else.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the key cannot be encoded.
    pub fn to_pem(&self) -> Result<String, Error> {
        let pem = match &self.private {
            Private::P256(key) => key.to_pkcs8_pem(LineEnding::LF).map_err(|error| fault(error.to_string())),
            Private::P384(key) => key.to_pkcs8_pem(LineEnding::LF).map_err(|error| fault(error.to_string())),
            // Version 1 without the public key, as openssl writes and reads it.
            Private::Ed25519(key) => {
                ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None }
                    .to_pkcs8_pem(LineEnding::LF)
                    .map_err(|error| fault(error.to_string()))
            }
        }?;
        Ok(pem.to_string())
    }

    /// How this key signs.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.public.scheme()
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public.clone()
    }

    /// Signs a message. The same message gives the same signature.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] if the scheme fails, which it does for no key that was read.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.private {
            Private::P256(key) => {
                let signature: p256::ecdsa::DerSignature =
                    key.try_sign(message).map_err(|error| fault(error.to_string()))?;
                Ok(signature.as_bytes().to_vec())
            }
            Private::P384(key) => {
                let signature: p384::ecdsa::DerSignature =
                    key.try_sign(message).map_err(|error| fault(error.to_string()))?;
                Ok(signature.as_bytes().to_vec())
            }
            Private::Ed25519(key) => {
                let signature = key.try_sign(message).map_err(|error| fault(error.to_string()))?;
                Ok(signature.to_bytes().to_vec())
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?})", self.public)
    }
}

fn fault(reason: impl Into<String>) -> Error {
    Error::Key { what: "private key", reason: reason.into() }
}
