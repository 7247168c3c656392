//! The Pod Security Standards as `k8s.io/pod-security-admission` v0.36.1 judges them, message for message.

mod checks;
mod facts;
mod level;
mod namespace;
mod profiles;
mod words;

use lotse_gitops_manifest::Object;
use lotse_yaml::{Value, value};

use self::checks::CHECKS;
use self::facts::Facts;
use crate::{Error, Finding, Severity};

pub use self::level::{Level, Version};
pub use self::namespace::{Admission, NamespacePolicy};

/// The verdict of one level and version on one pod or workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSecurity {
    level: Level,
    version: Version,
    violations: Vec<Violation>,
}

/// One check that the pod does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Name of the check in the reference, as `hostPorts`.
    pub check: &'static str,
    /// The reference's short reason.
    pub reason: String,
    /// The reference's words on who sets what.
    pub detail: String,
    /// JSON pointers of the fields in the object, also of fields that are missing.
    pub fields: Vec<String>,
}

/// Judges a pod, or the pod template of a workload, as it is written.
///
/// The API server fills in defaults first; [`pod_security_admitted`] judges what it would see.
///
/// # Errors
/// [`Error::NoPods`] for an object that makes no pods, [`Error::WrongType`] for a field that the API server would
/// refuse to read.
pub fn pod_security(object: &Object, level: Level, version: Version) -> Result<PodSecurity, Error> {
    Ok(PodSecurity::judge(&Facts::read(object)?, level, version))
}

/// Judges a pod as the API server v1.36 does when it is created: after it filled in host ports, volume sources and
/// AppArmor fields.
///
/// # Errors
/// As [`pod_security`].
pub fn pod_security_admitted(object: &Object, level: Level, version: Version) -> Result<PodSecurity, Error> {
    let mut facts = Facts::read(object)?;
    facts.as_admitted(object.kind() == "Pod");
    Ok(PodSecurity::judge(&facts, level, version))
}

impl PodSecurity {
    fn judge(pod: &Facts<'_>, level: Level, version: Version) -> Self {
        let minor = version.minor();
        let active = |check: &checks::Check| {
            check.versions.iter().rev().find(|(from, _)| *from <= minor).map(|(_, run)| *run)
        };
        let overridden = |id: &str| {
            level == Level::Restricted
                && CHECKS.iter().any(|check| check.overrides.contains(&id) && active(check).is_some())
        };
        let mut violations = Vec::new();
        for check in CHECKS.iter().filter(|check| check.level <= level && !overridden(check.id)) {
            if let Some(violation) = active(check).and_then(|run| run(pod)) {
                violations.push(Violation { check: check.id, ..violation });
            }
        }
        Self { level, version, violations }
    }

    /// `true` if no check objects.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.violations.is_empty()
    }

    /// The level that was asked for.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The version that was asked for.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The checks that object, in the order of the reference.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The reference's text: `reason (detail), reason (detail)`; `""` if the pod is allowed.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: Vec<String> =
            self.violations.iter().map(|v| format!("{} ({})", v.reason, v.detail)).collect();
        parts.join(", ")
    }

    /// `PodSecurity "restricted:v1.36": …`, as it follows `violates` and `would violate`.
    #[must_use]
    pub fn message(&self) -> String {
        format!("PodSecurity \"{}:{}\": {}", self.level, self.version, self.text())
    }

    /// As one JSON object: `allowed`, and if not, `reasons`, `details` and `text`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        if self.allowed() {
            return value!({ "allowed": true });
        }
        value!({
            "allowed": false,
            "reasons": self.violations.iter().map(|v| v.reason.as_str()).collect::<Value>(),
            "details": self.violations.iter().map(|v| v.detail.as_str()).collect::<Value>(),
            "text": self.text(),
        })
    }

    /// One finding per field that a check objects to.
    #[must_use]
    pub fn findings(&self, object: &Object) -> Vec<Finding> {
        let mut findings = Vec::new();
        for violation in &self.violations {
            let rule = format!("pod-security/{}", violation.check);
            for field in &violation.fields {
                let reason = format!("{} ({})", violation.reason, violation.detail);
                findings.push(Finding::new(object, Severity::Error, &rule, field, reason));
            }
        }
        findings
    }
}
