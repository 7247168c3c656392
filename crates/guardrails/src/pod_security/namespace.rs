use lotse_gitops_manifest::Object;

use super::{Level, PodSecurity, Version, pod_security_admitted};
use crate::Error;

/// What a namespace asks for by its labels `pod-security.kubernetes.io/{enforce,audit,warn}[-version]`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamespacePolicy {
    /// What pods must fulfil.
    pub enforce: (Level, Version),
    /// What is written to the audit log.
    pub audit: (Level, Version),
    /// What the client is warned of.
    pub warn: (Level, Version),
    /// Labels with a value that does not exist, and what is wrong with them. The API server reads a wrong `enforce`
    /// level as restricted, a wrong version as latest, and wrong `audit` and `warn` levels as privileged.
    pub errors: Vec<(String, Error)>,
}

impl NamespacePolicy {
    /// Reads the labels as the API server does that has no defaults of its own: without labels, everything is
    /// allowed.
    #[must_use]
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut policy = Self {
            enforce: (Level::Privileged, Version::Latest),
            audit: (Level::Privileged, Version::Latest),
            warn: (Level::Privileged, Version::Latest),
            errors: Vec::new(),
        };
        let (mut enforced, mut warned, mut warn_version) = (false, false, false);
        for (label, text) in labels {
            let Some(name) = label.strip_prefix("pod-security.kubernetes.io/") else { continue };
            let (level, version) = (text.parse::<Level>(), text.parse::<Version>());
            match name {
                "enforce" => {
                    enforced = level.is_ok();
                    policy.enforce.0 = policy.note(label, level).unwrap_or(Level::Restricted);
                }
                "audit" => policy.audit.0 = policy.note(label, level).unwrap_or(Level::Privileged),
                "warn" => {
                    warned = true;
                    policy.warn.0 = policy.note(label, level).unwrap_or(Level::Privileged);
                }
                "enforce-version" => {
                    policy.enforce.1 = policy.note(label, version).unwrap_or(Version::Latest)
                }
                "audit-version" => policy.audit.1 = policy.note(label, version).unwrap_or(Version::Latest),
                "warn-version" => {
                    warn_version = true;
                    policy.warn.1 = policy.note(label, version).unwrap_or(Version::Latest);
                }
                _ => {}
            }
        }
        if !warned && enforced && policy.enforce.0 > policy.warn.0 {
            policy.warn.0 = policy.enforce.0;
            if !warn_version {
                policy.warn.1 = policy.enforce.1;
            }
        }
        policy
    }

    fn note<T>(&mut self, label: &str, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.errors.push((label.to_owned(), error))).ok()
    }

    /// What the API server answers when the object is created in a namespace with this policy. Only pods are
    /// refused; a workload is let in with a warning, and its pods fail later.
    ///
    /// # Errors
    /// As [`super::pod_security`].
    pub fn admit(&self, object: &Object) -> Result<Admission, Error> {
        let judge = |(level, version)| pod_security_admitted(object, level, version);
        let refused = match object.kind() {
            "Pod" => Some(judge(self.enforce)?).filter(|verdict| !verdict.allowed()),
            _ => None,
        };
        let warning = match refused {
            Some(_) => None,
            None => Some(judge(self.warn)?).filter(|verdict| !verdict.allowed()),
        };
        let audit = Some(judge(self.audit)?).filter(|verdict| !verdict.allowed());
        let words = |verdict: &PodSecurity| format!("would violate {}", verdict.message());
        Ok(Admission {
            allowed: refused.is_none(),
            message: refused.map(|verdict| {
                format!("pods {:?} is forbidden: violates {}", object.name(), verdict.message())
            }),
            warning: warning.as_ref().map(words),
            audit: audit.as_ref().map(words),
        })
    }
}

/// The API server's answer to the creation of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admission {
    /// `true` if it is let in.
    pub allowed: bool,
    /// Why not, in the server's words.
    pub message: Option<String>,
    /// What the client is told although it is let in.
    pub warning: Option<String>,
    /// What the audit log says.
    pub audit: Option<String>,
}
