//! Writing below a directory handle, without following any symbolic link.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use crate::Error;

/// A directory of a temporary name that becomes `target`; removed unless it does.
pub(super) struct Root {
    parent: OwnedFd,
    handle: OwnedFd,
    temporary: PathBuf,
    target: PathBuf,
    /// The directory that was opened last: files come by directory.
    last: Option<(String, OwnedFd)>,
    finished: bool,
}

/// A new file, symbolic link or directory, for its attributes.
pub(super) enum Handle {
    Open(OwnedFd),
    /// A symbolic link cannot be opened: its directory and its name.
    Link(OwnedFd, String),
}

impl Root {
    pub(super) fn beside(target: &Path) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let Some(name) = target.file_name() else {
            return Err(Error::Caller(format!("{} has no name of its own", target.display())));
        };
        let above = match target.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        fs::create_dir_all(above).map_err(Error::io("create", above))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        hidden.push(format!(".lotse-tmp-{}-{number}", std::process::id()));
        let temporary = above.join(&hidden);
        let opened = || -> Result<(OwnedFd, OwnedFd), Errno> {
            let directory = OFlags::DIRECTORY | OFlags::CLOEXEC;
            let parent = rustix::fs::open(above, directory, Mode::empty())?;
            rustix::fs::mkdirat(&parent, &hidden, Mode::RWXU)?;
            let handle = rustix::fs::openat(&parent, &hidden, directory | OFlags::NOFOLLOW, Mode::empty())?;
            Ok((parent, handle))
        };
        let (parent, handle) = opened().map_err(|error| failed("create", &temporary, error))?;
        Ok(Self { parent, handle, temporary, target: target.to_owned(), last: None, finished: false })
    }

    pub(super) fn make_directory(&mut self, path: &str) -> Result<(), Error> {
        let name = self.enter(path)?;
        rustix::fs::mkdirat(self.directory(), name, Mode::RWXU)
            .map_err(|error| self.failed("create", path, error))
    }

    pub(super) fn make_file(
        &mut self,
        path: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<(), Error>,
    ) -> Result<Handle, Error> {
        let name = self.enter(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(self.directory(), name, flags, Mode::RUSR | Mode::WUSR);
        let file = File::from(opened.map_err(|error| self.failed("create", path, error))?);
        let mut buffered = BufWriter::with_capacity(64 << 10, file);
        write(&mut buffered)?;
        let file = buffered.into_inner();
        Ok(Handle::Open(
            file.map_err(|error| Error::io("write", &self.shown(path))(error.into_error()))?.into(),
        ))
    }

    pub(super) fn make_symlink(&mut self, path: &str, target: &str) -> Result<Handle, Error> {
        let name = self.enter(path)?;
        rustix::fs::symlinkat(target, self.directory(), name)
            .map_err(|error| self.failed("link", path, error))?;
        let directory = self.directory().try_clone().map_err(Error::io("open", &self.shown(path)))?;
        Ok(Handle::Link(directory, name.to_owned()))
    }

    pub(super) fn hard_link(&mut self, from: &str, to: &str) -> Result<(), Error> {
        let name = self.enter(from)?;
        let directory = self.directory().try_clone().map_err(Error::io("open", &self.shown(from)))?;
        let new = self.enter(to)?;
        // Never a copy instead: a link that cannot be made is an error.
        rustix::fs::linkat(&directory, name, self.directory(), new, AtFlags::empty())
            .map_err(|error| self.failed("link", to, error))
    }

    pub(super) fn open_directory(&mut self, path: &str) -> Result<Handle, Error> {
        open_below(&self.handle, path).map(Handle::Open).map_err(|error| self.failed("open", path, error))
    }

    /// Gives the directory its name, which must still be free.
    pub(super) fn finish(mut self, sync: bool) -> Result<(), Error> {
        let target = self.target.clone();
        let rename = || -> Result<(), Errno> {
            rustix::fs::fchmod(&self.handle, Mode::from_raw_mode(0o755))?;
            if sync {
                #[cfg(any(target_os = "linux", target_os = "android"))]
                rustix::fs::syncfs(&self.handle)?;
                #[cfg(not(any(target_os = "linux", target_os = "android")))]
                rustix::fs::fsync(&self.handle)?;
            }
            let (from, to) = (self.temporary.file_name(), target.file_name());
            let (Some(from), Some(to)) = (from, to) else { return Err(Errno::INVAL) };
            rename_new(&self.parent, from, to)?;
            if sync { rustix::fs::fsync(&self.parent) } else { Ok(()) }
        };
        rename().map_err(|error| failed("rename to", &target, error))?;
        self.finished = true;
        Ok(())
    }

    /// Opens the directory of `path`, unless it is the one that was opened last, and returns the name in it.
    fn enter<'p>(&mut self, path: &'p str) -> Result<&'p str, Error> {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if self.last.as_ref().is_none_or(|(last, _)| last != directory) {
            let opened = open_below(&self.handle, directory);
            self.last =
                Some((directory.to_owned(), opened.map_err(|error| self.failed("open", directory, error))?));
        }
        Ok(name)
    }

    fn directory(&self) -> &OwnedFd {
        self.last.as_ref().map_or(&self.handle, |(_, handle)| handle)
    }

    fn shown(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    fn failed(&self, action: &'static str, path: &str, error: Errno) -> Error {
        failed(action, &self.shown(path), error)
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
    /// Whether the system let us.
    pub(super) fn set_owner(&self, path: &str, uid: u32, gid: u32) -> Result<bool, Error> {
        let (uid, gid) = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
        let set = match self {
            Self::Open(handle) => rustix::fs::fchown(handle, uid, gid),
            Self::Link(directory, name) => {
                rustix::fs::chownat(directory, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
            }
        };
        allowed("change owner of", path, set)
    }

    /// Whether the system let us.
    pub(super) fn set_xattr(&self, path: &str, name: &str, value: &[u8]) -> Result<bool, Error> {
        let Self::Open(handle) = self else { return Ok(false) };
        allowed("set attribute of", path, rustix::fs::fsetxattr(handle, name, value, XattrFlags::empty()))
    }

    pub(super) fn set_mode(&self, path: &str, mode: u32) -> Result<(), Error> {
        let Self::Open(handle) = self else { return Ok(()) };
        let mode = Mode::from_bits_truncate(rustix::fs::RawMode::try_from(mode).unwrap_or(0));
        rustix::fs::fchmod(handle, mode).map_err(|error| failed("change mode of", Path::new(path), error))
    }

    pub(super) fn set_mtime(&self, path: &str, seconds: i64) -> Result<(), Error> {
        let Self::Open(handle) = self else { return Ok(()) };
        let time = Timespec { tv_sec: seconds, tv_nsec: 0 };
        let times = Timestamps { last_access: time, last_modification: time };
        match rustix::fs::futimens(handle, &times) {
            // A time that this file system cannot hold is no reason to refuse the image.
            Err(Errno::INVAL | Errno::OVERFLOW) | Ok(()) => Ok(()),
            Err(error) => Err(failed("change time of", Path::new(path), error)),
        }
    }
}

fn allowed(action: &'static str, path: &str, done: Result<(), Errno>) -> Result<bool, Error> {
    match done {
        Ok(()) => Ok(true),
        // Not the caller's to set, an owner that this user namespace does not know, a file system without attributes.
        Err(Errno::PERM | Errno::INVAL | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(failed(action, Path::new(path), error)),
    }
}

/// Opens a directory below `root`, whatever its components are named: none of them may be a symbolic link.
fn open_below(root: &OwnedFd, path: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if path.is_empty() {
        return rustix::io::fcntl_dupfd_cloexec(root.as_fd(), 0);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::ResolveFlags;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => {}
            opened => return opened,
        }
    }
    open_by_component(root, path, flags)
}

fn open_by_component(root: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut directory = rustix::io::fcntl_dupfd_cloexec(root.as_fd(), 0)?;
    for component in path.split('/') {
        if matches!(component, "" | "." | "..") {
            return Err(Errno::INVAL);
        }
        directory = rustix::fs::openat(&directory, component, flags, Mode::empty())?;
    }
    Ok(directory)
}

/// Renames within one directory, never over what is there.
fn rename_new(directory: &OwnedFd, from: &std::ffi::OsStr, to: &std::ffi::OsStr) -> Result<(), Errno> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use rustix::fs::RenameFlags;
        match rustix::fs::renameat_with(directory, from, directory, to, RenameFlags::NOREPLACE) {
            Err(Errno::NOSYS | Errno::INVAL) => {}
            renamed => return renamed,
        }
    }
    match rustix::fs::statat(directory, to, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => rustix::fs::renameat(directory, from, directory, to),
        Ok(_) => Err(Errno::EXIST),
        Err(error) => Err(error),
    }
}

fn failed(action: &'static str, path: &Path, error: Errno) -> Error {
    Error::io(action, path)(io::Error::from(error))
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use rustix::fs::{Mode, OFlags};

    use super::{open_below, open_by_component};

    #[test]
    fn no_component_is_followed_by_either_way_in() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        std::fs::create_dir_all(root.join("in/real/deep")).expect("made");
        std::fs::create_dir_all(root.join("out/deep")).expect("made");
        for (link, to) in [("in/up", ".."), ("in/same", "real"), ("in/absolute", "/")] {
            std::os::unix::fs::symlink(to, root.join(link)).expect("linked");
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle: OwnedFd = rustix::fs::open(root.join("in"), flags, Mode::empty()).expect("opened");
        let ways = [
            |root: &OwnedFd, path: &str| open_below(root, path).is_ok(),
            |root: &OwnedFd, path: &str| {
                let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                open_by_component(root, path, flags).is_ok()
            },
        ];
        for way in ways {
            assert!(way(&handle, "real") && way(&handle, "real/deep"));
            for path in
                ["up", "up/out", "same", "same/deep", "absolute", "absolute/tmp", "../out", "real/../../out"]
            {
                assert!(!way(&handle, path), "{path}");
            }
        }
    }
}
