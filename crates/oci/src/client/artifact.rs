use std::collections::BTreeMap;
use std::io::Read;

use lotse_digest::{Digest, Reference};

use super::verbs::{Client, what};
use crate::distribution::{Delete, Document, Referrers, Repository, UpdateReferrers};
use crate::{Descriptor, Error, Layout, Manifest, media};

impl Client {
    /// Attaches a document to a manifest that is in a registry: pushes an artifact whose `subject` that manifest is
    /// (image-spec 1.1, artifacts), made by the same rules as [`Layout::attach`](crate::Layout::attach).
    ///
    /// Where the registry keeps no list of referrers, it is kept under a tag; what that can and cannot promise when several
    /// write is said at [`UpdateReferrers`].
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve), and [`Error::Limit`] if the list of referrers is always written by others meanwhile.
    pub fn attach(
        &self,
        reference: &Reference,
        artifact_type: &str,
        document: &[u8],
        annotations: BTreeMap<String, String>,
    ) -> Result<Descriptor, Error> {
        let repository = self.repository(reference)?;
        let subject = self.fetch(std::slice::from_ref(&repository), &what(reference)?)?.descriptor;
        let size = u64::try_from(document.len()).unwrap_or(u64::MAX);
        let layer = Descriptor::new(artifact_type, Digest::sha256(document), size);
        let manifest = Manifest {
            annotations,
            artifact_type: Some(artifact_type.to_owned()),
            subject: Some(Descriptor::new(subject.media_type, subject.digest, subject.size)),
            ..Manifest::new(crate::layout::empty_descriptor(), vec![layer.clone()])
        };
        self.upload_bytes(&repository, &layer, document)?;
        self.upload_bytes(&repository, &manifest.config, b"{}")?;
        let document = Document::new(manifest.to_bytes()?, Some(media::MANIFEST), None)?;
        self.send_document(&repository, None, &document)?;
        document.referrer()
    }

    /// Pushes what has a tag or digest in a layout, an artifact with a subject, and finds it a place among the subject's
    /// referrers. The same as [`push`](Self::push) to the digest.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub fn push_referrer(
        &self,
        layout: &Layout,
        tag_or_digest: &str,
        reference: &Reference,
    ) -> Result<Descriptor, Error> {
        let digest = layout.resolve(tag_or_digest)?.digest;
        self.push(layout, tag_or_digest, &untagged(reference, digest)?)
    }

    /// Deletes a tag, or a manifest by its digest; the digest where both are given. Whether it was there.
    ///
    /// A referrer that is deleted by its digest is taken out of the list under its subject's tag, where the registry keeps none.
    ///
    /// # Errors
    ///
    /// [`Error::Registry`], with status 400 or 405 where the registry does not offer it; [`Error::Broken`].
    pub fn delete(&self, reference: &Reference) -> Result<bool, Error> {
        let repository = self.repository(reference)?;
        let what = what(reference)?;
        let subject = match reference.digest() {
            Some(_) => match self.fetch(std::slice::from_ref(&repository), &what) {
                Ok(document) => document.subject()?,
                Err(Error::Registry(refusal)) if refusal.status == 404 => return Ok(false),
                Err(error) => return Err(error),
            },
            None => None,
        };
        let was_there = self.run(&repository, Delete::manifest(&repository, &what)?)?;
        if let (Some(subject), Some(digest)) = (subject, reference.digest()) {
            let listed = self.run(&repository, Referrers::new(&repository, &subject.digest, None)?)?;
            if listed.from_tag {
                let update =
                    UpdateReferrers::remove(&repository, &subject.digest, digest.clone(), self.settle());
                self.run(&repository, update)?;
            }
        }
        Ok(was_there)
    }

    fn upload_bytes(&self, repository: &Repository, blob: &Descriptor, bytes: &[u8]) -> Result<(), Error> {
        let mut source = |offset: u64| -> Result<Box<dyn Read + '_>, Error> {
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            Ok(Box::new(bytes.get(offset..).unwrap_or_default()))
        };
        self.upload(repository, blob, None, &mut source).map(drop)
    }
}

fn untagged(reference: &Reference, digest: Digest) -> Result<Reference, Error> {
    let text = format!("{}@{digest}", reference.repository());
    text.parse().map_err(|error: lotse_digest::ParseReferenceError| Error::Caller(error.to_string()))
}
