//! Policies: who may sign, what must be attested, and what a policy does not check.
//!
//! [`lint_policies`] reads ClusterImagePolicies of the Sigstore Policy Controller and names their flaws, each with a counterexample
//! that the evaluator itself let pass:
//!
//! ```
//! use lotse_sign::policy::lint_policies;
//!
//! # let text = include_str!("../../tests/data/policy/listing.yaml");
//! for finding in lint_policies(text)? {
//!     println!("{finding}"); // 23:17: …: clause-never-refuses: predicate.packages may be anything …
//! }
//! # assert!(lint_policies(text)?.iter().any(|finding| finding.rule == "clause-never-refuses"));
//! # Ok::<(), lotse_sign::policy::PolicyError>(())
//! ```
//!
//! [`Admission::judge`] gives the controller's verdict on an image and its message; [`PolicySet::parse`] what its webhook says of a
//! document; [`evaluate_rule`] what a rule in CUE (or in Rego, with the feature `rego`) says of a statement as [`statement_view`]
//! shows it. What this version cannot decide is [`Decision::Undecided`] or [`RuleAnswer::Undecided`], never a yes.
//!
//! Policies of your own are made of [`SignerRule`]s, which look at whole values and at the claims of GitHub's and GitLab's
//! certificates, and of [`Quorum`]s, which count signers and not signatures.
//!
//! # Deviations
//!
//! `DIVERGENCES.md` lists every verdict that differs from the controller's, with the reason.

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
