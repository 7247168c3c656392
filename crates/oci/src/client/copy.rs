use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use lotse_digest::{Digest, Reference};

use super::blob::open_at;
use super::drive::Content;
use super::parallel;
use super::push::Graph;
use super::verbs::{Client, first, what};
use crate::distribution::{Download, Repository};
use crate::{Descriptor, Error};

impl Client {
    /// Copies a manifest or index with everything that belongs to it from one repository to another, byte for byte. Within one
    /// registry blobs are mounted where it allows that; what is there already does not move.
    ///
    /// # Errors
    ///
    /// As [`pull`](Self::pull) and [`push`](Self::push).
    pub fn copy(&self, from: &Reference, to: &Reference) -> Result<Descriptor, Error> {
        let sources = self.sources(from)?;
        let own = self.repository(from)?;
        let target = self.repository(to)?;
        let root = self.fetch(&sources, &what(from)?)?;
        if to.digest().is_some_and(|digest| *digest != root.descriptor.digest) {
            return Err(Error::Caller(format!("{from} is {}, not {to}", root.descriptor.digest)));
        }
        let descriptor = root.descriptor.clone();
        let mut graph = Graph::default();
        graph.add(root, 0, &mut |child| self.fetch_child(&sources, child))?;
        self.copy_graph(&sources, &own, &target, &graph, to.tag())?;
        if self.options.referrers {
            for referrer in self.attached(&sources, &graph)? {
                let mut attached = Graph::default();
                attached.add(referrer, 0, &mut |child| self.fetch_child(&sources, child))?;
                self.copy_graph(&sources, &own, &target, &attached, None)?;
            }
        }
        Ok(descriptor)
    }

    fn copy_graph(
        &self,
        sources: &[Repository],
        own: &Repository,
        target: &Repository,
        graph: &Graph,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        let mount = own.root().same_origin(target.root()).then(|| own.name());
        let blobs: Vec<&Descriptor> = graph.blobs.values().collect();
        parallel::each(&blobs, self.options.threads, |blob| {
            let mut spool = None;
            let mut source = |offset| -> Result<Box<dyn Read>, Error> {
                let path = match &spool {
                    Some(Spool { path, .. }) => path,
                    None => &spool.insert(self.spool(sources, blob)?).path,
                };
                open_at(path, offset)
            };
            self.upload(target, blob, mount, &mut source).map(drop)
        })?;
        self.send_documents(target, &graph.documents, tag)
    }

    /// Downloads a blob to a file that is removed when it is no longer needed.
    fn spool(&self, sources: &[Repository], blob: &Descriptor) -> Result<Spool, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let directory = self.options.spool.clone().unwrap_or_else(std::env::temp_dir);
        fs::create_dir_all(&directory).map_err(Error::io("create", &directory))?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!("lotse-spool-{}-{number}", std::process::id()));
        let file =
            File::options().write(true).create_new(true).open(&path).map_err(Error::io("create", &path))?;
        let mut spool = Spool { path, file };
        first(sources, |source| {
            let download = Download::new(source, blob.digest.clone(), blob.size);
            self.run_with(source, download, &mut spool)
        })?;
        Ok(spool)
    }

    /// Reads a blob whole, verified; it must be no larger than `most`.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`], [`Error::Registry`], [`Error::Broken`], [`Error::Mismatch`], [`Error::Size`].
    pub fn blob(&self, reference: &Reference, blob: &Descriptor, most: u64) -> Result<Vec<u8>, Error> {
        if blob.size > most {
            return Err(Error::Limit { what: format!("bytes of blob {}", blob.digest), limit: most });
        }
        let sources = self.sources(reference)?;
        let mut memory = Memory(Vec::new());
        first(&sources, |source| {
            let download = Download::new(source, blob.digest.clone(), blob.size);
            self.run_with(source, download, &mut memory)
        })?;
        Ok(memory.0)
    }

    /// Whether a blob is in a repository.
    ///
    /// # Errors
    ///
    /// [`Error::Registry`], [`Error::Broken`].
    pub fn has_blob(&self, reference: &Reference, digest: &Digest) -> Result<bool, Error> {
        let repository = self.repository(reference)?;
        self.run(&repository, crate::distribution::HeadBlob::new(&repository, digest))
    }
}

#[derive(Debug)]
struct Spool {
    path: PathBuf,
    file: File,
}

impl Spool {
    fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        Error::io("write", path)
    }
}

impl Content<Download> for Spool {
    fn begin(&mut self, offset: u64) -> Result<(), Error> {
        self.file.set_len(offset).map_err(Self::failed(&self.path))?;
        std::io::Seek::seek(&mut self.file, std::io::SeekFrom::Start(offset))
            .map_err(Self::failed(&self.path))?;
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.file.write_all(piece).map_err(Self::failed(&self.path))
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // A file of nobody's in a directory for such files.
        let _ = fs::remove_file(&self.path);
    }
}

struct Memory(Vec<u8>);

impl Content<Download> for Memory {
    fn begin(&mut self, offset: u64) -> Result<(), Error> {
        self.0.truncate(usize::try_from(offset).unwrap_or(usize::MAX));
        Ok(())
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(piece);
        Ok(())
    }
}
