//! Go's types as `encoding/json` fills them from a text and writes them again, with what it says where a text does not fit.

use std::collections::BTreeMap;

use super::json::{Json, go_quote};
use super::{gotime, url};

pub(crate) enum Type {
    Text,
    Bool,
    Integer,
    /// Nothing is looked at.
    Any,
    /// `apis.URL`
    Url,
    Texts,
    /// `map[string]interface{}`
    Anything,
    /// `map[string]map[string]string`
    TextMaps,
    /// `time.Time`
    Time,
    List(&'static Type),
    Struct(&'static Struct),
    /// A pointer: absent stays absent.
    Pointer(&'static Type),
    /// `omitempty`
    Omit(&'static Type),
    /// A map type by its Go name.
    Named(&'static str, &'static Type),
    /// `*structpb.Struct`, which reads itself.
    Proto,
}

pub(crate) struct Struct {
    /// As Go's messages name the type, `v1beta1.KeyRef`, without the version for ours.
    pub(crate) name: &'static str,
    pub(crate) ours: bool,
    pub(crate) fields: &'static [(&'static str, Type)],
}

pub(crate) const fn ours(name: &'static str, fields: &'static [(&'static str, Type)]) -> Struct {
    Struct { name, ours: true, fields }
}

pub(crate) const fn foreign(name: &'static str, fields: &'static [(&'static str, Type)]) -> Struct {
    Struct { name, ours: false, fields }
}

/// What Go's decoder says first, and the JSON pointer of it.
pub(crate) struct Misfit {
    pub(crate) message: String,
    pub(crate) pointer: String,
}

/// Reads a value into a type; unknown members are an error, the first error is kept beside what could be read.
pub(crate) fn decode_strict(
    value: &Json,
    shape: &'static Struct,
    version: &'static str,
) -> (Json, Option<Misfit>) {
    let mut decoder = Decoder { version, strict: true, saved: None, fatal: None };
    let value = decoder.value(value, &Type::Struct(shape), &Place::default());
    (value, decoder.fatal.or(decoder.saved))
}

/// Reads a value into a type; unknown members are lost.
pub(crate) fn decode(value: &Json, shape: &'static Struct) -> Result<Json, String> {
    let mut decoder = Decoder { version: "", strict: false, saved: None, fatal: None };
    let value = decoder.value(value, &Type::Struct(shape), &Place::default());
    match decoder.fatal.or(decoder.saved) {
        Some(misfit) => Err(misfit.message),
        None => Ok(value),
    }
}

/// The value of a type as `json.Marshal` has it: members in the type's order, zero values for what was absent.
pub(crate) fn encode(value: &Json, wanted: &Type) -> Result<Json, String> {
    Ok(match (wanted, value) {
        (Type::Omit(inner) | Type::Pointer(inner) | Type::Named(_, inner), value) => match (wanted, value) {
            (Type::Pointer(_), Json::Null) => Json::Null,
            _ => encode(value, inner)?,
        },
        (Type::Struct(shape), value) => {
            let mut members = Vec::new();
            for (name, field) in shape.fields {
                let given = value.get(name).unwrap_or(&Json::Null);
                let written = encode(given, field)?;
                if !(matches!(field, Type::Omit(_)) && is_empty(&written)) {
                    members.push(((*name).to_owned(), written));
                }
            }
            Json::Object(members)
        }
        (Type::Text | Type::Url, Json::Null) => Json::text(""),
        (Type::Bool, Json::Null) => Json::Bool(false),
        (Type::Integer, Json::Null) => Json::Number("0".to_owned()),
        (Type::Time, Json::Null) => Json::text("0001-01-01T00:00:00Z"),
        (Type::List(item), Json::Array(items)) => {
            Json::Array(items.iter().map(|value| encode(value, item)).collect::<Result<_, _>>()?)
        }
        (Type::Any | Type::Anything | Type::Texts | Type::TextMaps, value) => value.generic()?,
        (_, value) => value.clone(),
    })
}

/// What `omitempty` leaves out; a struct is never empty.
fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Bool(value) => !value,
        Json::Number(number) => number == "0",
        Json::Object(_) => false,
    }
}

#[derive(Clone, Default)]
struct Place {
    owner: &'static str,
    path: Vec<String>,
    pointer: String,
}

struct Decoder {
    version: &'static str,
    /// Unknown members are an error.
    strict: bool,
    saved: Option<Misfit>,
    /// From a type that decodes itself: it ends the reading.
    fatal: Option<Misfit>,
}

impl Decoder {
    fn value(&mut self, value: &Json, wanted: &Type, place: &Place) -> Json {
        match (wanted, value) {
            (Type::Omit(inner) | Type::Pointer(inner), value) => self.value(value, inner, place),
            (Type::Any, value) => {
                if let Err(message) = value.generic() {
                    self.saved.get_or_insert(Misfit { message, pointer: place.pointer.clone() });
                }
                value.clone()
            }
            (_, Json::Null) => Json::Null,
            (Type::Named(_, inner), Json::Object(_)) => self.value(value, inner, place),
            (Type::Anything, Json::Object(_)) => self.value(value, &Type::Any, place),
            (Type::TextMaps, Json::Object(members)) => {
                let read =
                    |(key, value): &(String, Json)| (key.clone(), self.value(value, &Type::Texts, place));
                Json::Object(members.iter().map(read).collect())
            }
            (Type::Time, Json::String(text)) => match gotime::normalise(text) {
                Ok(time) => Json::String(time),
                Err(message) => self.fatal(message, place),
            },
            (Type::Time, _) => self.fatal("Time.UnmarshalJSON: input is not a JSON string".to_owned(), place),
            (Type::Proto, Json::Object(members)) => {
                if let Some(key) = repeated(members) {
                    let message = format!("proto: (line 1:1): duplicate map key {}", go_quote(key));
                    return self.fatal(message, place);
                }
                value.clone()
            }
            (Type::Proto, other) => {
                let token = match other {
                    Json::Array(_) => "[".to_owned(),
                    other => other.raw(),
                };
                self.fatal(format!("proto: syntax error (line 1:1): unexpected token {token}"), place)
            }
            (Type::Text, Json::String(_)) | (Type::Bool, Json::Bool(_)) => value.clone(),
            (Type::Integer, Json::Number(number)) if number.parse::<i64>().is_ok() => value.clone(),
            (Type::Url, Json::String(text)) => {
                if let Err(message) = url::parse(text) {
                    return self.fatal(message, place);
                }
                value.clone()
            }
            (Type::Url, other) => self.fatal(
                format!("json: cannot unmarshal {} into Go value of type string", other.kind()),
                place,
            ),
            (Type::Texts, Json::Object(members)) => {
                let mut texts = Vec::new();
                for (key, value) in members {
                    match value {
                        Json::String(_) => texts.push((key.clone(), value.clone())),
                        Json::Null => texts.push((key.clone(), Json::text(""))),
                        other => self.mismatch(other, "string", place),
                    }
                }
                Json::Object(texts)
            }
            (Type::List(item), Json::Array(items)) => {
                let mut read = Vec::new();
                for (at, value) in items.iter().enumerate() {
                    let pointer = format!("{}/{at}", place.pointer);
                    read.push(self.value(value, item, &Place { pointer, ..place.clone() }));
                }
                Json::Array(read)
            }
            (Type::Struct(shape), Json::Object(members)) => self.members(members, shape, place),
            (wanted, other) => {
                let name = self.name(wanted);
                self.mismatch(other, &name, place);
                Json::Null
            }
        }
    }

    fn members(&mut self, members: &[(String, Json)], shape: &'static Struct, place: &Place) -> Json {
        let mut read: BTreeMap<&'static str, Json> = BTreeMap::new();
        for (key, value) in members {
            let exact = shape.fields.iter().find(|(name, _)| name == key);
            let field =
                exact.or_else(|| shape.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)));
            let pointer = format!("{}/{}", place.pointer, lotse_yaml::pointer_escape(key));
            let Some((name, wanted)) = field else {
                if !self.strict {
                    continue;
                }
                let message = format!("json: unknown field {}", go_quote(key));
                self.saved.get_or_insert(Misfit { message, pointer });
                continue;
            };
            let mut path = place.path.clone();
            path.push((*name).to_owned());
            let owner = shape.name.rsplit('.').next().unwrap_or_default();
            let value = self.value(value, wanted, &Place { owner, path, pointer });
            // null leaves what an equal member said before.
            if value != Json::Null || !read.contains_key(name) {
                read.insert(name, value);
            }
        }
        Json::Object(read.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn fatal(&mut self, message: String, place: &Place) -> Json {
        self.fatal.get_or_insert(Misfit { message, pointer: place.pointer.clone() });
        Json::Null
    }

    fn mismatch(&mut self, value: &Json, wanted: &str, place: &Place) {
        let kind = match value {
            Json::Number(number) if wanted.starts_with("int") => format!("number {number}"),
            other => other.kind().to_owned(),
        };
        let message = if place.path.is_empty() {
            format!("json: cannot unmarshal {kind} into Go value of type {wanted}")
        } else {
            let field = place.path.join(".");
            format!(
                "json: cannot unmarshal {kind} into Go struct field {}.{field} of type {wanted}",
                place.owner
            )
        };
        self.saved.get_or_insert(Misfit { message, pointer: place.pointer.clone() });
    }

    fn name(&self, wanted: &Type) -> String {
        match wanted {
            Type::Text => "string".to_owned(),
            Type::Bool => "bool".to_owned(),
            Type::Integer => "int64".to_owned(),
            Type::Texts => "map[string]string".to_owned(),
            Type::List(item) => format!("[]{}", self.name(item)),
            Type::Struct(shape) if shape.ours => format!("{}.{}", self.version, shape.name),
            Type::Struct(shape) => shape.name.to_owned(),
            Type::Omit(inner) | Type::Pointer(inner) => self.name(inner),
            Type::Named(name, _) => (*name).to_owned(),
            Type::Anything => "map[string]interface {}".to_owned(),
            Type::TextMaps => "map[string]map[string]string".to_owned(),
            Type::Any | Type::Url | Type::Time | Type::Proto => String::new(),
        }
    }
}

/// A member name that occurs twice in an object or below, which protojson refuses.
fn repeated(members: &[(String, Json)]) -> Option<&str> {
    let mut seen = std::collections::BTreeSet::new();
    for (key, value) in members {
        if !seen.insert(key) {
            return Some(key);
        }
        let below = match value {
            Json::Object(members) => repeated(members),
            Json::Array(items) => items.iter().find_map(|item| match item {
                Json::Object(members) => repeated(members),
                _ => None,
            }),
            _ => None,
        };
        if below.is_some() {
            return below;
        }
    }
    None
}
