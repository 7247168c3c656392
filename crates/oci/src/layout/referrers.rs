use std::collections::BTreeMap;

use lotse_digest::Digest;

use super::Layout;
use crate::{ArtifactBuilder, Descriptor, Error, Manifest, media};

/// Something attached to an image: the descriptor of its manifest, and the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Digest, size, artifact type and annotations.
    pub descriptor: Descriptor,
    /// The artifact's manifest; its layers are the attached documents.
    pub manifest: Manifest,
}

impl Layout {
    /// Attaches a document to a manifest: an artifact whose `subject` is that manifest (image-spec 1.1, artifacts).
    ///
    /// Attaching the same document twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the subject is not in the layout; [`Error::Io`].
    pub fn attach(
        &self,
        subject: &Descriptor,
        artifact_type: &str,
        document: &[u8],
        annotations: BTreeMap<String, String>,
    ) -> Result<Descriptor, Error> {
        if !self.has_blob(&subject.digest) {
            return Err(self.not_found(&subject.digest));
        }
        let layer = self.write_blob(artifact_type, document)?;
        let artifact = ArtifactBuilder::new(artifact_type).layer(&layer, artifact_type).subject(subject);
        let annotated =
            annotations.iter().fold(artifact, |artifact, (key, value)| artifact.annotation(key, value));
        annotated.write(self, None)
    }

    /// Everything in this layout whose subject is `subject`, in the order of the index.
    ///
    /// # Errors
    ///
    /// Those of reading each manifest: one that cannot be read is an error, since it might have been a referrer.
    pub fn referrers(&self, subject: &Digest) -> Result<Vec<Referrer>, Error> {
        let mut candidates = Vec::new();
        self.walk(&mut |descriptor| {
            if media::is_manifest(&descriptor.media_type) && descriptor.digest != *subject {
                candidates.push(descriptor.clone());
            }
            Ok(())
        })?;
        let mut referrers = Vec::new();
        for descriptor in candidates {
            let manifest = self.manifest(&descriptor)?;
            if manifest.subject.as_ref().is_some_and(|of| of.digest == *subject) {
                referrers.push(Referrer { descriptor, manifest });
            }
        }
        Ok(referrers)
    }
}
