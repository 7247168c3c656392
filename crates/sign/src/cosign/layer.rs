use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use crate::bundle::{Content, Material, Version};
use crate::key::blocks;
use crate::proto::Bytes;
use crate::rekor::LogEntry;
use crate::x509::Certificate;
use crate::{Bundle, Envelope, Error, Signer, encoding};

/// The media type of a layer that holds a [`SimpleSigning`](crate::SimpleSigning) payload.
pub const SIMPLE_SIGNING_MEDIA_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The media type of a layer that holds a DSSE envelope.
pub const DSSE_MEDIA_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
/// The annotations of a layer.
pub(crate) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
pub(crate) const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
pub(crate) const BUNDLE: &str = "dev.sigstore.cosign/bundle";
pub(crate) const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// One signature or attestation of cosign's older layout: a layer of the manifest under the tag `sha256-….sig` or `.att`.
/// Plain data; the payload's bytes are signed as they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignLayer {
    /// [`SIMPLE_SIGNING_MEDIA_TYPE`] or [`DSSE_MEDIA_TYPE`].
    pub media_type: String,
    /// The layer's bytes.
    pub payload: Vec<u8>,
    /// The layer's annotations: signature, certificate, log bundle, timestamp.
    pub annotations: BTreeMap<String, String>,
}

/// The annotation `dev.sigstore.cosign/bundle`: a log's promise.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LogBundle {
    signed_entry_timestamp: Bytes,
    payload: LogPayload,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogPayload {
    body: Bytes,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: i64,
}

/// The annotation `dev.sigstore.cosign/rfc3161timestamp`.
#[derive(Serialize, Deserialize)]
struct TimestampBundle {
    #[serde(rename = "SignedRFC3161Timestamp")]
    timestamp: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    api_version: String,
    kind: String,
}

impl CosignLayer {
    /// Signs a payload about an image with a managed key, without log or timestamp.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn sign(payload: &crate::SimpleSigning, key: &dyn Signer) -> Result<Self, Error> {
        let payload = payload.to_json()?;
        let signature = encoding::encode(&key.sign(&payload)?);
        let annotations = BTreeMap::from([(SIGNATURE.to_owned(), signature)]);
        Ok(Self { media_type: SIMPLE_SIGNING_MEDIA_TYPE.to_owned(), payload, annotations })
    }

    /// Signs an in-toto statement, given as its JSON bytes, with a managed key, without log or timestamp.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn attest(statement: Vec<u8>, predicate_type: &str, key: &dyn Signer) -> Result<Self, Error> {
        let payload = Envelope::sign_statement(statement, key)?.to_json()?;
        let annotations = BTreeMap::from([
            (SIGNATURE.to_owned(), String::new()),
            ("predicateType".to_owned(), predicate_type.to_owned()),
        ]);
        Ok(Self { media_type: DSSE_MEDIA_TYPE.to_owned(), payload, annotations })
    }

    /// An attestation as a bundle of version 0.1, which newer clients find as a referrer; nothing is signed anew. The log's
    /// promise goes along; a timestamp does not where there is one, since it is about the envelope and a bundle's are about
    /// the signature.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a signature, which is about a payload that no bundle holds, and for an attestation whose only
    /// time is a timestamp: sign anew. [`Error::Malformed`] for a layer that is none.
    pub fn to_bundle(&self) -> Result<Bundle, Error> {
        if self.media_type == SIMPLE_SIGNING_MEDIA_TYPE {
            return Err(Error::Unsupported {
                what: "a signature of the older layout as a bundle".to_owned(),
                advice: "it is about a payload of its own: sign the image anew",
            });
        }
        let mut bundle = decode_layer(self)?;
        if bundle.entries.is_empty() && !bundle.timestamps.is_empty() {
            return Err(Error::Unsupported {
                what: "an attestation without log entry, with a timestamp of its envelope, as a bundle"
                    .to_owned(),
                advice: "a bundle's timestamps are about the signature: attest anew",
            });
        }
        bundle.timestamps.clear();
        Ok(bundle)
    }
}

/// What the layer says, in the form of a bundle: what is checked of both exists once. The chain that came along is not
/// taken over; it proves nothing.
pub(crate) fn decode_layer(layer: &CosignLayer) -> Result<Bundle, Error> {
    let annotation = |name: &str| layer.annotations.get(name).filter(|text| !text.is_empty());
    let material = match annotation(CERTIFICATE) {
        None => Material::Key { hint: String::new() },
        Some(pem) => {
            let blocks = blocks(pem)?;
            let [block] = blocks.as_slice() else {
                return Err(fault("its certificate is not one PEM block"));
            };
            if block.label != "CERTIFICATE" {
                return Err(fault("its certificate is a PEM of another type"));
            }
            Material::Certificates { leaf: Certificate::parse(&block.bytes)?, above: Vec::new() }
        }
    };
    let content = match layer.media_type.as_str() {
        SIMPLE_SIGNING_MEDIA_TYPE => {
            let signature =
                annotation(SIGNATURE).ok_or_else(|| fault("it has no annotation with a signature"))?;
            let signature = encoding::decode("signature of a layer", signature)?;
            Content::Message { digest: Digest::sha256(&layer.payload), signature }
        }
        DSSE_MEDIA_TYPE => {
            let envelope = Envelope::parse(&layer.payload)?;
            if envelope.signature_count() != 1 {
                return Err(fault("its envelope must carry exactly one signature"));
            }
            Content::Dsse(envelope)
        }
        other => {
            return Err(Error::Unsupported {
                what: format!("layer of type {:?}", other.chars().take(128).collect::<String>()),
                advice: "simple signing payloads and DSSE envelopes are read",
            });
        }
    };
    let entries = match annotation(BUNDLE) {
        None => Vec::new(),
        Some(json) => vec![log_entry(json)?],
    };
    let timestamps = match annotation(TIMESTAMP) {
        None => Vec::new(),
        Some(json) => {
            let bundle: TimestampBundle = serde_json::from_str(json).map_err(fault)?;
            vec![bundle.timestamp.0]
        }
    };
    Ok(Bundle { version: Version::V0_1, material, entries, timestamps, content })
}

fn log_entry(json: &str) -> Result<LogEntry, Error> {
    let bundle: LogBundle = serde_json::from_str(json).map_err(fault)?;
    let payload = bundle.payload;
    let kind: Kind = serde_json::from_slice(&payload.body.0).map_err(fault)?;
    Ok(LogEntry {
        index: u64::try_from(payload.log_index).map_err(|_| fault("its log index is negative"))?,
        log_id: encoding::hexadecimal(&payload.log_id)
            .ok_or_else(|| fault("its log id is no hexadecimal"))?,
        kind: kind.kind,
        version: kind.api_version,
        integrated_time: payload.integrated_time,
        promise: Some(bundle.signed_entry_timestamp.0),
        proof: None,
        body: payload.body.0,
    })
}

fn fault(reason: impl ToString) -> Error {
    Error::malformed("cosign layer", reason)
}
