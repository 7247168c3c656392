//! Many messages at once give the hashes that each gives alone, on every level that the processor has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_digest::{Digest, Lanes, MerkleTree};
use proptest::prelude::*;
use sha2::Digest as _;

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 131 + length * 7 + at / 251) as u8).collect()
}

/// Another implementation of the same: `sha2` on the bytes put together.
fn reference(parts: &[&[u8]]) -> [u8; 32] {
    sha2::Sha256::digest(parts.concat()).into()
}

fn check(messages: &[Vec<u8>]) {
    let slices: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    for lanes in Lanes::all().into_iter().chain([Lanes::detect()]) {
        let hashes = lanes.sha256(&slices);
        let leaves = lanes.merkle_leaves(&slices);
        assert_eq!((hashes.len(), leaves.len()), (slices.len(), slices.len()));
        for ((message, hash), leaf) in slices.iter().zip(&hashes).zip(&leaves) {
            assert_eq!(*hash, reference(&[message]), "{} bytes, {lanes:?}", message.len());
            assert_eq!(*leaf, reference(&[&[0], message]), "leaf of {} bytes, {lanes:?}", message.len());
        }
        let level = lanes.merkle_level(&hashes);
        let expected: Vec<[u8; 32]> = hashes
            .chunks(2)
            .map(|pair| if let [left, right] = pair { reference(&[&[1], left, right]) } else { pair[0] })
            .collect();
        assert_eq!(level, expected, "{lanes:?}");
    }
}

#[test]
fn the_borders_of_padding_hold_on_every_level() {
    // FIPS 180-4, section 5.1.1: 55 bytes leave room for the length, 56 do not; one more and less for a leaf's first byte.
    for length in
        [0, 1, 54, 55, 56, 57, 62, 63, 64, 65, 118, 119, 120, 121, 126, 127, 128, 129, 4095, 4096, 4097]
    {
        for count in [1, 2, 15, 16, 17, 33] {
            check(&vec![content(length); count]);
        }
    }
    check(&(0..300).map(content).collect::<Vec<_>>());
    check(&(0..40).map(|number| content((number * 977) % 9000)).collect::<Vec<_>>());
}

#[test]
fn known_answers_of_fips_180_4() {
    let long = vec![b'a'; 1_000_000];
    let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    let messages: [&[u8]; 4] = [b"", b"abc", two_blocks, &long];
    let expected = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
    ];
    for lanes in Lanes::all() {
        // Enough copies that whole groups, lanes that are filled again and the single path all answer.
        for copies in [1, 7, 20] {
            let many: Vec<&[u8]> = messages.iter().copied().cycle().take(messages.len() * copies).collect();
            for (hash, expected) in lanes.sha256(&many).iter().zip(expected.iter().cycle()) {
                let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(hex, *expected, "{lanes:?}");
            }
        }
    }
}

#[test]
fn a_tree_that_grew_in_one_step_is_the_tree_that_grew_leaf_by_leaf() {
    let entries: Vec<Vec<u8>> = (0..100).map(content).collect();
    for size in 0..entries.len() {
        let slices: Vec<&[u8]> = entries[..size].iter().map(Vec::as_slice).collect();
        let (mut one, mut many) = (MerkleTree::new(), MerkleTree::new());
        slices.iter().for_each(|entry| {
            one.push(entry);
        });
        assert_eq!(many.extend(&slices), 0);
        assert_eq!(one.leaf_hashes(), many.leaf_hashes());
        for lanes in Lanes::all() {
            assert_eq!(lanes.merkle_root(one.leaf_hashes()), one.root(), "{size} leaves, {lanes:?}");
        }
    }
    assert_eq!(MerkleTree::new().root(), Digest::sha256(b"").as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn any_mix_of_lengths(lengths in proptest::collection::vec(0usize..260, 0..70), long in proptest::collection::vec(0usize..20_000, 0..3)) {
        check(&lengths.into_iter().chain(long).map(content).collect::<Vec<_>>());
    }
}
