//! The documents that make Flux or Argo CD deliver, and the artifact that Flux takes.

use std::collections::BTreeMap;

use lotse_digest::Digest;
use lotse_gitops_manifest::{Delivery, DeliveryEnvironment, Manifests, argo_cd, argo_cd_set, flux};
use lotse_oci::{ArtifactBuilder, Compression, FileTree, LayerOptions, Layout};
use lotse_yaml::{Value, to_yaml_stream};

use crate::{Error, Spec};

const CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
const CONTENT: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
/// Where the files of a stage go, by the first character of their names.
const STAGES: [(&str, &[char]); 3] =
    [("10-before", &['0', '1']), ("20-workloads", &['2', '4']), ("30-after", &['3'])];

/// The files for Flux and for Argo CD, by name.
pub(crate) fn files(
    spec: &Spec,
    environments: &BTreeMap<String, Manifests>,
    layout: &Layout,
    revision: &str,
) -> Result<BTreeMap<String, String>, Error> {
    let mut delivered = Vec::new();
    for environment in &spec.environments {
        let Some(manifests) = environments.get(&environment.name) else { continue };
        let staged = staged(manifests);
        let artifact = artifact(spec, &environment.name, &staged, layout, revision)?;
        delivered.push(DeliveryEnvironment {
            name: environment.name.clone(),
            namespace: environment.namespace.clone(),
            automatic: environment.automatic,
            path: format!("{}/{}", spec.name, environment.name),
            artifact,
            stages: STAGES
                .iter()
                .map(|(stage, _)| (*stage).to_owned())
                .filter(|stage| staged.keys().any(|path| path.starts_with(stage.as_str())))
                .collect(),
        });
    }
    let repository = spec.platform.gitops.clone().or_else(|| spec.source.clone()).unwrap_or_default();
    let delivery = Delivery {
        application: spec.name.clone(),
        registry: spec.registry.clone(),
        repository,
        other_namespaces: spec.platform.backup.iter().cloned().collect(),
        environments: delivered,
    };
    let mut files = BTreeMap::from([("flux/delivery.yaml".to_owned(), to_yaml_stream(&flux(&delivery)))]);
    if !delivery.repository.is_empty() {
        files.insert("argocd/applications.yaml".to_owned(), to_yaml_stream(&argo_cd(&delivery)));
        files.insert("argocd/applicationset.yaml".to_owned(), to_yaml_stream(&[argo_cd_set(&delivery)]));
    }
    Ok(files)
}

fn staged(manifests: &Manifests) -> BTreeMap<String, String> {
    let stage = |file: &str| {
        let first = file.chars().next().unwrap_or('2');
        STAGES.iter().find(|(_, firsts)| firsts.contains(&first)).map_or("20-workloads", |(stage, _)| stage)
    };
    let mut files = BTreeMap::new();
    for (file, documents) in manifests.files() {
        // Jobs before the rollout need the service accounts and secrets of their components.
        let (early, late): (Vec<&Value>, Vec<&Value>) =
            documents.iter().partition(|document| is_early(document));
        for (name, documents) in [("00-base", early), (stage(file), late)] {
            if !documents.is_empty() {
                let name = format!("{name}/{file}");
                let text = to_yaml_stream(documents);
                files
                    .entry(name)
                    .and_modify(|before: &mut String| before.push_str(&format!("---\n{text}")))
                    .or_insert(text);
            }
        }
    }
    files
}

fn is_early(document: &Value) -> bool {
    matches!(document.get("kind").and_then(Value::as_str), Some("ServiceAccount" | "ExternalSecret"))
}

/// The manifests of an environment as the artifact that Flux' OCIRepository takes.
fn artifact(
    spec: &Spec,
    environment: &str,
    files: &BTreeMap<String, String>,
    layout: &Layout,
    revision: &str,
) -> Result<Digest, Error> {
    let mut tree = FileTree::new();
    for (path, text) in files {
        tree.file(path, text.clone().into_bytes())?;
    }
    let tag = format!("{}-manifests-{environment}", spec.name);
    let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0))?;
    let artifact = ArtifactBuilder::with_config(CONFIG, b"{}")
        .layer(&layer.descriptor, CONTENT)
        .annotation("org.opencontainers.image.revision", revision);
    Ok(artifact.write(layout, Some(&tag))?.digest)
}
