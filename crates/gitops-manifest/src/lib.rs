//! What shall run: Kubernetes, Flux and Argo CD documents, rendered, pinned, committed and taken back.
//!
//! It turns an application, given as plain data, into documents, and changes documents without touching their layout. It
//! applies nothing to a cluster and judges nothing: verdicts are `lotse-guardrails`' and `lotse-netpol`'s.
//!
//! ```
//! use lotse_gitops_manifest::{bump, find_images};
//!
//! let old = format!("team/app:1.0@sha256:{}", "0".repeat(64));
//! let source = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: app}}\nspec:\n  containers:\n    - image:   '{old}' # ours\n      name: app\n");
//! let new = format!("team/app:1.1@sha256:{}", "1".repeat(64)).parse()?;
//!
//! let (bumped, changed) = bump(source.as_bytes(), &new)?;
//! assert_eq!(changed, 1);
//! assert_eq!(bumped, source.replace(&old, &new.to_string()).as_bytes()); // the value's bytes, nothing else
//! assert_eq!(find_images(&bumped)?[0].pointer, "/spec/containers/0/image");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `git` (default) | [`commit`] and [`revert`] in a repository, without a work tree, by the crate `gix` |
//!
//! # Specifications
//!
//! Kubernetes API v1.30 and later (a `sleep` before stopping needs it), Flux v2 (`source.toolkit.fluxcd.io/v1`,
//! `kustomize.toolkit.fluxcd.io/v1`), Argo CD v2.10 and later (`argoproj.io/v1alpha1`), Prometheus Operator, External
//! Secrets `v1`, cert-manager `v1`, Velero `v1`, flagd flag definitions.
//!
//! Not in this version: HelmRelease and charts, Gateway API, VictoriaMetrics' own rule kind, drift against a live cluster,
//! expansion of ApplicationSets.

mod application;
mod delivery;
mod error;
#[cfg(feature = "git")]
mod git;
mod object;
mod pin;
mod render;

pub use crate::application::{
    Application, Component, Flag, Ingress, Job, Platform, Probes, Replicas, Resources, SecretSource,
    SecretUse, Slo, Stage, Workload,
};
pub use crate::delivery::{Delivery, DeliveryEnvironment, argo_cd, argo_cd_set, flux};
pub use crate::error::Error;
#[cfg(feature = "git")]
pub use crate::git::{Committer, commit, revert};
pub use crate::object::{Container, ContainerRole, Object, ObjectError, Place, PodTemplate};
pub use crate::pin::{ImagePlace, bump, find_images};
pub use crate::render::{Manifests, render};
