use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use lotse_digest::{Algorithm, Digest, HashingWriter};

use super::Layout;
use crate::{Descriptor, Error};

/// How the names of temporary files begin; [`Layout::sweep`] removes what a killed process left.
pub(super) const TEMPORARY: &str = ".lotse-tmp-";
/// How the names of blobs that are not complete begin; another process goes on with them.
pub(super) const PARTIAL: &str = ".lotse-part-";

/// Writes a blob of unknown digest into a layout. Nothing is visible before [`finish`](Self::finish); dropped, it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter<'a> {
    layout: &'a Layout,
    temporary: Temporary,
    writer: HashingWriter<BufWriter<File>>,
}

impl BlobWriter<'_> {
    /// Syncs the blob and gives it its name.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn finish(self, media_type: &str) -> Result<Descriptor, Error> {
        self.finish_under(media_type, None)
    }

    /// As [`finish`](Self::finish), under a digest that the content was verified against, of whichever algorithm.
    pub(super) fn finish_under(self, media_type: &str, name: Option<&Digest>) -> Result<Descriptor, Error> {
        let Self { layout, temporary, writer } = self;
        let (digest, size, buffered) = writer.finish();
        let digest = name.cloned().unwrap_or(digest);
        let file =
            buffered.into_inner().map_err(|error| Error::io("write", &temporary.path)(error.into_error()))?;
        file.sync_all().map_err(Error::io("write", &temporary.path))?;
        temporary.rename(&layout.blob_path(&digest))?;
        Ok(Descriptor::new(media_type, digest, size))
    }
}

impl Write for BlobWriter<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Layout {
    /// Begins a blob.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn blob_writer(&self) -> Result<BlobWriter<'_>, Error> {
        let temporary = Temporary::in_directory(self.path());
        let file = File::create(&temporary.path).map_err(Error::io("create", &temporary.path))?;
        let writer = HashingWriter::new(BufWriter::new(file), Algorithm::Sha256);
        Ok(BlobWriter { layout: self, temporary, writer })
    }

    /// Writes a blob and returns its descriptor. One that is there already is written again.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn write_blob(&self, media_type: &str, content: &[u8]) -> Result<Descriptor, Error> {
        let mut writer = self.blob_writer()?;
        writer.write_all(content).map_err(Error::io("write", self.path()))?;
        writer.finish(media_type)
    }

    /// Writes a blob whose digest is known, and verified first.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`], [`Error::Size`], [`Error::Io`].
    pub fn put_blob(&self, descriptor: &Descriptor, content: &[u8]) -> Result<(), Error> {
        descriptor.digest.verify(content)?;
        let actual = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if actual != descriptor.size {
            let (digest, expected) = (descriptor.digest.clone(), descriptor.size);
            return Err(Error::Size { digest, expected, actual });
        }
        let temporary = Temporary::in_directory(self.path());
        let mut file = File::create(&temporary.path).map_err(Error::io("create", &temporary.path))?;
        file.write_all(content)
            .and_then(|()| file.sync_all())
            .map_err(Error::io("write", &temporary.path))?;
        place(&temporary.path, &self.blob_path(&descriptor.digest))
    }

    /// Replaces a file of the layout in one step.
    pub(super) fn write_file(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let temporary = Temporary::in_directory(self.path());
        let mut file = File::create(&temporary.path).map_err(Error::io("create", &temporary.path))?;
        file.write_all(content)
            .and_then(|()| file.sync_all())
            .map_err(Error::io("write", &temporary.path))?;
        temporary.rename(&self.path().join(name))
    }
}

/// A file that is removed unless it is renamed.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) path: PathBuf,
}

impl Temporary {
    pub(super) fn in_directory(directory: &Path) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self { path: directory.join(format!("{TEMPORARY}{}-{number}", std::process::id())) }
    }

    fn rename(self, to: &Path) -> Result<(), Error> {
        place(&self.path, to)
    }
}

/// Renames a file that was synced, makes its directory if need be, and syncs that.
pub(super) fn place(from: &Path, to: &Path) -> Result<(), Error> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        fs::rename(from, to).map_err(Error::io("rename to", to))?;
        let directory = File::open(parent).map_err(Error::io("sync", parent))?;
        directory.sync_all().map_err(Error::io("sync", parent))?;
    }
    Ok(())
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Renamed, or lost with the error that is under way: nothing is left to report here.
        let _ = fs::remove_file(&self.path);
    }
}
