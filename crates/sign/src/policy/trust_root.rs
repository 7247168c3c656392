use lotse_digest::Digest;
use lotse_yaml::{Dialect, Limits, Stream};
use serde_json::{Map, Value, json};

use super::json::Json;
use super::model::text;
use super::payload::go_base64;
use super::pem::{first_block, is_public_key};
use crate::key::blocks;
use crate::{Error, TrustedRoot, encoding};

const WHAT: &str = "TrustRoot";
/// The document says nothing of windows: its keys count for all time.
const ALWAYS: &str = "1970-01-01T00:00:00Z";

/// Reads a `TrustRoot` (`policy.sigstore.dev/v1alpha1`) with its keys written out (`spec.sigstoreKeys`), and its name.
///
/// # Errors
///
/// [`Error::Malformed`] if it is none; [`Error::Unsupported`] for roots that a TUF repository delivers; those of
/// [`TrustedRoot::parse`].
pub fn parse_trust_root(yaml: &str) -> Result<(String, TrustedRoot), Error> {
    let fault = |reason: String| Error::malformed(WHAT, reason);
    let stream = Stream::parse(yaml.as_bytes(), Dialect::ApiServer, &Limits::small_file())
        .map_err(|error| fault(error.to_string()))?;
    let document =
        stream.documents().first().ok_or_else(|| fault("the text holds no document".to_owned()))?;
    let json = Json::from(&document.value().map_err(|error| fault(error.to_string()))?);
    if text(&json, "kind") != "TrustRoot" || text(&json, "apiVersion") != "policy.sigstore.dev/v1alpha1" {
        return Err(fault("it is no TrustRoot of policy.sigstore.dev/v1alpha1".to_owned()));
    }
    let name = json.get("metadata").map(|metadata| text(metadata, "name")).unwrap_or_default();
    let Some(keys) = json.get("spec").and_then(|spec| spec.get("sigstoreKeys")) else {
        return Err(Error::Unsupported {
            what: format!("TrustRoot {name:?} without spec.sigstoreKeys"),
            advice: "write the keys out: nothing is fetched here",
        });
    };
    let list = |field: &str| keys.get(field).map(Json::items).unwrap_or_default();
    let authority = |entry: &Json| {
        let pem = go_base64(&text(entry, "certChain")).map_err(fault)?;
        let pem = String::from_utf8(pem).map_err(|error| fault(error.to_string()))?;
        let certificates: Vec<Value> =
            blocks(&pem)?.iter().map(|block| json!({ "rawBytes": encoding::encode(&block.bytes) })).collect();
        let subject = entry.get("subject");
        let part = |field: &str| subject.map(|subject| text(subject, field)).unwrap_or_default();
        Ok::<Value, Error>(json!({
            "subject": { "organization": part("organization"), "commonName": part("commonName") },
            "uri": text(entry, "uri"),
            "certChain": { "certificates": certificates },
            "validFor": { "start": ALWAYS },
        }))
    };
    let log = |entry: &Json| {
        let pem = go_base64(&text(entry, "publicKey")).map_err(fault)?;
        let pem = String::from_utf8(pem).map_err(|error| fault(error.to_string()))?;
        let block = first_block(&pem).filter(|_| is_public_key(&pem));
        let (_, der) = block.ok_or_else(|| fault("a log's public key is none in PEM".to_owned()))?;
        let key = crate::VerifyingKey::from_der(&der)?;
        Ok::<Value, Error>(json!({
            "baseUrl": text(entry, "baseURL"),
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": encoding::encode(&der),
                "keyDetails": crate::trusted_root::key_details(&key),
                "validFor": { "start": ALWAYS },
            },
            "logId": { "keyId": encoding::encode(Digest::sha256(&der).as_bytes()) },
        }))
    };
    let mut root = Map::new();
    root.insert("mediaType".to_owned(), json!("application/vnd.dev.sigstore.trustedroot+json;version=0.1"));
    let all = |entries: &[Json], one: &dyn Fn(&Json) -> Result<Value, Error>| {
        entries.iter().map(one).collect::<Result<Vec<Value>, Error>>()
    };
    root.insert("tlogs".to_owned(), all(list("tLogs"), &log)?.into());
    root.insert("ctlogs".to_owned(), all(list("ctLogs"), &log)?.into());
    root.insert("certificateAuthorities".to_owned(), all(list("certificateAuthorities"), &authority)?.into());
    root.insert("timestampAuthorities".to_owned(), all(list("timestampAuthorities"), &authority)?.into());
    let bytes = serde_json::to_vec(&Value::Object(root)).map_err(|error| fault(error.to_string()))?;
    Ok((name, TrustedRoot::parse(&bytes)?))
}
