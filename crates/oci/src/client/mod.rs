//! A blocking client of registries: each verb is one call.
//!
//! ```
//! # #[cfg(feature = "registry")] {
//! use lotse_oci::client::{Client, Options};
//! use lotse_oci::registry::{self, Registry};
//! use lotse_oci::{Compression, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Platform};
//! # let directory = std::env::temp_dir().join(format!("lotse-client-doc-{}", std::process::id()));
//!
//! let registry = Registry::start(registry::Options::default())?; // anyone's would do
//! let layout = Layout::create(&directory, Limits::default())?;
//! let mut tree = FileTree::new();
//! tree.add_from_disk("src".as_ref(), "app", &|_| true)?;
//! let layer = layout.write_layer(&tree, &LayerOptions::new(Compression::Gzip, 0))?;
//! ImageBuilder::scratch(&Platform::new("linux", "amd64")).layer(&layer, "copy src").write(&layout, "v1")?;
//!
//! let reference = format!("{}/team/app:v1", registry.address()).parse()?;
//! let pushed = Client::new(Options::default())?.push(&layout, "v1", &reference)?;
//! assert_eq!(pushed.digest, layout.resolve("v1")?.digest);
//! # std::fs::remove_dir_all(&directory)?;
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Blobs move on several threads, their digests are verified while they stream, and what broke is taken up again: a pull from the
//! partial file in the layout, a push from the state that [`Options::upload_state`] keeps, in another process too. Manifests are
//! passed on byte for byte. The protocol itself is in [`distribution`](crate::distribution).

mod artifact;
mod blob;
mod clock;
mod copy;
mod drive;
mod http;
mod keyring;
mod options;
mod parallel;
mod place;
mod pull;
mod push;
mod state;
mod transport;
mod verbs;

pub use keyring::Keyring;
pub use options::{Event, Listener, Options, PlainHttp, Progress, Roots};
pub use place::Place;
pub use transport::{Answer, Transport};
pub use verbs::Client;
