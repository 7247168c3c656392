use lotse_yaml::{Map, Value, value};

use super::pod::{Role, persistent, template};
use super::{job_name, labels, metadata, named, selector};
use crate::Error;
use crate::application::{Application, Component, Job, SecretSource, Stage, Workload};

/// Every document of a component.
pub(super) fn documents(application: &Application, component: &Component) -> Vec<Value> {
    let mut documents = vec![service_account(application, component)];
    if let Some(secret) = external_secret(application, component) {
        documents.push(secret);
    }
    documents.push(workload(application, component));
    if !component.ports.is_empty() {
        documents.push(service(application, component));
    }
    if let Some(max) = component.replicas.max {
        documents.push(autoscaler(application, component, max));
    }
    if component.replicas.min > 1 && !matches!(component.workload, Workload::CronJob { .. }) {
        documents.push(disruption_budget(application, component));
    }
    if let (Some(host), Some(ingress)) = (&component.host, &application.platform.ingress) {
        let name = application.object_name(&component.name);
        let secret = format!("{name}-tls");
        let port = component.ports.first().map_or("", |(port, _)| port.as_str());
        documents.push(value!({
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": metadata(application, &component.name),
            "spec": {
                "secretName": &secret,
                "dnsNames": [host],
                "issuerRef": { "name": &ingress.issuer, "kind": "ClusterIssuer" },
            },
        }));
        documents.push(value!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": metadata(application, &component.name),
            "spec": {
                "ingressClassName": &ingress.class,
                "tls": [{ "hosts": [host], "secretName": &secret }],
                "rules": [{
                    "host": host,
                    "http": { "paths": [{
                        "path": "/",
                        "pathType": "Prefix",
                        "backend": { "service": { "name": &name, "port": { "name": port } } },
                    }] },
                }],
            },
        }));
    }
    if component.early {
        for document in &mut documents {
            wave(document, "-15");
        }
    }
    documents
}

/// Orders a document under Argo CD, unless it has its place already.
fn wave(document: &mut Value, wave: &str) {
    let Some(metadata) = document.pointer_mut("/metadata").and_then(Value::as_object_mut) else { return };
    if !metadata.contains_key("annotations") {
        metadata.insert("annotations", value!({ "argocd.argoproj.io/sync-wave": wave }));
    }
}

/// The Job of a release. Its annotations order it under Helm and Argo CD; elsewhere its file does.
pub(super) fn job(application: &Application, job: &Job) -> Result<Value, Error> {
    let component = application.component(&job.component).ok_or_else(|| Error::Caller {
        what: format!("job {:?} is for component {:?}", job.name, job.component),
        advice: "name a component of the application",
    })?;
    let (helm, argo, weight, wave) = match job.stage {
        Stage::BeforeRollout => ("pre-install,pre-upgrade", "Sync", "10", "-10"),
        Stage::AfterRollout => ("post-install,post-upgrade", "PostSync", "15", "10"),
    };
    let mut metadata = named(application, &job_name(application, job), &job.name);
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert(
            "annotations",
            value!({
                "helm.sh/hook": helm,
                "helm.sh/hook-weight": weight,
                "helm.sh/hook-delete-policy": "before-hook-creation",
                "argocd.argoproj.io/hook": argo,
                "argocd.argoproj.io/sync-wave": wave,
                "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
            }),
        );
    }
    let role = Role { label: &job.name, args: Some(&job.args), is_job: true };
    Ok(value!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 900,
            "ttlSecondsAfterFinished": 604_800,
            "template": template(application, component, &role),
        },
    }))
}

fn service_account(application: &Application, component: &Component) -> Value {
    let mut metadata = metadata(application, &component.name);
    // Jobs that run before the rollout need it as well: under Argo CD it comes first.
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("annotations", value!({ "argocd.argoproj.io/sync-wave": "-20" }));
    }
    value!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata,
        "automountServiceAccountToken": false,
    })
}

fn external_secret(application: &Application, component: &Component) -> Option<Value> {
    let SecretSource::ExternalSecrets { store } = &application.platform.secrets else { return None };
    let shortest = component.secrets.iter().min_by_key(|secret| seconds(&secret.lifetime))?;
    let mut data = Vec::new();
    for secret in &component.secrets {
        for (variable, key) in &secret.keys {
            data.push(
                value!({ "secretKey": variable, "remoteRef": { "key": &secret.path, "property": key } }),
            );
        }
    }
    let mut metadata = metadata(application, &component.name);
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("annotations", value!({ "argocd.argoproj.io/sync-wave": "-20" }));
    }
    Some(value!({
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": metadata,
        "spec": {
            "refreshInterval": format!("{}h", (seconds(&shortest.lifetime) / 3600).clamp(1, 24)),
            "secretStoreRef": { "name": store, "kind": "ClusterSecretStore" },
            "target": { "name": application.object_name(&component.name), "creationPolicy": "Owner" },
            "data": data,
        },
    }))
}

/// Seconds of a duration such as `90d`, `1h`, `30m`; 0 if it is none.
fn seconds(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let unit = match unit {
        "d" => 86_400,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => 0,
    };
    number.parse::<u64>().unwrap_or(0).saturating_mul(unit)
}

fn workload(application: &Application, component: &Component) -> Value {
    let role = Role {
        label: &component.name,
        args: None,
        is_job: matches!(component.workload, Workload::CronJob { .. }),
    };
    let template = template(application, component, &role);
    let mut spec = Map::new();
    let (api, kind) = match &component.workload {
        Workload::Deployment => {
            // With an autoscaler the number of pods is not ours to say: Git and autoscaler would fight.
            if component.replicas.max.is_none() {
                spec.insert("replicas", component.replicas.min);
            }
            spec.insert("revisionHistoryLimit", 5);
            spec.insert("minReadySeconds", 5);
            spec.insert(
                "strategy",
                value!({
                    "type": "RollingUpdate",
                    "rollingUpdate": { "maxUnavailable": 0, "maxSurge": "25%" },
                }),
            );
            ("apps/v1", "Deployment")
        }
        Workload::StatefulSet => {
            spec.insert("replicas", component.replicas.min);
            spec.insert("serviceName", application.object_name(&component.name));
            spec.insert("updateStrategy", value!({ "type": "RollingUpdate" }));
            ("apps/v1", "StatefulSet")
        }
        Workload::CronJob { schedule } => {
            return value!({
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "metadata": metadata(application, &component.name),
                "spec": {
                    "schedule": schedule,
                    "timeZone": "Etc/UTC",
                    "concurrencyPolicy": "Forbid",
                    "startingDeadlineSeconds": 60,
                    "successfulJobsHistoryLimit": 1,
                    "failedJobsHistoryLimit": 3,
                    "jobTemplate": {
                        "metadata": { "labels": labels(application, &component.name) },
                        "spec": { "backoffLimit": 0, "activeDeadlineSeconds": 3600, "template": template },
                    },
                },
            });
        }
    };
    spec.insert("selector", value!({ "matchLabels": selector(application, &component.name) }));
    spec.insert("template", template);
    if component.workload == Workload::StatefulSet {
        let sizes = component.volumes.iter().map(|(_, size)| size);
        let claim = |((name, _), size): ((String, &str), &String)| {
            value!({
                "metadata": { "name": name, "labels": selector(application, &component.name) },
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": { "requests": { "storage": size } },
                },
            })
        };
        spec.insert("volumeClaimTemplates", persistent(component).zip(sizes).map(claim).collect::<Vec<_>>());
    }
    value!({ "apiVersion": api, "kind": kind, "metadata": metadata(application, &component.name), "spec": spec })
}

fn service(application: &Application, component: &Component) -> Value {
    let port = |(name, port): &(String, u16)| value!({ "name": name, "port": *port, "targetPort": name, "protocol": "TCP" });
    value!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(application, &component.name),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(application, &component.name),
            "ports": component.ports.iter().map(port).collect::<Vec<_>>(),
        },
    })
}

fn autoscaler(application: &Application, component: &Component, max: u32) -> Value {
    let metric = |name: &str, percent: u32| {
        value!({
            "type": "Resource",
            "resource": { "name": name, "target": { "type": "Utilization", "averageUtilization": percent } },
        })
    };
    let metrics: Vec<Value> = [("cpu", component.replicas.cpu), ("memory", component.replicas.memory)]
        .into_iter()
        .filter_map(|(name, percent)| percent.map(|percent| metric(name, percent)))
        .collect();
    value!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(application, &component.name),
        "spec": {
            "scaleTargetRef": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "name": application.object_name(&component.name),
            },
            "minReplicas": component.replicas.min,
            "maxReplicas": max,
            "metrics": metrics,
        },
    })
}

fn disruption_budget(application: &Application, component: &Component) -> Value {
    value!({
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(application, &component.name),
        "spec": {
            "maxUnavailable": 1,
            "selector": { "matchLabels": selector(application, &component.name) },
        },
    })
}
