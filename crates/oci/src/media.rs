//! Media types of the OCI image-spec and the Docker types that are read as the same.

/// `application/vnd.oci.image.manifest.v1+json`
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// `application/vnd.oci.image.index.v1+json`
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// `application/vnd.oci.image.config.v1+json`
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// `application/vnd.oci.empty.v1+json`, for `{}`
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A tar layer as it is.
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// A tar layer compressed with gzip.
pub(crate) const LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// A tar layer compressed with Zstandard.
pub(crate) const LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// Every type of manifest and index that is read.
pub(crate) const MANIFESTS: [&str; 4] = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX];

/// How the tar of a layer is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    #[cfg(feature = "zstd")]
    Zstd,
}

pub(crate) fn is_manifest(media_type: &str) -> bool {
    media_type == MANIFEST || media_type == DOCKER_MANIFEST
}

pub(crate) fn is_index(media_type: &str) -> bool {
    media_type == INDEX || media_type == DOCKER_INDEX
}

/// Layers that stay where they are licensed (image-spec, non-distributable layers; deprecated there).
#[cfg(any(feature = "client", feature = "registry"))]
pub(crate) fn is_not_distributed(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.oci.image.layer.nondistributable.")
        || media_type == "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
}

pub(crate) fn is_config(media_type: &str) -> bool {
    media_type == CONFIG || media_type == DOCKER_CONFIG
}

/// The encoding of a layer's media type, or what stands in the way.
pub(crate) fn encoding(media_type: &str) -> Result<Encoding, crate::Error> {
    match media_type {
        LAYER | DOCKER_LAYER => Ok(Encoding::Plain),
        LAYER_GZIP | DOCKER_LAYER_GZIP => Ok(Encoding::Gzip),
        #[cfg(feature = "zstd")]
        LAYER_ZSTD => Ok(Encoding::Zstd),
        #[cfg(not(feature = "zstd"))]
        LAYER_ZSTD => Err(crate::Error::Unsupported {
            what: "a zstd layer".to_owned(),
            advice: "build with the feature `zstd`, or copy the image with gzip layers first",
        }),
        other => Err(crate::Error::Unsupported {
            what: format!("layer media type {:?}", other.chars().take(128).collect::<String>()),
            advice: "only tar layers, plain, with gzip or with zstd, are read",
        }),
    }
}
