//! From an application to the documents of plain Kubernetes.

mod operations;
mod pod;
mod workload;

use std::collections::BTreeMap;

use lotse_yaml::{Map, Value, to_yaml_stream, value};

use crate::Error;
use crate::application::{Application, Job, Stage};

/// Rendered documents by file, in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    files: BTreeMap<String, Vec<Value>>,
}

impl Manifests {
    /// Adds documents to a file. Files are applied in the order of their names.
    pub fn add(&mut self, file: &str, documents: Vec<Value>) {
        self.files.entry(file.to_owned()).or_default().extend(documents);
    }

    /// The files with their documents.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.files.iter().map(|(file, documents)| (file.as_str(), documents.as_slice()))
    }

    /// Every document, in order.
    pub fn documents(&self) -> impl Iterator<Item = &Value> {
        self.files.values().flatten()
    }

    /// The files as YAML. The same documents give the same bytes.
    #[must_use]
    pub fn to_yaml(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(file, documents)| (file.clone(), to_yaml_stream(documents))).collect()
    }
}

/// Renders an application for plain Kubernetes: `00-namespace`, `08-COMPONENT` (what the jobs need), `10-before` (jobs),
/// `20-COMPONENT`, `30-after` (jobs) and `40-operations`, each applied when the one before is done.
///
/// # Errors
///
/// [`Error::Unpinned`] for an image without digest; [`Error::Caller`] for a job of an unknown component, a user 0, or names
/// that are no DNS labels.
pub fn render(application: &Application) -> Result<Manifests, Error> {
    check(application)?;
    let mut manifests = Manifests::default();
    manifests.add("00-namespace.yaml", vec![namespace(application)]);
    for component in &application.components {
        let order = if component.early { "08" } else { "20" };
        manifests
            .add(&format!("{order}-{}.yaml", component.name), workload::documents(application, component));
    }
    for job in &application.jobs {
        let file = match job.stage {
            Stage::BeforeRollout => "10-before.yaml",
            Stage::AfterRollout => "30-after.yaml",
        };
        manifests.add(file, vec![workload::job(application, job)?]);
    }
    let operations = operations::documents(application)?;
    if !operations.is_empty() {
        manifests.add("40-operations.yaml", operations);
    }
    Ok(manifests)
}

fn check(application: &Application) -> Result<(), Error> {
    let names = application.components.iter().map(|component| &component.name);
    let jobs = application.jobs.iter().map(|job| &job.name);
    for name in names.chain(jobs).chain([&application.name, &application.namespace]) {
        if !is_dns_label(name) || application.object_name(name).len() > 52 {
            return Err(Error::Caller {
                what: format!("name {name:?}"),
                advice: "use lower-case letters, digits and dashes, at most 52 with the application's name",
            });
        }
    }
    for component in &application.components {
        if component.image.digest().is_none() {
            return Err(Error::Unpinned(component.image.to_string()));
        }
        if component.user.0 == 0 || component.user.1 == 0 {
            return Err(Error::Caller {
                what: format!("component {:?} runs as user or group 0", component.name),
                advice: "give the image a user that is not root",
            });
        }
    }
    Ok(())
}

pub(crate) fn is_dns_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty()
        && name.len() <= 63
        && name.bytes().all(inner)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

fn namespace(application: &Application) -> Value {
    let level = "pod-security.kubernetes.io";
    value!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": &application.namespace,
            "labels": {
                "app.kubernetes.io/part-of": &application.name,
                "lotse.dev/environment": &application.environment,
                (format!("{level}/enforce")): "restricted",
                (format!("{level}/enforce-version")): "latest",
                (format!("{level}/audit")): "restricted",
                (format!("{level}/warn")): "restricted",
            },
        },
    })
}

/// `metadata` of an object of a component.
fn metadata(application: &Application, component: &str) -> Value {
    named(application, &application.object_name(component), component)
}

fn named(application: &Application, name: &str, component: &str) -> Value {
    value!({
        "name": name,
        "namespace": &application.namespace,
        "labels": labels(application, component),
    })
}

fn labels(application: &Application, component: &str) -> Value {
    let mut labels = selector(application, component);
    labels.insert("app.kubernetes.io/part-of", application.name.as_str());
    labels.insert("app.kubernetes.io/managed-by", "lotse");
    Value::Object(labels)
}

fn selector(application: &Application, component: &str) -> Map {
    let mut labels = Map::new();
    for (key, value) in application.selector(component) {
        labels.insert(key, value);
    }
    labels
}

/// The name of a job: it must differ from release to release, since a Job cannot be changed.
fn job_name(application: &Application, job: &Job) -> String {
    let revision: String = application.revision.chars().take(10).collect();
    format!("{}-{revision}", application.object_name(&job.name))
}
