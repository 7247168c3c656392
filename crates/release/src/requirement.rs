//! The requirements R1 to R19: what each asks, and what the checks of a release say of it.

use crate::check::{Check, Outcome};

/// What one requirement came to. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `R1` to `R19`.
    pub id: &'static str,
    /// What it asks.
    pub title: &'static str,
    /// What the checks of it came to: the worst of them.
    pub outcome: Outcome,
    /// The checks that spoke to it.
    pub checks: Vec<&'static str>,
    /// What remains open even if they passed: what only a running system shows.
    pub open: &'static str,
}

const REQUIREMENTS: [(&str, &str, &str); 19] = [
    ("R1", "Reproducible build: the same commit gives the same image digest", ""),
    ("R2", "Every image is signed; SBOM and provenance are attached and verify", "admission in the cluster"),
    (
        "R3",
        "Audit: who, what, when, commit and digest, from commit to pod, tamper-evident",
        "the pods that run",
    ),
    ("R4", "GitOps only; drift is found and undone", "the live cluster was not looked at"),
    ("R5", "No downtime on rollout", "measured during a rollout"),
    ("R6", "No secret in repository, history or image", ""),
    ("R7", "Secrets rotate", "the store's own rotation was not watched"),
    ("R8", "Default-deny network, least-privilege allow", "the network plugin's enforcement"),
    ("R9", "Pod Security Standard restricted", ""),
    ("R10", "Least-privilege RBAC", "roles that are in the cluster already"),
    ("R11", "Small runtime image", "needs an earlier image to compare with"),
    ("R12", "Few known vulnerabilities", ""),
    ("R13", "At most one manual step per release", "steps outside the log"),
    ("R14", "Migrations and seeding automated, idempotent, expand and contract", "run against the real data"),
    ("R15", "Logs, metrics, SLOs, alerts", "an alert that fires and resolves"),
    ("R16", "Feature flags with owner, scope and sunset, audited", "the history of their switching"),
    ("R17", "Rollback to a known-good version within five minutes", "earlier releases were not given"),
    ("R18", "One process per container; queue, session and cache beside the primary database", ""),
    ("R19", "Trunk-based flow, short branches, checks before commit", "needs the history of merges and runs"),
];

/// Every requirement with what the checks came to.
pub(crate) fn requirements(checks: &[Check]) -> Vec<Requirement> {
    REQUIREMENTS
        .into_iter()
        .map(|(id, title, open)| {
            let speaking: Vec<&Check> =
                checks.iter().filter(|check| check.requirements.contains(&id)).collect();
            let outcome = speaking.iter().map(|check| check.outcome).max().unwrap_or(Outcome::NotRun);
            Requirement { id, title, outcome, checks: speaking.iter().map(|check| check.id).collect(), open }
        })
        .collect()
}
