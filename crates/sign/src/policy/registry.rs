use lotse_digest::Digest;

use crate::{AttachmentStore, Attachments, CosignLayer};

/// Where images and what is attached to them come from: an OCI layout, a registry, a map. The caller implements it; nothing that
/// it returns is trusted.
pub trait ImageRegistry {
    /// A manifest by tag or digest, in a repository with its host (`ghcr.io/org/app`); `None` if there is none.
    ///
    /// # Errors
    ///
    /// Why the registry did not answer.
    fn manifest(&self, repository: &str, reference: &str) -> Result<Option<Vec<u8>>, String>;

    /// A blob by its digest and size in bytes; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// Why the registry did not answer.
    fn blob(&self, repository: &str, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, String>;

    /// The index of what refers to a manifest, or what is under the fallback tag; `None` if there is neither.
    ///
    /// # Errors
    ///
    /// Why the registry did not answer.
    fn referrers(&self, repository: &str, digest: &Digest) -> Result<Option<Vec<u8>>, String>;
}

/// One repository of a registry.
pub(crate) struct Repository<'a> {
    pub(crate) registry: &'a dyn ImageRegistry,
    pub(crate) name: String,
}

impl AttachmentStore for Repository<'_> {
    type Error = String;

    fn tagged(&self, _tag: &str) -> Result<Option<Vec<u8>>, String> {
        // The older layout is looked up by `layers`, which knows prefixes.
        Ok(None)
    }

    fn referrers(&self, digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        self.registry.referrers(&self.name, digest)
    }

    fn manifest(&self, digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        self.registry.manifest(&self.name, &digest.to_string())
    }

    fn blob(&self, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, String> {
        self.registry.blob(&self.name, digest, size)
    }
}

impl Repository<'_> {
    /// The layers under a tag of the older layout; none if the tag is not there.
    pub(crate) fn layers(&self, tag: &str) -> Result<Vec<CosignLayer>, String> {
        let Some(manifest) = self.registry.manifest(&self.name, tag)? else { return Ok(Vec::new()) };
        let mut failure = None;
        let layers = Attachments::layers_of(&manifest, |digest, size| {
            match self.registry.blob(&self.name, digest, size) {
                Ok(blob) => blob,
                Err(error) => {
                    failure = Some(error);
                    None
                }
            }
        });
        match failure {
            Some(error) => Err(error),
            None => layers.map_err(|error| error.to_string()),
        }
    }

    /// The bundles that refer to an image; what is no bundle is passed over, as the controller does.
    pub(crate) fn bundles(&self, image: &Digest) -> Result<Vec<Vec<u8>>, String> {
        let found = Attachments::find(self, image)?;
        Ok(found.bundles.into_iter().map(|bundle| bundle.json).collect())
    }
}
