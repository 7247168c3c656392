use std::collections::BTreeMap;

use lotse_digest::Reference;
use lotse_yaml::Value;

/// One application in one environment, as plain data: what [`render`](crate::render) turns into documents.
///
/// Whoever fills it has decided everything already; rendering adds no choice of its own that could weaken something.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// The name, a DNS label; prefix of every object.
    pub name: String,
    /// The namespace everything lives in.
    pub namespace: String,
    /// The environment, such as `production`.
    pub environment: String,
    /// The commit that is released; jobs are named after it.
    pub revision: String,
    /// The workloads.
    pub components: Vec<Component>,
    /// Jobs of this release, such as migrations.
    pub jobs: Vec<Job>,
    /// What the cluster offers.
    pub platform: Platform,
    /// Service level objectives.
    pub slos: Vec<Slo>,
    /// Feature flags.
    pub flags: Vec<Flag>,
    /// More documents, written as they are, such as rules kept by hand.
    pub extra: Vec<Value>,
}

/// What the cluster offers. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// Where secrets come from.
    pub secrets: SecretSource,
    /// How traffic comes in; `None` if nothing has a host.
    pub ingress: Option<Ingress>,
    /// The namespace Velero watches; `None` if backups are made otherwise.
    pub backup_namespace: Option<String>,
}

/// How secrets get into pods.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretSource {
    /// The Vault agent injects files; the pod authenticates with this role.
    VaultAgent {
        /// The role at Vault's Kubernetes authentication.
        role: String,
    },
    /// The External Secrets Operator fills a Secret from this ClusterSecretStore.
    ExternalSecrets {
        /// The name of the ClusterSecretStore.
        store: String,
    },
}

/// How traffic comes in. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// The IngressClass.
    pub class: String,
    /// cert-manager's ClusterIssuer.
    pub issuer: String,
}

/// A workload. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The name, a DNS label.
    pub name: String,
    /// What kind of workload it is.
    pub workload: Workload,
    /// The image with tag and digest.
    pub image: Reference,
    /// The entrypoint, if not the image's.
    pub command: Vec<String>,
    /// The arguments, if not the image's.
    pub args: Vec<String>,
    /// Variables, by name.
    pub env: BTreeMap<String, String>,
    /// Ports by name, in the order in which they were declared.
    pub ports: Vec<(String, u16)>,
    /// The host it answers to from outside.
    pub host: Option<String>,
    /// How its health is asked.
    pub probes: Probes,
    /// The path its metrics are at, on the first port.
    pub metrics: Option<String>,
    /// What it needs and may use.
    pub resources: Resources,
    /// How many there are.
    pub replicas: Replicas,
    /// Persistent directories: path and size.
    pub volumes: Vec<(String, String)>,
    /// Writable directories that live as long as the pod.
    pub scratch: Vec<String>,
    /// Secrets by reference.
    pub secrets: Vec<SecretUse>,
    /// User and group that the processes run as, never 0.
    pub user: (u32, u32),
    /// Whether its volumes are backed up every day.
    pub backup: bool,
    /// Whether jobs before the rollout need it, as a database: then it is applied before them.
    pub early: bool,
}

/// What kind of workload a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Workload {
    /// Pods that are all the same.
    Deployment,
    /// Pods with volumes of their own.
    StatefulSet,
    /// A job by the clock.
    CronJob {
        /// Five fields of cron, in UTC.
        schedule: String,
    },
}

/// A job that runs once for each release. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The name, a DNS label, without the application's.
    pub name: String,
    /// The component whose image, variables, secrets and user it has.
    pub component: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// When it runs.
    pub stage: Stage,
}

/// When a job of a release runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Before any pod of the new version starts.
    BeforeRollout,
    /// After every pod of the new version is ready.
    AfterRollout,
}

/// How the health of a component is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Probes {
    /// Nothing answers: no probe is rendered, and guardrails will say so for components with ports.
    None,
    /// An open TCP port means ready; there is no liveness probe, since it would say no more.
    Tcp(u16),
    /// A path on a port tells readiness and liveness.
    Http {
        /// The path.
        path: String,
        /// The port.
        port: u16,
    },
    /// A command tells liveness.
    Exec(Vec<String>),
}

/// What a component needs and may use, in Kubernetes' quantities. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Requested, by resource.
    pub requests: BTreeMap<String, String>,
    /// Limits, by resource.
    pub limits: BTreeMap<String, String>,
}

/// How many pods there are. Plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// At least, and without an autoscaler exactly.
    pub min: u32,
    /// At most; `None` without an autoscaler.
    pub max: Option<u32>,
    /// The utilisation of CPU that the autoscaler aims at, in percent.
    pub cpu: Option<u32>,
    /// The utilisation of memory that the autoscaler aims at, in percent.
    pub memory: Option<u32>,
}

/// Secrets of one path in the store. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// The path in the store.
    pub path: String,
    /// Variable and key in the store.
    pub keys: BTreeMap<String, String>,
    /// How long a value is good for before it is fetched anew, such as `1h` or `90d`.
    pub lifetime: String,
}

/// A service level objective over the requests of a component. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slo {
    /// The name, a DNS label.
    pub name: String,
    /// The component.
    pub of: String,
    /// Percent of good requests as decimal text, such as `99.9`.
    pub objective: String,
    /// The window in days.
    pub window_days: u32,
}

/// A feature flag (R16). Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Whom it may be switched for.
    pub scopes: Vec<String>,
    /// The date by which it is gone, `YYYY-MM-DD`.
    pub sunset: String,
}

impl Application {
    /// The name of an object of this application: `application-component`.
    #[must_use]
    pub fn object_name(&self, component: &str) -> String {
        format!("{}-{component}", self.name)
    }

    /// The address under which a component's Service is reached inside the namespace.
    #[must_use]
    pub fn address(&self, component: &str) -> String {
        self.object_name(component)
    }

    /// The labels by which pods of a component are selected.
    #[must_use]
    pub fn selector(&self, component: &str) -> [(&'static str, String); 2] {
        [("app.kubernetes.io/name", self.name.clone()), ("app.kubernetes.io/component", component.to_owned())]
    }

    /// The component with this name.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }
}
