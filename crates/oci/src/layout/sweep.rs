use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Layout;
use super::blob::{PARTIAL, TEMPORARY};
use crate::{Error, media};

impl Layout {
    /// Removes blobs that nothing in the index leads to, and what processes that were killed left: temporary files, and blobs that are not complete.
    ///
    /// Returns the removed files, relative to the layout. Nobody else may write to the layout meanwhile.
    ///
    /// # Errors
    ///
    /// Those of reading the manifests: a layout that cannot be read is not swept. [`Error::Io`].
    pub fn sweep(&self) -> Result<Vec<String>, Error> {
        let _alone = self.lock()?;
        let mut wanted = BTreeSet::new();
        self.walk(&mut |descriptor| {
            wanted.insert(self.blob_path(&descriptor.digest));
            if media::is_manifest(&descriptor.media_type) {
                let manifest = self.manifest(descriptor)?;
                for part in manifest.layers.iter().chain([&manifest.config]) {
                    wanted.insert(self.blob_path(&part.digest));
                }
            }
            Ok(())
        })?;
        let mut removed = Vec::new();
        let mut unwanted = |path: &Path| -> Result<(), Error> {
            fs::remove_file(path).map_err(Error::io("remove", path))?;
            removed.push(path.strip_prefix(self.path()).unwrap_or(path).display().to_string());
            Ok(())
        };
        for path in files(self.path())? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(TEMPORARY) || name.starts_with(PARTIAL) {
                unwanted(&path)?;
            }
        }
        for algorithm in directories(&self.path().join("blobs"))? {
            for path in files(&algorithm)? {
                if !wanted.contains(&path) {
                    unwanted(&path)?;
                }
            }
        }
        removed.sort_unstable();
        Ok(removed)
    }
}

fn files(directory: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    list(directory, fs::FileType::is_file)
}

fn directories(directory: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    list(directory, fs::FileType::is_dir)
}

fn list(directory: &Path, wanted: fn(&fs::FileType) -> bool) -> Result<Vec<std::path::PathBuf>, Error> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::io("read", directory))? {
        let entry = entry.map_err(Error::io("read", directory))?;
        if wanted(&entry.file_type().map_err(Error::io("read", directory))?) {
            paths.push(entry.path());
        }
    }
    Ok(paths)
}
