//! Typed reading of fields as the API server does it: absent and null are alike, another type is an error.

use lotse_yaml::Value;

use crate::Error;

/// Reads fields of one object and names them in errors.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'o> {
    pub(crate) object: &'o str,
}

impl Reader<'_> {
    pub(crate) fn wrong(&self, pointer: &str, key: &str, expected: &'static str, found: &Value) -> Error {
        Error::WrongType {
            object: self.object.to_owned(),
            pointer: format!("{pointer}/{key}"),
            expected,
            found: found.type_name(),
        }
    }

    fn field<'a, T>(
        &self,
        value: Option<&'a Value>,
        pointer: &str,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match value.and_then(|value| value.get(key)) {
            None | Some(Value::Null) => Ok(None),
            Some(found) => read(found).map(Some).ok_or_else(|| self.wrong(pointer, key, expected, found)),
        }
    }

    pub(crate) fn object<'a>(
        &self,
        value: Option<&'a Value>,
        at: &str,
        key: &str,
    ) -> Result<Option<&'a Value>, Error> {
        self.field(value, at, key, "an object", |found| found.as_object().map(|_| found))
    }

    pub(crate) fn list<'a>(
        &self,
        value: Option<&'a Value>,
        at: &str,
        key: &str,
    ) -> Result<&'a [Value], Error> {
        Ok(self.field(value, at, key, "a list", Value::as_array)?.unwrap_or_default())
    }

    pub(crate) fn boolean(&self, value: Option<&Value>, at: &str, key: &str) -> Result<Option<bool>, Error> {
        self.field(value, at, key, "true or false", Value::as_bool)
    }

    pub(crate) fn integer(&self, value: Option<&Value>, at: &str, key: &str) -> Result<Option<i64>, Error> {
        self.field(value, at, key, "an integer", Value::as_i64)
    }

    pub(crate) fn text<'a>(
        &self,
        value: Option<&'a Value>,
        at: &str,
        key: &str,
    ) -> Result<Option<&'a str>, Error> {
        self.field(value, at, key, "a text", Value::as_str)
    }

    /// A list of texts.
    pub(crate) fn texts<'a>(
        &self,
        value: Option<&'a Value>,
        at: &str,
        key: &str,
    ) -> Result<Vec<&'a str>, Error> {
        let mut texts = Vec::new();
        for item in self.list(value, at, key)? {
            match item {
                Value::Null => texts.push(""),
                other => {
                    texts.push(other.as_str().ok_or_else(|| self.wrong(at, key, "a list of texts", other))?)
                }
            }
        }
        Ok(texts)
    }
}
