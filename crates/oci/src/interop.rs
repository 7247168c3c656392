//! Conversions to and from the types of the crate `oci-spec` 0.10, through JSON, with a check that nothing was lost.
//!
//! Its maps are in random order and it drops members it does not know, so its own bytes are never used.

use oci_spec::image as theirs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, ImageConfig, Index, Manifest};

macro_rules! conversions {
    ($ours:ty, $theirs:ty) => {
        impl TryFrom<&$ours> for $theirs {
            type Error = Error;

            fn try_from(ours: &$ours) -> Result<Self, Error> {
                through_json(ours)
            }
        }

        impl TryFrom<&$theirs> for $ours {
            type Error = Error;

            fn try_from(theirs: &$theirs) -> Result<Self, Error> {
                through_json(theirs)
            }
        }
    };
}

conversions!(Manifest, theirs::ImageManifest);
conversions!(Index, theirs::ImageIndex);
conversions!(ImageConfig, theirs::ImageConfiguration);

fn through_json<A: Serialize, B: Serialize + DeserializeOwned>(from: &A) -> Result<B, Error> {
    let malformed = |error: serde_json::Error| Error::malformed("document", error.to_string());
    let before = serde_json::to_value(from).map_err(malformed)?;
    let to: B = serde_json::from_value(before.clone()).map_err(malformed)?;
    let after = serde_json::to_value(&to).map_err(malformed)?;
    match difference("", &before, &after) {
        None => Ok(to),
        Some(pointer) => Err(Error::Unsupported {
            what: format!("member {pointer:?} in the other type"),
            advice: "it would be lost or changed; keep the document in the type that holds it",
        }),
    }
}

/// The first member of `before` that `after` lacks or has otherwise, as a JSON pointer. Members that only hold an empty
/// list, map or null may come and go: both sides read their absence as the same.
fn difference(pointer: &str, before: &Value, after: &Value) -> Option<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before.iter().find_map(|(key, value)| {
            let below = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            match after.get(key) {
                Some(other) => difference(&below, value, other),
                None if is_empty(value) => None,
                None => Some(below),
            }
        }),
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => before
            .iter()
            .zip(after)
            .enumerate()
            .find_map(|(index, (value, other))| difference(&format!("{pointer}/{index}"), value, other)),
        _ if before == after => None,
        _ => Some(pointer.to_owned()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}
