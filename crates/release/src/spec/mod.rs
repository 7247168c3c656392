//! `lotse.yaml`: one table of words, from which the parser, its messages and the JSON Schema come.

mod check;
mod defaults;
mod diagnostic;
mod format;
mod model;
mod read;
mod schema;
mod structure;
mod words;

pub use defaults::{Default, defaults};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use model::{
    AllowSpec, Build, ComponentSpec, ConnectionSpec, EnvironmentSpec, FlagSpec, GateSpec, ImageSource,
    IngressSpec, MigrationsSpec, OutsideSpec, OutsideTarget, OverrideSpec, PlatformSpec, ProbesSpec,
    SecretSpec, SecretStore, SloSpec, Spec,
};
pub use schema::json_schema;
