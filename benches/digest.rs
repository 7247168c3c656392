//! The digest core beside the bare primitives it could stand on: what its types cost.
#![allow(missing_docs, reason = "a bench has no documentation but its name")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const PIECE: usize = 64 << 10;

fn bytes(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

/// 8 MiB in pieces of 64 KiB, as a layer is hashed.
mod stream {
    use super::*;

    fn bench(bencher: Bencher<'_, '_>, hash: impl Fn(&[u8]) -> [u8; 32] + Sync) {
        let input = bytes(8 << 20);
        bencher.counter(BytesCount::new(input.len())).bench(|| hash(black_box(&input)));
    }

    #[divan::bench]
    fn lotse(bencher: Bencher<'_, '_>) {
        bench(bencher, |input| {
            let mut hasher = lotse_digest::Hasher::new(lotse_digest::Algorithm::Sha256);
            input.chunks(PIECE).for_each(|piece| hasher.update(piece));
            hasher.finish().as_bytes().try_into().unwrap_or_default()
        });
    }

    #[divan::bench]
    fn sha2(bencher: Bencher<'_, '_>) {
        bench(bencher, |input| {
            let mut hasher = <sha2::Sha256 as sha2::Digest>::new();
            input.chunks(PIECE).for_each(|piece| sha2::Digest::update(&mut hasher, piece));
            sha2::Digest::finalize(hasher).into()
        });
    }

    #[divan::bench]
    fn ring(bencher: Bencher<'_, '_>) {
        bench(bencher, |input| {
            let mut hasher = ring::digest::Context::new(&ring::digest::SHA256);
            input.chunks(PIECE).for_each(|piece| hasher.update(piece));
            hasher.finish().as_ref().try_into().unwrap_or_default()
        });
    }
}

/// 10,000 messages of 64 bytes, as the entries of a small log.
mod small {
    use super::*;

    fn bench<T>(bencher: Bencher<'_, '_>, hash: impl Fn(&[u8]) -> T + Sync) {
        let input = bytes(640_000);
        bencher.counter(BytesCount::new(input.len())).bench(|| {
            for message in input.chunks(64) {
                black_box(hash(black_box(message)));
            }
        });
    }

    #[divan::bench]
    fn lotse(bencher: Bencher<'_, '_>) {
        bench(bencher, lotse_digest::Digest::sha256);
    }

    #[divan::bench]
    fn sha2(bencher: Bencher<'_, '_>) {
        bench(bencher, |message| <sha2::Sha256 as sha2::Digest>::digest(message));
    }

    #[divan::bench]
    fn ring(bencher: Bencher<'_, '_>) {
        bench(bencher, |message| ring::digest::digest(&ring::digest::SHA256, message));
    }
}

/// The root of a Merkle tree (RFC 6962) over 10,000 leaves of 64 bytes; the rivals hash level by level and keep nothing.
mod merkle {
    use super::*;

    const LEAVES: usize = 10_000;

    fn bench<T>(bencher: Bencher<'_, '_>, root: impl Fn(&[u8]) -> T + Sync) {
        let input = bytes(LEAVES * 64);
        bencher.bench(|| black_box(root(black_box(&input))));
    }

    /// A node without a neighbour goes up as it is, which is RFC 6962's split at the largest power of two.
    fn root(input: &[u8], hash: impl Fn(&[&[u8]]) -> [u8; 32]) -> [u8; 32] {
        let mut level: Vec<[u8; 32]> = input.chunks(64).map(|leaf| hash(&[&[0], leaf])).collect();
        while level.len() > 1 {
            let up = level.chunks(2).map(|pair| match pair {
                [left, right] => hash(&[&[1], left, right]),
                [only] => *only,
                _ => [0; 32],
            });
            level = up.collect();
        }
        level.first().copied().unwrap_or_default()
    }

    fn with_sha2(pieces: &[&[u8]]) -> [u8; 32] {
        let mut hasher = <sha2::Sha256 as sha2::Digest>::new();
        pieces.iter().for_each(|piece| sha2::Digest::update(&mut hasher, piece));
        sha2::Digest::finalize(hasher).into()
    }

    fn with_ring(pieces: &[&[u8]]) -> [u8; 32] {
        let mut hasher = ring::digest::Context::new(&ring::digest::SHA256);
        pieces.iter().for_each(|piece| hasher.update(piece));
        hasher.finish().as_ref().try_into().unwrap_or_default()
    }

    fn ours(input: &[u8]) -> [u8; 32] {
        let mut tree = lotse_digest::MerkleTree::new();
        tree.extend(&input.chunks(64).collect::<Vec<_>>());
        tree.root()
    }

    #[divan::bench]
    fn lotse(bencher: Bencher<'_, '_>) {
        let input = bytes(LEAVES * 64);
        assert_eq!(ours(&input), root(&input, with_sha2), "all compute the same root");
        assert_eq!(ours(&input), root(&input, with_ring), "all compute the same root");
        bench(bencher, ours);
    }

    #[divan::bench]
    fn sha2(bencher: Bencher<'_, '_>) {
        bench(bencher, |input| root(input, with_sha2));
    }

    #[divan::bench]
    fn ring(bencher: Bencher<'_, '_>) {
        bench(bencher, |input| root(input, with_ring));
    }
}
