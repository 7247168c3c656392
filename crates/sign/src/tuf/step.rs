use std::collections::BTreeMap;

use super::File;
use crate::Error;

/// What an [`Update`](super::Update) wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A file of local storage, if it is there. Answer with its bytes, of which no more than `limit` and one need be read.
    Read {
        /// Which.
        file: File,
        /// Bytes that it may have.
        limit: usize,
    },
    /// A file of the repository, if it is there. Answer with its bytes, of which no more than `limit` and one need be read.
    Fetch(Wanted),
    /// Replace a file in local storage, in one step: whoever reads it sees the old or the new one. No answer.
    Write {
        /// Which.
        file: File,
        /// What it holds from now on.
        bytes: Vec<u8>,
    },
    /// Remove a file from local storage, if it is there. No answer.
    Remove(File),
    /// Nothing: what was asked for is done.
    Done,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub(super) is_target: bool,
    pub(super) path: String,
    pub(super) limit: usize,
}

impl Wanted {
    /// Whether it is below the URL of targets; else it is below that of metadata.
    #[must_use]
    pub const fn is_target(&self) -> bool {
        self.is_target
    }

    /// Its path below that URL, percent-encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes that it may have.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }
}

/// Local storage: the feature `fs` has one in a directory, [`MemoryStore`] is one in memory. What it gives back is verified
/// like what comes from the network.
pub trait Store {
    /// A file, if it is there; of a longer one at least `limit` and one bytes.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn read(&self, file: &File, limit: usize) -> Result<Option<Vec<u8>>, Error>;

    /// Replaces a file in one step.
    ///
    /// # Errors
    ///
    /// Those of the storage; the old file is then as it was.
    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<(), Error>;

    /// Removes a file, if it is there.
    ///
    /// # Errors
    ///
    /// Those of the storage.
    fn remove(&mut self, file: &File) -> Result<(), Error>;
}

/// A repository: `HttpRepository` of the feature `client`, an adapter of the caller's, or
/// `sandbox::TufRepository`.
pub trait Repository {
    /// A file, if it is there; of a longer one at least `wanted.limit()` and one bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Service`] if it cannot be said whether it is there.
    fn fetch(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error>;
}

/// Storage in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStore {
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The files by path.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The files by path, to change them.
    pub const fn files_mut(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        &mut self.files
    }
}

impl Store for MemoryStore {
    fn read(&self, file: &File, _limit: usize) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.files.get(file.path()).cloned())
    }

    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<(), Error> {
        self.files.insert(file.path().to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove(&mut self, file: &File) -> Result<(), Error> {
        self.files.remove(file.path());
        Ok(())
    }
}
