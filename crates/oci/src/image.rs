use std::collections::BTreeMap;
use std::io::Read;

use lotse_digest::{Algorithm, Digest, HashingReader};

use crate::bounded::{Bounded, Counting};
use crate::tar::{TarEntry, TarKind, TarReader};
use crate::{Descriptor, Error, ImageConfig, Layout, Limits, Manifest, decode, media};

/// An image in a layout: its manifest and configuration, verified and read.
#[derive(Clone, Debug)]
pub struct Image {
    /// What points at the manifest.
    pub descriptor: Descriptor,
    /// The manifest.
    pub manifest: Manifest,
    /// The configuration.
    pub config: ImageConfig,
}

impl Image {
    /// Reads manifest and configuration.
    ///
    /// # Errors
    ///
    /// Those of [`Layout::manifest`] and [`ImageConfig::parse`]; [`Error::Malformed`] if the configuration does not list one
    /// diffID for each layer; [`Error::Unsupported`] for an artifact that is no image.
    pub fn load(layout: &Layout, descriptor: &Descriptor) -> Result<Self, Error> {
        let manifest = layout.manifest(descriptor)?;
        if !media::is_config(&manifest.config.media_type) {
            return Err(Error::Unsupported {
                what: format!(
                    "configuration of type {:?} where an image is needed",
                    manifest.config.media_type
                ),
                advice: "this is an artifact, read its layers as blobs",
            });
        }
        let config = ImageConfig::parse(&layout.read_blob(&manifest.config)?, layout.limits())?;
        let (layers, diff_ids) = (manifest.layers.len(), config.rootfs.diff_ids.len());
        if layers != diff_ids {
            let reason = format!("it lists {diff_ids} diffIDs for {layers} layers");
            return Err(Error::malformed("image configuration", reason));
        }
        Ok(Self { descriptor: descriptor.clone(), manifest, config })
    }

    /// Calls `visit` for every entry of every layer, base first, as the layers hold them: whiteouts and files that later
    /// layers hide included.
    ///
    /// Digest and diffID of each layer are verified after its last entry; on an error, what was visited counts for nothing.
    ///
    /// # Errors
    ///
    /// Those of `visit`; [`Error::Malformed`], [`Error::Limit`], [`Error::Unsupported`] for archives that are wrong, too
    /// large or unknown; [`Error::Io`] with [`std::io::ErrorKind::InvalidData`] inside for a blob with the wrong digest.
    pub fn visit(
        &self,
        layout: &Layout,
        visit: &mut dyn FnMut(&mut LayerEntry<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.visit_sized(layout, visit).map(|_| ())
    }

    /// As [`visit`](Self::visit); returns the bytes of each layer's archive.
    pub(crate) fn visit_sized(
        &self,
        layout: &Layout,
        visit: &mut dyn FnMut(&mut LayerEntry<'_>) -> Result<(), Error>,
    ) -> Result<Vec<u64>, Error> {
        let mut archives = Vec::new();
        for (layer, (descriptor, diff_id)) in
            self.manifest.layers.iter().zip(&self.config.rootfs.diff_ids).enumerate()
        {
            let blob = layout.open_blob(descriptor)?;
            let (actual, length) = visit_layer(blob, &descriptor.media_type, layer, layout.limits(), visit)?;
            if actual != *diff_id {
                return Err(lotse_digest::Mismatch { expected: diff_id.clone(), actual, length }.into());
            }
            archives.push(length);
        }
        Ok(archives)
    }
}

/// Calls `visit` for every entry of one layer, read from its blob, and returns the diffID and the bytes of the archive.
///
/// Nothing is verified here: `blob` must fail at its end if it is not what was asked for, as
/// [`VerifyingReader`](lotse_digest::VerifyingReader) does, and the diffID is the caller's to compare. [`Image::visit`] does both.
///
/// # Errors
///
/// As [`Image::visit`].
pub fn visit_layer(
    blob: impl Read,
    media_type: &str,
    layer: usize,
    limits: &Limits,
    visit: &mut dyn FnMut(&mut LayerEntry<'_>) -> Result<(), Error>,
) -> Result<(Digest, u64), Error> {
    let (blob, taken) = Counting::new(blob);
    let decoder = decode::decoder(blob, media_type)?;
    let mut hashing = HashingReader::new(Bounded::new(decoder, taken, *limits), Algorithm::Sha256);
    let mut tar = TarReader::new(&mut hashing, *limits);
    while let Some(entry) = tar.next_entry()? {
        visit(&mut LayerEntry { layer, entry, content: &mut tar })?;
    }
    let (diff_id, length, _) = hashing.finish();
    Ok((diff_id, length))
}

/// One entry of a layer while it is visited.
pub struct LayerEntry<'a> {
    layer: usize,
    pub(crate) entry: TarEntry,
    content: &'a mut dyn Content,
}

/// What a layer's entry is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, with its target as it stands there.
    Symlink(String),
    /// Another name of the file with this path in the layer.
    Hardlink(String),
    /// A device or FIFO.
    Special,
}

impl LayerEntry<'_> {
    /// The layer's number, 0 for the base.
    #[must_use]
    pub const fn layer(&self) -> usize {
        self.layer
    }

    /// The path, relative to the root, without a slash at the end; empty for the root itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.entry.path
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        match &self.entry.kind {
            TarKind::File => EntryKind::File,
            TarKind::Directory => EntryKind::Directory,
            TarKind::Symlink(target) => EntryKind::Symlink(target.clone()),
            TarKind::Hardlink(target) => EntryKind::Hardlink(target.clone()),
            TarKind::Special => EntryKind::Special,
        }
    }

    /// Bytes of content.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.entry.size
    }

    /// The permission bits, `0o7777` at most.
    #[must_use]
    pub const fn mode(&self) -> u32 {
        self.entry.mode
    }

    /// User and group, by number.
    #[must_use]
    pub const fn owner(&self) -> (u32, u32) {
        (self.entry.uid, self.entry.gid)
    }

    /// When it was changed, in whole seconds since 1970.
    #[must_use]
    pub const fn mtime(&self) -> i64 {
        self.entry.mtime
    }

    /// The extended attributes by name.
    #[must_use]
    pub const fn xattrs(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.entry.xattrs
    }

    /// The content, once; a second call returns nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] over [`Limits::file_bytes`](crate::Limits::file_bytes); [`Error::Malformed`] if the archive ends in it.
    pub fn read(&mut self) -> Result<Vec<u8>, Error> {
        self.content.read_content()
    }

    /// Copies the content, once, whatever its size; a second call copies nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] if the archive ends in it; [`Error::Io`] if `out` takes nothing more.
    pub fn copy_to(&mut self, mut out: &mut dyn std::io::Write) -> Result<(), Error> {
        self.content.copy_content(&mut out)
    }
}

trait Content {
    fn read_content(&mut self) -> Result<Vec<u8>, Error>;
    fn copy_content(&mut self, out: &mut &mut dyn std::io::Write) -> Result<(), Error>;
}

impl<R: Read> Content for TarReader<R> {
    fn read_content(&mut self) -> Result<Vec<u8>, Error> {
        Self::read_content(self)
    }

    fn copy_content(&mut self, out: &mut &mut dyn std::io::Write) -> Result<(), Error> {
        Self::copy_content(self, out)
    }
}
