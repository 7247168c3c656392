use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Error;

const TYPE: &str = "https://in-toto.io/Statement/v1";
const TYPE_0_1: &str = "https://in-toto.io/Statement/v0.1";
/// How many subjects one statement may have.
const SUBJECTS: usize = 10_000;

/// An in-toto Statement v1: a predicate about subjects, which are named by digest.
///
/// The predicate is kept as its original JSON text.
#[derive(Clone, Debug)]
pub struct Statement {
    subjects: Vec<Subject>,
    predicate_type: String,
    predicate: Box<RawValue>,
}

/// What a statement is about. Plain data; only the digests count, the name is for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Its digests, by algorithm (`sha256`, `gitCommit`, …), in hexadecimal.
    pub digest: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Option<Box<RawValue>>,
}

impl Subject {
    /// A subject with one digest.
    #[must_use]
    pub fn new(name: impl Into<String>, digest: &Digest) -> Self {
        let digest = BTreeMap::from([(digest.algorithm().name().to_owned(), digest.encoded())]);
        Self { name: name.into(), digest }
    }
}

impl Statement {
    /// A statement with this predicate, given as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the predicate is no JSON or a subject has no digest.
    pub fn new(subjects: Vec<Subject>, predicate_type: &str, predicate: &[u8]) -> Result<Self, Error> {
        let fault = |error: &dyn std::fmt::Display| Error::malformed("predicate", error);
        let text = std::str::from_utf8(predicate).map_err(|error| fault(&error))?;
        let predicate = RawValue::from_string(text.to_owned()).map_err(|error| fault(&error))?;
        check(&subjects)?;
        Ok(Self { subjects, predicate_type: predicate_type.to_owned(), predicate })
    }

    /// Reads a statement, v1 or the older v0.1. Unknown members are ignored, as the specification demands.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], [`Error::Limit`] over 10,000 subjects.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let wire: Wire =
            serde_json::from_slice(json).map_err(|error| Error::malformed("in-toto statement", error))?;
        if wire.kind != TYPE && wire.kind != TYPE_0_1 {
            return Err(Error::malformed("in-toto statement", format!("its _type is {:?}", wire.kind)));
        }
        check(&wire.subject)?;
        let predicate = match wire.predicate {
            Some(predicate) => predicate,
            None => RawValue::from_string("null".to_owned())
                .map_err(|error| Error::malformed("predicate", error))?,
        };
        Ok(Self { subjects: wire.subject, predicate_type: wire.predicate_type, predicate })
    }

    /// The statement in JSON. The same statement gives the same bytes.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        let wire = Wire {
            kind: TYPE.to_owned(),
            subject: self.subjects.clone(),
            predicate_type: self.predicate_type.clone(),
            predicate: Some(self.predicate.clone()),
        };
        serde_json::to_vec(&wire).map_err(|error| Error::malformed("in-toto statement", error))
    }

    /// What the statement is about.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The type of the predicate, a URI.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The predicate as its original JSON text.
    #[must_use]
    pub fn predicate(&self) -> &str {
        self.predicate.get()
    }

    /// Whether one of the subjects is the content with this digest.
    ///
    /// A subject with two digests that we compute, of which the other algorithm cannot be compared here, still matches; one
    /// that names `digest`'s algorithm with another value does not.
    #[must_use]
    pub fn is_about(&self, digest: &Digest) -> bool {
        let name = digest.algorithm().name();
        self.subjects.iter().any(|subject| subject.digest.get(name) == Some(&digest.encoded()))
    }
}

fn check(subjects: &[Subject]) -> Result<(), Error> {
    if subjects.len() > SUBJECTS {
        return Err(Error::Limit { what: "subjects of a statement".to_owned(), limit: SUBJECTS });
    }
    if subjects.is_empty() {
        return Err(Error::malformed("in-toto statement", "it has no subject"));
    }
    for subject in subjects {
        if subject.digest.is_empty() {
            let reason = format!("subject {:?} has no digest, so it could be anything", subject.name);
            return Err(Error::malformed("in-toto statement", reason));
        }
        for algorithm in Algorithm::ALL {
            if let Some(encoded) = subject.digest.get(algorithm.name()) {
                format!("{algorithm}:{encoded}").parse::<Digest>().map_err(|error| {
                    Error::malformed("in-toto statement", format!("subject {:?}: {error}", subject.name))
                })?;
            }
        }
    }
    Ok(())
}
