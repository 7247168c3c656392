//! Two images compared: what differs, where, and why.

mod archive;
mod document;
mod encoder;
mod field;
mod finding;
mod normalize;

use std::collections::BTreeSet;

use lotse_digest::Digest;
use serde::Serialize;

pub use encoder::{Encoder, GzipHeader};
pub use finding::{Cause, Difference, Place};
pub use normalize::{NormalizeOptions, normalize};

use crate::{Descriptor, Error, Image, Index, Layout, media};

/// What a comparison of two images, or of two indexes of images, found. Plain data; [`explain`](Self::explain) says it in words.
///
/// Every byte in which the two differ has a cause here: documents are compared member by member and by their form, archives
/// field by field of every header, record by record, content by content, and compressed streams by their headers and encoders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The digest of the left manifest or index.
    pub left: Digest,
    /// The digest of the right one.
    pub right: Digest,
    /// What differs, documents before layers.
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Compares what two descriptors point at: two images or two indexes.
    ///
    /// ```
    /// # use lotse_oci::*;
    /// # let directory = std::env::temp_dir().join(format!("lotse-oci-diff-{}", std::process::id()));
    /// # let layout = Layout::create(&directory, Limits::default())?;
    /// # let build = |mtime: u64, tag: &str| -> Result<Image, Error> {
    /// #     let mut tree = FileTree::new();
    /// #     tree.file("app/index.php", b"<?php".to_vec())?;
    /// #     let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, mtime))?;
    /// #     ImageBuilder::scratch(&Platform::new("linux", "amd64")).layer(&layer, "copy app").write(&layout, tag)
    /// # };
    /// let (monday, tuesday) = (build(1_700_000_000, "monday")?, build(1_700_086_400, "tuesday")?);
    /// let comparison = Comparison::of(&layout, &monday.descriptor, &layout, &tuesday.descriptor)?;
    /// assert_eq!(comparison.causes(), [Cause::Time].into());
    /// assert!(comparison.explain().contains("layer 0, \"app/index.php\", mtime: 1700000000 against 1700086400"));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of reading both; [`Error::Caller`] if one is an index and the other is none.
    pub fn of(
        left_layout: &Layout,
        left: &Descriptor,
        right_layout: &Layout,
        right: &Descriptor,
    ) -> Result<Self, Error> {
        let mut differences = Vec::new();
        let (sides, indexes) = (
            Sides { left: left_layout, right: right_layout, platform: None },
            (media::is_index(&left.media_type), media::is_index(&right.media_type)),
        );
        if left.digest != right.digest {
            match indexes {
                (true, true) => sides.indexes(left, right, &mut differences)?,
                (false, false) => sides.images(left, right, &mut differences)?,
                _ => {
                    let text = "one is an index and the other is an image; name one of its images by digest";
                    return Err(Error::Caller(text.to_owned()));
                }
            }
        }
        Ok(Self { left: left.digest.clone(), right: right.digest.clone(), differences })
    }

    /// Whether the two are the same, byte by byte.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.left == self.right
    }

    /// Why the two differ. [`Cause::Consequence`], what follows from the others, is left out.
    #[must_use]
    pub fn causes(&self) -> BTreeSet<Cause> {
        let causes = self.differences.iter().map(|difference| difference.cause);
        causes.filter(|cause| *cause != Cause::Consequence).collect()
    }

    /// The comparison in words: one line for each difference that is no consequence.
    #[must_use]
    pub fn explain(&self) -> String {
        if self.is_same() {
            return format!("the same: {}\n", self.left);
        }
        let causes: Vec<String> = self.causes().iter().map(ToString::to_string).collect();
        let mut text = format!("{} and {} differ by {}\n", self.left, self.right, causes.join(", "));
        for difference in self.differences.iter().filter(|difference| difference.cause != Cause::Consequence)
        {
            text.push_str(&format!("{difference}\n"));
        }
        text
    }
}

/// The layouts of both sides, and the image that is being compared if it stands in an index.
struct Sides<'a> {
    left: &'a Layout,
    right: &'a Layout,
    platform: Option<String>,
}

impl Sides<'_> {
    fn images(
        &self,
        left: &Descriptor,
        right: &Descriptor,
        found: &mut Vec<Difference>,
    ) -> Result<(), Error> {
        let images = (Image::load(self.left, left)?, Image::load(self.right, right)?);
        let mut here = Vec::new();
        let manifests = (self.left.read_blob(left)?, self.right.read_blob(right)?);
        document::compare(document::MANIFEST, &manifests.0, &manifests.1, &mut here)?;
        let configs = (
            self.left.read_blob(&images.0.manifest.config)?,
            self.right.read_blob(&images.1.manifest.config)?,
        );
        document::compare(document::CONFIG, &configs.0, &configs.1, &mut here)?;
        let layers = |image: &Image| -> Vec<(Descriptor, Digest)> {
            image.manifest.layers.iter().cloned().zip(image.config.rootfs.diff_ids.iter().cloned()).collect()
        };
        for (layer, (ours, theirs)) in layers(&images.0).iter().zip(&layers(&images.1)).enumerate() {
            if ours.0.digest == theirs.0.digest {
                continue;
            }
            if ours.1 != theirs.1 {
                let read = |layout: &Layout, (descriptor, diff_id): &(Descriptor, Digest)| {
                    archive::read(layout, descriptor, diff_id)
                };
                archive::compare(layer, &read(self.left, ours)?, &read(self.right, theirs)?, &mut here);
            }
            let guess = (Encoder::guess(self.left, &ours.0)?, Encoder::guess(self.right, &theirs.0)?);
            encoder::compare(layer, &guess.0, &guess.1, ours.1 == theirs.1, &mut here);
        }
        let platform = self.platform.clone();
        found.extend(
            here.into_iter().map(|difference| Difference { platform: platform.clone(), ..difference }),
        );
        Ok(())
    }

    fn indexes(
        &self,
        left: &Descriptor,
        right: &Descriptor,
        found: &mut Vec<Difference>,
    ) -> Result<(), Error> {
        let bytes = (self.left.read_blob(left)?, self.right.read_blob(right)?);
        let indexes =
            (Index::parse(&bytes.0, self.left.limits())?, Index::parse(&bytes.1, self.right.limits())?);
        document::compare(document::INDEX, &bytes.0, &bytes.1, found)?;
        let name = |descriptor: &Descriptor| descriptor.platform.as_ref().map(ToString::to_string);
        // Paired by platform, in order where several have the same one; what has no partner was found above.
        let mut rest: Vec<&Descriptor> = indexes.1.manifests.iter().collect();
        for ours in &indexes.0.manifests {
            let Some(at) = rest.iter().position(|theirs| name(theirs) == name(ours)) else { continue };
            let theirs = rest.remove(at);
            let both = (media::is_manifest(&ours.media_type), media::is_manifest(&theirs.media_type));
            if ours.digest != theirs.digest && both == (true, true) {
                let sides = Sides { platform: name(ours), ..*self };
                sides.images(ours, theirs, found)?;
            }
        }
        Ok(())
    }
}
