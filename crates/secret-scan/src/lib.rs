//! Secrets in trees, in the whole history of a Git repository and in the layers of an image.
//!
//! It asks nobody: no finding is tried against a service, and no output of this crate holds a secret, only its public
//! start, its length and a fingerprint.
//!
//! ```
//! use lotse_secret_scan::{Limits, Place, Scanner};
//!
//! let scanner = Scanner::new(Limits::for_repositories())?;
//! let text = format!("DB_HOST=db\nDATABASE_URL=mysql://shop:{}@db/shop\n", "k3Vx9qLw");
//! let findings = scanner.scan(text.as_bytes(), &Place::file(".env"));
//! let finding = &findings.found[0];
//! assert_eq!((finding.rule, finding.line, finding.column), ("database-url", 2, 27));
//! assert!(!format!("{finding:?} {finding}").contains("k3Vx9qLw"));
//! # Ok::<(), lotse_secret_scan::Error>(())
//! ```
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `fs` | `scan_directory` |
//! | `git` | `scan_history`: objects, not patches, read by the crate `gix` |
//!
//! # What is not covered
//!
//! Archives are not opened but gzip, one level deep (they are listed as not scanned); base64 is decoded only in Kubernetes Secrets and Docker
//! configurations; Git objects that nothing references are not read. Paths of dependencies are not left out: in an image
//! they are most of the tree.

mod allow;
mod error;
mod finding;
mod kubernetes;
mod rules;
mod scan;
mod secret;
mod source;

pub use crate::allow::{Allow, AllowError, Judgement, judge};
pub use crate::error::{Error, Limits};
pub use crate::finding::{Finding, Findings, NotScanned, Place, Proof, finding_json};
pub use crate::rules::{RuleInfo, rules};
pub use crate::scan::Scanner;
#[cfg(feature = "fs")]
pub use crate::source::scan_directory;
#[cfg(feature = "git")]
pub use crate::source::scan_history;
pub use crate::source::{Progress, scan_image};
