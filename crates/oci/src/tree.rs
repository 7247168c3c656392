use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use crate::Error;

mod disk;

pub use disk::DiskPolicy;

/// The files of a layer to be written, kept in the byte order of their paths.
///
/// Owners are 0:0, modes 0755 or 0644, unless named: umask, user and checkout leave no trace. Parent directories appear by
/// themselves.
///
/// ```
/// let mut tree = lotse_oci::FileTree::new();
/// tree.file("etc/motd", b"hello\n".to_vec())?;
/// assert_eq!(tree.paths().collect::<Vec<_>>(), ["etc", "etc/motd"]);
/// # Ok::<(), lotse_oci::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FileTree {
    nodes: BTreeMap<String, Node>,
    /// What the layer hides of those below: by directory, names; the empty name hides all of them.
    whiteouts: BTreeMap<String, BTreeSet<String>>,
    /// How many groups of hard links there are.
    groups: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) xattrs: BTreeMap<String, Vec<u8>>,
}

impl Node {
    pub(crate) const fn new(kind: Kind, mode: u32) -> Self {
        Self { kind, mode, uid: 0, gid: 0, xattrs: BTreeMap::new() }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A file, and the group of names that are hard links of one another.
    File(Source, Option<u64>),
    Directory,
    Symlink(String),
}

/// Where the bytes of a file come from; files on disk are opened when the layer is written.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Bytes(Arc<[u8]>),
    Disk { path: PathBuf, size: u64 },
}

impl Source {
    pub(crate) fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Disk { size, .. } => *size,
        }
    }

    pub(crate) fn open(&self) -> Result<Box<dyn Read + '_>, Error> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(bytes.as_ref())),
            Self::Disk { path, .. } => Ok(Box::new(File::open(path).map_err(Error::io("read", path))?)),
        }
    }
}

impl FileTree {
    /// A tree without files.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodes: BTreeMap::new(), whiteouts: BTreeMap::new(), groups: 0 }
    }

    /// Adds a file with mode 0644.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the path is not relative and plain, or is taken.
    pub fn file(&mut self, path: &str, content: Vec<u8>) -> Result<(), Error> {
        self.insert(path, Kind::File(Source::Bytes(content.into()), None), 0o644)
    }

    /// Adds a file with mode 0755.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn executable(&mut self, path: &str, content: Vec<u8>) -> Result<(), Error> {
        self.insert(path, Kind::File(Source::Bytes(content.into()), None), 0o755)
    }

    /// Adds a directory with mode 0755.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn directory(&mut self, path: &str) -> Result<(), Error> {
        self.insert(path, Kind::Directory, 0o755)
    }

    /// Adds a symbolic link. Its target is not followed and may be anything.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn symlink(&mut self, path: &str, target: &str) -> Result<(), Error> {
        if target.is_empty() || target.contains('\0') {
            return Err(Error::Caller(format!("symbolic link {path:?} needs a target")));
        }
        self.insert(path, Kind::Symlink(target.to_owned()), 0o777)
    }

    /// Adds another name of a file that is in the tree: a hard link. The file's content, owner, mode and extended
    /// attributes are those of the name that comes first.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file); [`Error::Caller`] if `target` is no file of the tree.
    pub fn hardlink(&mut self, path: &str, target: &str) -> Result<(), Error> {
        let next = self.groups;
        let node = match self.nodes.get_mut(target) {
            Some(node) => match &mut node.kind {
                Kind::File(_, group) => {
                    if group.is_none() {
                        *group = Some(next);
                        self.groups += 1;
                    }
                    node.clone()
                }
                _ => {
                    return Err(Error::Caller(format!(
                        "hard link {path:?} needs a file, {target:?} is none"
                    )));
                }
            },
            None => return Err(Error::Caller(format!("hard link {path:?}: {target:?} is not in the tree"))),
        };
        self.insert(path, node.kind, node.mode)?;
        self.set_attributes(path, node.uid, node.gid, node.mode)
    }

    /// Hides `path` of the layers below: a whiteout (image-spec, layer, "Whiteouts").
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn whiteout(&mut self, path: &str) -> Result<(), Error> {
        check(path)?;
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !directory.is_empty() {
            self.directory(directory)?;
        }
        self.whiteouts.entry(directory.to_owned()).or_default().insert(name.to_owned());
        Ok(())
    }

    /// Hides all that the layers below have in a directory; an empty `path` is the root.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn opaque(&mut self, path: &str) -> Result<(), Error> {
        if !path.is_empty() {
            self.directory(path)?;
        }
        self.whiteouts.entry(path.to_owned()).or_default().insert(String::new());
        Ok(())
    }

    /// Names owner and mode (only its lower 12 bits count) of a path that is in the tree.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the path is not in the tree.
    pub fn set_attributes(&mut self, path: &str, uid: u32, gid: u32, mode: u32) -> Result<(), Error> {
        let node = self.node(path)?;
        (node.uid, node.gid, node.mode) = (uid, gid, mode & 0o7777);
        Ok(())
    }

    /// Gives a path that is in the tree an extended attribute, such as `security.capability`.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the path is not in the tree or the name cannot stand in a PAX record.
    pub fn set_xattr(&mut self, path: &str, name: &str, value: &[u8]) -> Result<(), Error> {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(Error::Caller(format!("extended attribute {name:?} of {path:?} cannot be written")));
        }
        self.node(path)?.xattrs.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn node(&mut self, path: &str) -> Result<&mut Node, Error> {
        self.nodes.get_mut(path).ok_or_else(|| Error::Caller(format!("path {path:?} is not in the tree")))
    }

    /// Takes the files, links and whiteouts that `belongs` says yes to out of this tree and into another, with the
    /// directories they lie in: one layer for each rate of change, so that a change moves few bytes.
    ///
    /// Directories without anything in them stay, unless `belongs` says yes to them.
    ///
    /// ```
    /// let mut tree = lotse_oci::FileTree::new();
    /// tree.file("app/vendor/lib.php", Vec::new())?;
    /// tree.file("app/index.php", Vec::new())?;
    /// let dependencies = tree.split_off(|path| path.starts_with("app/vendor/"));
    /// assert_eq!(dependencies.paths().collect::<Vec<_>>(), ["app", "app/vendor", "app/vendor/lib.php"]);
    /// assert_eq!(tree.paths().collect::<Vec<_>>(), ["app", "app/index.php"]);
    /// # Ok::<(), lotse_oci::Error>(())
    /// ```
    #[must_use]
    pub fn split_off(&mut self, belongs: impl Fn(&str) -> bool) -> Self {
        let mut other = Self { nodes: BTreeMap::new(), whiteouts: BTreeMap::new(), groups: self.groups };
        let mut directories = BTreeMap::new();
        for (path, node) in std::mem::take(&mut self.nodes) {
            let directory = matches!(node.kind, Kind::Directory);
            if belongs(&path) {
                other.nodes.insert(path, node);
            } else if directory {
                directories.insert(path, node);
            } else {
                self.nodes.insert(path, node);
            }
        }
        for (directory, names) in std::mem::take(&mut self.whiteouts) {
            let (theirs, ours): (BTreeSet<_>, BTreeSet<_>) =
                names.into_iter().partition(|name| belongs(&join(&directory, name)));
            for (tree, names) in [(&mut other, theirs), (&mut *self, ours)] {
                if !names.is_empty() {
                    tree.whiteouts.insert(directory.clone(), names);
                }
            }
        }
        let needed = |tree: &Self| -> BTreeSet<String> {
            let hiding = tree.whiteouts.keys().filter(|path| !path.is_empty());
            let within = tree.nodes.keys().chain(hiding.clone()).flat_map(|path| parents(path));
            within.map(str::to_owned).chain(hiding.cloned()).collect()
        };
        let theirs = needed(&other);
        let ours = needed(self);
        for (path, node) in directories {
            let theirs = theirs.contains(&path);
            // What lies in a directory went to the other tree: it goes there too, and stays only for others' sake.
            if ours.contains(&path) || !theirs {
                self.nodes.insert(path.clone(), node.clone());
            }
            if theirs {
                other.nodes.insert(path, node);
            }
        }
        other
    }

    /// All paths, parents before what is in them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// Bytes of all files, each hard link counted once.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let mut groups = BTreeSet::new();
        let sizes = self.nodes.values().filter_map(|node| match &node.kind {
            Kind::File(source, group) if group.is_none_or(|group| groups.insert(group)) => {
                Some(source.size())
            }
            _ => None,
        });
        sizes.fold(0, u64::saturating_add)
    }

    /// Whether there is nothing in the tree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// The names of the whiteout files in a directory, that of an opaque one first.
    pub(crate) fn whiteouts(&self, directory: &str) -> impl Iterator<Item = String> + use<'_> {
        let names = self.whiteouts.get(directory).into_iter().flatten();
        names.map(|name| if name.is_empty() { ".wh..wh..opq".to_owned() } else { format!(".wh.{name}") })
    }

    pub(crate) fn insert(&mut self, path: &str, kind: Kind, mode: u32) -> Result<(), Error> {
        check(path)?;
        for parent in parents(path) {
            if !self.nodes.contains_key(parent) {
                self.nodes.insert(parent.to_owned(), Node::new(Kind::Directory, 0o755));
            } else if self.nodes.get(parent).is_some_and(|node| !matches!(node.kind, Kind::Directory)) {
                return Err(Error::Caller(format!(
                    "path {path:?} lies below {parent:?}, which is no directory"
                )));
            }
        }
        let is_directory = matches!(kind, Kind::Directory);
        match self.nodes.get(path) {
            Some(Node { kind: Kind::Directory, .. }) if is_directory => Ok(()),
            Some(_) => Err(Error::Caller(format!("path {path:?} is already in the tree"))),
            None => {
                self.nodes.insert(path.to_owned(), Node::new(kind, mode));
                Ok(())
            }
        }
    }
}

/// Whether a path is plain, relative and no whiteout.
fn check(path: &str) -> Result<(), Error> {
    let plain = !path.is_empty()
        && path.len() <= 4096
        && !path.contains('\0')
        && path.split('/').all(|component| !matches!(component, "" | "." | ".."));
    if !plain {
        return Err(Error::Caller(format!("path {path:?} is not a plain path relative to the layer's root")));
    }
    if path.rsplit('/').next().is_some_and(|name| name.starts_with(".wh.")) {
        return Err(Error::Caller(format!("path {path:?} would be read as a whiteout; rename it")));
    }
    Ok(())
}

/// The directories above a path, the nearest first.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').filter_map(|(at, _)| path.get(..at))
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}
