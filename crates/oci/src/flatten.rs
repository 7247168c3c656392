use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use lotse_digest::Digest;

use crate::{EntryKind, Error, Image, LayerEntry, Layout, Limits, visit_layer};

/// What a container of an image sees: the files of all layers, later ones over earlier ones, whiteouts applied
/// (image-spec, layer).
///
/// Where appliers disagree, this is what holds here: a whiteout hides lower layers only, wherever it stands in its layer; a hard
/// link may name a file of a lower layer, as it does where layers are applied one after the other; an entry below a symbolic link,
/// a path that comes twice in one layer (unless both are directories) and a hard link to what is not there yet are refused.
#[derive(Clone, Debug, Default)]
pub struct FileSystem {
    files: BTreeMap<String, VisibleFile>,
    /// Bytes of content of all entries, visible or not.
    total: u64,
}

/// A visible file and the layer it comes from. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleFile {
    /// The number of the layer whose entry gave the path this file, 0 for the base.
    pub layer: usize,
    /// What it is; a hard link is what it links to.
    pub kind: EntryKind,
    /// Bytes of content.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// The owner's user number.
    pub uid: u32,
    /// The owner's group number.
    pub gid: u32,
    /// When it was changed, in seconds since 1970.
    pub mtime: i64,
    /// Extended attributes by name.
    pub xattrs: BTreeMap<String, Vec<u8>>,
    /// Layer and path of the entry that holds the content: names with the same one are hard links of one file.
    pub content: (usize, String),
}

impl FileSystem {
    /// A file system without files, before the first layer.
    #[must_use]
    pub const fn new() -> Self {
        Self { files: BTreeMap::new(), total: 0 }
    }

    /// Applies the layers of an image in memory; contents are not kept.
    ///
    /// # Errors
    ///
    /// Those of [`Image::visit`] and [`apply`](Self::apply).
    pub fn of(layout: &Layout, image: &Image) -> Result<Self, Error> {
        let mut system = Self::new();
        image.visit(layout, &mut |entry| system.apply(entry))?;
        Ok(system)
    }

    /// Applies one layer, read from its blob, and returns its diffID, which is the caller's to compare.
    ///
    /// # Errors
    ///
    /// Those of [`visit_layer`] and [`apply`](Self::apply), after which the file system stands for nothing.
    pub fn apply_layer(
        &mut self,
        blob: impl Read,
        media_type: &str,
        layer: usize,
        limits: &Limits,
    ) -> Result<Digest, Error> {
        visit_layer(blob, media_type, layer, limits, &mut |entry| self.apply(entry))
            .map(|(diff_id, _)| diff_id)
    }

    /// Applies one entry; entries come in the order of their archive, layers base first.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for an entry below a symbolic link or a file, on which appliers disagree, and for the metadata of
    /// AUFS; [`Error::Malformed`] for a whiteout without a name, a path that comes twice and a hard link without a target.
    pub fn apply(&mut self, entry: &LayerEntry<'_>) -> Result<(), Error> {
        let (path, layer) = (entry.path(), entry.layer());
        if path.is_empty() {
            return Ok(());
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if parent.split('/').any(|component| component.starts_with(".wh.")) {
            return Err(Error::malformed("layer", format!("{path:?} lies below a whiteout")));
        }
        if name.starts_with(".wh.") {
            return self.whiteout(parent, name, layer);
        }
        self.parents(path, layer)?;
        let (uid, gid) = entry.owner();
        let mut file = VisibleFile {
            layer,
            kind: entry.kind(),
            size: entry.size(),
            mode: entry.mode(),
            uid,
            gid,
            mtime: entry.mtime(),
            xattrs: entry.xattrs().clone(),
            content: (layer, path.to_owned()),
        };
        if let EntryKind::Hardlink(to) = &file.kind {
            file = self.linked(path, to, layer)?;
        } else {
            self.total = self.total.saturating_add(file.size);
        }
        let is_directory = file.kind == EntryKind::Directory;
        if let Some(old) = self.files.get(path)
            && old.layer == layer
            && !(is_directory && old.kind == EntryKind::Directory)
        {
            return Err(Error::malformed("layer", format!("path {path:?} comes twice in one layer")));
        }
        if !is_directory {
            self.remove_below(path, usize::MAX);
        }
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    /// The visible files in the byte order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &VisibleFile)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// The visible file with this path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&VisibleFile> {
        self.files.get(path)
    }

    /// Whether the entry with this path in this layer is what a container sees under its path.
    #[must_use]
    pub fn shows(&self, path: &str, layer: usize) -> bool {
        self.files.get(path).is_some_and(|file| file.layer == layer)
    }

    /// Bytes of content that are in the layers but that no visible name leads to.
    #[must_use]
    pub fn hidden_bytes(&self) -> u64 {
        self.total.saturating_sub(self.visible_bytes())
    }

    /// Bytes of content that a visible name leads to, hard links once.
    #[must_use]
    pub fn visible_bytes(&self) -> u64 {
        let mut seen = BTreeSet::new();
        let first = self.files.values().filter(|file| seen.insert(&file.content));
        first.fold(0, |sum, file| sum.saturating_add(file.size))
    }

    fn whiteout(&mut self, parent: &str, name: &str, layer: usize) -> Result<(), Error> {
        let path = || if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") };
        let parent_kind = self.files.get(parent).map(|file| &file.kind);
        if parent_kind.is_some_and(|kind| *kind != EntryKind::Directory) {
            return Err(below(&path(), parent));
        }
        if name == ".wh..wh..opq" {
            self.remove_below(parent, layer);
            return Ok(());
        }
        let hidden = name.strip_prefix(".wh.").unwrap_or(name);
        if matches!(hidden, "" | "." | "..") {
            return Err(Error::malformed("layer", format!("whiteout {:?} names nothing", path())));
        }
        if hidden.starts_with(".wh.") {
            return Err(Error::Unsupported {
                what: format!("{:?}, the metadata of AUFS,", path()),
                advice: "it says nothing that a layer may say; rebuild the image",
            });
        }
        let target = if parent.is_empty() { hidden.to_owned() } else { format!("{parent}/{hidden}") };
        self.remove_below(&target, layer);
        if self.files.get(&target).is_some_and(|old| old.layer < layer) {
            self.files.remove(&target);
            // Files of this very layer keep a directory to be in.
            let prefix = format!("{target}/");
            if self.files.range(prefix.clone()..).next().is_some_and(|(path, _)| path.starts_with(&prefix)) {
                self.files.insert(target.clone(), implied(&target, layer));
            }
        }
        Ok(())
    }

    /// Makes the directories above an entry that has none of its own.
    fn parents(&mut self, path: &str, layer: usize) -> Result<(), Error> {
        let mut ancestor = path;
        while let Some((above, _)) = ancestor.rsplit_once('/') {
            ancestor = above;
            match self.files.get(ancestor) {
                Some(VisibleFile { kind: EntryKind::Directory, .. }) => break,
                Some(_) => return Err(below(path, ancestor)),
                None => {
                    self.files.insert(ancestor.to_owned(), implied(ancestor, layer));
                }
            }
        }
        Ok(())
    }

    /// What a hard link shows: the file that has the target's name when the link comes by.
    fn linked(&self, path: &str, to: &str, layer: usize) -> Result<VisibleFile, Error> {
        let target = self.files.get(to).filter(|file| file.kind != EntryKind::Directory && path != to);
        let Some(target) = target else {
            let reason = format!("hard link {path:?} leads to {to:?}, which is no file before it");
            return Err(Error::malformed("layer", reason));
        };
        Ok(VisibleFile { layer, ..target.clone() })
    }

    /// Removes what lies below a directory and comes from a layer before `layer`.
    fn remove_below(&mut self, directory: &str, layer: usize) {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let below = self.files.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
        let gone: Vec<String> =
            below.filter(|(_, file)| file.layer < layer).map(|(path, _)| path.clone()).collect();
        // A directory of a lower layer stays for what this layer put into it.
        for path in gone.into_iter().rev() {
            let inside = format!("{path}/");
            let next = self.files.range(inside.clone()..).next();
            if next.is_some_and(|(next, _)| next.starts_with(&inside)) {
                self.files.insert(path.clone(), implied(&path, layer));
            } else {
                self.files.remove(&path);
            }
        }
    }
}

/// A directory that no entry describes.
fn implied(path: &str, layer: usize) -> VisibleFile {
    VisibleFile {
        layer,
        kind: EntryKind::Directory,
        size: 0,
        mode: 0o755,
        uid: 0,
        gid: 0,
        mtime: 0,
        xattrs: BTreeMap::new(),
        content: (layer, path.to_owned()),
    }
}

fn below(path: &str, ancestor: &str) -> Error {
    Error::Unsupported {
        what: format!("entry {path:?} below {ancestor:?}, which is no directory"),
        advice: "appliers disagree on where it goes; give its real path",
    }
}
