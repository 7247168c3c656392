//! Writing by path, where there are no directory handles. The directory is new and its parents are directories that were made
//! here; whoever else may write to it can still put a link in the way.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::Error;

/// A directory of a temporary name that becomes `target`; removed unless it does.
pub(super) struct Root {
    temporary: PathBuf,
    target: PathBuf,
    finished: bool,
}

/// Owners, modes and attributes have no meaning here.
pub(super) struct Handle;

impl Root {
    pub(super) fn beside(target: &Path) -> Result<Self, Error> {
        let mut name = target.file_name().map(ToOwned::to_owned).unwrap_or_default();
        name.push(format!(".lotse-tmp-{}", std::process::id()));
        let temporary = target.with_file_name(name);
        fs::create_dir_all(&temporary).map_err(Error::io("create", &temporary))?;
        Ok(Self { temporary, target: target.to_owned(), finished: false })
    }

    pub(super) fn make_directory(&mut self, path: &str) -> Result<(), Error> {
        let directory = self.temporary.join(path);
        fs::create_dir(&directory).map_err(Error::io("create", &directory))
    }

    pub(super) fn make_file(
        &mut self,
        path: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<(), Error>,
    ) -> Result<Handle, Error> {
        let path = self.temporary.join(path);
        let file = File::create_new(&path).map_err(Error::io("create", &path))?;
        let mut buffered = BufWriter::new(file);
        write(&mut buffered)?;
        buffered.into_inner().map_err(|error| Error::io("write", &path)(error.into_error()))?;
        Ok(Handle)
    }

    pub(super) fn make_symlink(&mut self, path: &str, _: &str) -> Result<Handle, Error> {
        Err(Error::Unsupported {
            what: format!("symbolic link {path:?}"),
            advice: "unpack on a system that has symbolic links",
        })
    }

    pub(super) fn hard_link(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let to = self.temporary.join(to);
        fs::hard_link(self.temporary.join(from), &to).map_err(Error::io("link", &to))
    }

    pub(super) fn open_directory(&mut self, _: &str) -> Result<Handle, Error> {
        Ok(Handle)
    }

    pub(super) fn finish(mut self, _: bool) -> Result<(), Error> {
        fs::rename(&self.temporary, &self.target).map_err(Error::io("rename to", &self.target))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        if !self.finished {
            // An error is under way already: nothing to add here.
            let _ = fs::remove_dir_all(&self.temporary);
        }
    }
}

impl Handle {
    pub(super) fn set_owner(&self, _: &str, _: u32, _: u32) -> Result<bool, Error> {
        Ok(false)
    }

    pub(super) fn set_xattr(&self, _: &str, _: &str, _: &[u8]) -> Result<bool, Error> {
        Ok(false)
    }

    pub(super) fn set_mode(&self, _: &str, _: u32) -> Result<(), Error> {
        Ok(())
    }

    pub(super) fn set_mtime(&self, _: &str, _: i64) -> Result<(), Error> {
        Ok(())
    }
}
