use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lotse_sign::Claims;

use super::CiFacts;
use crate::{BuildFacts, Error, Json};

/// Bytes of a token.
const TOKEN: usize = 1 << 16;
const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

impl CiFacts {
    /// Reads the predefined variables of GitHub Actions or GitLab CI; `None` if they are neither's.
    #[must_use]
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Option<Self> {
        let get = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        if get("GITHUB_ACTIONS").as_deref() == Some("true") {
            return Some(github_variables(&get));
        }
        (get("GITLAB_CI").as_deref() == Some("true")).then(|| gitlab_variables(&get))
    }

    /// What a Fulcio certificate says of the run. It was verified before.
    #[must_use]
    pub fn from_claims(claims: &Claims) -> Self {
        let signer = claims.build_signer_uri.clone().or_else(|| match &claims.subject {
            lotse_sign::SubjectName::Uri(uri) => Some(uri.clone()),
            _ => None,
        });
        Self {
            repository: claims.source_repository_uri.clone(),
            repository_id: claims.source_repository_identifier.clone(),
            owner_id: claims.source_repository_owner_identifier.clone(),
            commit: claims.source_repository_digest.clone().or_else(|| claims.github_workflow_sha.clone()),
            reference: claims.source_repository_ref.clone().or_else(|| claims.github_workflow_ref.clone()),
            workflow: claims.build_config_uri.clone(),
            signer,
            event: claims.build_trigger.clone().or_else(|| claims.github_workflow_trigger.clone()),
            run: claims.run_invocation_uri.clone(),
            runner: claims.runner_environment.clone(),
            environment: claims.deployment_environment.clone(),
            ..Self::default()
        }
    }

    /// What SLSA provenance says of the run. Whether its builder is trusted was judged before.
    #[must_use]
    pub fn from_provenance(facts: &BuildFacts) -> Self {
        let internal = |pointer: &str| {
            let value = facts.internal.pointer(pointer)?;
            value.as_str().map(str::to_owned).or_else(|| Some(value.to_string()))
        };
        Self {
            builder: Some(facts.builder.clone()),
            repository: facts.source.clone(),
            repository_id: internal("/github/repository_id").or_else(|| internal("/github_repository_id")),
            owner_id: internal("/github/repository_owner_id")
                .or_else(|| internal("/github_repository_owner_id")),
            commit: facts.commit.clone(),
            reference: facts.reference.clone(),
            event: facts.trigger.clone(),
            run: facts.invocation.clone(),
            runner: internal("/github/runner_environment"),
            ..Self::default()
        }
    }

    /// Reads the claims of an OIDC token of GitHub Actions or GitLab CI **without verifying it**: whoever writes a token can write
    /// anything. For what the CI system itself handed to this process, and for looking at tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is no token, or of an issuer whose claims we do not know; [`Error::Limit`] over 64 KiB.
    pub fn from_unverified_token(token: &str) -> Result<Self, Error> {
        let fault = |reason: &str| Error::malformed("OIDC token", reason);
        if token.len() > TOKEN {
            return Err(Error::Limit { what: "bytes of an OIDC token".to_owned(), limit: TOKEN });
        }
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(fault("it has not three parts"));
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|error| fault(&error.to_string()))?;
        let payload = std::str::from_utf8(&payload).map_err(|error| fault(&error.to_string()))?;
        let claims = Json::parse(payload)?;
        let get = |name: &str| {
            let value = claims.pointer(&format!("/{name}"))?;
            // Ids are numbers in some versions and text in others.
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (!text.is_empty() && text != "null").then_some(text)
        };
        if get("repository").is_some() && get("run_id").is_some() {
            Ok(github_token(&get))
        } else if get("project_path").is_some() {
            Ok(gitlab_token(&get))
        } else {
            Err(fault(&format!("the claims of issuer {} are not known", get("iss").unwrap_or_default())))
        }
    }
}

fn github_run(repository: Option<&String>, id: Option<String>, attempt: Option<String>) -> Option<String> {
    let attempt = attempt.unwrap_or_else(|| "1".to_owned());
    Some(format!("{}/actions/runs/{}/attempts/{attempt}", repository?, id?))
}

fn github_variables(get: Get<'_>) -> CiFacts {
    let repository = get("GITHUB_SERVER_URL")
        .zip(get("GITHUB_REPOSITORY"))
        .map(|(server, name)| format!("{server}/{name}"));
    let workflow = get("GITHUB_SERVER_URL")
        .zip(get("GITHUB_WORKFLOW_REF"))
        .map(|(server, workflow)| format!("{server}/{workflow}"));
    CiFacts {
        builder: get("RUNNER_ENVIRONMENT")
            .map(|environment| format!("https://github.com/actions/runner/{environment}")),
        run: github_run(repository.as_ref(), get("GITHUB_RUN_ID"), get("GITHUB_RUN_ATTEMPT")),
        repository,
        repository_id: get("GITHUB_REPOSITORY_ID"),
        owner_id: get("GITHUB_REPOSITORY_OWNER_ID"),
        commit: get("GITHUB_SHA"),
        reference: get("GITHUB_REF"),
        workflow: workflow.or_else(|| get("GITHUB_WORKFLOW_REF")),
        event: get("GITHUB_EVENT_NAME"),
        actor: get("GITHUB_ACTOR"),
        runner: get("RUNNER_ENVIRONMENT"),
        ..CiFacts::default()
    }
}

fn github_token(get: Get<'_>) -> CiFacts {
    // An enterprise server issues at https://HOST/_services/token.
    let issuer = get("iss").unwrap_or_else(|| GITHUB_ISSUER.to_owned());
    let server = match issuer.strip_suffix("/_services/token") {
        Some(server) => server.to_owned(),
        None => "https://github.com".to_owned(),
    };
    let below = |name: &str| get(name).map(|path| format!("{server}/{path}"));
    let repository = below("repository");
    CiFacts {
        run: github_run(repository.as_ref(), get("run_id"), get("run_attempt")),
        repository,
        repository_id: get("repository_id"),
        owner_id: get("repository_owner_id"),
        commit: get("sha"),
        reference: get("ref"),
        workflow: below("workflow_ref"),
        signer: below("job_workflow_ref"),
        event: get("event_name"),
        actor: get("actor"),
        runner: get("runner_environment"),
        environment: get("environment"),
        ..CiFacts::default()
    }
}

/// GitLab gives short names, and says beside them what they are.
fn full_ref(name: Option<String>, kind: Option<&str>) -> Option<String> {
    let folder = match kind {
        Some("tag") => "tags",
        Some("branch") => "heads",
        _ => return name,
    };
    name.map(|name| format!("refs/{folder}/{name}"))
}

fn gitlab_variables(get: Get<'_>) -> CiFacts {
    let reference = match (get("CI_COMMIT_TAG"), get("CI_COMMIT_BRANCH")) {
        (Some(tag), _) => full_ref(Some(tag), Some("tag")),
        (None, Some(branch)) => full_ref(Some(branch), Some("branch")),
        (None, None) => get("CI_MERGE_REQUEST_REF_PATH"),
    };
    CiFacts {
        builder: get("CI_SERVER_URL")
            .zip(get("CI_RUNNER_ID"))
            .map(|(server, id)| format!("{server}/-/runners/{id}")),
        repository: get("CI_PROJECT_URL"),
        repository_id: get("CI_PROJECT_ID"),
        owner_id: get("CI_PROJECT_NAMESPACE_ID"),
        commit: get("CI_COMMIT_SHA"),
        reference,
        workflow: get("CI_CONFIG_PATH"),
        event: get("CI_PIPELINE_SOURCE"),
        run: get("CI_JOB_URL"),
        actor: get("GITLAB_USER_LOGIN"),
        environment: get("CI_ENVIRONMENT_NAME"),
        head_commit: get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
        ..CiFacts::default()
    }
}

fn gitlab_token(get: Get<'_>) -> CiFacts {
    let server = get("iss").unwrap_or_else(|| "https://gitlab.com".to_owned());
    let repository = get("project_path").map(|path| format!("{server}/{path}"));
    let definition = get("ci_config_ref_uri").map(|uri| format!("https://{uri}"));
    CiFacts {
        run: repository
            .as_ref()
            .zip(get("job_id"))
            .map(|(repository, id)| format!("{repository}/-/jobs/{id}")),
        repository,
        repository_id: get("project_id"),
        owner_id: get("namespace_id"),
        commit: get("sha"),
        reference: get("ref_path").or_else(|| full_ref(get("ref"), get("ref_type").as_deref())),
        workflow: definition.clone(),
        signer: definition,
        event: get("pipeline_source"),
        actor: get("user_login"),
        runner: get("runner_environment"),
        environment: get("environment"),
        ..CiFacts::default()
    }
}
