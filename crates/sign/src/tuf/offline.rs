use std::cell::RefCell;

use super::step::{MemoryStore, Repository, Store, Wanted};
use super::{File, Update};
use crate::Error;

/// The target that is a Sigstore's trusted root.
pub const TRUSTED_ROOT: &str = "trusted_root.json";
/// The target that is a Sigstore's signing config.
pub const SIGNING_CONFIG: &str = "signing_config.v0.2.json";

impl Update {
    /// Reads a target from local storage, after [`offline`](Self::offline).
    ///
    /// # Errors
    ///
    /// [`Error::Tuf`] for what is not there, does not hold or has expired; those of the storage; [`Error::Service`] for an update that
    /// is not offline.
    pub fn read(&mut self, path: &str, store: &dyn Store) -> Result<Vec<u8>, Error> {
        self.fetch(path, &mut Reading { store, seen: None }, &Nowhere)
    }

    /// Reads some targets and gives a copy of the metadata and targets that it needed, and of nothing else, after [`offline`](Self::offline).
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn copy(&mut self, paths: &[&str], store: &dyn Store) -> Result<MemoryStore, Error> {
        let seen = RefCell::new(MemoryStore::new());
        let mut reading = Reading { store, seen: Some(&seen) };
        self.run(&mut reading, &Nowhere)?;
        for path in paths {
            self.fetch(path, &mut reading, &Nowhere)?;
        }
        Ok(seen.into_inner())
    }
}

/// A storage that is only read.
struct Reading<'a> {
    store: &'a dyn Store,
    seen: Option<&'a RefCell<MemoryStore>>,
}

impl Store for Reading<'_> {
    fn read(&self, file: &File, limit: usize) -> Result<Option<Vec<u8>>, Error> {
        let bytes = self.store.read(file, limit)?;
        if let (Some(bytes), Some(seen)) = (&bytes, self.seen) {
            seen.borrow_mut().write(file, bytes)?;
        }
        Ok(bytes)
    }

    fn write(&mut self, _: &File, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn remove(&mut self, _: &File) -> Result<(), Error> {
        Ok(())
    }
}

/// A repository that is not there.
struct Nowhere;

impl Repository for Nowhere {
    fn fetch(&self, wanted: &Wanted) -> Result<Option<Vec<u8>>, Error> {
        let reason = format!("{} is wanted from it, but this is a reading without network", wanted.path());
        Err(Error::Service { service: "the TUF repository", reason })
    }
}
