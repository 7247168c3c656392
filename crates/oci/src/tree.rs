use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::Error;

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
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    File(Source),
    Directory,
    Symlink(String),
}

/// Where the bytes of a file come from; files on disk are opened when the layer is written.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Bytes(Vec<u8>),
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
            Self::Bytes(bytes) => Ok(Box::new(bytes.as_slice())),
            Self::Disk { path, .. } => Ok(Box::new(File::open(path).map_err(Error::io("read", path))?)),
        }
    }
}

impl FileTree {
    /// A tree without files.
    #[must_use]
    pub const fn new() -> Self {
        Self { nodes: BTreeMap::new() }
    }

    /// Adds a file with mode 0644.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the path is not relative and plain, or is taken.
    pub fn file(&mut self, path: &str, content: Vec<u8>) -> Result<(), Error> {
        self.insert(path, Kind::File(Source::Bytes(content)), 0o644)
    }

    /// Adds a file with mode 0755.
    ///
    /// # Errors
    ///
    /// As [`file`](Self::file).
    pub fn executable(&mut self, path: &str, content: Vec<u8>) -> Result<(), Error> {
        self.insert(path, Kind::File(Source::Bytes(content)), 0o755)
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

    /// Names owner and mode (only its lower 12 bits count) of a path that is in the tree.
    ///
    /// # Errors
    ///
    /// [`Error::Caller`] if the path is not in the tree.
    pub fn set_attributes(&mut self, path: &str, uid: u32, gid: u32, mode: u32) -> Result<(), Error> {
        let node = self
            .nodes
            .get_mut(path)
            .ok_or_else(|| Error::Caller(format!("path {path:?} is not in the tree")))?;
        (node.uid, node.gid, node.mode) = (uid, gid, mode & 0o7777);
        Ok(())
    }

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
        self.add(source, path, "", keep)
    }

    fn add(
        &mut self,
        source: &Path,
        path: &str,
        below: &str,
        keep: &dyn Fn(&str) -> bool,
    ) -> Result<(), Error> {
        let metadata = fs::symlink_metadata(source).map_err(Error::io("read", source))?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            if !path.is_empty() && !self.nodes.contains_key(path) {
                self.directory(path)?;
            }
            for entry in fs::read_dir(source).map_err(Error::io("read", source))? {
                let entry = entry.map_err(Error::io("read", source))?;
                let file_name = entry.file_name();
                let name = file_name.to_str().ok_or_else(|| {
                    Error::Caller(format!("{} is not UTF-8; rename it", entry.path().display()))
                })?;
                let below = join(below, name);
                if keep(&below) {
                    self.add(&entry.path(), &join(path, name), &below, keep)?;
                }
            }
            Ok(())
        } else if kind.is_symlink() {
            let target = fs::read_link(source).map_err(Error::io("read", source))?;
            let target = target
                .to_str()
                .ok_or_else(|| Error::Caller(format!("the target of {} is not UTF-8", source.display())))?;
            self.symlink(path, target)
        } else if kind.is_file() {
            let mode = if is_executable(&metadata) { 0o755 } else { 0o644 };
            self.insert(
                path,
                Kind::File(Source::Disk { path: source.to_owned(), size: metadata.len() }),
                mode,
            )
        } else {
            Err(Error::Caller(format!("{} is neither file, directory nor symbolic link", source.display())))
        }
    }

    /// All paths, parents before what is in them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// Whether there is nothing in the tree.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    fn insert(&mut self, path: &str, kind: Kind, mode: u32) -> Result<(), Error> {
        let plain = !path.is_empty()
            && path.len() <= 4096
            && !path.contains('\0')
            && path.split('/').all(|component| !matches!(component, "" | "." | ".."));
        if !plain {
            return Err(Error::Caller(format!(
                "path {path:?} is not a plain path relative to the layer's root"
            )));
        }
        if path.rsplit('/').next().is_some_and(|name| name.starts_with(".wh.")) {
            return Err(Error::Caller(format!("path {path:?} would be read as a whiteout; rename it")));
        }
        let mut parent = path;
        while let Some((before, _)) = parent.rsplit_once('/') {
            parent = before;
            let directory = Node { kind: Kind::Directory, mode: 0o755, uid: 0, gid: 0 };
            let node = self.nodes.entry(parent.to_owned()).or_insert(directory);
            if !matches!(node.kind, Kind::Directory) {
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
                self.nodes.insert(path.to_owned(), Node { kind, mode, uid: 0, gid: 0 });
                Ok(())
            }
        }
    }
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}
