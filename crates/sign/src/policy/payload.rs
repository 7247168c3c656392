//! What a rule sees of an attestation.

use base64::Engine as _;

use super::gotype::{Struct, Type, decode, encode, foreign};
use super::json::{Json, go_quote};

/// cosign's short names and the types that they stand for.
pub(crate) const SHORT_NAMES: [(&str, &str); 10] = [
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
];

/// The statement in the form that a rule gets to see.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementView {
    /// The JSON text that CUE and Rego evaluate.
    Evaluated {
        /// The text, byte for byte as the controller makes it.
        json: String,
        /// The predicate type of the statement.
        predicate_type: String,
    },
    /// The statement is of another type and passed over.
    Skipped {
        /// The predicate type of the statement.
        predicate_type: String,
    },
    /// The statement does not fit the types that the controller reads it into.
    Failed {
        /// The controller's words.
        message: String,
        /// The predicate type, if it came that far.
        predicate_type: Option<String>,
    },
}

/// What a rule for `wanted` (a predicate type or one of cosign's short names) sees of a statement.
///
/// Short names `slsaprovenance`, `link` and `vuln` pass the predicate through Go's types, which lose unknown members and add
/// zero values; every other type keeps the predicate, but numbers become 64-bit floats and members are sorted.
#[must_use]
pub fn statement_view(wanted: &str, statement: &[u8]) -> StatementView {
    let failed = |message: String, predicate_type| StatementView::Failed { message, predicate_type };
    if wanted.is_empty() {
        return failed("missing predicate type".to_owned(), None);
    }
    let generic = Json::parse(statement).and_then(|json| Ok((decode(&json, &STATEMENT)?, json)));
    let (generic, json) = match generic {
        Ok(read) => read,
        Err(reason) => return failed(format!("unmarshal in-toto statement: {reason}"), None),
    };
    let predicate_type = generic.get("predicateType").and_then(Json::as_str).unwrap_or_default().to_owned();
    if predicate_type != predicate_uri(wanted) {
        return StatementView::Skipped { predicate_type };
    }
    let (shape, name): (&'static Struct, &str) = match wanted {
        "link" => (&LINK_STATEMENT, "LinkStatement"),
        "slsaprovenance" => (&SLSA_STATEMENT, "ProvenanceStatementSLSA02)"),
        "vuln" => (&VULN_STATEMENT, "CosignVulnStatement"),
        _ => (&STATEMENT, "Statement"),
    };
    let encoded = decode(&json, shape)
        .map_err(|reason| format!("unmarshaling {name}: {reason}"))
        .and_then(|value| encode(&value, &Type::Struct(shape)));
    match encoded {
        Ok(value) => StatementView::Evaluated { json: value.marshal(), predicate_type },
        Err(message) => failed(message, Some(predicate_type)),
    }
}

/// The predicate type that a policy's `predicateType` stands for.
pub(crate) fn predicate_uri(wanted: &str) -> &str {
    SHORT_NAMES.iter().find(|(short, _)| *short == wanted).map_or(wanted, |(_, uri)| uri)
}

/// Whether a verified statement names the image, as cosign's claim verifier asks: its SHA-256 among the subjects.
pub(crate) fn check_subject(statement: &[u8], digest: &str) -> Result<(), String> {
    let statement = Json::parse(statement).and_then(|json| decode(&json, &CLAIMED))?;
    for subject in statement.get("subject").map(Json::items).unwrap_or_default() {
        let found = subject.get("digest").and_then(|digest| digest.get("sha256")).and_then(Json::as_str);
        if found.is_some_and(|found| format!("sha256:{found}") == digest) {
            return Ok(());
        }
    }
    Err("no matching subject digest found".to_owned())
}

/// Base64 as Go's `StdEncoding` reads it: padded, line breaks passed over.
pub(crate) fn go_base64(text: &str) -> Result<Vec<u8>, String> {
    let plain: String = text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    base64::engine::general_purpose::STANDARD.decode(plain).map_err(|error| {
        let at = match error {
            base64::DecodeError::InvalidByte(at, _)
            | base64::DecodeError::InvalidLastSymbol { offset: at, .. } => at,
            _ => text.len(),
        };
        format!("illegal base64 data at input byte {at}")
    })
}

/// The statement inside an envelope as `AttestationToPayloadJSON` takes it out.
pub(crate) fn envelope_statement(envelope: &[u8]) -> Result<Vec<u8>, String> {
    let envelope = Json::parse(envelope).map_err(|_| "unmarshaling payload data".to_owned())?;
    match envelope.get("payload") {
        Some(Json::String(text)) => go_base64(text).map_err(|reason| format!("decoding payload: {reason}")),
        Some(other) => {
            let kind = match other {
                Json::Null => "<nil>",
                Json::Bool(_) => "bool",
                Json::Number(_) => "float64",
                Json::Array(_) => "[]interface {}",
                _ => "map[string]interface {}",
            };
            Err(format!("invalid payload: payload field is not a string (got {kind})"))
        }
        None => Err("could not find payload in payload data".to_owned()),
    }
}

/// The message for a payload type that is not in-toto's.
pub(crate) fn wrong_payload_type(payload_type: &str) -> String {
    format!("invalid payloadType {payload_type} on envelope. Expected application/vnd.in-toto+json")
}

/// The list of types that were looked at, as the controller prints it.
pub(crate) fn quoted_types<'a>(types: impl IntoIterator<Item = &'a str>) -> String {
    go_quote(&types.into_iter().collect::<Vec<_>>().join(","))
}

const DIGEST_SET: Type = Type::Named("common.DigestSet", &Type::Texts);
static SUBJECT: Struct = foreign("in_toto.Subject", &[("name", Type::Text), ("digest", DIGEST_SET)]);
const SUBJECTS: Type = Type::List(&Type::Struct(&SUBJECT));

static STATEMENT: Struct = foreign(
    "in_toto.Statement",
    &[("_type", Type::Text), ("predicateType", Type::Text), ("subject", SUBJECTS), ("predicate", Type::Any)],
);

static LINK_STATEMENT: Struct = foreign(
    "in_toto.LinkStatement",
    &[
        ("_type", Type::Text),
        ("predicateType", Type::Text),
        ("subject", SUBJECTS),
        ("predicate", Type::Struct(&LINK)),
    ],
);
static LINK: Struct = foreign(
    "in_toto.Link",
    &[
        ("_type", Type::Text),
        ("name", Type::Text),
        ("materials", Type::TextMaps),
        ("products", Type::TextMaps),
        ("byproducts", Type::Anything),
        ("command", Type::List(&Type::Text)),
        ("environment", Type::Anything),
    ],
);

static SLSA_STATEMENT: Struct = foreign(
    "in_toto.ProvenanceStatementSLSA02",
    &[
        ("_type", Type::Text),
        ("predicateType", Type::Text),
        ("subject", SUBJECTS),
        ("predicate", Type::Struct(&PROVENANCE)),
    ],
);
static PROVENANCE: Struct = foreign(
    "v02.ProvenancePredicate",
    &[
        ("builder", Type::Struct(&BUILDER)),
        ("buildType", Type::Text),
        ("invocation", Type::Struct(&INVOCATION)),
        ("buildConfig", Type::Omit(&Type::Any)),
        ("metadata", Type::Omit(&Type::Pointer(&Type::Struct(&METADATA)))),
        ("materials", Type::Omit(&Type::List(&Type::Struct(&MATERIAL)))),
    ],
);
static BUILDER: Struct = foreign("common.ProvenanceBuilder", &[("id", Type::Text)]);
static INVOCATION: Struct = foreign(
    "v02.ProvenanceInvocation",
    &[
        ("configSource", Type::Struct(&CONFIG_SOURCE)),
        ("parameters", Type::Omit(&Type::Any)),
        ("environment", Type::Omit(&Type::Any)),
    ],
);
static CONFIG_SOURCE: Struct = foreign(
    "v02.ConfigSource",
    &[
        ("uri", Type::Omit(&Type::Text)),
        ("digest", Type::Omit(&DIGEST_SET)),
        ("entryPoint", Type::Omit(&Type::Text)),
    ],
);
static METADATA: Struct = foreign(
    "v02.ProvenanceMetadata",
    &[
        ("buildInvocationID", Type::Omit(&Type::Text)),
        ("buildStartedOn", Type::Omit(&Type::Pointer(&Type::Time))),
        ("buildFinishedOn", Type::Omit(&Type::Pointer(&Type::Time))),
        ("completeness", Type::Struct(&COMPLETENESS)),
        ("reproducible", Type::Bool),
    ],
);
static COMPLETENESS: Struct = foreign(
    "v02.ProvenanceComplete",
    &[("parameters", Type::Bool), ("environment", Type::Bool), ("materials", Type::Bool)],
);
static MATERIAL: Struct = foreign(
    "common.ProvenanceMaterial",
    &[("uri", Type::Omit(&Type::Text)), ("digest", Type::Omit(&DIGEST_SET))],
);

static VULN_STATEMENT: Struct = foreign(
    "attestation.CosignVulnStatement",
    &[
        ("_type", Type::Text),
        ("predicateType", Type::Text),
        ("subject", SUBJECTS),
        ("predicate", Type::Struct(&VULN)),
    ],
);
static VULN: Struct = foreign(
    "attestation.CosignVulnPredicate",
    &[
        ("invocation", Type::Struct(&VULN_INVOCATION)),
        ("scanner", Type::Struct(&SCANNER)),
        ("metadata", Type::Struct(&SCAN)),
    ],
);
static VULN_INVOCATION: Struct = foreign(
    "attestation.Invocation",
    &[("parameters", Type::Any), ("uri", Type::Text), ("event_id", Type::Text), ("builder.id", Type::Text)],
);
static SCANNER: Struct = foreign(
    "attestation.Scanner",
    &[("uri", Type::Text), ("version", Type::Text), ("db", Type::Struct(&DATABASE)), ("result", Type::Any)],
);
static DATABASE: Struct = foreign("attestation.DB", &[("uri", Type::Text), ("version", Type::Text)]);
static SCAN: Struct =
    foreign("attestation.Metadata", &[("scanStartedOn", Type::Time), ("scanFinishedOn", Type::Time)]);

/// The statement as the claim verifier reads it, into a type made from the protocol buffer.
static CLAIMED: Struct = foreign(
    "v1.Statement",
    &[
        ("_type", Type::Text),
        ("subject", Type::List(&Type::Struct(&DESCRIPTOR))),
        ("predicateType", Type::Text),
        ("predicate", Type::Proto),
    ],
);
static DESCRIPTOR: Struct = foreign(
    "v1.ResourceDescriptor",
    &[
        ("name", Type::Text),
        ("uri", Type::Text),
        ("digest", Type::Texts),
        ("content", Type::Text),
        ("download_location", Type::Text),
        ("media_type", Type::Text),
        ("annotations", Type::Proto),
    ],
);
