use lotse_digest::Digest;
use serde_json::{Value, json};

use super::CosignLayer;
use crate::Error;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A manifest of cosign's older layout with the blobs that it names, to be written under
/// [`signature_tag`](crate::Attachments::signature_tag) or [`attestation_tag`](crate::Attachments::attestation_tag). Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CosignManifest {
    /// The manifest in JSON.
    pub json: Vec<u8>,
    /// Its media type.
    pub media_type: &'static str,
    /// The configuration and the new layers: digest, media type and bytes.
    pub blobs: Vec<(Digest, String, Vec<u8>)>,
}

impl CosignManifest {
    /// Adds layers to what is under the tag; `existing` is the manifest that is there, if one is. Layers that are there
    /// already are not added again. The same input gives the same bytes.
    ///
    /// Writing it is a read and a write: of two who do so at once, one loses a layer. Bundles as referrers do not.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if what is under the tag is no manifest.
    pub fn append(existing: Option<&[u8]>, layers: &[CosignLayer]) -> Result<Self, Error> {
        let fault = |reason: &dyn std::fmt::Display| Error::malformed("manifest of signatures", reason);
        let mut descriptors: Vec<Value> = match existing {
            None => Vec::new(),
            Some(json) => {
                let manifest: Value = serde_json::from_slice(json).map_err(|error| fault(&error))?;
                let layers = manifest.get("layers").and_then(Value::as_array);
                layers.ok_or_else(|| fault(&"it has no layers"))?.clone()
            }
        };
        let mut blobs = Vec::new();
        for layer in layers {
            let digest = Digest::sha256(&layer.payload);
            let descriptor = json!({
                "mediaType": layer.media_type,
                "size": layer.payload.len(),
                "digest": digest.to_string(),
                "annotations": layer.annotations,
            });
            if !descriptors.contains(&descriptor) {
                descriptors.push(descriptor);
                blobs.push((digest, layer.media_type.clone(), layer.payload.clone()));
            }
        }
        let digests: Vec<_> = descriptors.iter().filter_map(|layer| layer.get("digest")).collect();
        let config = json!({
            "architecture": "",
            "config": {},
            "created": "0001-01-01T00:00:00Z",
            "os": "",
            "rootfs": { "type": "layers", "diff_ids": digests },
        });
        let config = serde_json::to_vec(&config).map_err(|error| fault(&error))?;
        let digest = Digest::sha256(&config);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "size": config.len(), "digest": digest.to_string() },
            "layers": descriptors,
        });
        blobs.push((digest, CONFIG.to_owned(), config));
        let json = serde_json::to_vec(&manifest).map_err(|error| fault(&error))?;
        Ok(Self { json, media_type: MANIFEST, blobs })
    }
}
