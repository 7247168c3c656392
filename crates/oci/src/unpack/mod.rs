//! An image's files on disk.

#[cfg(not(unix))]
mod plain;
#[cfg(unix)]
mod unix;

mod names;
mod options;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub use options::{IdRange, Omission, Owners, UnpackOptions, UnpackReport};

#[cfg(not(unix))]
use plain::{Handle, Root};
#[cfg(unix)]
use unix::{Handle, Root};

use crate::{EntryKind, Error, FileSystem, Image, Layout, VisibleFile};

/// Unpacks an image into a directory that does not exist yet, as a container sees it.
///
/// Digest and diffID of every layer are verified before anything is written, and again while it is. The files are written into a
/// directory of a temporary name beside `target`, which appears by rename when all is there. Every name is opened relative to a
/// directory handle and no symbolic link is ever followed (`openat2` with `RESOLVE_BENEATH` and `RESOLVE_NO_SYMLINKS` where the
/// system has it), so no entry can lead outside. Contents are streamed: memory depends on the number of files alone.
///
/// Devices, FIFOs and what the system does not let the caller set are left out and reported by name.
///
/// # Errors
///
/// Those of [`FileSystem::of`]; [`Error::Caller`] if `target` exists or an owner has no place in [`Owners::Mapped`];
/// [`Error::Io`]. After an error nothing is left.
pub fn unpack(
    layout: &Layout,
    image: &Image,
    target: &Path,
    options: &UnpackOptions,
) -> Result<UnpackReport, Error> {
    if fs::symlink_metadata(target).is_ok() {
        return Err(Error::Caller(format!("{} exists; unpack into a new directory", target.display())));
    }
    let system = FileSystem::of(layout, image)?;
    names::check(&system)?;
    let root = Root::beside(target)?;
    let mut unpacking = Unpacking { root, system: &system, options, report: UnpackReport::default() };
    unpacking.directories()?;
    unpacking.files(layout, image)?;
    unpacking.links()?;
    unpacking.directory_attributes()?;
    let Unpacking { root, mut report, .. } = unpacking;
    root.finish(options.sync)?;
    report.left_out.sort();
    Ok(report)
}

/// The visible names of the contents of one layer, by the path of the entry that holds them.
type Contents<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a VisibleFile)>>;

struct Unpacking<'a> {
    root: Root,
    system: &'a FileSystem,
    options: &'a UnpackOptions,
    report: UnpackReport,
}

impl Unpacking<'_> {
    fn directories(&mut self) -> Result<(), Error> {
        for (path, file) in self.system.iter() {
            if file.kind == EntryKind::Directory {
                self.root.make_directory(path)?;
                self.report.directories += 1;
            } else if file.kind == EntryKind::Special {
                self.report.left_out.push((path.to_owned(), Omission::Special));
            }
        }
        Ok(())
    }

    /// Writes each content once, under its first visible name, and links the others to it.
    fn files(&mut self, layout: &Layout, image: &Image) -> Result<(), Error> {
        let mut layers: BTreeMap<usize, Contents<'_>> = BTreeMap::new();
        for (path, file) in self.system.iter().filter(|(_, file)| file.kind == EntryKind::File) {
            let names = layers.entry(file.content.0).or_default();
            names.entry(&file.content.1).or_default().push((path, file));
        }
        image.visit(layout, &mut |entry| {
            if entry.kind() != EntryKind::File {
                return Ok(());
            }
            let names = layers.get_mut(&entry.layer()).and_then(|names| names.remove(entry.path()));
            let mut found = names.into_iter().flatten();
            let Some((first, file)) = found.next() else { return Ok(()) };
            let out = self.root.make_file(first, &mut |out| entry.copy_to(out))?;
            self.report.files += 1;
            self.report.bytes += file.size;
            self.attributes(first, file, &out)?;
            found.try_for_each(|(name, _)| {
                self.report.files += 1;
                self.root.hard_link(first, name)
            })
        })?;
        match layers.iter().find(|(_, names)| !names.is_empty()) {
            Some((layer, _)) => {
                Err(Error::malformed(format!("layer {layer}"), "it changed while it was read"))
            }
            None => Ok(()),
        }
    }

    fn links(&mut self) -> Result<(), Error> {
        for (path, file) in self.system.iter() {
            if let EntryKind::Symlink(target) = &file.kind {
                let handle = self.root.make_symlink(path, target)?;
                self.report.symlinks += 1;
                self.owner(path, file, &handle)?;
            }
        }
        Ok(())
    }

    /// Last and from the leaves up: a directory may be one that nothing can be written into.
    fn directory_attributes(&mut self) -> Result<(), Error> {
        let directories: Vec<_> =
            self.system.iter().filter(|(_, file)| file.kind == EntryKind::Directory).collect();
        for (path, file) in directories.into_iter().rev() {
            let handle = self.root.open_directory(path)?;
            self.attributes(path, file, &handle)?;
        }
        Ok(())
    }

    fn attributes(&mut self, path: &str, file: &VisibleFile, handle: &Handle) -> Result<(), Error> {
        // A new owner takes set-user-ID away, so the mode comes after it.
        let owned = self.owner(path, file, handle)?;
        if self.options.xattrs {
            for (name, value) in &file.xattrs {
                if !handle.set_xattr(path, name, value)? {
                    self.report.left_out.push((path.to_owned(), Omission::Xattr(name.clone())));
                }
            }
        }
        let mut mode = file.mode;
        if !owned {
            // Without the owner these say something that the image does not.
            if mode & 0o6000 != 0 {
                self.report.left_out.push((path.to_owned(), Omission::SetId));
            }
            mode &= 0o1777;
        }
        if file.kind == EntryKind::Directory && self.options.owners == Owners::Caller {
            mode |= 0o700;
        }
        handle.set_mode(path, mode)?;
        if self.options.times {
            handle.set_mtime(path, file.mtime)?;
        }
        Ok(())
    }

    /// Whether the file has the owner that was asked for.
    fn owner(&mut self, path: &str, file: &VisibleFile, handle: &Handle) -> Result<bool, Error> {
        let Some((uid, gid)) = self.options.owners.of(path, file.uid, file.gid)? else { return Ok(false) };
        let set = handle.set_owner(path, uid, gid)?;
        if !set {
            self.report.left_out.push((path.to_owned(), Omission::Owner(uid, gid)));
        }
        Ok(set)
    }
}
