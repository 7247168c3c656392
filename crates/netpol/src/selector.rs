use std::collections::BTreeMap;

use lotse_yaml::Value;

pub(crate) type Labels = BTreeMap<String, String>;

/// A label selector: every part must hold; without parts it matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Reads `matchLabels` and `matchExpressions`. The error says what the API server would refuse.
    pub(crate) fn read(value: &Value) -> Result<Self, String> {
        let map = value.as_object().ok_or("a selector is an object")?;
        let mut parts = Vec::new();
        for (key, value) in map {
            match (key, value) {
                (_, Value::Null) => {}
                ("matchLabels", Value::Object(labels)) => {
                    for (key, value) in labels {
                        let text =
                            value.as_str().ok_or_else(|| format!("the label `{key}` must be a text"))?;
                        parts.push(Part::In(key.to_owned(), vec![text.to_owned()]));
                    }
                }
                ("matchExpressions", Value::Array(items)) => {
                    for item in items {
                        parts.push(expression(item)?);
                    }
                }
                _ => return Err(format!("a selector has no field `{key}` of type {}", value.type_name())),
            }
        }
        Ok(Self { parts })
    }

    pub(crate) fn matches(&self, labels: &Labels) -> bool {
        self.parts.iter().all(|part| match part {
            Part::In(key, values) => labels.get(key).is_some_and(|label| values.contains(label)),
            Part::NotIn(key, values) => labels.get(key).is_none_or(|label| !values.contains(label)),
            Part::Exists(key) => labels.contains_key(key),
            Part::Absent(key) => !labels.contains_key(key),
        })
    }
}

fn expression(item: &Value) -> Result<Part, String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let key = text("key").filter(|key| !key.is_empty()).ok_or("an expression needs a `key`")?.to_owned();
    let list = item.get("values").filter(|values| !values.is_null());
    let values: Option<Vec<String>> = match list {
        None => Some(Vec::new()),
        Some(list) => {
            list.as_array().and_then(|list| list.iter().map(|v| v.as_str().map(str::to_owned)).collect())
        }
    };
    let values =
        values.ok_or_else(|| format!("`values` of the expression on `{key}` must be a list of texts"))?;
    match (text("operator"), values.is_empty()) {
        (Some("In"), false) => Ok(Part::In(key, values)),
        (Some("NotIn"), false) => Ok(Part::NotIn(key, values)),
        (Some("Exists"), true) => Ok(Part::Exists(key)),
        (Some("DoesNotExist"), true) => Ok(Part::Absent(key)),
        (Some(word @ ("In" | "NotIn")), true) => Err(format!("{word} on `{key}` needs `values`")),
        (Some(word @ ("Exists" | "DoesNotExist")), false) => {
            Err(format!("{word} on `{key}` takes no `values`"))
        }
        (word, _) => Err(format!("`{}` is no operator of an expression", word.unwrap_or_default())),
    }
}

/// The labels of a `metadata`, all texts.
pub(crate) fn labels(metadata: Option<&Value>) -> Result<Labels, String> {
    let mut labels = Labels::new();
    let map = match metadata.and_then(|metadata| metadata.get("labels")) {
        None | Some(Value::Null) => return Ok(labels),
        Some(value) => value.as_object().ok_or("`metadata.labels` must be an object")?,
    };
    for (key, value) in map {
        let text = match value {
            Value::Null => "",
            value => {
                value.as_str().ok_or_else(|| format!("the label `{key}` must be a text; put it in quotes"))?
            }
        };
        labels.insert(key.to_owned(), text.to_owned());
    }
    Ok(labels)
}
