//! What all JSON documents of an image share: canonical bytes out, strict reading in.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Limits};

/// The canonical bytes of a document: keys in one fixed order, no white space, no newline at the end.
///
/// Known members come first, sorted by name, then kept unknown ones; maps are `BTreeMap`s. So the order
/// depends on no feature of `serde_json`.
pub(crate) fn to_bytes<T: Serialize>(what: &str, document: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(document).map_err(|error| Error::malformed(what, error.to_string()))
}

/// Reads a document of at most [`Limits::document_bytes`].
pub(crate) fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8], limits: &Limits) -> Result<T, Error> {
    check_size(what, u64::try_from(bytes.len()).unwrap_or(u64::MAX), limits)?;
    serde_json::from_slice(bytes).map_err(|error| Error::malformed(what, error.to_string()))
}

/// Refuses a document by its size before it is read.
pub(crate) fn check_size(what: &str, size: u64, limits: &Limits) -> Result<(), Error> {
    if size > limits.document_bytes {
        return Err(Error::Limit { what: format!("bytes of {what}"), limit: limits.document_bytes });
    }
    Ok(())
}

/// Maps of strings in which a key that comes twice is refused: the last of the two would win silently elsewhere.
pub(crate) mod unique {
    use std::collections::BTreeMap;
    use std::fmt;
    use std::marker::PhantomData;

    use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

    pub(crate) fn deserialize<'de, V, D>(deserializer: D) -> Result<BTreeMap<String, V>, D::Error>
    where
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        deserializer.deserialize_any(Unique(PhantomData))
    }

    struct Unique<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object without repeated keys, or null")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = access.next_entry::<String, V>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("key {key:?} comes twice")));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }
}
