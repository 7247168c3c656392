//! The Sigstore in memory: what it makes is accepted, and every fault of it is found, by the rule that it breaks.
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
use lotse_sign::sandbox::{Fault, Sandbox, Setup};
use lotse_sign::{
    Artifact, AttachedBundle, Attachments, Bundle, Claims, Content, Context, CosignLayer, DSSE_MEDIA_TYPE,
    Error, ExactIdentity, ExpectedSigner, Requirements, Rule, Scheme, SigningKey, SimpleSigning, SubjectName,
    Time, TimestampAuthority, Transport as _, TrustedRoot, Verdict, Verifier,
};

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1";
const ARTIFACT: &[u8] = b"artifact";

fn now() -> Time {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn claims() -> Claims {
    let mut claims = Claims::new(SubjectName::Uri(WORKFLOW.to_owned()));
    claims.issuer = Some(ISSUER.to_owned());
    claims.source_repository_digest = Some("6f1c2e8a90b7d3545c8b1f0e2d7a4c9b3e5f6071".to_owned());
    claims
}

fn statement() -> Vec<u8> {
    let digest = lotse_digest::Digest::sha256(ARTIFACT).encoded();
    format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{digest}"}}}}],"predicateType":"https://example.com/p","predicate":{{}}}}"#
    )
    .into_bytes()
}

fn verify(root: TrustedRoot, bundle: &Bundle, requirements: Requirements) -> Result<Verdict, Error> {
    let identity = ExactIdentity::new(WORKFLOW, ISSUER);
    let context = Context { signer: ExpectedSigner::Identity(&identity), requirements, at: now() };
    Verifier::new(root).verify_json(&bundle.to_json().unwrap(), &Artifact::Bytes(ARTIFACT), &context)
}

#[test]
fn what_one_operator_runs_is_one_witness() {
    let sigstore = Sandbox::new("operators", now());
    let bundle = sigstore.sign_with(Setup::Both, Content::Artifact(ARTIFACT), &claims()).unwrap();
    let one = Requirements::sigstore();
    for (logs, stamps, requirements, accepted) in [
        (["", "", ""], ["", ""], one.log_entries(2).timestamps(2), true),
        (["", "a.test", "b.test"], ["a.test", "b.test"], one.log_entries(2).timestamps(2), true),
        (["", "a.test", "a.test"], ["a.test", "b.test"], one.log_entries(2).timestamps(2), false),
        (["", "a.test", "a.test"], ["a.test", "b.test"], one.timestamps(2), true),
        (["", "a.test", "b.test"], ["a.test", "a.test"], one.log_entries(2).timestamps(2), false),
        (["", "a.test", "b.test"], ["a.test", "a.test"], one.log_entries(2).timestamps(1), true),
    ] {
        let mut root: serde_json::Value = serde_json::from_slice(&sigstore.trusted_root_json()).unwrap();
        root["mediaType"] = "application/vnd.dev.sigstore.trustedroot.v0.2+json".into();
        for (at, operator) in logs.iter().enumerate() {
            root["tlogs"][at]["operator"] = (*operator).into();
        }
        for (at, operator) in stamps.iter().enumerate() {
            root["timestampAuthorities"][at]["operator"] = (*operator).into();
        }
        let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
        let verdict = verify(root, &bundle, requirements).unwrap();
        assert_eq!(verdict.is_accepted(), accepted, "{logs:?} {stamps:?}: {verdict}");
        if !accepted {
            assert_eq!(verdict.steps().last().map(|step| step.rule), Some(Rule::Threshold), "{verdict}");
        }
    }
}

#[test]
fn every_setup_signs_what_verifies() {
    let sigstore = Sandbox::new("setups", now());
    for (setup, requirements) in [
        (Setup::V2, Requirements::sigstore()),
        (Setup::V1, Requirements::sigstore()),
        (Setup::Both, Requirements::sigstore().log_entries(2).timestamps(2)),
        (Setup::NoLog, Requirements::sigstore().dangerously_without_log().timestamps(1)),
    ] {
        for content in [Content::Artifact(ARTIFACT), Content::Statement(statement())] {
            let bundle = sigstore.sign_with(setup, content.clone(), &claims()).unwrap();
            let verdict = verify(sigstore.trusted_root().unwrap(), &bundle, requirements).unwrap();
            let proved = verdict.result().unwrap_or_else(|refusal| panic!("{setup:?}: {refusal}\n{verdict}"));
            let lotse_sign::SignedBy::Certificate(signer) = &proved.signer else { panic!("{verdict}") };
            assert_eq!(**signer, claims());
            let more = requirements.log_entries(3);
            assert!(!verify(sigstore.trusted_root().unwrap(), &bundle, more).unwrap().is_accepted());

            for scheme in [Scheme::EcdsaP256Sha256, Scheme::EcdsaP384Sha384] {
                let key = SigningKey::from_secret(scheme, &[7; 32]).unwrap();
                let bundle = sigstore.sign_with_key(setup, content.clone(), &key).unwrap();
                let public = key.verifying_key();
                let context = Context { signer: ExpectedSigner::Key(&public), requirements, at: now() };
                let verifier = Verifier::new(sigstore.trusted_root().unwrap());
                let verdict = verifier
                    .verify_json(&bundle.to_json().unwrap(), &Artifact::Bytes(ARTIFACT), &context)
                    .unwrap();
                assert!(verdict.is_accepted(), "{setup:?} {scheme}: {verdict}");
            }
        }
    }
}

#[test]
fn the_same_seed_time_and_calls_give_the_same_bytes() {
    let make = |seed: &str| {
        let sigstore = Sandbox::new(seed, now());
        let first = sigstore.sign(Content::Artifact(ARTIFACT), &claims()).unwrap().to_json().unwrap();
        let second = sigstore.sign(Content::Artifact(ARTIFACT), &claims()).unwrap().to_json().unwrap();
        (first, second, sigstore.trusted_root_json())
    };
    assert_eq!(make("a"), make("a"));
    assert_ne!(make("a").0, make("b").0);
    assert_ne!(make("a").0, make("a").1, "another certificate, another entry");
}

/// Which rule finds a fault; `None` where the bundle cannot even be read or made.
fn rule(fault: Fault) -> Option<Rule> {
    use Fault as F;
    Some(match fault {
        F::LeafWithTrailingBytes | F::TimestampRejected | F::TimestampWithSha1 | F::CheckpointMissing => {
            return None;
        }
        F::LeafIssuedByAnotherAuthority
        | F::LeafSignedByAnotherKey
        | F::LeafWithoutCodeSigning
        | F::LeafWithoutPurposes
        | F::LeafForAnyPurpose
        | F::LeafIsAuthority
        | F::LeafWithoutKeyUsage
        | F::LeafWithUnknownCriticalExtension
        | F::LeafExpiredBeforeSigning
        | F::LeafNotYetValid
        | F::RootCertificateWindowEnded => Rule::Certificate,
        F::LeafWithoutSubject
        | F::LeafWithTwoSubjects
        | F::LeafWithoutIssuer
        | F::LeafIssuerWithTrailingBytes => Rule::Signer,
        F::SctMissing
        | F::SctOfUnknownLog
        | F::SctSignedByAnotherKey
        | F::SctOfAnotherIssuer
        | F::SctOfAnotherCertificate
        | F::SctLaterThanLeaf
        | F::SctBeforeWindowOfLog => Rule::Sct,
        F::TimestampMissing | F::TimestampInFuture => Rule::Time,
        F::TimestampOfAnotherSignature
        | F::TimestampOverArtifact
        | F::TimestampSignedByAnotherKey
        | F::TimestampBoundToAnotherCertificate
        | F::TimestampContentChanged
        | F::RootTimestampWindowEnded
        | F::RootOtherTimestampWindowOpen => Rule::Timestamp,
        // As of a later time nothing but the leaf's end speaks against it.
        F::TimestampAfterLeaf => Rule::Time,
        _ => Rule::LogEntry,
    })
}

#[test]
fn every_fault_is_found_by_the_rule_that_it_breaks() {
    for fault in Fault::ALL {
        let setup = match fault {
            Fault::PromiseSignedByAnotherKey | Fault::PromiseOfAnotherTime => Setup::V1,
            _ => Setup::V2,
        };
        let sigstore = Sandbox::with_faults("faults", now(), [fault]);
        let signed = sigstore.sign_with(setup, Content::Artifact(ARTIFACT), &claims());
        let verdict = signed
            .and_then(|bundle| verify(sigstore.trusted_root().unwrap(), &bundle, Requirements::sigstore()));
        match (verdict, rule(fault)) {
            (Ok(verdict), Some(rule)) => {
                let refusal =
                    verdict.result().err().unwrap_or_else(|| panic!("{fault:?} is accepted: {verdict}"));
                assert_eq!(refusal.rule, rule, "{fault:?}: {refusal}");
            }
            (Err(_), None) => {}
            (verdict, rule) => panic!("{fault:?}: {verdict:?}, expected {rule:?}"),
        }
    }
}

#[test]
fn a_timestamp_of_an_attestation_in_the_older_layout_is_about_the_whole_envelope() {
    let sigstore = Sandbox::new("older layout", now());
    let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[3; 32]).unwrap();
    let layer = CosignLayer::attest(statement(), "https://example.com/p", &key).unwrap();
    let envelope: serde_json::Value = serde_json::from_slice(&layer.payload).unwrap();
    let signature = STANDARD.decode(envelope["signatures"][0]["sig"].as_str().unwrap()).unwrap();
    let verifier = Verifier::new(sigstore.trusted_root().unwrap());
    let requirements = Requirements::sigstore().dangerously_without_log().timestamps(1);
    let expected = key.verifying_key();
    let context = Context { signer: ExpectedSigner::Key(&expected), requirements, at: now() };
    for (stamped, good) in [(&layer.payload, true), (&signature, false)] {
        let authority = TimestampAuthority::new("https://tsa.sandbox.test/api/v1/timestamp");
        let answer = sigstore.send(&authority.request(stamped)).unwrap();
        let token = STANDARD.encode(TimestampAuthority::timestamp(&answer).unwrap());
        let mut layer = layer.clone();
        layer.annotations.insert(
            "dev.sigstore.cosign/rfc3161timestamp".to_owned(),
            format!(r#"{{"SignedRFC3161Timestamp":"{token}"}}"#),
        );
        let verdict =
            verifier.verify_layer(&layer, &lotse_digest::Digest::sha256(ARTIFACT), &context).unwrap();
        assert_eq!(verdict.is_accepted(), good, "{verdict}");
        assert!(good || verdict.result().unwrap_err().to_string().contains("it is about"), "{verdict}");
    }
}

#[test]
fn an_attestation_of_the_older_layout_becomes_a_bundle_without_being_signed_anew() {
    let sigstore = Sandbox::new("migration", now());
    let signed = sigstore.sign_with(Setup::V1, Content::Statement(statement()), &claims()).unwrap();
    let signed: serde_json::Value = serde_json::from_slice(&signed.to_json().unwrap()).unwrap();
    let entry = &signed["verificationMaterial"]["tlogEntries"][0];
    let hex = |text: &serde_json::Value| -> String {
        STANDARD.decode(text.as_str().unwrap()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let number = |text: &serde_json::Value| text.as_str().unwrap().parse::<u64>().unwrap();
    let log = serde_json::json!({
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": number(&entry["integratedTime"]),
            "logIndex": number(&entry["logIndex"]),
            "logID": hex(&entry["logId"]["keyId"]),
        },
    });
    let leaf = signed["verificationMaterial"]["certificate"]["rawBytes"].as_str().unwrap();
    let layer = CosignLayer {
        media_type: DSSE_MEDIA_TYPE.to_owned(),
        payload: signed["dsseEnvelope"].to_string().into_bytes(),
        annotations: [
            ("dev.sigstore.cosign/bundle", log.to_string()),
            (
                "dev.sigstore.cosign/certificate",
                format!("-----BEGIN CERTIFICATE-----\n{leaf}\n-----END CERTIFICATE-----\n"),
            ),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    };
    let bundle = layer.to_bundle().unwrap();
    assert_eq!(bundle.media_type(), "application/vnd.dev.sigstore.bundle+json;version=0.1");
    let verdict = verify(sigstore.trusted_root().unwrap(), &bundle, Requirements::sigstore()).unwrap();
    assert!(verdict.is_accepted(), "{verdict}");

    // A timestamp of the envelope is none of the signature: with a log entry it stays behind, alone it would be lost.
    let stamp = (
        "dev.sigstore.cosign/rfc3161timestamp".to_owned(),
        r#"{"SignedRFC3161Timestamp":"MAA="}"#.to_owned(),
    );
    let mut stamped = layer.clone();
    stamped.annotations.extend([stamp]);
    assert_eq!(stamped.to_bundle().unwrap().to_json().unwrap(), bundle.to_json().unwrap());
    stamped.annotations.remove("dev.sigstore.cosign/bundle");
    assert!(stamped.to_bundle().unwrap_err().to_string().contains("attest anew"));

    // What is attached already is not attached again; a signature stays.
    let key = SigningKey::from_secret(Scheme::EcdsaP256Sha256, &[3; 32]).unwrap();
    let image = lotse_digest::Digest::sha256(ARTIFACT);
    let signature = CosignLayer::sign(&SimpleSigning::new(image.clone(), "a"), &key).unwrap();
    assert!(signature.to_bundle().unwrap_err().to_string().contains("sign the image anew"));
    let mut attached =
        Attachments { signatures: vec![signature], attestations: vec![layer], ..Attachments::default() };
    assert_eq!(attached.to_migrate().count(), 1);
    attached.bundles.push(AttachedBundle { manifest: image, json: bundle.to_json().unwrap() });
    assert_eq!(attached.to_migrate().count(), 0);
}

#[test]
fn a_trusted_root_names_anchors_and_windows() {
    let sigstore = Sandbox::new("roots", now());
    let bundle = sigstore.sign(Content::Artifact(ARTIFACT), &claims()).unwrap();
    let good: serde_json::Value = serde_json::from_slice(&sigstore.trusted_root_json()).unwrap();
    let without = |list: &str, holder: &str, what: &str| {
        let mut root = good.clone();
        for item in root[list].as_array_mut().unwrap() {
            item.pointer_mut(holder).unwrap().as_object_mut().unwrap().remove(what).unwrap();
        }
        root
    };
    let mut leaf_alone = good.clone();
    for authority in leaf_alone["timestampAuthorities"].as_array_mut().unwrap() {
        authority["certChain"]["certificates"].as_array_mut().unwrap().truncate(1);
    }
    let mut intermediate_alone = good.clone();
    intermediate_alone["certificateAuthorities"][0]["certChain"]["certificates"]
        .as_array_mut()
        .unwrap()
        .truncate(1);
    for (what, root, accepted) in [
        ("everything", good.clone(), true),
        ("a log's key without window", without("tlogs", "/publicKey", "validFor"), false),
        ("a CT log's key without window", without("ctlogs", "/publicKey", "validFor"), false),
        ("an authority without window", without("certificateAuthorities", "", "validFor"), false),
        ("a timestamp authority without window", without("timestampAuthorities", "", "validFor"), false),
        ("a timestamp authority's leaf as its own anchor", leaf_alone, false),
        ("an intermediate as the anchor", intermediate_alone, true),
    ] {
        let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
        let verdict = verify(root, &bundle, Requirements::sigstore()).unwrap();
        assert_eq!(verdict.is_accepted(), accepted, "{what}: {verdict}");
    }
}
