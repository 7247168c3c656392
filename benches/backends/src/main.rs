//! The digest core beside every SHA-256 that Rust programs use, in one process on the same bytes: `cargo run --release`.
//!
//! Each figure is the fastest of 40 runs; the backends take turns within a run, so that a change of the clock meets them all.

use std::hint::black_box;
use std::time::{Duration, Instant};

use lotse_digest::{Algorithm, Hasher, Lanes};

const RUNS: usize = 40;
type Backend<'a> = (&'a str, Box<dyn Fn() + 'a>);

fn main() {
    println!("| Work | Lotse | sha2 | ring | aws-lc-rs | OpenSSL | Lotse to the fastest |");
    println!("|---|---|---|---|---|---|---|");
    let large = content(16 << 20);
    row("one stream, 16 MiB in pieces of 64 KiB", large.len(), &streams(&large));
    for (name, length, count) in [
        ("64 bytes, 16,384 messages", 64, 16_384),
        ("256 bytes, 8,192 messages", 256, 8192),
        ("1 KiB, 4,096 messages", 1 << 10, 4096),
        ("4 KiB, 2,048 messages", 4 << 10, 2048),
        ("64 KiB, 128 messages", 64 << 10, 128),
    ] {
        let bytes = content(length * count);
        let messages: Vec<&[u8]> = bytes.chunks(length).collect();
        row(name, bytes.len(), &many(&messages));
    }
    let bytes = content(4 << 20);
    let mixed = cuts(&bytes);
    row(&format!("mixed lengths up to 8 KiB, {} messages", mixed.len()), bytes.len(), &many(&mixed));
    let leaves: Vec<[u8; 32]> = bytes.as_chunks::<32>().0.iter().copied().take(32_768).collect();
    row("Merkle root of 32,768 leaf hashes (65-byte nodes)", 32_767 * 65, &roots(&leaves));
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 131 + at / 251) % 256).unwrap_or(0)).collect()
}

/// Pieces as long as the files of a source tree are: many small ones, few long ones.
fn cuts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut state = 1u64;
    while !bytes.is_empty() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let limit = 64 << ((state >> 33) % 8);
        let length = usize::try_from((state >> 40) % limit).unwrap_or(0).min(bytes.len());
        let (piece, rest) = bytes.split_at(length.max(1));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

fn row(work: &str, bytes: usize, backends: &[Backend<'_>]) {
    let mut best = vec![Duration::MAX; backends.len()];
    for _ in 0..RUNS {
        for ((_, run), best) in backends.iter().zip(&mut best) {
            let begin = Instant::now();
            run();
            *best = begin.elapsed().min(*best);
        }
    }
    let speed: Vec<f64> = best.iter().map(|time| bytes as f64 / time.as_secs_f64() / 1e6).collect();
    let fastest = speed.iter().skip(1).copied().fold(0.0, f64::max);
    let cells: Vec<String> = speed.iter().map(|speed| format!("{speed:.0}")).collect();
    println!("| {work} | {} | {:.2}x |", cells.join(" | "), speed[0] / fastest);
}

fn streams(bytes: &[u8]) -> Vec<Backend<'_>> {
    const PIECE: usize = 64 << 10;
    vec![
        (
            "Lotse",
            Box::new(move || {
                let mut hasher = Hasher::new(Algorithm::Sha256);
                bytes.chunks(PIECE).for_each(|piece| hasher.update(piece));
                black_box(hasher.finish());
            }),
        ),
        (
            "sha2",
            Box::new(move || {
                let mut hasher = <sha2::Sha256 as sha2::Digest>::new();
                bytes.chunks(PIECE).for_each(|piece| sha2::Digest::update(&mut hasher, piece));
                black_box(sha2::Digest::finalize(hasher));
            }),
        ),
        (
            "ring",
            Box::new(move || {
                let mut hasher = ring::digest::Context::new(&ring::digest::SHA256);
                bytes.chunks(PIECE).for_each(|piece| hasher.update(piece));
                black_box(hasher.finish());
            }),
        ),
        (
            "aws-lc-rs",
            Box::new(move || {
                let mut hasher = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
                bytes.chunks(PIECE).for_each(|piece| hasher.update(piece));
                black_box(hasher.finish());
            }),
        ),
        (
            "OpenSSL",
            Box::new(move || {
                let mut hasher = openssl::sha::Sha256::new();
                bytes.chunks(PIECE).for_each(|piece| hasher.update(piece));
                black_box(hasher.finish());
            }),
        ),
    ]
}

fn many<'a>(messages: &'a [&'a [u8]]) -> Vec<Backend<'a>> {
    vec![
        (
            "Lotse",
            Box::new(move || {
                black_box(Lanes::detect().sha256(messages));
            }),
        ),
        (
            "sha2",
            Box::new(move || {
                each(messages, |message| <sha2::Sha256 as sha2::Digest>::digest(message).into())
            }),
        ),
        ("ring", Box::new(move || each(messages, ring_one))),
        ("aws-lc-rs", Box::new(move || each(messages, aws_one))),
        ("OpenSSL", Box::new(move || each(messages, openssl::sha::sha256))),
    ]
}

fn each(messages: &[&[u8]], hash: impl Fn(&[u8]) -> [u8; 32]) {
    let hashes: Vec<[u8; 32]> = messages.iter().map(|message| hash(message)).collect();
    black_box(hashes);
}

fn ring_one(message: &[u8]) -> [u8; 32] {
    ring::digest::digest(&ring::digest::SHA256, message).as_ref().try_into().unwrap_or_default()
}

fn aws_one(message: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message).as_ref().try_into().unwrap_or_default()
}

fn roots(leaves: &[[u8; 32]]) -> Vec<Backend<'_>> {
    vec![
        (
            "Lotse",
            Box::new(move || {
                black_box(Lanes::detect().merkle_root(leaves));
            }),
        ),
        ("sha2", Box::new(move || root(leaves, |node| <sha2::Sha256 as sha2::Digest>::digest(node).into()))),
        ("ring", Box::new(move || root(leaves, ring_one))),
        ("aws-lc-rs", Box::new(move || root(leaves, aws_one))),
        ("OpenSSL", Box::new(move || root(leaves, openssl::sha::sha256))),
    ]
}

/// The leaves are a power of two, so every level is pairs.
fn root(leaves: &[[u8; 32]], hash: impl Fn(&[u8]) -> [u8; 32]) {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        let (pairs, _) = level.as_chunks::<2>();
        level = pairs
            .iter()
            .map(|[left, right]| {
                let mut node = [1; 65];
                node[1..33].copy_from_slice(left);
                node[33..].copy_from_slice(right);
                hash(&node)
            })
            .collect();
    }

    black_box(level);
}
