//! The client's verbs over the registry for tests: without sockets, over sockets, and with everything that goes wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lotse_digest::{Digest, Reference};
use lotse_oci::client::{Answer, Client, Event, Options, Transport};
use lotse_oci::distribution::{Method, Patience, Request, UploadOptions};
use lotse_oci::registry::{self, Registry};
use lotse_oci::{
    Compression, Descriptor, Error, FileTree, ImageBuilder, Index, LayerOptions, Layout, Limits, Manifest,
    Platform,
};
use tempfile::TempDir;

/// Bytes that no compressor makes small, from a seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
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

fn layout(directory: &TempDir, name: &str) -> Layout {
    Layout::create(directory.path().join(name), Limits::default()).unwrap()
}

/// An image with a small and a large layer, tagged `v1`.
fn image(layout: &Layout, seed: u64, size: usize) -> Descriptor {
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

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A registry without sockets, and a client's options for it.
fn pair(options: registry::Options) -> (Arc<Registry>, Options) {
    let registry = Arc::new(Registry::new(options).unwrap());
    let transport: Arc<dyn Transport> = Arc::clone(&registry) as Arc<dyn Transport>;
    (registry, Options { transport: Some(transport), ..quick() })
}

fn quick() -> Options {
    Options {
        patience: Patience { first_wait: Duration::ZERO, ..Patience::default() },
        upload: UploadOptions { chunk: 64 << 10, ..UploadOptions::default() },
        settle: Some(Duration::from_millis(1)),
        ..Options::default()
    }
}

/// Whether two layouts hold the same image, byte for byte.
fn assert_same(one: &Layout, other: &Layout, tag: &str) {
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

#[test]
fn what_is_pushed_is_pulled_byte_for_byte() {
    let directory = TempDir::new().unwrap();
    let (_registry, options) = pair(registry::Options::default());
    let client = Client::new(options).unwrap();
    let here = layout(&directory, "here");
    let image = image(&here, 1, 300_000);
    let target = reference("registry.example/team/app:v1");
    let pushed = client.push(&here, "v1", &target).unwrap();
    assert_eq!(pushed.digest, image.digest);
    assert_eq!(client.resolve(&target).unwrap().digest, image.digest);
    assert_eq!(client.head(&target).unwrap().unwrap().digest, image.digest);
    assert_eq!(client.head(&reference("registry.example/team/app:v2")).unwrap(), None);
    assert_eq!(client.tags(&target).unwrap(), ["v1"]);
    let there = layout(&directory, "there");
    assert_eq!(client.pull(&target, &there, "v1").unwrap().digest, image.digest);
    assert_same(&here, &there, "v1");
    assert!(there.sweep().unwrap().is_empty(), "nothing is left over");
    let by_digest = target.pinned(image.digest.clone());
    assert_eq!(client.pull(&by_digest, &there, "again").unwrap().digest, image.digest);
    let wrong = target.pinned(Digest::sha256(b"another"));
    assert!(matches!(client.push(&here, "v1", &wrong), Err(Error::Caller(_))), "pinned to something else");
}

#[test]
fn an_index_moves_with_all_its_platforms_and_its_referrers() {
    let directory = TempDir::new().unwrap();
    let (_registry, options) = pair(registry::Options::default());
    let here = layout(&directory, "here");
    let one = image(&here, 1, 1000);
    let two = image(&here, 2, 2000);
    let index = Index::new(vec![one.clone(), two.clone()]).to_bytes().unwrap();
    let index = here.write_blob("application/vnd.oci.image.index.v1+json", &index).unwrap();
    here.tag(&index, "multi").unwrap();
    let signature = here.attach(&index, "application/vnd.example.sig", b"signed", BTreeMap::new()).unwrap();
    let note = here.attach(&signature, "application/vnd.example.note", b"noted", BTreeMap::new()).unwrap();
    let client = Client::new(Options { referrers: true, ..options }).unwrap();
    let target = reference("registry.example/team/app:multi");
    client.push(&here, "multi", &target).unwrap();
    let there = layout(&directory, "there");
    client.pull(&target, &there, "multi").unwrap();
    assert_eq!(there.resolve("multi").unwrap().digest, index.digest);
    for (subject, referrer) in [(&index, &signature), (&signature, &note)] {
        let found = there.referrers(&subject.digest).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].descriptor.digest, referrer.digest);
    }
    // Copied within the registry: nothing moves but manifests.
    let copy = reference("registry.example/other/app:multi");
    client.copy(&target, &copy).unwrap();
    assert_eq!(client.referrers(&copy, None).unwrap().len(), 1);
    let third = layout(&directory, "third");
    client.pull(&copy.with_tag("multi").unwrap(), &third, "multi").unwrap();
    for platform in [&one, &two] {
        assert_eq!(there.manifest(platform).unwrap(), third.manifest(platform).unwrap());
    }
}

/// Counts what goes by, by method.
struct Counting {
    registry: Arc<Registry>,
    seen: Mutex<Vec<(Method, String, u64)>>,
    received: Arc<AtomicU64>,
}

impl Counting {
    fn new(registry: &Arc<Registry>) -> Arc<Self> {
        Arc::new(Self { registry: Arc::clone(registry), seen: Mutex::default(), received: Arc::default() })
    }

    fn content_sent(&self) -> u64 {
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

struct Counted {
    inner: Box<dyn Read + Send>,
    received: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.received.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }
}

#[test]
fn what_is_there_is_not_sent_again_and_a_mount_sends_nothing() {
    let directory = TempDir::new().unwrap();
    let (registry, options) = pair(registry::Options::default());
    let counting = Counting::new(&registry);
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&events);
    let options = Options {
        transport: Some(counting.clone()),
        progress: Some(Arc::new(move |progress| told.lock().unwrap().push(progress.event))),
        ..options
    };
    let client = Client::new(options).unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 100_000);
    let target = reference("registry.example/team/app:v1");
    client.push(&here, "v1", &target).unwrap();
    let first = counting.content_sent();
    assert!(first > 100_000);
    events.lock().unwrap().clear();
    client.push(&here, "v1", &target).unwrap();
    assert_eq!(counting.content_sent(), first, "pushed twice is sent once");
    assert!(events.lock().unwrap().iter().all(|event| *event == Event::Existed));
    events.lock().unwrap().clear();
    let received = counting.received.load(Ordering::SeqCst);
    client.copy(&target, &reference("registry.example/other/app:v1")).unwrap();
    assert_eq!(counting.content_sent(), first, "mounted, not sent");
    assert!(counting.received.load(Ordering::SeqCst) - received < 10_000, "and not fetched");
    assert!(events.lock().unwrap().iter().all(|event| *event == Event::Mounted));
    let there = layout(&directory, "there");
    client.pull(&target, &there, "v1").unwrap();
    let received = counting.received.load(Ordering::SeqCst);
    client.pull(&target, &there, "v1").unwrap();
    assert!(counting.received.load(Ordering::SeqCst) - received < 10_000, "pulled twice is fetched once");
}

#[test]
fn two_registries_are_copied_between_without_a_layout() {
    let directory = TempDir::new().unwrap();
    let (from, to) = (
        Registry::start(registry::Options::default()).unwrap(),
        Registry::start(registry::Options::default()).unwrap(),
    );
    let client = Client::new(quick()).unwrap();
    let here = layout(&directory, "here");
    let image = image(&here, 3, 500_000);
    let source = reference(&format!("{}/a/app:v1", from.address()));
    let target = reference(&format!("{}/b/app:v1", to.address()));
    client.push(&here, "v1", &source).unwrap();
    assert_eq!(client.copy(&source, &target).unwrap().digest, image.digest);
    let there = layout(&directory, "there");
    client.pull(&target, &there, "v1").unwrap();
    assert_same(&here, &there, "v1");
}

#[test]
fn artifacts_are_attached_listed_and_deleted_with_and_without_the_referrers_api() {
    for referrers_api in [true, false] {
        let directory = TempDir::new().unwrap();
        let (_registry, options) = pair(registry::Options { referrers_api, ..registry::Options::default() });
        let client = Client::new(options).unwrap();
        let here = layout(&directory, "here");
        let image = image(&here, 1, 1000);
        let target = reference("registry.example/team/app:v1");
        client.push(&here, "v1", &target).unwrap();
        let annotations = BTreeMap::from([("purpose".to_owned(), "test".to_owned())]);
        let sbom = client.attach(&target, "application/sbom", b"sbom", annotations.clone()).unwrap();
        let sig = client.attach(&target, "application/sig", b"sig", BTreeMap::new()).unwrap();
        client.attach(&target, "application/sig", b"sig", BTreeMap::new()).unwrap();
        let all = client.referrers(&target, None).unwrap();
        let digests: BTreeSet<&Digest> = all.iter().map(|entry| &entry.digest).collect();
        assert_eq!(digests, BTreeSet::from([&sbom.digest, &sig.digest]), "attached twice is attached once");
        let sboms = client.referrers(&target, Some("application/sbom")).unwrap();
        assert_eq!(sboms.len(), 1);
        assert_eq!(sboms[0].annotations, annotations, "referrers_api: {referrers_api}");
        let document = client.manifest(&target.pinned(sbom.digest.clone())).unwrap();
        let manifest = Manifest::parse(&document.bytes, &Limits::default()).unwrap();
        assert_eq!(client.blob(&target, &manifest.layers[0], 100).unwrap(), b"sbom");
        assert!(matches!(client.blob(&target, &manifest.layers[0], 3), Err(Error::Limit { .. })));
        assert!(client.has_blob(&target, &manifest.layers[0].digest).unwrap());
        assert!(client.delete(&target.pinned(sbom.digest.clone())).unwrap());
        let left = client.referrers(&target, None).unwrap();
        assert_eq!(left.iter().map(|entry| &entry.digest).collect::<Vec<_>>(), [&sig.digest]);
        assert!(!client.delete(&target.pinned(sbom.digest)).unwrap(), "it is gone already");
        assert!(client.delete(&target).unwrap());
        assert_eq!(client.head(&target).unwrap(), None);
        assert!(client.head(&target.pinned(image.digest)).unwrap().is_some(), "only the tag is gone");
    }
}
