use std::fmt;
use std::sync::Arc;

use lotse_yaml::{Dialect, Document, Limits, Position, Stream, Value, check_object};

/// One Kubernetes object as a file declares it: its value, and its place down to the line.
#[derive(Clone, Debug)]
pub struct Object {
    value: Value,
    place: Place,
    tree: Option<Arc<Document>>,
}

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// Name of the file as the caller gave it.
    pub file: String,
    /// Document in the file, counted from 0.
    pub document: usize,
    /// JSON pointer of the object in its document: `""`, or `/items/3` in a list.
    pub pointer: String,
}

/// Why a file holds no objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The file does not read.
    #[error("{file}:{source}")]
    Read {
        /// The file.
        file: String,
        /// What is wrong with it.
        source: lotse_yaml::Error,
    },
    /// A document is no Kubernetes object.
    #[error("{file}:{position}: {message}")]
    NoObject {
        /// The file.
        file: String,
        /// Where in it.
        position: Position,
        /// What is missing.
        message: String,
    },
}

impl Object {
    /// Reads every object of a file as kubectl does (YAML or JSON), lists unpacked. Documents without content are
    /// passed over, as kubectl does.
    ///
    /// # Errors
    /// [`ObjectError::Read`] for what does not parse, [`ObjectError::NoObject`] for a document without the texts
    /// `apiVersion` and `kind` or with metadata of another type (a label that is `true`, say), both with their place.
    pub fn parse_all(file: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Self>, ObjectError> {
        let read = |source| ObjectError::Read { file: file.to_owned(), source };
        let stream = Stream::parse(bytes, Dialect::Kubectl, limits).map_err(read)?;
        let mut objects = Vec::new();
        for (number, document) in stream.documents().iter().enumerate() {
            let value = document.value().map_err(read)?;
            if value.is_null() {
                continue;
            }
            let place = Place { file: file.to_owned(), document: number, pointer: String::new() };
            let object = Self { value, place, tree: Some(Arc::new(document.clone())) };
            object.unpack(&mut objects)?;
        }
        Ok(objects)
    }

    /// Takes a value that was made, not read: it has a file name and no lines. Lists are unpacked.
    ///
    /// # Errors
    /// [`ObjectError::NoObject`] for what [`lotse_yaml::check_object`] refuses.
    pub fn from_value(file: &str, value: Value) -> Result<Vec<Self>, ObjectError> {
        let place = Place { file: file.to_owned(), document: 0, pointer: String::new() };
        let mut objects = Vec::new();
        Self { value, place, tree: None }.unpack(&mut objects)?;
        Ok(objects)
    }

    fn unpack(self, objects: &mut Vec<Self>) -> Result<(), ObjectError> {
        if let Err(error) = check_object(&self.value) {
            return Err(ObjectError::NoObject {
                file: self.place.file.clone(),
                position: self.position(&error.pointer).unwrap_or(Position { line: 1, column: 1, offset: 0 }),
                message: error.to_string(),
            });
        }
        // kubectl takes whatever has a list of items for a list.
        let items = self.value.get("items").and_then(Value::as_array);
        let Some(items) = items else {
            objects.push(self);
            return Ok(());
        };
        for (number, item) in items.iter().enumerate() {
            let pointer = format!("{}/items/{number}", self.place.pointer);
            let place = Place { pointer, ..self.place.clone() };
            Self { value: item.clone(), place, tree: self.tree.clone() }.unpack(objects)?;
        }
        Ok(())
    }

    /// The whole object.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// `apiVersion`, as `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.value.get("apiVersion").and_then(Value::as_str).unwrap_or_default()
    }

    /// The group of `apiVersion`; `""` for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// `kind`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.value.get("kind").and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.name`; `""` without one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
    }

    /// `metadata.namespace`, if it is written.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.value.pointer("/metadata/namespace").and_then(Value::as_str).filter(|name| !name.is_empty())
    }

    /// A label of the object itself.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.value.pointer("/metadata/labels")?.get(key)?.as_str()
    }

    /// The labels of the object itself, those that are texts.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.value.pointer("/metadata/labels").and_then(Value::as_object);
        labels.into_iter().flat_map(|map| map.iter()).filter_map(|(key, value)| Some((key, value.as_str()?)))
    }

    /// The place of a JSON pointer of this object (or of the nearest thing above it) in its file; `None` for an
    /// object that was made.
    #[must_use]
    pub fn position(&self, pointer: &str) -> Option<Position> {
        let tree = self.tree.as_ref()?;
        Some(tree.locate(&format!("{}{pointer}", self.place.pointer)))
    }

    /// What the object makes pods from: the object itself for a `Pod`, the template for the workload kinds of
    /// `v1`, `apps/v1` and `batch/v1`. `None` for every other kind, and for a workload without a template.
    #[must_use]
    pub fn pod_template(&self) -> Option<PodTemplate<'_>> {
        let pointer = match (self.api_version(), self.kind()) {
            ("v1", "Pod") => "",
            ("v1", "PodTemplate") => "/template",
            ("v1", "ReplicationController")
            | ("apps/v1", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
            | ("batch/v1", "Job") => "/spec/template",
            ("batch/v1", "CronJob") => "/spec/jobTemplate/spec/template",
            _ => return None,
        };
        let value = self.value.pointer(pointer).filter(|value| !value.is_null())?;
        Some(PodTemplate { pointer, value })
    }
}

impl fmt::Display for Object {
    /// As `Deployment shop/web`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace() {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind(), self.name()),
            None => write!(f, "{} {}", self.kind(), self.name()),
        }
    }
}

/// The pod in an object: `metadata` and `spec` under one pointer.
#[derive(Clone, Copy, Debug)]
pub struct PodTemplate<'a> {
    pointer: &'static str,
    value: &'a Value,
}

impl<'a> PodTemplate<'a> {
    /// JSON pointer of the template in its object: `""` for a pod.
    #[must_use]
    pub fn pointer(&self) -> &'static str {
        self.pointer
    }

    /// The template as it stands, with `metadata` and `spec`.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// The pod's `spec`.
    #[must_use]
    pub fn spec(&self) -> Option<&'a Value> {
        self.value.get("spec")
    }

    /// A label of the pods.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.value.pointer("/metadata/labels")?.get(key)?.as_str()
    }

    /// The containers: init, regular, ephemeral, each in the order of its list.
    #[must_use]
    pub fn containers(&self) -> Vec<Container<'a>> {
        let lists = [
            (ContainerRole::Init, "initContainers"),
            (ContainerRole::Regular, "containers"),
            (ContainerRole::Ephemeral, "ephemeralContainers"),
        ];
        let mut found = Vec::new();
        for (role, list) in lists {
            let items = self.spec().and_then(|spec| spec.get(list)).and_then(Value::as_array);
            for (number, value) in items.unwrap_or_default().iter().enumerate() {
                found.push(Container {
                    role,
                    pointer: format!("{}/spec/{list}/{number}", self.pointer),
                    value,
                });
            }
        }
        found
    }
}

/// When a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ContainerRole {
    /// Before the others (or beside them, if it is restarted always).
    Init,
    /// As long as the pod.
    Regular,
    /// Added to a running pod.
    Ephemeral,
}

/// One container of a pod.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    role: ContainerRole,
    pointer: String,
    value: &'a Value,
}

impl<'a> Container<'a> {
    /// When it runs.
    #[must_use]
    pub fn role(&self) -> ContainerRole {
        self.role
    }

    /// JSON pointer of the container in the object.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The container as it stands.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Its name; `""` without one.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.value.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its image; `""` without one.
    #[must_use]
    pub fn image(&self) -> &'a str {
        self.value.get("image").and_then(Value::as_str).unwrap_or_default()
    }
}
