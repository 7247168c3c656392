use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest, MerkleHash};
use serde::Deserialize;
use serde_json::json;

use super::message::{Request, Response, url};
use crate::bundle::{Bundle, Content, Material, read_log_entry};
use crate::proto::Bytes;
use crate::rekor::{InclusionProof, LogEntry};
use crate::trusted_root::key_details;
use crate::{Error, VerifyingKey, encoding};

const WHAT: &str = "answer of Rekor";

/// A transparency log (Rekor).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekor {
    url: String,
    version: u32,
}

impl Rekor {
    /// The log at a URL, of API version 1 or 2.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for other versions.
    pub fn new(url: impl Into<String>, version: u32) -> Result<Self, Error> {
        if !(1..=2).contains(&version) {
            let what = format!("Rekor of API version {version}");
            return Err(Error::Unsupported { what, advice: "versions 1 and 2 are spoken" });
        }
        Ok(Self { url: url.into(), version })
    }

    /// Asks the log to take in a bundle's signature. `key` is the managed key of a bundle without a certificate.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for what the log does not take: Ed25519 signatures of messages, which it cannot check by digest.
    pub fn request(&self, bundle: &Bundle, key: Option<&VerifyingKey>) -> Result<Request, Error> {
        let (verifier, key) = match &bundle.material {
            Material::Certificates { leaf, .. } => {
                (crate::key::write_pem("CERTIFICATE", leaf.as_der()), leaf.key().clone())
            }
            Material::Key { .. } => {
                let key = key.ok_or_else(|| Error::Unsupported {
                    what: "a log entry for a bundle without a certificate".to_owned(),
                    advice: "give the managed key",
                })?;
                (key.to_pem(), key.clone())
            }
        };
        let hash = key.scheme().hash().unwrap_or(Algorithm::Sha256);
        if key.scheme().hash().is_none()
            && (self.version == 2 || matches!(bundle.content, Content::Message { .. }))
        {
            return Err(Error::Unsupported {
                what: format!("a log entry for a signature by {}", key.scheme()),
                advice: "take a P-256 or P-384 key: the log checks signatures by digest",
            });
        }
        let body = match (self.version, &bundle.content) {
            (1, Content::Message { digest, signature }) => json!({
                "apiVersion": "0.0.1",
                "kind": "hashedrekord",
                "spec": {
                    "data": { "hash": { "algorithm": digest.algorithm().name(), "value": digest.encoded() } },
                    "signature": {
                        "content": encoding::encode(signature),
                        "publicKey": { "content": encoding::encode(verifier.as_bytes()) },
                    },
                },
            }),
            (1, Content::Dsse(envelope)) => json!({
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "proposedContent": {
                        "envelope": String::from_utf8_lossy(&envelope.to_json()?),
                        "verifiers": [encoding::encode(verifier.as_bytes())],
                    },
                },
            }),
            (_, content) => {
                let (digest, signature) = match content {
                    Content::Message { digest, signature } => (digest.clone(), signature.as_slice()),
                    Content::Dsse(envelope) => (Digest::of(hash, &envelope.pae()), envelope.only_signature()),
                };
                let raw = |der: &[u8]| json!({ "rawBytes": encoding::encode(der) });
                let (name, material) = match &bundle.material {
                    Material::Certificates { leaf, .. } => ("x509Certificate", raw(leaf.as_der())),
                    Material::Key { .. } => ("publicKey", raw(key.as_der())),
                };
                json!({
                    "hashedRekordRequestV002": {
                        "digest": encoding::encode(digest.as_bytes()),
                        "signature": {
                            "content": encoding::encode(signature),
                            "verifier": { name: material, "keyDetails": key_details(&key) },
                        },
                    },
                })
            }
        };
        let path = if self.version == 1 { "/api/v1/log/entries" } else { "/api/v2/log/entries" };
        let json = "application/json";
        Ok(Request::post(url(&self.url, path), json, json, body.to_string().into_bytes()))
    }

    /// Takes the log's answer into the bundle. It is read, not believed.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] if the log refused, [`Error::Malformed`] if the answer holds no entry.
    pub fn add_entry(&self, bundle: &mut Bundle, response: &Response) -> Result<(), Error> {
        let body = response.success("Rekor")?;
        let entry = if self.version == 1 { entry_v1(body)? } else { read_log_entry(body)? };
        bundle.entries.push(entry);
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EntryV1 {
    body: Bytes,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: VerificationV1,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationV1 {
    signed_entry_timestamp: Bytes,
    inclusion_proof: Option<ProofV1>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofV1 {
    checkpoint: String,
    hashes: Vec<String>,
    log_index: i64,
    root_hash: String,
    tree_size: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KindV1 {
    api_version: String,
    kind: String,
}

/// `{UUID: entry}`, with hexadecimal hashes.
fn entry_v1(body: &[u8]) -> Result<LogEntry, Error> {
    let fault = |reason: &dyn std::fmt::Display| Error::malformed(WHAT, reason);
    let mut entries: BTreeMap<String, EntryV1> =
        serde_json::from_slice(body).map_err(|error| fault(&error))?;
    let (_, entry) = entries.pop_first().ok_or_else(|| fault(&"it has no entry"))?;
    let kind: KindV1 = serde_json::from_slice(&entry.body.0).map_err(|error| fault(&error))?;
    let hex = |text: &str| encoding::hexadecimal(text).ok_or_else(|| fault(&"a hash is no hexadecimal"));
    let proof = match entry.verification.inclusion_proof {
        None => None,
        Some(proof) => Some(InclusionProof {
            index: proof.log_index,
            root: hex(&proof.root_hash)?,
            size: proof.tree_size,
            hashes: proof
                .hashes
                .iter()
                .map(|hash| {
                    MerkleHash::try_from(hex(hash)?.as_slice()).map_err(|_| fault(&"a hash has not 32 bytes"))
                })
                .collect::<Result<_, _>>()?,
            checkpoint: proof.checkpoint,
        }),
    };
    Ok(LogEntry {
        index: entry.log_index,
        log_id: hex(&entry.log_id)?,
        kind: kind.kind,
        version: kind.api_version,
        integrated_time: entry.integrated_time,
        promise: Some(entry.verification.signed_entry_timestamp.0),
        proof,
        body: entry.body.0,
    })
}
