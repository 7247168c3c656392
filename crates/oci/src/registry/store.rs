use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use lotse_digest::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use crate::Error;

/// Where content lies: in memory, or in a directory that outlives the registry.
#[derive(Debug)]
pub(super) enum Store {
    Memory(Mutex<BTreeMap<Digest, Arc<[u8]>>>),
    Directory(PathBuf),
}

/// What a repository holds, as it is written to a directory.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Listing {
    pub(super) blobs: BTreeSet<Digest>,
    /// Media types by digest.
    pub(super) manifests: BTreeMap<Digest, String>,
    pub(super) tags: BTreeMap<String, Digest>,
}

/// A blob that is not complete.
#[derive(Debug)]
pub(super) enum Partial {
    Memory(Vec<u8>),
    File { path: PathBuf, length: u64 },
}

impl Store {
    pub(super) fn open(directory: Option<&Path>) -> Result<Self, Error> {
        let Some(directory) = directory else { return Ok(Self::Memory(Mutex::default())) };
        for name in ["blobs", "repositories", "uploads"] {
            let path = directory.join(name);
            fs::create_dir_all(&path).map_err(Error::io("create", &path))?;
        }
        Ok(Self::Directory(directory.to_owned()))
    }

    /// The repositories that an earlier registry left.
    pub(super) fn listings(&self) -> Result<BTreeMap<String, Listing>, Error> {
        let mut found = BTreeMap::new();
        let Self::Directory(directory) = self else { return Ok(found) };
        let path = directory.join("repositories");
        for entry in fs::read_dir(&path).map_err(Error::io("read", &path))? {
            let path = entry.map_err(Error::io("read", &path))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let Some(name) = name.strip_suffix(".json") else { continue };
            let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
            let listing = serde_json::from_slice(&bytes)
                .map_err(|error| Error::malformed(path.display().to_string(), error.to_string()))?;
            found.insert(name.replace('!', "/"), listing);
        }
        Ok(found)
    }

    pub(super) fn write_listing(&self, name: &str, listing: &Listing) -> io::Result<()> {
        let Self::Directory(directory) = self else { return Ok(()) };
        // No name of a repository holds an exclamation mark.
        let path = directory.join("repositories").join(format!("{}.json", name.replace('/', "!")));
        let temporary = path.with_extension("tmp");
        fs::write(&temporary, serde_json::to_vec(listing)?)?;
        fs::rename(temporary, path)
    }

    pub(super) fn size(&self, digest: &Digest) -> Option<u64> {
        match self {
            Self::Memory(blobs) => {
                let blobs = blobs.lock().unwrap_or_else(PoisonError::into_inner);
                blobs.get(digest).and_then(|bytes| u64::try_from(bytes.len()).ok())
            }
            Self::Directory(directory) => {
                fs::metadata(blob_path(directory, digest)).ok().map(|metadata| metadata.len())
            }
        }
    }

    pub(super) fn read(&self, digest: &Digest) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_at(digest, 0, u64::MAX)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn open_at(
        &self,
        digest: &Digest,
        offset: u64,
        length: u64,
    ) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Memory(blobs) => {
                let blobs = blobs.lock().unwrap_or_else(PoisonError::into_inner);
                let bytes = Arc::clone(blobs.get(digest).ok_or(io::ErrorKind::NotFound)?);
                let mut cursor = Cursor::new(bytes);
                cursor.set_position(offset);
                Ok(Box::new(cursor.take(length)))
            }
            Self::Directory(directory) => {
                let mut file = File::open(blob_path(directory, digest))?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(Box::new(file.take(length)))
            }
        }
    }

    pub(super) fn write(&self, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Memory(blobs) => {
                let mut blobs = blobs.lock().unwrap_or_else(PoisonError::into_inner);
                blobs.insert(digest.clone(), bytes.into());
                Ok(())
            }
            Self::Directory(directory) => {
                let path = blob_path(directory, digest);
                let temporary = path.with_extension("tmp");
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(&temporary, bytes)?;
                fs::rename(temporary, path)
            }
        }
    }

    pub(super) fn remove(&self, digest: &Digest) {
        match self {
            Self::Memory(blobs) => {
                blobs.lock().unwrap_or_else(PoisonError::into_inner).remove(digest);
            }
            Self::Directory(directory) => {
                // Not there is as good as removed.
                let _ = fs::remove_file(blob_path(directory, digest));
            }
        }
    }

    pub(super) fn begin(&self, id: &str) -> io::Result<Partial> {
        match self {
            Self::Memory(_) => Ok(Partial::Memory(Vec::new())),
            Self::Directory(directory) => {
                let path = directory.join("uploads").join(id);
                File::create(&path)?;
                Ok(Partial::File { path, length: 0 })
            }
        }
    }

    /// The uploads that an earlier registry left, by id.
    pub(super) fn left_uploads(&self) -> io::Result<Vec<(String, Partial)>> {
        let mut found = Vec::new();
        let Self::Directory(directory) = self else { return Ok(found) };
        for entry in fs::read_dir(directory.join("uploads"))? {
            let entry = entry?;
            if let Some(id) = entry.file_name().to_str() {
                let length = entry.metadata()?.len();
                found.push((id.to_owned(), Partial::File { path: entry.path(), length }));
            }
        }
        Ok(found)
    }

    /// Makes a blob of an upload if it has the digest; whether it has.
    pub(super) fn commit(&self, partial: Partial, digest: &Digest) -> io::Result<bool> {
        match (self, partial) {
            (Self::Memory(_), Partial::Memory(bytes)) => {
                if digest.verify(&bytes).is_err() {
                    return Ok(false);
                }
                self.write(digest, &bytes)?;
                Ok(true)
            }
            (Self::Directory(directory), Partial::File { path, .. }) => {
                let mut hasher = Hasher::new(digest.algorithm());
                let mut file = File::open(&path)?;
                let mut buffer = vec![0; 64 << 10];
                loop {
                    let count = file.read(&mut buffer)?;
                    if count == 0 {
                        break;
                    }
                    hasher.update(buffer.get(..count).unwrap_or_default());
                }
                if hasher.finish() != *digest {
                    fs::remove_file(path)?;
                    return Ok(false);
                }
                let blob = blob_path(directory, digest);
                if let Some(parent) = blob.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::rename(path, blob)?;
                Ok(true)
            }
            _ => Err(io::Error::other("an upload of another store")),
        }
    }
}

impl Partial {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::File { length, .. } => *length,
        }
    }

    /// Adds all of `body`; on an error, what came before it stays.
    pub(super) fn append(&mut self, body: &mut dyn Read) -> io::Result<u64> {
        match self {
            Self::Memory(bytes) => {
                let before = bytes.len();
                let outcome = copy(body, bytes);
                let added = u64::try_from(bytes.len() - before).unwrap_or(u64::MAX);
                outcome.map(|()| added)
            }
            Self::File { path, length } => {
                let mut file = OpenOptions::new().append(true).open(path)?;
                let outcome = copy(body, &mut file);
                let before = std::mem::replace(length, file.metadata()?.len());
                outcome.map(|()| length.saturating_sub(before))
            }
        }
    }

    pub(super) fn discard(self) {
        if let Self::File { path, .. } = self {
            // Not there is as good as removed.
            let _ = fs::remove_file(path);
        }
    }
}

/// Unlike `io::copy`, this has written everything that it read before an error.
fn copy(body: &mut dyn Read, out: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        out.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

fn blob_path(directory: &Path, digest: &Digest) -> PathBuf {
    directory.join("blobs").join(digest.algorithm().name()).join(digest.encoded())
}
