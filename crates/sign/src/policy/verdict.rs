use std::fmt;

/// What becomes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Decision {
    /// It may run.
    Admitted,
    /// This version cannot tell. Never to be taken for a yes.
    Undecided,
    /// It may not.
    Refused,
}

/// The verdict on one image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdmissionVerdict {
    /// What becomes of the image.
    pub decision: Decision,
    /// Why it is not admitted, in the controller's words for the first policy that refuses; empty if it is.
    pub message: String,
    /// What warns only: policies in warn mode, an image that no policy covers.
    pub warnings: Vec<String>,
    /// One verdict for each policy that covers the image.
    pub policies: Vec<PolicyVerdict>,
}

/// What one policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyVerdict {
    /// The policy's name.
    pub name: String,
    /// What it says, whatever its mode.
    pub decision: Decision,
    /// Why, in the controller's words.
    pub message: String,
    /// Whether it only warns.
    pub warn: bool,
    /// One verdict for each of its authorities.
    pub authorities: Vec<AuthorityVerdict>,
}

/// What one authority found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthorityVerdict {
    /// The authority's name.
    pub name: String,
    /// Whether it is satisfied.
    pub decision: Decision,
    /// Why it is not.
    pub message: String,
}

impl AdmissionVerdict {
    pub(crate) fn refused(message: String) -> Self {
        Self { decision: Decision::Refused, message, warnings: Vec::new(), policies: Vec::new() }
    }

    pub(crate) fn uncovered(warnings: Vec<String>) -> Self {
        Self { decision: Decision::Admitted, message: String::new(), warnings, policies: Vec::new() }
    }

    /// All policies must admit; those in warn mode only warn, also where they cannot tell.
    pub(crate) fn of(policies: Vec<PolicyVerdict>, mut warnings: Vec<String>) -> Self {
        let mut decision = Decision::Admitted;
        let mut message = String::new();
        for policy in &policies {
            if policy.decision == Decision::Admitted {
                continue;
            }
            if policy.warn {
                warnings.push(policy.message.clone());
            } else if policy.decision > decision {
                decision = policy.decision;
                message.clone_from(&policy.message);
            }
        }
        Self { decision, message, warnings, policies }
    }
}

impl fmt::Display for AdmissionVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.decision {
            Decision::Admitted => "admitted",
            Decision::Undecided => "undecided",
            Decision::Refused => "refused",
        };
        f.write_str(word)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches(": "))?;
        }
        self.warnings
            .iter()
            .try_for_each(|warning| write!(f, "\nwarning: {}", warning.trim_end_matches(": ")))
    }
}
