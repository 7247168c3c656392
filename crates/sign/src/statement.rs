use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{COSIGN_SIGN, Error};

const V1: &str = "https://in-toto.io/Statement/v1";
const TYPES: [&str; 2] = [V1, "https://in-toto.io/Statement/v0.1"];
const SUBJECTS: usize = 10_000;

/// The head of an in-toto statement: what it is about and what kind of thing it says. The predicate is not read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StatementHead {
    pub(crate) predicate_type: String,
    subjects: Vec<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<WireSubject>,
    predicate_type: String,
    #[serde(default, rename = "predicate")]
    _predicate: IgnoredAny,
}

#[derive(Deserialize)]
struct WireSubject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// The in-toto statement that is signed to sign an image, as `cosign sign` does since version 3, in JSON.
///
/// ```
/// use lotse_digest::Digest;
/// use lotse_sign::image_statement;
///
/// let statement = image_statement(&Digest::sha256(b"manifest"));
/// assert!(statement.starts_with(br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"#));
/// ```
#[must_use]
pub fn image_statement(image: &Digest) -> Vec<u8> {
    format!(
        r#"{{"_type":"{}","subject":[{{"digest":{{"{}":"{}"}}}}],"predicateType":"{COSIGN_SIGN}","predicate":{{}}}}"#,
        V1,
        image.algorithm(),
        image.encoded(),
    )
    .into_bytes()
}

impl StatementHead {
    /// Reads a statement, version 1 or 0.1. Unknown members are ignored, as in-toto demands; a known one twice is refused.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Error> {
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| Error::malformed("in-toto statement", error))?;
        if !TYPES.contains(&wire.kind.as_str()) {
            return Err(Error::malformed("in-toto statement", format!("its _type is {:?}", wire.kind)));
        }
        if wire.subject.len() > SUBJECTS {
            return Err(Error::Limit { what: "subjects of a statement", limit: SUBJECTS });
        }
        if wire.predicate_type.is_empty() {
            return Err(Error::malformed("in-toto statement", "its predicateType is empty"));
        }
        let subjects = wire.subject.into_iter().map(|subject| subject.digest).collect();
        Ok(Self { predicate_type: wire.predicate_type, subjects })
    }

    /// Which subject the artifact is: one of which at least one digest is the artifact's and none of those that can be
    /// compared differs; `artifact` tells its digests as far as they are known. Digests are lower-case hexadecimal, as everywhere.
    pub(crate) fn subject(&self, artifact: impl Fn(Algorithm) -> Option<Digest>) -> Option<usize> {
        self.subjects.iter().position(|digests| {
            let mut compared = Algorithm::ALL.into_iter().filter_map(|algorithm| {
                Some(*digests.get(algorithm.name())? == artifact(algorithm)?.encoded())
            });
            compared.next().is_some_and(|first| first && compared.all(|same| same))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.subjects.len()
    }
}
