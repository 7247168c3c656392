use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use lotse_digest::{Digest, Hasher, Mismatch};

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
        let mount = mount.or(self.options.mount_from.as_deref());
        if let Some(from) = mount.filter(|&from| from != repository.name()) {
            upload = upload.mount_from(from);
        }
        let check = Check::new(blob);
        let mut content = Outgoing { client: self, blob, source, check, state };
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
        if layout.has_blob(&blob.digest) && io::copy(&mut layout.open_blob(blob)?, &mut io::sink()).is_ok() {
            self.tell(&blob.digest, Event::Existed, blob.size, blob.size);
            return Ok(());
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
    blob: &'a Descriptor,
    source: &'c mut Source<'a, 'b>,
    check: Check,
    state: Option<StateFile>,
}

impl Content<Upload> for Outgoing<'_, '_, '_> {
    fn part(&mut self, offset: u64, _: u64) -> Result<Box<dyn Read + '_>, Error> {
        if offset > self.check.position {
            // An earlier process sent what lies before.
            let gap = offset - self.check.position;
            let mut before = (self.source)(self.check.position)?.take(gap);
            self.check.read_all(&mut before)?;
        }
        let inner = (self.source)(offset)?;
        Ok(Box::new(Checked {
            inner,
            check: &mut self.check,
            client: self.client,
            blob: self.blob,
            position: offset,
            told: offset,
        }))
    }

    fn before(&mut self, upload: &Upload) -> Result<(), Error> {
        match &mut self.state {
            Some(state) => state.write(upload.state()),
            None => Ok(()),
        }
    }
}

/// Hashes content that is sent, each byte once, however often it is sent.
struct Check {
    hasher: Option<Hasher>,
    position: u64,
    size: u64,
    expected: Digest,
}

impl Check {
    fn new(blob: &Descriptor) -> Self {
        let hasher = Some(Hasher::new(blob.digest.algorithm()));
        Self { hasher, position: 0, size: blob.size, expected: blob.digest.clone() }
    }

    /// Takes in a piece that begins at `offset`; an error if it is the last one and the digest is wrong.
    fn take(&mut self, offset: u64, piece: &[u8]) -> Result<(), Mismatch> {
        let known = usize::try_from(self.position.saturating_sub(offset)).unwrap_or(usize::MAX);
        let new = piece.get(known..).unwrap_or_default();
        if let Some(hasher) = &mut self.hasher {
            hasher.update(new);
        }
        self.position = self.position.saturating_add(u64::try_from(new.len()).unwrap_or(u64::MAX));
        if self.position < self.size {
            return Ok(());
        }
        match self.hasher.take().map(Hasher::finish) {
            Some(actual) if actual != self.expected => {
                Err(Mismatch { expected: self.expected.clone(), actual, length: self.position })
            }
            _ => Ok(()),
        }
    }

    fn read_all(&mut self, reader: &mut dyn Read) -> Result<(), Error> {
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count =
                reader.read(&mut buffer).map_err(Error::io("read", "the content of an upload".as_ref()))?;
            if count == 0 {
                return Ok(());
            }
            self.take(self.position, buffer.get(..count).unwrap_or_default())?;
        }
    }
}

/// Content on its way out. Its last piece is not let go if the digest is wrong.
struct Checked<'a> {
    inner: Box<dyn Read + 'a>,
    check: &'a mut Check,
    client: &'a Client,
    blob: &'a Descriptor,
    position: u64,
    told: u64,
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let piece = buffer.get(..count).unwrap_or_default();
        self.check
            .take(self.position, piece)
            .map_err(|mismatch| io::Error::new(io::ErrorKind::InvalidData, mismatch))?;
        self.position = self.position.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        if self.position.saturating_sub(self.told) >= STEP {
            self.told = self.position;
            let done = self.position.min(self.blob.size);
            self.client.tell(&self.blob.digest, Event::Moved, done, self.blob.size);
        }
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
