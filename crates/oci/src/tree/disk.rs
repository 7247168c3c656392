use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{FileTree, Kind, Source, join};
use crate::Error;

/// What of a directory on disk goes into a [`FileTree`].
///
/// [`DiskPolicy::plain`] takes what a checkout is made of and nothing that differs between two machines; each method adds
/// something that does.
#[derive(Clone, Copy)]
pub struct DiskPolicy<'a> {
    keep: &'a dyn Fn(&str) -> bool,
    hardlinks: bool,
    modes: bool,
    xattrs: &'a [&'a str],
}

impl<'a> DiskPolicy<'a> {
    /// Every path that `keep` says yes to, relative to the source and with `/`; a directory that is not kept is not
    /// entered. Files are 0755 if their owner may execute them, else 0644; hard links are files of their own.
    #[must_use]
    pub const fn plain(keep: &'a dyn Fn(&str) -> bool) -> Self {
        Self { keep, hardlinks: false, modes: false, xattrs: &[] }
    }

    /// Names of one file on disk become hard links. Copies and file systems lose them, and then the digest differs.
    #[must_use]
    pub const fn hardlinks(self) -> Self {
        Self { hardlinks: true, ..self }
    }

    /// Modes are taken as they are, set-user-id and sticky bits included; the umask of a checkout shows.
    #[must_use]
    pub const fn modes(self) -> Self {
        Self { modes: true, ..self }
    }

    /// These extended attributes are taken, such as `security.capability`; others belong to the machine.
    #[must_use]
    pub const fn xattrs(self, names: &'a [&'a str]) -> Self {
        Self { xattrs: names, ..self }
    }
}

impl FileTree {
    /// Adds a file, or a directory with all below it, from disk as `path`. An empty `path` is the root of the layer.
    ///
    /// Of modes only the executable bit of the owner counts. `keep` is asked for every path below `source` (relative, with
    /// `/`); a directory that is not kept is not entered.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if something cannot be read, [`Error::Caller`] for names that are not UTF-8, for sockets, devices and
    /// FIFOs, and for a path that is taken.
    pub fn add_from_disk(
        &mut self,
        source: &Path,
        path: &str,
        keep: &dyn Fn(&str) -> bool,
    ) -> Result<(), Error> {
        self.add_from_disk_with(source, path, &DiskPolicy::plain(keep))
    }

    /// As [`add_from_disk`](Self::add_from_disk), with more or less of what is on disk.
    ///
    /// # Errors
    ///
    /// As [`add_from_disk`](Self::add_from_disk); [`Error::Unsupported`] for extended attributes where the system has none.
    pub fn add_from_disk_with(
        &mut self,
        source: &Path,
        path: &str,
        policy: &DiskPolicy<'_>,
    ) -> Result<(), Error> {
        let mut walk = Walk { tree: self, policy, links: BTreeMap::new() };
        walk.add(source, path, "")
    }
}

struct Walk<'a> {
    tree: &'a mut FileTree,
    policy: &'a DiskPolicy<'a>,
    /// The first name of files with several, by device and number.
    links: BTreeMap<(u64, u64), String>,
}

impl Walk<'_> {
    fn add(&mut self, source: &Path, path: &str, below: &str) -> Result<(), Error> {
        let metadata = fs::symlink_metadata(source).map_err(Error::io("read", source))?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            if !path.is_empty() {
                let mode = if self.policy.modes { mode(&metadata) } else { 0o755 };
                self.tree.directory(path)?;
                self.tree.set_attributes(path, 0, 0, mode)?;
            }
            for entry in fs::read_dir(source).map_err(Error::io("read", source))? {
                let entry = entry.map_err(Error::io("read", source))?;
                let file_name = entry.file_name();
                let name = file_name.to_str().ok_or_else(|| {
                    Error::Caller(format!("{} is not UTF-8; rename it", entry.path().display()))
                })?;
                let below = join(below, name);
                if (self.policy.keep)(&below) {
                    self.add(&entry.path(), &join(path, name), &below)?;
                }
            }
        } else if kind.is_symlink() {
            let target = fs::read_link(source).map_err(Error::io("read", source))?;
            let target = target
                .to_str()
                .ok_or_else(|| Error::Caller(format!("the target of {} is not UTF-8", source.display())))?;
            self.tree.symlink(path, target)?;
        } else if kind.is_file() {
            if self.policy.hardlinks
                && let Some(identity) = shared(&metadata)
            {
                if let Some(first) = self.links.get(&identity) {
                    return self.tree.hardlink(path, first);
                }
                self.links.insert(identity, path.to_owned());
            }
            let mode = match mode(&metadata) {
                mode if self.policy.modes => mode,
                mode if mode & 0o100 != 0 => 0o755,
                _ => 0o644,
            };
            let content = Source::Disk { path: source.to_owned(), size: metadata.len() };
            self.tree.insert(path, Kind::File(content, None), mode)?;
        } else {
            return Err(Error::Caller(format!(
                "{} is neither file, directory nor symbolic link",
                source.display()
            )));
        }
        if !path.is_empty() {
            for name in self.policy.xattrs {
                if let Some(value) = xattr(source, name)? {
                    self.tree.set_xattr(path, name, &value)?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

#[cfg(not(unix))]
fn mode(metadata: &fs::Metadata) -> u32 {
    if metadata.is_dir() { 0o755 } else { 0o644 }
}

/// Device and number of a file that has more names than one.
#[cfg(unix)]
fn shared(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    (metadata.nlink() > 1).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn shared(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// An extended attribute of a file, not of what a symbolic link points at.
#[cfg(target_os = "linux")]
fn xattr(path: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    use rustix::io::Errno;

    // The kernel's own limit of a value.
    let mut value = vec![0; 64 << 10];
    match rustix::fs::lgetxattr(path, name, value.as_mut_slice()) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(Error::io("read an extended attribute of", path)(error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
fn xattr(_: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
    let what = format!("the extended attribute {name:?}");
    Err(Error::Unsupported { what, advice: "they are read on Linux only" })
}
