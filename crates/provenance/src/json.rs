use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;

/// A JSON value, such as a parameter of a build. Objects print with their members sorted.
///
/// ```
/// use lotse_provenance::Json;
/// let value = Json::parse(r#"{"workflow": {"ref": "refs/heads/main"}, "n": 1}"#)?;
/// assert_eq!(value.pointer("/workflow/ref").as_ref().and_then(Json::as_str), Some("refs/heads/main"));
/// assert_eq!(value.to_string(), r#"{"n":1,"workflow":{"ref":"refs/heads/main"}}"#);
/// # Ok::<(), lotse_provenance::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub(crate) Value);

/// Members of a document that this crate does not know, kept as they were read.
pub(crate) type Others = BTreeMap<String, Json>;

impl Json {
    /// Reads a value; nested deeper than 128 levels it is refused.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the text is no JSON.
    pub fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map(Self).map_err(|error| Error::malformed("JSON", error))
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// An object without members.
    #[must_use]
    pub fn object() -> Self {
        Self(Value::Object(serde_json::Map::new()))
    }

    /// Whether it is an object without members.
    #[must_use]
    pub fn is_empty_object(&self) -> bool {
        self.0.as_object().is_some_and(serde_json::Map::is_empty)
    }

    /// The value that a JSON pointer (RFC 6901) leads to.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<Self> {
        self.0.pointer(pointer).cloned().map(Self)
    }

    /// The text that a JSON pointer leads to.
    pub(crate) fn text(&self, pointer: &str) -> Option<&str> {
        self.0.pointer(pointer).and_then(Value::as_str)
    }

    /// The names of an object's members, sorted; none for other values.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.0.as_object().into_iter().flat_map(|object| object.keys().map(String::as_str))
    }

    /// Sets a member, if the value is an object or nothing yet.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Self>) {
        if self.0.is_null() {
            self.0 = Value::Object(serde_json::Map::new());
        }
        if let Value::Object(object) = &mut self.0 {
            object.insert(name.into(), value.into().0);
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.0.is_null() || self.is_empty_object()
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(Value::String(text.to_owned()))
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self(Value::String(text))
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self(Value::Bool(value))
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
