use lotse_yaml::{Map, Value, value};

use super::{Delivery, DeliveryEnvironment};

pub(super) fn documents(delivery: &Delivery) -> Vec<Value> {
    delivery
        .environments
        .iter()
        .flat_map(|environment| environment_documents(delivery, environment))
        .collect()
}

fn environment_documents(delivery: &Delivery, environment: &DeliveryEnvironment) -> Vec<Value> {
    let name = format!("{}-{}", delivery.application, environment.name);
    let mut documents = vec![value!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": { "name": &name, "namespace": "flux-system" },
        "spec": {
            "interval": "10m",
            "url": format!("oci://{}/{}-manifests", delivery.registry, delivery.application),
            "ref": { "digest": environment.artifact.to_string() },
            // Where a person approves, promotion is the change of this word in Git.
            "suspend": !environment.automatic,
        },
    })];
    let mut before: Option<String> = None;
    for stage in &environment.stages {
        let stage_name = format!(
            "{name}-{}",
            stage.trim_start_matches(|character: char| character.is_ascii_digit() || character == '-')
        );
        let mut spec = Map::new();
        spec.insert("interval", "10m");
        spec.insert("sourceRef", value!({ "kind": "OCIRepository", "name": &name }));
        spec.insert("path", format!("./{stage}"));
        spec.insert("prune", true);
        spec.insert("wait", true);
        spec.insert("timeout", "15m");
        if let Some(before) = &before {
            spec.insert("dependsOn", value!([{ "name": before }]));
        }
        documents.push(value!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": { "name": &stage_name, "namespace": "flux-system" },
            "spec": spec,
        }));
        before = Some(stage_name);
    }
    documents
}
