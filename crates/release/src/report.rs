use std::collections::BTreeMap;

use lotse_digest::{Digest, Reference};
use lotse_oci::SizeReport;
use lotse_yaml::{Map, Value, value};

use crate::check::{Check, Outcome};
use crate::law::{ACTS, READ, support};
use crate::requirement::Requirement;

/// Whether a release may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// Every check of the gate passed or does not apply.
    Passed,
    /// A check of the gate could not look, or a person must decide.
    Undecided,
    /// A check of the gate found something wrong.
    Refused,
}

impl Verdict {
    /// The word in documents.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Undecided => "undecided",
            Self::Refused => "refused",
        }
    }

    /// The exit code that a program ends with: 0 passed, 1 refused, 3 undecided.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Refused => 1,
            Self::Undecided => 3,
        }
    }

    pub(crate) fn of(checks: &[Check]) -> Self {
        let worst = |check: &Check| match check.outcome {
            Outcome::Passed | Outcome::NotApplicable => Self::Passed,
            Outcome::NotRun | Outcome::NeedsReview => Self::Undecided,
            Outcome::Failed => Self::Refused,
        };
        checks.iter().filter(|check| check.gate).map(worst).max().unwrap_or(Self::Undecided)
    }
}

/// What a release came to: everything that evidence and page show. Plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The application.
    pub application: String,
    /// The version, or the beginning of the commit.
    pub version: String,
    /// The commit.
    pub commit: String,
    /// The time of the release, RFC 3339; the commit's unless another was given.
    pub time: String,
    /// Whether the release may go out.
    pub verdict: Verdict,
    /// The acts that people decided apply.
    pub regimes: Vec<String>,
    /// The images, by component.
    pub images: BTreeMap<String, ImageReport>,
    /// The checks, in the order in which they ran.
    pub checks: Vec<Check>,
    /// R1 to R19.
    pub requirements: Vec<Requirement>,
    /// The reachability of each environment.
    pub networks: BTreeMap<String, NetworkReport>,
    /// The plan of the migrations, in the order of the phases.
    pub migrations: Vec<MigrationStep>,
    /// What blocks a rollback.
    pub rollback: Vec<String>,
    /// The fingerprint of the key that signed.
    pub key: Digest,
    /// Whether that key was made for this run.
    pub fresh_key: bool,
    /// The files of the release with their digests, but for evidence, log and keys.
    pub files: BTreeMap<String, Digest>,
}

/// An image of a release. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageReport {
    /// What manifests call it.
    pub reference: Reference,
    /// Whether it was built here.
    pub built: bool,
    /// Whether it stands on a stand-in for a base image.
    pub stand_in: bool,
    /// How many components it holds, if somebody looked.
    pub components: Option<usize>,
    /// Where its bytes are, if it is at hand.
    pub size: Option<SizeReport>,
}

/// The reachability of one environment, as it is shown. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkReport {
    /// The peers in the order of the flow.
    pub peers: Vec<String>,
    /// For each source and destination: what is open and what was declared; `None` where these policies have no say.
    pub cells: Vec<Vec<Option<(String, String)>>>,
}

/// One step of the migration plan, as it is shown. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStep {
    /// The phase: `expand`, `rollout`, `backfill`, `contract`.
    pub phase: String,
    /// Where it stands.
    pub place: String,
    /// The statement, shortened.
    pub statement: String,
    /// Its class.
    pub class: String,
    /// Why.
    pub reason: String,
    /// Whether it runs in this release.
    pub now: bool,
}

impl Report {
    /// The evidence as JSON: the truth that page and table are projections of. The same report gives the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = self.to_value().to_json_pretty();
        text.push('\n');
        text
    }

    fn to_value(&self) -> Value {
        let map = |entries: &mut dyn Iterator<Item = (String, Value)>| {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(key, value);
            }
            Value::Object(map)
        };
        value!({
            "format": "https://lotse.dev/evidence/v1",
            "application": &self.application,
            "version": &self.version,
            "commit": &self.commit,
            "time": &self.time,
            "verdict": self.verdict.word(),
            "key": {
                "fingerprint": self.key.to_string(),
                "proves": if self.fresh_key { "integrity only: the key was made for this run" } else { "integrity, and origin to whoever knows the key's holder" },
            },
            "images": map(&mut self.images.iter().map(|(name, image)| (name.clone(), image.to_value()))),
            "checks": self.checks.iter().map(check_value).collect::<Value>(),
            "requirements": self.requirements.iter().map(|requirement| self.requirement_value(requirement)).collect::<Value>(),
            "regimes": self.regimes.as_slice(),
            "acts": ACTS.iter().map(|act| value!({ "id": act.id, "name": act.name, "celex": act.celex, "applies": act.applies, "read": READ })).collect::<Value>(),
            "migrations": self.migrations.iter().map(migration_value).collect::<Value>(),
            "rollback": self.rollback.as_slice(),
            "files": map(&mut self.files.iter().map(|(path, digest)| (path.clone(), Value::from(digest.to_string())))),
        })
    }

    fn requirement_value(&self, requirement: &Requirement) -> Value {
        let supports = ACTS.iter().filter_map(|act| support(requirement.id, act.id));
        let supports = supports.map(|support| {
            value!({
                "act": support.act,
                "points": support.points.iter().copied().collect::<Value>(),
                "reason": support.reason,
                "mark": "our reading, no legal advice",
            })
        });
        value!({
            "id": requirement.id,
            "title": requirement.title,
            "outcome": requirement.outcome.word(),
            "checks": requirement.checks.iter().copied().collect::<Value>(),
            "open": requirement.open,
            "supports": supports.collect::<Value>(),
        })
    }
}

impl ImageReport {
    fn to_value(&self) -> Value {
        let size = self.size.as_ref().map(|size| {
            value!({
                "transferred": size.compressed(),
                "visible": size.visible(),
                "hidden": size.hidden,
                "layers": size.layers.iter().map(|layer| value!({
                    "digest": layer.digest.to_string(),
                    "transferred": layer.compressed,
                    "files": layer.files,
                })).collect::<Value>(),
            })
        });
        value!({
            "reference": self.reference.to_string(),
            "built": self.built,
            "standIn": self.stand_in,
            "components": self.components,
            "size": size,
        })
    }
}

fn check_value(check: &Check) -> Value {
    let finding = |finding: &crate::Witness| value!({ "place": &finding.place, "text": &finding.text, "counts": finding.counts });
    value!({
        "id": check.id,
        "title": check.title,
        "requirements": check.requirements.iter().copied().collect::<Value>(),
        "gate": check.gate,
        "outcome": check.outcome.word(),
        "summary": &check.summary,
        "findings": check.findings.iter().map(finding).collect::<Value>(),
        "evidence": check.evidence.as_slice(),
        "doesNotProve": check.limits,
    })
}

fn migration_value(step: &MigrationStep) -> Value {
    value!({
        "phase": &step.phase,
        "place": &step.place,
        "statement": &step.statement,
        "class": &step.class,
        "reason": &step.reason,
        "now": step.now,
    })
}
