//! Rekor, versions 1 and 2.

use std::collections::BTreeMap;

use lotse_digest::{Digest, MerkleTree};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, Sandbox};
use crate::bundle::write_log_entry;
use crate::proto::Bytes;
use crate::rekor::{InclusionProof, LogEntry, proto_hash_name};
use crate::{
    Checkpoint, Envelope, Error, Scheme, SignedNote, SigningKey, VerifyingKey, encoding, note_key_id,
};

const TREE: &str = "7219182";

/// A log of version 1.
#[derive(Debug)]
pub(super) struct LogV1 {
    host: &'static str,
    key: SigningKey,
    tree: MerkleTree,
}

/// A log of version 2.
#[derive(Debug)]
pub(super) struct LogV2 {
    host: &'static str,
    key: SigningKey,
    tree: MerkleTree,
}

#[derive(Deserialize)]
struct AskV2 {
    #[serde(rename = "hashedRekordRequestV002")]
    entry: AskV2Entry,
}

#[derive(Deserialize)]
struct AskV2Entry {
    digest: Bytes,
    signature: AskV2Signature,
}

#[derive(Deserialize)]
struct AskV2Signature {
    content: Bytes,
    verifier: AskV2Verifier,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskV2Verifier {
    key_details: String,
    x509_certificate: Option<AskRaw>,
    public_key: Option<AskRaw>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskRaw {
    raw_bytes: Bytes,
}

impl LogV1 {
    pub(super) fn new(host: &'static str, key: SigningKey) -> Self {
        Self { host, key, tree: filled() }
    }

    pub(super) fn key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }
}

impl LogV2 {
    pub(super) fn new(host: &'static str, key: SigningKey) -> Self {
        Self { host, key, tree: filled() }
    }

    pub(super) fn key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    pub(super) fn id(&self) -> Vec<u8> {
        note_key_id(self.host, &self.key()).map(|id| id.to_vec()).unwrap_or_default()
    }
}

/// A log is not empty when one comes to it: proofs of one entry would prove nothing.
fn filled() -> MerkleTree {
    let mut tree = MerkleTree::new();
    for entry in [b"an earlier entry".as_slice(), b"and another", b"and a third"] {
        tree.push(entry);
    }
    tree
}

impl Sandbox {
    /// `POST /api/v1/log/entries`.
    pub(super) fn log_v1(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let fault = |error: &dyn std::fmt::Display| Error::malformed("request for a log entry", error);
        let ask: Value = serde_json::from_slice(body).map_err(|error| fault(&error))?;
        let text = |pointer: &str| {
            ask.pointer(pointer)
                .and_then(Value::as_str)
                .ok_or_else(|| fault(&format!("{pointer} is missing")))
        };
        let kind = text("/kind")?;
        let canonical = if kind == "dsse" {
            let envelope = text("/spec/proposedContent/envelope")?;
            let verifier = text("/spec/proposedContent/verifiers/0")?;
            let parsed = Envelope::parse(envelope.as_bytes())?;
            let payload = self.other_artifact(Digest::sha256(parsed.unverified_payload()));
            let signature = self.other_signature(&encoding::encode(parsed.only_signature()));
            format!(
                r#"{{"apiVersion":"0.0.1","kind":"dsse","spec":{{"envelopeHash":{{"algorithm":"sha256","value":"{}"}},"payloadHash":{{"algorithm":"sha256","value":"{}"}},"signatures":[{{"signature":"{signature}","verifier":"{verifier}"}}]}}}}"#,
                Digest::sha256(envelope.as_bytes()).encoded(),
                payload.encoded(),
            )
        } else {
            let digest = self.other_artifact(
                format!("{}:{}", text("/spec/data/hash/algorithm")?, text("/spec/data/hash/value")?)
                    .parse()
                    .map_err(|error| fault(&error))?,
            );
            let signature = self.other_signature(text("/spec/signature/content")?);
            let key = text("/spec/signature/publicKey/content")?;
            format!(
                r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"algorithm":"{}","value":"{}"}}}},"signature":{{"content":"{signature}","publicKey":{{"content":"{key}"}}}}}}}}"#,
                digest.algorithm(),
                digest.encoded(),
            )
        };
        let canonical = canonical.into_bytes();
        let mut state = self.lock();
        let log = &mut state.log_v1;
        let index = log.tree.push(&canonical);
        let (origin, host) = (format!("{} - {TREE}", log.host), log.host);
        let id = log.key().fingerprint();
        let proof = self.proof(&log.tree, index, &origin, host, &log.key)?;
        let global = index + 1000;
        let time = self.now.seconds();
        let encoded = encoding::encode(&canonical);
        let signed = format!(
            r#"{{"body":"{encoded}","integratedTime":{time},"logID":"{}","logIndex":{global}}}"#,
            id.encoded()
        );
        let key = if self.has(Fault::PromiseSignedByAnotherKey) {
            super::key(&self.seed, "another rekor", Scheme::EcdsaP256Sha256)
        } else {
            log.key.clone()
        };
        let promise = key.sign(signed.as_bytes())?;
        let time = if self.has(Fault::PromiseOfAnotherTime) { time + 1 } else { time };
        let hex = encoding::to_hexadecimal;
        let answer = json!({
            "body": encoded,
            "integratedTime": time,
            "logID": hex(&self.log_id(id.as_bytes())),
            "logIndex": global,
            "verification": {
                "signedEntryTimestamp": encoding::encode(&promise),
                "inclusionProof": {
                    "checkpoint": proof.checkpoint,
                    "hashes": proof.hashes.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
                    "logIndex": proof.index,
                    "rootHash": hex(&proof.root),
                    "treeSize": proof.size,
                },
            },
        });
        let answer = BTreeMap::from([(format!("{:032x}", index), answer)]);
        serde_json::to_vec(&answer).map_err(|error| fault(&error))
    }

    /// `POST /api/v2/log/entries`.
    pub(super) fn log_v2(&self, number: usize, body: &[u8]) -> Result<Vec<u8>, Error> {
        let fault = |error: &dyn std::fmt::Display| Error::malformed("request for a log entry", error);
        let ask: AskV2 = serde_json::from_slice(body).map_err(|error| fault(&error))?;
        let AskV2Entry { digest, signature } = ask.entry;
        let algorithm = [32, 48, 64].into_iter().zip(lotse_digest::Algorithm::ALL);
        let algorithm =
            algorithm.filter(|(length, _)| *length == digest.0.len()).map(|(_, name)| name).next();
        let algorithm = algorithm.ok_or_else(|| fault(&"a digest of no known length"))?;
        let digest =
            self.other_artifact(Digest::from_bytes(algorithm, &digest.0).map_err(|error| fault(&error))?);
        let (name, raw) = match (&signature.verifier.x509_certificate, &signature.verifier.public_key) {
            (Some(certificate), None) => ("x509Certificate", &certificate.raw_bytes.0),
            (None, Some(key)) => ("publicKey", &key.raw_bytes.0),
            _ => return Err(fault(&"one verifier is needed")),
        };
        let stranger = super::key(&self.seed, "another signer", Scheme::EcdsaP256Sha256).verifying_key();
        let (name, raw) = if self.has(Fault::EntryOfAnotherSigner) {
            ("publicKey", stranger.as_der())
        } else {
            (name, raw.as_slice())
        };
        let content = self.other_signature(&encoding::encode(&signature.content.0));
        let canonical = format!(
            r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"data":{{"algorithm":"{}","digest":"{}"}},"signature":{{"content":"{content}","verifier":{{"keyDetails":"{}","{name}":{{"rawBytes":"{}"}}}}}}}}}}}}"#,
            proto_hash_name(algorithm),
            encoding::encode(digest.as_bytes()),
            signature.verifier.key_details,
            encoding::encode(raw),
        );
        let canonical = if self.has(Fault::EntryOfUnknownKind) {
            canonical.replace("hashedrekord", "unknownrekord")
        } else {
            canonical
        };
        let canonical = canonical.into_bytes();
        let mut state = self.lock();
        let log = state.logs_v2.get_mut(number).ok_or_else(|| fault(&"no such log"))?;
        let index = log.tree.push(&canonical);
        let proof = self.proof(&log.tree, index, log.host, log.host, &log.key)?;
        let kind = if self.has(Fault::EntryOfUnknownKind) { "unknownrekord" } else { "hashedrekord" };
        let entry = LogEntry {
            index,
            log_id: self.log_id(&log.id()),
            kind: kind.to_owned(),
            version: "0.0.2".to_owned(),
            integrated_time: 0,
            promise: None,
            proof: Some(proof),
            body: canonical,
        };
        write_log_entry(&entry)
    }

    /// The proof of the entry that came last, under a checkpoint signed as `name`.
    fn proof(
        &self,
        tree: &MerkleTree,
        index: u64,
        origin: &str,
        name: &str,
        key: &SigningKey,
    ) -> Result<InclusionProof, Error> {
        let size = tree.size();
        let of = if self.has(Fault::ProofOfAnotherEntry) { 0 } else { index };
        let mut hashes = tree.inclusion_proof(of, size).unwrap_or_default();
        if self.has(Fault::ProofCut) {
            hashes.pop();
        }
        let root = if self.has(Fault::CheckpointOfAnotherTree) {
            MerkleTree::leaf_hash(b"another tree")
        } else {
            tree.root()
        };
        let origin = if self.has(Fault::CheckpointOfAnotherOrigin) { "rekor.example.test" } else { origin };
        let stranger = super::key(&self.seed, "another log", key.scheme());
        let checkpoint = Checkpoint::new(origin, size, root);
        let text = if self.has(Fault::CheckpointWithLeadingZero) {
            checkpoint.to_text().replace(&format!("\n{size}\n"), &format!("\n0{size}\n"))
        } else {
            checkpoint.to_text()
        };
        let signed = SignedNote::sign(&text, name, key)?;
        let mut note = signed.to_text();
        let forged = |key: &SigningKey| -> Result<String, Error> {
            // Another key's signature under the name and id of the log's.
            let id = note_key_id(name, &key.verifying_key())?;
            let bytes = [id.get(..4).unwrap_or_default(), &stranger.sign(text.as_bytes())?].concat();
            Ok(format!("\u{2014} {name} {}\n", encoding::encode(&bytes)))
        };
        if self.has(Fault::CheckpointSignedByAnotherKey) {
            note = format!("{text}\n{}", forged(key)?);
        }
        if self.has(Fault::CheckpointFalseThenTrue) {
            let good = note.split("\n\n").nth(1).unwrap_or_default().to_owned();
            note = format!("{text}\n{}{good}", forged(key)?);
        }
        if self.has(Fault::CheckpointMissing) {
            note.clear();
        }
        Ok(InclusionProof {
            index: i64::try_from(index).unwrap_or(i64::MAX),
            root: tree.root().to_vec(),
            size: i64::try_from(size).unwrap_or(i64::MAX),
            hashes,
            checkpoint: note,
        })
    }

    fn log_id(&self, id: &[u8]) -> Vec<u8> {
        match () {
            () if self.has(Fault::LogIdUnknown) => vec![9; 32],
            () if self.has(Fault::LogIdCut) => id.get(..4).unwrap_or_default().to_vec(),
            () => id.to_vec(),
        }
    }

    fn other_artifact(&self, digest: Digest) -> Digest {
        if self.has(Fault::EntryOfAnotherArtifact) {
            Digest::of(digest.algorithm(), b"another")
        } else {
            digest
        }
    }

    fn other_signature(&self, base64: &str) -> String {
        if self.has(Fault::EntryOfAnotherSignature) {
            encoding::encode(b"another")
        } else {
            base64.to_owned()
        }
    }
}
