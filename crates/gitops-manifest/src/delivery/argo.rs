use lotse_yaml::{Map, Value, value};

use super::{Delivery, DeliveryEnvironment};

pub(super) fn documents(delivery: &Delivery) -> Vec<Value> {
    let mut documents = vec![project(delivery)];
    for environment in &delivery.environments {
        let name = format!("{}-{}", delivery.application, environment.name);
        documents.push(value!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": { "name": name, "namespace": "argocd" },
            "spec": spec(
                delivery,
                &environment.path,
                &environment.namespace,
                environment.automatic,
            ),
        }));
    }
    documents
}

/// Automatic and approved environments differ in a boolean, which a template cannot carry, so each kind has its own set.
pub(super) fn application_set(delivery: &Delivery) -> Value {
    let element = |environment: &DeliveryEnvironment| {
        value!({
            "environment": &environment.name,
            "namespace": &environment.namespace,
            "path": &environment.path,
            "automatic": if environment.automatic { "true" } else { "false" },
        })
    };
    let elements: Vec<Value> = delivery.environments.iter().map(element).collect();
    let patch = "{{- if eq .automatic \"true\" }}\nspec:\n  syncPolicy:\n    automated:\n      prune: true\n      selfHeal: true\n{{- end }}\n";
    value!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": { "name": &delivery.application, "namespace": "argocd" },
        "spec": {
            "goTemplate": true,
            "goTemplateOptions": ["missingkey=error"],
            // An entry that vanishes from the list must not take its running application with it.
            "syncPolicy": { "preserveResourcesOnDeletion": true, "applicationsSync": "create-update" },
            "generators": [{ "list": { "elements": elements } }],
            "template": {
                "metadata": { "name": format!("{}-{{{{ .environment }}}}", delivery.application) },
                "spec": spec(delivery, "{{ .path }}", "{{ .namespace }}", false),
            },
            "templatePatch": patch,
        },
    })
}

fn project(delivery: &Delivery) -> Value {
    let namespaces = delivery.environments.iter().map(|environment| &environment.namespace);
    let destinations = namespaces
        .chain(&delivery.other_namespaces)
        .map(|namespace| value!({ "server": "https://kubernetes.default.svc", "namespace": namespace }));
    value!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": { "name": &delivery.application, "namespace": "argocd" },
        "spec": {
            "sourceRepos": [&delivery.repository],
            "destinations": destinations.collect::<Vec<_>>(),
            "clusterResourceWhitelist": [{ "group": "", "kind": "Namespace" }],
            "namespaceResourceBlacklist": [
                { "group": "", "kind": "ResourceQuota" },
                { "group": "", "kind": "LimitRange" },
                { "group": "rbac.authorization.k8s.io", "kind": "Role" },
                { "group": "rbac.authorization.k8s.io", "kind": "RoleBinding" },
            ],
        },
    })
}

fn spec(delivery: &Delivery, path: &str, namespace: &str, automatic: bool) -> Map {
    let mut policy = Map::new();
    if automatic {
        policy.insert("automated", value!({ "prune": true, "selfHeal": true }));
    }
    policy.insert("syncOptions", vec!["ServerSideApply=true"]);
    let mut spec = Map::new();
    spec.insert("project", delivery.application.as_str());
    spec.insert(
        "source",
        value!({
            "repoURL": &delivery.repository,
            "targetRevision": "main",
            "path": path,
            "directory": { "recurse": true },
        }),
    );
    spec.insert(
        "destination",
        value!({ "server": "https://kubernetes.default.svc", "namespace": namespace }),
    );
    spec.insert("syncPolicy", policy);
    spec
}
