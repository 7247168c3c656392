use lotse_yaml::{Map, Value, value};

use super::format::Format;
use super::words::{ROOT, Shape, Word};

/// The JSON Schema of `lotse.yaml` (draft-07, for editors), made from the table of words that the parser uses.
///
/// What the schema refuses, the parser refuses; the parser knows more.
#[must_use]
pub fn json_schema() -> Value {
    let mut root = Map::new();
    root.insert("$schema", "http://json-schema.org/draft-07/schema#");
    root.insert("title", "lotse.yaml");
    root.insert("description", "An application, what it needs and what a release of it must pass.");
    if let Value::Object(shape) = schema(&ROOT) {
        for (key, value) in shape {
            root.insert(key, value);
        }
    }
    Value::Object(root)
}

fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Object(words) => object(words),
        Shape::Map(format, shape) => {
            let mut map = Map::new();
            map.insert("type", "object");
            if let Format::OneOf(names) = format {
                map.insert("propertyNames", value!({ "enum": *names }));
            } else if let Some(pattern) = format.pattern() {
                map.insert("propertyNames", value!({ "pattern": pattern }));
            }
            map.insert("additionalProperties", schema(shape));
            Value::Object(map)
        }
        Shape::List(shape) => value!({ "type": "array", "items": schema(shape) }),
        Shape::Either(shapes) => value!({ "anyOf": shapes.iter().map(schema).collect::<Vec<_>>() }),
        Shape::Scalar(format) => scalar(*format),
    }
}

fn object(words: &'static [Word]) -> Value {
    let mut properties = Map::new();
    for word in words {
        let mut below = schema(&word.shape);
        if let Some(below) = below.as_object_mut() {
            below.insert("description", word.meaning);
        }
        properties.insert(word.name, below);
    }
    let needed: Vec<&str> = words.iter().filter(|word| word.required).map(|word| word.name).collect();
    let mut map = Map::new();
    map.insert("type", "object");
    map.insert("properties", properties);
    map.insert("patternProperties", value!({ "^x-": true }));
    map.insert("additionalProperties", false);
    if !needed.is_empty() {
        map.insert("required", needed);
    }
    Value::Object(map)
}

fn scalar(format: Format) -> Value {
    match format {
        Format::Version => value!({ "enum": ["v1"] }),
        Format::OneOf(words) => value!({ "enum": words }),
        Format::Port => value!({ "type": "integer", "minimum": 1024, "maximum": 65_535 }),
        Format::AnyPort => value!({ "type": "integer", "minimum": 1, "maximum": 65_535 }),
        Format::Count => value!({ "type": "integer", "minimum": 0, "maximum": 1000 }),
        // Editors read 1.10 and true as number and boolean, where the parser keeps the text.
        Format::Text | Format::Percent | Format::Quantity => {
            value!({ "type": ["string", "number", "boolean"] })
        }
        Format::Variable => value!({ "type": "string", "pattern": format.pattern() }),
        _ => match format.pattern() {
            Some(pattern) => value!({ "type": "string", "pattern": pattern }),
            None => value!({ "type": "string" }),
        },
    }
}
