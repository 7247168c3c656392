use lotse_digest::{Algorithm, Digest};
use serde::Deserialize;

use super::LogEntry;
use crate::key::blocks;
use crate::proto::Bytes;
use crate::{Error, encoding};

/// What an entry says: of which content, which signature, by whom. Each kind and version of the log's schema ends here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryBody {
    pub(crate) subject: EntrySubject,
    /// The signature's bytes; an old in-toto entry without them has none.
    pub(crate) signature: Option<Vec<u8>>,
    pub(crate) verifier: Verifier,
}

/// Which content an entry is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntrySubject {
    /// The signed bytes: the artifact, or in version 2 the pre-authentication encoding of an envelope.
    Signed(Digest),
    /// The payload of an envelope.
    Payload(Digest),
}

/// By whom an entry is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verifier {
    /// A certificate in DER.
    Certificate(Vec<u8>),
    /// A `SubjectPublicKeyInfo` in DER.
    Key(Vec<u8>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
    spec: serde_json::Value,
}

impl EntryBody {
    /// Reads the body of an entry, whose kind and version must be the ones that the bundle names.
    pub(crate) fn parse(entry: &LogEntry) -> Result<Self, Error> {
        let head: Head =
            serde_json::from_slice(&entry.body).map_err(|error| Error::malformed("log entry", error))?;
        if (head.kind.as_str(), head.api_version.as_str()) != (entry.kind.as_str(), entry.version.as_str()) {
            return Err(Error::Mismatch {
                what: "kind of the log entry",
                expected: format!("{} {}", entry.kind, entry.version),
                actual: format!("{} {}", head.kind, head.api_version),
            });
        }
        match (head.kind.as_str(), head.api_version.as_str()) {
            ("hashedrekord", "0.0.1") => read(head.spec).and_then(hashedrekord_v1),
            ("hashedrekord", "0.0.2") => read(head.spec).and_then(hashedrekord_v2),
            ("dsse", "0.0.1") => read(head.spec).and_then(dsse_v1),
            ("intoto", "0.0.1") => read(head.spec).and_then(intoto_v1),
            ("intoto", "0.0.2") => read(head.spec).and_then(intoto_v2),
            (kind, version) => Err(Error::Unsupported {
                what: format!("log entry of kind {kind:?} {version:?}"),
                advice: "hashedrekord 0.0.1 and 0.0.2, dsse 0.0.1, intoto 0.0.1 and 0.0.2 are read",
            }),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(spec: serde_json::Value) -> Result<T, Error> {
    serde_json::from_value(spec).map_err(|error| Error::malformed("log entry", error))
}

#[derive(Deserialize)]
struct HexHash {
    algorithm: String,
    value: String,
}

impl HexHash {
    fn digest(&self) -> Result<Digest, Error> {
        format!("{}:{}", self.algorithm, self.value)
            .parse()
            .map_err(|error| Error::malformed("hash of the log entry", error))
    }
}

#[derive(Deserialize)]
struct HashedRekordV1 {
    data: HashedData,
    signature: HashedSignature,
}

#[derive(Deserialize)]
struct HashedData {
    hash: HexHash,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HashedSignature {
    content: Bytes,
    public_key: PemContent,
}

#[derive(Deserialize)]
struct PemContent {
    content: Bytes,
}

fn hashedrekord_v1(spec: HashedRekordV1) -> Result<EntryBody, Error> {
    Ok(EntryBody {
        subject: EntrySubject::Signed(spec.data.hash.digest()?),
        signature: Some(spec.signature.content.0),
        verifier: Verifier::from_pem(&spec.signature.public_key.content.0)?,
    })
}

#[derive(Deserialize)]
struct HashedRekordV2 {
    #[serde(rename = "hashedRekordV002")]
    content: HashedRekordV2Content,
}

#[derive(Deserialize)]
struct HashedRekordV2Content {
    data: ProtoHash,
    signature: ProtoSignature,
}

#[derive(Deserialize)]
struct ProtoHash {
    algorithm: String,
    digest: Bytes,
}

#[derive(Deserialize)]
struct ProtoSignature {
    content: Bytes,
    verifier: ProtoVerifier,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProtoVerifier {
    key_details: String,
    #[serde(default)]
    x509_certificate: Option<RawBytes>,
    #[serde(default)]
    public_key: Option<RawBytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBytes {
    raw_bytes: Bytes,
}

fn hashedrekord_v2(spec: HashedRekordV2) -> Result<EntryBody, Error> {
    let HashedRekordV2Content { data, signature } = spec.content;
    let verifier = match (signature.verifier.x509_certificate, signature.verifier.public_key) {
        (Some(certificate), None) => Verifier::Certificate(certificate.raw_bytes.0),
        (None, Some(key)) => Verifier::Key(key.raw_bytes.0),
        _ => return Err(Error::malformed("log entry", "its verifier must be one certificate or one key")),
    };
    let key = verifier.key()?;
    if !crate::trusted_root::key_details_fit(&signature.verifier.key_details, &key) {
        return Err(Error::malformed(
            "log entry",
            format!("its verifier is a {} key, not {:?}", key.scheme(), signature.verifier.key_details),
        ));
    }
    Ok(EntryBody {
        subject: EntrySubject::Signed(proto_digest(&data.algorithm, &data.digest.0)?),
        signature: Some(signature.content.0),
        verifier,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DsseV1 {
    payload_hash: HexHash,
    signatures: Vec<DsseSignature>,
}

#[derive(Deserialize)]
struct DsseSignature {
    signature: Bytes,
    verifier: Bytes,
}

fn dsse_v1(spec: DsseV1) -> Result<EntryBody, Error> {
    let [signature] = spec.signatures.as_slice() else {
        return Err(Error::malformed("log entry", "it must have exactly one signature"));
    };
    Ok(EntryBody {
        subject: EntrySubject::Payload(spec.payload_hash.digest()?),
        signature: Some(signature.signature.0.clone()),
        verifier: Verifier::from_pem(&signature.verifier.0)?,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntotoV1 {
    content: IntotoV1Content,
    public_key: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntotoV1Content {
    payload_hash: HexHash,
}

fn intoto_v1(spec: IntotoV1) -> Result<EntryBody, Error> {
    Ok(EntryBody {
        subject: EntrySubject::Payload(spec.content.payload_hash.digest()?),
        signature: None,
        verifier: Verifier::from_pem(&spec.public_key.0)?,
    })
}

#[derive(Deserialize)]
struct IntotoV2 {
    content: IntotoV2Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntotoV2Content {
    envelope: IntotoEnvelope,
    payload_hash: HexHash,
}

#[derive(Deserialize)]
struct IntotoEnvelope {
    signatures: Vec<IntotoSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntotoSignature {
    sig: Bytes,
    public_key: Bytes,
}

fn intoto_v2(spec: IntotoV2) -> Result<EntryBody, Error> {
    let [signature] = spec.content.envelope.signatures.as_slice() else {
        return Err(Error::malformed("log entry", "it must have exactly one signature"));
    };
    // The log stored the base64 text of the signature in a member that is base64 itself.
    let text = std::str::from_utf8(&signature.sig.0)
        .map_err(|_| Error::malformed("log entry", "its signature is not coded twice"))?;
    Ok(EntryBody {
        subject: EntrySubject::Payload(spec.content.payload_hash.digest()?),
        signature: Some(encoding::decode("signature of the log entry", text)?),
        verifier: Verifier::from_pem(&signature.public_key.0)?,
    })
}

impl Verifier {
    fn from_pem(text: &[u8]) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("verifier of the log entry", reason);
        let text = std::str::from_utf8(text).map_err(|_| fault("it is no PEM"))?;
        let mut blocks = blocks(text)?.into_iter();
        let (Some(block), None) = (blocks.next(), blocks.next()) else {
            return Err(fault("it is not one PEM block"));
        };
        match block.label.as_str() {
            "CERTIFICATE" => Ok(Self::Certificate(block.bytes)),
            "PUBLIC KEY" => Ok(Self::Key(block.bytes)),
            other => Err(fault(&format!("it is a PEM of type {other:?}"))),
        }
    }

    fn key(&self) -> Result<crate::VerifyingKey, Error> {
        match self {
            Self::Certificate(der) => Ok(crate::x509::Certificate::parse(der)?.key().clone()),
            Self::Key(der) => crate::VerifyingKey::from_der(der),
        }
    }
}

/// protobuf-specs, `HashAlgorithm`.
pub(crate) fn proto_digest(algorithm: &str, bytes: &[u8]) -> Result<Digest, Error> {
    let algorithm = match algorithm {
        "SHA2_256" => Algorithm::Sha256,
        "SHA2_384" => Algorithm::Sha384,
        "SHA2_512" => Algorithm::Sha512,
        other => {
            return Err(Error::Unsupported {
                what: format!("hash function {:?}", other.chars().take(40).collect::<String>()),
                advice: "SHA2_256, SHA2_384 and SHA2_512 are read",
            });
        }
    };
    Digest::from_bytes(algorithm, bytes).map_err(|error| Error::malformed("digest", error))
}

/// The name of a digest's algorithm in protobuf-specs.
pub(crate) const fn proto_hash_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha384 => "SHA2_384",
        Algorithm::Sha512 => "SHA2_512",
        _ => "SHA2_256",
    }
}
