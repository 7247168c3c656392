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
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lotse_digest::{Digest, Reference};
use lotse_oci::client::{Answer, Client, Event, Keyring, Options, PlainHttp, Transport};
use lotse_oci::distribution::{Credentials, Method, Patience, Request, UploadOptions};
use lotse_oci::registry::{self, Auth, Fault, Registry, Rule};
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

fn token(requests: u32) -> Auth {
    Auth::Token { username: "u".to_owned(), password: "p".to_owned(), requests, anonymous_pull: true }
}

fn password(word: &str) -> Credentials {
    Credentials::Password { username: "u".to_owned(), password: word.to_owned() }
}

#[test]
fn every_kind_of_credentials_opens_the_registry_and_wrong_ones_do_not() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 200_000);
    let basic = || Auth::Basic { username: "u".to_owned(), password: "p".to_owned() };
    for (auth, credentials, pushes) in [
        (Auth::None, Credentials::Anonymous, true),
        (basic(), password("p"), true),
        (basic(), password("wrong"), false),
        (basic(), Credentials::Anonymous, false),
        (token(1000), password("p"), true),
        (token(1000), Credentials::IdentityToken("identity-u".to_owned()), true),
        (token(1000), password("wrong"), false),
        (token(1000), Credentials::IdentityToken("identity-x".to_owned()), false),
        (token(1000), Credentials::RegistryToken("nonsense".to_owned()), false),
        (token(1000), Credentials::Anonymous, false),
        // Every token ends after three requests: in the middle of everything.
        (token(3), password("p"), true),
        (token(2), password("p"), true),
    ] {
        let what = format!("{auth:?} {credentials:?}");
        let (_registry, options) = pair(registry::Options { auth, ..registry::Options::default() });
        let keyring = Keyring::new().with("registry.example", credentials);
        // The token service of the registry without sockets is not encrypted.
        let plain_http = PlainHttp::Hosts(BTreeSet::from(["registry.example".to_owned()]));
        // One thread: a token that ends after so many requests would else be used up by the others.
        let client = Client::new(Options { keyring, plain_http, threads: 1, ..options }).unwrap();
        let outcome = client.push(&here, "v1", &reference("registry.example/team/app:v1"));
        match (pushes, outcome) {
            (true, Ok(_)) => {}
            (false, Err(Error::Registry(refusal))) => assert_eq!(refusal.status, 401, "{what}"),
            (_, other) => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_mount_asks_for_a_token_that_reaches_the_other_repository_too() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 200_000);
    let (registry, options) = pair(registry::Options { auth: token(1000), ..registry::Options::default() });
    let counting = Counting::new(&registry);
    let keyring = Keyring::new().with("registry.example", password("p"));
    let plain_http = PlainHttp::Hosts(BTreeSet::from(["registry.example".to_owned()]));
    let options = Options { keyring, plain_http, transport: Some(counting.clone()), ..options };
    let client = Client::new(options).unwrap();
    client.push(&here, "v1", &reference("registry.example/team/app:v1")).unwrap();
    client
        .copy(&reference("registry.example/team/app:v1"), &reference("registry.example/other/app:v1"))
        .unwrap();
    let seen = counting.seen.lock().unwrap();
    let asked = seen.iter().any(|(_, target, _)| {
        target.starts_with("/token")
            && target.contains("repository:other/app:pull,push")
            && target.contains("repository:team/app:pull")
    });
    assert!(asked, "{seen:#?}");
}

#[test]
fn an_unencrypted_token_service_beside_an_encrypted_registry_gets_no_credentials() {
    let (_registry, options) = pair(registry::Options { auth: token(1000), ..registry::Options::default() });
    let keyring = Keyring::new().with("registry.example", password("p"));
    let client = Client::new(Options { keyring, ..options }).unwrap();
    let outcome = client.tags(&reference("registry.example/team/app"));
    assert!(matches!(outcome, Err(Error::Unsupported { .. })), "{outcome:?}");
}

#[test]
fn faults_of_every_kind_are_survived_and_the_image_is_right() {
    let patch = |fault| Rule::once(fault).method(Method::Patch);
    let get = |fault| Rule::once(fault).method(Method::Get).path("/blobs/sha256");
    let busy = |status, field: &str| Fault::Status { status, retry_after: Some(field.to_owned()) };
    for (number, rule) in [
        patch(Fault::CutRequest { after: 10_000 }),
        patch(Fault::CutRequest { after: 0 }).after(2, 2),
        patch(Fault::LoseAnswer).after(1, 1),
        patch(Fault::ExpireTokens { after: 5000 }).after(1, 1),
        patch(Fault::ExpireTokens { after: 0 }),
        patch(busy(429, "0")).after(1, 3),
        patch(busy(503, "Sun, 06 Nov 1994 08:49:37 GMT")),
        patch(Fault::Status { status: 500, retry_after: None }),
        patch(Fault::LoseUploads).after(2, 1),
        patch(Fault::NoLocation).after(1, 1),
        Rule::once(Fault::NoLocation).method(Method::Post),
        Rule::once(Fault::LoseAnswer).method(Method::Post),
        Rule::once(Fault::LoseAnswer).method(Method::Put).after(0, 20),
        Rule::once(Fault::LoseAnswer).method(Method::Put).path("/manifests/"),
        Rule::once(busy(429, "0")).after(0, 5),
        get(Fault::CutAnswer { after: 50_000 }),
        get(Fault::CutAnswer { after: 0 }).after(0, 3),
        get(Fault::ShortContent { bytes: 70_000 }).after(0, 1000),
        Rule::once(Fault::RangeRefused).method(Method::Get).path("/blobs/sha256").after(3, 1),
        get(Fault::LoseAnswer),
        get(Fault::Redirect { to: String::new() }),
    ]
    .into_iter()
    .enumerate()
    {
        for keeps_cut_uploads in [true, false] {
            let directory = TempDir::new().unwrap();
            let here = layout(&directory, "here");
            image(&here, number as u64, 400_000);
            let auth = token(10_000);
            let options = registry::Options { auth, keeps_cut_uploads, ..registry::Options::default() };
            let (registry, options) = pair(options);
            registry.inject(rule.clone());
            let keyring = Keyring::new().with("registry.example", password("p"));
            let plain_http = PlainHttp::Hosts(BTreeSet::from(["registry.example".to_owned()]));
            let patience = Patience { attempts: 30, ..options.patience };
            let client =
                Client::new(Options { keyring, plain_http, patience, threads: 1, ..options }).unwrap();
            let target = reference("registry.example/team/app:v1");
            client.push(&here, "v1", &target).unwrap_or_else(|error| panic!("{rule:?}: {error}"));
            let there = layout(&directory, "there");
            client.pull(&target, &there, "v1").unwrap_or_else(|error| panic!("{rule:?}: {error}"));
            assert_same(&here, &there, "v1");
        }
    }
}

#[test]
fn a_registry_that_asks_for_too_much_patience_is_given_up_at_once() {
    let (registry, options) = pair(registry::Options::default());
    let fault = Fault::Status { status: 429, retry_after: Some("3600".to_owned()) };
    registry.inject(Rule::once(fault).after(0, 10));
    let client = Client::new(options).unwrap();
    match client.tags(&reference("registry.example/team/app")) {
        Err(Error::Registry(refusal)) => assert_eq!(refusal.status, 429),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_broken_pull_goes_on_where_it_broke_in_another_process() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 1_000_000);
    let (registry, options) = pair(registry::Options::default());
    let target = reference("registry.example/team/app:v1");
    Client::new(options.clone()).unwrap().push(&here, "v1", &target).unwrap();
    let there = layout(&directory, "there");
    let impatient = Patience { attempts: 1, ..options.patience };
    for _ in 0..3 {
        let rule = Rule::once(Fault::CutAnswer { after: 300_000 }).method(Method::Get).path("/blobs/sha256");
        registry.inject(rule.after(0, 100));
        let client = Client::new(Options { patience: impatient, threads: 1, ..options.clone() }).unwrap();
        let outcome = client.pull(&target, &there, "v1");
        registry.clear_faults();
        if outcome.is_ok() {
            break;
        }
        assert!(matches!(outcome, Err(Error::Broken { .. })), "{outcome:?}");
    }
    let counting = Counting::new(&registry);
    let client = Client::new(Options { transport: Some(counting.clone()), threads: 1, ..options }).unwrap();
    client.pull(&target, &there, "v1").unwrap();
    let received = counting.received.load(Ordering::SeqCst);
    assert!(received < 400_000, "only the rest was fetched, not {received} bytes");
    assert_same(&here, &there, "v1");
    assert!(there.sweep().unwrap().is_empty());
}

#[test]
fn a_damaged_partial_file_is_found_out_and_fetched_again() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    let image = image(&here, 1, 200_000);
    let (_registry, options) = pair(registry::Options::default());
    let target = reference("registry.example/team/app:v1");
    let client = Client::new(options).unwrap();
    client.push(&here, "v1", &target).unwrap();
    let there = layout(&directory, "there");
    let large = &here.manifest(&image).unwrap().layers[1];
    for content in [vec![0; 100_000], vec![0; large.size as usize], vec![0; 500_000]] {
        let name = format!(".lotse-part-sha256-{}", large.digest.encoded());
        std::fs::write(there.path().join(name), content).unwrap();
        client.pull(&target, &there, "v1").unwrap();
        assert_same(&here, &there, "v1");
        std::fs::remove_file(there.blob_path(&large.digest)).unwrap();
    }
}

#[test]
fn a_push_goes_on_in_another_process_and_sends_at_most_one_piece_again() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 1_000_000);
    let total: u64 = 1_000_000 + (64 << 10);
    let (registry, options) = pair(registry::Options::default());
    let counting = Counting::new(&registry);
    let state = directory.path().join("state");
    let options = Options {
        transport: Some(counting.clone()),
        upload_state: Some(state.clone()),
        patience: Patience { attempts: 1, ..options.patience },
        threads: 1,
        ..options
    };
    let target = reference("registry.example/team/app:v1");
    let mut kills = 0;
    loop {
        // Each process gets four pieces further, then its connection breaks in the fifth.
        registry.inject(Rule::once(Fault::CutRequest { after: 30_000 }).method(Method::Patch).after(4, 1));
        let outcome = Client::new(options.clone()).unwrap().push(&here, "v1", &target);
        registry.clear_faults();
        match outcome {
            Ok(_) => break,
            Err(Error::Broken { .. }) => kills += 1,
            Err(other) => panic!("{other}"),
        }
        assert!(kills < 20);
    }
    assert!(kills >= 3);
    let again = counting.content_sent().saturating_sub(total);
    assert!(again <= kills * (64 << 10), "{kills} kills, {again} bytes again");
    assert_eq!(std::fs::read_dir(&state).unwrap().count(), 0, "the states are removed");
    let there = layout(&directory, "there");
    Client::new(options).unwrap().pull(&target, &there, "v1").unwrap();
    assert_same(&here, &there, "v1");
}

#[test]
fn wrong_content_is_refused_and_never_gets_a_name() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    let image = image(&here, 1, 100_000);
    let (registry, options) = pair(registry::Options::default());
    let target = reference("registry.example/team/app:v1");
    let client = Client::new(Options { threads: 1, ..options }).unwrap();
    client.push(&here, "v1", &target).unwrap();
    for path in ["/blobs/sha256", "/manifests/"] {
        let rule = Rule::once(Fault::WrongContent).method(Method::Get).path(path).after(0, 100);
        registry.inject(rule);
        let there = layout(&directory, &format!("there{}", path.len()));
        let pinned = target.pinned(image.digest.clone());
        let outcome = client.pull(&pinned, &there, "v1");
        assert!(matches!(outcome, Err(Error::Mismatch(_))), "{path}: {outcome:?}");
        assert!(there.index().unwrap().manifests.is_empty());
        assert!(there.sweep().unwrap().is_empty(), "nothing was kept");
        registry.clear_faults();
    }
}

#[test]
fn a_mirror_is_asked_first_and_what_it_gives_is_verified() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    let image = image(&here, 1, 100_000);
    let origin = Registry::start(registry::Options::default()).unwrap();
    let mirror = Registry::start(registry::Options::default()).unwrap();
    let host = origin.address().to_string();
    let target = reference(&format!("{host}/team/app:v1"));
    let mirrored = reference(&format!("{}/team/app:v1", mirror.address()));
    let plain = Client::new(quick()).unwrap();
    plain.push(&here, "v1", &target).unwrap();
    let mirrors = BTreeMap::from([(host, vec!["127.0.0.1:1".to_owned(), mirror.address().to_string()])]);
    let patience = Patience { attempts: 1, ..quick().patience };
    let client = Client::new(Options { mirrors, patience, ..quick() }).unwrap();
    // Empty, absent, lying: the origin answers.
    let pull = |name: &str| {
        let there = layout(&directory, name);
        client.pull(&target.pinned(image.digest.clone()), &there, "v1").unwrap();
        assert_same(&here, &there, "v1");
    };
    pull("empty");
    plain.push(&here, "v1", &mirrored).unwrap();
    mirror.registry().inject(Rule::once(Fault::WrongContent).method(Method::Get).after(0, 1000));
    pull("lying");
    mirror.registry().clear_faults();
    // Good: the origin is not needed.
    drop(origin);
    pull("good");
}

#[test]
fn a_redirect_to_another_host_gets_no_credentials() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 100_000);
    let storage = Registry::start(registry::Options::default()).unwrap();
    let auth = Auth::Basic { username: "u".to_owned(), password: "p".to_owned() };
    let origin = Registry::start(registry::Options { auth, ..registry::Options::default() }).unwrap();
    let host = origin.address().to_string();
    let target = reference(&format!("{host}/team/app:v1"));
    let keyring = Keyring::new().with(&host, password("p"));
    let client = Client::new(Options { keyring, ..quick() }).unwrap();
    client.push(&here, "v1", &target).unwrap();
    let copy = reference(&format!("{}/team/app:v1", storage.address()));
    Client::new(quick()).unwrap().push(&here, "v1", &copy).unwrap();
    let to = format!("http://{}", storage.address());
    origin.registry().inject(
        Rule::once(Fault::Redirect { to: to.clone() }).method(Method::Get).path("/blobs/").after(0, 100),
    );
    let there = layout(&directory, "there");
    client.pull(&target, &there, "v1").unwrap();
    assert_same(&here, &there, "v1");
    // A challenge of the other host is no challenge of the registry's.
    drop(storage);
    let auth = Auth::Basic { username: "u".to_owned(), password: "p".to_owned() };
    let greedy = Registry::start(registry::Options { auth, ..registry::Options::default() }).unwrap();
    origin.registry().clear_faults();
    let to = format!("http://{}", greedy.address());
    origin
        .registry()
        .inject(Rule::once(Fault::Redirect { to }).method(Method::Get).path("/blobs/").after(0, 9));
    match client.pull(&target, &layout(&directory, "other"), "v1") {
        Err(Error::Registry(refusal)) => assert_eq!(refusal.status, 401),
        other => panic!("{other:?}"),
    }
}

#[test]
fn plain_http_is_spoken_to_loopback_only_unless_a_host_is_named() {
    let (_registry, options) = pair(registry::Options::default());
    for (plain_http, host, secure) in [
        (PlainHttp::Loopback, "localhost:5000", false),
        (PlainHttp::Loopback, "127.0.0.2:5000", false),
        (PlainHttp::Loopback, "registry.example", true),
        (PlainHttp::Loopback, "127.0.0.1.example", true),
        (PlainHttp::Never, "127.0.0.1:5000", true),
        (PlainHttp::Hosts(BTreeSet::from(["registry.example".to_owned()])), "registry.example", false),
        (PlainHttp::Hosts(BTreeSet::from(["registry.example".to_owned()])), "registry.example:80", true),
        (PlainHttp::Hosts(BTreeSet::new()), "127.0.0.1", false),
    ] {
        let client = Client::new(Options { plain_http: plain_http.clone(), ..options.clone() }).unwrap();
        let repository = client.repository(&reference(&format!("{host}/a"))).unwrap();
        assert_eq!(repository.root().is_secure(), secure, "{plain_http:?} {host}");
    }
    let client = Client::new(options).unwrap();
    let named = client.tags(&reference("team/app"));
    assert!(matches!(named, Err(Error::Caller(_))), "no registry is made up");
    let bare = client.resolve(&reference("registry.example/team/app"));
    assert!(matches!(bare, Err(Error::Caller(_))), "no tag is made up");
}

#[test]
fn docker_and_podman_configurations_are_read() {
    let keyring = Keyring::parse(
        br#"{"auths":{
            "https://index.docker.io/v1/":{"auth":"\u0061HViOnNlY3JldDp3aXRoOmNvbG9ucw=="},
            "registry.example":{"username":"n","password":"w"},
            "registry.example/team":{"identitytoken":"it","auth":"eDo="},
            "other.example:5000":{"registrytoken":"rt"},
            "empty.example":{}},
          "HttpHeaders":{"X":"y"},"credHelpers":{"helped.example":"lotse-no-such-helper"}}"#,
    )
    .unwrap();
    let pair = |name: &str, word: &str| Credentials::Password {
        username: name.to_owned(),
        password: word.to_owned(),
    };
    let client = Client::new(pair_options()).unwrap();
    for (name, expected) in [
        ("docker.io/library/busybox", pair("hub", "secret:with:colons")),
        ("registry-1.docker.io/a/b", pair("hub", "secret:with:colons")),
        ("registry.example/app", pair("n", "w")),
        ("registry.example/team", Credentials::IdentityToken("it".to_owned())),
        ("registry.example/team/app/deep", Credentials::IdentityToken("it".to_owned())),
        ("registry.example/teams/app", pair("n", "w")),
        ("other.example:5000/app", Credentials::RegistryToken("rt".to_owned())),
        ("other.example/app", Credentials::Anonymous),
        ("empty.example/app", Credentials::Anonymous),
    ] {
        let repository = client.repository(&reference(name)).unwrap();
        let found = keyring.credentials(&repository).unwrap();
        assert!(found == expected, "{name}");
        assert!(!format!("{found:?}{keyring:?}").contains("secret:with"), "no secret is shown");
    }
    let helped = client.repository(&reference("helped.example/app")).unwrap();
    assert!(
        matches!(keyring.credentials(&helped), Err(Error::Unsupported { .. })),
        "a helper that is missing"
    );
    for (what, bytes) in [
        ("no JSON", &b"{"[..]),
        ("no base64", br#"{"auths":{"a.example":{"auth":"secret!"}}}"#),
        ("no colon", br#"{"auths":{"a.example":{"auth":"c2VjcmV0"}}}"#),
    ] {
        let error = Keyring::parse(bytes).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{what}: {error}");
    }
    let evil = Keyring::parse(br#"{"credsStore":"../../bin/sh"}"#).unwrap();
    assert!(matches!(evil.credentials(&helped), Err(Error::Malformed { .. })), "a helper is a name, no path");
}

fn pair_options() -> Options {
    pair(registry::Options::default()).1
}

#[cfg(unix)]
#[test]
fn a_credential_helper_is_asked_for_its_registry() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let helper = directory.path().join("docker-credential-lotse-test");
    let script = "#!/bin/sh\nread host\n[ \"$1\" = get ] || exit 1\ncase $host in\nunknown.example) echo 'credentials not found in native keychain'; exit 1;;\nesac\necho \"{\\\"ServerURL\\\":\\\"$host\\\",\\\"Username\\\":\\\"<token>\\\",\\\"Secret\\\":\\\"for $host\\\"}\"\n";
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    // A child of this test has the helper on its path; the environment of this process stays as it is.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let inner = std::env::var_os("LOTSE_TEST_HELPER").is_some();
    if !inner {
        let path = std::env::join_paths(
            std::iter::once(directory.path().to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        )
        .unwrap();
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_credential_helper_is_asked_for_its_registry"])
            .env("PATH", path)
            .env("LOTSE_TEST_HELPER", "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let client = Client::new(pair_options()).unwrap();
    let keyring = Keyring::parse(br#"{"credsStore":"lotse-test"}"#).unwrap();
    let ask = |name: &str| {
        let repository = client.repository(&reference(name)).unwrap();
        keyring.credentials(&repository).unwrap()
    };
    assert!(ask("registry.example/a") == Credentials::IdentityToken("for registry.example".to_owned()));
    let hub = Credentials::IdentityToken("for https://index.docker.io/v1/".to_owned());
    assert!(ask("docker.io/a") == hub);
    assert!(ask("unknown.example/a") == Credentials::Anonymous);
}

#[test]
fn warnings_are_kept_once_each() {
    let warning = Some("this \"registry\" will be removed".to_owned());
    let (_registry, options) = pair(registry::Options { warning, ..registry::Options::default() });
    let client = Client::new(options).unwrap();
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 1000);
    client.push(&here, "v1", &reference("registry.example/team/app:v1")).unwrap();
    let expected = BTreeSet::from(["this \"registry\" will be removed".to_owned()]);
    assert_eq!(client.warnings(), expected);
}

#[test]
fn lists_come_page_by_page() {
    for page in [1, 2, 1000] {
        let (_registry, options) = pair(registry::Options { page, ..registry::Options::default() });
        let client = Client::new(options).unwrap();
        let directory = TempDir::new().unwrap();
        let here = layout(&directory, "here");
        image(&here, 1, 100);
        for tag in ["b", "a", "c", "d"] {
            client.push(&here, "v1", &reference(&format!("registry.example/team/app:{tag}"))).unwrap();
        }
        let target = reference("registry.example/team/app:a");
        assert_eq!(client.tags(&target).unwrap(), ["a", "b", "c", "d"]);
        for number in 0..5_u8 {
            client.attach(&target, "application/note", &[number], BTreeMap::new()).unwrap();
        }
        assert_eq!(client.referrers(&target, None).unwrap().len(), 5);
        assert_eq!(client.referrers(&target, Some("application/note")).unwrap().len(), 5);
        assert_eq!(client.referrers(&target, Some("application/other")).unwrap().len(), 0);
    }
}

#[test]
fn clients_that_attach_at_once_lose_nothing() {
    // With If-Match nothing can be lost; without it, nothing is as long as nobody is slower than `settle`.
    for (honours_if_match, settle) in [(true, 0), (false, 150)] {
        let directory = TempDir::new().unwrap();
        let options =
            registry::Options { referrers_api: false, honours_if_match, ..registry::Options::default() };
        let registry = Registry::start(options).unwrap();
        let here = layout(&directory, "here");
        image(&here, 1, 1000);
        let target = reference(&format!("{}/team/app:v1", registry.address()));
        Client::new(quick()).unwrap().push(&here, "v1", &target).unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4_u8 {
                let target = &target;
                scope.spawn(move || {
                    let settle = Some(Duration::from_millis(settle));
                    let client = Client::new(Options { settle, ..quick() }).unwrap();
                    for number in 0..5_u8 {
                        client
                            .attach(target, "application/note", &[writer, number], BTreeMap::new())
                            .unwrap();
                    }
                });
            }
        });
        let found = Client::new(quick()).unwrap().referrers(&target, None).unwrap();
        assert_eq!(found.len(), 20, "honours_if_match: {honours_if_match}");
    }
}

#[test]
fn a_registry_in_a_directory_outlives_its_process() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 300_000);
    let options = || registry::Options {
        directory: Some(directory.path().join("registry")),
        ..registry::Options::default()
    };
    let target = reference("registry.example/team/app:v1");
    let (_first, client) = pair(options());
    let client = Client::new(client).unwrap();
    client.push(&here, "v1", &target).unwrap();
    let note = client.attach(&target, "application/note", b"note", BTreeMap::new()).unwrap();
    let (_second, client) = pair(options());
    let client = Client::new(client).unwrap();
    let there = layout(&directory, "there");
    client.pull(&target, &there, "v1").unwrap();
    assert_same(&here, &there, "v1");
    assert_eq!(client.referrers(&target, None).unwrap()[0].digest, note.digest);
}

#[test]
fn pulls_into_one_layout_at_once_do_not_get_into_each_others_way() {
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 2_000_000);
    let (registry, options) = pair(registry::Options::default());
    let client = Client::new(options).unwrap();
    for tag in 0..8 {
        client.push(&here, "v1", &reference(&format!("registry.example/team/app:v{tag}"))).unwrap();
    }
    // Every download breaks once, so that partial files are taken up while others write theirs.
    let rule = Rule::once(Fault::CutAnswer { after: 700_000 }).method(Method::Get).path("/blobs/sha256");
    registry.inject(rule.after(0, 6));
    let there = layout(&directory, "there");
    std::thread::scope(|scope| {
        for tag in 0..8 {
            let (client, there) = (&client, &there);
            scope.spawn(move || {
                let from = reference(&format!("registry.example/team/app:v{tag}"));
                client.pull(&from, there, &format!("v{tag}")).unwrap();
            });
        }
    });
    assert_eq!(there.index().unwrap().manifests.len(), 8, "no tag is lost");
    for tag in 0..8 {
        here.tag(&here.resolve("v1").unwrap(), &format!("v{tag}")).unwrap();
        assert_same(&here, &there, &format!("v{tag}"));
    }
    assert!(there.sweep().unwrap().is_empty(), "nothing is left over");
}

#[test]
fn a_blob_that_was_damaged_here_is_not_pushed() {
    for (what, chunk) in [("in pieces", 64 << 10), ("whole", 16 << 20)] {
        let directory = TempDir::new().unwrap();
        let here = layout(&directory, "here");
        let image = image(&here, 1, 300_000);
        let large = here.manifest(&image).unwrap().layers[1].clone();
        let (registry, options) = pair(registry::Options::default());
        let counting = Counting::new(&registry);
        let upload = UploadOptions { chunk, ..UploadOptions::default() };
        let client =
            Client::new(Options { upload, transport: Some(counting.clone()), threads: 1, ..options })
                .unwrap();
        let mut bytes = std::fs::read(here.blob_path(&large.digest)).unwrap();
        bytes[7] ^= 1;
        std::fs::write(here.blob_path(&large.digest), &bytes).unwrap();
        let target = reference("registry.example/team/app:v1");
        let outcome = client.push(&here, "v1", &target);
        assert!(matches!(outcome, Err(Error::Mismatch(_))), "{what}: {outcome:?}");
        let ended = counting.seen.lock().unwrap().iter().any(|(method, path, _)| {
            *method == Method::Put && path.contains(&large.digest.encoded()) && chunk < 300_000
        });
        assert!(!ended, "{what}: the upload was not ended");
        assert!(!client.has_blob(&target, &large.digest).unwrap(), "{what}");
        bytes.truncate(1000);
        std::fs::write(here.blob_path(&large.digest), &bytes).unwrap();
        assert!(matches!(client.push(&here, "v1", &target), Err(Error::Size { .. })), "{what}: cut short");
    }
}

#[test]
fn a_proxy_is_used_where_one_is_named() {
    let registry = Registry::start(registry::Options::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Some(format!("http://{}", listener.local_addr().unwrap()));
    let (asked, address) = (Arc::new(Mutex::new(BTreeSet::new())), registry.address());
    let told = Arc::clone(&asked);
    // It takes every host for the registry, and ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut client, told) = (stream.unwrap(), Arc::clone(&told));
            std::thread::spawn(move || {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    client.read_exact(&mut byte).unwrap();
                    head.push(byte[0]);
                }
                let line = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
                told.lock().unwrap().insert(line);
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                let server = TcpStream::connect(address).unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
                let _ = std::io::copy(&mut &server, &mut client);
            });
        }
    });
    let plain_http = PlainHttp::Hosts(BTreeSet::from(["registry.invalid".to_owned()]));
    let client = Client::new(Options { proxy, plain_http: plain_http.clone(), ..quick() }).unwrap();
    let directory = TempDir::new().unwrap();
    let here = layout(&directory, "here");
    image(&here, 1, 1000);
    client.push(&here, "v1", &reference("registry.invalid/team/app:v1")).unwrap();
    let expected = BTreeSet::from(["CONNECT registry.invalid:80 HTTP/1.1".to_owned()]);
    assert_eq!(*asked.lock().unwrap(), expected);
    let wrong = Options { proxy: Some("no proxy".to_owned()), ..quick() };
    assert!(matches!(Client::new(wrong), Err(Error::Caller(_))));
}

#[cfg(not(feature = "rustls"))]
#[test]
fn https_without_its_feature_is_refused_at_once() {
    let outcome = Client::new(Options::default()).unwrap().tags(&reference("registry.invalid/team/app"));
    assert!(matches!(outcome, Err(Error::Unsupported { .. })), "{outcome:?}");
}
