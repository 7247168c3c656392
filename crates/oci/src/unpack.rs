use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::{EntryKind, Error, FileSystem, Image, Layout};

/// Unpacks what a container of the image sees into `target`, which must not exist.
///
/// The whole image is read twice: the first pass decides what is visible and verifies every digest, the second writes. Since
/// only the finished tree is written, symbolic links last, no entry can lead outside. `target` appears by rename when all is
/// there. Owners are not set (files belong to the caller), devices are left out; both are returned by name.
///
/// # Errors
///
/// Those of [`FileSystem::of`]; [`Error::Caller`] if `target` exists; [`Error::Io`], after which nothing is left.
pub fn unpack(layout: &Layout, image: &Image, target: &Path) -> Result<Vec<String>, Error> {
    if fs::symlink_metadata(target).is_ok() {
        return Err(Error::Caller(format!("{} exists; unpack into a new directory", target.display())));
    }
    let system = FileSystem::of(layout, image)?;
    let mut name = target.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(format!(".lotse-tmp-{}", std::process::id()));
    let temporary = Partial(target.with_file_name(name));
    fs::create_dir_all(&temporary.0).map_err(Error::io("create", &temporary.0))?;
    let skipped = write(layout, image, &system, &temporary.0)?;
    fs::rename(&temporary.0, target).map_err(Error::io("rename to", target))?;
    Ok(skipped)
}

/// A directory that is removed unless it was renamed.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // Renamed, or an error is under way already: nothing to add here.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write(layout: &Layout, image: &Image, system: &FileSystem, root: &Path) -> Result<Vec<String>, Error> {
    let mut skipped = Vec::new();
    for (path, file) in system.iter() {
        if file.kind == EntryKind::Directory {
            let directory = root.join(path);
            fs::create_dir_all(&directory).map_err(Error::io("create", &directory))?;
        } else if file.kind == EntryKind::Special {
            skipped.push(path.to_owned());
        }
    }
    // A hard link may show a file whose own name is hidden, so links are followed to the content when it passes by.
    let mut links: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    for (path, file) in system.iter() {
        if let EntryKind::Hardlink(to) = &file.kind {
            links.entry((file.layer, to.clone())).or_default().push(path.to_owned());
        }
    }
    image.visit(layout, &mut |entry| {
        if entry.kind() != EntryKind::File {
            return Ok(());
        }
        let mut names = links.remove(&(entry.layer(), entry.path().to_owned())).unwrap_or_default();
        if system.shows(entry.path(), entry.layer()) {
            names.insert(0, entry.path().to_owned());
        }
        let mut names = names.into_iter();
        let Some(first) = names.next() else { return Ok(()) };
        let first = root.join(first);
        let file = File::create(&first).map_err(Error::io("create", &first))?;
        let mut file = BufWriter::new(file);
        entry.copy_to(&mut file)?;
        file.into_inner().map_err(|error| Error::io("write", &first)(error.into_error()))?;
        set_mode(&first, entry.mode())?;
        for name in names {
            let link = root.join(name);
            fs::hard_link(&first, &link).map_err(Error::io("link", &link))?;
        }
        Ok(())
    })?;
    if let Some(((_, to), _)) = links.pop_first() {
        return Err(Error::Unsupported {
            what: format!("hard link to {to:?}, which is no file of the same layer"),
            advice: "rebuild the image without hard links across layers",
        });
    }
    for (path, file) in system.iter() {
        if let EntryKind::Symlink(target) = &file.kind {
            symlink(target, &root.join(path))?;
        }
    }
    for (path, file) in system.iter() {
        if file.kind == EntryKind::Directory {
            set_mode(&root.join(path), file.mode | 0o700)?;
        }
    }
    Ok(skipped)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    // setuid and setgid mean nothing without the owner.
    fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o1777))
        .map_err(Error::io("change mode of", path))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> Result<(), Error> {
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) -> Result<(), Error> {
    std::os::unix::fs::symlink(target, link).map_err(Error::io("link", link))
}

#[cfg(not(unix))]
fn symlink(_: &str, link: &Path) -> Result<(), Error> {
    Err(Error::Unsupported {
        what: format!("symbolic link {}", link.display()),
        advice: "unpack on a system that has symbolic links",
    })
}
