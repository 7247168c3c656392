use std::collections::BTreeMap;

/// What a CI system says of its run, from its predefined variables. Plain data.
///
/// Variables are the weakest witness: the build script can set them. A certificate's claims, where there is one, go before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CiFacts {
    /// The builder's identity: the system and where it runs.
    pub builder: Option<String>,
    /// The repository, by URL.
    pub repository: Option<String>,
    /// The commit the run is for. What was checked out is Git's to say.
    pub commit: Option<String>,
    /// The full ref, such as `refs/heads/main`.
    pub reference: Option<String>,
    /// The workflow or pipeline definition.
    pub workflow: Option<String>,
    /// What started the run: `push`, `schedule`, `web`, …
    pub event: Option<String>,
    /// The run with its attempt, by URL.
    pub run: Option<String>,
    /// Who started it, by the system's account name.
    pub actor: Option<String>,
}

impl CiFacts {
    /// Reads the variables of GitHub Actions or GitLab CI; `None` if they are neither's.
    #[must_use]
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Option<Self> {
        let get = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        if get("GITHUB_ACTIONS").as_deref() == Some("true") {
            return Some(github(&get));
        }
        (get("GITLAB_CI").as_deref() == Some("true")).then(|| gitlab(&get))
    }

    /// Whether a person started the run by hand, if the system tells: `workflow_dispatch`, `web`.
    #[must_use]
    pub fn started_by_hand(&self) -> Option<bool> {
        self.event
            .as_deref()
            .map(|event| matches!(event, "workflow_dispatch" | "web" | "repository_dispatch" | "api"))
    }
}

fn github(get: &dyn Fn(&str) -> Option<String>) -> CiFacts {
    let repository = get("GITHUB_SERVER_URL")
        .zip(get("GITHUB_REPOSITORY"))
        .map(|(server, name)| format!("{server}/{name}"));
    let run = repository.as_ref().zip(get("GITHUB_RUN_ID")).map(|(repository, id)| {
        let attempt = get("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
        format!("{repository}/actions/runs/{id}/attempts/{attempt}")
    });
    CiFacts {
        builder: get("RUNNER_ENVIRONMENT")
            .map(|environment| format!("https://github.com/actions/runner/{environment}")),
        repository,
        commit: get("GITHUB_SHA"),
        reference: get("GITHUB_REF"),
        workflow: get("GITHUB_WORKFLOW_REF"),
        event: get("GITHUB_EVENT_NAME"),
        run,
        actor: get("GITHUB_ACTOR"),
    }
}

fn gitlab(get: &dyn Fn(&str) -> Option<String>) -> CiFacts {
    let reference = match (get("CI_COMMIT_TAG"), get("CI_COMMIT_BRANCH")) {
        (Some(tag), _) => Some(format!("refs/tags/{tag}")),
        (None, branch) => branch.map(|branch| format!("refs/heads/{branch}")),
    };
    CiFacts {
        builder: get("CI_SERVER_URL")
            .zip(get("CI_RUNNER_ID"))
            .map(|(server, id)| format!("{server}/-/runners/{id}")),
        repository: get("CI_PROJECT_URL"),
        commit: get("CI_COMMIT_SHA"),
        reference,
        workflow: get("CI_CONFIG_PATH"),
        event: get("CI_PIPELINE_SOURCE"),
        run: get("CI_JOB_URL"),
        actor: get("GITLAB_USER_LOGIN"),
    }
}
