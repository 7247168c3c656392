//! The bundle in JSON (protobuf-specs, `Bundle`), by the rules of [`crate::proto`].

use lotse_digest::{Digest, MerkleHash};
use serde::{Deserialize, Serialize};

use super::{Content, Material, Version};
use crate::dsse::WireEnvelope;
use crate::proto::{Bytes, Int64, nullable};
use crate::rekor::{InclusionProof, LogEntry, proto_digest, proto_hash_name};
use crate::trusted_root::WireCertificate;
use crate::{Envelope, Error};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wire {
    #[serde(default, deserialize_with = "nullable", alias = "media_type")]
    pub(super) media_type: String,
    #[serde(alias = "verification_material")]
    pub(super) verification_material: WireMaterial,
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "message_signature")]
    pub(super) message_signature: Option<WireMessage>,
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "dsse_envelope")]
    pub(super) dsse_envelope: Option<WireEnvelope>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireMaterial {
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "public_key")]
    public_key: Option<WireKey>,
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "x509_certificate_chain")]
    x509_certificate_chain: Option<WireChain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<WireCertificate>,
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Vec::is_empty",
        alias = "tlog_entries"
    )]
    tlog_entries: Vec<WireEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "timestamp_verification_data")]
    timestamp_verification_data: Option<WireTimestamps>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey {
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "String::is_empty")]
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireChain {
    #[serde(default, deserialize_with = "nullable")]
    certificates: Vec<WireCertificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireEntry {
    #[serde(default, skip_serializing_if = "Int64::is_zero", alias = "log_index")]
    log_index: Int64,
    #[serde(default, alias = "log_id")]
    log_id: Option<WireLogId>,
    #[serde(default, alias = "kind_version")]
    kind_version: Option<WireKind>,
    #[serde(default, skip_serializing_if = "Int64::is_zero", alias = "integrated_time")]
    integrated_time: Int64,
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "inclusion_promise")]
    inclusion_promise: Option<WirePromise>,
    #[serde(default, skip_serializing_if = "Option::is_none", alias = "inclusion_proof")]
    inclusion_proof: Option<WireProof>,
    #[serde(default, skip_serializing_if = "Bytes::is_empty", alias = "canonicalized_body")]
    canonicalized_body: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireLogId {
    #[serde(default, alias = "key_id")]
    key_id: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKind {
    #[serde(default, deserialize_with = "nullable")]
    kind: String,
    #[serde(default, deserialize_with = "nullable")]
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WirePromise {
    #[serde(default, alias = "signed_entry_timestamp")]
    signed_entry_timestamp: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireProof {
    #[serde(default, skip_serializing_if = "Int64::is_zero", alias = "log_index")]
    log_index: Int64,
    #[serde(default, skip_serializing_if = "Bytes::is_empty", alias = "root_hash")]
    root_hash: Bytes,
    #[serde(default, skip_serializing_if = "Int64::is_zero", alias = "tree_size")]
    tree_size: Int64,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Bytes>,
    #[serde(default)]
    checkpoint: Option<WireCheckpoint>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireCheckpoint {
    #[serde(default, deserialize_with = "nullable")]
    envelope: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireTimestamps {
    #[serde(default, deserialize_with = "nullable", alias = "rfc3161_timestamps")]
    rfc3161_timestamps: Vec<WireTimestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireTimestamp {
    #[serde(default, alias = "signed_timestamp")]
    signed_timestamp: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireMessage {
    #[serde(default, alias = "message_digest")]
    message_digest: Option<WireDigest>,
    #[serde(default)]
    signature: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireDigest {
    #[serde(default, deserialize_with = "nullable")]
    algorithm: String,
    #[serde(default)]
    digest: Bytes,
}

/// What one bundle may hold.
const ENTRIES: usize = 32;
const TIMESTAMPS: usize = 32;
const HASHES: usize = 64;
const CERTIFICATES: usize = 10;

fn fault(reason: impl ToString) -> Error {
    Error::malformed("bundle", reason)
}

impl WireMaterial {
    /// The certificates in DER or the key's hint.
    pub(super) fn material(&self, version: Version) -> Result<Material, Error> {
        match (&self.public_key, &self.certificate, &self.x509_certificate_chain) {
            (Some(key), None, None) => Ok(Material::Key { hint: key.hint.clone() }),
            (None, Some(certificate), None) => Material::certificates(vec![certificate.raw_bytes.0.clone()]),
            (None, None, Some(_)) if version == Version::V0_3 => {
                Err(fault("a chain of certificates; from version 0.3 on it is one certificate"))
            }
            (None, None, Some(chain)) => {
                if chain.certificates.len() > CERTIFICATES {
                    return Err(Error::Limit { what: "certificates of a bundle", limit: CERTIFICATES });
                }
                Material::certificates(chain.certificates.iter().map(|der| der.raw_bytes.0.clone()).collect())
            }
            (None, None, None) => Err(fault("it has no verification material")),
            _ => Err(fault("it has more than one of key, certificate and chain")),
        }
    }

    pub(super) fn entries(&mut self) -> Result<Vec<LogEntry>, Error> {
        if self.tlog_entries.len() > ENTRIES {
            return Err(Error::Limit { what: "log entries of a bundle", limit: ENTRIES });
        }
        std::mem::take(&mut self.tlog_entries).into_iter().map(WireEntry::read).collect()
    }

    pub(super) fn timestamps(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        let Some(timestamps) = self.timestamp_verification_data.take() else { return Ok(Vec::new()) };
        if timestamps.rfc3161_timestamps.len() > TIMESTAMPS {
            return Err(Error::Limit { what: "timestamps of a bundle", limit: TIMESTAMPS });
        }
        Ok(timestamps.rfc3161_timestamps.into_iter().map(|timestamp| timestamp.signed_timestamp.0).collect())
    }

    pub(super) fn write(
        material: &Material,
        entries: &[LogEntry],
        timestamps: &[Vec<u8>],
        version: Version,
    ) -> Self {
        let mut wire = Self::default();
        match material {
            Material::Key { hint } => wire.public_key = Some(WireKey { hint: hint.clone() }),
            Material::Certificates { leaf, above } => {
                let certificate = |der: &[u8]| WireCertificate { raw_bytes: Bytes(der.to_vec()) };
                if version == Version::V0_3 {
                    wire.certificate = Some(certificate(leaf.as_der()));
                } else {
                    let certificates =
                        std::iter::once(leaf).chain(above).map(|one| certificate(one.as_der()));
                    wire.x509_certificate_chain = Some(WireChain { certificates: certificates.collect() });
                }
            }
        }
        wire.tlog_entries = entries.iter().map(WireEntry::write).collect();
        if !timestamps.is_empty() {
            let timestamp = |bytes: &Vec<u8>| WireTimestamp { signed_timestamp: Bytes(bytes.clone()) };
            let rfc3161_timestamps = timestamps.iter().map(timestamp).collect();
            wire.timestamp_verification_data = Some(WireTimestamps { rfc3161_timestamps });
        }
        wire
    }
}

/// An entry alone, as Rekor version 2 writes it.
#[cfg(feature = "sandbox")]
pub(crate) fn write_log_entry(entry: &LogEntry) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(&WireEntry::write(entry)).map_err(fault)
}

/// An entry alone, as Rekor version 2 answers.
pub(crate) fn read_log_entry(json: &[u8]) -> Result<LogEntry, Error> {
    let entry: WireEntry = serde_json::from_slice(json).map_err(fault)?;
    entry.read()
}

impl WireEntry {
    fn read(self) -> Result<LogEntry, Error> {
        let index = u64::try_from(self.log_index.0).map_err(|_| fault("a log index is negative"))?;
        let kind = self.kind_version.ok_or_else(|| fault("a log entry names no kind and version"))?;
        let proof = match self.inclusion_proof {
            None => None,
            Some(proof) => {
                if proof.hashes.len() > HASHES {
                    return Err(Error::Limit { what: "hashes of an inclusion proof", limit: HASHES });
                }
                let hash = |hash: Bytes| {
                    MerkleHash::try_from(hash.0.as_slice())
                        .map_err(|_| fault("a hash of an inclusion proof has not 32 bytes"))
                };
                Some(InclusionProof {
                    index: proof.log_index.0,
                    root: proof.root_hash.0,
                    size: proof.tree_size.0,
                    hashes: proof.hashes.into_iter().map(hash).collect::<Result<_, _>>()?,
                    checkpoint: proof.checkpoint.map(|checkpoint| checkpoint.envelope).unwrap_or_default(),
                })
            }
        };
        Ok(LogEntry {
            index,
            log_id: self.log_id.map(|id| id.key_id.0).unwrap_or_default(),
            kind: kind.kind,
            version: kind.version,
            integrated_time: self.integrated_time.0,
            promise: self.inclusion_promise.map(|promise| promise.signed_entry_timestamp.0),
            proof,
            body: self.canonicalized_body.0,
        })
    }

    fn write(entry: &LogEntry) -> Self {
        let proof = |proof: &InclusionProof| WireProof {
            log_index: Int64(proof.index),
            root_hash: Bytes(proof.root.clone()),
            tree_size: Int64(proof.size),
            hashes: proof.hashes.iter().map(|hash| Bytes(hash.to_vec())).collect(),
            checkpoint: Some(WireCheckpoint { envelope: proof.checkpoint.clone() }),
        };
        Self {
            log_index: Int64(i64::try_from(entry.index).unwrap_or(i64::MAX)),
            log_id: Some(WireLogId { key_id: Bytes(entry.log_id.clone()) }),
            kind_version: Some(WireKind { kind: entry.kind.clone(), version: entry.version.clone() }),
            integrated_time: Int64(entry.integrated_time),
            inclusion_promise: entry
                .promise
                .as_ref()
                .map(|set| WirePromise { signed_entry_timestamp: Bytes(set.clone()) }),
            inclusion_proof: entry.proof.as_ref().map(proof),
            canonicalized_body: Bytes(entry.body.clone()),
        }
    }
}

impl Wire {
    pub(super) fn content(&mut self) -> Result<Content, Error> {
        match (self.dsse_envelope.take(), self.message_signature.take()) {
            (Some(envelope), None) => {
                let envelope = Envelope::from_wire(envelope)?;
                if envelope.signature_count() != 1 {
                    return Err(fault("its envelope must carry exactly one signature"));
                }
                Ok(Content::Dsse(envelope))
            }
            (None, Some(message)) => {
                let digest = message.message_digest.ok_or_else(|| fault("its message digest is missing"))?;
                if message.signature.is_empty() {
                    return Err(fault("its signature is empty"));
                }
                let digest = proto_digest(&digest.algorithm, &digest.digest.0)?;
                Ok(Content::Message { digest, signature: message.signature.0 })
            }
            _ => Err(fault("it must hold one DSSE envelope or one message signature")),
        }
    }
}

impl WireMessage {
    pub(super) fn write(digest: &Digest, signature: &[u8]) -> Self {
        let algorithm = proto_hash_name(digest.algorithm()).to_owned();
        let digest = WireDigest { algorithm, digest: Bytes(digest.as_bytes().to_vec()) };
        Self { message_digest: Some(digest), signature: Bytes(signature.to_vec()) }
    }
}
