//! The cache of TUF in a directory: what a refresh stored is read offline, whatever happened to the refresh after it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test states what must hold; this one asks the environment whether it is the process to be killed"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use lotse_sign::sandbox::{Sandbox, TufFault, TufRepository};
use lotse_sign::tuf::{Cache, Limits, Rule, SIGNING_CONFIG, TRUSTED_ROOT};
use lotse_sign::{Error, Time};

const BOTH: [&str; 2] = [TRUSTED_ROOT, SIGNING_CONFIG];

fn now() -> Time {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn repository() -> TufRepository {
    Sandbox::new("cache", now()).tuf().unwrap()
}

fn refresh(cache: &mut Cache, repository: &TufRepository) -> Result<[Option<u64>; 4], Error> {
    let update = cache.refresh(&repository.initial_root(), repository, &BOTH, now(), Limits::default())?;
    Ok(update.versions())
}

fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}"))),
            false => found.push(name),
        }
    }
    found.sort();
    found
}

#[test]
fn what_a_refresh_stored_is_read_offline() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not/there/yet");
    let (mut cache, mut repository) = (Cache::new(&path), repository());
    let root = repository.initial_root();
    let empty = cache.trusted_root(&root, now()).unwrap_err();
    assert!(matches!(&empty, Error::Tuf(refusal) if refusal.rule == Rule::Absence), "{empty}");
    assert!(empty.to_string().contains("no refresh of the cache"), "{empty}");
    assert!(!path.exists(), "reading makes nothing");
    repository.advance().unwrap();
    assert_eq!(refresh(&mut cache, &repository).unwrap(), [Some(2), Some(12), Some(12), Some(12)]);
    assert_eq!(
        files(&path),
        [
            "complete",
            "root.json",
            "root_history/2.root.json",
            "snapshot.json",
            "targets.json",
            "targets/signing_config.v0.2.json",
            "targets/trusted_root.json",
            "timestamp.json",
        ]
    );
    let expected = Sandbox::new("cache", now()).trusted_root().unwrap();
    assert_eq!(cache.trusted_root(&root, now()).unwrap().digest(), expected.digest());
    assert!(cache.signing_config(&root, now()).is_ok());
    let late = cache.trusted_root(&root, Time::from_seconds(now().seconds() + 8 * 86_400)).unwrap_err();
    assert!(matches!(&late, Error::Tuf(refusal) if refusal.rule == Rule::Freeze), "{late}");
    let other = Sandbox::new("another", now()).tuf().unwrap().initial_root();
    let foreign = cache.trusted_root(&other, now()).unwrap_err();
    assert!(matches!(&foreign, Error::Tuf(refusal) if refusal.rule == Rule::Signatures), "{foreign}");
}

#[test]
fn a_refresh_that_fails_leaves_offline_readings_what_they_had() {
    for fault in TufFault::ALL {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = Cache::new(directory.path());
        let mut repository = Sandbox::new("cache", now()).tuf_with_faults([fault]).unwrap();
        let root = repository.initial_root();
        refresh(&mut cache, &repository).unwrap();
        let before = cache.complete().unwrap();
        repository.set_target(TRUSTED_ROOT, b"another");
        repository.advance().unwrap();
        if refresh(&mut cache, &repository).is_err() {
            assert_eq!(cache.complete().unwrap(), before, "{fault:?}");
            assert!(cache.trusted_root(&root, now()).is_ok(), "{fault:?}");
        }
    }
}

#[test]
fn rubbish_in_the_directory_is_refused_and_the_next_refresh_repairs_it() {
    let repository = repository();
    let root = repository.initial_root();
    for rubbish in
        [&b""[..], b"{", b"{\"files\":{\"timestamp.json\":\"AAAA\"}}", b"{\"files\":{}}", &[0xff; 4096]]
    {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = Cache::new(directory.path());
        refresh(&mut cache, &repository).unwrap();
        for name in files(directory.path()) {
            fs::write(directory.path().join(name), rubbish).unwrap();
        }
        assert!(cache.trusted_root(&root, now()).is_err());
        refresh(&mut cache, &repository).unwrap();
        assert!(cache.trusted_root(&root, now()).is_ok());
    }
}

/// The process that is killed: this test again, which refreshes over and over.
#[test]
fn refresher() {
    let Ok(directory) = env::var("LOTSE_KILL_TUF") else { return };
    let (mut cache, mut repository) = (Cache::new(directory), repository());
    println!("ready");
    loop {
        repository.advance().unwrap();
        refresh(&mut cache, &repository).unwrap();
    }
}

#[test]
fn a_refresh_that_is_killed_leaves_a_cache_that_opens() {
    let root = repository().initial_root();
    let mut state = 7_u64;
    let mut reached = 0;
    for _ in 0..12 {
        let directory = tempfile::tempdir().unwrap();
        let (mut cache, mut repository) = (Cache::new(directory.path()), repository());
        refresh(&mut cache, &repository).unwrap();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "refresher", "--nocapture"])
            .env("LOTSE_KILL_TUF", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("ready") {}
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_micros((state >> 33) % 80_000));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        // Offline, what the last complete refresh stored; online, the next refresh goes on, with states newer than the stored.
        assert!(cache.trusted_root(&root, now()).is_ok() && cache.signing_config(&root, now()).is_ok());
        reached += files(directory.path()).iter().filter(|name| name.starts_with("root_history/")).count();
        loop {
            repository.advance().unwrap();
            match refresh(&mut cache, &repository) {
                Ok(_) => break,
                Err(Error::Tuf(refusal)) if refusal.rule == Rule::Rollback => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(cache.trusted_root(&root, now()).is_ok());
    }
    assert!(reached > 0, "the processes got somewhere");
}
