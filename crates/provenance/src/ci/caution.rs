use std::fmt;

use super::CiFacts;

/// Something about a run that is easily taken for something else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CiCaution {
    /// The commit of the run is a merge that the CI system made up; no branch has it.
    SyntheticMerge {
        /// The commit of the run.
        commit: String,
        /// The commit that is proposed, where the system says it.
        head: Option<String>,
    },
    /// The commit of the run is that of the base or default branch, not the one that gave cause: `pull_request_target`,
    /// `workflow_run`, `issue_comment`. Such workflows check out another commit themselves.
    OtherCommit {
        /// What started the run.
        event: String,
    },
    /// What was checked out is not the commit of the run.
    CheckedOut {
        /// The commit of the run.
        run: String,
        /// The commit that was checked out.
        checked_out: String,
    },
    /// Inputs may have chosen another commit, and nobody recorded which was checked out.
    CheckoutUnknown {
        /// What started the run.
        event: String,
    },
    /// The definition that signed is in another repository than the one that was built.
    ReusableWorkflow {
        /// The definition.
        signer: String,
        /// The repository that was built.
        repository: String,
    },
    /// It is not the first attempt of the run: what the earlier ones made may be about, too.
    ReRun {
        /// Which attempt.
        attempt: u64,
    },
    /// The runner is somebody's own machine, which whoever owns it can enter.
    SelfHosted,
    /// The name is right and the id is not: the name was given away and registered again.
    OtherIdentity {
        /// `repository` or `owner`.
        what: &'static str,
        /// The id that was expected.
        expected: String,
        /// The id that was found.
        found: String,
    },
    /// The id that must be compared is not there.
    IdentityUnknown {
        /// `repository` or `owner`.
        what: &'static str,
    },
    /// It is another repository.
    OtherRepository {
        /// The repository that was expected.
        expected: String,
        /// The repository that was found.
        found: Option<String>,
    },
}

/// A repository as it must be told from another of its name. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryIdentity {
    /// The URL.
    pub uri: String,
    /// The repository's id.
    pub id: Option<String>,
    /// The owner's id.
    pub owner_id: Option<String>,
}

impl CiFacts {
    /// What must be kept in mind before the facts are believed. `checked_out` is the commit that Git says was built, if somebody
    /// recorded it.
    #[must_use]
    pub fn cautions(&self, checked_out: Option<&str>) -> Vec<CiCaution> {
        let mut cautions = Vec::new();
        let event = self.event.as_deref().unwrap_or_default();
        let reference = self.reference.as_deref().unwrap_or_default();
        let merge = reference.starts_with("refs/pull/") && reference.ends_with("/merge")
            || reference.starts_with("refs/merge-requests/") && !reference.ends_with("/head")
            || self.head_commit.as_ref().is_some_and(|head| self.commit.as_ref() != Some(head));
        if let Some(commit) = self.commit.clone().filter(|_| merge) {
            cautions.push(CiCaution::SyntheticMerge { commit, head: self.head_commit.clone() });
        }
        if matches!(event, "pull_request_target" | "workflow_run" | "issue_comment") {
            cautions.push(CiCaution::OtherCommit { event: event.to_owned() });
        }
        match (self.commit.as_deref(), checked_out) {
            (Some(run), Some(checked_out)) if run != checked_out => {
                cautions
                    .push(CiCaution::CheckedOut { run: run.to_owned(), checked_out: checked_out.to_owned() });
            }
            (_, None)
                if matches!(
                    event,
                    "workflow_dispatch" | "repository_dispatch" | "web" | "api" | "trigger"
                ) =>
            {
                cautions.push(CiCaution::CheckoutUnknown { event: event.to_owned() });
            }
            _ => {}
        }
        if let (Some(signer), Some(repository)) = (&self.signer, &self.repository)
            && !signer.starts_with(&format!("{repository}/"))
        {
            let (signer, repository) = (signer.clone(), repository.clone());
            cautions.push(CiCaution::ReusableWorkflow { signer, repository });
        }
        if let Some(attempt) = self.attempt().filter(|attempt| *attempt > 1) {
            cautions.push(CiCaution::ReRun { attempt });
        }
        if self.runner.as_deref() == Some("self-hosted") {
            cautions.push(CiCaution::SelfHosted);
        }
        cautions
    }

    /// Whether the run is of this repository: by name, and by the ids that are expected.
    #[must_use]
    pub fn compare_repository(&self, expected: &RepositoryIdentity) -> Vec<CiCaution> {
        let mut cautions = Vec::new();
        if self.repository.as_ref() != Some(&expected.uri) {
            let (expected, found) = (expected.uri.clone(), self.repository.clone());
            cautions.push(CiCaution::OtherRepository { expected, found });
        }
        for (what, expected, found) in
            [("repository", &expected.id, &self.repository_id), ("owner", &expected.owner_id, &self.owner_id)]
        {
            match (expected, found) {
                (Some(expected), Some(found)) if expected != found => {
                    let (expected, found) = (expected.clone(), found.clone());
                    cautions.push(CiCaution::OtherIdentity { what, expected, found });
                }
                (Some(_), None) => cautions.push(CiCaution::IdentityUnknown { what }),
                _ => {}
            }
        }
        cautions
    }
}

impl fmt::Display for CiCaution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SyntheticMerge { commit, head: Some(head) } => {
                write!(f, "commit {commit} is a merge that CI made up for {head}; no branch has it")
            }
            Self::SyntheticMerge { commit, head: None } => {
                write!(f, "commit {commit} is a merge that CI made up; no branch has it")
            }
            Self::OtherCommit { event } => {
                write!(
                    f,
                    "the commit of a run by {event} is that of the base branch; such runs check out another"
                )
            }
            Self::CheckedOut { run, checked_out } => {
                write!(f, "the run is for commit {run}, but {checked_out} was checked out")
            }
            Self::CheckoutUnknown { event } => {
                write!(f, "a run by {event} may have checked out another commit, and nobody recorded which")
            }
            Self::ReusableWorkflow { signer, repository } => {
                write!(f, "{signer} signed, which is not of the repository {repository} that was built")
            }
            Self::ReRun { attempt } => write!(f, "this is attempt {attempt} of the run"),
            Self::SelfHosted => f.write_str("the runner is self-hosted"),
            Self::OtherIdentity { what, expected, found } => {
                write!(f, "the {what} has id {found}, expected is {expected}: the name was registered again")
            }
            Self::IdentityUnknown { what } => write!(f, "the id of the {what} is not known"),
            Self::OtherRepository { expected, found } => {
                write!(
                    f,
                    "the repository is {}, expected is {expected}",
                    found.as_deref().unwrap_or("not known")
                )
            }
        }
    }
}
