use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::document::{self, unique};
use crate::{Descriptor, Error, Limits, media};

/// An image manifest (image-spec, manifest). Plain data; parse it with [`Manifest::parse`], which refuses what is ambiguous.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Free annotations, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique::deserialize")]
    pub annotations: BTreeMap<String, String>,
    /// What this artifact is, if it is no image.
    #[serde(default, rename = "artifactType", skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The configuration blob.
    pub config: Descriptor,
    /// The layers, base first.
    pub layers: Vec<Descriptor>,
    /// The media type of this document.
    #[serde(default, rename = "mediaType", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Always 2.
    #[serde(rename = "schemaVersion")]
    pub schema_version: u32,
    /// The manifest that this one refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Members that this version does not interpret.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// A manifest of this configuration and these layers, base first.
    #[must_use]
    pub fn new(config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            annotations: BTreeMap::new(),
            artifact_type: None,
            config,
            layers,
            media_type: Some(media::MANIFEST.to_owned()),
            schema_version: 2,
            subject: None,
            rest: BTreeMap::new(),
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if it is no manifest, says another media type, or could be read as an index too
    /// (CVE-2021-41190); [`Error::Limit`] over [`Limits::document_bytes`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        refuse_ambiguous("image manifest", bytes, limits)?;
        let manifest: Self = document::parse("image manifest", bytes, limits)?;
        if manifest.schema_version != 2 {
            return Err(Error::malformed(
                "image manifest",
                format!("schemaVersion {} is not 2", manifest.schema_version),
            ));
        }
        match manifest.media_type.as_deref() {
            None => Ok(manifest),
            Some(media_type) if media::is_manifest(media_type) => Ok(manifest),
            Some(other) => Err(Error::malformed("image manifest", format!("mediaType is {other:?}"))),
        }
    }

    /// The canonical bytes of this manifest.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        document::to_bytes("image manifest", self)
    }
}

/// An image index (image-spec, image index), also the `index.json` of a layout. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Free annotations, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "unique::deserialize")]
    pub annotations: BTreeMap<String, String>,
    /// What this index is, if it is no image.
    #[serde(default, rename = "artifactType", skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// The manifests, in order.
    pub manifests: Vec<Descriptor>,
    /// The media type of this document.
    #[serde(default, rename = "mediaType", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Always 2.
    #[serde(rename = "schemaVersion")]
    pub schema_version: u32,
    /// The manifest that this one refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Members that this version does not interpret.
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

impl Index {
    /// An index of these manifests.
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self {
            annotations: BTreeMap::new(),
            artifact_type: None,
            manifests,
            media_type: Some(media::INDEX.to_owned()),
            schema_version: 2,
            subject: None,
            rest: BTreeMap::new(),
        }
    }

    /// Reads an index.
    ///
    /// # Errors
    ///
    /// As [`Manifest::parse`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        refuse_ambiguous("image index", bytes, limits)?;
        let index: Self = document::parse("image index", bytes, limits)?;
        if index.schema_version != 2 {
            return Err(Error::malformed(
                "image index",
                format!("schemaVersion {} is not 2", index.schema_version),
            ));
        }
        match index.media_type.as_deref() {
            None => Ok(index),
            Some(media_type) if media::is_index(media_type) => Ok(index),
            Some(other) => Err(Error::malformed("image index", format!("mediaType is {other:?}"))),
        }
    }

    /// The canonical bytes of this index.
    ///
    /// # Errors
    ///
    /// None for values made by this crate.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        document::to_bytes("image index", self)
    }
}

/// A document with `layers` and `manifests` means one thing to one reader and another to the next.
fn refuse_ambiguous(what: &str, bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Members {
        config: Option<serde::de::IgnoredAny>,
        layers: Option<serde::de::IgnoredAny>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let members: Members = document::parse(what, bytes, limits)?;
    if members.manifests.is_some() && (members.layers.is_some() || members.config.is_some()) {
        let reason = "it has members of a manifest and of an index, so readers disagree on what it is";
        return Err(Error::malformed(what, reason));
    }
    Ok(())
}
