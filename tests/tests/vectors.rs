//! Public test vectors, which are not part of this repository: `LOTSE_VECTORS` names a directory with a checkout of Wycheproof
//! (`testvectors_v1`) and of transparency-dev/merkle (`testdata`); without it the tests say what they skipped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    reason = "a test states what must hold"
)]

use std::fs;
use std::path::PathBuf;

use lotse_digest::{Algorithm, Digest, MerkleHash, verify_consistency, verify_inclusion};
use lotse_sign::VerifyingKey;
use serde_json::Value;

fn vectors(part: &str) -> Option<PathBuf> {
    let directory = std::env::var_os("LOTSE_VECTORS").map(|root| PathBuf::from(root).join(part));
    let found = directory.filter(|directory| directory.is_dir());
    if found.is_none() {
        eprintln!("skipped: LOTSE_VECTORS names no directory with {part}");
    }
    found
}

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn base64(value: &Value) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap_or_default()).unwrap()
}

/// A well-formed signature that is nobody's.
fn warm(number: u8) -> Vec<u8> {
    vec![0x30, 6, 2, 1, 1 + number % 100, 2, 1, 1]
}

#[test]
fn wycheproof_signatures() {
    let Some(directory) = vectors("testvectors_v1") else { return };
    let ecdsa = |curve: &str, hash: &str| format!("ecdsa_{curve}_{hash}_test.json");
    let mut files = vec![(None, "ed25519_test.json".to_owned())];
    for (curve, hash) in [
        ("secp256r1", "sha256"),
        ("secp256r1", "sha512"),
        ("secp384r1", "sha384"),
        ("secp384r1", "sha256"),
        ("secp384r1", "sha512"),
        ("secp521r1", "sha512"),
    ] {
        files.push((Algorithm::from_name(hash), ecdsa(curve, hash)));
    }
    for bits in [2048, 3072, 4096] {
        for hash in ["sha256", "sha384", "sha512"] {
            let file = format!("rsa_signature_{bits}_{hash}_test.json");
            if directory.join(&file).exists() {
                files.push((Algorithm::from_name(hash), file));
            }
        }
    }
    for (hash, file) in files {
        let document = json(directory.join(&file));
        let (mut right, mut total) = (0, 0);
        for group in document["testGroups"].as_array().unwrap() {
            let key = group.get("publicKeyDer").map(hex);
            let key = key.as_deref().map(VerifyingKey::from_der);
            // The same answers must come from the precomputed tables, which a key has after some verifications.
            let quick = key.as_ref().and_then(|key| key.as_ref().ok()).map(|key| key.clone().prepared());
            for number in 0..60 {
                quick.as_ref().map(|key| key.verifies(b"warm", &warm(number)));
            }
            for case in group["tests"].as_array().unwrap() {
                let (message, signature) = (hex(&case["msg"]), hex(&case["sig"]));
                let verifies = match (&key, hash) {
                    (Some(Ok(key)), Some(hash)) => {
                        key.verifies_digest(&Digest::of(hash, &message), &signature)
                    }
                    (Some(Ok(key)), None) => key.verifies(&message, &signature),
                    _ => false,
                };
                if let (Some(quick), Some(hash)) = (&quick, hash) {
                    assert_eq!(
                        quick.verifies_digest(&Digest::of(hash, &message), &signature),
                        verifies,
                        "{file} {case}"
                    );
                }
                total += 1;
                let fits = match case["result"].as_str().unwrap() {
                    "valid" => verifies,
                    "invalid" => !verifies,
                    // A missing NULL in the padding of RSA: both answers are allowed.
                    _ => true,
                };
                right += usize::from(fits);
                assert!(fits, "{file} {}: {}", case["tcId"], case["comment"]);
            }
        }
        eprintln!("{file}: {right} of {total}");
        assert!(total > 50, "{file}");
    }
}

#[test]
fn merkle_proofs() {
    let Some(directory) = vectors("merkle") else { return };
    let hashes = |proof: &Value| -> Option<Vec<MerkleHash>> {
        let list = proof.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|hash| MerkleHash::try_from(base64(hash)).ok()).collect()
    };
    // Where a root is not looked at the vectors hold a word instead of one: its hash stands in for it.
    let root = |value: &Value| {
        let bytes = base64(value);
        let stand_in = || MerkleHash::try_from(Digest::sha256(&bytes).as_bytes()).ok();
        if bytes.starts_with(b"don't care") {
            stand_in()
        } else {
            MerkleHash::try_from(bytes.as_slice()).ok()
        }
    };
    let mut total = 0;
    for kind in ["inclusion", "consistency"] {
        let mut stack = vec![directory.join(kind)];
        while let Some(path) = stack.pop() {
            if path.is_dir() {
                stack.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let case = json(path.clone());
            let number = |name: &str| case[name].as_u64().unwrap_or(0);
            let holds = (|| {
                let proof = hashes(&case["proof"])?;
                if kind == "inclusion" {
                    let (leaf, root) = (root(&case["leafHash"])?, root(&case["root"])?);
                    verify_inclusion(&leaf, number("leafIdx"), number("treeSize"), &proof, &root).ok()
                } else {
                    let (old, new) = (root(&case["root1"])?, root(&case["root2"])?);
                    verify_consistency(number("size1"), number("size2"), &proof, &old, &new).ok()
                }
            })()
            .is_some();
            assert_eq!(holds, !case["wantErr"].as_bool().unwrap(), "{}: {}", path.display(), case["desc"]);
            total += 1;
        }
    }
    eprintln!("{total} Merkle proofs");
    assert!(total > 100);
}
