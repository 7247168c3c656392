use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use super::VSA;
use crate::json::Others;
use crate::{DigestMatch, Error, ResourceDescriptor, Statement, Subject, Timestamp};

/// A verification summary (slsa.dev/spec/v1.1/verification_summary): who verified which artifact by which policy, and the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vsa {
    verifier: Verifier,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_verified: Option<String>,
    resource_uri: String,
    policy: ResourceDescriptor,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    input_attestations: Vec<ResourceDescriptor>,
    verification_result: VsaResult,
    #[serde(default)]
    verified_levels: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dependency_levels: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slsa_version: Option<String>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Verifier {
    id: String,
    #[serde(flatten)]
    others: Others,
}

/// The result in a verification summary. It is exactly one of two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum VsaResult {
    /// It was verified.
    Passed,
    /// It was not.
    Failed,
}

/// What is expected of a verification summary. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VsaExpectations {
    /// Who verified. That it signed was verified before.
    pub verifier: String,
    /// What the artifact is called.
    pub resource_uri: String,
    /// The levels it must have at least, such as `SLSA_BUILD_LEVEL_2`.
    pub levels: Vec<String>,
}

impl Vsa {
    /// A summary by `verifier` of `resource_uri` under `policy`.
    #[must_use]
    pub fn new(
        verifier: impl Into<String>,
        resource_uri: impl Into<String>,
        policy: ResourceDescriptor,
        result: VsaResult,
        levels: Vec<String>,
    ) -> Self {
        Self {
            verifier: Verifier { id: verifier.into(), others: Others::new() },
            time_verified: None,
            resource_uri: resource_uri.into(),
            policy,
            input_attestations: Vec::new(),
            verification_result: result,
            verified_levels: levels,
            dependency_levels: BTreeMap::new(),
            slsa_version: Some("1.1".to_owned()),
            others: Others::new(),
        }
    }

    /// Says when it was verified, by the caller's clock.
    #[must_use]
    pub fn at(self, time: Timestamp) -> Self {
        Self { time_verified: Some(time.to_string()), ..self }
    }

    /// Says what was verified to get there.
    #[must_use]
    pub fn from_inputs(self, inputs: Vec<ResourceDescriptor>) -> Self {
        Self { input_attestations: inputs, ..self }
    }

    /// The statement of this summary.
    ///
    /// # Errors
    ///
    /// Those of [`Statement::new`].
    pub fn statement(&self, subjects: Vec<Subject>) -> Result<Statement, Error> {
        let predicate =
            serde_json::to_vec(self).map_err(|error| Error::malformed("verification summary", error))?;
        Statement::new(subjects, VSA, &predicate)
    }

    /// The summary in a statement.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the statement is of another type, or its predicate is none: results other than `PASSED` and
    /// `FAILED` are not read.
    pub fn parse(statement: &Statement) -> Result<Self, Error> {
        if statement.predicate_type() != VSA {
            let reason = format!("the statement's predicate is {:?}", statement.predicate_type());
            return Err(Error::malformed("verification summary", reason));
        }
        serde_json::from_str(statement.predicate())
            .map_err(|error| Error::malformed("verification summary", error))
    }

    /// Who verified.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier.id
    }

    /// What the artifact is called.
    #[must_use]
    pub fn resource_uri(&self) -> &str {
        &self.resource_uri
    }

    /// How it ended.
    #[must_use]
    pub const fn result(&self) -> VsaResult {
        self.verification_result
    }

    /// The levels that were found.
    #[must_use]
    pub fn levels(&self) -> &[String] {
        &self.verified_levels
    }

    /// When it was verified, as it was written.
    #[must_use]
    pub fn time_verified(&self) -> Option<&str> {
        self.time_verified.as_deref()
    }

    /// Checks a summary about `artifact`, in the order of the specification: type, subject, verifier, resource, result, levels.
    /// The signature was verified before.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the first check that fails; those of [`parse`](Self::parse).
    pub fn verify(
        statement: &Statement,
        artifact: &Digest,
        expected: &VsaExpectations,
    ) -> Result<Self, Error> {
        let vsa = Self::parse(statement)?;
        if statement.matching(std::slice::from_ref(artifact)) != DigestMatch::Same {
            return Err(refused("subject", &artifact.to_string(), "another artifact"));
        }
        if vsa.verifier.id != expected.verifier {
            return Err(refused("verifier", &expected.verifier, &vsa.verifier.id));
        }
        if vsa.resource_uri != expected.resource_uri {
            return Err(refused("resource", &expected.resource_uri, &vsa.resource_uri));
        }
        if vsa.verification_result != VsaResult::Passed {
            return Err(refused("result", "PASSED", "FAILED"));
        }
        for wanted in &expected.levels {
            let reached = match level(wanted) {
                Some((track, number)) => vsa
                    .verified_levels
                    .iter()
                    .filter_map(|found| level(found))
                    .any(|(other, found)| other == track && found >= number),
                // Levels of a verifier's own are compared as they are.
                None => vsa.verified_levels.contains(wanted),
            };
            if !reached {
                return Err(refused("levels", wanted, &vsa.verified_levels.join(", ")));
            }
        }
        Ok(vsa)
    }
}

/// `SLSA_<TRACK>_LEVEL_<n>`.
fn level(text: &str) -> Option<(&str, u8)> {
    let (track, number) = text.strip_prefix("SLSA_")?.rsplit_once("_LEVEL_")?;
    Some((track, number.parse().ok()?))
}

fn refused(what: &'static str, expected: &str, actual: &str) -> Error {
    Error::Refused { what, expected: expected.to_owned(), actual: actual.to_owned() }
}
