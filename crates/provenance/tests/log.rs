//! The audit log: what is appended is proved and found, and what is tampered with is named with its place.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::collections::BTreeMap;

use lotse_digest::{Digest, MerkleTree};
use lotse_provenance::{
    Actor, ActorKind, Anchor, Error, Event, Log, LogStore, MemoryStore, Query, Tampering, Timestamp, Witness,
};
use lotse_sign::{Checkpoint, NoteKey, Scheme, SignedNote, SigningKey, VerifyingKey, WitnessPolicy};
use proptest::prelude::*;
#[cfg(feature = "fs")]
use tempfile::TempDir;

const ORIGIN: &str = "log.example/app";
type Files = BTreeMap<String, Vec<u8>>;

fn key() -> SigningKey {
    SigningKey::from_secret(Scheme::Ed25519, &[3; 32]).unwrap()
}

fn public() -> VerifyingKey {
    key().verifying_key()
}

fn event(number: usize) -> Event {
    let time = Timestamp::from_seconds(1_760_000_000 + number as i64);
    let mut event = Event::new(time, "commit", Actor::bot(format!("ci-{}", number % 3)), "release", "app");
    event.commit = Some(format!("{number:040x}"));
    event.release = Some(format!("v1.{number}"));
    event.images = BTreeMap::from([("app".to_owned(), Digest::sha256(&number.to_le_bytes()))]);
    event
}

fn events(range: std::ops::Range<usize>) -> Vec<Event> {
    range.map(event).collect()
}

fn filled(count: usize) -> Log<MemoryStore> {
    let mut log = Log::over(MemoryStore::new()).unwrap();
    log.append_all(&events(0..count), ORIGIN, &key()).unwrap();
    log
}

fn files(log: &Log<MemoryStore>) -> Files {
    log.store().files()
}

fn over(files: Files) -> Log<MemoryStore> {
    Log::over(MemoryStore::from_files(files)).unwrap()
}

fn signed(log: &Log<MemoryStore>) -> Checkpoint {
    Checkpoint::verify(log.unverified_checkpoint().unwrap(), ORIGIN, &public()).unwrap()
}

#[cfg(feature = "fs")]
#[test]
fn every_entry_is_proved_and_a_reopened_log_is_the_same() {
    let directory = TempDir::new().unwrap();
    let mut log = Log::open(directory.path()).unwrap();
    for number in 0..12 {
        assert_eq!(log.append(&event(number), ORIGIN, &key()).unwrap(), number as u64);
    }
    let reopened = Log::open(directory.path()).unwrap();
    let checkpoint = reopened.verify(ORIGIN, &public()).unwrap();
    assert_eq!(checkpoint, log.verify(ORIGIN, &public()).unwrap());
    for index in 0..12 {
        let proof = lotse_sign::TlogProof::parse(&reopened.prove(index).unwrap().to_text()).unwrap();
        assert!(proof.to_text().len() < 600);
        assert_eq!(proof.verify(&reopened.entry(index).unwrap(), ORIGIN, &public()).unwrap(), checkpoint);
        assert!(proof.verify(b"another", ORIGIN, &public()).is_err());
    }
    assert!(reopened.prove(12).is_err() && reopened.entry(12).is_err());
    assert_eq!(reopened.events().unwrap()[5], event(5));
    assert!(!directory.path().join(".tmp").exists(), "nothing temporary is left");
}

#[test]
fn a_log_is_the_same_bytes_in_whatever_steps_it_was_appended() {
    let whole = files(&filled(700));
    for steps in [&[1, 255, 256, 100, 88][..], &[512, 188], &[300, 400], &[699, 1]] {
        let mut log = Log::over(MemoryStore::new()).unwrap();
        let mut at = 0;
        for step in steps {
            log.append_all(&events(at..at + step), ORIGIN, &key()).unwrap();
            log = over(files(&log));
            at += step;
        }
        // Partial tiles of sizes that had a checkpoint stay until the full one is there; all else is equal.
        let mut stepped = files(&log);
        stepped.retain(|name, _| whole.contains_key(name) || !name.contains(".p/"));
        assert_eq!(stepped, whole, "{steps:?}");
        assert!(
            files(&log).keys().all(|name| !name.starts_with("tile/0/000.p")),
            "{steps:?}: full ones take over"
        );
    }
}

#[test]
fn tiles_are_those_of_the_specification() {
    let log = filled(70_000);
    let names: Vec<String> = files(&log).into_keys().filter(|name| name.contains(".p/")).collect();
    assert_eq!(names, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"]);
    let files = files(&log);
    assert_eq!(files.keys().filter(|name| name.starts_with("tile/0/") && !name.contains(".p/")).count(), 273);
    assert_eq!(files["tile/0/000"].len(), 8192);
    assert_eq!(files["tile/1/000"].len(), 8192);
    for index in [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999] {
        log.prove(index).unwrap().verify(&log.entry(index).unwrap(), ORIGIN, &public()).unwrap();
    }
    log.verify(ORIGIN, &public()).unwrap();
}

#[test]
fn proofs_from_tiles_are_those_of_the_whole_tree() {
    let mut log = filled(600);
    log.append_all(&events(600..610), ORIGIN, &key()).unwrap();
    let mut tree = MerkleTree::new();
    log.visit(0..610, |_, entry| {
        tree.push(entry);
        Ok(())
    })
    .unwrap();
    assert_eq!(log.root().unwrap(), tree.root());
    for index in 0..610 {
        assert_eq!(log.prove(index).unwrap().hashes(), tree.inclusion_proof(index, 610).unwrap());
        assert_eq!(
            log.consistency_proof(index).unwrap(),
            tree.consistency_proof(index, 610).unwrap_or_default(),
            "there is none from the empty log"
        );
    }
    assert!(log.consistency_proof(610).unwrap().is_empty() && log.consistency_proof(611).is_err());
}

#[test]
fn a_repeated_event_is_not_stored_again() {
    let mut log = filled(300);
    let places = log.append_all(&[event(1), event(400), event(400), event(299)], ORIGIN, &key()).unwrap();
    assert_eq!(places, [1, 300, 300, 299]);
    let mut log = over(files(&log));
    assert_eq!((log.append(&event(400), ORIGIN, &key()).unwrap(), log.size()), (300, 301));
}

#[test]
fn what_is_not_ours_is_not_appended_to() {
    let other = SigningKey::from_secret(Scheme::Ed25519, &[4; 32]).unwrap();
    assert!(matches!(filled(4).append(&event(9), ORIGIN, &other), Err(Error::Sign(_))), "another key");
    assert!(filled(4).append(&event(9), "log.example/other", &key()).is_err(), "another origin");
    // Whoever changes a tile must not get it signed by the next append.
    for name in ["tile/0/000.p/4", "tile/entries/000.p/4"] {
        let mut files = files(&filled(4));
        files.get_mut(name).unwrap()[20] ^= 1;
        let before = files.clone();
        let mut log = over(files);
        assert!(log.append(&event(9), ORIGIN, &key()).is_err(), "{name}");
        assert_eq!(log.store().files(), before);
    }
    let large = vec![vec![0; 65_536]];
    assert!(matches!(filled(4).append_entries(&large, ORIGIN, &key()), Err(Error::Limit { .. })));
    assert!(filled(4).append_entries(&[vec![0; 65_535], Vec::new()], ORIGIN, &key()).is_ok());
}

#[cfg(feature = "fs")]
#[test]
fn two_writers_of_one_directory_take_turns() {
    let directory = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = directory.path();
            scope.spawn(move || {
                let mut log = Log::open(path).unwrap();
                for number in 0..20 {
                    log.append(&event(writer * 100 + number), ORIGIN, &key()).unwrap();
                }
            });
        }
    });
    let log = Log::open(directory.path()).unwrap();
    assert_eq!(log.verify(ORIGIN, &public()).unwrap().size, 80);
}

/// Cuts bundles anew from a list of entries, as one who has the files but not the key would.
fn with_entries(files: &mut Files, entries: &[Vec<u8>]) {
    files.retain(|name, _| !name.starts_with("tile/entries/"));
    for (number, chunk) in entries.chunks(256).enumerate() {
        let mut bytes = Vec::new();
        for entry in chunk {
            bytes.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(entry);
        }
        let partial = if chunk.len() < 256 { format!(".p/{}", chunk.len()) } else { String::new() };
        files.insert(format!("tile/entries/{number:03}{partial}"), bytes);
    }
}

fn all_entries(log: &Log<MemoryStore>) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    log.visit(0..log.size(), |_, entry| {
        entries.push(entry.to_vec());
        Ok(())
    })
    .unwrap();
    entries
}

/// The hash tiles that fit the entries, so that only the checkpoint can tell.
fn retiled(files: &mut Files) {
    let mut entries = Vec::new();
    for number in 0..4 {
        let prefix = format!("tile/entries/{number:03}");
        let Some(bytes) =
            files.iter().find(|(name, _)| name.starts_with(&prefix)).map(|(_, bytes)| bytes.clone())
        else {
            break;
        };
        let mut rest = bytes.as_slice();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (entry, after) = after.split_at(u16::from_be_bytes(*length).into());
            entries.push(entry.to_vec());
            rest = after;
        }
    }
    let mut log = Log::over(MemoryStore::new()).unwrap();
    log.append_entries(&entries, ORIGIN, &key()).unwrap();
    files.retain(|name, _| name == "checkpoint");
    files.extend(log.store().files().into_iter().filter(|(name, _)| name != "checkpoint"));
}

#[test]
fn every_tampering_is_found_with_its_place() {
    let log = filled(600);
    let entries = all_entries(&log);
    let edited = |edit: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let (mut files, mut entries) = (files(&log), entries.clone());
        edit(&mut entries);
        with_entries(&mut files, &entries);
        files
    };
    let byte = |name: &str, at: usize| {
        let mut files = files(&log);
        files.get_mut(name).unwrap_or_else(|| panic!("{name}"))[at] ^= 1;
        files
    };
    let forged_time = |entries: &mut Vec<Vec<u8>>| {
        let text = String::from_utf8(entries[300].clone()).unwrap();
        entries[300] = text.replace("2025-10", "2024-10").into_bytes();
        assert_ne!(entries[300], text.into_bytes());
    };
    let file = |name: &'static str| move |finding: &Tampering| matches!(finding, Tampering::File { name: other, .. } if other == name);
    type Expect = Box<dyn Fn(&Tampering) -> bool>;
    let is = |expected: Tampering| -> Expect { Box::new(move |finding| *finding == expected) };
    let table: Vec<(&str, Files, Expect)> = vec![
        ("changed", edited(&|entries| entries[300][10] ^= 1), is(Tampering::Changed { index: 300 })),
        (
            "the last one changed",
            edited(&|entries| entries[599][10] ^= 1),
            is(Tampering::Changed { index: 599 }),
        ),
        ("forged time", edited(&forged_time), is(Tampering::Changed { index: 300 })),
        (
            "dropped",
            edited(&|entries| drop(entries.remove(7))),
            is(Tampering::Dropped { index: 7, count: 1 }),
        ),
        (
            "three dropped",
            edited(&|entries| drop(entries.drain(255..258))),
            is(Tampering::Dropped { index: 255, count: 3 }),
        ),
        (
            "inserted",
            edited(&|entries| entries.insert(400, b"more".to_vec())),
            is(Tampering::Inserted { index: 400, count: 1 }),
        ),
        (
            "put at the end",
            edited(&|entries| entries.push(b"more".to_vec())),
            is(Tampering::Inserted { index: 600, count: 1 }),
        ),
        (
            "reordered",
            edited(&|entries| entries.swap(10, 290)),
            is(Tampering::Reordered { index: 10, belongs: 290 }),
        ),
        (
            "moved",
            edited(&|entries| entries[20..24].rotate_left(1)),
            is(Tampering::Reordered { index: 20, belongs: 21 }),
        ),
        (
            "truncated",
            edited(&|entries| entries.truncate(500)),
            is(Tampering::Truncated { left: 500, signed: 600 }),
        ),
        (
            "doubled",
            edited(&|entries| entries.insert(5, entries[4].clone())),
            is(Tampering::Inserted { index: 5, count: 1 }),
        ),
        (
            "two changed, one dropped",
            edited(&|entries| {
                entries[50][10] ^= 1;
                entries.remove(60);
            }),
            is(Tampering::Dropped { index: 50, count: 1 }),
        ),
        ("a hash of a leaf", byte("tile/0/001", 40), Box::new(file("tile/0/001"))),
        ("a hash above", byte("tile/1/000.p/2", 40), Box::new(file("tile/1/000.p/2"))),
        (
            "a bundle is gone",
            {
                let mut files = files(&log);
                files.remove("tile/entries/001");
                files
            },
            Box::new(file("tile/entries/001")),
        ),
        (
            "a tile is gone",
            {
                let mut files = files(&log);
                files.remove("tile/1/000.p/2");
                files
            },
            Box::new(file("tile/1/000.p/2")),
        ),
        (
            "a tile is cut",
            {
                let mut files = files(&log);
                files.get_mut("tile/0/000").unwrap().pop();
                files
            },
            Box::new(file("tile/0/000")),
        ),
        (
            "a bundle is cut",
            {
                let mut files = files(&log);
                files.get_mut("tile/entries/000").unwrap().pop();
                files
            },
            Box::new(file("tile/entries/000")),
        ),
        (
            "entries and tiles written anew",
            {
                let mut files = edited(&|entries| entries[300][10] ^= 1);
                retiled(&mut files);
                files
            },
            is(Tampering::Rewritten { after: 0, before: 600 }),
        ),
        (
            "size in the checkpoint",
            {
                let mut files = files(&log);
                edit(&mut files, "\n600\n", "\n599\n");
                files
            },
            Box::new(|finding| matches!(finding, Tampering::Checkpoint(_))),
        ),
        (
            "origin in the checkpoint",
            {
                let mut files = files(&log);
                edit(&mut files, "example/app\n600", "example/apq\n600");
                files
            },
            Box::new(|finding| matches!(finding, Tampering::Checkpoint(_))),
        ),
        (
            "no checkpoint",
            {
                let mut files = files(&log);
                files.remove("checkpoint");
                files
            },
            Box::new(|finding| matches!(finding, Tampering::Checkpoint(_))),
        ),
    ];
    assert_eq!(log.audit(ORIGIN, &public(), &[]).unwrap().findings, []);
    for (name, files, expected) in table {
        let log = over(files);
        let audit = log.audit(ORIGIN, &public(), &[]).unwrap();
        assert!(
            audit.findings.iter().any(&expected),
            "{name}: {:?}",
            audit.findings.iter().take(5).collect::<Vec<_>>()
        );
        assert!(log.verify(ORIGIN, &public()).is_err(), "{name}");
    }
    let other = SigningKey::from_secret(Scheme::Ed25519, &[4; 32]).unwrap().verifying_key();
    assert!(matches!(log.verify(ORIGIN, &other), Err(Error::Sign(_))));
}

fn edit(files: &mut Files, from: &str, to: &str) {
    let text = String::from_utf8(files["checkpoint"].clone()).unwrap();
    assert!(text.contains(from), "{text}");
    files.insert("checkpoint".to_owned(), text.replace(from, to).into_bytes());
}

fn anchor(log: &Log<MemoryStore>, time: Option<i64>) -> Anchor {
    Anchor { checkpoint: signed(log), time: time.map(Timestamp::from_seconds) }
}

#[test]
fn a_log_rewritten_by_its_owner_is_found_by_a_checkpoint_kept_elsewhere() {
    let mut log = filled(200);
    let early = anchor(&log, None);
    log.append_all(&events(200..400), ORIGIN, &key()).unwrap();
    let late = anchor(&log, None);
    log.append_all(&events(400..500), ORIGIN, &key()).unwrap();
    let seen = [early.clone(), late.clone()];
    assert_eq!(log.audit(ORIGIN, &public(), &seen).unwrap().findings, []);
    log.verify_extends(&early.checkpoint).unwrap();
    log.verify_extends(&late.checkpoint).unwrap();

    // Everything is written anew and signed with the right key.
    let rewritten = |change: &dyn Fn(&mut Vec<Event>)| {
        let mut events = events(0..500);
        change(&mut events);
        let mut log = Log::over(MemoryStore::new()).unwrap();
        log.append_all(&events, ORIGIN, &key()).unwrap();
        log
    };
    type Change = fn(&mut Vec<Event>);
    let table: [(&str, Change, Vec<Tampering>); 6] = [
        (
            "changed early",
            |events| events[100].action = "x".to_owned(),
            vec![Tampering::Forked { size: 200 }, Tampering::Forked { size: 400 }],
        ),
        ("changed late", |events| events[300].action = "x".to_owned(), vec![Tampering::Forked { size: 400 }]),
        ("reordered", |events| events.swap(250, 251), vec![Tampering::Forked { size: 400 }]),
        ("dropped", |events| drop(events.remove(399)), vec![Tampering::Forked { size: 400 }]),
        (
            "inserted",
            |events| events.insert(0, event(900)),
            vec![Tampering::Forked { size: 200 }, Tampering::Forked { size: 400 }],
        ),
        ("rolled back", |events| events.truncate(300), vec![Tampering::RolledBack { size: 300, seen: 400 }]),
    ];
    for (name, change, expected) in table {
        let log = rewritten(&change);
        assert!(log.verify(ORIGIN, &public()).is_ok(), "{name}: by itself it looks good");
        assert_eq!(log.audit(ORIGIN, &public(), &seen).unwrap().findings, expected, "{name}");
        assert!(matches!(log.verify_extends(&late.checkpoint), Err(Error::Tampered(_))), "{name}");
    }
    // What lies behind the last checkpoint seen can still be changed: no check can know.
    assert_eq!(
        rewritten(&|events| events[450].action = "x".to_owned())
            .audit(ORIGIN, &public(), &seen)
            .unwrap()
            .findings,
        []
    );

    // Without the key, checkpoints seen narrow down where it begins.
    let mut files = files(&log);
    let mut entries = all_entries(&log);
    entries[300][10] ^= 1;
    with_entries(&mut files, &entries);
    retiled(&mut files);
    let findings = over(files).audit(ORIGIN, &public(), &seen).unwrap().findings;
    assert!(findings.contains(&Tampering::Rewritten { after: 200, before: 400 }), "{findings:?}");
}

#[test]
fn a_time_that_no_witness_could_confirm_is_found() {
    let base = 1_760_000_000;
    let mut log = filled(100);
    let early = anchor(&log, Some(base + 150));
    let mut post_dated = event(100);
    post_dated.time = Timestamp::from_seconds(base + 900).to_string();
    let mut back_dated = event(101);
    back_dated.time = Timestamp::from_seconds(base - 86_400).to_string();
    log.append_all(&[post_dated, back_dated, event(160)], ORIGIN, &key()).unwrap();
    let late = anchor(&log, Some(base + 200));
    let findings = log.audit_times(&[early, late], 60).unwrap();
    let places: Vec<u64> = findings
        .iter()
        .map(|finding| match finding {
            Tampering::Time { index, .. } => *index,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(places, [100, 101], "{findings:?}");
    log.append_entries(&[b"no event".to_vec()], ORIGIN, &key()).unwrap();
    assert!(matches!(log.audit_times(&[], 0).unwrap()[..], [Tampering::NoEvent { index: 103, .. }]));
}

#[test]
fn a_witness_cosigns_only_what_extends_what_it_saw() {
    let log_key = NoteKey::signer(ORIGIN, &public()).unwrap();
    let secret = SigningKey::from_secret(Scheme::Ed25519, &[21; 32]).unwrap();
    let mut witness = Witness::new("witness.example/w1".to_owned(), secret);
    let time = Timestamp::from_seconds(1_790_000_000);
    let mut log = filled(10);
    let line = witness.cosign(log.unverified_checkpoint().unwrap(), &log_key, &[], time).unwrap();
    log.add_cosignature(&signed(&log), line).unwrap();
    let policy = format!("log {log_key}\nwitness w {}\nquorum w\n", witness.key().unwrap());
    let policy = WitnessPolicy::parse(policy.as_bytes()).unwrap();
    let proof = log.prove(4).unwrap();
    assert!(proof.to_text().len() < 2048);
    proof.verify_witnessed(&log.entry(4).unwrap(), &policy).unwrap();
    let cosigned = policy.verify(log.unverified_checkpoint().unwrap()).unwrap().cosigned;
    assert_eq!(cosigned["witness.example/w1"], 1_790_000_000);

    log.append_all(&events(10..300), ORIGIN, &key()).unwrap();
    assert!(
        policy.verify(log.unverified_checkpoint().unwrap()).is_err(),
        "a new checkpoint has no cosignature yet"
    );
    let note = log.unverified_checkpoint().unwrap().clone();
    assert!(matches!(witness.cosign(&note, &log_key, &[], time), Err(Error::Proof { .. })), "no proof");
    let proof = log.consistency_proof(10).unwrap();
    witness.cosign(&note, &log_key, &proof, time).unwrap();
    assert_eq!(witness.last(ORIGIN), Some(&signed(&log)));

    let short = filled(20);
    let forked = {
        let mut log = filled(150);
        log.append_all(&events(500..650), ORIGIN, &key()).unwrap();
        log
    };
    let note = |log: &Log<MemoryStore>| log.unverified_checkpoint().unwrap().clone();
    let rolled_back = Error::Tampered(Tampering::RolledBack { size: 20, seen: 300 }).to_string();
    assert_eq!(witness.cosign(&note(&short), &log_key, &[], time).unwrap_err().to_string(), rolled_back);
    assert!(matches!(
        witness.cosign(&note(&forked), &log_key, &[], time),
        Err(Error::Tampered(Tampering::Forked { size: 300 }))
    ));
    let stranger = SigningKey::from_secret(Scheme::Ed25519, &[4; 32]).unwrap();
    let foreign = Checkpoint::new(ORIGIN, 400, [0; 32]).sign(&stranger).unwrap();
    assert!(matches!(witness.cosign(&foreign, &log_key, &proof, time), Err(Error::Sign(_))));
    assert_eq!(witness.last(ORIGIN).unwrap().size, 300, "what was refused is not remembered");
    let stale = signed(&filled(10));
    let line = SignedNote::parse(&note(&log).to_text()).unwrap().signatures()[0].clone();
    assert!(log.add_cosignature(&stale, line).is_err(), "a cosignature of another checkpoint");
}

#[test]
fn search_finds_what_a_scan_finds_with_and_without_an_index() {
    let mut log = filled(2000);
    let mut special = event(5000);
    special.environment = Some("prod".to_owned());
    special.armed_by = Some(Actor::human("person-1"));
    special.evidence = BTreeMap::from([("evidence.json".to_owned(), Digest::sha256(b"proof"))]);
    log.append(&special, ORIGIN, &key()).unwrap();
    let query = |set: &dyn Fn(&mut Query)| {
        let mut query = Query::default();
        set(&mut query);
        query
    };
    let time = |seconds: i64| Some(Timestamp::from_seconds(1_760_000_000 + seconds));
    let table = [
        ("commit", query(&|query| query.commit = Some(format!("{:040x}", 77))), 1),
        ("release", query(&|query| query.release = Some("v1.1999".to_owned())), 1),
        (
            "digest of an image",
            query(&|query| query.digest = Some(Digest::sha256(&77_usize.to_le_bytes()))),
            1,
        ),
        ("digest of evidence", query(&|query| query.digest = Some(Digest::sha256(b"proof"))), 1),
        ("actor", query(&|query| query.actor = Some("ci-1".to_owned())), 667),
        ("who armed it", query(&|query| query.actor = Some("person-1".to_owned())), 1),
        ("environment", query(&|query| query.environment = Some("prod".to_owned())), 1),
        ("time", query(&|query| (query.from, query.to) = (time(100), time(199))), 100),
        (
            "actor and time",
            query(&|query| {
                (query.actor, query.from, query.to) = (Some("ci-0".to_owned()), time(0), time(299))
            }),
            100,
        ),
        ("from", query(&|query| query.from = time(1990)), 11),
        ("application", query(&|query| query.application = Some("app".to_owned())), 2001),
        ("action", query(&|query| query.action = Some("deploy".to_owned())), 0),
        ("everything", Query::default(), 2001),
        (
            "commit of one, release of another",
            query(&|query| {
                (query.commit, query.release) = (Some(format!("{:040x}", 7)), Some("v1.8".to_owned()))
            }),
            0,
        ),
    ];
    let check = |log: &Log<MemoryStore>, when: &str| {
        for (name, query, count) in &table {
            let hits = log.search(query).unwrap();
            assert_eq!(hits.len(), *count, "{name}, {when}");
            assert_eq!(hits, log.scan(query).unwrap(), "{name}, {when}");
            assert!(hits.iter().all(|hit| log.entry(hit.index).unwrap() == hit.event.to_entry().unwrap()));
        }
    };
    check(&log, "without an index");
    assert_eq!(log.index().unwrap(), 2001);
    assert_eq!(log.index().unwrap(), 0, "it is there");
    check(&log, "with an index");
    let with_index = files(&log);
    let mut damaged = with_index.clone();
    let name = damaged.keys().find(|name| name.starts_with("index/")).unwrap().clone();
    damaged.get_mut(&name).unwrap()[200] ^= 1;
    check(&over(damaged), "with a damaged index");
    // An index of the log as it was is not used.
    let mut log = over(with_index);
    let mut later = event(77);
    later.action = "deploy".to_owned();
    log.append(&later, ORIGIN, &key()).unwrap();
    assert_eq!(log.search(&query(&|query| query.action = Some("deploy".to_owned()))).unwrap().len(), 1);
}

/// A store whose writes last only when they are synced, and which dies at a given step.
struct Fragile {
    /// What is on disk.
    durable: MemoryStore,
    /// What was written since, in order.
    volatile: std::cell::RefCell<Vec<(String, Option<Vec<u8>>)>>,
    steps: std::cell::Cell<usize>,
}

impl Fragile {
    fn over(files: Files, steps: usize) -> Self {
        let durable = MemoryStore::from_files(files);
        Self { durable, volatile: Vec::new().into(), steps: steps.into() }
    }

    fn step(&self) -> Result<(), Error> {
        match self.steps.get() {
            0 => Err(Error::Log("the power is gone".to_owned())),
            left => {
                self.steps.set(left - 1);
                Ok(())
            }
        }
    }

    /// What a crash leaves: of each write that was not synced, all, nothing, half, or an empty file, as `seed` has it.
    fn crash(&self, seed: u64) -> Files {
        let mut files = self.durable.files();
        let mut state = seed;
        for (name, content) in self.volatile.borrow().iter() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match (state >> 33) % 4 {
                0 => {}
                1 => drop(files.insert(name.clone(), Vec::new())),
                2 => drop(files.insert(
                    name.clone(),
                    content.as_ref().map_or_else(Vec::new, |bytes| bytes[..bytes.len() / 2].to_vec()),
                )),
                _ => match content {
                    Some(bytes) => drop(files.insert(name.clone(), bytes.clone())),
                    None => drop(files.remove(name)),
                },
            }
        }
        files
    }
}

impl LogStore for Fragile {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let volatile = self.volatile.borrow();
        match volatile.iter().rfind(|(other, _)| other == name) {
            Some((_, content)) => Ok(content.clone()),
            None => self.durable.read(name),
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        self.step()?;
        self.volatile.borrow_mut().push((name.to_owned(), Some(content.to_owned())));
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        self.step()?;
        for (name, content) in self.volatile.take() {
            match content {
                Some(content) => self.durable.write(&name, &content)?,
                None => self.durable.remove(&name)?,
            }
        }
        Ok(())
    }

    fn commit(&self, name: &str, content: &[u8]) -> Result<(), Error> {
        self.step()?;
        self.durable.write(name, content)
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut names = self.durable.list(prefix)?;
        names.extend(
            self.volatile
                .borrow()
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|name| name.starts_with(prefix)),
        );
        Ok(names)
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        self.step()?;
        self.volatile.borrow_mut().push((name.to_owned(), None));
        Ok(())
    }

    fn lock(&self) -> Result<Box<dyn lotse_provenance::LogLock>, Error> {
        self.durable.lock()
    }
}

#[test]
fn a_crash_at_any_step_loses_nothing_that_was_acknowledged() {
    // Before 250 entries, then 20 more over the edge of a tile; the machine dies at every step, with every kind of left-over.
    let (base, clean) = (files(&filled(250)), files(&filled(300)));
    let mut crashes = 0;
    let mut half_done = 0;
    for steps in 0..40 {
        for seed in 0..12 {
            let store = Fragile::over(base.clone(), steps);
            let mut log = Log::over(store).unwrap();
            let acknowledged = match log.append_all(&events(250..270), ORIGIN, &key()) {
                Ok(_) => 270,
                Err(_) => 250,
            };
            let left = log.store().crash(seed);
            crashes += usize::from(acknowledged == 250);
            let mut reopened = over(left.clone());
            assert!(reopened.size() == 250 || reopened.size() == 270, "no half batch: {}", reopened.size());
            assert!(reopened.size() >= acknowledged, "step {steps}: what was acknowledged is there");
            half_done += usize::from(reopened.size() > acknowledged);
            reopened
                .verify(ORIGIN, &public())
                .unwrap_or_else(|error| panic!("step {steps}, seed {seed}: {error}"));
            // It goes on, and what it leaves then is as if nothing had happened.
            reopened.append_all(&events(250..300), ORIGIN, &key()).unwrap();
            reopened.verify(ORIGIN, &public()).unwrap();
            let kept = files(&reopened);
            assert!(
                clean.iter().all(|(name, bytes)| kept.get(name) == Some(bytes)),
                "step {steps}, seed {seed}"
            );
            assert!(
                kept.keys().all(|name| clean.contains_key(name) || name.contains(".p/")),
                "{:?}",
                kept.keys()
            );
        }
    }
    assert!(crashes > 60, "{crashes} appends were interrupted");
    assert!(half_done > 0, "some were committed though nobody was told: that is allowed");
}

#[test]
fn an_entry_that_is_no_event_says_why() {
    let good = String::from_utf8(event(0).to_entry().unwrap()).unwrap();
    for (changed, part) in [
        (good.replace("\"version\":1", "\"version\":2"), "version is 2"),
        (good.replace("2025-10-", "2025-13-"), "is no time"),
        (good.replace("\"actor\"", "\"surprise\""), "surprise"),
        (good.replace("\"bot\"", "\"robot\""), "robot"),
    ] {
        let error = Event::parse(changed.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let mut large = event(0);
    large.application = "x".repeat(70_000);
    assert!(matches!(large.to_entry(), Err(Error::Limit { .. })));
}

#[test]
fn a_pseudonym_is_the_same_for_one_salt_and_says_nothing_without() {
    let name = Actor::pseudonym(&[1; 32], "ada@example.com");
    assert_eq!(name, Actor::pseudonym(&[1; 32], "ada@example.com"));
    assert_ne!(name, Actor::pseudonym(&[2; 32], "ada@example.com"));
    assert!(name.starts_with("person-") && name.len() == 39 && !name.contains("ada"));
    assert_eq!(Actor::human(name).kind, ActorKind::Human);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn any_change_of_any_file_is_found(at in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut files = files(&filled(300));
        let name = at.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
        let bytes = files.get_mut(&name).unwrap();
        let place = byte.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let result = Log::over(MemoryStore::from_files(files)).and_then(|log| log.verify(ORIGIN, &public()));
        prop_assert!(result.is_err(), "{} at {}", name, place);
    }
}
