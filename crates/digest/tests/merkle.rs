//! Merkle trees: the reference tree of RFC 6962, and that every true proof verifies and no changed one does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_digest::{MerkleHash, MerkleTree, ProofError, verify_consistency, verify_inclusion};

/// The eight leaves of the reference tree that Certificate Transparency's implementations share.
const LEAVES: [&[u8]; 8] = [
    b"",
    &[0x00],
    &[0x10],
    &[0x20, 0x21],
    &[0x30, 0x31],
    &[0x40, 0x41, 0x42, 0x43],
    &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
    &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
];

fn hexadecimal(hash: &MerkleHash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tree(size: usize) -> MerkleTree {
    let mut tree = MerkleTree::new();
    for index in 0..size {
        tree.push(format!("leaf {index}").as_bytes());
    }
    tree
}

#[test]
fn the_reference_tree_of_rfc_6962_has_its_roots() {
    let mut tree = MerkleTree::new();
    assert_eq!(hexadecimal(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for leaf in LEAVES {
        tree.push(leaf);
    }
    for (size, root) in [
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ] {
        assert_eq!(hexadecimal(&tree.root_at(size).unwrap()), root, "{size} leaves");
    }
    assert_eq!(tree.root_at(9), None);
}

#[test]
fn every_inclusion_proof_verifies_and_no_changed_one_does() {
    for size in 1..=33u64 {
        let tree = tree(size as usize);
        let root = tree.root();
        for index in 0..size {
            let leaf = tree.leaf_hashes()[index as usize];
            let proof = tree.inclusion_proof(index, size).unwrap();
            verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
            for position in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[position][7] ^= 1;
                assert!(matches!(
                    verify_inclusion(&leaf, index, size, &wrong, &root),
                    Err(ProofError::Root { .. })
                ));
            }
            let mut long = proof.clone();
            long.push([0; 32]);
            assert!(matches!(
                verify_inclusion(&leaf, index, size, &long, &root),
                Err(ProofError::Length { .. })
            ));
            if let Some((_, short)) = proof.split_last() {
                assert!(matches!(
                    verify_inclusion(&leaf, index, size, short, &root),
                    Err(ProofError::Length { .. })
                ));
            }
            assert!(verify_inclusion(&[1; 32], index, size, &proof, &root).is_err());
            let other = (index + 1) % size;
            assert!(
                size == 1 || verify_inclusion(&leaf, other, size, &proof, &root).is_err(),
                "{index} as {other} of {size}"
            );
        }
        assert_eq!(tree.inclusion_proof(size, size), None);
    }
}

#[test]
fn every_consistency_proof_verifies_and_no_changed_one_does() {
    let tree = tree(33);
    for new in 0..=33u64 {
        let new_root = tree.root_at(new).unwrap();
        for old in u64::from(new > 0)..=new {
            let old_root = tree.root_at(old).unwrap();
            let proof = tree.consistency_proof(old, new).unwrap();
            verify_consistency(old, new, &proof, &old_root, &new_root)
                .unwrap_or_else(|error| panic!("{old} to {new}: {error}"));
            assert!(
                verify_consistency(old, new, &proof, &[9; 32], &new_root).is_err(),
                "{old} to {new}: another old root"
            );
            assert!(
                verify_consistency(old, new, &proof, &old_root, &[9; 32]).is_err(),
                "{old} to {new}: another new root"
            );
            for position in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[position][0] ^= 128;
                assert!(verify_consistency(old, new, &wrong, &old_root, &new_root).is_err());
            }
        }
    }
    assert_eq!(tree.consistency_proof(2, 1), None);
    assert_eq!(tree.consistency_proof(0, 1), None, "everything extends the empty tree");
    assert!(verify_consistency(0, 1, &[], &tree.root_at(0).unwrap(), &tree.root_at(1).unwrap()).is_err());
    assert!(verify_consistency(2, 1, &[], &[0; 32], &[0; 32]).is_err());
}

#[test]
fn a_position_outside_the_tree_is_an_error_and_no_loop() {
    for (index, size) in [(0, 0), (1, 1), (u64::MAX, u64::MAX), (5, 3)] {
        assert_eq!(
            verify_inclusion(&[0; 32], index, size, &[], &[0; 32]),
            Err(ProofError::OutOfRange { index, size })
        );
    }
    assert!(verify_inclusion(&[0; 32], u64::MAX - 1, u64::MAX, &[[0; 32]; 64], &[0; 32]).is_err());
}
