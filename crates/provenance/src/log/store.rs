use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Where the files of a log lie: a directory, a bucket, an OCI layout. Names are those of C2SP tlog-tiles below the log's prefix,
/// such as `checkpoint` and `tile/0/x001/067.p/8`; parts are joined by `/`.
///
/// A store keeps no promise about files that were written and not synced, except that they appear under their names at once. All
/// methods take `&self`: a store that needs to change itself locks inside.
pub trait LogStore {
    /// A file, or `None` if there is none.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Writes a file. It may be lost in a crash until [`sync`](Self::sync) returned.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn write(&self, name: &str, content: &[u8]) -> Result<(), Error>;

    /// Makes all that was written before last.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn sync(&self) -> Result<(), Error>;

    /// Replaces a file in one step, and makes it last: after a crash it is the old or the new one, never half of it, never none.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn commit(&self, name: &str, content: &[u8]) -> Result<(), Error>;

    /// The names of all files that begin with `prefix`, in any order.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn list(&self, prefix: &str) -> Result<Vec<String>, Error>;

    /// Removes a file, if it is there.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn remove(&self, name: &str) -> Result<(), Error>;

    /// Keeps other writers out until what it returns is dropped. A store that cannot must have one writer by other means.
    ///
    /// # Errors
    ///
    /// Those of the store.
    fn lock(&self) -> Result<Box<dyn LogLock>, Error>;
}

/// That no one else writes to a log. It ends when it is dropped.
pub trait LogLock {}

/// A log's files in memory, for tests and for logs that are carried elsewhere.
#[derive(Debug, Default)]
pub struct MemoryStore {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryStore {
    /// A store without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store with these files.
    #[must_use]
    pub const fn from_files(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files: Mutex::new(files) }
    }

    /// The files as they are now.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.all().clone()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogStore for MemoryStore {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.all().get(name).cloned())
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        self.all().insert(name.to_owned(), content.to_owned());
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        Ok(())
    }

    fn commit(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        self.write(name, content)
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        Ok(self.all().keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        self.all().remove(name);
        Ok(())
    }

    fn lock(&self) -> Result<Box<dyn LogLock>, Error> {
        struct Alone;
        impl LogLock for Alone {}
        Ok(Box::new(Alone))
    }
}
