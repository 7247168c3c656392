use crate::{Error, SigningKey, VerifyingKey};

/// Whatever signs: a [`SigningKey`] in memory, or a key that never leaves a KMS, an HSM or an agent. The caller implements it
/// for the latter.
pub trait Signer {
    /// The public half.
    fn verifying_key(&self) -> VerifyingKey;

    /// Signs a message by the [`Scheme`](crate::Scheme) of the key: ECDSA in DER over the scheme's hash of the message,
    /// Ed25519 over the message itself.
    ///
    /// # Errors
    ///
    /// [`Error::Key`], or [`Error::Service`] with what the service said.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error>;
}

impl Signer for SigningKey {
    fn verifying_key(&self) -> VerifyingKey {
        Self::verifying_key(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        Self::sign(self, message)
    }
}
