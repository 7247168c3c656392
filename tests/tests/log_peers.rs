//! The audit log beside another implementation of C2SP tlog-tiles, Tessera: it checks our log, and we check its.
//!
//! The peers are `go install github.com/transparency-dev/tessera/cmd/fsck@v1.0.2` and `…/tessera/cmd/examples/posix-oneshot@v1.0.2`, put
//! into a directory of `LOTSE_PEERS` as `tessera-fsck` and `tessera-posix-oneshot` (plain `fsck` is another program everywhere).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::fs;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_provenance::{Actor, Event, Log, Tampering, Timestamp};
use lotse_sign::{NoteKey, Scheme, SigningKey};
use lotse_tests::peer;
use tempfile::TempDir;

const ORIGIN: &str = "log.example/peers";
const SEED: [u8; 32] = [5; 32];

fn key() -> SigningKey {
    SigningKey::from_secret(Scheme::Ed25519, &SEED).unwrap()
}

fn verifier_key() -> NoteKey {
    NoteKey::signer(ORIGIN, &key().verifying_key()).unwrap()
}

fn event(number: i64) -> Event {
    Event::new(Timestamp::from_seconds(number), "test", Actor::bot("ci"), "deploy", "app")
}

#[test]
fn tessera_checks_our_log() {
    let Some(fsck) = peer("tessera-fsck") else { return };
    let directory = TempDir::new().unwrap();
    let mut log = Log::open(directory.path().join("log")).unwrap();
    let vkey = directory.path().join("vkey");
    fs::write(&vkey, verifier_key().to_string()).unwrap();
    let check = || {
        let url = format!("file://{}/", directory.path().join("log").display());
        let output = Command::new(&fsck)
            .args(["--ui=false", "--origin", ORIGIN, "--storage_url", &url])
            .arg(format!("--public_key={}", vkey.display()))
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mut next = 0;
    // Sizes around the edges of tiles, appended one after another: partial tiles come and go.
    for size in [1, 2, 255, 256, 257, 511, 512, 700, 65_536, 65_537, 70_000] {
        let events: Vec<Event> = (next..size).map(event).collect();
        log.append_all(&events, ORIGIN, &key()).unwrap();
        next = size;
        let (good, said) = check();
        assert!(good && said.contains(&format!("size {size}")), "{size}: {said}");
    }
    let bundle = directory.path().join("log/tile/entries/007");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[40] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    // Tessera's checker tries a damaged bundle again and again, so only ours is asked.
    let findings = log.audit(ORIGIN, &key().verifying_key(), &[]).unwrap().findings;
    assert_eq!(findings, [Tampering::Changed { index: 7 * 256 }]);
}

#[test]
fn we_check_tesseras_log() {
    let Some(oneshot) = peer("tessera-posix-oneshot") else { return };
    let directory = TempDir::new().unwrap();
    let secret = STANDARD.encode([&[1], SEED.as_slice()].concat());
    let id = u32::from_be_bytes(verifier_key().key_id());
    let private = directory.path().join("signer");
    fs::write(&private, ["PRIVATE", "KEY", ORIGIN, &format!("{id:08x}"), &secret].join("+")).unwrap();
    let entries = directory.path().join("entries");
    fs::create_dir(&entries).unwrap();
    for number in 0..700 {
        fs::write(entries.join(format!("{number:04}")), format!("entry {number}")).unwrap();
    }
    let output = Command::new(oneshot)
        .arg(format!("--storage_dir={}", directory.path().join("log").display()))
        .arg(format!("--private_key={}", private.display()))
        .arg(format!("--entries={}/*", entries.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let log = Log::open(directory.path().join("log")).unwrap();
    assert_eq!(log.size(), 700);
    let public = key().verifying_key();
    log.verify(ORIGIN, &public).unwrap();
    let mut texts: Vec<String> = Vec::new();
    for index in 0..700 {
        let entry = log.entry(index).unwrap();
        log.prove(index).unwrap().verify(&entry, ORIGIN, &public).unwrap();
        texts.push(String::from_utf8(entry).unwrap());
    }
    texts.sort_by_key(|text| text.trim_start_matches("entry ").parse::<u32>().unwrap());
    assert!(texts.iter().enumerate().all(|(number, text)| *text == format!("entry {number}")));
}
