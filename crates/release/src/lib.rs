//! One application spec in, one verified release and its evidence out; and back again.

mod spec;

pub use crate::spec::{
    AllowSpec, Build, ComponentSpec, ConnectionSpec, Default, Diagnostic, Diagnostics, EnvironmentSpec,
    FlagSpec, GateSpec, ImageSource, IngressSpec, MigrationsSpec, OutsideSpec, OutsideTarget, OverrideSpec,
    PlatformSpec, ProbesSpec, SecretSpec, SecretStore, SloSpec, Spec, defaults, json_schema,
};
