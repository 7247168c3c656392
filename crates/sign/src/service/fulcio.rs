use serde::Deserialize;
use serde_json::json;

use super::message::{Request, Response, url};
use super::oidc::IdentityToken;
use crate::key::blocks;
use crate::x509::Certificate;
use crate::{Error, Signer, encoding};

const WHAT: &str = "answer of Fulcio";

/// A certificate authority for identity tokens (Fulcio, API version 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fulcio {
    url: String,
}

/// A certificate that an authority gave for a key, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningCertificate(pub(crate) Certificate);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    signed_certificate_embedded_sct: Option<Signed>,
    signed_certificate_detached_sct: Option<Signed>,
}

#[derive(Deserialize)]
struct Signed {
    chain: Chain,
}

#[derive(Deserialize)]
struct Chain {
    certificates: Vec<String>,
}

impl Fulcio {
    /// The authority at a URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into() }
    }

    /// Asks for a certificate for the key. The key signs the token's subject to prove that the asker has it.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn request(&self, token: &IdentityToken, key: &dyn Signer) -> Result<Request, Error> {
        let proof = key.sign(token.subject().as_bytes())?;
        let body = json!({
            "credentials": { "oidcIdentityToken": token.as_str() },
            "publicKeyRequest": {
                "publicKey": { "content": key.verifying_key().to_pem() },
                "proofOfPossession": encoding::encode(&proof),
            },
        });
        let body = body.to_string().into_bytes();
        let json = "application/json";
        Ok(Request::post(url(&self.url, "/api/v2/signingCert"), json, json, body))
    }

    /// The certificate in the answer. It must be for the key; whether to believe it is the verifier's to say.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] if the authority refused, [`Error::Malformed`] if the answer holds no certificate,
    /// [`Error::Mismatch`] if it is for another key.
    pub fn certificate(response: &Response, key: &dyn Signer) -> Result<SigningCertificate, Error> {
        let answer: Answer = serde_json::from_slice(response.success("Fulcio")?)
            .map_err(|error| Error::malformed(WHAT, error))?;
        let signed = answer.signed_certificate_embedded_sct.or(answer.signed_certificate_detached_sct);
        let chain = signed.ok_or_else(|| Error::malformed(WHAT, "it has no certificate"))?.chain.certificates;
        let pem = chain.first().ok_or_else(|| Error::malformed(WHAT, "its chain is empty"))?;
        let block = blocks(pem)?.into_iter().next();
        let block = block.ok_or_else(|| Error::malformed(WHAT, "its certificate is no PEM"))?;
        let certificate = Certificate::parse(&block.bytes)?;
        let expected = key.verifying_key();
        if *certificate.key() != expected {
            return Err(Error::Mismatch {
                what: "key of the certificate",
                expected: expected.fingerprint().to_string(),
                actual: certificate.key().fingerprint().to_string(),
            });
        }
        Ok(SigningCertificate(certificate))
    }
}

impl SigningCertificate {
    /// The certificate in DER.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        self.0.as_der()
    }
}
