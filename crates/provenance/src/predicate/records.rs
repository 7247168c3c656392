use serde::Deserialize;

use crate::{Json, ResourceDescriptor};

/// A release (`https://in-toto.io/attestation/release/v0.1`): all its artifacts are the statement's subjects.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReleasePredicate {
    /// The package, as a purl.
    pub purl: String,
    /// The release's id at its registry, which cannot be given again.
    #[serde(default)]
    pub release_id: Option<String>,
}

/// How tests ended (`https://in-toto.io/attestation/test-result/v0.1`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TestResult {
    /// How they ended together.
    pub result: TestVerdict,
    /// What they were configured by.
    #[serde(default)]
    pub configuration: Vec<ResourceDescriptor>,
    /// Where to read on.
    #[serde(default)]
    pub url: Option<String>,
    /// Those that passed, by name.
    #[serde(default)]
    pub passed_tests: Vec<String>,
    /// Those that warned.
    #[serde(default)]
    pub warned_tests: Vec<String>,
    /// Those that failed.
    #[serde(default)]
    pub failed_tests: Vec<String>,
}

/// How tests ended together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum TestVerdict {
    /// All passed.
    Passed,
    /// Some warned, none failed.
    Warned,
    /// Some failed.
    Failed,
}

/// in-toto link metadata: one step, what went in and what came out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct LinkPredicate {
    /// The step.
    pub name: String,
    /// What was run.
    #[serde(default)]
    pub command: Vec<String>,
    /// What went in: a list of descriptors (v0.3), or an object by path (older).
    #[serde(default)]
    pub materials: Json,
    /// What the command left, other than files.
    #[serde(default)]
    pub byproducts: Json,
    /// Where it ran.
    #[serde(default)]
    pub environment: Json,
}

/// What a vulnerability scanner found (cosign's `vuln/v1` and in-toto's `vulns/v0.1`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct VulnerabilityScan {
    /// The scanner with its result, in its own form.
    pub scanner: Scanner,
    /// When it ran.
    #[serde(default)]
    pub metadata: Json,
}

/// A vulnerability scanner and its result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Scanner {
    /// Which, by URI.
    pub uri: String,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// The database it compared with.
    #[serde(default)]
    pub db: Json,
    /// What it found.
    #[serde(default)]
    pub result: Json,
}
