use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lotse_digest::Digest;

use super::{Keyring, Transport};
use crate::distribution::{Patience, UploadOptions};

/// How a [`Client`](super::Client) behaves. The defaults ask nothing of the machine but its certificates.
#[derive(Clone, Default)]
pub struct Options {
    /// What proves to registries who asks.
    pub keyring: Keyring,
    /// Which registries are spoken to in the clear.
    pub plain_http: PlainHttp,
    /// Which certificates are trusted.
    pub roots: Roots,
    /// A proxy, as `http://host:port`, that every request goes through. None is taken from the environment.
    pub proxy: Option<String>,
    /// Blobs that are moved at once; 0 stands for 4.
    pub threads: usize,
    /// Sizes of pieces, and how often a blob is begun anew.
    pub upload: UploadOptions,
    /// Failures in a row, and waits.
    pub patience: Patience,
    /// A directory for the states of uploads, so that another process goes on with them. It must be nobody else's.
    pub upload_state: Option<PathBuf>,
    /// A directory for blobs on their way from one registry to another; `None` is the machine's for temporary files.
    pub spool: Option<PathBuf>,
    /// Registries by host that are asked before the one a reference names, in order. What they give is verified; that a tag is
    /// current there is not.
    pub mirrors: BTreeMap<String, Vec<String>>,
    /// A repository of the same registry that blobs may be taken from instead of being uploaded.
    pub mount_from: Option<String>,
    /// Whether what refers to a manifest is pushed, pulled and copied with it.
    pub referrers: bool,
    /// How long lists of referrers under tags are left alone before they are read back; `None` stands for half a second.
    pub settle: Option<Duration>,
    /// Is told what happens, from several threads.
    pub progress: Option<Arc<Listener>>,
    /// What requests are sent with; `None` is HTTP over sockets.
    pub transport: Option<Arc<dyn Transport>>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("keyring", &self.keyring)
            .field("plain_http", &self.plain_http)
            .field("threads", &self.threads)
            .field("upload", &self.upload)
            .field("patience", &self.patience)
            .field("mirrors", &self.mirrors)
            .finish_non_exhaustive()
    }
}

/// Which registries are spoken to without encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainHttp {
    /// Those on this machine: `localhost`, `127.0.0.0/8` and `::1`.
    #[default]
    Loopback,
    /// None.
    Never,
    /// Those on this machine and these, as `host` or `host:port`.
    Hosts(BTreeSet<String>),
}

/// Which certificates a registry's may be signed by. They matter with the feature `rustls` only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Roots {
    /// Those of the system, from the file where it keeps them.
    #[default]
    System,
    /// These, as PEM.
    Pem(Vec<u8>),
}

#[cfg(feature = "rustls")]
impl Roots {
    /// Where systems keep them: Debian, Fedora, `OpenSUSE`, Alpine, macOS.
    const FILES: [&str; 5] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
        "/private/etc/ssl/cert.pem",
    ];

    /// The certificates as PEM; none where the system keeps none, and then no certificate is trusted.
    pub(super) fn read(&self) -> Result<Vec<u8>, crate::Error> {
        if let Self::Pem(pem) = self {
            return Ok(pem.clone());
        }
        let found = Self::FILES.iter().map(std::path::Path::new).find(|path| path.is_file());
        found.map_or(Ok(Vec::new()), |path| std::fs::read(path).map_err(crate::Error::io("read", path)))
    }
}

/// Is told of [`Progress`].
pub type Listener = dyn Fn(&Progress) + Send + Sync;

/// Something that happened to a blob.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The blob.
    pub digest: Digest,
    /// What happened.
    pub event: Event,
    /// Bytes of it that are where they belong.
    pub done: u64,
    /// Bytes of it.
    pub total: u64,
}

/// What happened to a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Some of it moved.
    Moved,
    /// It is complete.
    Complete,
    /// It was there already.
    Existed,
    /// The registry took it from another repository.
    Mounted,
}
