use std::fmt;

use lotse_gitops_manifest::{Object, Place};
use lotse_yaml::{Position, Value, value};

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Goes wrong under some load, drain or change.
    Warning,
    /// Breaks a rule that is asked for.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One rule that an object breaks: which rule, where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Name of the rule, as `pod-security/privileged` or `rollout/no-readiness-probe`.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// The object, as `Deployment shop/web`.
    pub object: String,
    /// Where the object stands.
    pub place: Place,
    /// JSON pointer of the field in the object; of what should hold it if it is missing.
    pub pointer: String,
    /// Line and column, if the object was read from a file.
    pub position: Option<Position>,
    /// Why, and what to write instead.
    pub reason: String,
}

impl Finding {
    /// A finding at a JSON pointer of an object.
    #[must_use]
    pub fn new(
        object: &Object,
        severity: Severity,
        rule: &str,
        pointer: &str,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.to_owned(),
            severity,
            object: object.to_string(),
            place: object.place().clone(),
            pointer: pointer.to_owned(),
            position: object.position(pointer),
            reason: reason.into(),
        }
    }

    /// As one JSON object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        value!({
            "rule": &self.rule,
            "severity": self.severity.to_string(),
            "object": &self.object,
            "file": &self.place.file,
            "document": self.place.document,
            "pointer": format!("{}{}", self.place.pointer, self.pointer),
            "line": self.position.map(|position| position.line),
            "column": self.position.map(|position| position.column),
            "reason": &self.reason,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(position) => write!(f, "{}:{position}: ", self.place.file)?,
            None => write!(f, "{}: ", self.place.file)?,
        }
        write!(f, "{}: {}: {} at {}: {}", self.severity, self.object, self.rule, self.pointer, self.reason)
    }
}
