//! Where the bytes of an image are.

mod change;
mod page;
mod treemap;

use std::collections::{BTreeMap, BTreeSet};

use lotse_digest::{Algorithm, Digest, HashingWriter};
use serde::Serialize;

pub use change::{FileChange, SizeChange};
pub use treemap::{Tile, Treemap};

use crate::{EntryKind, Error, FileSystem, Image, Layout};

/// Where the bytes of an image are (R11). Plain data; sums equal the blobs, the archives and the files exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SizeReport {
    /// The layers, base first.
    pub layers: Vec<LayerSize>,
    /// The visible files in the byte order of their paths, one with several names under its first; symbolic links and directories
    /// have no bytes and are left out.
    pub files: Vec<FileSize>,
    /// Bytes of files that are in the layers but hidden by later ones.
    pub hidden: u64,
    /// Contents that several visible files have, those that waste most first.
    pub duplicates: Vec<Duplicate>,
}

/// The bytes of one layer. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerSize {
    /// The digest of the blob.
    pub digest: Digest,
    /// Bytes of the blob, as it is transferred.
    pub compressed: u64,
    /// Bytes of the archive: [`files`](Self::files) and [`frame`](Self::frame).
    pub archive: u64,
    /// Bytes of the files in it, visible or not.
    pub files: u64,
    /// Bytes of headers, padding and the archive's end.
    pub frame: u64,
    /// Bytes of its files that later layers hide, or that nothing shows.
    pub hidden: u64,
}

/// The bytes of one visible file. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileSize {
    /// The path, relative to the root.
    pub path: String,
    /// The number of the layer that its content is in.
    pub layer: usize,
    /// Bytes of content.
    pub bytes: u64,
}

/// The bytes of one directory. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DirectorySize {
    /// The path, relative to the root; empty for the root.
    pub path: String,
    /// Files in it and below.
    pub files: u64,
    /// Bytes of their contents.
    pub bytes: u64,
}

/// One content that several visible files have without being hard links. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// The SHA-256 of the content.
    pub digest: Digest,
    /// Bytes of the content, once.
    pub bytes: u64,
    /// The files, by path.
    pub paths: Vec<String>,
}

impl Duplicate {
    /// Bytes that all copies but one take.
    #[must_use]
    pub fn wasted(&self) -> u64 {
        self.bytes.saturating_mul(u64::try_from(self.paths.len()).unwrap_or(u64::MAX).saturating_sub(1))
    }
}

impl SizeReport {
    /// Measures an image. Every content is read and hashed once.
    ///
    /// # Errors
    ///
    /// Those of [`FileSystem::of`].
    pub fn of(layout: &Layout, image: &Image) -> Result<Self, Error> {
        let system = FileSystem::of(layout, image)?;
        let mut first_names: BTreeMap<usize, BTreeMap<&str, &str>> = BTreeMap::new();
        let mut files = Vec::new();
        let mut counted = BTreeSet::new();
        for (path, file) in system.iter().filter(|(_, file)| file.kind == EntryKind::File) {
            if counted.insert(&file.content) {
                files.push(FileSize { path: path.to_owned(), layer: file.content.0, bytes: file.size });
                first_names.entry(file.content.0).or_default().insert(&file.content.1, path);
            }
        }
        let blank = |(number, layer): (usize, &crate::Descriptor)| {
            let visible = files.iter().filter(|file| file.layer == number).map(|file| file.bytes);
            let visible = visible.fold(0u64, u64::saturating_add);
            (
                LayerSize {
                    digest: layer.digest.clone(),
                    compressed: layer.size,
                    archive: 0,
                    files: 0,
                    frame: 0,
                    hidden: 0,
                },
                visible,
            )
        };
        let mut layers: Vec<(LayerSize, u64)> = image.manifest.layers.iter().enumerate().map(blank).collect();
        let mut copies: BTreeMap<(Digest, u64), Vec<String>> = BTreeMap::new();
        let archives = image.visit_sized(layout, &mut |entry| {
            if let Some((layer, _)) = layers.get_mut(entry.layer()) {
                layer.files = layer.files.saturating_add(entry.size());
            }
            let name = first_names.get(&entry.layer()).and_then(|names| names.get(entry.path()));
            if let Some(name) = name.filter(|_| entry.size() > 0) {
                let mut hashing = HashingWriter::new(std::io::sink(), Algorithm::Sha256);
                entry.copy_to(&mut hashing)?;
                let (digest, size, _) = hashing.finish();
                copies.entry((digest, size)).or_default().push((*name).to_owned());
            }
            Ok(())
        })?;
        let layers = layers.into_iter().zip(archives).map(|((mut layer, visible), archive)| {
            layer.archive = archive;
            layer.frame = archive.saturating_sub(layer.files);
            layer.hidden = layer.files.saturating_sub(visible);
            layer
        });
        let mut duplicates: Vec<Duplicate> = copies
            .into_iter()
            .filter(|(_, paths)| paths.len() > 1)
            .map(|((digest, bytes), mut paths)| {
                paths.sort();
                Duplicate { digest, bytes, paths }
            })
            .collect();
        duplicates.sort_by(|a, b| b.wasted().cmp(&a.wasted()).then_with(|| a.digest.cmp(&b.digest)));
        Ok(Self { layers: layers.collect(), files, hidden: system.hidden_bytes(), duplicates })
    }

    /// Bytes that are transferred: the sum of the layers' blobs.
    #[must_use]
    pub fn compressed(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.compressed))
    }

    /// Bytes of the layers' archives.
    #[must_use]
    pub fn archives(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.archive))
    }

    /// Bytes that a container sees.
    #[must_use]
    pub fn visible(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }

    /// Bytes that would be saved if every visible content were there once.
    #[must_use]
    pub fn duplicated(&self) -> u64 {
        self.duplicates.iter().fold(0, |sum, duplicate| sum.saturating_add(duplicate.wasted()))
    }

    /// Every directory with what is in it and below, in the byte order of their paths, the root first.
    #[must_use]
    pub fn directories(&self) -> Vec<DirectorySize> {
        let mut found: BTreeMap<&str, (u64, u64)> = BTreeMap::from([("", (0, 0))]);
        for file in &self.files {
            let mut path = file.path.as_str();
            loop {
                path = path.rsplit_once('/').map_or("", |(parent, _)| parent);
                let (files, bytes) = found.entry(path).or_default();
                *files += 1;
                *bytes = bytes.saturating_add(file.bytes);
                if path.is_empty() {
                    break;
                }
            }
        }
        let directories = found.into_iter();
        directories
            .map(|(path, (files, bytes))| DirectorySize { path: path.to_owned(), files, bytes })
            .collect()
    }

    /// The visible bytes as a treemap of this size, by directory to the given depth, in at most `tiles` tiles and a rest.
    #[must_use]
    pub fn treemap(&self, width: u64, height: u64, depth: usize, tiles: usize) -> Treemap {
        let mut directories: BTreeMap<String, u64> = BTreeMap::new();
        for file in self.files.iter().filter(|file| file.bytes > 0) {
            let path: Vec<&str> = file.path.split('/').take(depth.max(1)).collect();
            let bytes = directories.entry(path.join("/")).or_default();
            *bytes = bytes.saturating_add(file.bytes);
        }
        Treemap::new(directories, width, height, tiles)
    }

    /// A page of HTML that needs nothing else: totals, layers, a treemap, directories, duplicates; beside an earlier report, what
    /// changed. The same report gives the same bytes.
    #[must_use]
    pub fn to_html(&self, title: &str, before: Option<&Self>) -> String {
        page::html(self, title, before)
    }
}
