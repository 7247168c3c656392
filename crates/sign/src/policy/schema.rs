//! The shape of a ClusterImagePolicy as the controller's Go types have it.

use super::gotype::{Misfit, Struct, Type, decode_strict, foreign, ours};
use super::json::Json;

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
static METADATA: Struct = foreign(
    "v1.ObjectMeta",
    &[
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
);
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
    &[
        ("secretRef", Type::Struct(&SECRET)),
        ("data", Type::Text),
        ("kms", Type::Text),
        ("hashAlgorithm", Type::Text),
    ],
);
static SECRET: Struct = foreign("v1.SecretReference", &[("name", Type::Text), ("namespace", Type::Text)]);
static LOCAL: Struct = foreign("v1.LocalObjectReference", &[("name", Type::Text)]);
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
    &[
        ("issuer", Type::Text),
        ("subject", Type::Text),
        ("issuerRegExp", Type::Text),
        ("subjectRegExp", Type::Text),
    ],
);
static ATTESTATION: Struct = ours(
    "Attestation",
    &[("name", Type::Text), ("predicateType", Type::Text), ("policy", Type::Struct(&POLICY))],
);
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

/// The document in its Go shape, and what the decoder says first.
pub(crate) fn decode(document: &Json, version: &'static str) -> (Json, Option<Misfit>) {
    decode_strict(document, &POLICY_DOCUMENT, version)
}
