use std::fmt;

/// What a check came to. Only `Passed` is a yes; what did not run is never shown as passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Outcome {
    /// It looked and found nothing wrong.
    Passed,
    /// It does not concern this release, and says why.
    NotApplicable,
    /// It could not look.
    NotRun,
    /// It looked and a person must decide.
    NeedsReview,
    /// It found something wrong.
    Failed,
}

impl Outcome {
    /// Every outcome, best first.
    pub const ALL: [Self; 5] =
        [Self::Passed, Self::NotApplicable, Self::NotRun, Self::NeedsReview, Self::Failed];

    /// The word in documents.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::NotApplicable => "not applicable",
            Self::NotRun => "not run",
            Self::NeedsReview => "needs review",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One check of a release: what it looked at, what it found, what that does not prove. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name, such as `vulnerabilities`.
    pub id: &'static str,
    /// What it asks, in words.
    pub title: &'static str,
    /// The requirements that it speaks to, R1 to R19.
    pub requirements: &'static [&'static str],
    /// Whether a release must pass it.
    pub gate: bool,
    /// What it came to.
    pub outcome: Outcome,
    /// What it looked at and found, in one sentence.
    pub summary: String,
    /// What it found, one by one, in a fixed order.
    pub findings: Vec<Witness>,
    /// The files of the release that show it.
    pub evidence: Vec<String>,
    /// What a yes of this check does not prove.
    pub limits: &'static str,
}

/// One thing that a check found. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Witness {
    /// Where: a file with line, a JSON pointer, a package, an image.
    pub place: String,
    /// What.
    pub text: String,
    /// Whether it counts against the check; otherwise it is told because a reader should know.
    pub counts: bool,
}

impl Witness {
    pub(crate) fn against(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into(), counts: true }
    }

    pub(crate) fn note(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self { place: place.into(), text: text.into(), counts: false }
    }
}

impl Check {
    /// A check of the gate over the rendered manifests that has not run yet.
    pub(crate) fn of_manifests(
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        summary: String,
        limits: &'static str,
    ) -> Self {
        let (findings, evidence) = (Vec::new(), vec!["manifests".to_owned()]);
        Self {
            id,
            title,
            requirements,
            gate: true,
            outcome: Outcome::NotRun,
            summary,
            findings,
            evidence,
            limits,
        }
    }

    /// A check that failed if a witness counts, and passed otherwise.
    pub(crate) fn judged(mut self, findings: Vec<Witness>) -> Self {
        let failed = findings.iter().any(|finding| finding.counts);
        self.outcome = if failed { Outcome::Failed } else { Outcome::Passed };
        self.findings = findings;
        self
    }
}
