use std::collections::BTreeMap;

use lotse_digest::Reference;
use lotse_gitops_manifest::{Replicas, Resources};

/// What `lotse.yaml` says, read and checked. Plain data; made by [`Spec::parse`].
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The file, as the caller called it.
    pub file: String,
    /// The name of the application.
    pub name: String,
    /// The version, if one is given.
    pub version: Option<String>,
    /// Where the Git repository is.
    pub source: Option<String>,
    /// Who answers for the SBOM.
    pub author: String,
    /// Registry and path of the images.
    pub registry: String,
    /// The acts that people decided apply.
    pub regimes: Vec<String>,
    /// What the cluster offers.
    pub platform: PlatformSpec,
    /// What runs, in the order of the file, `extends` resolved.
    pub components: Vec<ComponentSpec>,
    /// What is talked to beyond the application.
    pub outside: Vec<OutsideSpec>,
    /// Service level objectives.
    pub slos: Vec<SloSpec>,
    /// Files with more rules.
    pub alerts: Vec<String>,
    /// Feature flags.
    pub flags: Vec<FlagSpec>,
    /// Where it runs.
    pub environments: Vec<EnvironmentSpec>,
    /// What a release must pass.
    pub gate: GateSpec,
    /// Line and column of every scalar and key, by JSON pointer.
    pub(crate) places: BTreeMap<String, (usize, usize)>,
}

/// What the cluster offers. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformSpec {
    /// Where secrets come from.
    pub secrets: SecretStore,
    /// How traffic comes in.
    pub ingress: Option<IngressSpec>,
    /// The namespace of Prometheus.
    pub monitoring: Option<String>,
    /// The namespace of Velero.
    pub backup: Option<String>,
    /// The repository that Flux or Argo CD watches.
    pub gitops: Option<String>,
}

/// Where secrets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretStore {
    /// The Vault agent, under this role.
    VaultAgent(String),
    /// The External Secrets Operator, from this ClusterSecretStore.
    ExternalSecrets(String),
}

/// How traffic comes in. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngressSpec {
    /// The IngressClass.
    pub class: String,
    /// The namespace of the controller.
    pub namespace: String,
    /// The ClusterIssuer.
    pub issuer: String,
}

/// A component, `extends` resolved. Plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentSpec {
    /// The name.
    pub name: String,
    /// The component it extends.
    pub extends: Option<String>,
    /// Where its image comes from; an extending component has the other's.
    pub image: ImageSource,
    /// The entrypoint.
    pub command: Vec<String>,
    /// The arguments.
    pub args: Vec<String>,
    /// Ports by name, in the order of the file.
    pub ports: Vec<(String, u16)>,
    /// The host.
    pub host: Option<String>,
    /// How its health is asked.
    pub probes: Option<ProbesSpec>,
    /// The path of its metrics.
    pub metrics: Option<String>,
    /// Directories that need not last.
    pub scratch: Vec<String>,
    /// Directories that last, with their size.
    pub volumes: Vec<(String, String)>,
    /// Whether the volumes are backed up.
    pub backup: bool,
    /// How many pods, if said.
    pub replicas: Option<Replicas>,
    /// What it needs and may use.
    pub resources: Option<Resources>,
    /// User and group, if said.
    pub user: Option<(u32, u32)>,
    /// Whom it talks to.
    pub connections: Vec<ConnectionSpec>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Secrets by path.
    pub secrets: Vec<SecretSpec>,
    /// When it runs.
    pub schedule: Option<String>,
    /// Changes of the database.
    pub migrations: Option<MigrationsSpec>,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageSource {
    /// It exists, pinned.
    Existing(Reference),
    /// It is built.
    Build(Build),
    /// It is another component's.
    Of(String),
}

/// How an image is built. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The base, pinned.
    pub base: Reference,
    /// What is copied, and where to: path below the application, path in the image.
    pub copy: Vec<(String, String)>,
}

/// How health is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbesSpec {
    /// A path on the first port.
    Http(String),
    /// A command.
    Exec(Vec<String>),
}

/// An allowed connection. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionSpec {
    /// The component or outside.
    pub to: String,
    /// Its port by name, if it has several.
    pub port: Option<String>,
}

/// Secrets of one path. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSpec {
    /// The path in the store.
    pub path: String,
    /// Variable and key.
    pub keys: BTreeMap<String, String>,
    /// How long a value is good for: the rotation or the lease.
    pub lifetime: String,
}

/// Changes of the database. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationsSpec {
    /// `laravel` or `sql`.
    pub tool: String,
    /// `mysql`, `mariadb`, `postgres` or `sqlite`.
    pub engine: String,
    /// The directory with `expand/` and `contract/`.
    pub path: String,
    /// The component that is the database.
    pub database: String,
    /// Seeders.
    pub seed: Vec<String>,
    /// The last migration that every environment has already, by its file name.
    pub applied: Option<String>,
    /// How many earlier releases must still be able to run.
    pub rollback: u32,
}

/// Something beyond the application. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideSpec {
    /// The name.
    pub name: String,
    /// The port.
    pub port: u16,
    /// What it is.
    pub target: OutsideTarget,
    /// Components that it talks to.
    pub connections: Vec<ConnectionSpec>,
}

/// What something beyond the application is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutsideTarget {
    /// Addresses, with the name that people know.
    Addresses {
        /// The name.
        host: Option<String>,
        /// The blocks.
        blocks: Vec<String>,
    },
    /// Pods of another namespace.
    Pods {
        /// The namespace.
        namespace: String,
        /// Their labels.
        labels: BTreeMap<String, String>,
    },
}

/// A service level objective. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SloSpec {
    /// The name.
    pub name: String,
    /// The component.
    pub of: String,
    /// Percent of good requests.
    pub objective: String,
    /// Days.
    pub window_days: u32,
}

/// A feature flag. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagSpec {
    /// The name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Whom it may be switched for.
    pub scopes: Vec<String>,
    /// The day by which it is gone.
    pub sunset: String,
}

/// An environment. Plain data.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentSpec {
    /// The name.
    pub name: String,
    /// Whether a release gets there by itself.
    pub automatic: bool,
    /// Who approves.
    pub approvers: Vec<String>,
    /// The namespace.
    pub namespace: String,
    /// What differs here, by component.
    pub components: BTreeMap<String, OverrideSpec>,
}

/// What differs in an environment. Plain data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverrideSpec {
    /// Another host.
    pub host: Option<String>,
    /// Another number of pods.
    pub replicas: Option<Replicas>,
    /// Other resources.
    pub resources: Option<Resources>,
    /// Other or more variables.
    pub env: BTreeMap<String, String>,
}

/// What a release must pass. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateSpec {
    /// The severity from which a vulnerability counts.
    pub vulnerabilities: String,
    /// How many may pass.
    pub count: usize,
    /// The directory of OSV records.
    pub advisories: Option<String>,
    /// OpenVEX documents.
    pub vex: Vec<String>,
    /// Accepted risks.
    pub allow: Vec<AllowSpec>,
}

/// An accepted risk. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowSpec {
    /// The advisory or rule.
    pub id: String,
    /// The component.
    pub component: String,
    /// Why.
    pub reason: String,
    /// The last day.
    pub expires: String,
    /// Who decided.
    pub added_by: String,
}

impl Spec {
    /// The component with this name.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&ComponentSpec> {
        self.components.iter().find(|component| component.name == name)
    }

    /// The components whose images are built, in the order of the file.
    pub fn builds(&self) -> impl Iterator<Item = (&ComponentSpec, &Build)> {
        self.components.iter().filter_map(|component| match &component.image {
            ImageSource::Build(build) => Some((component, build)),
            _ => None,
        })
    }

    /// Line and column of what stands at a JSON pointer, or at the nearest place above it.
    #[must_use]
    pub fn place(&self, pointer: &str) -> (usize, usize) {
        let mut pointer = pointer;
        loop {
            if let Some(place) = self.places.get(pointer) {
                return *place;
            }
            match pointer.rsplit_once('/') {
                Some((above, _)) => pointer = above,
                None => return (1, 1),
            }
        }
    }
}
