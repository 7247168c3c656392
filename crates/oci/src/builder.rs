use std::collections::BTreeMap;

use crate::config::History;
use crate::{Descriptor, Error, Image, ImageConfig, Index, Layer, Layout, Manifest, Platform, media};

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
        layout.require(self.layers.iter())?;
        if self.layers.len() != self.config.rootfs.diff_ids.len() {
            return Err(Error::Caller("the configuration must keep one diffID for each layer".to_owned()));
        }
        let config = layout.write_blob(media::CONFIG, &self.config.to_bytes()?)?;
        let manifest = Manifest { annotations: self.annotations, ..Manifest::new(config, self.layers) };
        let mut descriptor = layout.write_blob(media::MANIFEST, &manifest.to_bytes()?)?;
        descriptor.platform = Some(self.config.platform());
        layout.tag(&descriptor, tag)?;
        Ok(Image { descriptor, manifest, config: self.config })
    }
}

/// Puts an index together: one image for each platform (image-spec, index).
#[derive(Clone, Debug, Default)]
pub struct IndexBuilder {
    images: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
}

impl IndexBuilder {
    /// An index of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { images: Vec::new(), annotations: BTreeMap::new() }
    }

    /// Adds an image for the platform that its configuration names.
    #[must_use]
    pub fn image(mut self, image: &Image) -> Self {
        let Descriptor { media_type, digest, size, .. } = &image.descriptor;
        self.images.push(Descriptor {
            platform: Some(image.config.platform()),
            ..Descriptor::new(media_type.clone(), digest.clone(), *size)
        });
        self
    }

    /// Adds an annotation to the index.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Writes the index into the layout and tags it. The order of the images is that of their platforms, so that it does
    /// not matter which was built first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if an image is not in the layout; [`Error::Caller`] if two are for the same platform;
    /// [`Error::Io`].
    pub fn write(mut self, layout: &Layout, tag: &str) -> Result<Descriptor, Error> {
        layout.require(self.images.iter())?;
        self.images.sort_by_cached_key(|image| image.platform.as_ref().map(ToString::to_string));
        for pair in self.images.windows(2) {
            if let [a, b] = pair
                && a.platform == b.platform
                && let Some(platform) = &a.platform
            {
                return Err(Error::Caller(format!(
                    "two images for {platform}; an index holds one for each platform"
                )));
            }
        }
        let index = Index { annotations: self.annotations, ..Index::new(self.images) };
        let descriptor = layout.write_blob(media::INDEX, &index.to_bytes()?)?;
        layout.tag(&descriptor, tag)?;
        Ok(descriptor)
    }
}
