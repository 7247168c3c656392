use lotse_digest::Reference;

use super::parallel;
use super::push::Graph;
use super::verbs::{Client, what};
use crate::distribution::{Document, Referrers, Repository};
use crate::{Descriptor, Error, Layout};

impl Client {
    /// Pulls a manifest or index with everything that belongs to it into a layout, and gives it a tag there. What is there and right
    /// is not pulled again; a blob that broke is taken up where it broke, in another process too.
    ///
    /// # Errors
    ///
    /// [`Error::Registry`], [`Error::Broken`], [`Error::Mismatch`] and [`Error::Size`] for content that is not what was asked
    /// for, [`Error::Malformed`], [`Error::Unsupported`], [`Error::Io`].
    pub fn pull(&self, reference: &Reference, layout: &Layout, tag: &str) -> Result<Descriptor, Error> {
        let sources = self.sources(reference)?;
        let root = self.fetch(&sources, &what(reference)?)?;
        let descriptor = root.descriptor.clone();
        let mut graph = Graph::default();
        graph.add(root, 0, &mut |child| self.fetch_child(&sources, child))?;
        self.receive_graph(&sources, &graph, layout)?;
        layout.tag(&descriptor, tag)?;
        if self.options.referrers {
            for referrer in self.attached(&sources, &graph)? {
                let descriptor = referrer.referrer()?;
                let mut attached = Graph::default();
                attached.add(referrer, 0, &mut |child| self.fetch_child(&sources, child))?;
                self.receive_graph(&sources, &attached, layout)?;
                layout.add(descriptor)?;
            }
        }
        Ok(descriptor)
    }

    fn receive_graph(&self, sources: &[Repository], graph: &Graph, layout: &Layout) -> Result<(), Error> {
        let blobs: Vec<&Descriptor> = graph.blobs.values().collect();
        parallel::each(&blobs, self.options.threads, |blob| self.download(sources, layout, blob))?;
        for document in &graph.documents {
            layout.put_blob(&document.descriptor, &document.bytes)?;
        }
        Ok(())
    }

    pub(super) fn fetch_child(&self, sources: &[Repository], child: &Descriptor) -> Result<Document, Error> {
        let document = self.fetch(sources, &child.digest.to_string())?;
        let found = &document.descriptor;
        if found.size != child.size {
            return Err(Error::Size {
                digest: child.digest.clone(),
                expected: child.size,
                actual: found.size,
            });
        }
        if found.media_type != child.media_type {
            let reason = format!("it is a {}, its index says {}", found.media_type, child.media_type);
            return Err(Error::malformed(format!("manifest {}", child.digest), reason));
        }
        Ok(document)
    }

    /// What refers to the documents of a graph, and to that, and so on; subjects before what refers to them.
    pub(super) fn attached(&self, sources: &[Repository], graph: &Graph) -> Result<Vec<Document>, Error> {
        let Some(own) = sources.last() else { return Ok(Vec::new()) };
        let mut subjects: Vec<_> =
            graph.documents.iter().map(|document| document.descriptor.digest.clone()).collect();
        let mut seen: std::collections::BTreeSet<_> = subjects.iter().cloned().collect();
        let mut found = Vec::new();
        while let Some(subject) = subjects.pop() {
            for entry in self.run(own, Referrers::new(own, &subject, None)?)?.descriptors {
                if seen.insert(entry.digest.clone()) {
                    let document = self.fetch_child(sources, &entry)?;
                    if document.subject()?.is_some_and(|of| of.digest == subject) {
                        subjects.push(entry.digest);
                        found.push(document);
                    }
                }
                if seen.len() > 10_000 {
                    return Err(Error::Limit { what: "referrers of one image".to_owned(), limit: 10_000 });
                }
            }
        }
        Ok(found)
    }
}
