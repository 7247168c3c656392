use std::collections::{BTreeMap, BTreeSet};

use lotse_gitops_manifest::Object;

use super::Rule;
use crate::Error;

/// How objects are brought to a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Deploy {
    /// `kubectl apply`
    Apply,
    /// `kubectl apply --server-side`, which Flux and Argo CD do too; a dry run on the server needs the same.
    ServerSideApply,
    /// `kubectl create`
    Create,
    /// `kubectl replace`
    Replace,
    /// `kubectl delete --wait=false`
    Delete,
}

/// How an object stands before it is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "an object is there or not, and equal or not")]
pub enum Before {
    /// It is not there.
    Absent,
    /// It is there as it should be.
    Present,
    /// It is there, and differs.
    Changed,
}

impl Deploy {
    /// The verbs that one object needs, and no others: as a real API server v1.36 asks for them.
    #[must_use]
    pub fn verbs(self, before: Before) -> &'static [&'static str] {
        match (self, before) {
            (Self::Apply, Before::Absent) => &["create", "get"],
            (Self::Apply, Before::Present) => &["get"],
            (Self::Apply, Before::Changed) => &["get", "patch"],
            (Self::ServerSideApply, Before::Absent) => &["create", "patch"],
            (Self::ServerSideApply, Before::Present | Before::Changed) => &["patch"],
            (Self::Create, _) => &["create"],
            (Self::Replace, _) => &["update"],
            (Self::Delete, _) => &["delete"],
        }
    }
}

/// The smallest rules with which a set of manifests can be deployed again and again, by namespace (`None`: rules of a
/// ClusterRole). Every verb but `create` is bound to the names of the objects.
///
/// Who deploys roles needs what they grant too, or `escalate` and `bind`; see [`super::Rbac::may_grant`].
///
/// # Errors
/// [`Error::UnknownKind`] for a kind whose plural name this crate does not know.
pub fn deployer_rules(objects: &[Object], way: Deploy) -> Result<BTreeMap<Option<String>, Vec<Rule>>, Error> {
    type Names = BTreeSet<String>;
    let mut needed: BTreeMap<Option<String>, BTreeMap<(String, &str), Names>> = BTreeMap::new();
    for object in objects {
        let (resource, namespaced) = resource(object)?;
        let namespace = namespaced.then(|| object.namespace().unwrap_or("default").to_owned());
        let names =
            needed.entry(namespace).or_default().entry((object.group().to_owned(), resource)).or_default();
        names.insert(object.name().to_owned());
    }
    let states: &[Before] = match way {
        Deploy::Apply | Deploy::ServerSideApply => &[Before::Absent, Before::Changed],
        Deploy::Create => &[Before::Absent],
        Deploy::Replace | Deploy::Delete => &[Before::Present],
    };
    let verbs: BTreeSet<&str> = states.iter().flat_map(|before| way.verbs(*before)).copied().collect();
    let rules = |resources: BTreeMap<(String, &str), Names>| {
        let mut rules = Vec::new();
        for ((group, resource), names) in resources {
            let (free, bound): (Vec<&str>, Vec<&str>) = verbs.iter().partition(|verb| **verb == "create");
            for (verbs, names) in [(free, Names::new()), (bound, names)] {
                if !verbs.is_empty() {
                    rules.push(Rule {
                        verbs: verbs.into_iter().map(str::to_owned).collect(),
                        api_groups: vec![group.clone()],
                        resources: vec![resource.to_owned()],
                        resource_names: names.into_iter().collect(),
                        non_resource_urls: Vec::new(),
                    });
                }
            }
        }
        rules
    };
    Ok(needed.into_iter().map(|(namespace, resources)| (namespace, rules(resources))).collect())
}

/// Group, kind, plural name, and whether objects of it live in a namespace.
const KINDS: [(&str, &str, &str, bool); 45] = [
    ("", "ConfigMap", "configmaps", true),
    ("", "Endpoints", "endpoints", true),
    ("", "LimitRange", "limitranges", true),
    ("", "Namespace", "namespaces", false),
    ("", "PersistentVolume", "persistentvolumes", false),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims", true),
    ("", "Pod", "pods", true),
    ("", "PodTemplate", "podtemplates", true),
    ("", "ReplicationController", "replicationcontrollers", true),
    ("", "ResourceQuota", "resourcequotas", true),
    ("", "Secret", "secrets", true),
    ("", "Service", "services", true),
    ("", "ServiceAccount", "serviceaccounts", true),
    ("apps", "DaemonSet", "daemonsets", true),
    ("apps", "Deployment", "deployments", true),
    ("apps", "ReplicaSet", "replicasets", true),
    ("apps", "StatefulSet", "statefulsets", true),
    ("batch", "CronJob", "cronjobs", true),
    ("batch", "Job", "jobs", true),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", true),
    ("networking.k8s.io", "Ingress", "ingresses", true),
    ("networking.k8s.io", "IngressClass", "ingressclasses", false),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", true),
    ("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", false),
    ("rbac.authorization.k8s.io", "Role", "roles", true),
    ("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", true),
    ("scheduling.k8s.io", "PriorityClass", "priorityclasses", false),
    ("storage.k8s.io", "StorageClass", "storageclasses", false),
    ("monitoring.coreos.com", "PrometheusRule", "prometheusrules", true),
    ("monitoring.coreos.com", "ServiceMonitor", "servicemonitors", true),
    ("external-secrets.io", "ExternalSecret", "externalsecrets", true),
    ("external-secrets.io", "SecretStore", "secretstores", true),
    ("cert-manager.io", "Certificate", "certificates", true),
    ("cert-manager.io", "Issuer", "issuers", true),
    ("velero.io", "Schedule", "schedules", true),
    ("source.toolkit.fluxcd.io", "OCIRepository", "ocirepositories", true),
    ("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories", true),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations", true),
    ("helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases", true),
    ("argoproj.io", "Application", "applications", true),
    ("argoproj.io", "ApplicationSet", "applicationsets", true),
    ("argoproj.io", "AppProject", "appprojects", true),
    ("policy.sigstore.dev", "ClusterImagePolicy", "clusterimagepolicies", false),
];

fn resource(object: &Object) -> Result<(&'static str, bool), Error> {
    let found = KINDS.iter().find(|(group, kind, ..)| *group == object.group() && *kind == object.kind());
    found.map(|(_, _, resource, namespaced)| (*resource, *namespaced)).ok_or_else(|| Error::UnknownKind {
        api_version: object.api_version().to_owned(),
        kind: object.kind().to_owned(),
    })
}
