use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::store::{LogLock, LogStore};
use crate::Error;

/// Where files are made before they get their names.
const TEMPORARY: &str = ".tmp";
/// Depth of the folders of a log: 64 bits of tile number are seven groups of three digits.
const DEPTH: usize = 16;

/// A log's files in a directory. One writer at a time is held by a lock of the system, which ends with its process.
#[derive(Debug)]
pub struct DirectoryStore {
    root: PathBuf,
    /// Files that were written and not synced.
    pending: Mutex<BTreeSet<PathBuf>>,
}

impl DirectoryStore {
    /// The files below `root`, which is made when the first is written.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), pending: Mutex::new(BTreeSet::new()) }
    }

    /// The path of a file; names come from this crate, but a name that leads out of the directory is refused all the same.
    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let plain =
            |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
        if name.split('/').all(plain) {
            Ok(self.root.join(name))
        } else {
            Err(Error::malformed("name of a log's file", format!("{name:?}")))
        }
    }

    /// Writes under a temporary name, then renames.
    fn put(&self, path: &Path, content: &[u8], durable: bool) -> Result<(), Error> {
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let temporary = self.root.join(TEMPORARY);
        fs::create_dir_all(&temporary).map_err(Error::io("create", &temporary))?;
        let temporary = temporary.join("file");
        let written = File::create(&temporary)
            .and_then(|mut file| {
                file.write_all(content)?;
                if durable { file.sync_all() } else { Ok(()) }
            })
            .and_then(|()| fs::rename(&temporary, path));
        if let Err(error) = written {
            // The first error is the one to report.
            let _ = fs::remove_file(&temporary);
            return Err(Error::io("write", path)(error));
        }
        Ok(())
    }

    /// Syncs the folders from `folder` up to the root, so that the names in them last.
    fn sync_folders(&self, folders: BTreeSet<PathBuf>) -> Result<(), Error> {
        let mut all = BTreeSet::new();
        for folder in folders {
            all.extend(
                folder.ancestors().take_while(|above| above.starts_with(&self.root)).map(Path::to_path_buf),
            );
        }
        for folder in all {
            sync_folder(&folder)?;
        }
        Ok(())
    }
}

impl LogStore for DirectoryStore {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path(name)?;
        self.put(&path, content, false)?;
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        for path in &pending {
            File::open(path).and_then(|file| file.sync_all()).map_err(Error::io("sync", path))?;
        }
        self.sync_folders(pending.iter().filter_map(|path| path.parent()).map(Path::to_path_buf).collect())
    }

    fn commit(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path(name)?;
        self.put(&path, content, true)?;
        self.sync_folders(path.parent().map(Path::to_path_buf).into_iter().collect())
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        let start = if folder.is_empty() { self.root.clone() } else { self.path(folder)? };
        let mut names = Vec::new();
        walk(&start, folder, DEPTH, &mut names)?;
        names.retain(|name| name.starts_with(prefix));
        Ok(names)
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name)?;
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io("remove", &path)(error)),
        }
        if let Some(folder) = path.parent() {
            // Only an empty folder goes.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    fn lock(&self) -> Result<Box<dyn LogLock>, Error> {
        fs::create_dir_all(&self.root).map_err(Error::io("create", &self.root))?;
        // The folder itself is locked where the system can, so that no file is left behind.
        let file = if cfg!(unix) { File::open(&self.root) } else { File::create(self.root.join(".lock")) };
        let file = file.map_err(Error::io("open", &self.root))?;
        file.lock().map_err(Error::io("lock", &self.root))?;
        // Whoever holds the lock knows that nobody else is at work: what is half made was left by a process that died.
        let temporary = self.root.join(TEMPORARY);
        match fs::remove_dir_all(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Error::io("remove", &temporary)(error));
            }
            _ => {}
        }
        Ok(Box::new(Lock { _file: file, temporary }))
    }
}

/// The lock ends when the file is closed.
struct Lock {
    _file: File,
    temporary: PathBuf,
}

impl LogLock for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.temporary);
    }
}

fn sync_folder(folder: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        File::open(folder).and_then(|file| file.sync_all()).map_err(Error::io("sync", folder))?;
    }
    Ok(())
}

fn walk(folder: &Path, name: &str, depth: usize, names: &mut Vec<String>) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("list", folder)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(Error::io("list", folder))?;
        let file_name = entry.file_name();
        let Some(part) = file_name.to_str().filter(|part| *part != TEMPORARY) else { continue };
        let inner = if name.is_empty() { part.to_owned() } else { format!("{name}/{part}") };
        let kind = entry.file_type().map_err(Error::io("list", folder))?;
        if kind.is_dir() && depth > 0 {
            walk(&entry.path(), &inner, depth - 1, names)?;
        } else {
            names.push(inner);
        }
    }
    Ok(())
}
