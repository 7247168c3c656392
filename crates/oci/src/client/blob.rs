use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use lotse_digest::Digest;

use super::Client;
use super::drive::Content;
use super::options::Event;
use super::state::StateFile;
use super::verbs::first;
use crate::distribution::{Download, Repository, Upload, Uploaded};
use crate::layout::PartialBlob;
use crate::{Descriptor, Error, Layout};

impl Client {
    /// Uploads a blob. Its content is asked for if it is needed, from any byte on and perhaps more than once.
    pub(super) fn upload<'a>(
        &'a self,
        repository: &Repository,
        blob: &'a Descriptor,
        mount: Option<&str>,
        source: &mut Source<'a, '_>,
    ) -> Result<Uploaded, Error> {
        let mut upload = Upload::new(repository, blob.digest.clone(), blob.size, self.options.upload);
        let mut state = None;
        if let Some(directory) = &self.options.upload_state {
            let mut kept = StateFile::new(directory, repository, &blob.digest)?;
            if let Some(left) = kept.read() {
                upload = upload.resume(&left)?;
            }
            state = Some(kept);
        }
        let mount = mount.or_else(|| self.options.mount_from.first().map(String::as_str));
        if let Some(from) = mount.filter(|&from| from != repository.name()) {
            upload = upload.mount_from(from);
        }
        let mut content = Outgoing { client: self, digest: &blob.digest, size: blob.size, source, state };
        let uploaded = self.run_with(repository, upload, &mut content)?;
        if let Some(state) = &mut content.state {
            state.remove()?;
        }
        let event = match uploaded {
            Uploaded { existed: true, .. } => Event::Existed,
            Uploaded { mounted: true, .. } => Event::Mounted,
            _ => Event::Complete,
        };
        self.tell(&blob.digest, event, blob.size, blob.size);
        Ok(uploaded)
    }

    /// Downloads a blob into a layout, unless it is there and right.
    pub(super) fn download(
        &self,
        sources: &[Repository],
        layout: &Layout,
        blob: &Descriptor,
    ) -> Result<(), Error> {
        if layout.has_blob(&blob.digest) {
            let read = |mut reader: Box<dyn Read>| std::io::copy(&mut reader, &mut std::io::sink());
            if read(Box::new(layout.open_blob(blob)?)).is_ok() {
                self.tell(&blob.digest, Event::Existed, blob.size, blob.size);
                return Ok(());
            }
        }
        first(sources, |source| self.download_from(source, layout, blob))?;
        self.tell(&blob.digest, Event::Complete, blob.size, blob.size);
        Ok(())
    }

    fn download_from(&self, source: &Repository, layout: &Layout, blob: &Descriptor) -> Result<(), Error> {
        let mut part = layout.partial_blob(&blob.digest)?;
        let mut download = Download::new(source, blob.digest.clone(), blob.size);
        part.existing(|piece| download.already(piece))?;
        let done = download.have();
        part.rewind(done)?;
        let mut content =
            Incoming { client: self, digest: &blob.digest, size: blob.size, part, done, told: done };
        let outcome = self.run_with(source, download, &mut content);
        match outcome {
            Ok(()) => content.part.finish(),
            Err(error) => {
                if matches!(error, Error::Mismatch(_) | Error::Size { .. }) {
                    content.part.discard()?;
                }
                Err(error)
            }
        }
    }
}

/// Progress is told at most this often, in bytes.
const STEP: u64 = 1 << 20;

/// Where a blob's content comes from, seen from a byte on.
pub(super) type Source<'a, 'b> = dyn FnMut(u64) -> Result<Box<dyn Read + 'a>, Error> + 'b;

/// A file as a source.
pub(super) fn open_at(path: &Path, offset: u64) -> Result<Box<dyn Read>, Error> {
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    file.seek(SeekFrom::Start(offset)).map_err(Error::io("read", path))?;
    Ok(Box::new(file))
}

struct Outgoing<'a, 'b, 'c> {
    client: &'a Client,
    digest: &'a Digest,
    size: u64,
    source: &'c mut Source<'a, 'b>,
    state: Option<StateFile>,
}

impl Content<Upload> for Outgoing<'_, '_, '_> {
    fn part(&mut self, offset: u64, _: u64) -> Result<Box<dyn Read + '_>, Error> {
        let inner = (self.source)(offset)?;
        let (client, digest, total) = (self.client, self.digest, self.size);
        let (mut done, mut told) = (offset, offset);
        let tell = move |count: u64| {
            done += count;
            if done - told >= STEP {
                told = done;
                client.tell(digest, Event::Moved, done.min(total), total);
            }
        };
        Ok(Box::new(Told { inner, tell }))
    }

    fn before(&mut self, upload: &Upload) -> Result<(), Error> {
        match &mut self.state {
            Some(state) => state.write(upload.state()),
            None => Ok(()),
        }
    }
}

struct Told<R, F> {
    inner: R,
    tell: F,
}

impl<R: Read, F: FnMut(u64)> Read for Told<R, F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.tell)(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

struct Incoming<'a> {
    client: &'a Client,
    digest: &'a Digest,
    size: u64,
    part: PartialBlob<'a>,
    done: u64,
    told: u64,
}

impl Content<Download> for Incoming<'_> {
    fn begin(&mut self, offset: u64) -> Result<(), Error> {
        (self.done, self.told) = (offset, offset);
        self.part.rewind(offset)
    }

    fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.part.write(piece)?;
        self.done += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        if self.done - self.told >= STEP {
            self.told = self.done;
            self.client.tell(self.digest, Event::Moved, self.done, self.size);
        }
        Ok(())
    }
}
