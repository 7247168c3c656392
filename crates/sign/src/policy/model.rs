use lotse_yaml::Position;

use super::identity::PolicyIdentity;
use super::json::Json;

/// One ClusterImagePolicy (`policy.sigstore.dev/v1alpha1` or `v1beta1`), defaults applied.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClusterImagePolicy {
    /// `metadata.name`
    pub name: String,
    /// `v1alpha1` or `v1beta1`.
    pub version: String,
    /// `spec.images[].glob`, as written.
    pub globs: Vec<String>,
    /// `spec.authorities`: one that passes is enough.
    pub authorities: Vec<Authority>,
    /// `spec.policy`: what is asked of the authorities that passed.
    pub policy: Option<PolicyRule>,
    /// `mode: warn`: a failure only warns.
    pub warn: bool,
    /// `spec.match`: resources that the policy is for; empty for all.
    pub resources: Vec<ResourceMatch>,
    /// Where the document starts.
    pub position: Position,
    /// Place in the list of documents of the text, from 0, empty ones not counted.
    pub(crate) document: usize,
}

/// One way to be satisfied.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Authority {
    /// The name, `authority-0` and so on by default.
    pub name: String,
    /// Who must have signed.
    pub kind: AuthorityKind,
    /// Where signatures are looked for instead of beside the image.
    pub source: Option<Source>,
    /// `ctlog`
    pub log: Option<LogReference>,
    /// What must be attested; if there is anything, signatures of the image itself are not looked at.
    pub attestations: Vec<AttestationRule>,
    /// `rfc3161timestamp.trustRootRef`
    pub timestamp_root: Option<String>,
    /// `signatureFormat: bundle`
    pub bundle_format: bool,
}

/// Who must have signed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AuthorityKind {
    /// A managed key.
    Key(KeyReference),
    /// A certificate of Fulcio.
    Keyless(Keyless),
    /// Nobody: the answer is fixed.
    Static {
        /// `pass` or `fail`.
        pass: bool,
        /// The message of a refusal.
        message: String,
    },
}

/// `key`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReference {
    /// The key in PEM; of several blocks only the first counts.
    pub data: String,
    /// `kms`: a reference that only a cluster resolves.
    pub kms: String,
    /// `secretRef.name`
    pub secret: Option<String>,
    /// `sha224`, `sha256`, `sha384`, `sha512`; `sha256` by default.
    pub hash_algorithm: String,
}

/// `keyless`
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Keyless {
    /// `url`; the public Fulcio by default. Without it (with `ca-cert`) nothing ever verifies.
    pub url: Option<String>,
    /// Who may have signed.
    pub identities: Vec<PolicyIdentity>,
    /// `trustRootRef`; the public good instance if empty.
    pub trust_root: String,
    /// `insecureIgnoreSCT`
    pub ignore_sct: bool,
    /// Whether `ca-cert` is given.
    pub ca_cert: bool,
}

/// `source[0]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// The repository that holds the signatures.
    pub oci: String,
    /// What their tags start with.
    pub tag_prefix: String,
}

/// `ctlog`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogReference {
    /// The log's address.
    pub url: Option<String>,
    /// The trust root that holds its key.
    pub trust_root: String,
}

/// One entry of `attestations`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttestationRule {
    /// The name by which the policy-level policy sees it.
    pub name: String,
    /// A URI, or one of cosign's short names.
    pub predicate_type: String,
    /// What is asked of the statement.
    pub policy: Option<PolicyRule>,
}

/// A rule in CUE or Rego.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyRule {
    /// `cue` or `rego`.
    pub language: String,
    /// The rule itself; empty if it is kept elsewhere (`configMapRef`, `remote`).
    pub data: String,
    /// Whether the rule is kept elsewhere.
    pub elsewhere: bool,
    /// `fetchConfigFile`
    pub fetch_config: bool,
    /// `includeSpec`
    pub include_spec: bool,
    /// `includeObjectMeta`
    pub include_metadata: bool,
    /// `includeTypeMeta`
    pub include_type: bool,
}

/// One entry of `match`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResourceMatch {
    /// API group.
    pub group: String,
    /// API version, or `*`.
    pub version: String,
    /// Resource in the plural.
    pub resource: String,
    /// Labels that the object must carry; `None` without selector.
    pub labels: Option<Vec<LabelRequirement>>,
}

/// One requirement of a label selector.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LabelRequirement {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
    pub operator: String,
    /// The values, for the first two.
    pub values: Vec<String>,
}

/// Reads the model from a decoded document; `webhook` is how the controller's own conversion from v1beta1 loses things.
pub(crate) fn read(document: &Json, version: &str, position: Position, index: usize) -> ClusterImagePolicy {
    let spec = document.get("spec");
    let list = |name: &str| spec.and_then(|spec| spec.get(name)).map(Json::items).unwrap_or_default();
    let old = version == "v1alpha1";
    ClusterImagePolicy {
        name: document.get("metadata").map(|metadata| text(metadata, "name")).unwrap_or_default(),
        version: version.to_owned(),
        globs: list("images").iter().map(|image| text(image, "glob")).collect(),
        authorities: list("authorities")
            .iter()
            .enumerate()
            .map(|(at, entry)| authority(entry, at, old))
            .collect(),
        policy: spec.and_then(|spec| object(spec, "policy")).map(rule),
        warn: spec.is_some_and(|spec| text(spec, "mode") == "warn"),
        resources: list("match").iter().map(resource).collect(),
        position,
        document: index,
    }
}

pub(crate) fn text(value: &Json, name: &str) -> String {
    value.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// A member that is an object; null counts as absent.
pub(crate) fn object<'a>(value: &'a Json, name: &str) -> Option<&'a Json> {
    value.get(name).filter(|value| matches!(value, Json::Object(_)))
}

fn flag(value: &Json, name: &str) -> bool {
    value.get(name) == Some(&Json::Bool(true))
}

fn authority(entry: &Json, at: usize, old: bool) -> Authority {
    let name = text(entry, "name");
    let kind = if let Some(key) = object(entry, "key") {
        AuthorityKind::Key(KeyReference {
            data: text(key, "data"),
            kms: text(key, "kms"),
            secret: object(key, "secretRef").map(|secret| text(secret, "name")),
            hash_algorithm: match text(key, "hashAlgorithm").trim().to_ascii_lowercase() {
                empty if empty.is_empty() => "sha256".to_owned(),
                other => other,
            },
        })
    } else if let Some(keyless) = object(entry, "keyless") {
        let ca_cert = object(keyless, "ca-cert").is_some();
        let url = keyless.get("url").and_then(Json::as_str).map(str::to_owned);
        AuthorityKind::Keyless(Keyless {
            url: url.or_else(|| (!ca_cert).then(|| "https://fulcio.sigstore.dev".to_owned())),
            identities: keyless
                .get("identities")
                .map(Json::items)
                .unwrap_or_default()
                .iter()
                .map(|identity| PolicyIdentity {
                    issuer: text(identity, "issuer"),
                    issuer_regexp: text(identity, "issuerRegExp"),
                    subject: text(identity, "subject"),
                    subject_regexp: text(identity, "subjectRegExp"),
                })
                .collect(),
            trust_root: text(keyless, "trustRootRef"),
            ignore_sct: flag(keyless, "insecureIgnoreSCT"),
            ca_cert,
        })
    } else {
        let fixed = object(entry, "static");
        AuthorityKind::Static {
            pass: fixed.is_some_and(|fixed| text(fixed, "action") != "fail"),
            message: fixed.map(|fixed| text(fixed, "message")).unwrap_or_default(),
        }
    };
    Authority {
        name: if name.is_empty() { format!("authority-{at}") } else { name },
        kind,
        source: entry
            .get("source")
            .and_then(|source| source.items().first())
            .map(|source| Source { oci: text(source, "oci"), tag_prefix: text(source, "tagPrefix") }),
        log: object(entry, "ctlog")
            .map(|log| LogReference {
                url: log.get("url").and_then(Json::as_str).map(str::to_owned),
                trust_root: text(log, "trustRootRef"),
            })
            // The conversion from v1beta1 drops a log without address.
            .filter(|log| old || log.url.is_some()),
        attestations: entry
            .get("attestations")
            .map(Json::items)
            .unwrap_or_default()
            .iter()
            .map(|attestation| AttestationRule {
                name: text(attestation, "name"),
                predicate_type: text(attestation, "predicateType"),
                policy: object(attestation, "policy").map(rule),
            })
            .collect(),
        timestamp_root: object(entry, "rfc3161timestamp")
            .map(|timestamp| text(timestamp, "trustRootRef"))
            .filter(|root| old || !root.is_empty()),
        bundle_format: text(entry, "signatureFormat") == "bundle",
    }
}

fn rule(policy: &Json) -> PolicyRule {
    PolicyRule {
        language: text(policy, "type"),
        data: text(policy, "data"),
        elsewhere: object(policy, "remote").is_some() || object(policy, "configMapRef").is_some(),
        fetch_config: flag(policy, "fetchConfigFile"),
        include_spec: flag(policy, "includeSpec"),
        include_metadata: flag(policy, "includeObjectMeta"),
        include_type: flag(policy, "includeTypeMeta"),
    }
}

fn resource(entry: &Json) -> ResourceMatch {
    let labels = object(entry, "selector").map(|selector| {
        let mut labels: Vec<LabelRequirement> = Vec::new();
        if let Some(Json::Object(members)) = selector.get("matchLabels") {
            labels.extend(members.iter().map(|(key, value)| LabelRequirement {
                key: key.clone(),
                operator: "In".to_owned(),
                values: vec![value.as_str().unwrap_or_default().to_owned()],
            }));
        }
        let expressions = selector.get("matchExpressions").map(Json::items).unwrap_or_default();
        labels.extend(expressions.iter().map(|expression| {
            LabelRequirement {
                key: text(expression, "key"),
                operator: text(expression, "operator"),
                values: expression
                    .get("values")
                    .map(Json::items)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|value| value.as_str().map(str::to_owned))
                    .collect(),
            }
        }));
        labels
    });
    ResourceMatch {
        group: text(entry, "group"),
        version: text(entry, "version"),
        resource: text(entry, "resource"),
        labels,
    }
}
