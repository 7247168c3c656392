//! The plan of the database's changes (R14).

use std::path::Path;

use crate::check::{Check, Outcome};
use crate::report::MigrationStep;
use crate::{Error, Spec};

/// The plan, as it is written, shown and judged.
pub(crate) struct Plan {
    pub(crate) json: Option<String>,
    pub(crate) steps: Vec<MigrationStep>,
    pub(crate) rollback: Vec<String>,
    pub(crate) check: Check,
}

pub(crate) fn plan(spec: &Spec, _app: &Path) -> Result<Plan, Error> {
    let check = Check {
        id: "migrations",
        title: "Does the database get there without breaking either version?",
        requirements: &["R14", "R17"],
        gate: true,
        outcome: if spec.components.iter().any(|component| component.migrations.is_some()) {
            Outcome::NotRun
        } else {
            Outcome::NotApplicable
        },
        summary: "not planned yet".to_owned(),
        findings: Vec::new(),
        evidence: Vec::new(),
        limits: "",
    };
    Ok(Plan { json: None, steps: Vec::new(), rollback: Vec::new(), check })
}
