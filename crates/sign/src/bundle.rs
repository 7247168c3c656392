use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use crate::dsse::{IN_TOTO, WireEnvelope};
use crate::{Envelope, Error, SigningKey, VerifyingKey, encoding};

/// The media type of a bundle, also its artifact type as an OCI referrer.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const BYTES: usize = 64 << 20;

/// A Sigstore bundle v0.3 (protobuf-specs, `Bundle`, as proto3 JSON) that is signed with a managed key.
///
/// Keyless bundles, transparency log entries and timestamps are recognised and refused by name: this version does not verify
/// them, and what is not verified is not passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    hint: String,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Dsse(Envelope),
    Message { digest: Digest, signature: Vec<u8> },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    media_type: String,
    verification_material: WireMaterial,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<WireEnvelope>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_signature: Option<WireMessage>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireMaterial {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<WireKey>,
    #[serde(default, skip_serializing)]
    certificate: Option<serde_json::Value>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<serde_json::Value>,
    #[serde(default, skip_serializing)]
    tlog_entries: Option<Vec<serde_json::Value>>,
    #[serde(default, skip_serializing)]
    timestamp_verification_data: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey {
    #[serde(default)]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireMessage {
    message_digest: WireDigest,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireDigest {
    algorithm: String,
    digest: String,
}

impl Bundle {
    /// Signs an in-toto statement, given as its JSON bytes, into a bundle.
    ///
    /// # Errors
    ///
    /// Those of [`SigningKey::sign`].
    pub fn sign_statement(statement: Vec<u8>, key: &SigningKey) -> Result<Self, Error> {
        let envelope = Envelope::sign_statement(statement, key)?;
        Ok(Self { hint: hint(&key.verifying_key())?, content: Content::Dsse(envelope) })
    }

    /// Signs an artifact's bytes into a bundle with a message signature.
    ///
    /// # Errors
    ///
    /// Those of [`SigningKey::sign`].
    pub fn sign_artifact(artifact: &[u8], key: &SigningKey) -> Result<Self, Error> {
        let content = Content::Message { digest: Digest::sha256(artifact), signature: key.sign(artifact)? };
        Ok(Self { hint: hint(&key.verifying_key())?, content })
    }

    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none, has not exactly one content, or members that the specification does not have;
    /// [`Error::Unsupported`] for other versions, keyless bundles, log entries and timestamps; [`Error::Limit`] over 64 MiB.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a bundle", limit: BYTES });
        }
        let wire: Wire = serde_json::from_slice(json).map_err(|error| Error::malformed("bundle", error))?;
        if wire.media_type != BUNDLE_MEDIA_TYPE {
            let what = format!("bundle of type {:?}", wire.media_type.chars().take(128).collect::<String>());
            return Err(unsupported(what));
        }
        let material = wire.verification_material;
        if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
            return Err(unsupported("keyless bundle (its material is a certificate)"));
        }
        if material.tlog_entries.is_some_and(|entries| !entries.is_empty()) {
            return Err(unsupported("bundle with transparency log entries"));
        }
        if material.timestamp_verification_data.is_some_and(|data| !is_empty(&data)) {
            return Err(unsupported("bundle with timestamps"));
        }
        let key = material
            .public_key
            .ok_or_else(|| Error::malformed("bundle", "it has no verification material"))?;
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => {
                let envelope = Envelope::from_wire(envelope)?;
                if envelope.signature_count() != 1 {
                    return Err(Error::malformed("bundle", "its envelope must carry exactly one signature"));
                }
                Content::Dsse(envelope)
            }
            (None, Some(message)) => Content::Message {
                digest: message.message_digest.read()?,
                signature: encoding::decode("bundle's signature", &message.signature)?,
            },
            _ => {
                return Err(Error::malformed(
                    "bundle",
                    "it must hold one DSSE envelope or one message signature",
                ));
            }
        };
        Ok(Self { hint: key.hint, content })
    }

    /// The bundle in JSON. The same bundle gives the same bytes.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let (dsse_envelope, message_signature) = match &self.content {
            Content::Dsse(envelope) => (Some(envelope.to_wire()), None),
            Content::Message { digest, signature } => {
                let message_digest = WireDigest {
                    algorithm: "SHA2_256".to_owned(),
                    digest: encoding::encode(digest.as_bytes()),
                };
                (None, Some(WireMessage { message_digest, signature: encoding::encode(signature) }))
            }
        };
        let material = WireMaterial {
            public_key: Some(WireKey { hint: self.hint.clone() }),
            certificate: None,
            x509_certificate_chain: None,
            tlog_entries: None,
            timestamp_verification_data: None,
        };
        let wire = Wire {
            media_type: BUNDLE_MEDIA_TYPE.to_owned(),
            verification_material: material,
            dsse_envelope,
            message_signature,
        };
        serde_json::to_vec(&wire).map_err(|error| Error::malformed("bundle", error))
    }

    /// Which key the signer says it used; unauthenticated.
    #[must_use]
    pub fn key_hint(&self) -> &str {
        &self.hint
    }

    /// The statement in the bundle before any verification. Do not act on it.
    #[must_use]
    pub fn unverified_statement(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Dsse(envelope) => Some(envelope.unverified_payload()),
            Content::Message { .. } => None,
        }
    }

    /// The in-toto statement in the bundle, if `key` signed it. What it says of which artifact is the caller's next question.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if the key did not sign it; [`Error::Mismatch`] if the bundle holds no in-toto statement.
    pub fn verify_statement(&self, key: &VerifyingKey) -> Result<&[u8], Error> {
        match &self.content {
            Content::Dsse(envelope) => {
                let payload = envelope.verify(key)?;
                if envelope.payload_type() == IN_TOTO {
                    return Ok(payload);
                }
                Err(Error::Mismatch {
                    what: "payload type of the bundle",
                    expected: IN_TOTO.to_owned(),
                    actual: envelope.payload_type().to_owned(),
                })
            }
            Content::Message { .. } => Err(Error::Mismatch {
                what: "content of the bundle",
                expected: "an in-toto statement".to_owned(),
                actual: "a message signature".to_owned(),
            }),
        }
    }

    /// Checks that `key` signed these bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] if the bundle is for other bytes or holds no message signature; [`Error::Signature`].
    pub fn verify_artifact(&self, artifact: &[u8], key: &VerifyingKey) -> Result<(), Error> {
        let Content::Message { digest, signature } = &self.content else {
            return Err(Error::Mismatch {
                what: "content of the bundle",
                expected: "a message signature".to_owned(),
                actual: "a DSSE envelope".to_owned(),
            });
        };
        let actual = Digest::of(digest.algorithm(), artifact);
        if actual != *digest {
            let (expected, actual) = (actual.to_string(), digest.to_string());
            return Err(Error::Mismatch { what: "digest of the artifact", expected, actual });
        }
        if key.verifies(artifact, signature) {
            return Ok(());
        }
        Err(Error::Signature { what: "artifact", key: key.fingerprint().to_string() })
    }
}

impl WireDigest {
    fn read(&self) -> Result<Digest, Error> {
        if self.algorithm != "SHA2_256" {
            return Err(unsupported(format!("message digest {:?}", self.algorithm)));
        }
        let bytes = encoding::decode("message digest", &self.digest)?;
        Digest::from_bytes(lotse_digest::Algorithm::Sha256, &bytes)
            .map_err(|error| Error::malformed("message digest", error))
    }
}

fn hint(key: &VerifyingKey) -> Result<String, Error> {
    Ok(encoding::encode(key.fingerprint().as_bytes()))
}

fn unsupported(what: impl Into<String>) -> Error {
    Error::Unsupported {
        what: what.into(),
        advice: "this version verifies v0.3 bundles of managed keys, without a log",
    }
}

fn is_empty(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => true,
        serde_json::Value::Array(items) => items.is_empty(),
        serde_json::Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}
