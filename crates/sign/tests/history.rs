//! What went wrong in verifiers before, by the names under which it is known. Each attack is made by the Sigstore in memory or by hand
//! from what it signed, and must be refused by the rule that it was once slipped past.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test states what must hold"
)]

use lotse_sign::sandbox::{Fault, Sandbox, Setup};
use lotse_sign::{
    Artifact, Bundle, Claims, Content, Context, ExactIdentity, ExpectedSigner, Rekor, Requirements, Rule,
    Scheme, SigningKey, SubjectName, Time, Transport, TrustedRoot, Verdict, Verifier,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://oidc.example.test";
const ALICE: &str = "alice@example.test";
const ARTIFACT: &[u8] = b"artifact";

fn now() -> Time {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn sigstore(faults: &[Fault]) -> Sandbox {
    Sandbox::with_faults("history", now(), faults.iter().copied())
}

fn claims() -> Claims {
    let mut claims = Claims::new(SubjectName::Email(ALICE.to_owned()));
    claims.issuer = Some(ISSUER.to_owned());
    claims
}

fn statement() -> Vec<u8> {
    let digest = lotse_digest::Digest::sha256(ARTIFACT).encoded();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.com/p","predicate":{{}}}}"#
    )
    .into_bytes()
}

fn signed(faults: &[Fault], setup: Setup) -> Value {
    let bundle = sigstore(faults).sign_with(setup, Content::Artifact(ARTIFACT), &claims()).unwrap();
    serde_json::from_slice(&bundle.to_json().unwrap()).unwrap()
}

/// A day later, so that nothing is refused for being early.
fn judge(
    root: TrustedRoot,
    bundle: &Value,
    requirements: Requirements,
) -> Result<Verdict, lotse_sign::Error> {
    let alice = ExactIdentity::new(ALICE, ISSUER);
    let at = Time::from_seconds(now().seconds() + 86_400);
    let context = Context { signer: ExpectedSigner::Identity(&alice), requirements, at };
    Verifier::new(root).verify_json(bundle.to_string().as_bytes(), &Artifact::Bytes(ARTIFACT), &context)
}

fn refused(bundle: &Value, rule: Rule) -> String {
    let verdict = judge(sigstore(&[]).trusted_root().unwrap(), bundle, Requirements::sigstore()).unwrap();
    let refusal = verdict.result().expect_err("it must be refused");
    assert_eq!(refusal.rule, rule, "{verdict}");
    refusal.reason
}

#[test]
fn cve_2026_22703_a_log_entry_of_something_else_is_refused() {
    for setup in [Setup::V1, Setup::V2] {
        for fault in [Fault::EntryOfAnotherSignature, Fault::EntryOfAnotherArtifact] {
            refused(&signed(&[fault], setup), Rule::LogEntry);
        }
    }
    refused(&signed(&[Fault::EntryOfAnotherSigner], Setup::V2), Rule::LogEntry);
    // The whole entry of another signature over the same artifact, with its own good proof and promise.
    for setup in [Setup::V1, Setup::V2] {
        let sandbox = sigstore(&[]);
        let sign = || -> Value {
            let bundle = sandbox.sign_with(setup, Content::Artifact(ARTIFACT), &claims()).unwrap();
            serde_json::from_slice(&bundle.to_json().unwrap()).unwrap()
        };
        let (mut victim, other) = (sign(), sign());
        let entries = "/verificationMaterial/tlogEntries";
        *victim.pointer_mut(entries).unwrap() = other.pointer(entries).unwrap().clone();
        refused(&victim, Rule::LogEntry);
    }
}

#[test]
fn cve_2022_36056_a_bundle_of_somebody_else_is_refused() {
    let sandbox = sigstore(&[]);
    let mut mallory = claims();
    mallory.subject = SubjectName::Email("mallory@example.test".to_owned());
    let bundle = sandbox.sign(Content::Artifact(ARTIFACT), &mallory).unwrap();
    let bundle = serde_json::from_slice(&bundle.to_json().unwrap()).unwrap();
    refused(&bundle, Rule::Signer);
    // A bare key's signature is nobody's, whatever the key's hint says.
    let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[7; 32]).unwrap();
    let bundle = sandbox.sign_with_key(Setup::V2, Content::Artifact(ARTIFACT), &key).unwrap();
    refused(&serde_json::from_slice(&bundle.to_json().unwrap()).unwrap(), Rule::Material);
}

#[test]
fn tob_sigstore_4_the_leaf_must_be_valid_at_every_verified_time() {
    // The same seed signs the same signature; one authority says when it was, one an hour too late.
    let (good, late) = (signed(&[], Setup::V2), signed(&[Fault::TimestampAfterLeaf], Setup::V2));
    let place = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    let stamps = |bundle: &Value| bundle.pointer(place).unwrap()[0].clone();
    assert_eq!(good.pointer("/messageSignature"), late.pointer("/messageSignature"));
    for order in [[stamps(&good), stamps(&late)], [stamps(&late), stamps(&good)]] {
        let mut bundle = good.clone();
        *bundle.pointer_mut(place).unwrap() = json!(order);
        refused(&bundle, Rule::Certificate);
    }
}

#[test]
fn tob_sigstore_6_a_key_is_what_the_trusted_root_says_it_is() {
    let sandbox = sigstore(&[]);
    let mut root: Value = serde_json::from_slice(&sandbox.trusted_root_json()).unwrap();
    for log in root["tlogs"].as_array_mut().unwrap() {
        log["publicKey"]["keyDetails"] = json!("PKIX_ECDSA_P384_SHA_384");
    }
    let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
    assert_eq!(root.unusable().len(), 3);
    let verdict = judge(root, &signed(&[], Setup::V2), Requirements::sigstore()).unwrap();
    let refusal = verdict.result().unwrap_err();
    assert_eq!(refusal.rule, Rule::LogEntry);
    assert!(refusal.reason.contains("PKIX_ECDSA_P384_SHA_384"), "{refusal}");
}

#[test]
fn tob_sigstore_9_an_envelope_with_two_signatures_is_refused() {
    let bundle = sigstore(&[]).sign(Content::Statement(statement()), &claims()).unwrap();
    let mut bundle: Value = serde_json::from_slice(&bundle.to_json().unwrap()).unwrap();
    let signatures = bundle["dsseEnvelope"]["signatures"].as_array_mut().unwrap();
    signatures.insert(0, json!({ "sig": "bm9uZQ==" }));
    let error = judge(sigstore(&[]).trusted_root().unwrap(), &bundle, Requirements::sigstore()).unwrap_err();
    assert!(error.to_string().contains("exactly one signature"), "{error}");
}

#[test]
fn tob_sigstore_11_another_authoritys_window_authorises_nothing() {
    let sandbox = sigstore(&[Fault::RootOtherTimestampWindowOpen]);
    let verdict =
        judge(sandbox.trusted_root().unwrap(), &signed(&[], Setup::V2), Requirements::sigstore()).unwrap();
    assert_eq!(verdict.result().unwrap_err().rule, Rule::Timestamp);
}

#[test]
fn cve_2020_15093_one_log_counts_once_however_many_entries_it_has() {
    let sandbox = sigstore(&[]);
    let mut bundle = sandbox.sign(Content::Artifact(ARTIFACT), &claims()).unwrap();
    let log = Rekor::new("https://rekor.sandbox.test", 2).unwrap();
    let answer = sandbox.send(&log.request(&bundle, None).unwrap()).unwrap();
    log.add_entry(&mut bundle, &answer).unwrap();
    let bundle: Value = serde_json::from_slice(&bundle.to_json().unwrap()).unwrap();
    assert_eq!(bundle["verificationMaterial"]["tlogEntries"].as_array().unwrap().len(), 2);
    let judge = |count| {
        let requirements = Requirements::sigstore().log_entries(count);
        judge(sandbox.trusted_root().unwrap(), &bundle, requirements).unwrap()
    };
    assert!(judge(1).is_accepted(), "{}", judge(1));
    assert_eq!(judge(2).result().unwrap_err().rule, Rule::Threshold);
}

#[test]
fn mise_9260_the_envelope_is_verified_and_what_was_verified_is_handed_on() {
    let bundle = sigstore(&[]).sign(Content::Statement(statement()), &claims()).unwrap();
    let mut bundle: Value = serde_json::from_slice(&bundle.to_json().unwrap()).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let swapped = payload.replacen("eyJfdHlwZSI6Imh0dHBzOi8v", "eyJfdHlwZSI6ICJodHRwczovL", 1);
    let swapped = if swapped == payload { format!("ICAg{payload}") } else { swapped };
    bundle["dsseEnvelope"]["payload"] = json!(swapped);
    let verdict = judge(sigstore(&[]).trusted_root().unwrap(), &bundle, Requirements::sigstore());
    assert!(!verdict.is_ok_and(|verdict| verdict.is_accepted()));
}

#[test]
fn cosign_4648_to_4653_malformed_entries_are_errors_and_no_panics() {
    let good = signed(&[], Setup::V1);
    let body = "/verificationMaterial/tlogEntries/0/canonicalizedBody";
    for malformed in [
        "",
        "bnVsbA==",
        "e30=",
        "W10=",
        "eyJraW5kIjoiaGFzaGVkcmVrb3JkIn0=",
        "eyJhcGlWZXJzaW9uIjoiMC4wLjEiLCJraW5kIjoiaGFzaGVkcmVrb3JkIiwic3BlYyI6bnVsbH0=",
        "eyJhcGlWZXJzaW9uIjoiMC4wLjEiLCJraW5kIjoiaGFzaGVkcmVrb3JkIiwic3BlYyI6e319",
    ] {
        let mut bundle = good.clone();
        *bundle.pointer_mut(body).unwrap() = json!(malformed);
        refused(&bundle, Rule::LogEntry);
    }
    for payload in ["", "bnVsbA==", "e30=", "W10=", "AAAA"] {
        let bundle = sigstore(&[]).sign(Content::Statement(statement()), &claims()).unwrap();
        let mut bundle: Value = serde_json::from_slice(&bundle.to_json().unwrap()).unwrap();
        bundle["dsseEnvelope"]["payload"] = json!(payload);
        refused(&bundle, Rule::LogEntry);
    }
    // Signed properly, but no statement.
    for content in [&b""[..], b"null", b"{}", b"[]", b"\xff"] {
        let bundle = sigstore(&[]).sign(Content::Statement(content.to_vec()), &claims()).unwrap();
        refused(&serde_json::from_slice(&bundle.to_json().unwrap()).unwrap(), Rule::Statement);
    }
}

#[test]
fn cosign_4663_the_authority_must_have_been_valid_when_it_was_used() {
    let sandbox = sigstore(&[Fault::RootCertificateWindowEnded]);
    let verdict =
        judge(sandbox.trusted_root().unwrap(), &signed(&[], Setup::V2), Requirements::sigstore()).unwrap();
    assert_eq!(verdict.result().unwrap_err().rule, Rule::Certificate);
}

#[test]
fn sigstore_rust_154_the_sct_is_checked_with_the_issuer_of_the_verified_path() {
    refused(&signed(&[Fault::SctOfAnotherIssuer], Setup::V2), Rule::Sct);
}

#[test]
fn cosign_4454_nothing_falls_back_to_now() {
    // No timestamp, and version 2 of the log says no time: there is none, and the leaf's ten minutes are not compared with now.
    let reason = refused(&signed(&[Fault::TimestampMissing], Setup::V2), Rule::Time);
    assert!(reason.contains("nobody vouches"), "{reason}");
    let parsed = Bundle::parse(signed(&[Fault::TimestampMissing], Setup::V2).to_string().as_bytes()).unwrap();
    assert!(parsed.has_certificate());
}
