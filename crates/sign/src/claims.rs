use serde::{Deserialize, Serialize};

/// Who signed, by the certificate: the subject that the identity provider vouched for, and what the CI system's token
/// said of the run. Plain data.
///
/// The names are those of Fulcio's certificate extensions (1.3.6.1.4.1.57264.1.x; the number stands beside each field).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claims {
    /// The subject alternative name.
    pub subject: SubjectName,
    /// Who vouched for the subject (.8, else the deprecated .1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The event that started the workflow (.2, deprecated, GitHub alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_workflow_trigger: Option<String>,
    /// The commit of the workflow (.3, deprecated, GitHub alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_workflow_sha: Option<String>,
    /// The name of the workflow (.4, deprecated, GitHub alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_workflow_name: Option<String>,
    /// The repository as `owner/name` (.5, deprecated, GitHub alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_workflow_repository: Option<String>,
    /// The ref (.6, deprecated, GitHub alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub github_workflow_ref: Option<String>,
    /// The definition that signed, such as a reusable workflow (.9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_signer_uri: Option<String>,
    /// The commit of that definition (.10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_signer_digest: Option<String>,
    /// `github-hosted`, `self-hosted`, … (.11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_environment: Option<String>,
    /// The repository that was built, by URL (.12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository_uri: Option<String>,
    /// The commit that was built (.13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository_digest: Option<String>,
    /// The full ref that was built (.14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository_ref: Option<String>,
    /// The repository's id, which cannot be registered again as its name can (.15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository_identifier: Option<String>,
    /// The repository's owner, by URL (.16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository_owner_uri: Option<String>,
    /// The owner's id (.17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository_owner_identifier: Option<String>,
    /// The top definition of the build (.18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_config_uri: Option<String>,
    /// The commit of that definition (.19).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_config_digest: Option<String>,
    /// What started the build: `push`, `release`, `workflow_dispatch`, `web`, … (.20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_trigger: Option<String>,
    /// The run with its attempt, by URL (.21).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_invocation_uri: Option<String>,
    /// `public`, `private`, `internal` (.22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository_visibility: Option<String>,
    /// The environment of the deployment (.23).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_environment: Option<String>,
    /// The token's `sub` as it was (.24).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_subject: Option<String>,
}

/// The kind and value of a subject alternative name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum SubjectName {
    /// An e-mail address.
    Email(String),
    /// A URI: a workflow, a SPIFFE id.
    Uri(String),
    /// Fulcio's `user!domain` (OtherName 1.3.6.1.4.1.57264.1.7).
    OtherName(String),
}

impl SubjectName {
    /// The name without its kind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(name) | Self::Uri(name) | Self::OtherName(name) => name,
        }
    }
}

impl Claims {
    /// Claims that say nothing but who the subject is.
    #[must_use]
    pub fn new(subject: SubjectName) -> Self {
        Self {
            subject,
            issuer: None,
            github_workflow_trigger: None,
            github_workflow_sha: None,
            github_workflow_name: None,
            github_workflow_repository: None,
            github_workflow_ref: None,
            build_signer_uri: None,
            build_signer_digest: None,
            runner_environment: None,
            source_repository_uri: None,
            source_repository_digest: None,
            source_repository_ref: None,
            source_repository_identifier: None,
            source_repository_owner_uri: None,
            source_repository_owner_identifier: None,
            build_config_uri: None,
            build_config_digest: None,
            build_trigger: None,
            run_invocation_uri: None,
            source_repository_visibility: None,
            deployment_environment: None,
            token_subject: None,
        }
    }
}
