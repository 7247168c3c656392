use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::{
    File, Limits, MemoryStore, Refusal, Repository, Rule, SIGNING_CONFIG, Store, TRUSTED_ROOT, Update,
};
use crate::proto::Bytes;
use crate::{Error, SigningConfig, Time, TrustedRoot};

/// What the last complete refresh stored, in one file.
const COMPLETE: &str = "complete";
/// Bytes of it that are read.
const COMPLETE_BYTES: usize = 256 << 20;

/// A directory in which a TUF client keeps what it trusts.
///
/// Metadata and targets stand there as the specification wants it (5.3.8 and on), each replaced as soon as it is accepted. A
/// [`refresh`](Self::refresh) that comes to its end then puts what belongs together into one file, `complete`, in one step, and
/// offline readings take that alone: a process that is killed, or a repository that is broken halfway, leaves them what they had.
/// Nothing in the directory is believed; all of it is verified from the caller's root in each reading.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Complete {
    files: BTreeMap<String, Bytes>,
}

impl Cache {
    /// A cache in a directory, which need not be there yet.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Updates the metadata from a repository and brings targets of it, such as [`TRUSTED_ROOT`] and [`SIGNING_CONFIG`]. Later offline
    /// readings have these targets. Returns the update, to look at versions and expiry or to bring more.
    ///
    /// # Errors
    ///
    /// [`Error::Tuf`], [`Error::Io`], and those of the repository. What offline readings had they still have.
    pub fn refresh(
        &mut self,
        initial_root: &[u8],
        repository: &dyn Repository,
        targets: &[&str],
        at: Time,
        limits: Limits,
    ) -> Result<Update, Error> {
        let mut update = Update::new(initial_root, at, limits)?;
        update.run(self, repository)?;
        for target in targets {
            update.fetch(target, self, repository)?;
        }
        let copy = Update::offline(initial_root, at, limits)?.copy(targets, self)?;
        let files = copy.files.into_iter().map(|(path, bytes)| (path, Bytes(bytes))).collect();
        let json =
            serde_json::to_vec(&Complete { files }).map_err(|error| Error::malformed("the cache", error))?;
        self.replace(COMPLETE, &json)?;
        Ok(update)
    }

    /// What the last complete refresh stored, not verified: give it to [`Update::read`].
    ///
    /// # Errors
    ///
    /// [`Error::Io`]; [`Error::Malformed`] and [`Error::Limit`] if another program wrote the file. Refresh then.
    pub fn complete(&self) -> Result<MemoryStore, Error> {
        let Some(json) = self.bytes(COMPLETE, COMPLETE_BYTES)? else { return Ok(MemoryStore::new()) };
        if json.len() > COMPLETE_BYTES {
            return Err(Error::Limit { what: "bytes of the cache", limit: COMPLETE_BYTES });
        }
        let complete: Complete =
            serde_json::from_slice(&json).map_err(|error| Error::malformed("the cache", error))?;
        let files = complete.files.into_iter().map(|(path, bytes)| (path, bytes.0)).collect();
        Ok(MemoryStore { files })
    }

    /// Reads a target offline.
    ///
    /// # Errors
    ///
    /// [`Error::Tuf`] for what is not there, does not hold or has expired at `at`; those of [`complete`](Self::complete).
    pub fn target(
        &self,
        initial_root: &[u8],
        path: &str,
        at: Time,
        limits: Limits,
    ) -> Result<Vec<u8>, Error> {
        let mut reading = Update::offline(initial_root, at, limits)?;
        let complete = self.complete()?;
        if complete.files.is_empty() {
            let reason =
                format!("no refresh of the cache {} has come to its end yet", self.directory.display());
            return Err(Refusal::new(path, None, Rule::Absence, reason).into());
        }
        reading.read(path, &complete)
    }

    /// Reads [`TRUSTED_ROOT`] offline.
    ///
    /// # Errors
    ///
    /// As [`target`](Self::target) and [`TrustedRoot::parse`].
    pub fn trusted_root(&self, initial_root: &[u8], at: Time) -> Result<TrustedRoot, Error> {
        TrustedRoot::parse(&self.target(initial_root, TRUSTED_ROOT, at, Limits::default())?)
    }

    /// Reads [`SIGNING_CONFIG`] offline.
    ///
    /// # Errors
    ///
    /// As [`target`](Self::target) and [`SigningConfig::parse`].
    pub fn signing_config(&self, initial_root: &[u8], at: Time) -> Result<SigningConfig, Error> {
        SigningConfig::parse(&self.target(initial_root, SIGNING_CONFIG, at, Limits::default())?)
    }

    fn bytes(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, Error> {
        let path = self.directory.join(name);
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fault("read", &path)(error)),
        };
        let mut bytes = Vec::new();
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(fault("read", &path))?;
        Ok(Some(bytes))
    }

    /// By a temporary name, whole on disk before it gets its own.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let path = self.directory.join(name);
        let directory = path.parent().unwrap_or(&self.directory);
        fs::create_dir_all(directory).map_err(fault("create", directory))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let temporary = directory.join(format!(".lotse-tmp-{}-{number}", std::process::id()));
        let written = fs::File::create(&temporary).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        });
        if let Err(error) = written {
            let _ = fs::remove_file(&temporary);
            return Err(fault("write", &path)(error));
        }
        fs::File::open(directory).and_then(|file| file.sync_all()).map_err(fault("sync", directory))
    }
}

impl Store for Cache {
    fn read(&self, file: &File, limit: usize) -> Result<Option<Vec<u8>>, Error> {
        self.bytes(file.path(), limit)
    }

    fn write(&mut self, file: &File, bytes: &[u8]) -> Result<(), Error> {
        self.replace(file.path(), bytes)
    }

    fn remove(&mut self, file: &File) -> Result<(), Error> {
        let path = self.directory.join(file.path());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(fault("remove", &path)(error)),
            _ => Ok(()),
        }
    }
}

fn fault(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { verb, path, source }
}
