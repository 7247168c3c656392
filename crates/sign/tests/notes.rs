//! Signed notes, checkpoints, cosignatures, witness policies and proofs to hand out (C2SP).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_digest::{MerkleTree, verify_inclusion};
use lotse_sign::{
    Checkpoint, Error, NoteKey, NoteKeyKind, Scheme, SignedNote, SigningKey, TlogProof, VerifyingKey,
    WitnessPolicy, note_key_id,
};
use proptest::prelude::*;

const ORIGIN: &str = "example.com/behind-the-sofa";
/// The example of C2SP tlog-cosignature; its keys are not given, so it is read and not verified.
const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

fn ed25519(seed: u8) -> SigningKey {
    SigningKey::from_secret(Scheme::Ed25519, &[seed; 32]).unwrap()
}

fn p256(seed: u8) -> SigningKey {
    SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[seed; 32]).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint::parse(SignedNote::parse(EXAMPLE).unwrap().unverified_text()).unwrap()
}

#[test]
fn the_specifications_example_reads_and_prints() {
    let note = SignedNote::parse(EXAMPLE).unwrap();
    assert_eq!(note.to_text(), EXAMPLE);
    let lines: Vec<_> =
        note.signatures().iter().map(|line| (line.name(), line.key_id(), line.bytes().len())).collect();
    assert_eq!(
        lines,
        [(ORIGIN, [0x03, 0x3d, 0xe0, 0xae], 64), ("witness.example.com/w1", [0x8d, 0x66, 0xcf, 0x3f], 72)]
    );
    assert_eq!((checkpoint().origin.as_str(), checkpoint().size), (ORIGIN, 20_852_163));
}

#[test]
fn a_note_that_breaks_the_format_is_refused() {
    let good = ed25519(1);
    let good = checkpoint().sign(&good).unwrap().to_text();
    let signature = good.lines().last().unwrap().to_owned();
    assert!(SignedNote::parse(&good).is_ok());
    let table = [
        ("CRLF", good.replace('\n', "\r\n")),
        ("a CR in the text", good.replacen('\n', "\r\n", 1)),
        ("a CR behind a signature", format!("{}\r\n", good.trim_end())),
        ("a tab in the text", good.replacen("behind", "be\thind", 1)),
        ("no final newline", good.trim_end().to_owned()),
        ("no signature", good.replace(&format!("{signature}\n"), "")),
        ("a hyphen for the em dash", good.replace('\u{2014}', "-")),
        ("two spaces", good.replace("\u{2014} ", "\u{2014}  ")),
        ("a plus in a name", good.replace("\u{2014} example", "\u{2014} ex+ample")),
        ("a no-break space in a name", good.replace("\u{2014} example", "\u{2014} ex\u{a0}ample")),
        ("no padding", good.replace("=\n\n", "\n\n").trim_end().trim_end_matches('=').to_owned() + "\n"),
        ("base64 for URLs", good.replace(&signature, &signature.replace(['+', '/'], "-"))),
        ("a line that is no signature", format!("{good}and more\n")),
        ("no bytes behind the key id", format!("{good}\u{2014} name AAAAAA==\n")),
    ];
    for (name, note) in table {
        let refused = SignedNote::parse(&note)
            .and_then(|note| Checkpoint::verify(&note, ORIGIN, &ed25519(1).verifying_key()));
        assert!(refused.is_err(), "{name}: {note}");
    }
}

#[test]
fn a_checkpoint_that_breaks_the_format_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    let table = [
        ("leading zero", format!("o\n01\n{root}\n")),
        ("a sign", format!("o\n+1\n{root}\n")),
        ("no size", format!("o\n\n{root}\n")),
        ("beyond 64 bits", format!("o\n18446744073709551616\n{root}\n")),
        ("a space in the size", format!("o\n1 \n{root}\n")),
        ("empty origin", format!("\n1\n{root}\n")),
        ("an empty extension", format!("o\n1\n{root}\n\nx\n")),
        ("a short root", "o\n1\nAAAA\n".to_owned()),
        ("a root without padding", format!("o\n1\n{}\n", root.trim_end_matches('='))),
        ("no newline", format!("o\n1\n{root}")),
        ("CR", format!("o\n1\r\n{root}\n")),
        ("65 extensions", format!("o\n1\n{root}\n{}", "x\n".repeat(65))),
    ];
    for (name, text) in table {
        assert!(Checkpoint::parse(&text).is_err(), "{name}");
    }
    let extended = format!("o\n0\n{root}\nTimestamp: 1689177396617352539\nanother\n");
    let checkpoint = Checkpoint::parse(&extended).unwrap();
    assert_eq!(checkpoint.extensions, ["Timestamp: 1689177396617352539", "another"]);
    assert_eq!(checkpoint.to_text(), extended);
    let mut split = checkpoint.clone();
    split.extensions = vec!["a\nb".to_owned()];
    assert!(split.sign(&ed25519(1)).is_err(), "an extension of two lines");
}

#[test]
fn signatures_of_unknown_keys_are_ignored_and_false_ones_of_known_keys_refuse() {
    let mut note = checkpoint().sign(&ed25519(1)).unwrap();
    for seed in 2..20 {
        note.add_signature(&format!("other.example/{seed}"), &ed25519(seed)).unwrap();
    }
    // Another key under the log's own name: its id differs, so it is unknown.
    note.add_signature(ORIGIN, &ed25519(99)).unwrap();
    let note = SignedNote::parse(&note.to_text()).unwrap();
    assert_eq!(note.signatures().len(), 20, "more than the 16 that must be read");
    let key = ed25519(1).verifying_key();
    assert_eq!(Checkpoint::verify(&note, ORIGIN, &key).unwrap(), checkpoint());
    assert!(
        Checkpoint::verify(&note, ORIGIN, &ed25519(50).verifying_key()).is_err(),
        "a key that did not sign"
    );

    // A good line and a false one under one name and id, in both orders: a hint that lies is no hint.
    let good = checkpoint().sign(&ed25519(1)).unwrap();
    let mut other = checkpoint();
    other.size += 1;
    let lie = other.sign(&ed25519(1)).unwrap().signatures()[0].clone();
    let truth = good.signatures()[0].clone();
    for lines in [[&truth, &lie], [&lie, &truth]] {
        let mut note = SignedNote::parse(EXAMPLE).unwrap();
        for line in lines {
            note.add_unverified(line.clone()).unwrap();
        }
        let error = note.verify(ORIGIN, &key).unwrap_err();
        assert!(error.to_string().contains("under this name and key id"), "{error}");
    }
    let many = format!("{}{}", good.to_text(), "\u{2014} name AAAAAAAAAAA=\n".repeat(64));
    assert!(matches!(SignedNote::parse(&many), Err(Error::Limit { .. })));
}

#[test]
fn rekor_v1_signs_under_a_name_that_is_not_its_origin() {
    let mut checkpoint = checkpoint();
    checkpoint.origin = "rekor.sigstore.dev - 1193050959916656506".to_owned();
    checkpoint.extensions = vec!["Timestamp: 1689177396617352539".to_owned()];
    let key = p256(1);
    assert!(checkpoint.sign(&key).is_err(), "an origin with spaces is no key name");
    let note = checkpoint.sign_as("rekor.sigstore.dev", &key).unwrap();
    let public = key.verifying_key();
    assert_eq!(Checkpoint::verify_signed_by(&note, "rekor.sigstore.dev", &public).unwrap(), checkpoint);
    assert!(Checkpoint::verify(&note, "rekor.sigstore.dev", &public).is_err(), "the origin is another");
    let id = note_key_id("any name: ECDSA ids do not have it", &public).unwrap();
    assert_eq!(id.as_slice(), public.fingerprint().as_bytes());
    let (text, name) = note.verify_key_id([id[0], id[1], id[2], id[3]], &public).unwrap();
    assert_eq!((text, name), (checkpoint.to_text().as_str(), "rekor.sigstore.dev"));
    assert!(note.verify_key_id([0; 4], &public).is_err());
}

#[test]
fn a_verifier_key_says_its_name_id_and_use() {
    // The witness key and its cosignature of the specification's checkpoint were made by Python's `cryptography`.
    let text = "witness.example.com/w1+8122a5ab+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs";
    let key: NoteKey = text.parse().unwrap();
    assert_eq!(key, NoteKey::witness("witness.example.com/w1", &ed25519(7).verifying_key()).unwrap());
    assert_eq!((key.kind(), key.to_string().as_str()), (NoteKeyKind::Cosignature, text));
    let signer = NoteKey::signer("log.example", &p256(1).verifying_key()).unwrap();
    assert_eq!(signer.to_string().parse::<NoteKey>().unwrap(), signer, "ECDSA, type 0x02");
    let ml_dsa = format!("w+00000000+{}", "Bg".to_owned() + &"A".repeat(1750));
    for (name, wrong) in [
        ("another id", text.replace("8122a5ab", "8122a5ac")),
        ("an id in capitals", text.replace("8122a5ab", "8122A5AB")),
        ("another name", text.replace("/w1", "/w2")),
        ("another type", text.replace("+BOpK", "+AepK")),
        ("a key that is cut", text[..text.len() - 4].to_owned()),
        ("no key", "witness+8122a5ab+".to_owned()),
        ("ML-DSA-44", ml_dsa),
        ("nothing", String::new()),
    ] {
        assert!(wrong.parse::<NoteKey>().is_err(), "{name}");
    }
    assert!(NoteKey::witness("w", &p256(1).verifying_key()).is_err(), "only Ed25519 cosigns");
}

#[test]
fn a_cosignature_is_the_one_another_program_makes() {
    let line = "\u{2014} witness.example.com/w1 gSKlqwAAAABkGFDLWr4Jea05CAgwNVtwky0Jgz6WfX0QJgM//FkB/W9BoT9TX0DkTxG+2cT4p/ViKNhUM/SnUwFcYQzugGFQ15LwDw==\n";
    let mut note = SignedNote::parse(EXAMPLE).unwrap();
    let made = note.cosign("witness.example.com/w1", &ed25519(7), 1_679_315_147).unwrap();
    assert!(note.to_text().ends_with(line));
    assert_eq!(made.bytes().len(), 72);
    let witness = ed25519(7).verifying_key();
    assert_eq!(note.verify_cosignature("witness.example.com/w1", &witness).unwrap(), 1_679_315_147);
    assert!(note.verify_cosignature("witness.example.com/w2", &witness).is_err());
    note.cosign("witness.example.com/w1", &ed25519(7), 1_679_315_200).unwrap();
    assert_eq!(
        note.verify_cosignature("witness.example.com/w1", &witness).unwrap(),
        1_679_315_200,
        "the latest"
    );

    // A forged time: the time is signed.
    let mut forged = made.bytes().to_vec();
    forged[7] ^= 1;
    let text = note.to_text();
    let good = text.lines().nth(6).unwrap();
    let base64 = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode([made.key_id().as_slice(), bytes].concat())
    };
    let text = text.replace(good, &format!("\u{2014} witness.example.com/w1 {}", base64(&forged)));
    assert!(
        SignedNote::parse(&text).unwrap().verify_cosignature("witness.example.com/w1", &witness).is_err()
    );

    assert!(note.clone().cosign("w", &p256(7), 1).is_err(), "ECDSA");
    assert!(note.clone().cosign("w", &ed25519(7), u64::MAX).is_err(), "beyond 2^63");
    let mut other = SignedNote::sign("no checkpoint\n", "n", &ed25519(7)).unwrap();
    assert!(other.cosign("w", &ed25519(7), 1).is_err());
    // A witness key is no log key: the same bytes under another signature type.
    assert!(Checkpoint::verify(&note, "witness.example.com/w1", &witness).is_err());
}

fn witness_name(seed: u8) -> String {
    format!("w{seed}.example")
}

fn vkey(seed: u8) -> String {
    NoteKey::witness(&witness_name(seed), &ed25519(seed).verifying_key()).unwrap().to_string()
}

fn log_line() -> String {
    format!("log {}", NoteKey::signer(ORIGIN, &ed25519(1).verifying_key()).unwrap())
}

/// The specification's example: two of X and one of Y.
fn two_levels() -> String {
    let mut text = format!("# the example\n{} https://log.example\n\n", log_line());
    for (name, seed) in [("X1", 11), ("X2", 12), ("X3", 13), ("Y1", 21), ("Y2", 22), ("Y3", 23)] {
        text.push_str(&format!("witness {name} {}\n", vkey(seed)));
        if name == "X3" {
            text.push_str("group X-witnesses 2 X1 X2 X3\n");
        }
    }
    text.push_str("group\tY-witnesses any Y1 Y2 Y3\n  # indented\ngroup X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n");
    text
}

fn cosigned(seeds: &[u8]) -> SignedNote {
    let mut note = checkpoint().sign(&ed25519(1)).unwrap();
    for seed in seeds {
        note.cosign(&witness_name(*seed), &ed25519(*seed), 1_700_000_000 + u64::from(*seed)).unwrap();
    }
    SignedNote::parse(&note.to_text()).unwrap()
}

#[test]
fn a_quorum_is_what_the_policy_file_says() {
    let policy = WitnessPolicy::parse(two_levels().as_bytes()).unwrap();
    assert_eq!((policy.logs().len(), policy.witnesses().count()), (1, 6));
    for (seeds, met) in [
        (&[11, 12, 21][..], true),
        (&[11, 13, 22, 23], true),
        (&[11, 12, 13, 21, 22, 23], true),
        (&[11, 21, 22, 23], false),
        (&[11, 12, 13], false),
        (&[], false),
        (&[99, 98, 97], false),
    ] {
        let result = policy.verify(&cosigned(seeds));
        assert_eq!(result.is_ok(), met, "{seeds:?}: {result:?}");
        if let Ok(witnessed) = result {
            assert_eq!(witnessed.checkpoint, checkpoint());
            assert_eq!(witnessed.cosigned.len(), seeds.len());
            assert_eq!(witnessed.cosigned[&witness_name(11)], 1_700_000_011);
        }
    }
    // One witness that signs twice is one witness.
    let mut note = cosigned(&[11, 21]);
    note.cosign(&witness_name(11), &ed25519(11), 1_800_000_000).unwrap();
    let error = policy.verify(&note).unwrap_err().to_string();
    assert!(
        error.contains("X-and-Y (2 of X-witnesses, Y-witnesses)") && error.contains("w11.example"),
        "{error}"
    );
    // A false line of a known witness refuses, though the quorum is met without it.
    let mut note = cosigned(&[11, 12, 21]);
    let mut other = checkpoint();
    other.size -= 1;
    let mut other = other.sign(&ed25519(1)).unwrap();
    note.add_unverified(other.cosign(&witness_name(13), &ed25519(13), 1).unwrap()).unwrap();
    assert!(matches!(policy.verify(&note), Err(Error::Signature { .. })));
    // Another log's checkpoint, and this log's name under another key.
    let mut strange = checkpoint();
    strange.origin = "example.com/other".to_owned();
    assert!(policy.verify(&strange.sign(&ed25519(1)).unwrap()).is_err());
    assert!(policy.verify(&checkpoint().sign(&ed25519(2)).unwrap()).is_err());
    // No witness asked for; and a log that is known from elsewhere.
    let none = WitnessPolicy::parse(format!("{}\nquorum none\n", log_line()).as_bytes()).unwrap();
    assert!(none.verify(&cosigned(&[])).unwrap().cosigned.is_empty());
    let no_log = WitnessPolicy::parse(format!("witness w {}\nquorum w\n", vkey(11)).as_bytes()).unwrap();
    assert!(no_log.verify(&cosigned(&[11])).is_err());
    let log = NoteKey::signer(ORIGIN, &ed25519(1).verifying_key()).unwrap();
    assert!(no_log.verify_of(&cosigned(&[11]), &log).is_ok());
    assert!(no_log.verify_of(&cosigned(&[12]), &log).is_err());
}

#[test]
fn a_policy_file_that_breaks_the_format_is_refused_by_its_line() {
    let w = |name: &str, seed| format!("witness {name} {}\n", vkey(seed));
    let log = log_line();
    let table = [
        ("no quorum", w("a", 11), "no line"),
        ("two quorums", w("a", 11) + "quorum a\nquorum a\n", "line 3: a second"),
        ("quorum before its name", "quorum a\n".to_owned() + &w("a", 11), "line 1"),
        ("group before its member", "group g all a\n".to_owned() + &w("a", 11) + "quorum g\n", "not defined"),
        ("a member of two groups", w("a", 11) + "group g all a\ngroup h all a\nquorum g\n", "member already"),
        ("a member twice", w("a", 11) + "group g 1 a a\nquorum g\n", "member already"),
        ("a name twice", w("a", 11) + &w("a", 12) + "quorum a\n", "defined already"),
        ("a group by a witness' name", w("a", 11) + "group a all a\nquorum a\n", "defined already"),
        ("the name none", w("none", 11) + "quorum none\n", "defined already"),
        ("none as a member", "group g any none\nquorum g\n".to_owned(), "not defined"),
        ("a key twice", w("a", 11) + &w("b", 11) + "quorum a\n", "there already"),
        ("a log twice", format!("{log}\n{log}\nquorum none\n"), "there already"),
        ("threshold 0", w("a", 11) + "group g 0 a\nquorum g\n", "threshold"),
        ("threshold over the members", w("a", 11) + "group g 2 a\nquorum g\n", "threshold"),
        ("threshold with a zero", w("a", 11) + "group g 01 a\nquorum g\n", "threshold"),
        ("a group without members", "group g all\nquorum g\n".to_owned(), "neither"),
        ("a log's key for a witness", format!("witness a {}\nquorum a\n", &log[4..]), "0x04"),
        ("a witness' key for a log", format!("log {}\nquorum none\n", vkey(11)), "0x01"),
        ("an unknown line", "watcher a\nquorum none\n".to_owned(), "neither"),
        ("a word too many", w("a", 11).trim_end().to_owned() + " url more\nquorum a\n", "neither"),
        ("CR", "quorum none\r\n".to_owned(), "control character at byte 11"),
        ("a file that is cut", "quorum none".to_owned(), "does not end"),
    ];
    for (name, file, part) in table {
        let error = WitnessPolicy::parse(file.as_bytes()).expect_err(name).to_string();
        assert!(error.contains(part), "{name}: {error}");
    }
    // Octets that are no UTF-8 are names and comments like others.
    let latin = [b"# gr\xfc\xdfe\nwitness \xfc ", vkey(11).as_bytes(), b"\nquorum \xfc\n"].concat();
    assert!(
        WitnessPolicy::parse(&latin).unwrap().verify_of(&cosigned(&[11]), &log[4..].parse().unwrap()).is_ok()
    );
    let mut many = String::new();
    for seed in 0..=255u8 {
        many.push_str(&w(&format!("w{seed}"), seed));
    }
    assert!(WitnessPolicy::parse(format!("{many}quorum w0\n").as_bytes()).is_ok(), "256 witnesses");
    assert!(WitnessPolicy::parse(format!("{many}group g all w0\nquorum g\n").as_bytes()).is_err());
}

#[test]
fn a_proof_can_be_handed_out_as_text() {
    let entries: Vec<String> = (0..13).map(|number| format!("entry {number}")).collect();
    let mut tree = MerkleTree::new();
    for entry in &entries {
        tree.push(entry.as_bytes());
    }
    let mut note = Checkpoint::new(ORIGIN, 13, tree.root()).sign(&ed25519(1)).unwrap();
    note.cosign(&witness_name(11), &ed25519(11), 5).unwrap();
    let hashes = tree.inclusion_proof(6, 13).unwrap();
    let proof =
        TlogProof::new(6, hashes, note).unwrap().with_unauthenticated_extra(b"hint".to_vec()).unwrap();
    let text = proof.to_text();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra aGludA==\nindex 6\n"), "{text}");
    assert!(text.len() < 2048);
    let read = TlogProof::parse(&text).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.unauthenticated_extra(), Some(b"hint".as_slice()));
    let key: VerifyingKey = ed25519(1).verifying_key();
    let proved = read.verify(b"entry 6", ORIGIN, &key).unwrap();
    verify_inclusion(&MerkleTree::leaf_hash(b"entry 6"), 6, 13, read.hashes(), &proved.root).unwrap();
    assert!(read.verify(b"entry 7", ORIGIN, &key).is_err());
    assert!(read.verify(b"entry 6", "example.com/other", &key).is_err());
    assert!(read.verify(b"entry 6", ORIGIN, &ed25519(2).verifying_key()).is_err());
    let policy = format!("{}\nwitness w {}\nquorum w\n", log_line(), vkey(11));
    assert!(read.verify_witnessed(b"entry 6", &WitnessPolicy::parse(policy.as_bytes()).unwrap()).is_ok());
    let strict = format!("{}\nwitness w {}\nquorum w\n", log_line(), vkey(12));
    assert!(read.verify_witnessed(b"entry 6", &WitnessPolicy::parse(strict.as_bytes()).unwrap()).is_err());
    let hash = text.lines().nth(3).unwrap().to_owned();
    for (name, wrong) in [
        ("another version", text.replace("@v1", "@v2")),
        ("no index", text.replace("index 6\n", "")),
        ("an index with a zero", text.replace("index 6", "index 06")),
        ("extra behind the index", text.replace("extra aGludA==\nindex 6\n", "index 6\nextra aGludA==\n")),
        ("a short hash", text.replace(&hash, "AAAA")),
        ("no blank line", text.replacen("\n\n", "\n", 1)),
        ("65 hashes", text.replacen(&hash, &vec![hash.as_str(); 66].join("\n"), 1)),
        ("CRLF", text.replace('\n', "\r\n")),
    ] {
        assert!(TlogProof::parse(&wrong).is_err(), "{name}");
    }
    for (name, wrong) in [
        ("another index", text.replace("index 6", "index 7")),
        ("a hash less", text.replacen(&format!("{hash}\n"), "", 1)),
        ("a hash twice", text.replacen(&hash, &format!("{hash}\n{hash}"), 1)),
    ] {
        assert!(TlogProof::parse(&wrong).unwrap().verify(b"entry 6", ORIGIN, &key).is_err(), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn what_is_read_is_printed_byte_for_byte(text in "[ -~\n]{0,80}", at in 0usize..400, with in "[ -~\n\u{2014}]{0,3}") {
        let base = two_levels_proof();
        let mut changed = base.clone();
        let at = (0..=at.min(base.len())).rev().find(|at| base.is_char_boundary(*at)).unwrap();
        changed.insert_str(at, &with);
        for input in [&text, &changed] {
            if let Ok(proof) = TlogProof::parse(input) {
                prop_assert_eq!(&proof.to_text(), input);
            }
            if let Ok(note) = SignedNote::parse(input) {
                prop_assert_eq!(&note.to_text(), input);
            }
            let _ = WitnessPolicy::parse(input.as_bytes());
            let _ = input.parse::<NoteKey>();
        }
    }
}

fn two_levels_proof() -> String {
    TlogProof::new(3, vec![[1; 32], [2; 32]], cosigned(&[11])).unwrap().to_text()
}
