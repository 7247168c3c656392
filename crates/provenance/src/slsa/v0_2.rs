use std::collections::BTreeMap;

use serde::Deserialize;

use crate::json::Json;

/// SLSA provenance v0.2, as far as facts are taken from it. What else it holds stays in the statement.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProvenanceV02 {
    pub(super) builder: Builder,
    pub(super) build_type: String,
    #[serde(default)]
    pub(super) invocation: Invocation,
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(default)]
    pub(super) materials: Vec<Material>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Builder {
    pub(super) id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    #[serde(default)]
    pub(super) config_source: ConfigSource,
    #[serde(default)]
    pub(super) parameters: Json,
    #[serde(default)]
    pub(super) environment: Json,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigSource {
    #[serde(default)]
    pub(super) uri: Option<String>,
    #[serde(default)]
    pub(super) digest: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) entry_point: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    #[serde(default, rename = "buildInvocationID", alias = "buildInvocationId")]
    pub(super) invocation: Option<String>,
    #[serde(default)]
    pub(super) build_started_on: Option<String>,
    #[serde(default)]
    pub(super) build_finished_on: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Material {
    #[serde(default)]
    pub(super) uri: Option<String>,
    #[serde(default)]
    pub(super) digest: BTreeMap<String, String>,
}
