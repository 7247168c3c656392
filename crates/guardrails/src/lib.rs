//! Is it allowed: pod security, RBAC, rollout safety.

mod error;
mod finding;
mod pod_security;
mod read;

pub use error::Error;
pub use finding::{Finding, Severity};
pub use pod_security::{
    Admission, Level, NamespacePolicy, PodSecurity, Version, Violation, pod_security, pod_security_admitted,
};
