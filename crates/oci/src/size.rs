use std::collections::BTreeSet;

use lotse_digest::Digest;

use crate::{EntryKind, Error, FileSystem, Image, Layout};

/// Where the bytes of an image are (R11). Plain data; sums equal the blobs and the files exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SizeReport {
    /// The layers, base first.
    pub layers: Vec<LayerSize>,
    /// The visible files in the byte order of their paths, one with several names under its first; symbolic links and directories
    /// have no bytes and are left out.
    pub files: Vec<FileSize>,
    /// Bytes of files that are in the layers but hidden by later ones.
    pub hidden: u64,
}

/// The bytes of one layer. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerSize {
    /// The digest of the blob.
    pub digest: Digest,
    /// Bytes of the blob, as it is transferred.
    pub compressed: u64,
    /// Bytes of the files in it, visible or not.
    pub files: u64,
}

/// The bytes of one visible file. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSize {
    /// The path, relative to the root.
    pub path: String,
    /// The number of the layer it comes from.
    pub layer: usize,
    /// Bytes of content.
    pub bytes: u64,
}

impl SizeReport {
    /// Measures an image.
    ///
    /// # Errors
    ///
    /// Those of [`FileSystem::of`].
    pub fn of(layout: &Layout, image: &Image) -> Result<Self, Error> {
        let system = FileSystem::of(layout, image)?;
        let mut layers: Vec<LayerSize> = image
            .manifest
            .layers
            .iter()
            .map(|layer| LayerSize { digest: layer.digest.clone(), compressed: layer.size, files: 0 })
            .collect();
        image.visit(layout, &mut |entry| {
            if let Some(layer) = layers.get_mut(entry.layer()) {
                layer.files = layer.files.saturating_add(entry.size());
            }
            Ok(())
        })?;
        let mut counted = BTreeSet::new();
        let files = system
            .iter()
            .filter(|(_, file)| file.kind == EntryKind::File && counted.insert(&file.content))
            .map(|(path, file)| FileSize { path: path.to_owned(), layer: file.layer, bytes: file.size })
            .collect();
        Ok(Self { layers, files, hidden: system.hidden_bytes() })
    }

    /// Bytes that are transferred: the sum of the layers' blobs.
    #[must_use]
    pub fn compressed(&self) -> u64 {
        self.layers.iter().fold(0, |sum, layer| sum.saturating_add(layer.compressed))
    }

    /// Bytes that a container sees.
    #[must_use]
    pub fn visible(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.bytes))
    }
}
