use std::collections::BTreeMap;

use lotse_digest::{Algorithm, Digest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Error;
use crate::json::Others;

const TYPE: &str = "https://in-toto.io/Statement/v1";
const TYPE_0_1: &str = "https://in-toto.io/Statement/v0.1";
/// How many subjects one statement may have.
const SUBJECTS: usize = 10_000;
/// How many bytes; inventories of large images are tens of megabytes.
const BYTES: usize = 128 << 20;

/// An in-toto Statement v1: a predicate about subjects, which are named by digest.
///
/// The predicate is kept as its original JSON text. Unknown members are ignored, as the specification demands, and kept.
#[derive(Clone, Debug)]
pub struct Statement {
    kind: Option<String>,
    subjects: Vec<Subject>,
    predicate_type: String,
    predicate: Box<RawValue>,
    others: Others,
}

/// What a statement is about; only the digests count, the name is for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// Its digests, by algorithm (`sha256`, `gitCommit`, …), in hexadecimal.
    pub digest: BTreeMap<String, String>,
    #[serde(flatten)]
    others: Others,
}

/// How a set of digests stands to one digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DigestMatch {
    /// They name the same content.
    Same,
    /// They name other content, or what they say cannot be compared with it.
    Other,
    /// One algorithm says the same and another something else: the set contradicts itself, and is not to be believed.
    Contradictory,
}

/// Compares a set of digests (in-toto, `DigestSet`) with all that is known of some content.
///
/// Any accepted algorithm that is equal suffices, and unknown ones are ignored, as the specification says. Where two accepted
/// algorithms are known of the content and the set has one right and one wrong, the specification is silent: it is refused.
#[must_use]
pub fn match_digests(set: &BTreeMap<String, String>, content: &[Digest]) -> DigestMatch {
    let mut same = false;
    let mut other = false;
    for digest in content {
        if let Some(encoded) = set.get(digest.algorithm().name()) {
            same |= *encoded == digest.encoded();
            other |= *encoded != digest.encoded();
        }
    }
    match (same, other) {
        (true, false) => DigestMatch::Same,
        (true, true) => DigestMatch::Contradictory,
        (false, _) => DigestMatch::Other,
    }
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

/// The members of a statement that [`Wire`] has; raw text and a rest cannot be read in one go.
const MEMBERS: [&str; 4] = ["_type", "subject", "predicateType", "predicate"];

impl Subject {
    /// A subject with one digest.
    #[must_use]
    pub fn new(name: impl Into<String>, digest: &Digest) -> Self {
        let digest = BTreeMap::from([(digest.algorithm().name().to_owned(), digest.encoded())]);
        Self { name: name.into(), digest, others: Others::new() }
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
        let predicate_type = predicate_type.to_owned();
        Ok(Self { kind: None, subjects, predicate_type, predicate, others: Others::new() })
    }

    /// Reads a statement, v1 or the older v0.1.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`], [`Error::Limit`] over 10,000 subjects or 128 MiB.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        if json.len() > BYTES {
            return Err(Error::Limit { what: "bytes of a statement".to_owned(), limit: BYTES });
        }
        let fault = |error| Error::malformed("in-toto statement", error);
        let wire: Wire = serde_json::from_slice(json).map_err(fault)?;
        if wire.kind != TYPE && wire.kind != TYPE_0_1 {
            return Err(Error::malformed("in-toto statement", format!("its _type is {:?}", wire.kind)));
        }
        if wire.predicate_type.is_empty() {
            return Err(Error::malformed("in-toto statement", "its predicateType is empty"));
        }
        check(&wire.subject)?;
        let predicate = match wire.predicate {
            Some(predicate) => predicate,
            None => RawValue::from_string("null".to_owned())
                .map_err(|error| Error::malformed("predicate", error))?,
        };
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(json).map_err(fault)?;
        let mut others = Others::new();
        for (name, value) in members.into_iter().filter(|(name, _)| !MEMBERS.contains(&name.as_str())) {
            others.insert(name, crate::Json::parse(value.get())?);
        }
        let kind = Some(wire.kind);
        Ok(Self { kind, subjects: wire.subject, predicate_type: wire.predicate_type, predicate, others })
    }

    /// The statement in JSON, with its members in the specification's order and unknown ones behind. The same statement gives the
    /// same bytes; one that was read keeps its version. What was signed is the bytes that were read, never these.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            #[serde(rename = "_type")]
            kind: &'a str,
            subject: &'a [Subject],
            #[serde(rename = "predicateType")]
            predicate_type: &'a str,
            predicate: &'a RawValue,
            #[serde(flatten)]
            others: &'a Others,
        }
        let written = Written {
            kind: self.kind.as_deref().unwrap_or(TYPE),
            subject: &self.subjects,
            predicate_type: &self.predicate_type,
            predicate: &self.predicate,
            others: &self.others,
        };
        serde_json::to_vec(&written).map_err(|error| Error::malformed("in-toto statement", error))
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
    #[must_use]
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.matching(std::slice::from_ref(digest)) == DigestMatch::Same
    }

    /// How the subjects stand to some content of which one digest or more are known: [`DigestMatch::Same`] if one of them is it,
    /// unless one contradicts itself.
    #[must_use]
    pub fn matching(&self, content: &[Digest]) -> DigestMatch {
        let mut best = DigestMatch::Other;
        for subject in &self.subjects {
            match match_digests(&subject.digest, content) {
                DigestMatch::Contradictory => return DigestMatch::Contradictory,
                DigestMatch::Same => best = DigestMatch::Same,
                DigestMatch::Other => {}
            }
        }
        best
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
