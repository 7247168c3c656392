use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use lotse_digest::Digest;

use super::Layout;
use super::blob::{PARTIAL, Temporary, place};
use crate::Error;

/// A blob of known digest that arrives in pieces and outlives the process that began it.
#[derive(Debug)]
pub(crate) struct PartialBlob<'a> {
    layout: &'a Layout,
    digest: Digest,
    path: PathBuf,
    file: File,
    /// Removes a file that nobody could go on with.
    own: Option<Temporary>,
}

impl Layout {
    /// Opens what is there of a blob, or begins it. While another process has it open, it is begun anew beside it.
    pub(crate) fn partial_blob(&self, digest: &Digest) -> Result<PartialBlob<'_>, Error> {
        let name = format!("{PARTIAL}{}-{}", digest.algorithm(), digest.encoded());
        let path = self.path().join(name);
        let open = |path: &PathBuf| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
        };
        let file = open(&path).map_err(Error::io("create", &path))?;
        match file.try_lock() {
            // Between opening and locking, whoever had it may have made it the blob: then it is nobody's to write to.
            Ok(()) if is_at(&file, &path) => {
                Ok(PartialBlob { layout: self, digest: digest.clone(), path, file, own: None })
            }
            Ok(()) | Err(TryLockError::WouldBlock) => {
                let own = Temporary::in_directory(self.path());
                let file = open(&own.path).map_err(Error::io("create", &own.path))?;
                let path = own.path.clone();
                Ok(PartialBlob { layout: self, digest: digest.clone(), path, file, own: Some(own) })
            }
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
        }
    }
}

impl PartialBlob<'_> {
    /// Hands out what is there, from the first byte on.
    pub(crate) fn existing(&mut self, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        self.file.seek(SeekFrom::Start(0)).map_err(Error::io("read", &self.path))?;
        let mut buffer = vec![0; 256 << 10];
        loop {
            let count = self.file.read(&mut buffer).map_err(Error::io("read", &self.path))?;
            if count == 0 {
                return Ok(());
            }
            take(buffer.get(..count).unwrap_or_default());
        }
    }

    /// Cuts off what lies behind `offset`; the next piece goes there.
    pub(crate) fn rewind(&mut self, offset: u64) -> Result<(), Error> {
        self.file.set_len(offset).map_err(Error::io("write", &self.path))?;
        self.file.seek(SeekFrom::Start(offset)).map_err(Error::io("write", &self.path))?;
        Ok(())
    }

    pub(crate) fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.file.write_all(piece).map_err(Error::io("write", &self.path))
    }

    /// Removes what proved to be wrong.
    pub(crate) fn discard(self) -> Result<(), Error> {
        fs::remove_file(&self.path).map_err(Error::io("remove", &self.path))
    }

    /// Gives the blob its name. Whoever calls has verified it.
    pub(crate) fn finish(self) -> Result<(), Error> {
        self.file.sync_all().map_err(Error::io("write", &self.path))?;
        place(&self.path, &self.layout.blob_path(&self.digest))?;
        drop(self.own);
        Ok(())
    }
}

/// Whether the open file is still the one with this name.
#[cfg(unix)]
fn is_at(file: &File, path: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => open.dev() == named.dev() && open.ino() == named.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &std::path::Path) -> bool {
    path.is_file()
}
