//! OCI images and layouts, built reproducibly in process: no daemon, no root, no Dockerfile.
//!
//! It makes, reads and takes apart images in OCI image layouts, and moves them to and from registries. It runs nothing and signs
//! nothing; without the feature `client` it opens no socket.
//!
//! A folder becomes an image, and the image goes to a registry:
//!
//! ```
//! # #[cfg(all(feature = "client", feature = "registry"))] {
//! use lotse_oci::client::{Client, Options};
//! use lotse_oci::registry::{self, Registry};
//! use lotse_oci::{Compression, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Platform};
//! # let directory = std::env::temp_dir().join(format!("lotse-oci-doc-{}", std::process::id()));
//!
//! let layout = Layout::create(&directory, Limits::default())?;
//! let mut tree = FileTree::new();
//! tree.add_from_disk("src".as_ref(), "app", &|_| true)?;
//! let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0))?;
//! let image = ImageBuilder::scratch(&Platform::new("linux", "amd64"))
//!     .layer(&layer, "copy src")
//!     .write(&layout, "v1")?; // its digest is the same on every machine, for ever
//!
//! let registry = Registry::start(registry::Options::default())?; // one for tests; anyone's would do
//! let reference = format!("{}/team/app:v1", registry.address()).parse()?;
//! let pushed = Client::new(Options::default())?.push(&layout, "v1", &reference)?;
//! assert_eq!(pushed.digest, image.descriptor.digest);
//! # std::fs::remove_dir_all(&directory)?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The bytes of layers and documents are `lotse-layer/1`, written down in `CANONICAL.md` beside this crate and frozen: no
//! library that this crate or another one in the same build uses can change them, and no version of this crate will.
//!
//! # Features
//!
//! | Feature | Adds |
//! |---|---|
//! | `client` | `client`: a blocking client of registries |
//! | `oci-spec` | conversions to and from the types of the crate `oci-spec` |
//! | `registry` | `registry`: a registry for tests, in process, with faults on demand |
//! | `rustls` | `https` for the client |
//! | `zstd` | zstd layers, read and written (libzstd, a C library; what it writes is not frozen) |
//!
//! # Specifications
//!
//! OCI image-spec 1.1 (descriptor, manifest, index, config, layer, layout, artifacts); Docker's media types of schema 2 are
//! read as their OCI twins. Distribution-spec 1.1 ([`distribution`], the client and the registry; of its next version, several
//! tags with one manifest in the registry). RFC 1951 and 1952 (gzip), POSIX.1-2017 pax (tar).
//!
//! Deviations and limits: zstd layers need the feature `zstd`, and what is written with it is libzstd's and not frozen.
//! Layers are read strictly. Refused by name: sparse and vendor entries, global PAX records other than a comment, non-UTF-8
//! names, a path that comes twice in one layer (unless both are directories), entries below a symbolic link, hard links to what
//! is not there yet, metadata of AUFS, data after an archive's end, and what is beyond the [`Limits`].

mod artifact;
mod bounded;
mod builder;
#[cfg(feature = "client")]
pub mod client;
mod config;
mod decode;
mod deflate;
mod descriptor;
mod diff;
pub mod distribution;
mod document;
mod error;
mod flatten;
mod gzip;
mod image;
#[cfg(feature = "oci-spec")]
mod interop;
mod layer;
mod layout;
mod limits;
mod manifest;
mod media;
mod platform;
#[cfg(feature = "registry")]
pub mod registry;
mod size;
mod tar;
mod tree;
mod unpack;

pub use crate::artifact::{ArtifactBuilder, helm_tag};
pub use crate::builder::{ImageBuilder, IndexBuilder};
pub use crate::config::{Empty, History, ImageConfig, RootFs, RunConfig};
pub use crate::descriptor::{Descriptor, Platform};
pub use crate::diff::{
    Cause, Comparison, Difference, Encoder, GzipHeader, NormalizeOptions, Place, normalize,
};
pub use crate::error::Error;
pub use crate::flatten::{FileSystem, VisibleFile};
pub use crate::gzip::GzipWriter;
pub use crate::image::{EntryKind, Image, LayerEntry, visit_layer};
pub use crate::layer::{Compression, Layer, LayerOptions};
pub use crate::layout::{BlobWriter, Layout, Referrer};
pub use crate::limits::Limits;
pub use crate::manifest::{Index, Manifest};
pub use crate::size::{
    DirectorySize, Duplicate, FileChange, FileSize, LayerSize, SizeChange, SizeReport, Tile, Treemap,
};
pub use crate::tree::{DiskPolicy, FileTree};
pub use crate::unpack::{IdRange, Omission, Owners, UnpackOptions, UnpackReport, unpack};
