use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use lotse_digest::Digest;
use lotse_oci::{Layout, Limits};

use crate::Error;

/// What is not part of the evidence's list of files: the log and the evidence name the list, the key is secret.
const UNLISTED: [&str; 4] = ["log", "evidence.json", "evidence.html", "key.pem"];

/// The directory of a release while it is written: a temporary one beside the final, which it replaces in one step.
pub(crate) struct Output {
    target: PathBuf,
    temporary: PathBuf,
    dry_run: bool,
    done: bool,
}

impl Output {
    /// Begins to write. The log of an earlier release in the same directory is taken along: it only grows.
    pub(crate) fn begin(target: &Path, dry_run: bool) -> Result<Self, Error> {
        let mut name = target
            .file_name()
            .map(ToOwned::to_owned)
            .ok_or_else(|| Error::Caller(format!("{} names no directory to write to", target.display())))?;
        name.push(format!(".lotse-tmp-{}", std::process::id()));
        let temporary = target.with_file_name(name);
        if target.exists() && !is_release(target)? {
            let text = format!(
                "{} is or holds something that is no release; name an empty or new directory",
                target.display()
            );
            return Err(Error::Caller(text));
        }
        fs::create_dir_all(&temporary).map_err(|error| {
            let (target, temporary) = (target.display(), temporary.display());
            Error::Caller(format!(
                "{target} cannot be written, because {temporary} cannot be made ({error}); name a directory that you may write with --out"
            ))
        })?;
        let output = Self { target: target.to_owned(), temporary, dry_run, done: false };
        let log = output.target.join("log");
        if log.is_dir() {
            copy(&log, &output.temporary.join("log"))?;
        }
        Ok(output)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits::default()
    }

    pub(crate) fn layout(&self) -> Result<Layout, Error> {
        Ok(Layout::create(self.path("images"), self.limits())?)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temporary.join(name)
    }

    /// A file of the release that was in the directory before.
    pub(crate) fn earlier(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = self.target.join(name);
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    pub(crate) fn write(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        File::create(&path).and_then(|mut file| file.write_all(content)).map_err(Error::io("write", &path))
    }

    /// Writes a file that nobody else may read.
    pub(crate) fn write_secret(&mut self, name: &str, content: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).and_then(|mut file| file.write_all(content)).map_err(Error::io("write", &path))
    }

    /// Every listed file written so far, with its digest.
    pub(crate) fn files(&self) -> Result<BTreeMap<String, Digest>, Error> {
        digests(&self.temporary)
    }

    /// Puts the release in its place.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        if self.dry_run {
            return Ok(());
        }
        sync(&self.temporary)?;
        if self.target.exists() {
            let mut name = self.temporary.file_name().map(ToOwned::to_owned).unwrap_or_default();
            name.push("-old");
            let old = self.temporary.with_file_name(name);
            fs::rename(&self.target, &old).map_err(Error::io("move away", &self.target))?;
            if let Err(error) = fs::rename(&self.temporary, &self.target) {
                // Put the earlier release back; if that fails too, the first error says what happened.
                let _ = fs::rename(&old, &self.target);
                return Err(Error::io("rename to", &self.target)(error));
            }
            fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
        } else {
            fs::rename(&self.temporary, &self.target).map_err(Error::io("rename to", &self.target))?;
        }
        self.done = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.done {
            // An error is under way, or nothing was to be written.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

/// Whether a directory is empty or holds a release, so that it may be replaced.
fn is_release(directory: &Path) -> Result<bool, Error> {
    if !directory.is_dir() {
        return Ok(false);
    }
    let mut entries = fs::read_dir(directory).map_err(Error::io("read", directory))?;
    Ok(entries.next().is_none() || directory.join("evidence.json").is_file())
}

/// The digests of the files below a release's directory that its evidence lists.
pub(crate) fn digests(directory: &Path) -> Result<BTreeMap<String, Digest>, Error> {
    let mut digests = BTreeMap::new();
    for path in files(directory)? {
        let name = path.strip_prefix(directory).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if !UNLISTED.iter().any(|unlisted| name == *unlisted || name.starts_with(&format!("{unlisted}/"))) {
            let content = fs::read(&path).map_err(Error::io("read", &path))?;
            digests.insert(name, Digest::sha256(&content));
        }
    }
    Ok(digests)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).map_err(Error::io("read", &directory))? {
            let path = entry.map_err(Error::io("read", &directory))?.path();
            let metadata = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
            if metadata.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Brings every file to the disk: the rename that follows must not arrive before them.
fn sync(directory: &Path) -> Result<(), Error> {
    for path in files(directory)? {
        File::open(&path).and_then(|file| file.sync_all()).map_err(Error::io("sync", &path))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    for path in files(from)? {
        let target = to.join(path.strip_prefix(from).unwrap_or(&path));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
        }
        fs::copy(&path, &target).map_err(Error::io("copy", &path))?;
    }
    Ok(())
}
