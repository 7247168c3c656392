use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use lotse_digest::{Digest, Reference};

use super::blob::open_at;
use super::parallel;
use super::verbs::Client;
use crate::distribution::{Document, PushManifest, Repository, UpdateReferrers};
use crate::{Descriptor, Error, Index, Layout, Manifest, media};

/// How deep indexes may lie in indexes.
const NESTING: usize = 8;
/// Manifests that are moved with one call.
const MANIFESTS: usize = 10_000;

/// What belongs to a manifest: its documents, what each points at before it, and the blobs.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) documents: Vec<Document>,
    pub(super) blobs: BTreeMap<Digest, Descriptor>,
    seen: BTreeSet<Digest>,
}

impl Graph {
    /// Adds a document and all that it points at. `fetch` gets a document by its descriptor.
    pub(super) fn add(
        &mut self,
        document: Document,
        depth: usize,
        fetch: &mut dyn FnMut(&Descriptor) -> Result<Document, Error>,
    ) -> Result<(), Error> {
        if depth > NESTING {
            return Err(Error::Limit { what: "indexes within indexes".to_owned(), limit: 8 });
        }
        if !self.seen.insert(document.descriptor.digest.clone()) {
            return Ok(());
        }
        if self.seen.len() > MANIFESTS {
            return Err(Error::Limit { what: "manifests of one index".to_owned(), limit: 10_000 });
        }
        let limits = crate::Limits::default();
        if media::is_index(&document.descriptor.media_type) {
            for child in Index::parse(&document.bytes, &limits)?.manifests {
                if media::is_manifest(&child.media_type) || media::is_index(&child.media_type) {
                    let child = fetch(&child)?;
                    self.add(child, depth + 1, fetch)?;
                } else {
                    // An index may hold anything; what is no manifest is a blob.
                    self.blobs.insert(child.digest.clone(), child);
                }
            }
        } else {
            let manifest = Manifest::parse(&document.bytes, &limits)?;
            for part in manifest.layers.into_iter().chain([manifest.config]) {
                if !media::is_not_distributed(&part.media_type) {
                    self.blobs.insert(part.digest.clone(), part);
                }
            }
        }
        self.documents.push(document);
        Ok(())
    }
}

impl Client {
    /// Pushes what has a tag or digest in a layout, with everything that belongs to it: blobs first, then the manifests that an
    /// index holds, and the tag last. Where the reference has a digest, what is pushed must have it.
    ///
    /// A manifest with a subject is entered in the list of referrers, by the registry or under the tag of the subject.
    ///
    /// # Errors
    ///
    /// Those of reading the layout; [`Error::Registry`]; [`Error::Broken`]; [`Error::Caller`] if the digests differ.
    pub fn push(
        &self,
        layout: &Layout,
        tag_or_digest: &str,
        reference: &Reference,
    ) -> Result<Descriptor, Error> {
        let repository = self.repository(reference)?;
        let root = layout.resolve(tag_or_digest)?;
        if reference.digest().is_some_and(|digest| *digest != root.digest) {
            return Err(Error::Caller(format!("{tag_or_digest:?} is {}, not {reference}", root.digest)));
        }
        let mut fetch = |descriptor: &Descriptor| read_document(layout, descriptor);
        let mut graph = Graph::default();
        graph.add(fetch(&root)?, 0, &mut fetch)?;
        self.send_graph(&repository, &graph, reference.tag(), layout)?;
        if self.options.referrers {
            let mut subjects: Vec<Digest> =
                graph.documents.iter().map(|document| document.descriptor.digest.clone()).collect();
            let mut attached = Graph { seen: graph.seen, ..Graph::default() };
            while let Some(subject) = subjects.pop() {
                for referrer in layout.referrers(&subject)? {
                    subjects.push(referrer.descriptor.digest.clone());
                    attached.add(fetch(&referrer.descriptor)?, 0, &mut fetch)?;
                }
            }
            self.send_graph(&repository, &attached, None, layout)?;
        }
        Ok(Descriptor::new(root.media_type, root.digest, root.size))
    }

    fn send_graph(
        &self,
        repository: &Repository,
        graph: &Graph,
        tag: Option<&str>,
        layout: &Layout,
    ) -> Result<(), Error> {
        let blobs: Vec<&Descriptor> = graph.blobs.values().collect();
        parallel::each(&blobs, self.options.threads, |blob| {
            let path = layout.blob_path(&blob.digest);
            let mut source = |offset| -> Result<Box<dyn Read>, Error> {
                let found = std::fs::metadata(&path).map_err(Error::io("read", &path))?.len();
                if found != blob.size {
                    return Err(Error::Size {
                        digest: blob.digest.clone(),
                        expected: blob.size,
                        actual: found,
                    });
                }
                open_at(&path, offset)
            };
            self.upload(repository, blob, None, &mut source).map(drop)
        })?;
        self.send_documents(repository, &graph.documents, tag)
    }

    /// Pushes documents in their order, the last one under a tag.
    pub(super) fn send_documents(
        &self,
        repository: &Repository,
        documents: &[Document],
        tag: Option<&str>,
    ) -> Result<(), Error> {
        let Some((root, children)) = documents.split_last() else { return Ok(()) };
        for child in children {
            self.send_document(repository, None, child)?;
        }
        self.send_document(repository, tag, root)
    }

    pub(super) fn send_document(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        document: &Document,
    ) -> Result<(), Error> {
        let pushed = self.run(repository, PushManifest::new(repository, tag, document.clone()))?;
        if let Some(subject) = document.subject()?
            && pushed.subject.as_ref() != Some(&subject.digest)
        {
            let update =
                UpdateReferrers::add(repository, &subject.digest, document.referrer()?, self.settle());
            self.run(repository, update)?;
        }
        Ok(())
    }
}

fn read_document(layout: &Layout, descriptor: &Descriptor) -> Result<Document, Error> {
    let bytes = layout.read_blob(descriptor)?;
    Document::new(bytes, Some(&descriptor.media_type), Some(&descriptor.digest))
}
