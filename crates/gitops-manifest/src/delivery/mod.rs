//! The documents that make Flux or Argo CD deliver the rendered ones.

mod argo;
mod flux;

use lotse_digest::Digest;
use lotse_yaml::Value;

/// What the delivery needs to know. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The application's name.
    pub application: String,
    /// The registry that holds images and rendered manifests, such as `registry.example/team`.
    pub registry: String,
    /// The Git repository that holds the rendered manifests, by URL.
    pub repository: String,
    /// Namespaces beside the environments' that documents go into, such as the one that backups are scheduled in.
    pub other_namespaces: Vec<String>,
    /// The environments.
    pub environments: Vec<DeliveryEnvironment>,
}

/// One environment to deliver to. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryEnvironment {
    /// Its name.
    pub name: String,
    /// The namespace.
    pub namespace: String,
    /// Whether what is in Git goes live by itself; otherwise a person approves.
    pub automatic: bool,
    /// The path of its manifests in the Git repository.
    pub path: String,
    /// The digest of the artifact that holds its manifests, for Flux.
    pub artifact: Digest,
    /// The stages of its manifests: those of jobs before, the workloads, jobs after, as paths below `path`.
    pub stages: Vec<String>,
}

/// The documents for Flux: an OCIRepository pinned by digest, and one Kustomization for each stage, each depending on the one
/// before.
#[must_use]
pub fn flux(delivery: &Delivery) -> Vec<Value> {
    flux::documents(delivery)
}

/// The documents for Argo CD: an AppProject that allows this repository and these namespaces only, and one Application for
/// each environment. Those without automatic promotion are synced by a person.
#[must_use]
pub fn argo_cd(delivery: &Delivery) -> Vec<Value> {
    argo::documents(delivery)
}

/// The same Applications as one ApplicationSet with a list generator.
#[must_use]
pub fn argo_cd_set(delivery: &Delivery) -> Value {
    argo::application_set(delivery)
}
