use std::fmt;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use super::Requirements;
use crate::{Claims, Error, Time};

/// What a verification found: every step that was taken, what it looked at and what it proved, up to the first that failed.
///
/// The same inputs give the same verdict, and the same verdict the same JSON. It names its inputs by digest, so that
/// [`recheck`](crate::Verifier::recheck) can prove a stored verdict again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Verdict {
    /// The result; `accepted` only if every step holds.
    outcome: Outcome,
    /// What was asked.
    question: Question,
    /// What was looked at, in order. The last one of a refusal is the one that failed.
    steps: Vec<Step>,
    /// What holds; only in an accepted verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proved: Option<Proved>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Accepted,
    Refused,
}

/// What a verification was asked, with its inputs named by digest. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Question {
    /// The bundle, or the layer of the older layout.
    pub bundle: Digest,
    /// The artifact's digests, as far as they were given or needed.
    pub artifact: Vec<Digest>,
    /// The trusted root.
    pub trusted_root: Digest,
    /// Who had to have signed, in words.
    pub signer: String,
    /// What had to be there besides the signature.
    pub requirements: Requirements,
    /// As of when.
    pub at: Time,
}

/// One step of a verification. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// Which rule.
    pub rule: Rule,
    /// What it looked at: digests, log entries by index, certificates by fingerprint.
    pub used: Vec<String>,
    /// Whether it holds, and what follows from it or why it does not.
    #[serde(flatten)]
    pub finding: Finding,
}

/// Whether a step holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Finding {
    /// It holds, and proves this.
    Proved(String),
    /// It does not, for this reason.
    Refused(String),
}

/// The rules of a verification, in the order in which they are applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The material fits what was asked: a certificate for an identity, no certificate for a key.
    Material,
    /// The bundle is about the artifact.
    Artifact,
    /// A timestamp is about the signature and by a configured authority (RFC 3161).
    Timestamp,
    /// A log entry is the bundle's own, and the log signed for it.
    LogEntry,
    /// There is a time of the signature that somebody vouches for, and none lies after the caller's.
    Time,
    /// The certificate is a signer's, issued by a configured authority and valid at each of the times.
    Certificate,
    /// A certificate log promised to publish the certificate (RFC 6962).
    Sct,
    /// The signer is the expected one.
    Signer,
    /// The signature is the key's over the content.
    Signature,
    /// The signed statement is an in-toto statement about the artifact.
    Statement,
    /// As many different witnesses as required.
    Threshold,
}

/// What an accepted verdict proves. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Proved {
    /// Who signed.
    pub signer: SignedBy,
    /// When the signature existed, as each witness says; empty if none is needed and there is none.
    pub times: Vec<VerifiedTime>,
    /// The logs that hold an entry of it, by URL and index.
    pub logs: Vec<String>,
    /// The type of the statement's predicate, if a statement is what was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SignedBy {
    /// A managed key, by its fingerprint.
    Key(Digest),
    /// The subject of a certificate.
    Certificate(Box<Claims>),
}

/// A time and who says so. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct VerifiedTime {
    /// When.
    pub time: Time,
    /// The authority or the log, by URL.
    pub source: String,
}

impl Verdict {
    pub(super) const fn new(question: Question) -> Self {
        Self { outcome: Outcome::Refused, question, steps: Vec::new(), proved: None }
    }

    pub(super) fn step(&mut self, rule: Rule, used: Vec<String>, finding: Finding) {
        self.steps.push(Step { rule, used, finding });
    }

    pub(super) fn accept(&mut self, proved: Proved) {
        self.outcome = Outcome::Accepted;
        self.proved = Some(proved);
    }

    /// What holds, or the step that failed first.
    ///
    /// # Errors
    ///
    /// The first step that failed.
    pub fn result(&self) -> Result<&Proved, Refusal> {
        match (&self.proved, self.outcome, self.steps.last()) {
            (Some(proved), Outcome::Accepted, _) => Ok(proved),
            (_, _, Some(Step { rule, finding: Finding::Refused(reason), .. })) => {
                Err(Refusal { rule: *rule, reason: reason.clone() })
            }
            _ => Err(Refusal { rule: Rule::Threshold, reason: "the verdict holds no proof".to_owned() }),
        }
    }

    /// Whether it was accepted. Those who ask more than that take [`result`](Self::result).
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.result().is_ok()
    }

    /// What was asked.
    #[must_use]
    pub const fn question(&self) -> &Question {
        &self.question
    }

    /// The steps, in order; the last one of a refusal is the one that failed.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The verdict in JSON. The same verdict gives the same bytes.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_json(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|error| Error::malformed("verdict", error))
    }

    /// Reads a stored verdict. It is a claim until [`recheck`](crate::Verifier::recheck) has proved it again.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(json).map_err(|error| Error::malformed("verdict", error))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let (mark, text) = match &step.finding {
                Finding::Proved(text) => ("holds", text),
                Finding::Refused(text) => ("FAILS", text),
            };
            writeln!(f, "{mark}  {:<12} {text}", step.rule.name())?;
        }
        f.write_str(match self.outcome {
            Outcome::Accepted => "accepted",
            Outcome::Refused => "refused",
        })
    }
}

impl Rule {
    /// The name as it stands in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Material => "material",
            Self::Artifact => "artifact",
            Self::Timestamp => "timestamp",
            Self::LogEntry => "log-entry",
            Self::Time => "time",
            Self::Certificate => "certificate",
            Self::Sct => "sct",
            Self::Signer => "signer",
            Self::Signature => "signature",
            Self::Statement => "statement",
            Self::Threshold => "threshold",
        }
    }
}

/// The first step that failed, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", rule.name())]
#[non_exhaustive]
pub struct Refusal {
    /// Which rule.
    pub rule: Rule,
    /// Why.
    pub reason: String,
}
