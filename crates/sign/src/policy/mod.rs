//! ClusterImagePolicy: what the Sigstore Policy Controller says of an image, and what a policy does not check.

mod admission;
mod authority;
mod cue;
mod document;
mod glob;
mod gotime;
mod gotype;
mod identity;
mod image;
mod issue;
mod json;
mod lint;
mod model;
mod payload;
mod pem;
mod quorum;
mod regexp;
mod registry;
#[cfg(feature = "rego")]
mod rego;
mod rule;
mod schema;
mod script;
mod signature;
mod trust_root;
mod url;
mod validate;
mod verdict;
mod wildcard;

pub use self::admission::{Admission, NoMatch, Resource};
pub use self::document::{PolicyError, PolicySet, ReadOptions};
pub use self::glob::{Glob, ParseGlobError};
pub use self::identity::{IdentityError, PolicyIdentity, check_claims, check_identities};
pub use self::image::{ImageName, ParseImageError};
pub use self::issue::Issue;
pub use self::lint::{Counterexample, LintFinding, lint_policies};
pub use self::model::{
    AttestationRule, Authority, AuthorityKind, ClusterImagePolicy, KeyReference, Keyless, LabelRequirement,
    LogReference, PolicyRule, ResourceMatch, Source,
};
pub use self::payload::{StatementView, statement_view};
pub use self::quorum::{Quorum, QuorumError, Requirement, Shortfall, Signed};
pub use self::registry::ImageRegistry;
pub use self::rule::{Claim, ParsePatternError, Pattern, SignerRule};
pub use self::script::{RuleAnswer, evaluate_rule};
pub use self::trust_root::parse_trust_root;
pub use self::verdict::{AdmissionVerdict, AuthorityVerdict, Decision, PolicyVerdict};

/// The authorities of a policy.
fn authority_count(policy: &ClusterImagePolicy) -> usize {
    policy.authorities.len()
}
