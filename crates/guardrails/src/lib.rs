//! Is it allowed, before it runs: the Pod Security Standards as the API server judges them, RBAC questions answered
//! over manifests, and what would interrupt a rollout.
//!
//! It reads manifests and talks to no cluster: what is not given is not known, and a "no" of RBAC holds only for the
//! roles and bindings that were given.
//!
//! ```
//! use lotse_gitops_manifest::Object;
//! use lotse_guardrails::{Level, Version, pod_security};
//! use lotse_yaml::Limits;
//!
//! let text = b"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  hostNetwork: true\n  containers: [{name: a}]\n";
//! let pod = Object::parse_all("web.yaml", text, &Limits::manifests())?.remove(0);
//! let verdict = pod_security(&pod, Level::Baseline, Version::Latest)?;
//! assert_eq!(verdict.text(), "host namespaces (hostNetwork=true)");
//! assert_eq!(verdict.findings(&pod)[0].position.map(|place| place.line), Some(5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Covered
//!
//! * Pod Security Standards baseline and restricted, v1.0 to v1.36 and latest, as `k8s.io/pod-security-admission`
//!   v0.36.1 evaluates them: verdict, reasons, details and text; [`pod_security_admitted`] and [`NamespacePolicy`]
//!   judge as the API server v1.36 does after it filled in defaults.
//! * RBAC v1: [`Rbac::can_i`] as SubjectAccessReview, [`Rbac::may_grant`] as the check against escalation,
//!   [`deployer_rules`] as the smallest role that deploys a set.
//! * Rules over a set: [`rbac_findings`], [`rollout_findings`], [`hygiene_findings`].
//!
//! # Known deviations
//!
//! * Where several bindings allow a request, the API server names one by chance; this crate names the first.
//! * Other validation of the API server (a Windows pod with Linux fields, say) is not repeated here.
//!
//! # Features
//!
//! None.

mod cluster;
mod error;
mod finding;
mod hygiene;
mod pod_security;
mod rbac;
mod read;
mod rollout;

pub use error::Error;
pub use finding::{Finding, Severity};
pub use hygiene::hygiene_findings;
pub use pod_security::{
    Admission, Level, NamespacePolicy, PodSecurity, Version, Violation, pod_security, pod_security_admitted,
};
pub use rbac::{Action, Before, Decision, Deploy, Grant, Rbac, Rule, Subject, deployer_rules, rbac_findings};
pub use rollout::rollout_findings;
