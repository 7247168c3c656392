use lotse_digest::{Algorithm, Digest};

use super::{Bundle, Content, Material, Version};
use crate::service::SigningCertificate;
use crate::{Envelope, Error, Signer, encoding};

/// Makes a bundle step by step: sign, then gather what others witness of the signature.
///
/// ```
/// use lotse_sign::{BundleBuilder, Scheme, SigningKey};
///
/// let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[7; 32])?;
/// let bundle = BundleBuilder::artifact(b"release.tar", &key)?;
/// assert!(!bundle.signature().is_empty()); // what timestamps are asked about
/// let json = bundle.build().to_json()?;
/// # Ok::<(), lotse_sign::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleBuilder {
    bundle: Bundle,
}

impl BundleBuilder {
    /// Signs an artifact's bytes.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn artifact(artifact: &[u8], key: &dyn Signer) -> Result<Self, Error> {
        let hash = key.verifying_key().scheme().hash().unwrap_or(Algorithm::Sha256);
        let content = Content::Message { digest: Digest::of(hash, artifact), signature: key.sign(artifact)? };
        Ok(Self::new(key, content))
    }

    /// Signs an in-toto statement, given as its JSON bytes.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn statement(statement: Vec<u8>, key: &dyn Signer) -> Result<Self, Error> {
        Ok(Self::new(key, Content::Dsse(Envelope::sign_statement(statement, key)?)))
    }

    fn new(key: &dyn Signer, content: Content) -> Self {
        let hint = encoding::encode(key.verifying_key().fingerprint().as_bytes());
        let material = Material::Key { hint };
        let bundle =
            Bundle { version: Version::V0_3, material, entries: Vec::new(), timestamps: Vec::new(), content };
        Self { bundle }
    }

    /// The certificate of the key, for keyless signatures.
    #[must_use]
    pub fn certificate(mut self, certificate: SigningCertificate) -> Self {
        self.bundle.material = Material::Certificates { leaf: certificate.0, above: Vec::new() };
        self
    }

    /// A timestamp of the signature (RFC 3161), as the authority answered.
    #[must_use]
    pub fn timestamp(mut self, timestamp: Vec<u8>) -> Self {
        self.bundle.timestamps.push(timestamp);
        self
    }

    /// The signature, which timestamps are asked about.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        match &self.bundle.content {
            Content::Dsse(envelope) => envelope.only_signature(),
            Content::Message { signature, .. } => signature,
        }
    }

    /// The bundle, to which [`Rekor::add_entry`](crate::Rekor::add_entry) may add what a log answers.
    #[must_use]
    pub fn build(self) -> Bundle {
        self.bundle
    }
}
