use std::collections::BTreeMap;

use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use crate::document::{self, unique};
use crate::{Error, Limits, Platform};

/// An image configuration (image-spec, config). Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// Who made the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// How a container of this image runs.
    #[serde(default)]
    pub config: RunConfig,
    /// When the image was created, RFC 3339. Never now: the commit's time, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// How each layer came to be, base first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// `linux`, `windows`, …
    pub os: String,
    /// The layers by their uncompressed digests.
    pub rootfs: RootFs,
    /// The CPU variant, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Members that this version does not interpret.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

impl ImageConfig {
    /// A configuration without layers for `os/architecture`.
    #[must_use]
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self {
            architecture: architecture.into(),
            author: None,
            config: RunConfig::default(),
            created: None,
            history: Vec::new(),
            os: os.into(),
            rootfs: RootFs { diff_ids: Vec::new(), kind: "layers".to_owned() },
            variant: None,
            rest: BTreeMap::new(),
        }
    }

    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is none; [`Error::Limit`] over [`Limits::document_bytes`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        document::parse("image configuration", bytes, limits)
    }

    /// The machine that the image is for.
    #[must_use]
    pub fn platform(&self) -> Platform {
        Platform {
            variant: self.variant.clone(),
            ..Platform::new(self.os.clone(), self.architecture.clone())
        }
    }

    /// The canonical bytes of this configuration.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        document::to_bytes("image configuration", self)
    }
}

/// How a container of an image runs (image-spec, config, `config`). Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Default arguments.
    #[serde(default, rename = "Cmd", skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// The program and its first arguments.
    #[serde(default, rename = "Entrypoint", skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Variables as `NAME=value`, in order.
    #[serde(default, rename = "Env", skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<String>>,
    /// Ports as `8080/tcp`.
    #[serde(
        default,
        rename = "ExposedPorts",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique::deserialize"
    )]
    pub exposed_ports: BTreeMap<String, Empty>,
    /// Labels, by key.
    #[serde(
        default,
        rename = "Labels",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique::deserialize"
    )]
    pub labels: BTreeMap<String, String>,
    /// The signal that stops the program.
    #[serde(default, rename = "StopSignal", skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// `user`, `uid`, `user:group` or `uid:gid`.
    #[serde(default, rename = "User", skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where data is kept that outlives the container.
    #[serde(
        default,
        rename = "Volumes",
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "unique::deserialize"
    )]
    pub volumes: BTreeMap<String, Empty>,
    /// The directory the program starts in.
    #[serde(default, rename = "WorkingDir", skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Members that this version does not interpret.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

/// The empty object that Go's `map[string]struct{}` becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// How one layer came to be (image-spec, config, `history`). Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Who made the layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The command that made the layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Whether this step made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// The layers of an image by their uncompressed digests (image-spec, config, `rootfs`). Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFs {
    /// One digest for each layer, base first.
    pub diff_ids: Vec<Digest>,
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
}
