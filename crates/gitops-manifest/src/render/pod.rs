use lotse_yaml::{Map, Value, value};

use super::{labels, selector};
use crate::application::{Application, Component, Probes, SecretSource};

/// How long a pod answers after it was told to stop: endpoints take a moment to forget it.
const DRAIN_SECONDS: u32 = 10;
/// How long a pod may take to stop, the drain included.
const GRACE_SECONDS: u32 = 40;

/// Who a pod is for: its labels, and whether it ends by itself.
pub(super) struct Role<'a> {
    /// The component label.
    pub(super) label: &'a str,
    /// Arguments, if not the component's.
    pub(super) args: Option<&'a [String]>,
    /// Whether the pod runs to its end.
    pub(super) is_job: bool,
}

/// The pod template of a component, hardened for the Pod Security Standard "restricted".
pub(super) fn template(application: &Application, component: &Component, role: &Role<'_>) -> Value {
    let mut metadata = Map::new();
    metadata.insert("labels", labels(application, role.label));
    let vault = matches!(application.platform.secrets, SecretSource::VaultAgent { .. })
        && !component.secrets.is_empty();
    if vault {
        metadata.insert("annotations", vault_annotations(application, component, role.is_job));
    }
    let (user, group) = component.user;
    let mut spec = Map::new();
    spec.insert("serviceAccountName", application.object_name(&component.name));
    spec.insert("automountServiceAccountToken", vault);
    spec.insert("enableServiceLinks", false);
    if role.is_job {
        spec.insert("restartPolicy", "Never");
    } else {
        spec.insert("terminationGracePeriodSeconds", GRACE_SECONDS);
        if component.replicas.min > 1 {
            spec.insert("topologySpreadConstraints", vec![spread(application, component)]);
        }
    }
    spec.insert(
        "securityContext",
        value!({
            "runAsNonRoot": true,
            "runAsUser": user,
            "runAsGroup": group,
            "fsGroup": group,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": { "type": "RuntimeDefault" },
        }),
    );
    spec.insert("containers", vec![container(application, component, role)]);
    let volumes =
        scratch(component).map(|(name, _)| value!({ "name": name, "emptyDir": { "sizeLimit": "64Mi" } }));
    let volumes: Vec<Value> = volumes.collect();
    if !volumes.is_empty() {
        spec.insert("volumes", volumes);
    }
    value!({ "metadata": metadata, "spec": spec })
}

fn container(application: &Application, component: &Component, role: &Role<'_>) -> Value {
    let mut container = Map::new();
    container.insert("name", role.label);
    container.insert("image", component.image.to_string());
    container.insert("imagePullPolicy", "IfNotPresent");
    if !component.command.is_empty() {
        container.insert("command", component.command.as_slice());
    }
    let args = role.args.unwrap_or(&component.args);
    if !args.is_empty() {
        container.insert("args", args);
    }
    if !role.is_job && !component.ports.is_empty() {
        let port = |(name, port): &(String, u16)| value!({ "name": name, "containerPort": *port, "protocol": "TCP" });
        container.insert("ports", component.ports.iter().map(port).collect::<Vec<_>>());
    }
    let env: Vec<Value> =
        component.env.iter().map(|(name, text)| value!({ "name": name, "value": text })).collect();
    if !env.is_empty() {
        container.insert("env", env);
    }
    if matches!(application.platform.secrets, SecretSource::ExternalSecrets { .. })
        && !component.secrets.is_empty()
    {
        let name = application.object_name(&component.name);
        container.insert("envFrom", value!([{ "secretRef": { "name": name } }]));
    }
    if !role.is_job {
        probes(component, &mut container);
        if !component.ports.is_empty() {
            container.insert("lifecycle", value!({ "preStop": { "sleep": { "seconds": DRAIN_SECONDS } } }));
        }
    }
    let quantities = |quantities: &std::collections::BTreeMap<String, String>| {
        quantities.iter().map(|(name, quantity)| (name.clone(), Value::from(quantity))).collect::<Vec<_>>()
    };
    let mut resources = Map::new();
    for (name, values) in [
        ("requests", quantities(&component.resources.requests)),
        ("limits", quantities(&component.resources.limits)),
    ] {
        let mut map = Map::new();
        for (resource, quantity) in values {
            map.insert(resource, quantity);
        }
        if !map.is_empty() {
            resources.insert(name, map);
        }
    }
    container.insert("resources", resources);
    container.insert(
        "securityContext",
        value!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": { "drop": ["ALL"] },
        }),
    );
    let volumes = persistent(component).filter(|_| !role.is_job);
    let mounts: Vec<Value> = scratch(component)
        .chain(volumes)
        .map(|(name, path)| value!({ "name": name, "mountPath": path }))
        .collect();
    if !mounts.is_empty() {
        container.insert("volumeMounts", mounts);
    }
    Value::Object(container)
}

fn probes(component: &Component, container: &mut Map) {
    let with = |handler: Value, period: u32, failures: u32| {
        let mut probe = handler.as_object().cloned().unwrap_or_default();
        probe.insert("periodSeconds", period);
        probe.insert("timeoutSeconds", 3u32);
        probe.insert("failureThreshold", failures);
        Value::Object(probe)
    };
    let (handler, alive) = match &component.probes {
        Probes::None => return,
        Probes::Tcp(port) => (value!({ "tcpSocket": { "port": *port } }), false),
        Probes::Http { path, port } => (value!({ "httpGet": { "path": path, "port": *port } }), true),
        Probes::Exec(command) => {
            let handler = value!({ "exec": { "command": command.as_slice() } });
            container.insert("livenessProbe", with(handler, 30, 3));
            return;
        }
    };
    container.insert("startupProbe", with(handler.clone(), 5, 30));
    container.insert("readinessProbe", with(handler.clone(), 5, 3));
    if alive {
        // Slower to act than readiness: a pod that is merely busy leaves the Service before it is killed.
        container.insert("livenessProbe", with(handler, 10, 6));
    }
}

fn spread(application: &Application, component: &Component) -> Value {
    value!({
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": { "matchLabels": selector(application, &component.name) },
    })
}

fn scratch(component: &Component) -> impl Iterator<Item = (String, &str)> {
    component.scratch.iter().enumerate().map(|(number, path)| (format!("scratch-{number}"), path.as_str()))
}

/// Names of the persistent volumes with their paths; the StatefulSet claims them under these names.
pub(super) fn persistent(component: &Component) -> impl Iterator<Item = (String, &str)> {
    component.volumes.iter().enumerate().map(|(number, (path, _))| (format!("data-{number}"), path.as_str()))
}

fn vault_annotations(application: &Application, component: &Component, is_job: bool) -> Value {
    let SecretSource::VaultAgent { role } = &application.platform.secrets else { return Value::Null };
    let mut annotations = Map::new();
    annotations.insert("vault.hashicorp.com/agent-inject", "true");
    annotations.insert("vault.hashicorp.com/role", role.as_str());
    // A job must end: without this its agent would run on beside it.
    annotations.insert("vault.hashicorp.com/agent-pre-populate-only", if is_job { "true" } else { "false" });
    for (number, secret) in component.secrets.iter().enumerate() {
        let file = format!("secret-{number}.env");
        annotations.insert(format!("vault.hashicorp.com/agent-inject-secret-{file}"), secret.path.as_str());
        // Version 2 of the key-value engine nests its values once more.
        let data = if secret.path.contains("/data/") { ".Data.data" } else { ".Data" };
        let lines = secret.keys.iter().map(|(variable, key)| format!("{variable}={{{{ {data}.{key} }}}}\n"));
        let template =
            format!("{{{{ with secret \"{}\" }}}}{}{{{{ end }}}}", secret.path, lines.collect::<String>());
        annotations.insert(format!("vault.hashicorp.com/agent-inject-template-{file}"), template);
    }
    Value::Object(annotations)
}
