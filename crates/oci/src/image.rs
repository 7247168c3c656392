use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use lotse_digest::{Algorithm, HashingReader};

use crate::config::History;
use crate::tar::{TarEntry, TarKind, TarReader};
use crate::{Descriptor, Error, ImageConfig, Layer, Layout, Manifest, Platform, media};

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
        for (layer, (descriptor, diff_id)) in
            self.manifest.layers.iter().zip(&self.config.rootfs.diff_ids).enumerate()
        {
            let blob = layout.open_blob(descriptor)?;
            let mut source: Box<dyn Read> = match media::encoding(&descriptor.media_type)? {
                media::Encoding::Plain => Box::new(blob),
                media::Encoding::Gzip => Box::new(MultiGzDecoder::new(blob)),
            };
            let mut hashing = HashingReader::new(&mut source, Algorithm::Sha256);
            let mut tar = TarReader::new(&mut hashing, *layout.limits());
            while let Some(entry) = tar.next_entry()? {
                visit(&mut LayerEntry { layer, entry, content: &mut tar })?;
            }
            let (actual, length, _) = hashing.finish();
            if actual != *diff_id {
                return Err(lotse_digest::Mismatch { expected: diff_id.clone(), actual, length }.into());
            }
        }
        Ok(())
    }
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

    /// The content, once; a second call returns nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] over [`Limits::file_bytes`](crate::Limits::file_bytes); [`Error::Malformed`] if the archive ends in it.
    pub fn read(&mut self) -> Result<Vec<u8>, Error> {
        self.content.read_content()
    }

    pub(crate) fn copy_to(&mut self, mut out: &mut dyn std::io::Write) -> Result<(), Error> {
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

/// Puts an image together: a base or nothing, layers, configuration.
#[derive(Clone, Debug)]
pub struct ImageBuilder {
    config: ImageConfig,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
}

impl ImageBuilder {
    /// An image without a base.
    #[must_use]
    pub fn scratch(platform: &Platform) -> Self {
        let mut config = ImageConfig::new(platform.os.clone(), platform.architecture.clone());
        config.variant.clone_from(&platform.variant);
        Self { config, layers: Vec::new(), annotations: BTreeMap::new() }
    }

    /// An image on a base, whose layers must be in the layout that is written to ([`Layout::import`]).
    ///
    /// Configuration and history of the base are inherited.
    #[must_use]
    pub fn from_base(base: &Image) -> Self {
        let annotations = BTreeMap::from([(
            "org.opencontainers.image.base.digest".to_owned(),
            base.descriptor.digest.to_string(),
        )]);
        Self { config: base.config.clone(), layers: base.manifest.layers.clone(), annotations }
    }

    /// Adds a layer on top; `created_by` says how it came to be.
    #[must_use]
    pub fn layer(mut self, layer: &Layer, created_by: &str) -> Self {
        self.layers.push(layer.descriptor.clone());
        self.config.rootfs.diff_ids.push(layer.diff_id.clone());
        self.config.history.push(History { created_by: Some(created_by.to_owned()), ..History::default() });
        self
    }

    /// Says when the image was created (RFC 3339), in the configuration and in the history of the layers added here.
    #[must_use]
    pub fn created(mut self, time: &str) -> Self {
        self.config.created = Some(time.to_owned());
        for history in self.config.history.iter_mut().rev().take_while(|history| history.created.is_none()) {
            history.created = Some(time.to_owned());
        }
        self
    }

    /// Adds an annotation to the manifest.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Changes the configuration.
    #[must_use]
    pub fn configure(mut self, change: impl FnOnce(&mut ImageConfig)) -> Self {
        change(&mut self.config);
        self
    }

    /// Writes configuration and manifest into the layout and tags the manifest.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if a layer is not in the layout; [`Error::Caller`] if layers and diffIDs differ in number;
    /// [`Error::Io`].
    pub fn write(self, layout: &Layout, tag: &str) -> Result<Image, Error> {
        for layer in &self.layers {
            if !layout.has_blob(&layer.digest) {
                let place = format!("layout {}; import the base first", layout.path().display());
                return Err(Error::NotFound { what: format!("layer {}", layer.digest), place });
            }
        }
        if self.layers.len() != self.config.rootfs.diff_ids.len() {
            return Err(Error::Caller("the configuration must keep one diffID for each layer".to_owned()));
        }
        let platform = Platform {
            variant: self.config.variant.clone(),
            ..Platform::new(self.config.os.clone(), self.config.architecture.clone())
        };
        let config = layout.write_blob(media::CONFIG, &self.config.to_bytes()?)?;
        let manifest = Manifest {
            annotations: self.annotations,
            artifact_type: None,
            config,
            layers: self.layers,
            media_type: Some(media::MANIFEST.to_owned()),
            schema_version: 2,
            subject: None,
        };
        let mut descriptor = layout.write_blob(media::MANIFEST, &manifest.to_bytes()?)?;
        descriptor.platform = Some(platform);
        layout.tag(&descriptor, tag)?;
        Ok(Image { descriptor, manifest, config: self.config })
    }
}
