//! One application spec in, one verified release and its evidence out; and back again, from a pod's image id to the commit.
//!
//! It composes the crates below it: they judge, this one orders, counts and refuses. It deploys nothing, and says of a law only
//! that a check supports an article.
//!
//! ```no_run
//! use lotse_release::{Request, VerifyRequest, release, verify};
//!
//! let mut request = Request::new("app", "out"); // app/lotse.yaml says what the application is
//! request.read_environment(Some("key.pem".as_ref()))?;
//! let report = release(&request, &mut |step, of, what: &str| eprintln!("{step}/{of} {what}"))?;
//! print!("{}", report.to_table()); // out/evidence.html is the same for people, out/evidence.json for machines
//!
//! let mut request = VerifyRequest::new("out"); // from the files alone
//! request.read_key(Some("key.pub.pem".as_ref()))?;
//! match verify(&request, &mut ())?.broken() {
//!     None => println!("everything holds"),
//!     Some(step) => println!("the first broken link is {}: {}", step.link, step.text),
//! }
//! # Ok::<(), lotse_release::Error>(())
//! ```
//!
//! A spec can be read alone:
//!
//! ```
//! let mistakes = lotse_release::Spec::parse("lotse.yaml", b"lotse: v1\nnmae: app\n").unwrap_err();
//! assert!(mistakes.to_string().contains("lotse.yaml:2:1: error[key-unknown]: no word \"nmae\" here; did you mean \"name\"?"));
//! ```
//!
//! # Features
//!
//! None: what this crate composes, it needs.
//!
//! # Formats
//!
//! `lotse.yaml` v1 ([`json_schema`], [`defaults`]), evidence v1 ([`Report::to_json`], [`Report::to_html`]); everything else is the
//! crates' below. The articles that a requirement supports are data ([`SUPPORTS`]): our reading, no legal advice.
//!
//! Not in this version: earlier releases as input (sizes before and after, rollback targets, contract jobs of earlier
//! migrations), exports to OSCAL, SARIF and JUnit, evidence of running clusters. What these would show is reported as not run.

mod application;
mod attest;
mod check;
mod delivery;
mod error;
mod explain;
mod images;
mod law;
mod look;
mod migrations;
mod network;
mod operations;
mod output;
mod packages;
mod page;
mod progress;
mod report;
mod requirement;
mod run;
mod secrets;
mod source;
mod spec;
mod table;
mod verdicts;
mod verify;

pub use crate::check::{Check, Outcome, Witness};
pub use crate::error::Error;
pub use crate::explain::explain;
pub use crate::law::{ACTS, Act, READ, SUPPORTS, Support, support};
pub use crate::look::{inventory, scan};
pub use crate::progress::Progress;
pub use crate::report::{ImageReport, MigrationStep, NetworkReport, Report, Verdict};
pub use crate::requirement::Requirement;
pub use crate::run::{Request, release};
pub use crate::spec::{
    AllowSpec, Build, ComponentSpec, ConnectionSpec, Default, Diagnostic, Diagnostics, EnvironmentSpec,
    FlagSpec, GateSpec, ImageSource, IngressSpec, MigrationsSpec, OutsideSpec, OutsideTarget, OverrideSpec,
    PlatformSpec, ProbesSpec, SecretSpec, SecretStore, SloSpec, Spec, defaults, json_schema,
};
pub use crate::verify::{Start, Verification, VerifiedStep, VerifyRequest, verify};
