use std::collections::BTreeMap;

use crate::{EntryKind, Error, Image, Layout};

/// What a container of an image sees: the files of all layers, later ones over earlier ones, whiteouts applied
/// (image-spec, layer).
#[derive(Clone, Debug, Default)]
pub struct FileSystem {
    files: BTreeMap<String, VisibleFile>,
    /// Bytes of content that later layers hide.
    hidden: u64,
}

/// A visible file and the layer it comes from. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleFile {
    /// The number of the layer, 0 for the base.
    pub layer: usize,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of content.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
}

impl FileSystem {
    /// Applies the layers of an image in memory; contents are not kept.
    ///
    /// # Errors
    ///
    /// Those of [`Image::visit`]; [`Error::Unsupported`] for an entry below a symbolic link, on which appliers disagree;
    /// [`Error::Malformed`] for a whiteout without a name.
    pub fn of(layout: &Layout, image: &Image) -> Result<Self, Error> {
        let mut system = Self::default();
        image.visit(layout, &mut |entry| {
            let file = VisibleFile {
                layer: entry.layer(),
                kind: entry.kind(),
                size: entry.size(),
                mode: entry.mode(),
            };
            system.apply(entry.path(), file)
        })?;
        Ok(system)
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

    /// Whether the entry with this path in this layer is what a container sees.
    #[must_use]
    pub fn shows(&self, path: &str, layer: usize) -> bool {
        self.files.get(path).is_some_and(|file| file.layer == layer)
    }

    /// Bytes of content that are in the layers but hidden by later ones.
    #[must_use]
    pub const fn hidden_bytes(&self) -> u64 {
        self.hidden
    }

    fn apply(&mut self, path: &str, file: VisibleFile) -> Result<(), Error> {
        if path.is_empty() {
            return Ok(());
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name == ".wh..wh..opq" {
            self.remove_below(parent, file.layer);
            return Ok(());
        }
        if let Some(hidden) = name.strip_prefix(".wh.") {
            if hidden.is_empty() {
                return Err(Error::malformed("layer", format!("whiteout {path:?} names nothing")));
            }
            let target = if parent.is_empty() { hidden.to_owned() } else { format!("{parent}/{hidden}") };
            if self.files.get(&target).is_some_and(|old| old.layer < file.layer) {
                self.remove(&target);
            }
            self.remove_below(&target, file.layer);
            return Ok(());
        }
        let mut ancestor = path;
        while let Some((above, _)) = ancestor.rsplit_once('/') {
            ancestor = above;
            match self.files.get(ancestor) {
                Some(VisibleFile { kind: EntryKind::Directory, .. }) => break,
                None => {
                    let directory =
                        VisibleFile { layer: file.layer, kind: EntryKind::Directory, size: 0, mode: 0o755 };
                    self.files.insert(ancestor.to_owned(), directory);
                }
                Some(_) => {
                    return Err(Error::Unsupported {
                        what: format!("entry {path:?} below {ancestor:?}, which is no directory"),
                        advice: "appliers disagree on where it goes; give its real path",
                    });
                }
            }
        }
        let is_directory = file.kind == EntryKind::Directory;
        if !is_directory {
            self.remove_below(path, usize::MAX);
        }
        if self.files.get(path).is_some_and(|old| !is_directory || old.kind != EntryKind::Directory) {
            self.remove(path);
        }
        self.files.insert(path.to_owned(), file);
        Ok(())
    }

    fn remove(&mut self, path: &str) {
        if let Some(old) = self.files.remove(path) {
            self.hidden = self.hidden.saturating_add(old.size);
        }
    }

    /// Removes what lies below a directory and comes from a layer before `layer`.
    fn remove_below(&mut self, directory: &str, layer: usize) {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let gone: Vec<String> = self
            .files
            .range(prefix.clone()..)
            .take_while(|(path, _)| path.starts_with(&prefix))
            .filter(|(_, file)| file.layer < layer)
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.remove(&path);
        }
    }
}
