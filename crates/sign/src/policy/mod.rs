//! ClusterImagePolicy: what the Sigstore Policy Controller says of an image, and what a policy does not check.

mod glob;
mod identity;
mod image;
mod json;
mod quorum;
mod regexp;
mod rule;
mod wildcard;

pub use self::glob::{Glob, ParseGlobError};
pub use self::identity::{IdentityError, PolicyIdentity, check_claims, check_identities};
pub use self::image::{ImageName, ParseImageError};
pub use self::quorum::{Quorum, QuorumError, Requirement, Shortfall, Signed};
pub use self::rule::{Claim, IdentityRule, ParsePatternError, Pattern};
