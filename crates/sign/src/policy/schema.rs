//! The shape of a ClusterImagePolicy as the controller's Go types have it, and what Go says where a document differs.

use std::collections::BTreeMap;

use super::json::{Json, go_quote};
use super::url;

pub(crate) enum Type {
    Text,
    Bool,
    Integer,
    /// Nothing is looked at.
    Any,
    /// `apis.URL`
    Url,
    Texts,
    List(&'static Type),
    Struct(&'static Struct),
}

pub(crate) struct Struct {
    /// As Go's messages name the type, `v1beta1.KeyRef`, without the version for ours.
    name: &'static str,
    ours: bool,
    fields: &'static [(&'static str, Type)],
}

const fn ours(name: &'static str, fields: &'static [(&'static str, Type)]) -> Struct {
    Struct { name, ours: true, fields }
}

pub(crate) static POLICY_DOCUMENT: Struct = ours(
    "ClusterImagePolicy",
    &[
        ("kind", Type::Text),
        ("apiVersion", Type::Text),
        ("metadata", Type::Struct(&METADATA)),
        ("spec", Type::Struct(&SPEC)),
        ("status", Type::Struct(&STATUS)),
    ],
);
static STATUS: Struct = ours(
    "ClusterImagePolicyStatus",
    &[("observedGeneration", Type::Integer), ("conditions", Type::Any), ("annotations", Type::Texts)],
);
static METADATA: Struct = Struct {
    name: "v1.ObjectMeta",
    ours: false,
    fields: &[
        ("name", Type::Text),
        ("generateName", Type::Text),
        ("namespace", Type::Text),
        ("selfLink", Type::Text),
        ("uid", Type::Text),
        ("resourceVersion", Type::Text),
        ("generation", Type::Integer),
        ("creationTimestamp", Type::Any),
        ("deletionTimestamp", Type::Any),
        ("deletionGracePeriodSeconds", Type::Integer),
        ("labels", Type::Texts),
        ("annotations", Type::Texts),
        ("ownerReferences", Type::Any),
        ("finalizers", Type::List(&Type::Text)),
        ("managedFields", Type::Any),
    ],
};
static SPEC: Struct = ours(
    "ClusterImagePolicySpec",
    &[
        ("images", Type::List(&Type::Struct(&IMAGE))),
        ("authorities", Type::List(&Type::Struct(&AUTHORITY))),
        ("policy", Type::Struct(&POLICY)),
        ("mode", Type::Text),
        ("match", Type::List(&Type::Struct(&MATCH))),
    ],
);
static IMAGE: Struct = ours("ImagePattern", &[("glob", Type::Text)]);
static AUTHORITY: Struct = ours(
    "Authority",
    &[
        ("name", Type::Text),
        ("key", Type::Struct(&KEY)),
        ("keyless", Type::Struct(&KEYLESS)),
        ("static", Type::Struct(&STATIC)),
        ("source", Type::List(&Type::Struct(&SOURCE))),
        ("ctlog", Type::Struct(&TLOG)),
        ("attestations", Type::List(&Type::Struct(&ATTESTATION))),
        ("rfc3161timestamp", Type::Struct(&TIMESTAMP)),
        ("signatureFormat", Type::Text),
    ],
);
static KEY: Struct = ours(
    "KeyRef",
    &[("secretRef", Type::Struct(&SECRET)), ("data", Type::Text), ("kms", Type::Text), ("hashAlgorithm", Type::Text)],
);
static SECRET: Struct =
    Struct { name: "v1.SecretReference", ours: false, fields: &[("name", Type::Text), ("namespace", Type::Text)] };
static LOCAL: Struct = Struct { name: "v1.LocalObjectReference", ours: false, fields: &[("name", Type::Text)] };
static STATIC: Struct = ours("StaticRef", &[("action", Type::Text), ("message", Type::Text)]);
static SOURCE: Struct = ours(
    "Source",
    &[
        ("oci", Type::Text),
        ("signaturePullSecrets", Type::List(&Type::Struct(&LOCAL))),
        ("tagPrefix", Type::Text),
    ],
);
static TLOG: Struct = ours("TLog", &[("url", Type::Url), ("trustRootRef", Type::Text)]);
static TIMESTAMP: Struct = ours("RFC3161Timestamp", &[("trustRootRef", Type::Text)]);
static KEYLESS: Struct = ours(
    "KeylessRef",
    &[
        ("url", Type::Url),
        ("identities", Type::List(&Type::Struct(&IDENTITY))),
        ("ca-cert", Type::Struct(&KEY)),
        ("trustRootRef", Type::Text),
        ("insecureIgnoreSCT", Type::Bool),
    ],
);
static IDENTITY: Struct = ours(
    "Identity",
    &[("issuer", Type::Text), ("subject", Type::Text), ("issuerRegExp", Type::Text), ("subjectRegExp", Type::Text)],
);
static ATTESTATION: Struct =
    ours("Attestation", &[("name", Type::Text), ("predicateType", Type::Text), ("policy", Type::Struct(&POLICY))]);
static POLICY: Struct = ours(
    "Policy",
    &[
        ("type", Type::Text),
        ("data", Type::Text),
        ("remote", Type::Struct(&REMOTE)),
        ("configMapRef", Type::Struct(&CONFIG_MAP)),
        ("fetchConfigFile", Type::Bool),
        ("includeSpec", Type::Bool),
        ("includeObjectMeta", Type::Bool),
        ("includeTypeMeta", Type::Bool),
    ],
);
static REMOTE: Struct = ours("RemotePolicy", &[("url", Type::Url), ("sha256sum", Type::Text)]);
static CONFIG_MAP: Struct =
    ours("ConfigMapReference", &[("name", Type::Text), ("namespace", Type::Text), ("key", Type::Text)]);
static MATCH: Struct = ours(
    "MatchResource",
    &[
        ("group", Type::Text),
        ("version", Type::Text),
        ("resource", Type::Text),
        ("selector", Type::Struct(&SELECTOR)),
    ],
);
static SELECTOR: Struct = Struct {
    name: "v1.LabelSelector",
    ours: false,
    fields: &[("matchLabels", Type::Texts), ("matchExpressions", Type::List(&Type::Struct(&EXPRESSION)))],
};
static EXPRESSION: Struct = Struct {
    name: "v1.LabelSelectorRequirement",
    ours: false,
    fields: &[("key", Type::Text), ("operator", Type::Text), ("values", Type::List(&Type::Text))],
};

/// What Go's decoder says first, and the JSON pointer of it.
pub(crate) struct Misfit {
    pub(crate) message: String,
    pub(crate) pointer: String,
}

/// The document in its Go shape: members by their canonical names, mistakes left out; and the decoder's error.
pub(crate) fn decode(document: &Json, version: &'static str) -> (Json, Option<Misfit>) {
    let mut decoder = Decoder { version, saved: None, fatal: None };
    let value = decoder.value(document, &Type::Struct(&POLICY_DOCUMENT), &Place::default());
    (value, decoder.fatal.or(decoder.saved))
}

#[derive(Clone, Default)]
struct Place {
    owner: &'static str,
    path: Vec<String>,
    pointer: String,
}

struct Decoder {
    version: &'static str,
    saved: Option<Misfit>,
    /// From a type that decodes itself: it ends the reading.
    fatal: Option<Misfit>,
}

impl Decoder {
    fn value(&mut self, value: &Json, wanted: &Type, place: &Place) -> Json {
        match (wanted, value) {
            (Type::Any, value) => value.clone(),
            (_, Json::Null) => Json::Null,
            (Type::Text, Json::String(_)) | (Type::Bool, Json::Bool(_)) => value.clone(),
            (Type::Integer, Json::Number(number)) if number.parse::<i64>().is_ok() => value.clone(),
            (Type::Url, Json::String(text)) => {
                if let Err(message) = url::parse(text) {
                    self.fatal.get_or_insert(Misfit { message, pointer: place.pointer.clone() });
                }
                value.clone()
            }
            (Type::Url, other) => {
                let message = format!("json: cannot unmarshal {} into Go value of type string", other.kind());
                self.fatal.get_or_insert(Misfit { message, pointer: place.pointer.clone() });
                Json::Null
            }
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
            let field = exact.or_else(|| shape.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)));
            let pointer = format!("{}/{}", place.pointer, lotse_yaml::pointer_escape(key));
            let Some((name, wanted)) = field else {
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

    fn mismatch(&mut self, value: &Json, wanted: &str, place: &Place) {
        let kind = match value {
            Json::Number(number) if wanted.starts_with("int") => format!("number {number}"),
            other => other.kind().to_owned(),
        };
        let message = if place.path.is_empty() {
            format!("json: cannot unmarshal {kind} into Go value of type {wanted}")
        } else {
            let field = place.path.join(".");
            format!("json: cannot unmarshal {kind} into Go struct field {}.{field} of type {wanted}", place.owner)
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
            Type::Any | Type::Url => String::new(),
        }
    }
}
