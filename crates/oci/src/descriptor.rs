use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::Error;
use lotse_digest::Digest;
use serde::{Deserialize, Serialize};

use crate::document::unique;

/// What points at a blob: type, digest and size (image-spec, descriptor). Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// Free annotations, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique::deserialize")]
    pub annotations: BTreeMap<String, String>,
    /// What an artifact manifest says it is; copied here for referrers.
    #[serde(default, rename = "artifactType", skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The digest of the blob.
    pub digest: Digest,
    /// The media type of the blob.
    #[serde(rename = "mediaType")]
    pub media_type: String,
    /// For which machine the manifest is, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Bytes of the blob.
    pub size: u64,
    /// Members that this version does not know; kept, so that copying a descriptor loses nothing.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

impl Descriptor {
    /// A descriptor without annotations.
    #[must_use]
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            annotations: BTreeMap::new(),
            artifact_type: None,
            digest,
            media_type: media_type.into(),
            platform: None,
            size,
            rest: BTreeMap::new(),
        }
    }

    /// The tag of this descriptor in a layout's index, if it has one.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.annotations.get(crate::layout::REF_NAME).map(String::as_str)
    }
}

/// The machine an image is for (image-spec, image index). Plain data; names are Go's `GOOS` and `GOARCH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `amd64`, `arm64`, …
    pub architecture: String,
    /// `linux`, `windows`, …
    pub os: String,
    /// The CPU variant, such as `v8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Members that this version does not interpret, such as `os.version`.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

impl Platform {
    /// `os/architecture` without a variant.
    #[must_use]
    pub fn new(os: impl Into<String>, architecture: impl Into<String>) -> Self {
        Self { architecture: architecture.into(), os: os.into(), variant: None, rest: BTreeMap::new() }
    }
}

/// `os/architecture` or `os/architecture/variant`.
impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = Error;

    /// Reads `os/architecture` or `os/architecture/variant`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.splitn(3, '/').filter(|part| !part.is_empty());
        match (parts.next(), parts.next(), parts.next()) {
            (Some(os), Some(architecture), variant) => {
                Ok(Self { variant: variant.map(str::to_owned), ..Self::new(os, architecture) })
            }
            _ => Err(Error::Caller(format!("platform {text:?} is not like linux/amd64"))),
        }
    }
}
