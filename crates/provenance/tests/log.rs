//! The audit log: what is appended is proved, and what is tampered with is named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lotse_digest::Digest;
use lotse_provenance::{Actor, ActorKind, Error, Event, Log, manual_steps};
use lotse_sign::{Scheme, SigningKey};
use tempfile::TempDir;

const ORIGIN: &str = "log.example/app";

fn key() -> SigningKey {
    SigningKey::from_secret(Scheme::Ed25519, &[3; 32]).unwrap()
}

fn event(number: usize) -> Event {
    Event {
        version: 1,
        time: "2026-01-01T00:00:00Z".to_owned(),
        time_source: "commit".to_owned(),
        actor: Actor { kind: ActorKind::Bot, id: "ci".to_owned() },
        action: "release".to_owned(),
        application: "app".to_owned(),
        environment: None,
        commit: Some(format!("{number:040x}")),
        run: None,
        images: BTreeMap::from([("app".to_owned(), Digest::sha256(&number.to_le_bytes()))]),
        evidence: BTreeMap::new(),
    }
}

fn filled(directory: &Path, count: usize) -> Log {
    let mut log = Log::open(directory).unwrap();
    for number in 0..count {
        assert_eq!(log.append(&event(number), ORIGIN, &key()).unwrap(), number as u64);
    }
    log
}

#[test]
fn every_entry_is_proved_and_a_reopened_log_is_the_same() {
    let directory = TempDir::new().unwrap();
    let log = filled(directory.path(), 12);
    let reopened = Log::open(directory.path()).unwrap();
    let checkpoint = reopened.verify(ORIGIN, &key().verifying_key()).unwrap();
    assert_eq!(checkpoint, log.verify(ORIGIN, &key().verifying_key()).unwrap());
    for (index, entry) in reopened.entries().enumerate() {
        let proof = reopened.prove(index as u64, &checkpoint).unwrap();
        proof.verify(entry).unwrap();
        assert!(matches!(proof.verify(b"another"), Err(Error::Proof { .. })));
    }
    assert!(reopened.prove(12, &checkpoint).is_err());
    assert_eq!(reopened.events().unwrap()[5], event(5));
}

#[test]
fn a_repeated_event_is_not_stored_again() {
    let directory = TempDir::new().unwrap();
    let mut log = filled(directory.path(), 3);
    assert_eq!(log.append(&event(1), ORIGIN, &key()).unwrap(), 1);
    assert_eq!(log.size(), 3);
}

#[test]
fn a_log_of_more_than_one_tile_reads_back() {
    let directory = TempDir::new().unwrap();
    let log = filled(directory.path(), 259);
    for file in ["tile/0/000", "tile/0/001.p/3", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/3"]
    {
        assert!(directory.path().join(file).is_file(), "{file}");
    }
    assert_eq!(fs::metadata(directory.path().join("tile/0/000")).unwrap().len(), 8192);
    assert_eq!(Log::open(directory.path()).unwrap().size(), log.size());
}

#[test]
fn a_log_extends_every_checkpoint_it_ever_had() {
    let directory = TempDir::new().unwrap();
    let early = filled(directory.path(), 5).verify(ORIGIN, &key().verifying_key()).unwrap();
    let log = filled(directory.path(), 9);
    log.verify_extends(&early).unwrap();
    let other = TempDir::new().unwrap();
    let mut fork = Log::open(other.path()).unwrap();
    for number in [0, 1, 2, 4, 3, 5, 6] {
        fork.append(&event(number), ORIGIN, &key()).unwrap();
    }
    assert!(matches!(fork.verify_extends(&early), Err(Error::Proof { .. })), "reordered");
    let short = TempDir::new().unwrap();
    assert!(matches!(filled(short.path(), 4).verify_extends(&early), Err(Error::Log(_))), "rolled back");
}

#[test]
fn every_tampering_is_found() {
    type Tamper = fn(&Path);
    let entries = "tile/entries/000.p/4";
    let table: [(&str, Tamper); 7] = [
        ("a byte of an entry", |log| change(&log.join("tile/entries/000.p/4"), |bytes| bytes[20] ^= 1)),
        ("an entry cut off", |log| {
            change(&log.join("tile/entries/000.p/4"), |bytes| bytes.truncate(bytes.len() - 1))
        }),
        ("an entry more", |log| {
            change(&log.join("tile/entries/000.p/4"), |bytes| bytes.extend_from_slice(&[0, 1, 65]))
        }),
        ("a hash", |log| change(&log.join("tile/0/000.p/4"), |bytes| bytes[40] ^= 1)),
        ("the size in the checkpoint", |log| replace(&log.join("checkpoint"), "\n4\n", "\n3\n")),
        ("the origin", |log| replace(&log.join("checkpoint"), "log.example/app\n4", "log.example/apq\n4")),
        ("the signature", |log| {
            change(&log.join("checkpoint"), |bytes| {
                let at = bytes.len() - 9;
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' }
            })
        }),
    ];
    for (name, tamper) in table {
        let directory = TempDir::new().unwrap();
        filled(directory.path(), 4);
        assert!(directory.path().join(entries).is_file());
        tamper(directory.path());
        let result = Log::open(directory.path()).and_then(|log| log.verify(ORIGIN, &key().verifying_key()));
        assert!(result.is_err(), "{name}");
    }
    let directory = TempDir::new().unwrap();
    filled(directory.path(), 4);
    let other = SigningKey::from_secret(Scheme::Ed25519, &[4; 32]).unwrap().verifying_key();
    assert!(matches!(Log::open(directory.path()).unwrap().verify(ORIGIN, &other), Err(Error::Sign(_))));
}

fn change(file: &Path, change: fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from));
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn an_unknown_actor_counts_as_a_person() {
    let by = |kind| Event { actor: Actor { kind, id: "x".to_owned() }, ..event(0) };
    let events =
        [by(ActorKind::Human), by(ActorKind::Bot), by(ActorKind::Controller), by(ActorKind::Unknown)];
    assert_eq!(manual_steps(&events).len(), 2);
}

#[test]
fn an_entry_that_is_no_event_says_why() {
    let good = String::from_utf8(event(0).to_entry().unwrap()).unwrap();
    for (changed, part) in [
        (good.replace("\"version\":1", "\"version\":2"), "version is 2"),
        (good.replace("2026-01-01T", "2026-13-01T"), "is no time"),
        (good.replace("\"actor\"", "\"surprise\""), "surprise"),
        (good.replace("\"bot\"", "\"robot\""), "robot"),
    ] {
        let error = Event::parse(changed.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let large = Event { application: "x".repeat(70_000), ..event(0) };
    assert!(matches!(large.to_entry(), Err(Error::Limit { .. })));
}
