//! One application spec in, one verified release and its evidence out; and back again.

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
