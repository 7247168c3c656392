use super::regexp::GoRegex;
use super::wildcard::Wildcard;
use crate::{Claims, IdentityRule};

/// How one value is compared. Unlike the patterns of a ClusterImagePolicy, all of these look at the **whole** value.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Exact(String),
    Glob(Wildcard),
    Regex(GoRegex),
}

/// A text that is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is no pattern: {reason}")]
pub struct ParsePatternError {
    pattern: String,
    reason: String,
}

impl Pattern {
    /// The value itself.
    #[must_use]
    pub fn exact(value: &str) -> Self {
        Self(Kind::Exact(value.to_owned()))
    }

    /// A glob: `*` is anything but `/`, `**` anything.
    #[must_use]
    pub fn glob(pattern: &str) -> Self {
        Self(Kind::Glob(Wildcard::parse(pattern)))
    }

    /// A regular expression of Go's syntax that must match from the first to the last character; `a|b` means `^(?:a|b)$`.
    ///
    /// # Errors
    ///
    /// [`ParsePatternError`] if Go does not compile it, or we cannot.
    pub fn regex(pattern: &str) -> Result<Self, ParsePatternError> {
        let error = |reason| ParsePatternError { pattern: pattern.to_owned(), reason };
        // By itself first: what only closes the added group is no pattern.
        GoRegex::new(pattern).map_err(|reason| error(reason.text()))?;
        let whole = GoRegex::new(&format!("\\A(?:{pattern})\\z")).map_err(|reason| error(reason.text()))?;
        Ok(Self(Kind::Regex(whole)))
    }

    fn describe(&self) -> String {
        match &self.0 {
            Kind::Exact(exact) => format!("{exact:?}"),
            Kind::Glob(glob) => format!("like {:?}", glob.as_str()),
            Kind::Regex(regex) => format!("like /{}/", regex.as_str()),
        }
    }

    /// Whether the value matches.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        match &self.0 {
            Kind::Exact(exact) => exact == value,
            Kind::Glob(glob) => glob.matches(value),
            Kind::Regex(regex) => regex.matches(value),
        }
    }
}

/// A claim that a CI system's certificate carries, by the name that GitHub and GitLab share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Claim {
    /// The definition that signed, such as a reusable workflow (.9).
    BuildSignerUri,
    /// The commit of that definition (.10).
    BuildSignerDigest,
    /// `github-hosted`, `gitlab-hosted`, `self-hosted` (.11).
    RunnerEnvironment,
    /// The repository that was built, by URL (.12).
    SourceRepositoryUri,
    /// The commit that was built (.13).
    SourceRepositoryDigest,
    /// The full ref that was built (.14).
    SourceRepositoryRef,
    /// The repository's id, which a renamed repository keeps (.15).
    SourceRepositoryIdentifier,
    /// The owner of the repository, by URL (.16).
    SourceRepositoryOwnerUri,
    /// The owner's id (.17).
    SourceRepositoryOwnerIdentifier,
    /// The top definition of the build (.18).
    BuildConfigUri,
    /// The commit of that definition (.19).
    BuildConfigDigest,
    /// What started the build (.20).
    BuildTrigger,
    /// The run, by URL (.21).
    RunInvocationUri,
    /// `public`, `private`, `internal` (.22).
    SourceRepositoryVisibility,
    /// The environment of the deployment (.23).
    DeploymentEnvironment,
    /// The token's `sub` as it was (.24).
    TokenSubject,
}

impl Claim {
    /// The claim's value in a certificate.
    #[must_use]
    pub fn of(self, claims: &Claims) -> Option<&str> {
        let value = match self {
            Self::BuildSignerUri => &claims.build_signer_uri,
            Self::BuildSignerDigest => &claims.build_signer_digest,
            Self::RunnerEnvironment => &claims.runner_environment,
            Self::SourceRepositoryUri => &claims.source_repository_uri,
            Self::SourceRepositoryDigest => &claims.source_repository_digest,
            Self::SourceRepositoryRef => &claims.source_repository_ref,
            Self::SourceRepositoryIdentifier => &claims.source_repository_identifier,
            Self::SourceRepositoryOwnerUri => &claims.source_repository_owner_uri,
            Self::SourceRepositoryOwnerIdentifier => &claims.source_repository_owner_identifier,
            Self::BuildConfigUri => &claims.build_config_uri,
            Self::BuildConfigDigest => &claims.build_config_digest,
            Self::BuildTrigger => &claims.build_trigger,
            Self::RunInvocationUri => &claims.run_invocation_uri,
            Self::SourceRepositoryVisibility => &claims.source_repository_visibility,
            Self::DeploymentEnvironment => &claims.deployment_environment,
            Self::TokenSubject => &claims.token_subject,
        };
        value.as_deref()
    }
}

/// Who may have signed: an issuer, a subject, and claims of the CI system; all must fit.
#[derive(Clone, Debug, PartialEq)]
pub struct SignerRule {
    issuer: Pattern,
    subject: Pattern,
    claims: Vec<(Claim, Pattern)>,
}

impl SignerRule {
    /// A rule on issuer and subject. Both are needed: the same subject means another party at another issuer.
    #[must_use]
    pub fn new(issuer: Pattern, subject: Pattern) -> Self {
        Self { issuer, subject, claims: Vec::new() }
    }

    /// The same rule which also wants this claim; a certificate without it does not fit.
    #[must_use]
    pub fn with_claim(mut self, claim: Claim, pattern: Pattern) -> Self {
        self.claims.push((claim, pattern));
        self
    }

    /// Whether a certificate with these claims fits.
    #[must_use]
    pub fn matches(&self, claims: &Claims) -> bool {
        self.subject.matches(claims.subject.as_str())
            && claims.issuer.as_deref().is_some_and(|issuer| self.issuer.matches(issuer))
            && self
                .claims
                .iter()
                .all(|(claim, pattern)| claim.of(claims).is_some_and(|value| pattern.matches(value)))
    }
}

impl IdentityRule for SignerRule {
    fn describe(&self) -> String {
        let claims: Vec<String> = self
            .claims
            .iter()
            .map(|(claim, pattern)| format!(", {claim:?} {}", pattern.describe()))
            .collect();
        format!("subject {} by issuer {}{}", self.subject.describe(), self.issuer.describe(), claims.concat())
    }

    fn check(&self, claims: &Claims) -> Result<(), String> {
        let subject = claims.subject.as_str();
        if !self.subject.matches(subject) {
            return Err(format!("the subject is {subject:?}, not {}", self.subject.describe()));
        }
        let issuer = claims.issuer.as_deref().unwrap_or_default();
        if issuer.is_empty() || !self.issuer.matches(issuer) {
            return Err(format!("the issuer is {issuer:?}, not {}", self.issuer.describe()));
        }
        for (claim, pattern) in &self.claims {
            match claim.of(claims) {
                Some(value) if pattern.matches(value) => {}
                Some(value) => return Err(format!("{claim:?} is {value:?}, not {}", pattern.describe())),
                None => return Err(format!("the certificate does not say {claim:?}")),
            }
        }
        Ok(())
    }
}
