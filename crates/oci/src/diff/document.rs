//! Two JSON documents compared, member by member and by their form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::finding::{Cause, Difference, Place};
use crate::Error;

/// What is compared: where a member stands, and what it means that it differs.
pub(super) type Document = (fn(String) -> Place, fn(&str) -> Cause);

pub(super) const INDEX: Document = (|pointer| Place::Index { pointer }, in_index);
pub(super) const MANIFEST: Document = (|pointer| Place::Manifest { pointer }, in_manifest);
pub(super) const CONFIG: Document = (|pointer| Place::Config { pointer }, in_config);

pub(super) fn compare(
    (place, cause): Document,
    left: &[u8],
    right: &[u8],
    found: &mut Vec<Difference>,
) -> Result<(), Error> {
    if left == right {
        return Ok(());
    }
    let parse = |bytes| -> Result<Ordered, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::malformed("document", error.to_string()))
    };
    let documents = (parse(left)?, parse(right)?);
    let (mut ours, mut theirs) = (BTreeMap::new(), BTreeMap::new());
    documents.0.leaves("", &mut ours);
    documents.1.leaves("", &mut theirs);
    reorder(place, &documents, &mut theirs, found);
    let pointers: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    for pointer in pointers {
        let (a, b) = (ours.get(pointer), theirs.get(pointer));
        if a != b {
            let cause = match (cause(pointer), a, b) {
                // A digest or size that stands on one side alone belongs to a layer or image that does, too.
                (Cause::Consequence, Some(_), None) => Cause::Missing,
                (Cause::Consequence, None, Some(_)) => Cause::Extra,
                (cause, ..) => cause,
            };
            let text = |value: Option<&Value>| value.map(ToString::to_string);
            found.push(Difference::new(place(pointer.clone()), cause, text(a), text(b)));
        }
    }
    if let Some((a, b)) = forms(left, right, &documents, ours == theirs) {
        found.push(Difference::new(place(String::new()), Cause::JsonForm, Some(a), Some(b)));
    }
    Ok(())
}

/// An index that lists the same images in another order: said once, and the lists compared in the order of the left.
fn reorder(
    place: fn(String) -> Place,
    (left, right): &(Ordered, Ordered),
    theirs: &mut BTreeMap<String, Value>,
    found: &mut Vec<Difference>,
) {
    let list = |document: &Ordered| -> Vec<Ordered> {
        match document.member("manifests") {
            Some(Ordered::Array(items)) => items.clone(),
            _ => Vec::new(),
        }
    };
    let platform = |item: &Ordered| item.member("platform").map(Ordered::value);
    let platforms = |items: &[Ordered]| items.iter().map(platform).collect::<Vec<_>>();
    let (a, b) = (list(left), list(right));
    let mut rest = b.clone();
    let mut sorted = Vec::new();
    for item in &a {
        match rest.iter().position(|other| platform(other) == platform(item)) {
            Some(at) => sorted.push(rest.remove(at)),
            None => return,
        }
    }
    if !rest.is_empty() || platforms(&a) == platforms(&b) {
        return;
    }
    let shown = |items: &[Ordered]| {
        let names =
            items.iter().map(|item| platform(item).map_or_else(|| "none".to_owned(), |p| p.to_string()));
        Some(names.collect::<Vec<_>>().join(", "))
    };
    found.push(Difference::new(place("/manifests".to_owned()), Cause::ManifestOrder, shown(&a), shown(&b)));
    theirs.retain(|pointer, _| !pointer.starts_with("/manifests/"));
    Ordered::Array(sorted).leaves("/manifests", theirs);
}

fn in_index(pointer: &str) -> Cause {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    match parts.as_slice() {
        ["annotations", ..] | ["manifests", _, "annotations", ..] => Cause::Annotation,
        ["manifests", _, "platform", ..] => Cause::Platform,
        ["manifests", _, "digest" | "size"] => Cause::Consequence,
        ["mediaType" | "schemaVersion"] | ["manifests", _, "mediaType" | "artifactType"] => Cause::MediaType,
        _ => Cause::Member,
    }
}

fn in_manifest(pointer: &str) -> Cause {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    match parts.as_slice() {
        ["annotations", ..] | ["config", "annotations", ..] | ["layers", _, "annotations", ..] => {
            Cause::Annotation
        }
        ["config", "digest" | "size"] | ["layers", _, "digest" | "size"] => Cause::Consequence,
        ["mediaType" | "schemaVersion" | "artifactType"] | ["config" | "layers", .., "mediaType"] => {
            Cause::MediaType
        }
        _ => Cause::Member,
    }
}

fn in_config(pointer: &str) -> Cause {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    match parts.as_slice() {
        ["created"] => Cause::Created,
        ["history", ..] => Cause::History,
        ["rootfs", "diff_ids", _] => Cause::Consequence,
        ["architecture" | "os" | "variant" | "os.version" | "os.features", ..] => Cause::Platform,
        _ => Cause::ConfigField,
    }
}

/// A JSON value whose members keep their order.
#[derive(Clone, Debug)]
enum Ordered {
    Object(Vec<(String, Ordered)>),
    Array(Vec<Ordered>),
    Scalar(Value),
}

impl Ordered {
    fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    fn value(&self) -> Value {
        match self {
            Self::Object(members) => {
                Value::Object(members.iter().map(|(key, value)| (key.clone(), value.value())).collect())
            }
            Self::Array(items) => Value::Array(items.iter().map(Self::value).collect()),
            Self::Scalar(value) => value.clone(),
        }
    }

    /// Scalars and empty lists and objects, by JSON pointer.
    fn leaves(&self, pointer: &str, leaves: &mut BTreeMap<String, Value>) {
        match self {
            Self::Object(members) if !members.is_empty() => {
                for (key, value) in members {
                    value.leaves(&format!("{pointer}/{}", escaped(key)), leaves);
                }
            }
            Self::Array(items) if !items.is_empty() => {
                for (index, value) in items.iter().enumerate() {
                    value.leaves(&format!("{pointer}/{index}"), leaves);
                }
            }
            empty_or_scalar => {
                leaves.insert(pointer.to_owned(), empty_or_scalar.value());
            }
        }
    }

    /// The pointers of all members of objects, in the order of the document.
    fn order(&self, pointer: &str, order: &mut Vec<String>) {
        match self {
            Self::Object(members) => {
                for (key, value) in members {
                    let below = format!("{pointer}/{}", escaped(key));
                    order.push(below.clone());
                    value.order(&below, order);
                }
            }
            Self::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    value.order(&format!("{pointer}/{index}"), order);
                }
            }
            Self::Scalar(_) => {}
        }
    }

    fn print(&self, text: &mut String) {
        match self {
            Self::Object(members) => {
                text.push('{');
                for (number, (key, value)) in members.iter().enumerate() {
                    text.push_str(if number > 0 { "," } else { "" });
                    text.push_str(&Value::from(key.as_str()).to_string());
                    text.push(':');
                    value.print(text);
                }
                text.push('}');
            }
            Self::Array(items) => {
                text.push('[');
                for (number, value) in items.iter().enumerate() {
                    text.push_str(if number > 0 { "," } else { "" });
                    value.print(text);
                }
                text.push(']');
            }
            Self::Scalar(value) => text.push_str(&value.to_string()),
        }
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// In what form the two documents differ, if they do: order of members, or white space and escapes.
fn forms(left: &[u8], right: &[u8], (a, b): &(Ordered, Ordered), same: bool) -> Option<(String, String)> {
    let order = |document: &Ordered| {
        let mut order = Vec::new();
        document.order("", &mut order);
        order
    };
    let (ours, theirs) = (order(a), order(b));
    let known: (BTreeSet<&String>, BTreeSet<&String>) = (ours.iter().collect(), theirs.iter().collect());
    let mut pairs = ours
        .iter()
        .filter(|pointer| known.1.contains(pointer))
        .zip(theirs.iter().filter(|pointer| known.0.contains(pointer)));
    if let Some((first, second)) = pairs.find(|(first, second)| first != second) {
        return Some((format!("{first} comes first"), format!("{second} comes first")));
    }
    let plain = |bytes: &[u8], document: &Ordered| {
        let mut text = String::new();
        document.print(&mut text);
        text.as_bytes() == bytes
    };
    let plain = (plain(left, a), plain(right, b));
    let shown = |plain: bool| if plain { "no white space" } else { "white space or escapes" }.to_owned();
    (plain.0 != plain.1 || same && plain == (false, false)).then(|| (shown(plain.0), shown(plain.1)))
}

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ordered, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Ordered::Array(items))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
                Ok(Ordered::Scalar(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
                Ok(Ordered::Scalar(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
                Ok(Ordered::Scalar(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Ordered, E> {
                Ok(Ordered::Scalar(value.into()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Ordered, E> {
                Ok(Ordered::Scalar(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Ordered, E> {
                Ok(Ordered::Scalar(Value::Null))
            }
        }
        deserializer.deserialize_any(Read)
    }
}
