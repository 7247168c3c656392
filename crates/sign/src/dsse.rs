use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest, Hasher};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::{Error, Signer, VerifyingKey, encoding};

/// The payload type of in-toto statements.
pub(crate) const IN_TOTO: &str = "application/vnd.in-toto+json";
/// How many signatures of one envelope are looked at.
const SIGNATURES: usize = 16;
/// Bytes of an envelope in JSON.
const BYTES: usize = 64 << 20;

/// A DSSE envelope (secure-systems-lab/dsse v1.0.2): a payload, its type, and signatures over both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    keyid: String,
    bytes: Vec<u8>,
}

/// The envelope in JSON; `keyid` is unauthenticated and only ever a hint.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct WireEnvelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<WireSignature>,
    /// DSSE lets envelopes have more members; proto3 JSON, as in a bundle, does not.
    #[serde(flatten, skip_serializing)]
    unknown: BTreeMap<String, IgnoredAny>,
}

#[derive(Clone, Serialize, Deserialize)]
struct WireSignature {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keyid: String,
    sig: String,
    #[serde(flatten, skip_serializing)]
    unknown: BTreeMap<String, IgnoredAny>,
}

impl WireEnvelope {
    /// A member that DSSE does not name.
    pub(crate) fn unknown(&self) -> Option<&str> {
        let members = std::iter::once(&self.unknown).chain(self.signatures.iter().map(|one| &one.unknown));
        members.flat_map(BTreeMap::keys).next().map(String::as_str)
    }
}

impl Envelope {
    /// Signs a payload.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &dyn Signer) -> Result<Self, Error> {
        let bytes = key.sign(&pae(payload_type, &payload))?;
        let signatures = vec![Signature { keyid: String::new(), bytes }];
        Ok(Self { payload_type: payload_type.to_owned(), payload, signatures })
    }

    /// Signs an in-toto statement, given as its JSON bytes.
    ///
    /// # Errors
    ///
    /// Those of the signer.
    pub fn sign_statement(statement: Vec<u8>, key: &dyn Signer) -> Result<Self, Error> {
        Self::sign(IN_TOTO, statement, key)
    }

    /// Reads an envelope.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none or carries no signature, [`Error::Limit`] over 64 MiB or 16 signatures.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a DSSE envelope", limit: BYTES });
        }
        let wire: WireEnvelope =
            serde_json::from_slice(json).map_err(|error| Error::malformed("DSSE envelope", error))?;
        Self::from_wire(wire)
    }

    /// The envelope in JSON.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&self.to_wire()).map_err(|error| Error::malformed("DSSE envelope", error))
    }

    pub(crate) fn from_wire(wire: WireEnvelope) -> Result<Self, Error> {
        if wire.signatures.is_empty() {
            return Err(Error::malformed("DSSE envelope", "it carries no signature"));
        }
        if wire.signatures.len() > SIGNATURES {
            return Err(Error::Limit { what: "signatures of a DSSE envelope", limit: SIGNATURES });
        }
        let signature = |wire: WireSignature| {
            Ok(Signature { keyid: wire.keyid, bytes: encoding::decode("DSSE signature", &wire.sig)? })
        };
        Ok(Self {
            payload: encoding::decode("DSSE payload", &wire.payload)?,
            payload_type: wire.payload_type,
            signatures: wire.signatures.into_iter().map(signature).collect::<Result<_, Error>>()?,
        })
    }

    pub(crate) fn to_wire(&self) -> WireEnvelope {
        let signature = |signature: &Signature| WireSignature {
            keyid: signature.keyid.clone(),
            sig: encoding::encode(&signature.bytes),
            unknown: BTreeMap::new(),
        };
        WireEnvelope {
            payload: encoding::encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: self.signatures.iter().map(signature).collect(),
            unknown: BTreeMap::new(),
        }
    }

    /// The type of the payload, authenticated once [`verify`](Self::verify) said yes.
    #[must_use]
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload before any verification. Do not act on it.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Number of signatures; a bundle has exactly one.
    #[must_use]
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }

    /// The bytes that are signed.
    pub(crate) fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The digest of the bytes that are signed, without a copy of the payload.
    pub(crate) fn pae_digest(&self, algorithm: Algorithm) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(pae_head(&self.payload_type, &self.payload).as_bytes());
        hasher.update(&self.payload);
        hasher.finish()
    }

    /// The signature of an envelope in a bundle, which has exactly one.
    pub(crate) fn only_signature(&self) -> &[u8] {
        self.signatures.first().map(|signature| signature.bytes.as_slice()).unwrap_or_default()
    }

    /// The payload, if one of the signatures is by `key`.
    ///
    /// # Errors
    ///
    /// [`Error::Signature`] if none is.
    pub fn verify(&self, key: &VerifyingKey) -> Result<&[u8], Error> {
        let message = pae(&self.payload_type, &self.payload);
        if self.signatures.iter().any(|signature| key.verifies(&message, &signature.bytes)) {
            return Ok(&self.payload);
        }
        Err(Error::Signature { what: "DSSE envelope", key: key.fingerprint().to_string() })
    }
}

/// The pre-authentication encoding: `DSSEv1 SP len(type) SP type SP len(body) SP body`, lengths in bytes.
pub(crate) fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = pae_head(payload_type, payload).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// What stands before the payload.
fn pae_head(payload_type: &str, payload: &[u8]) -> String {
    format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len())
}
