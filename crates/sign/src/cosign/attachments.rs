use std::collections::{BTreeMap, BTreeSet};

use lotse_digest::Digest;
use serde::Deserialize;

use super::CosignLayer;
use crate::{Bundle, Error};

/// Bundles or layers of one image.
const COUNT: usize = 1000;
/// Bytes of one of them.
const BYTES: u64 = 64 << 20;
const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle";

/// A repository, as the search for signatures needs it: an OCI layout, a registry, a directory. The caller implements it.
///
/// Nothing that it returns is trusted: manifests and blobs are checked against their digests here.
pub trait AttachmentStore {
    /// Why the store could not answer.
    type Error;

    /// The manifest under a tag; `None` if there is none.
    ///
    /// # Errors
    ///
    /// The store's.
    fn tagged(&self, tag: &str) -> Result<Option<Vec<u8>>, Self::Error>;

    /// The index of what refers to a manifest (distribution-spec, "Listing Referrers"): the API's answer, or what is under
    /// the fallback tag; `None` if there is neither.
    ///
    /// # Errors
    ///
    /// The store's.
    fn referrers(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Self::Error>;

    /// A manifest by its digest; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// The store's.
    fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Self::Error>;

    /// A blob by its digest and size in bytes, at most 64 MiB; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// The store's.
    fn blob(&self, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Everything that is attached to an image, in both layouts, not yet verified. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachments {
    /// The layers under the tag `sha256-….sig`.
    pub signatures: Vec<CosignLayer>,
    /// The layers under the tag `sha256-….att`.
    pub attestations: Vec<CosignLayer>,
    /// The bundles that refer to the image.
    pub bundles: Vec<AttachedBundle>,
    /// What is attached and could not be read, with the reason: never passed over in silence.
    pub unreadable: Vec<String>,
}

/// A bundle that refers to an image. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedBundle {
    /// The manifest that carries it.
    pub manifest: Digest,
    /// The bundle in JSON.
    pub json: Vec<u8>,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Attachments {
    /// The tag of an image's signatures in the older layout.
    #[must_use]
    pub fn signature_tag(image: &Digest) -> String {
        format!("{}.sig", Self::referrers_tag(image))
    }

    /// The tag of an image's attestations in the older layout.
    #[must_use]
    pub fn attestation_tag(image: &Digest) -> String {
        format!("{}.att", Self::referrers_tag(image))
    }

    /// The tag of the index of referrers where a registry has no API for them.
    #[must_use]
    pub fn referrers_tag(image: &Digest) -> String {
        format!("{}-{}", image.algorithm(), image.encoded())
    }

    /// Finds everything that is attached to an image.
    ///
    /// # Errors
    ///
    /// The store's. What is malformed is listed as unreadable.
    pub fn find<S: AttachmentStore>(store: &S, image: &Digest) -> Result<Self, S::Error> {
        let mut found = Self::default();
        for (tag, attestations) in [(Self::signature_tag(image), false), (Self::attestation_tag(image), true)]
        {
            let Some(manifest) = store.tagged(&tag)? else { continue };
            let layers = found.layers(store, &tag, &manifest)?;
            if attestations { found.attestations = layers } else { found.signatures = layers }
        }
        let Some(index) = store.referrers(image)? else { return Ok(found) };
        let index: Index = match serde_json::from_slice(&index) {
            Ok(index) => index,
            Err(error) => {
                found.unreadable.push(format!("index of referrers: {error}"));
                return Ok(found);
            }
        };
        for descriptor in index.manifests.iter().take(COUNT) {
            found.referrer(store, descriptor)?;
        }
        if index.manifests.len() > COUNT {
            found
                .unreadable
                .push(format!("{} referrers behind the first {COUNT}", index.manifests.len() - COUNT));
        }
        Ok(found)
    }

    fn layers<S: AttachmentStore>(
        &mut self,
        store: &S,
        tag: &str,
        manifest: &[u8],
    ) -> Result<Vec<CosignLayer>, S::Error> {
        let manifest: Manifest = match serde_json::from_slice(manifest) {
            Ok(manifest) => manifest,
            Err(error) => {
                self.unreadable.push(format!("{tag}: {error}"));
                return Ok(Vec::new());
            }
        };
        let mut layers = Vec::new();
        for descriptor in manifest.layers.into_iter().take(COUNT) {
            match blob(store, &descriptor)? {
                Ok(payload) => {
                    let Descriptor { media_type, annotations, .. } = descriptor;
                    layers.push(CosignLayer { media_type, payload, annotations });
                }
                Err(reason) => self.unreadable.push(format!("{tag}: {reason}")),
            }
        }
        Ok(layers)
    }

    /// A referrer carries a bundle if its only layer is one; its artifact type may be missing or another (older clients).
    fn referrer<S: AttachmentStore>(&mut self, store: &S, descriptor: &Descriptor) -> Result<(), S::Error> {
        let name = descriptor.digest.to_string();
        let manifest: Manifest = match content(store.manifest(&descriptor.digest)?, descriptor)
            .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}")))
        {
            Ok(manifest) => manifest,
            Err(reason) => {
                self.unreadable.push(format!("referrer {reason}"));
                return Ok(());
            }
        };
        let [layer] = manifest.layers.as_slice() else { return Ok(()) };
        if !layer.media_type.starts_with(BUNDLE_TYPE) {
            return Ok(());
        }
        match blob(store, layer)? {
            Ok(json) => self.bundles.push(AttachedBundle { manifest: descriptor.digest.clone(), json }),
            Err(reason) => self.unreadable.push(format!("referrer {name}: {reason}")),
        }
        Ok(())
    }

    /// The attestations of the older layout that are not attached as bundles yet, as bundles
    /// ([`CosignLayer::to_bundle`]); and those that cannot become one, with the reason.
    pub fn to_migrate(&self) -> impl Iterator<Item = Result<Bundle, Error>> {
        let attached: BTreeSet<&[u8]> = self.bundles.iter().map(|bundle| bundle.json.as_slice()).collect();
        self.attestations.iter().map(CosignLayer::to_bundle).filter(move |bundle| {
            let json = bundle.as_ref().ok().and_then(|bundle| bundle.to_json().ok());
            !json.is_some_and(|json| attached.contains(json.as_slice()))
        })
    }

    /// Whether nothing is attached at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signatures.is_empty()
            && self.attestations.is_empty()
            && self.bundles.is_empty()
            && self.unreadable.is_empty()
    }

    /// The layers of a manifest that the caller fetched, given how to get a blob by digest and size.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the manifest is none or a layer's bytes are not its digest's.
    pub fn layers_of(
        manifest: &[u8],
        mut blob: impl FnMut(&Digest, u64) -> Option<Vec<u8>>,
    ) -> Result<Vec<CosignLayer>, Error> {
        let manifest: Manifest = serde_json::from_slice(manifest)
            .map_err(|error| Error::malformed("manifest of signatures", error))?;
        let layer = |descriptor: Descriptor| {
            let payload = content(blob(&descriptor.digest, descriptor.size), &descriptor)
                .map_err(|reason| Error::malformed("layer of signatures", reason))?;
            let Descriptor { media_type, annotations, .. } = descriptor;
            Ok(CosignLayer { media_type, payload, annotations })
        };
        manifest.layers.into_iter().take(COUNT).map(layer).collect()
    }
}

/// A blob that the store has, unless it is too large to be asked for.
fn blob<S: AttachmentStore>(store: &S, descriptor: &Descriptor) -> Result<Result<Vec<u8>, String>, S::Error> {
    if descriptor.size > BYTES {
        return Ok(Err(format!("{} has {} bytes, more than {BYTES}", descriptor.digest, descriptor.size)));
    }
    Ok(content(store.blob(&descriptor.digest, descriptor.size)?, descriptor))
}

/// The bytes, if they are what the descriptor says.
fn content(bytes: Option<Vec<u8>>, descriptor: &Descriptor) -> Result<Vec<u8>, String> {
    let bytes = bytes.ok_or_else(|| format!("{} is not there", descriptor.digest))?;
    descriptor.digest.verify(&bytes).map_err(|mismatch| mismatch.to_string())?;
    if u64::try_from(bytes.len()).ok() != Some(descriptor.size) {
        return Err(format!("{} has {} bytes, not {}", descriptor.digest, bytes.len(), descriptor.size));
    }
    Ok(bytes)
}
