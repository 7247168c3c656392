//! Appenders that are killed with SIGKILL at random moments: no entry that was acknowledged is missing, no half entry is visible.
//! `tests/scripts/kill-log` does it a thousand times and prints the table.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a test states what must hold; this one asks for clock and environment to choose its moments"
)]

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lotse_provenance::{Actor, Event, Log, Timestamp};
use lotse_sign::{Scheme, SigningKey};

const ORIGIN: &str = "log.example/killed";

fn key() -> SigningKey {
    SigningKey::from_secret(Scheme::Ed25519, &[3; 32]).unwrap()
}

fn event(number: u64) -> Event {
    let mut event =
        Event::new(Timestamp::from_seconds(1_760_000_000), "ci", Actor::bot("ci"), "deploy", "app");
    event.cause = Some(number.to_string());
    event
}

/// The process that is killed: this test again, with a log to append to.
#[test]
fn appender() {
    let Ok(directory) = env::var("LOTSE_KILL_LOG") else { return };
    let mut log = Log::open(directory).unwrap();
    let mut number = log.size();
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready").unwrap();
    loop {
        // One by one, and in batches that cross the edges of tiles.
        let batch: Vec<Event> = (number..number + 1 + number % 7 * 9).map(event).collect();
        let places = log.append_all(&batch, ORIGIN, &key()).unwrap();
        writeln!(out, "done {} {}", places[0], places[places.len() - 1]).unwrap();
        out.flush().unwrap();
        number += batch.len() as u64;
    }
}

#[derive(Default)]
struct Table {
    acknowledged: u64,
    missing: u64,
    half: u64,
    committed_unsaid: u64,
    left_behind: u64,
}

#[test]
fn an_appender_that_is_killed_loses_nothing_and_shows_nothing_half() {
    let kills = env::var("LOTSE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(25);
    let directory = tempfile::TempDir::new().unwrap();
    let started = Instant::now();
    let mut table = Table::default();
    let mut state = 7_u64;
    for number in 0..kills {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Every other one may first finish an append, on however slow a machine.
        kill_one(
            directory.path(),
            number % 2 == 1,
            Duration::from_micros((state >> 33) % 40_000),
            &mut table,
        );
    }
    let log = Log::open(directory.path()).unwrap();
    println!("kills                              {kills}");
    println!("entries acknowledged               {}", table.acknowledged);
    println!("acknowledged and missing           {}", table.missing);
    println!("half entries visible               {}", table.half);
    println!("committed before they were said    {}", table.committed_unsaid);
    println!("kills that left files behind       {}", table.left_behind);
    println!("entries at the end                 {}", log.size());
    println!("seconds                            {}", started.elapsed().as_secs());
    assert_eq!((table.missing, table.half), (0, 0));
    assert!(table.acknowledged >= kills / 2, "the appenders got somewhere");
}

fn kill_one(directory: &Path, finish_one: bool, wait: Duration, table: &mut Table) {
    let before = Log::open(directory).unwrap().size();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "appender", "--nocapture", "--test-threads=1"])
        .env("LOTSE_KILL_LOG", directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.ends_with("ready")), "the appender started");
    if finish_one {
        said.extend(lines.next().unwrap());
    }
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before it died, cut lines left out: they were not said.
    let mut acknowledged = before;
    for line in said.into_iter().chain(lines.map_while(Result::ok)) {
        if let Some((first, last)) = line.strip_prefix("done ").and_then(|rest| rest.split_once(' ')) {
            let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
            assert_eq!(first, acknowledged, "in order");
            acknowledged = last + 1;
        }
    }
    table.left_behind += u64::from(directory.join(".tmp/file").exists());
    let log = Log::open(directory).unwrap();
    table.acknowledged += acknowledged - before;
    table.missing += acknowledged.saturating_sub(log.size());
    table.committed_unsaid += log.size().saturating_sub(acknowledged);
    // Everything, every time: the signature, every hash, every entry.
    if log.unverified_checkpoint().is_some() {
        log.verify(ORIGIN, &key().verifying_key()).unwrap();
    }
    log.visit(0..log.size(), |index, entry| {
        table.half += u64::from(entry != event(index).to_entry()?);
        Ok(())
    })
    .unwrap();
}
