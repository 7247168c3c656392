use crate::{Descriptor, Error, Layout, Platform, media};

impl Layout {
    /// The image for a platform: the manifest itself, or the one that an index names for it. Without a platform an index must
    /// hold one image only.
    ///
    /// A platform without a variant fits any variant of its architecture, the plain one first.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if the index holds none for it; [`Error::Caller`] if it holds several; those of
    /// [`nested_index`](Self::nested_index).
    pub fn choose(&self, descriptor: &Descriptor, platform: Option<&Platform>) -> Result<Descriptor, Error> {
        if !media::is_index(&descriptor.media_type) {
            return Ok(descriptor.clone());
        }
        let index = self.nested_index(descriptor)?;
        let images = index.manifests.iter().filter(|entry| entry.platform.as_ref().is_some_and(is_image));
        let fits = |entry: &&Descriptor| match (platform, &entry.platform) {
            (Some(wanted), Some(offered)) => {
                wanted.os == offered.os
                    && wanted.architecture == offered.architecture
                    && (wanted.variant.is_none() || wanted.variant == offered.variant)
            }
            _ => platform.is_none(),
        };
        let mut found: Vec<&Descriptor> = images.filter(fits).collect();
        if found.len() > 1 && platform.is_some_and(|wanted| wanted.variant.is_none()) {
            let plain = |entry: &&Descriptor| {
                entry.platform.as_ref().is_some_and(|offered| offered.variant.is_none())
            };
            if let Some(only) = found.iter().copied().find(plain) {
                found = vec![only];
            }
        }
        match (found.as_slice(), platform) {
            ([only], _) => Ok((*only).clone()),
            ([], Some(platform)) => Err(Error::NotFound {
                what: format!("an image for {platform}"),
                place: format!("index {}", descriptor.digest),
            }),
            _ => {
                let offered: Vec<String> = index
                    .manifests
                    .iter()
                    .filter_map(|entry| Some(entry.platform.as_ref()?.to_string()))
                    .collect();
                Err(Error::Caller(format!(
                    "index {} holds images for {}; name one platform",
                    descriptor.digest,
                    offered.join(", ")
                )))
            }
        }
    }
}

/// Builders add attestations to indexes under the platform `unknown/unknown`.
fn is_image(platform: &Platform) -> bool {
    platform.os != "unknown"
}
