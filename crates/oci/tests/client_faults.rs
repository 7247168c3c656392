//! The client where things go wrong: credentials, faults, broken connections, wrong content, others at the same time.
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
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lotse_oci::Error;
use lotse_oci::client::{Client, Keyring, Options, PlainHttp};
use lotse_oci::distribution::{Credentials, Method, Patience, UploadOptions};
use lotse_oci::registry::{self, Auth, Fault, Registry, Rule};
use support::*;
use tempfile::TempDir;

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
