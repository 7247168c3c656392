//! Keys, envelopes, bundles and notes: known answers, and a refusal for every change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lotse_sign::{
    BUNDLE_MEDIA_TYPE, Bundle, Checkpoint, Envelope, Error, Scheme, SignedNote, SigningKey, VerifyingKey,
};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn keys() -> [SigningKey; 3] {
    [Scheme::EcdsaP256Sha256, Scheme::EcdsaP384Sha384, Scheme::Ed25519]
        .map(|scheme| SigningKey::from_secret(scheme, &[7; 32]).unwrap())
}

#[test]
fn rfc_6979_a_2_5_signs_sample() {
    let secret =
        bytes("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721").try_into().unwrap();
    let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &secret).unwrap();
    let (r, s) = (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    );
    // SEQUENCE of two INTEGERs, each with a leading zero because its first bit is set.
    let der = bytes(&format!("3046022100{r}022100{s}"));
    assert_eq!(key.sign(b"sample").unwrap(), der);
    assert!(key.verifying_key().verifies(b"sample", &der));
}

#[test]
fn rfc_8032_7_1_test_2_signs_one_byte() {
    let secret =
        bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").try_into().unwrap();
    let key = SigningKey::from_secret(Scheme::Ed25519, &secret).unwrap();
    let signature = bytes(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    assert_eq!(key.sign(&[0x72]).unwrap(), signature);
    assert!(key.verifying_key().verifies(&[0x72], &signature));
}

#[test]
fn the_note_of_gos_documentation_verifies() {
    // golang.org/x/mod/sumdb/note, the example of the package documentation.
    let raw = STANDARD.decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").unwrap();
    let spki = [bytes("302a300506032b6570032100"), raw[1..].to_vec()].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(spki));
    let key = VerifyingKey::from_pem(&pem).unwrap();
    let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let parsed = SignedNote::parse(note).unwrap();
    assert!(parsed.verify("PeterNeumann", &key).unwrap().starts_with("If you think"));
    assert_eq!(parsed.to_text(), note);
    assert!(parsed.verify("PeterNewman", &key).is_err(), "the name is part of the key id");
    assert!(
        SignedNote::parse(&note.replace("answer", "anwser")).unwrap().verify("PeterNeumann", &key).is_err()
    );
}

#[test]
fn the_pre_authentication_encoding_is_what_is_signed() {
    for key in keys() {
        let envelope =
            Envelope::sign("http://example.com/HelloWorld", b"hello world".to_vec(), &key).unwrap();
        let json: String = String::from_utf8(envelope.to_json().unwrap()).unwrap();
        let signature = json.split("\"sig\":\"").nth(1).unwrap().split('"').next().unwrap();
        let signature = STANDARD.decode(signature).unwrap();
        // The example of secure-systems-lab/dsse, protocol.md.
        assert!(
            key.verifying_key()
                .verifies(b"DSSEv1 29 http://example.com/HelloWorld 11 hello world", &signature)
        );
        assert_eq!(Envelope::parse(json.as_bytes()).unwrap(), envelope);
    }
}

#[test]
fn keys_survive_pem_and_sign_the_same_again() {
    for key in keys() {
        let pem = key.to_pem().unwrap();
        let again = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(again.sign(b"m").unwrap(), key.sign(b"m").unwrap());
        let public = key.verifying_key().to_pem();
        assert_eq!(VerifyingKey::from_pem(&public).unwrap(), key.verifying_key());
        let secret = pem.lines().nth(1).unwrap();
        assert!(!format!("{key:?}").contains(secret), "a private key shows itself to nobody");
    }
}

#[test]
fn texts_that_are_no_usable_keys_say_why() {
    let encrypted = "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n";
    for (text, part) in [
        ("", "BEGIN"),
        (encrypted, "ENCRYPTED SIGSTORE PRIVATE KEY"),
        ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n", "pkcs8"),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "neither P-256, P-384 nor Ed25519",
        ),
    ] {
        let error = SigningKey::from_pem(text).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(VerifyingKey::from_pem(&keys()[0].to_pem().unwrap()).is_err());
    assert!(matches!(SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[0; 32]), Err(Error::Key { .. })));
    assert!(matches!(SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[255; 32]), Err(Error::Key { .. })));
}

#[test]
fn a_bundle_of_another_key_type_content_or_version_is_refused() {
    let [p256, _, ed25519] = keys();
    let statement = br#"{"_type":"https://in-toto.io/Statement/v1"}"#;
    let json =
        String::from_utf8(Bundle::sign_statement(statement.to_vec(), &p256).unwrap().to_json().unwrap())
            .unwrap();
    let bundle = Bundle::parse(json.as_bytes()).unwrap();
    assert_eq!(bundle.verify_statement(&p256.verifying_key()).unwrap(), statement);
    assert!(matches!(bundle.verify_statement(&ed25519.verifying_key()), Err(Error::Signature { .. })));
    assert!(matches!(bundle.verify_artifact(b"x", &p256.verifying_key()), Err(Error::Mismatch { .. })));

    let log = r#""tlogEntries":[{"logIndex":"1"}],"publicKey""#;
    for (name, changed, part) in [
        ("v0.4", json.replace("v0.3", "v0.4"), "v0.4"),
        (
            "certificate",
            json.replace(r#""publicKey":{"#, r#""certificate":{"rawBytes":"AA=="},"publicKey":{"#),
            "more than one",
        ),
        ("log entries", json.replace(r#""publicKey""#, log), "kind and version"),
        ("unknown member", json.replace(r#""publicKey""#, r#""surprise":1,"publicKey""#), "surprise"),
        (
            "no material",
            json.replace(r#""publicKey":{"#, r#""timestampVerificationData":{"x":"#)
                .replace("\"}},", "\"}}},"),
            "",
        ),
        (
            "no content",
            format!(r#"{{"mediaType":"{BUNDLE_MEDIA_TYPE}","verificationMaterial":{{"publicKey":{{}}}}}}"#),
            "one DSSE envelope",
        ),
        (
            "no signature",
            json.split("\"signatures\"").next().unwrap().to_owned() + r#""signatures":[]}}"#,
            "no signature",
        ),
        ("cut", json[..json.len() / 2].to_owned(), "malformed"),
    ] {
        let error = Bundle::parse(changed.as_bytes()).expect_err(name).to_string();
        assert!(error.contains(part), "{name}: {error}");
    }
    let changed = json.replace("\"payload\":\"ey", "\"payload\":\"eyI");
    let parsed = Bundle::parse(changed.as_bytes());
    assert!(
        parsed.is_err() || parsed.unwrap().verify_statement(&p256.verifying_key()).is_err(),
        "another payload"
    );
}

#[test]
fn a_message_signature_is_for_one_content() {
    for key in keys() {
        let bundle =
            Bundle::parse(&Bundle::sign_artifact(b"artifact", &key).unwrap().to_json().unwrap()).unwrap();
        bundle.verify_artifact(b"artifact", &key.verifying_key()).unwrap();
        assert!(matches!(
            bundle.verify_artifact(b"artefact", &key.verifying_key()),
            Err(Error::Mismatch { .. })
        ));
        assert!(bundle.verify_statement(&key.verifying_key()).is_err());
    }
}

#[test]
fn a_checkpoint_is_signed_in_the_name_of_its_log() {
    for key in keys() {
        let checkpoint = Checkpoint::new("log.example/app", 42, [5; 32]);
        let note = SignedNote::parse(&checkpoint.sign(&key).unwrap().to_text()).unwrap();
        assert_eq!(Checkpoint::verify(&note, "log.example/app", &key.verifying_key()).unwrap(), checkpoint);
        assert!(Checkpoint::verify(&note, "log.example/other", &key.verifying_key()).is_err());
        let forged = SignedNote::parse(&note.to_text().replace("\n42\n", "\n43\n")).unwrap();
        assert!(matches!(
            Checkpoint::verify(&forged, "log.example/app", &key.verifying_key()),
            Err(Error::Signature { .. })
        ));
    }
    for text in ["", "a\n1\n", "a\n01\nAAAA\n", "a\n-1\nAAAA\n", "\n1\nAAAA\n", "a\n1\nAAAA\n"] {
        assert!(Checkpoint::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn base64_is_read_in_both_alphabets_and_with_or_without_padding() {
    let [key, ..] = keys();
    let json =
        String::from_utf8(Envelope::sign("t", b"\xfb\xff\xfe".to_vec(), &key).unwrap().to_json().unwrap())
            .unwrap();
    assert!(json.contains("+//+"));
    for changed in [json.replace("+//+", "-__-"), json.replace('=', "")] {
        Envelope::parse(changed.as_bytes()).unwrap().verify(&key.verifying_key()).unwrap();
    }
    assert!(Envelope::parse(json.replace("+//+", "-_/+").as_bytes()).is_err(), "two alphabets in one text");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn one_changed_bit_of_message_or_signature_is_refused(message in proptest::collection::vec(any::<u8>(), 1..60), at in any::<usize>(), bit in 0..8u8) {
        for key in keys() {
            let signature = key.sign(&message).unwrap();
            let public = key.verifying_key();
            prop_assert!(public.verifies(&message, &signature));
            let mut wrong = message.clone();
            wrong[at % message.len()] ^= 1 << bit;
            prop_assert!(!public.verifies(&wrong, &signature));
            let mut forged = signature.clone();
            forged[at % signature.len()] ^= 1 << bit;
            prop_assert!(!public.verifies(&message, &forged));
            #[cfg(feature = "ring")]
            {
                prop_assert!(public.verifies_with_ring(&message, &signature).unwrap());
                prop_assert!(!public.verifies_with_ring(&wrong, &signature).unwrap());
                prop_assert!(!public.verifies_with_ring(&message, &forged).unwrap());
            }
        }
    }

    #[test]
    fn no_input_makes_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,120}") {
        let _ = Envelope::parse(&bytes);
        let _ = Bundle::parse(&bytes);
        let _ = SignedNote::parse(&text);
        let _ = Checkpoint::parse(&text);
        let _ = SigningKey::from_pem(&text);
    }
}

#[cfg(feature = "encrypted-keys")]
#[test]
fn encrypted_keys_open_with_their_password_alone() {
    for key in keys() {
        let pem = key.to_encrypted_pem(b"password", &[1; 32], &[2; 24]).unwrap();
        assert!(pem.contains("ENCRYPTED SIGSTORE"));
        let opened = SigningKey::from_encrypted_pem(&pem, b"password").unwrap();
        assert_eq!(opened.verifying_key(), key.verifying_key());
        assert!(matches!(SigningKey::from_encrypted_pem(&pem, b"passwort"), Err(Error::Key { .. })));
        assert!(SigningKey::from_pem(&pem).unwrap_err().to_string().contains("from_encrypted_pem"));
    }
}
