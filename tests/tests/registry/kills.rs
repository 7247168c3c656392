//! Pushes that are killed with SIGKILL at random moments, taken up again by new processes, against real registries.
//!
//! A sample runs with every test; `tests/scripts/kill-upload` runs two hundred kills for each registry.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use lotse_oci::client::{Client, Options};
use lotse_oci::distribution::UploadOptions;
use lotse_oci::registry::{self, Registry};
use lotse_oci::{ArtifactBuilder, Layout, Limits};
use tempfile::TempDir;

use super::peer_registry::{DockerRegistry, Serving};

/// Bytes that no compressor makes small, from a seed.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

const SIZE: usize = 6 << 20;
const CHUNK: u64 = 512 << 10;
/// Bytes a second that the wire carries, so that a push takes long enough to be killed anywhere.
const SPEED: u64 = 24 << 20;

/// Passes connections on, slowly, and counts what is sent each way.
struct Wire {
    address: SocketAddr,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

impl Wire {
    fn to(registry: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, received) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (out, back) = (Arc::clone(&sent), Arc::clone(&received));
        // It ends with the test's process; nobody is waited for.
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(registry) else { return };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (out, back) = (Arc::clone(&out), Arc::clone(&back));
                let (client_copy, server_copy) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || pass(client, &server, &out));
                thread::spawn(move || pass(server_copy, &client_copy, &back));
            }
        });
        Self { address, sent, received }
    }
}

fn pass(mut from: TcpStream, mut to: &TcpStream, count: &AtomicU64) {
    let mut buffer = vec![0; 32 << 10];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
        count.fetch_add(length as u64, Ordering::SeqCst);
        thread::sleep(Duration::from_micros(length as u64 * 1_000_000 / SPEED));
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// What the child does: one push, with its state in a directory.
#[test]
fn push_of_a_process_that_will_be_killed() {
    let Ok(work) = env::var("LOTSE_TEST_PUSH") else { return };
    let (directory, target) = work.split_once('|').unwrap();
    let layout = Layout::open(Path::new(directory).join("layout"), Limits::default()).unwrap();
    let options = Options {
        upload_state: Some(Path::new(directory).join("state")),
        upload: UploadOptions { chunk: CHUNK, ..UploadOptions::default() },
        threads: 1,
        ..Options::default()
    };
    Client::new(options).unwrap().push(&layout, "v1", &target.parse().unwrap()).unwrap();
}

/// What the other child does: one pull.
#[test]
fn pull_of_a_process_that_will_be_killed() {
    let Ok(work) = env::var("LOTSE_TEST_PULL") else { return };
    let (directory, target) = work.split_once('|').unwrap();
    let layout = Layout::create(Path::new(directory).join("there"), Limits::default()).unwrap();
    let options = Options { threads: 1, ..Options::default() };
    Client::new(options).unwrap().pull(&target.parse().unwrap(), &layout, "v1").unwrap();
}

/// This test's own program, doing one thing.
fn child(test: &str, variable: &str, work: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--test-threads", "1"])
        .env(variable, work)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// An artifact with one blob.
fn artifact(directory: &Path, seed: u64) {
    let layout = Layout::create(directory.join("layout"), Limits::default()).unwrap();
    let layer = layout.write_blob("application/octet-stream", &noise(seed, SIZE)).unwrap();
    let noise = ArtifactBuilder::new("application/vnd.example.noise");
    noise.layer(&layer, "application/octet-stream").write(&layout, Some("v1")).unwrap();
}

#[derive(Debug, Default)]
struct Count {
    kills: u64,
    blobs: u64,
    /// Bytes of blobs sent more than once, over all of them.
    again: u64,
    /// The most for one kill, seen over a whole blob.
    worst: u64,
}

/// Kills pushes until there have been so many kills; every blob is complete and right in the end.
fn kill(registry: &dyn Serving, kills: u64) -> Count {
    let directory = TempDir::new().unwrap();
    let wire = Wire::to(registry.address());
    let mut count = Count::default();
    let mut seed = 0x10d5e;
    let mut chance = move |limit: u64| {
        seed = noise(seed, 8).try_into().map(u64::from_le_bytes).unwrap();
        (seed >> 11) % limit
    };
    while count.kills < kills {
        count.blobs += 1;
        let place = directory.path().join(format!("push-{}", count.blobs));
        artifact(&place, count.blobs);
        let target = format!("{}/kill/blob{}:v1", wire.address, count.blobs);
        let before = wire.sent.load(Ordering::SeqCst);
        let mut own = 0;
        loop {
            let work = format!("{}|{target}", place.display());
            let mut child = child("kills::push_of_a_process_that_will_be_killed", "LOTSE_TEST_PUSH", &work);
            let enough = count.kills + own >= kills || own >= 12;
            if !enough {
                thread::sleep(Duration::from_millis(20 + chance(250)));
                child.kill().unwrap();
            }
            let output = child.wait_with_output().unwrap();
            if output.status.success() {
                break;
            }
            assert!(!enough, "{}", String::from_utf8_lossy(&output.stderr));
            own += 1;
            // Whatever was going on, both still open.
            Layout::open(place.join("layout"), Limits::default()).unwrap();
        }
        count.kills += own;
        // Requests without content and headers are some hundred bytes each.
        let sent = wire.sent.load(Ordering::SeqCst) - before;
        let overhead = 16_000 + own * 4_000 + (SIZE as u64 / CHUNK) * 1_000;
        let again = sent.saturating_sub(SIZE as u64 + overhead);
        count.again += again;
        count.worst = count.worst.max(again / own.max(1));
        let there = Layout::create(place.join("there"), Limits::default()).unwrap();
        let direct = format!("{}/kill/blob{}:v1", registry.address(), count.blobs).parse().unwrap();
        let pulled = Client::new(Options::default()).unwrap().pull(&direct, &there, "v1").unwrap();
        let blob = &there.manifest(&pulled).unwrap().layers[0];
        assert_eq!(
            fs::read(there.blob_path(&blob.digest)).unwrap(),
            noise(count.blobs, SIZE),
            "a corrupt blob"
        );
        assert_eq!(fs::read_dir(place.join("state")).unwrap().count(), 0, "no state is left");
        fs::remove_dir_all(&place).unwrap();
    }
    count
}

#[test]
fn a_push_that_is_killed_is_taken_up_by_the_next_process() {
    let kills = env::var("LOTSE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8);
    let directory = TempDir::new().unwrap();
    let show = |name: &str, count: &Count| {
        println!(
            "{name:<16} {:>4} kills, {:>3} blobs of {SIZE} bytes, {:>9} bytes sent again, at most {:>7} a kill, 0 corrupt",
            count.kills, count.blobs, count.again, count.worst
        );
    };
    let own = Registry::start(registry::Options::default()).unwrap();
    let count = kill(&own, kills);
    show("ours", &count);
    assert!(count.worst <= CHUNK, "{count:?}: more than a piece for one kill");
    // What was under way when the process died arrives or not; the registry's word counts.
    if let Some(three) = DockerRegistry::start_if_there("registry", &directory.path().join("three")) {
        let count = kill(&three, kills);
        show("distribution 3", &count);
        assert!(count.worst <= CHUNK, "{count:?}: more than a piece for one kill");
    }
    // It loses an upload whose piece was cut, and the blob begins anew; never more than that.
    if let Some(two) = DockerRegistry::start("docker-registry", &directory.path().join("two")) {
        let count = kill(&two, kills);
        show("docker-registry", &count);
        assert!(count.worst <= SIZE as u64, "{count:?}: more than the blob for one kill");
    }
}

#[test]
fn a_pull_that_is_killed_is_taken_up_by_the_next_process() {
    let kills = env::var("LOTSE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(8_u64);
    let registry = Registry::start(registry::Options::default()).unwrap();
    let directory = TempDir::new().unwrap();
    artifact(directory.path(), 1);
    let name = format!("{}/kill/pull:v1", registry.address());
    let layout = Layout::open(directory.path().join("layout"), Limits::default()).unwrap();
    Client::new(Options::default()).unwrap().push(&layout, "v1", &name.parse().unwrap()).unwrap();
    let wire = Wire::to(registry.address());
    let work = format!("{}|{}/kill/pull:v1", directory.path().display(), wire.address);
    let (mut done, mut pulls, mut again) = (0, 0_u64, 0);
    while done < kills {
        pulls += 1;
        let before = wire.received.load(Ordering::SeqCst);
        let mut own = 0;
        loop {
            let mut child = child("kills::pull_of_a_process_that_will_be_killed", "LOTSE_TEST_PULL", &work);
            if done + own < kills && own < 12 {
                thread::sleep(Duration::from_millis(15 + (done + own) * 37 % 200));
                child.kill().unwrap();
            }
            let output = child.wait_with_output().unwrap();
            let there = Layout::create(directory.path().join("there"), Limits::default()).unwrap();
            if output.status.success() {
                let pulled = there.resolve("v1").unwrap();
                let blob = &there.manifest(&pulled).unwrap().layers[0];
                assert_eq!(
                    fs::read(there.blob_path(&blob.digest)).unwrap(),
                    noise(1, SIZE),
                    "a corrupt blob"
                );
                there.sweep().unwrap();
                break;
            }
            own += 1;
            assert!(own <= 12, "{}", String::from_utf8_lossy(&output.stderr));
        }
        done += own;
        again += (wire.received.load(Ordering::SeqCst) - before).saturating_sub(SIZE as u64);
        fs::remove_dir_all(directory.path().join("there")).unwrap();
    }
    println!(
        "{done} kills, {pulls} pulls of {SIZE} bytes, {again} bytes fetched again or for nothing, 0 corrupt"
    );
    // What was on its way when the process died: a socket's buffers.
    assert!(again / done < 1 << 20, "{again} bytes again for {done} kills");
}
