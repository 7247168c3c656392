//! A long log: appended in batches, verified, proved and searched, with bounded memory. `LOTSE_LOG_EVENTS=1000000` in a release build
//! prints the figures; by default it is short.
#![cfg(feature = "fs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a test states what must hold; this one measures"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use lotse_digest::Digest;
use lotse_provenance::{Actor, Event, Log, Query, Timestamp};
use lotse_sign::{Scheme, SigningKey};

const ORIGIN: &str = "log.example/long";

fn event(number: u64) -> Event {
    let time = Timestamp::from_seconds(1_700_000_000 + number as i64);
    let mut event = Event::new(time, "ci", Actor::bot(format!("ci-{}", number % 100)), "deploy", "app");
    event.commit = Some(format!("{number:040x}"));
    event.images = BTreeMap::from([("app".to_owned(), Digest::sha256(&number.to_le_bytes()))]);
    event
}

/// The most memory that this process had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0)
        / 1024
}

#[test]
fn a_long_log_is_appended_verified_proved_and_searched() {
    let count: u64 =
        std::env::var("LOTSE_LOG_EVENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(5000);
    let directory = tempfile::TempDir::new().unwrap();
    let key = SigningKey::from_secret(Scheme::Ed25519, &[3; 32]).unwrap();
    let public = key.verifying_key();
    let mut log = Log::open(directory.path()).unwrap();
    let mut started = Instant::now();
    let mut step = |what: &str| {
        println!("{what:<40} {:>8} ms, at most {} MiB", started.elapsed().as_millis(), peak());
        started = Instant::now();
    };
    let batch = 4096;
    for first in (0..count).step_by(batch) {
        let events: Vec<Event> = (first..(first + batch as u64).min(count)).map(event).collect();
        log.append_all(&events, ORIGIN, &key).unwrap();
    }
    step(&format!("{count} events in batches of {batch}"));
    let log2 = Log::open(directory.path()).unwrap();
    assert_eq!(log2.verify(ORIGIN, &public).unwrap().size, count);
    step("verify every entry and every hash");
    for number in 0..1000 {
        let index = number * count / 1000;
        let proof = log2.prove(index).unwrap();
        assert!(proof.to_text().len() <= 2048, "a proof is two kilobytes at most");
        proof.verify(&event(index).to_entry().unwrap(), ORIGIN, &public).unwrap();
    }
    step("1000 proofs, made and verified");
    assert_eq!(log2.consistency_proof(count / 3).unwrap().len().max(1) / 64, 0);
    log2.index().unwrap();
    step("index");
    let mut query = Query::default();
    query.commit = Some(format!("{:040x}", count / 2));
    assert_eq!(log2.search(&query).unwrap()[0].index, count / 2);
    step("search one commit");
    let mut again = Log::open(directory.path()).unwrap();
    assert_eq!(again.append(&event(count / 2), ORIGIN, &key).unwrap(), count / 2, "it is there already");
    assert_eq!(again.append(&event(count), ORIGIN, &key).unwrap(), count);
    step("open again and append one");
    again.append(&event(count + 1), ORIGIN, &key).unwrap();
    step("append one more");
}
