//! What a CI system says of a run: by its certificate, its token, its variables, and whether they agree.

mod caution;
mod reconcile;
mod sources;

pub use self::caution::{CiCaution, RepositoryIdentity};
pub use self::reconcile::{CiDisagreement, CiField, CiSource, Reconciled};

use crate::ActorKind;

/// What is said of a CI run. Plain data.
///
/// Who says it decides what it is worth: a certificate's claims were vouched for by the CI system; variables the build script can
/// set. See [`CiSource`] and [`Reconciled`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CiFacts {
    /// The builder's identity: the system and where it runs.
    pub builder: Option<String>,
    /// The repository, by URL. Names can be given away and registered again; ids cannot.
    pub repository: Option<String>,
    /// The repository's id.
    pub repository_id: Option<String>,
    /// The id of the repository's owner.
    pub owner_id: Option<String>,
    /// The commit the run is for. What was checked out is Git's to say.
    pub commit: Option<String>,
    /// The full ref, such as `refs/heads/main`.
    pub reference: Option<String>,
    /// The workflow or pipeline definition of the repository that was built.
    pub workflow: Option<String>,
    /// The definition that did the work and signed: with a reusable workflow, another repository's.
    pub signer: Option<String>,
    /// What started the run: `push`, `schedule`, `web`, …
    pub event: Option<String>,
    /// The run with its attempt, by URL.
    pub run: Option<String>,
    /// Who started it, by the system's account name.
    pub actor: Option<String>,
    /// `github-hosted`, `gitlab-hosted`, `self-hosted`.
    pub runner: Option<String>,
    /// The environment that was deployed to.
    pub environment: Option<String>,
    /// The last commit of the branch that a merge request wants to merge, where the run is for a merge that does not exist yet.
    pub head_commit: Option<String>,
}

impl CiFacts {
    /// Whether a person started the run by hand, if the system tells: `workflow_dispatch`, `web`.
    #[must_use]
    pub fn started_by_hand(&self) -> Option<bool> {
        self.event
            .as_deref()
            .map(|event| matches!(event, "workflow_dispatch" | "web" | "repository_dispatch" | "api"))
    }

    /// What kind of actor started the run (R13): a person who clicked, an account that acts by itself, or nobody knows. A `push` is
    /// the CI system's own act; whose the push was is another event.
    #[must_use]
    pub fn actor_kind(&self) -> ActorKind {
        let bot = self.actor.as_deref().is_some_and(|actor| actor.ends_with("[bot]"));
        match self.event.as_deref() {
            Some("workflow_dispatch" | "web" | "release" | "chat" | "webide") if !bot => ActorKind::Human,
            Some(
                "push"
                | "schedule"
                | "merge_request_event"
                | "pull_request"
                | "merge_group"
                | "workflow_run"
                | "pipeline"
                | "parent_pipeline"
                | "workflow_dispatch"
                | "release"
                | "web",
            ) => ActorKind::Bot,
            // Calls from outside: a person or a program made them.
            _ => ActorKind::Unknown,
        }
    }

    /// Which attempt of the run this is, if it says so; a re-run counts up.
    #[must_use]
    pub fn attempt(&self) -> Option<u64> {
        self.run.as_deref()?.rsplit_once("/attempts/")?.1.parse().ok()
    }
}
