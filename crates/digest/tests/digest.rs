//! Digests: the grammar, the known answers of FIPS 180-4, and that no cut of the input matters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use std::io::{Read as _, Write as _};

use lotse_digest::{
    Algorithm, Digest, Hasher, HashingReader, HashingWriter, MultiHasher, ParseDigestError, VerifyingReader,
};
use proptest::prelude::*;

/// Algorithm, message, hash: the examples of FIPS 180-4 (NIST, "SHA examples") and their lengths at the padding borders.
fn known_answers() -> Vec<(Algorithm, Vec<u8>, &'static str)> {
    let two_blocks = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_vec();
    let long = b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu".to_vec();
    let million = vec![b'a'; 1_000_000];
    vec![
        (Algorithm::Sha256, vec![], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            Algorithm::Sha256,
            b"abc".to_vec(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (Algorithm::Sha256, two_blocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
        (
            Algorithm::Sha256,
            million.clone(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
        (
            Algorithm::Sha256,
            b"{}".to_vec(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ),
        (
            Algorithm::Sha384,
            b"abc".to_vec(),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Algorithm::Sha384,
            long.clone(),
            "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039",
        ),
        (
            Algorithm::Sha384,
            million.clone(),
            "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985",
        ),
        (
            Algorithm::Sha512,
            b"abc".to_vec(),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            Algorithm::Sha512,
            long,
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
        ),
        (
            Algorithm::Sha512,
            million,
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
        ),
    ]
}

#[test]
fn the_examples_of_fips_180_4_hash_to_their_answers() {
    for (algorithm, message, expected) in known_answers() {
        assert_eq!(
            Digest::of(algorithm, &message).encoded(),
            expected,
            "{algorithm} of {} bytes",
            message.len()
        );
    }
}

#[test]
fn a_digest_string_is_strict() {
    let hex = "a".repeat(64);
    let length = |algorithm, expected, actual| ParseDigestError::Length { algorithm, expected, actual };
    let unknown = |name: &str| ParseDigestError::UnknownAlgorithm(name.to_owned());
    let table: Vec<(String, Result<(), ParseDigestError>)> = vec![
        (format!("sha256:{hex}"), Ok(())),
        (format!("sha512:{hex}{hex}"), Ok(())),
        (format!("sha384:{}", "0".repeat(96)), Ok(())),
        (hex.clone(), Err(ParseDigestError::NoColon)),
        (String::new(), Err(ParseDigestError::NoColon)),
        (format!("SHA256:{hex}"), Err(unknown("SHA256"))),
        (format!("md5:{hex}"), Err(unknown("md5"))),
        (format!("sha256:{}", "A".repeat(64)), Err(ParseDigestError::NotLowerHex { offset: 7 })),
        (format!("sha256:{}g", "a".repeat(63)), Err(ParseDigestError::NotLowerHex { offset: 70 })),
        (format!("sha256:{}", "a".repeat(63)), Err(length(Algorithm::Sha256, 64, 63))),
        (format!("sha256:{hex}\n"), Err(length(Algorithm::Sha256, 64, 65))),
        (format!("sha512:{hex}"), Err(length(Algorithm::Sha512, 128, 64))),
        (format!("sha256:../{}", "a".repeat(61)), Err(ParseDigestError::NotLowerHex { offset: 7 })),
    ];
    for (text, expected) in table {
        assert_eq!(text.parse::<Digest>().map(|_| ()), expected, "{text:?}");
    }
}

#[test]
fn readers_and_writers_hash_what_passes_and_verify_at_the_end() {
    let digest = Digest::sha256(b"content");
    let mut reader = HashingReader::new(&b"content"[..], Algorithm::Sha256);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(reader.finish().0, digest);

    let mut writer = HashingWriter::new(Vec::new(), Algorithm::Sha256);
    writer.write_all(b"content").unwrap();
    let (written, length, bytes) = writer.finish();
    assert_eq!((written, length, bytes.as_slice()), (digest.clone(), 7, &b"content"[..]));

    let read =
        |content: &'static [u8], size| VerifyingReader::new(content, digest.clone(), size).read_verified();
    assert_eq!(read(b"content", 7).unwrap(), b"content");
    for (content, size, part) in [
        (&b"contenT"[..], 7, "has digest"),
        (b"conten", 7, "ends after 6 bytes"),
        (b"content!", 7, "longer than the expected 7"),
        (b"content", 8, "ends after 7 bytes, expected 8"),
    ] {
        let error = read(content, size).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn serde_keeps_the_string() {
    let digest = Digest::sha256(b"");
    let json = serde_json::to_string(&digest).unwrap();
    assert_eq!(json, format!("\"{digest}\""));
    assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    assert!(serde_json::from_str::<Digest>("\"sha256:00\"").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_cut_of_the_input_hashes_the_same(content in proptest::collection::vec(any::<u8>(), 0..600), cuts in proptest::collection::vec(0usize..600, 0..6)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(content.len())).chain([0, content.len()]).collect();
        cuts.sort_unstable();
        let mut one = Hasher::new(Algorithm::Sha384);
        let mut all = MultiHasher::new(&Algorithm::ALL);
        for pair in cuts.windows(2) {
            one.update(&content[pair[0]..pair[1]]);
            all.update(&content[pair[0]..pair[1]]);
        }
        prop_assert_eq!(one.finish(), Digest::of(Algorithm::Sha384, &content));
        prop_assert_eq!(all.finish(), Algorithm::ALL.map(|algorithm| Digest::of(algorithm, &content)).to_vec());
    }

    #[test]
    fn parsing_what_was_printed_is_the_identity(content in any::<[u8; 8]>()) {
        for algorithm in Algorithm::ALL {
            let digest = Digest::of(algorithm, &content);
            prop_assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,80}") {
        let _ = text.parse::<Digest>();
        let _ = text.parse::<lotse_digest::Reference>();
    }
}
