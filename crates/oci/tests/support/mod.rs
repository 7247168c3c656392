//! What the tests of the client share.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lotse_digest::Reference;
use lotse_oci::client::{Answer, Options, Transport};
use lotse_oci::distribution::{Credentials, Method, Patience, Request, UploadOptions};
use lotse_oci::registry::{self, Auth, Registry};
use lotse_oci::{Compression, Descriptor, FileTree, ImageBuilder, LayerOptions, Layout, Limits, Platform};
use tempfile::TempDir;

/// Bytes that no compressor makes small, from a seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&next());
    }
    bytes.truncate(length);
    bytes
}

pub(crate) fn layout(directory: &TempDir, name: &str) -> Layout {
    Layout::create(directory.path().join(name), Limits::default()).unwrap()
}

/// An image with a small and a large layer, tagged `v1`.
pub(crate) fn image(layout: &Layout, seed: u64, size: usize) -> Descriptor {
    let mut small = FileTree::new();
    small.file("etc/motd", b"hello\n".to_vec()).unwrap();
    let mut large = FileTree::new();
    large.file("bin/app", noise(seed, size)).unwrap();
    let small = layout.write_layer(&small, &LayerOptions::new(Compression::Gzip, 0)).unwrap();
    let large = layout.write_layer(&large, &LayerOptions::new(Compression::None, 0)).unwrap();
    ImageBuilder::scratch(&Platform::new("linux", "amd64"))
        .layer(&small, "small")
        .layer(&large, "large")
        .write(layout, "v1")
        .unwrap()
        .descriptor
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A registry without sockets, and a client's options for it.
pub(crate) fn pair(options: registry::Options) -> (Arc<Registry>, Options) {
    let registry = Arc::new(Registry::new(options).unwrap());
    let transport: Arc<dyn Transport> = Arc::clone(&registry) as Arc<dyn Transport>;
    (registry, Options { transport: Some(transport), ..quick() })
}

pub(crate) fn quick() -> Options {
    Options {
        patience: Patience { first_wait: Duration::ZERO, ..Patience::default() },
        upload: UploadOptions { chunk: 64 << 10, ..UploadOptions::default() },
        settle: Some(Duration::from_millis(1)),
        ..Options::default()
    }
}

/// Whether two layouts hold the same image, byte for byte.
pub(crate) fn assert_same(one: &Layout, other: &Layout, tag: &str) {
    let (first, second) = (one.resolve(tag).unwrap(), other.resolve(tag).unwrap());
    assert_eq!(first.digest, second.digest);
    assert_eq!(one.read_blob(&first).unwrap(), other.read_blob(&second).unwrap());
    for part in one.manifest(&first).unwrap().layers {
        let read = |layout: &Layout| {
            let mut bytes = Vec::new();
            layout.open_blob(&part).unwrap().read_to_end(&mut bytes).unwrap();
            bytes
        };
        assert!(read(one) == read(other), "layer {}", part.digest);
    }
}

/// Counts what goes by, by method.
pub(crate) struct Counting {
    pub(crate) registry: Arc<Registry>,
    pub(crate) seen: Mutex<Vec<(Method, String, u64)>>,
    pub(crate) received: Arc<AtomicU64>,
}

impl Counting {
    pub(crate) fn new(registry: &Arc<Registry>) -> Arc<Self> {
        Arc::new(Self { registry: Arc::clone(registry), seen: Mutex::default(), received: Arc::default() })
    }

    pub(crate) fn content_sent(&self) -> u64 {
        let seen = self.seen.lock().unwrap();
        let blobs = seen.iter().filter(|(method, path, _)| {
            matches!(method, Method::Put | Method::Patch) && path.contains("/blobs/")
        });
        blobs.map(|(_, _, length)| length).sum()
    }
}

impl Transport for Counting {
    fn send(&self, request: &Request, body: &mut dyn Read) -> std::io::Result<Answer> {
        self.seen.lock().unwrap().push((request.method, request.url.target(), request.body.length()));
        let answer = self.registry.send(request, body)?;
        let count = Counted { inner: answer.body, received: Arc::clone(&self.received) };
        Ok(Answer::new(answer.status, answer.headers, Box::new(count)))
    }
}

pub(crate) struct Counted {
    inner: Box<dyn Read + Send>,
    pub(crate) received: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.received.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }
}

pub(crate) fn token(requests: u32) -> Auth {
    Auth::Token { username: "u".to_owned(), password: "p".to_owned(), requests, anonymous_pull: true }
}

pub(crate) fn password(word: &str) -> Credentials {
    Credentials::Password { username: "u".to_owned(), password: word.to_owned() }
}

pub(crate) fn pair_options() -> Options {
    pair(registry::Options::default()).1
}
