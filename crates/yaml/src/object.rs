//! What makes a value a Kubernetes object: its kind, and the types of its metadata.

use crate::{Value, timestamp};

/// Why a value is no Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}")]
#[non_exhaustive]
pub struct NotAnObject {
    /// JSON pointer of what is wrong or missing.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

/// Checks what kubectl and the API server check of every object, whatever its kind: `apiVersion` and `kind` are texts,
/// and the fields of `metadata` have the types of `ObjectMeta` (meta/v1). A label that YAML 1.1 reads as `true` or as
/// a number is the commonest failure.
///
/// # Errors
/// [`NotAnObject`] for the first field that is missing or of another type.
pub fn check_object(value: &Value) -> Result<(), NotAnObject> {
    let wrong = |pointer: &str, message: String| Err(NotAnObject { pointer: pointer.to_owned(), message });
    if value.as_object().is_none() {
        return wrong(
            "",
            format!("a Kubernetes object is a mapping, and this is of type {}", value.type_name()),
        );
    }
    for (key, pointer) in [("apiVersion", "/apiVersion"), ("kind", "/kind")] {
        if value.get(key).and_then(Value::as_str).is_none_or(str::is_empty) {
            return wrong(pointer, format!("a Kubernetes object has the text `{key}`"));
        }
    }
    let slashes = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default().matches('/').count();
    if slashes > 1 {
        return wrong("/apiVersion", "an API version has at most one slash, as apps/v1".to_owned());
    }
    match value.get("metadata").filter(|metadata| !metadata.is_null()) {
        Some(metadata) => fields(metadata, "/metadata", &METADATA),
        None => Ok(()),
    }
}

/// The type of a field.
enum Type {
    Text,
    Flag,
    Integer,
    Time,
    Object,
    /// A mapping of texts.
    Texts,
    /// A list of texts.
    TextList,
    /// A list of objects with these fields.
    List(&'static [(&'static str, Type)]),
}

const METADATA: [(&str, Type); 15] = [
    ("name", Type::Text),
    ("generateName", Type::Text),
    ("namespace", Type::Text),
    ("selfLink", Type::Text),
    ("uid", Type::Text),
    ("resourceVersion", Type::Text),
    ("generation", Type::Integer),
    ("creationTimestamp", Type::Time),
    ("deletionTimestamp", Type::Time),
    ("deletionGracePeriodSeconds", Type::Integer),
    ("labels", Type::Texts),
    ("annotations", Type::Texts),
    ("finalizers", Type::TextList),
    ("ownerReferences", Type::List(&OWNER)),
    ("managedFields", Type::List(&MANAGED)),
];

const OWNER: [(&str, Type); 6] = [
    ("apiVersion", Type::Text),
    ("kind", Type::Text),
    ("name", Type::Text),
    ("uid", Type::Text),
    ("controller", Type::Flag),
    ("blockOwnerDeletion", Type::Flag),
];

const MANAGED: [(&str, Type); 7] = [
    ("manager", Type::Text),
    ("operation", Type::Text),
    ("apiVersion", Type::Text),
    ("time", Type::Time),
    ("fieldsType", Type::Text),
    ("fieldsV1", Type::Object),
    ("subresource", Type::Text),
];

fn fields(value: &Value, pointer: &str, known: &[(&str, Type)]) -> Result<(), NotAnObject> {
    let Some(map) = value.as_object() else { return refuse(pointer, "a mapping", value) };
    for (key, kind) in known {
        if let Some(value) = map.get(key) {
            field(value, &format!("{pointer}/{key}"), kind)?;
        }
    }
    Ok(())
}

fn field(value: &Value, pointer: &str, kind: &Type) -> Result<(), NotAnObject> {
    let is = |fine: bool, expected: &str| if fine { Ok(()) } else { refuse(pointer, expected, value) };
    match kind {
        // Null is the same as absent, everywhere.
        _ if value.is_null() => Ok(()),
        Type::Text => is(value.as_str().is_some(), "a text"),
        Type::Flag => is(value.as_bool().is_some(), "true or false"),
        Type::Integer => is(value.as_i64().is_some(), "an integer"),
        Type::Object => is(value.as_object().is_some(), "a mapping"),
        Type::Time => is(value.as_str().is_some_and(timestamp::is_rfc3339), "a time as 2006-01-02T15:04:05Z"),
        Type::Texts => match value.as_object() {
            Some(map) => map.iter().try_for_each(|(key, value)| {
                field(value, &format!("{pointer}/{}", crate::pointer_escape(key)), &Type::Text)
            }),
            None => refuse(pointer, "a mapping of texts", value),
        },
        Type::TextList => items(value, pointer, |item, at| field(item, at, &Type::Text)),
        Type::List(known) => items(value, pointer, |item, at| fields(item, at, known)),
    }
}

fn items(
    value: &Value,
    pointer: &str,
    check: impl Fn(&Value, &str) -> Result<(), NotAnObject>,
) -> Result<(), NotAnObject> {
    let Some(list) = value.as_array() else { return refuse(pointer, "a list", value) };
    list.iter().enumerate().try_for_each(|(number, item)| check(item, &format!("{pointer}/{number}")))
}

fn refuse(pointer: &str, expected: &str, found: &Value) -> Result<(), NotAnObject> {
    let message = format!("must be {expected}, and is {found}; put it in quotes if a text is meant");
    Err(NotAnObject { pointer: pointer.to_owned(), message })
}
