use super::message::{Request, Response};
use super::{Fulcio, IdentityToken, Rekor, SigningConfig, TimestampAuthority};
use crate::{Bundle, BundleBuilder, Error, Signer, Time};

/// What carries requests to services and answers back: the [`Client`](crate::Client) of the feature `client`, an adapter of
/// the caller's, or a Sigstore in memory.
pub trait Transport {
    /// Sends a request and waits for the whole answer, of which no more than 4 MiB need be read.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] if there was no answer.
    fn send(&self, request: &Request) -> Result<Response, Error>;
}

/// Signs with the services of a signing config: certificate, signature, timestamps, log entries, in this order.
#[derive(Clone, Copy)]
pub struct SigningSession<'a> {
    /// Which services.
    pub config: &'a SigningConfig,
    /// How they are reached.
    pub transport: &'a dyn Transport,
    /// Which of them are valid: now, as a rule.
    pub at: Time,
}

/// What is signed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Content<'a> {
    /// An artifact's bytes, into a message signature.
    Artifact(&'a [u8]),
    /// An in-toto statement as its JSON bytes, into an envelope.
    Statement(Vec<u8>),
}

impl SigningSession<'_> {
    /// Signs with a key that is used once and forgotten: the certificate says whose it was. The key should be made of fresh
    /// random bytes.
    ///
    /// # Errors
    ///
    /// Those of the signer, the transport and each service; nothing is half-signed then but what a log took in stays there.
    pub fn sign_keyless(
        &self,
        content: Content<'_>,
        token: &IdentityToken,
        key: &dyn Signer,
    ) -> Result<Bundle, Error> {
        let authority = Fulcio::new(&self.config.certificate_authority(self.at)?.url);
        let answer = self.transport.send(&authority.request(token, key)?)?;
        let certificate = Fulcio::certificate(&answer, key)?;
        self.witness(content.sign(key)?.certificate(certificate), key)
    }

    /// Signs with a managed key.
    ///
    /// # Errors
    ///
    /// As [`sign_keyless`](Self::sign_keyless).
    pub fn sign(&self, content: Content<'_>, key: &dyn Signer) -> Result<Bundle, Error> {
        self.witness(content.sign(key)?, key)
    }

    fn witness(&self, mut builder: BundleBuilder, key: &dyn Signer) -> Result<Bundle, Error> {
        for service in self.config.timestamp_authorities(self.at)? {
            let request = TimestampAuthority::new(&service.url).request(builder.signature());
            let answer = self.transport.send(&request)?;
            builder = builder.timestamp(TimestampAuthority::timestamp(&answer)?);
        }
        let mut bundle = builder.build();
        let public = key.verifying_key();
        for service in self.config.logs(self.at)? {
            let log = Rekor::new(&service.url, service.api_version)?;
            let answer = self.transport.send(&log.request(&bundle, Some(&public))?)?;
            log.add_entry(&mut bundle, &answer)?;
        }
        Ok(bundle)
    }
}

impl std::fmt::Debug for SigningSession<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningSession")
            .field("config", self.config)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl Content<'_> {
    fn sign(self, key: &dyn Signer) -> Result<BundleBuilder, Error> {
        match self {
            Self::Artifact(bytes) => BundleBuilder::artifact(bytes, key),
            Self::Statement(json) => BundleBuilder::statement(json, key),
        }
    }
}
