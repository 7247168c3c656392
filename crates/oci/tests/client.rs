//! The client's verbs over the registry for tests: without sockets and over sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use lotse_digest::Digest;
use lotse_oci::client::{Client, Event, Keyring, Options, PlainHttp};
use lotse_oci::distribution::Credentials;
use lotse_oci::registry::{self, Registry};
use lotse_oci::{Error, Index, Limits, Manifest};
use support::*;
use tempfile::TempDir;

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

#[cfg(not(feature = "rustls"))]
#[test]
fn https_without_its_feature_is_refused_at_once() {
    let outcome = Client::new(Options::default()).unwrap().tags(&reference("registry.invalid/team/app"));
    assert!(matches!(outcome, Err(Error::Unsupported { .. })), "{outcome:?}");
}
